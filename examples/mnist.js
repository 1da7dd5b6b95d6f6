// The main job: the matrix network of Gao, Guo and Wang ("Matrix Neural Networks", section 6.1) learns MNIST.
// Options: --epochs 15, --rate 0.02, --axis row, --seed 7, --threads 2, --train 60000 (digits to train on).
// The best recipe found for this net: --axis column --rate 0.01 --epochs 60.
import { parseArgs } from 'node:util';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constraints, info, init, layers, load, optimizers, schedules, sequential } from 'heddle';
import { mnist } from './mnist-data.js';

const { values } = parseArgs({
  options: {
    epochs: { type: 'string', default: '15' }, rate: { type: 'string', default: '0.02' },
    axis: { type: 'string', default: 'row' }, seed: { type: 'string', default: '7' },
    threads: { type: 'string' }, train: { type: 'string', default: '60000' },
  },
});
const seed = Number(values.seed), epochs = Number(values.epochs);
const kernelConstraint = constraints.unitNorm({ axis: /** @type {'row' | 'column'} */ (values.axis) });
const matrixLayer = (size) => layers.bilinear({ rows: size, cols: size, activation: 'sigmoid', kernelConstraint });

/** One line, rewritten in place on a terminal and printed once per epoch elsewhere. */
function showProgress(log) {
  const time = Math.ceil(log.secondsLeft ?? 0);
  const line = `epoch ${log.epoch + 1}/${epochs}  loss ${log.loss.toFixed(4)}  accuracy ${(100 * log.accuracy).toFixed(2)} %  ` +
    `${Math.round(log.samplesPerSecond).toLocaleString('en')} samples/s  ${time} s left`;
  if (process.stdout.isTTY) process.stdout.write(`\r${line}\x1b[K`);
  else if (log.type === 'epoch') console.log(line);
}

/** A digit as text, two rows of pixels to a line. */
function picture(pixels) {
  const shades = ' .:-=+*#%@';
  const lines = [];
  for (let row = 0; row < 28; row += 2) {
    const line = Array.from({ length: 28 }, (_, i) => shades[Math.floor((pixels[row * 28 + i] + pixels[row * 28 + 28 + i]) / 51.2)]);
    lines.push(line.join(''));
  }
  return lines;
}

async function showPredictions(net, test, count) {
  const x = { ...test.x, data: test.x.data.subarray(0, count * 784), shape: [count, 28, 28] };
  const { data } = await net.predict(x);
  const pictures = Array.from({ length: count }, (_, i) => picture(x.data.subarray(i * 784, (i + 1) * 784)));
  pictures[0].forEach((_, row) => console.log(pictures.map((lines) => lines[row]).join('  ')));
  const captions = pictures.map((_, i) => {
    const p = data.subarray(i * 10, i * 10 + 10), best = p.indexOf(Math.max(...p));
    return `says ${best} (${(100 * p[best]).toFixed(1)} %), is ${test.y[i]}`.padEnd(28);
  });
  console.log(captions.join('  '));
}

await init(values.threads ? { threads: Number(values.threads) } : {});
const train = await mnist('train', Number(values.train)), test = await mnist('test');
const net = await sequential([
  layers.input({ shape: [28, 28] }), matrixLayer(20), matrixLayer(16),
  layers.flatten(), layers.dense({ units: 10, activation: 'softmax' }),
], { seed });
await net.compile({
  optimizer: optimizers.adam({ learningRate: schedules.cosine({ initialLearningRate: Number(values.rate) }) }),
  loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'],
});
console.log(net.summary());
console.log(`training on ${train.y.length.toLocaleString('en')} digits, engine ${info().engine}`);
const start = performance.now();
for await (const log of net.train(train.x, train.y, { epochs, batchSize: 100, seed })) showProgress(log);
const seconds = (performance.now() - start) / 1000;

const { accuracy } = await net.evaluate(test.x, test.y);
console.log(`\n${seconds.toFixed(1)} s with ${info().threads} thread(s), engine ${info().engine}`);
console.log(`test accuracy ${(100 * accuracy).toFixed(2)} % (the paper: 97.3 %)`);

const file = join(tmpdir(), 'heddle-digits.safetensors');
await net.save(file, { preprocessing: { scale: test.x.scale, offset: test.x.offset } });
const copy = await load(file);
console.log(`saved to ${file} and loaded again; its first digits:`);
await showPredictions(copy, test, 4);
net.dispose();
copy.dispose();
