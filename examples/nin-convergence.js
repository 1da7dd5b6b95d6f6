// How fast the losses of image quality learn (Li, Jiang, Jiang, "Norm-in-Norm Loss with Faster Convergence and Better Performance for Image
// Quality Assessment", 2020, Fig. 1): agreement with human ratings after each epoch, on CLIVE with frozen features of a pretrained ResNet-18.
//   HEDDLE_DATA=FOLDER npm run reproduce -- nin-convergence    FOLDER: with iqa/clive and weights
// Options: --data FOLDER, --cache FOLDER (features, made once), --epochs 30, --splits 10, --methods MAE,MSE,bnMSE,Norm-in-Norm, --rate 1e-3, --batch 64 (the paper: 1e-4 and 8),
// --pictures N (the first N of them), --threads 1, --svg FILE.
import { parseArgs } from 'node:util';
import { HeddleError, init } from 'heddle';
import { clive } from './clive-data.js';
import { saveCurves } from './curve.js';
import { columnsOf, median, methods, trainHeads } from './nin-network.js';

const { values } = parseArgs({
  options: {
    data: { type: 'string' }, cache: { type: 'string' }, epochs: { type: 'string', default: '30' }, splits: { type: 'string', default: '10' }, pictures: { type: 'string' },
    methods: { type: 'string', default: Object.keys(methods).join() }, rate: { type: 'string', default: '1e-3' }, batch: { type: 'string', default: '64' }, threads: { type: 'string', default: '1' }, svg: { type: 'string' },
  },
});
const epochs = Number(values.epochs), splits = Number(values.splits), names = values.methods.split(',');
/** Fig. 1 of the paper: PLCC on KonIQ-10k's validation part with ResNeXt-101, trained as a whole. */
const paper = {
  'MAE': { 1: 0.273, 2: 0.310, 5: 0.852, 10: 0.900, 30: 0.921 }, 'MSE': { 1: 0.724, 2: 0.752, 5: 0.865, 10: 0.918, 30: 0.919 },
  'bnMSE': { 1: 0.881, 2: 0.874, 5: 0.892, 10: 0.917, 30: 0.934 }, 'Norm-in-Norm': { 1: 0.907, 2: 0.926, 5: 0.929, 10: 0.939, 30: 0.948 },
};

/** Medians over the splits of how a method stands after each epoch. */
async function race(set, name) {
  const start = performance.now(), runs = [];
  for (let seed = 0; seed < splits; seed++) runs.push((await trainHeads(set, methods[name], { epochs, batchSize: Number(values.batch), rate: Number(values.rate), seed, everyEpoch: true })).curve);
  console.log(`${name}: ${splits} splits in ${((performance.now() - start) / 1000).toFixed(0)} s`);
  return Array.from({ length: epochs }, (_, epoch) => (
    { plcc: median(runs.map((run) => run[epoch].plcc)), srocc: median(runs.map((run) => run[epoch].srocc)) }));
}

try {
  const unknown = names.find((name) => !(name in methods));
  if (unknown) throw new HeddleError('argument', `--methods ${unknown}: expected some of ${Object.keys(methods).join(', ')}`);
  await init({ threads: Number(values.threads) });
  const { images, scores, features } = await clive(values), set = { images, scores, columns: columnsOf(features) };
  console.log(`CLIVE: ${images.length} pictures, ${splits} random splits of 80 % to train and 20 % to test; Adam ${values.rate}, a tenth after each third of ${epochs} epochs, batch ${values.batch}`);
  const curves = {};
  for (const name of names) curves[name] = await race(set, name);
  const shown = [1, 2, 5, 10, 30].filter((epoch) => epoch <= epochs);
  console.log(`\nMedian test PLCC / SROCC, and the paper's PLCC (KonIQ-10k, ResNeXt-101 trained too):\n\n| epochs | ${names.join(' | ')} |\n|${' --- |'.repeat(names.length + 1)}`);
  for (const epoch of shown) {
    const cells = names.map((name) => `${curves[name][epoch - 1].plcc.toFixed(3)} / ${curves[name][epoch - 1].srocc.toFixed(3)} (${paper[name][epoch].toFixed(3)})`);
    console.log(`| ${epoch} | ${cells.join(' | ')} |`);
  }
  const fast = curves['Norm-in-Norm'];
  for (const name of names.filter((one) => fast && one !== 'Norm-in-Norm')) {
    const reached = (key) => fast.findIndex((at) => at[key] >= curves[name].at(-1)[key]) + 1;
    const text = (key) => (reached(key) ? `in epoch ${reached(key)}` : 'in none');
    console.log(`\nNorm-in-Norm reaches the PLCC that ${name} has at its end, ${curves[name].at(-1).plcc.toFixed(3)}, ${text('plcc')}, and its SROCC, ${curves[name].at(-1).srocc.toFixed(3)}, ${text('srocc')} of ${epochs}.`);
  }
  console.log(`\nWhat differs: the paper trains the whole of ResNeXt-101 on 7,058 pictures in 26,490 steps of 8; here the trunk is a frozen ResNet-18 up to layer3, and`
    + `\nthere are ${epochs * Math.ceil(0.8 * images.length / Number(values.batch))} steps. MAE and MSE must first find the mean and the scale of the ratings, 0 to 100, and so few steps are hardly enough for MAE.`);
  await saveCurves(values.svg, { title: 'CLIVE, frozen ResNet-18 features: median of the test pictures', x: 'epochs', y: 'linear correlation with ratings (PLCC)',
    series: names.map((name) => ({ name, points: curves[name].map((at, i) => [i + 1, at.plcc]) })) });
} catch (error) {
  if (!(error instanceof HeddleError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
