// Accuracy against the ratio rho of random features to elements of a sample (Javid's thesis, Fig. 6.5): paired features y = relu(V A x)
// lose nothing of x from rho = 2 on, and there the curve bends; features relu(W x) of an ELM go on above it.
// Options: --ratios 0.25,0.5,1,1.5,2,2.5,3,4, --trials 1 (fresh A and W each), --alpha 10, --train 60000, --seed 1, --svg FILE.
import { parseArgs } from 'node:util';
import { ElmClassifier, SlfnClassifier } from 'heddle/estimators';
import { saveCurves } from './curve.js';
import { mnist } from './mnist-data.js';

const { values } = parseArgs({
  options: {
    ratios: { type: 'string', default: '0.25,0.5,1,1.5,2,2.5,3,4' }, trials: { type: 'string', default: '1' }, alpha: { type: 'string', default: '10' },
    train: { type: 'string', default: '60000' }, seed: { type: 'string', default: '1' }, svg: { type: 'string' },
  },
});
const ratios = values.ratios.split(',').map(Number), trials = Number(values.trials), alpha = Number(values.alpha);
/** Test accuracy in % of a NumPy program on the same data: x / 255 with a constant, uniform in [-1, 1), alpha = 10, one trial. */
const reference = {
  SLFN: { 0.25: 87.9, 0.5: 90.6, 1: 92.7, 1.5: 94.2, 2: 94.5, 2.5: 95.1, 3: 95.4, 4: 95.8 },
  ELM: { 0.25: 87.4, 0.5: 91.1, 1: 93.7, 1.5: 94.8, 2: 95.5, 2.5: 95.7, 3: 96.4, 4: 96.5 },
};
const kinds = { SLFN: SlfnClassifier, ELM: ElmClassifier };

const toUnit = ({ x, y }) => ({ x: { ...x, scale: 1 / 255, offset: 0 }, y });
const train = toUnit(await mnist('train', Number(values.train))), test = toUnit(await mnist('test'));
console.log(`MNIST, ${train.y.length.toLocaleString('en')} digits to train on; test accuracy in %, mean of ${trials} trial(s)`);
console.log(`\n| rho | ${Object.keys(kinds).map((name) => `${name} | reference | s`).join(' | ')} |\n|${' --- |'.repeat(7)}`);

/** @param {keyof typeof kinds} name @param {number} ratio */
async function measure(name, ratio) {
  const start = performance.now();
  let sum = 0;
  for (let trial = 0; trial < trials; trial++) {
    const one = await new kinds[name]({ ratio, alpha, seed: Number(values.seed) + trial }).fit(train.x, train.y);
    sum += await one.score(test.x, test.y);
    one.dispose();
  }
  return { accuracy: 100 * sum / trials, seconds: (performance.now() - start) / 1000 / trials };
}

/** @type {Record<string, [number, number][]>} */
const points = { SLFN: [], ELM: [] };
for (const ratio of ratios) {
  const cells = [];
  for (const name of /** @type {const} */ (['SLFN', 'ELM'])) {
    const { accuracy, seconds } = await measure(name, ratio);
    points[name].push([ratio, accuracy]);
    cells.push(`${accuracy.toFixed(2)} | ${reference[name][ratio] ?? '-'} | ${seconds.toFixed(1)}`);
  }
  console.log(`| ${ratio} | ${cells.join(' | ')} |`);
}
for (const [name, list] of Object.entries(points)) {
  const at = (ratio) => list.find(([one]) => one === ratio)?.[1], [one, two, four] = [1, 2, 4].map(at);
  if (one !== undefined && two !== undefined && four !== undefined) {
    console.log(`${name}: ${(two - one).toFixed(2)} points per unit of rho from 1 to 2, ${((four - two) / 2).toFixed(2)} from 2 to 4`);
  }
}
await saveCurves(values.svg, {
  title: 'MNIST: random features, output by ridge regression', x: 'features / elements of a sample (rho)', y: 'test accuracy, %',
  series: Object.entries(points).flatMap(([name, list]) => [
    { name, points: list }, { name: `${name}, reference`, dashed: true, points: list.filter(([ratio]) => ratio in reference[name]).map(([ratio]) => [ratio, reference[name][ratio]]) },
  ]).filter((line) => line.points.length > 0),
});
