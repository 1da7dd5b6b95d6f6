// Exponents and variants of the Norm-in-Norm loss (Li, Jiang, Jiang 2020, Tables 1 and 2): medians over random splits of CLIVE, with frozen
// features of a pretrained ResNet-18.
//   HEDDLE_DATA=FOLDER npm run reproduce -- nin-pq    FOLDER: with iqa/clive, iqa/koniq-10k and weights
// Options: --data FOLDER, --cache FOLDER (features, made once), --epochs 30, --splits 10, --rate 1e-3, --batch 64 (the paper: 1e-4 and 8), --pictures N (the first N of them), --threads 1.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { HeddleError, init, losses } from 'heddle';
import { readRatings, split, statistics } from 'heddle/quality';
import { clive } from './clive-data.js';
import { columnsOf, median, trainHeads } from './nin-network.js';

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: process.env.HEDDLE_DATA }, cache: { type: 'string' }, epochs: { type: 'string', default: '30' }, splits: { type: 'string', default: '10' },
    rate: { type: 'string', default: '1e-3' }, batch: { type: 'string', default: '64' }, pictures: { type: 'string' }, threads: { type: 'string', default: '1' },
  },
});
/** What is tried, and the paper's numbers: PLCC on KonIQ-10k's test part with ResNet-18 (Table 1), SROCC / PLCC on CLIVE after training on
 * KonIQ-10k with ResNeXt-101 (Table 2; l + 0.1 l' as its authors corrected it). */
const tried = [
  ['l, p = 1, q = 1', { p: 1, q: 1 }, '0.916', '-'], ['l, p = 1, q = 2', { p: 1, q: 2 }, '0.918', '0.834 / 0.849'],
  ['l, p = 2, q = 1', { p: 2, q: 1 }, '0.912', '-'], ["l, p = 2, q = 2", { p: 2, q: 2 }, '0.913', '-'],
  ["l + 0.1 l', p = 1, q = 2", { alpha: [1, 0.1] }, '-', '0.834 / 0.850'], ["l', p = 1, q = 2", { alpha: [0, 1] }, '-', '0.831 / 0.847'],
  ["l + l', p = 1, q = 2", { alpha: [1, 1] }, '-', '0.836 / 0.848'],
];

/** KonIQ-10k's scores need no features: its published split, and what the best guess without a picture would do. */
async function koniq() {
  const ratings = await readRatings(join(values.data, 'iqa', 'koniq-10k', 'koniq10k_distributions_sets.csv')), { scores } = ratings;
  const { train, validation, test } = split(ratings, { by: 'column' }), mean = train.reduce((sum, i) => sum + scores[i], 0) / train.length;
  const { rmse } = await statistics(new Float64Array(test.length).fill(mean), Float64Array.from(test, (i) => scores[i]), { resamples: 0 });
  console.log(`KonIQ-10k (scores only): ${train.length} / ${validation.length} / ${test.length} pictures; the training mean ${mean.toFixed(2)} has a test RMSE of ${rmse.toFixed(2)}`
    + ' (the paper: 6.53 after one epoch of Norm-in-Norm, 5.13 after 30)\n');
}

try {
  await init({ threads: Number(values.threads) });
  const { images, scores, features } = await clive(values), set = { images, scores, columns: columnsOf(features) }, splits = Number(values.splits);
  await koniq();
  console.log(`CLIVE: ${images.length} pictures, medians of ${splits} random splits of 80 % to train and 20 % to test; Adam ${values.rate}, ${values.epochs} epochs, batch ${values.batch}\n`);
  console.log('| loss | SROCC | PLCC | KROCC | RMSE | paper: KonIQ-10k, PLCC | paper: CLIVE, SROCC / PLCC | s |\n|' + ' --- |'.repeat(8));
  for (const [name, options, onKoniq, onClive] of tried) {
    const start = performance.now(), runs = [];
    for (let seed = 0; seed < splits; seed++) runs.push(await trainHeads(set, { loss: losses.normInNorm(options) }, { epochs: Number(values.epochs), batchSize: Number(values.batch), rate: Number(values.rate), seed }));
    const cells = ['srocc', 'plcc', 'krocc', 'rmse'].map((key) => median(runs.map((run) => run[key])).toFixed(key === 'rmse' ? 2 : 3));
    console.log(`| ${name} | ${cells.join(' | ')} | ${onKoniq} | ${onClive} | ${((performance.now() - start) / 1000).toFixed(0)} |`);
  }
  console.log('\nWhat differs: the paper trains the whole network, on 7,058 pictures of KonIQ-10k, and tests on all of CLIVE; here the trunk is frozen and ends'
    + '\nat layer3, and the heads see four fifths of CLIVE itself.');
} catch (error) {
  if (!(error instanceof HeddleError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
