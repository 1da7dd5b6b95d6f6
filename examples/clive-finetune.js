// What training the backbone too brings to a judge of pictures (Li, Jiang, Jiang 2020, Fig. 5 c): on CLIVE, heads on frozen features of a pretrained
// ResNet-18, then the same judge with its last stage trained on, on the same random splits.
//   HEDDLE_DATA=FOLDER npm run reproduce -- clive-finetune    FOLDER: with iqa/clive and weights
// Options: --data FOLDER, --cache FOLDER (features, made once), --splits 3, --seed 0 of the first, --head-epochs 60, --epochs 3 of the whole,
// --batch 16, --rate 1e-4, --fine-tuned-rate 0.1, --from layer3, --crop 384,512 (train on parts of pictures, which is faster, but their statistics
// are not those of whole pictures), --pictures N (the first N of them), --threads 2.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { HeddleError, init, schedules } from 'heddle';
import { mapping, plcc, qualityModel, readRatings, split } from 'heddle/quality';
import { first, levels, size, trunkFile } from './clive-data.js';
import { chosen, median } from './nin-network.js';

const text = (value) => ({ type: /** @type {const} */ ('string'), default: value });
const { values } = parseArgs({
  options: {
    data: text(process.env.HEDDLE_DATA), cache: text(join(tmpdir(), 'heddle-clive-judge')), pictures: { type: 'string' }, splits: text('3'), seed: text('0'),
    'head-epochs': text(chosen.epochs), epochs: text('3'), batch: text('16'), rate: text('1e-4'), 'fine-tuned-rate': text('0.1'), from: text('layer3'),
    crop: { type: 'string' }, threads: text('2'),
  },
});
const epochs = Number(values.epochs), seeds = Array.from({ length: Number(values.splits) }, (_, i) => Number(values.seed) + i);

/** CLIVE's rated pictures: files and scores. */
async function pictures(data) {
  const folder = join(data, 'iqa', 'clive'), { images, scores } = await readRatings(join(folder, 'clive_scores.csv'));
  return { images: images.slice(0, values.pictures && Number(values.pictures)), files: images.map((name) => join(folder, 'images', name)), scores };
}

/** How a judge agrees with people on pictures that it has not seen. PLCC as it is, and after a logistic of four parameters. */
async function measure(judge, [files, scores]) {
  const { srocc, plcc: linear, scores: q } = await judge.evaluate(files, scores, { resamples: 0 });
  return { srocc, plcc: linear, logistic: await plcc((await mapping.logistic4(q, scores)).apply(q), scores) };
}

/** One split: the judge with frozen features, and after the training of its backbone. */
async function run({ images, files, scores }, seed) {
  const { train, test } = split({ images }, { train: 0.8, seed }), part = (rows) => [Array.from(rows, (i) => files[i]), Float64Array.from(rows, (i) => scores[i])];
  const judge = await qualityModel({
    backbone: 'resnet18', weights: join(values.data, 'weights', trunkFile), levels, pooling: 'averageStd', encoder: chosen.encoder.split(',').map(Number),
    preprocessing: { size, first: [first, first] }, seed,
  });
  await judge.fit(...part(train), { fineTunedRate: 0, cache: values.cache, epochs: Number(values['head-epochs']), batchSize: Number(chosen.batch), learningRate: 1e-3 });
  const frozen = await measure(judge, part(test)), start = performance.now();
  console.log(`split ${seed}, frozen: ${line(frozen)}`);
  await judge.fit(...part(train), {
    epochs, batchSize: Number(values.batch), learningRate: Number(values.rate), schedule: schedules.cosine(),
    fineTunedRate: Number(values['fine-tuned-rate']), fineTunedFrom: values.from, ...values.crop && { crop: values.crop.split(',').map(Number) }, mirror: true,
    onEpochEnd: (epoch, { loss }) => console.log(`  epoch ${epoch + 1} of ${epochs}: loss ${loss.toFixed(4)}, ${((performance.now() - start) / 1000).toFixed(0)} s`),
  });
  const tuned = await measure(judge, part(test));
  console.log(`split ${seed}, backbone from ${values.from} on trained: ${line(tuned)}`);
  judge.dispose();
  return { frozen, tuned };
}

const keys = /** @type {const} */ (['srocc', 'plcc', 'logistic']), line = (result) => keys.map((key) => `${key} ${result[key].toFixed(3)}`).join(', ');

try {
  if (!values.data) throw new HeddleError('argument', 'no CLIVE given: --data FOLDER or HEDDLE_DATA must be a folder with iqa/clive and weights');
  await init({ threads: Number(values.threads) });
  const set = await pictures(values.data), results = [];
  console.log(`CLIVE: ${set.images.length} pictures, random splits ${seeds.join(', ')} of 80 % to train and 20 % to test; heads on frozen features: ${values['head-epochs']} epochs,`
    + ` batch ${chosen.batch},\nrate 1e-3; then all from ${values.from} on: ${epochs} epochs, batch ${values.batch}, rate ${values.rate} (backbone times ${values['fine-tuned-rate']}) falling along a`
    + ` cosine,\n${values.crop ? `parts of ${values.crop.replace(',', ' x ')}` : 'whole pictures'}, mirrored by half`);
  for (const seed of seeds) results.push(await run(set, seed));
  console.log(`\n| split | trained | SROCC | PLCC | PLCC after a logistic |\n|${' --- |'.repeat(5)}`);
  const row = (name, how, list) => console.log(`| ${name} | ${how} | ${keys.map((key) => median(list.map((result) => result[key])).toFixed(3)).join(' | ')} |`);
  for (const [i, seed] of seeds.entries()) for (const how of ['frozen', 'tuned']) row(seed, how, [results[i][how]]);
  for (const how of ['frozen', 'tuned']) row('median', how, results.map((result) => result[how]));
} catch (error) {
  if (!(error instanceof HeddleError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
