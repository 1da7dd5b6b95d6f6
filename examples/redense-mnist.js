// ReDense on MNIST: a network 784-500-10, stopped at about 93.1 %, gets a rectified layer of random weights in place of its last one
// (Javid's thesis, section 6.2). The paper: 93.1 % to 95.5 %.
// Options: --nodes 500, --matrix uniform, --rate 1e-4, --epochs 200, --kappa 1, --train 60000, --seed 1, --stop 93.1 (base accuracy on
// the test set at which its training ends), --svg FILE.
import { parseArgs } from 'node:util';
import { layers, optimizers, sequential } from 'heddle';
import { ReDense } from 'heddle/estimators';
import { saveCurves } from './curve.js';
import { mnist } from './mnist-data.js';

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '500' }, matrix: { type: 'string', default: 'uniform' }, rate: { type: 'string', default: '1e-4' },
    epochs: { type: 'string', default: '200' }, kappa: { type: 'string', default: '1' }, train: { type: 'string', default: '60000' },
    seed: { type: 'string', default: '1' }, stop: { type: 'string', default: '93.1' }, svg: { type: 'string' },
  },
});
const seed = Number(values.seed), epochs = Number(values.epochs), nodes = Number(values.nodes);
const toUnit = ({ x, y }) => ({ x: { ...x, scale: 1 / 255, offset: 0 }, y });
const train = toUnit(await mnist('train', Number(values.train))), test = toUnit(await mnist('test'));
const percent = (part) => `${(100 * part).toFixed(2)} %`;

const base = await sequential([
  layers.input({ shape: [28, 28] }), layers.flatten(), layers.dense({ units: 500, activation: 'relu' }), layers.dense({ units: 10, activation: 'softmax' }),
], { seed });
await base.compile({ optimizer: optimizers.sgd({ learningRate: 0.05 }), loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
let was = await base.evaluate(test.x, test.y);
for (let epoch = 0; epoch < 20 && 100 * was.accuracy < Number(values.stop); epoch++) {
  await base.fit(train.x, train.y, { epochs: epoch + 1, initialEpoch: epoch, batchSize: 128, seed });
  was = await base.evaluate(test.x, test.y);
  console.log(`base, epoch ${epoch + 1}: test accuracy ${percent(was.accuracy)}, cross-entropy ${was.loss.toFixed(4)}`);
}

const redense = new ReDense({ nodes, matrix: values.matrix, kappa: Number(values.kappa), learningRate: Number(values.rate), epochs, seed });
const start = performance.now();
await redense.fit(base, train.x, train.y, {
  validationData: [test.x, test.y],
  onProgress: ({ phase, done, loss, val_loss: other }) => {
    if (phase === 'epochs' && done % 20 === 0) console.log(`epoch ${done}/${epochs}: cross-entropy ${loss.toFixed(4)}, on the test set ${other.toFixed(4)}`);
  },
});
const seconds = (performance.now() - start) / 1000, { report } = redense, { loss, val_loss: other } = report.history;
console.log(`${seconds.toFixed(1)} s; R of ${nodes + 1} rows, ${values.matrix}: condition ${report.condition.toFixed(0)}, epsilon ${report.epsilon.toFixed(2)}`);
console.log(`
| | train cross-entropy | test cross-entropy | test accuracy |
| --- | --- | --- | --- |
| base | ${loss[0].toFixed(4)} | ${was.loss.toFixed(4)} | ${percent(was.accuracy)} |
| ReDense | ${loss.at(-1).toFixed(4)} | ${(other?.at(-1) ?? was.loss).toFixed(4)} | ${percent(await redense.score(test.x, test.y))} |
| the paper: base | | | 93.1 % |
| the paper: ReDense, m = 500 | | | 95.5 % |
| NumPy, uniform 501 x 501, rate 1e-4, from 93.17 % | 0.1314 | 0.1434 | 95.54 % |`);
await saveCurves(values.svg, {
  title: 'ReDense on MNIST', x: 'epoch', y: 'cross-entropy',
  series: [
    { name: 'train', points: loss.map((value, epoch) => [epoch, value]) },
    { name: 'test', points: [was.loss, ...other ?? []].map((value, epoch) => [epoch, value]) },
  ],
});
