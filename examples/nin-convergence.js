// How fast the losses of image quality learn (Li, Jiang, Jiang, "Norm-in-Norm Loss with Faster Convergence and Better Performance for Image
// Quality Assessment", 2020, Fig. 1): agreement with human ratings after each epoch, on CLIVE with frozen features of a pretrained ResNet-18. Each
// loss has the learning rate that does best at the end on validation parts of the training pictures; test pictures choose nothing.
//   HEDDLE_DATA=FOLDER npm run reproduce -- nin-convergence    FOLDER: with iqa/clive and weights
// Options: --data FOLDER, --cache FOLDER (features, made once), --epochs 60, --splits 10, --methods MAE,MSE,bnMSE,Norm-in-Norm, --rates
// 1e-4,1e-3,1e-2,1e-1 to choose from, --trials 3 (splits whose validation parts choose), --batch 32, --encoder 256,64 (the paper: 8 and 1024,256,64),
// --pictures N (the first N of them), --threads 1, --svg FILE.
import { parseArgs } from 'node:util';
import { HeddleError, init } from 'heddle';
import { clive } from './clive-data.js';
import { saveCurves } from './curve.js';
import { chosen, columnsOf, median, methods, trainHeads } from './nin-network.js';

const text = (value) => ({ type: /** @type {const} */ ('string'), default: value });
const { values } = parseArgs({
  options: {
    data: { type: 'string' }, cache: { type: 'string' }, pictures: { type: 'string' }, svg: { type: 'string' }, splits: text('10'), trials: text('3'), threads: text('1'),
    methods: text(Object.keys(methods).join()), rates: text('1e-4,1e-3,1e-2,1e-1'), epochs: text(chosen.epochs), batch: text(chosen.batch), encoder: text(chosen.encoder),
  },
});
const numbers = (list) => list.split(',').map(Number), names = values.methods.split(','), rates = numbers(values.rates);
const epochs = Number(values.epochs), splits = Number(values.splits), trials = rates.length > 1 ? Number(values.trials) : 0;
const settings = { epochs, batchSize: Number(values.batch), encoder: numbers(values.encoder) };
/** Fig. 1 of the paper: PLCC on KonIQ-10k's validation part with ResNeXt-101, trained as a whole. */
const paper = {
  'MAE': { 1: 0.273, 2: 0.310, 5: 0.852, 10: 0.900, 30: 0.921 }, 'MSE': { 1: 0.724, 2: 0.752, 5: 0.865, 10: 0.918, 30: 0.919 },
  'bnMSE': { 1: 0.881, 2: 0.874, 5: 0.892, 10: 0.917, 30: 0.934 }, 'Norm-in-Norm': { 1: 0.907, 2: 0.926, 5: 0.929, 10: 0.939, 30: 0.948 },
};
const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
const seconds = (start) => (performance.now() - start) / 1000;

/** The rate with the best mean PLCC at the end on validation parts of the first splits. */
async function rateOf(set, name) {
  let best = { rate: rates[0], plcc: -Infinity };
  const tried = [];
  for (const rate of trials ? rates : []) {
    const ends = [];
    for (let seed = 0; seed < trials; seed++) ends.push((await trainHeads(set, methods[name], { ...settings, rate, seed, validation: true })).plcc);
    tried.push(`${rate}: ${mean(ends).toFixed(3)}`);
    if (mean(ends) > best.plcc) best = { rate, plcc: mean(ends) };
  }
  if (trials) console.log(`${name}: mean validation PLCC by rate ${tried.join(', ')}`);
  return best.rate;
}

/** Medians over the splits of how a method stands after each epoch, and of what it comes to; time: of one training. */
async function race(set, name) {
  const rate = await rateOf(set, name), runs = [], times = [];
  for (let seed = 0; seed < splits; seed++) {
    const start = performance.now();
    runs.push(await trainHeads(set, methods[name], { ...settings, rate, seed, everyEpoch: true }));
    times.push(seconds(start));
  }
  console.log(`${name}: rate ${rate}, ${splits} splits, ${median(times).toFixed(1)} s each`);
  const over = (list) => Object.fromEntries(['plcc', 'srocc'].map((key) => [key, median(list.map((at) => at[key]))]));
  const end = Object.fromEntries(['srocc', 'plcc', 'logistic', 'krocc', 'rmse'].map((key) => [key, median(runs.map((run) => run[key]))]));
  return { rate, time: median(times), end, curve: Array.from({ length: epochs }, (_, epoch) => over(runs.map((run) => run.curve[epoch]))) };
}

/** The tables. */
function print(races) {
  const shown = [1, 2, 5, 10, 30, 60, 120].filter((epoch) => epoch <= epochs), three = (value) => value.toFixed(3);
  console.log(`\nMedian test PLCC / SROCC, and the paper's PLCC (KonIQ-10k, ResNeXt-101 trained too):`);
  console.log(`\n| epochs | ${names.map((name) => `${name}, rate ${races[name].rate}`).join(' | ')} |\n|${' --- |'.repeat(names.length + 1)}`);
  for (const epoch of shown) {
    const cells = names.map((name) => `${three(races[name].curve[epoch - 1].plcc)} / ${three(races[name].curve[epoch - 1].srocc)} (${paper[name][epoch] ? three(paper[name][epoch]) : '-'})`);
    console.log(`| ${epoch} | ${cells.join(' | ')} |`);
  }
  console.log(`\n| at the end | SROCC | PLCC | PLCC after a logistic | KROCC | RMSE |\n|${' --- |'.repeat(6)}`);
  for (const name of names) {
    const { srocc, plcc, logistic, krocc, rmse } = races[name].end;
    console.log(`| ${name} | ${[srocc, plcc, logistic, krocc].map(three).join(' | ')} | ${rmse.toFixed(2)} |`);
  }
  const fast = races['Norm-in-Norm']?.curve;
  for (const name of names.filter((one) => fast && one !== 'Norm-in-Norm')) {
    const { curve } = races[name], last = curve.at(-1), first = (list, key, value) => list.findIndex((at) => at[key] >= value) + 1;
    const epochOf = (list, key) => first(list, key, last[key]) || 'none';
    console.log(`\n${name} ends with PLCC ${three(last.plcc)} and SROCC ${three(last.srocc)}. Norm-in-Norm first has this PLCC after epoch ${epochOf(fast, 'plcc')}`
      + ` (${name} itself: ${epochOf(curve, 'plcc')}) and this SROCC after epoch ${epochOf(fast, 'srocc')} (${epochOf(curve, 'srocc')}) of ${epochs}.`);
  }
}

try {
  const unknown = names.find((name) => !(name in methods));
  if (unknown) throw new HeddleError('argument', `--methods ${unknown}: expected some of ${Object.keys(methods).join(', ')}`);
  await init({ threads: Number(values.threads) });
  const { images, scores, features, seconds: pass } = await clive(values), set = { images, scores, columns: columnsOf(features) }, races = {};
  console.log(`CLIVE: ${images.length} pictures, ${splits} random splits of 80 % to train and 20 % to test; encoder ${values.encoder}, Adam, rate a tenth after each third of`
    + ` ${epochs} epochs, batch ${values.batch}`);
  for (const name of names) races[name] = await race(set, name);
  print(races);
  const { time } = races[names.at(-1)], kept = pass === undefined ? 'made by an earlier version, its time is not known' : `${pass.toFixed(0)} s when it was made`;
  console.log(`\nFirst pass over all ${images.length} pictures (decode, size, trunk): ${kept}; one training with ${names.at(-1)}: ${time.toFixed(1)} s`
    + `${pass === undefined ? '' : `; together ${(pass + time).toFixed(0)} s`}.`);
  console.log(`\nWhat differs: the paper trains the whole of ResNeXt-101 on 7,058 pictures in 26,490 steps of 8, all losses at rate 1e-4; here the trunk is a frozen`
    + `\nResNet-18 up to layer3, and there are ${epochs * Math.ceil(0.8 * images.length / settings.batchSize)} steps of ${settings.batchSize}. As there, ratings are as they come, 0 to 100: MAE and`
    + '\nMSE must find their mean and scale, bnMSE is given a layer for it.');
  await saveCurves(values.svg, { title: 'CLIVE, frozen ResNet-18 features: median of the test pictures', x: 'epochs', y: 'linear correlation with ratings (PLCC)',
    series: names.map((name) => ({ name, points: races[name].curve.map((at, i) => [i + 1, at.plcc]) })) });
} catch (error) {
  if (!(error instanceof HeddleError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
