/** `heddle train-quality`: a judge of pictures from a table of ratings. */
import { existsSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, relative, sep } from 'node:path';
import { removeCheckpoint } from '../checkpoints/index.js';
import { HeddleError } from '../errors.js';
import { init } from '../index.js';
import { featureCache, matchImages, qualityModel, readRatings, split, statistics } from '../quality/index.js';
import { checkDecoder, listPictures } from './pictures.js';
import { complain, count, progress, say, some } from './terminal.js';
import { UsageError, choiceOption, neededOption, numberOption, parse } from './usage.js';

/** @import { Parts, QualityModel, Ratings } from '../quality/index.js' */
/** @import { Command, Flag } from './usage.js' */
/** @typedef {{ [name: string]: any }} Values */
/** @typedef {{ name: string, source: string }} Named */
/** Pictures with their scores. @typedef {{ pictures: Named[], scores: Float64Array, std?: Float64Array }} Part */

/** @type {{ [name: string]: Flag }} */
const flags = {
  images: { type: 'string', short: 'i' }, out: { type: 'string', short: 'o', default: 'quality.safetensors' },
  image: { type: 'string' }, score: { type: 'string' }, std: { type: 'string' }, reference: { type: 'string' }, 'split-column': { type: 'string' },
  split: { type: 'string' }, train: { type: 'string' }, validation: { type: 'string' }, seed: { type: 'string' },
  backbone: { type: 'string', short: 'b' }, weights: { type: 'string', short: 'w' }, levels: { type: 'string' }, pooling: { type: 'string' },
  encoder: { type: 'string' }, size: { type: 'string' }, loss: { type: 'string' }, epochs: { type: 'string', short: 'e' },
  'batch-size': { type: 'string' }, 'learning-rate': { type: 'string' }, 'fine-tuned-rate': { type: 'string' }, 'fine-tuned-from': { type: 'string' },
  crop: { type: 'string' }, mirror: { type: 'boolean' }, cache: { type: 'string' },
  resume: { type: 'boolean' }, strict: { type: 'boolean' }, threads: { type: 'string' },
};
const backbones = ['small', 'resnet18', 'resnet34', 'resnet50', 'resnext101_32x8d', 'alexnetFeatures', 'vgg16Features'];
const lossNames = ['normInNorm', 'meanSquaredError', 'meanAbsoluteError', 'smoothL1', 'huber'];

const help = `heddle train-quality RATINGS --images FOLDER [--out FILE]

Trains a judge that scores pictures as the people did whose ratings these are. RATINGS: a table (CSV, TSV, JSON) with a column of picture names and
one of mean opinion scores, on any scale; KonIQ-10k's and CLIVE's files are recognised (of CLIVE's release name all three MAT-files).
The pictures are looked for in FOLDER and the folders in it. A part of them is held out; how well the judge scores those is printed at the end.

  --images, -i FOLDER      the pictures
  --out, -o FILE           the judge; quality.safetensors unless told. Preprocessing is stored in it
Columns, where they have no usual names:
  --image, --score, --std, --reference, --split-column NAME
Parts:
  --split BY               random; reference: pictures of one reference stay together; column: as the table says. Unless told: column if the table has
                           one, else reference if it has one, else random
  --train, --validation F  fractions, 0.7 and 0.1 unless told (at most half of what --train leaves); the rest is held out. The epoch that
                           ranks the validation pictures best is kept
  --seed N                 of the parts, the first weights and the order of training; 0 unless told
Network:
  --backbone, -b NAME      ${backbones.join(', ')}; small, trained from the start, unless told
  --weights, -w FILE       pretrained weights of the backbone (safetensors, torchvision's names); all but small need them
  --levels A,B             layers whose maps are pooled to features, such as layer2,layer3
  --pooling P              average or averageStd (with standard deviations)
  --encoder N,N,N          units of the dense layers over each level
  --size HxW               pictures are resized to this, such as 498x664
Training:
  --loss NAME              ${lossNames.join(', ')}; normInNorm unless told
  --epochs, -e N           30 unless told
  --batch-size N           8 unless told
  --learning-rate R        1e-4 unless told
  --fine-tuned-rate R      factor on the learning rate for the backbone; 0: its features are computed once per picture and kept on disk
  --fine-tuned-from NAME   the stage where training of the backbone begins, such as layer3; all of it unless told
  --crop HxW, --mirror     train the backbone on parts of pictures, at random places; mirrored by half
  --cache FOLDER           keep those features there for other runs; else they are removed when all is done
  --resume                 go on where an interrupted run (Ctrl-C, a power cut) with the same options has stopped, to the same result
  --strict                 ratings without a picture, and pictures that can't be read, are errors; else they are named on stderr and left out
  --threads N              processor threads; all unless told

Examples:
  heddle train-quality ratings.csv --images photos
  heddle train-quality ratings.csv -i photos -b resnet18 -w resnet18.safetensors --levels layer2,layer3 --pooling averageStd --fine-tuned-rate 0
  heddle train-quality survey.tsv -i photos --image photo_id --score answer_mean --split random --train 0.8 --validation 0

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted. Pictures are decoded by the package sharp (npm install heddle sharp).
`;

/** @param {string | undefined} text @param {string} name @param {RegExp} separator @returns {number[] | undefined} */
function sizes(text, name, separator) {
  if (text === undefined) return undefined;
  const list = text.split(separator).map(Number);
  if (!list.every(n => Number.isInteger(n) && n > 0)) {
    throw new UsageError(`--${name} ${text}: expected whole numbers such as ${name === 'encoder' ? '1024,256,64' : '498x664'}`);
  }
  return list;
}

/** Only what was told. @param {{ [name: string]: unknown }} options @returns {any} */
const given = options => Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));

/** What is checked before any work begins. @param {Values} values */
function readOptions(values) {
  const backbone = choiceOption(values, 'backbone', backbones) ?? 'small', size = sizes(values.size, 'size', /[x,]/), whole = { min: 1, whole: true };
  if (backbone !== 'small' && !values.weights) {
    throw new UsageError(`--weights is missing: what ${backbone} has learned elsewhere; untrained, it would be of no use`);
  }
  const crop = sizes(values.crop, 'crop', /[x,]/);
  for (const [name, list] of Object.entries({ size, crop })) {
    if (list && list.length !== 2) throw new UsageError(`--${name} ${values[name]}: expected height x width, such as 498x664`);
  }
  const seed = numberOption(values, 'seed', { min: 0, whole: true }) ?? 0, loss = choiceOption(values, 'loss', lossNames) ?? 'normInNorm';
  return {
    threads: numberOption(values, 'threads', { ...whole, max: 64 }),
    parts: { by: choiceOption(values, 'split', ['random', 'reference', 'column']), seed,
      train: numberOption(values, 'train', { above: 0, max: 1 }), validation: numberOption(values, 'validation', { min: 0, max: 0.9 }) },
    model: given({ backbone, weights: values.weights, levels: values.levels?.split(','),
      pooling: choiceOption(values, 'pooling', ['average', 'averageStd']), encoder: sizes(values.encoder, 'encoder', /,/),
      preprocessing: size && { size }, seed }),
    fit: given({ loss, seed, epochs: numberOption(values, 'epochs', whole), batchSize: numberOption(values, 'batch-size', { ...whole, min: 2 }),
      learningRate: numberOption(values, 'learning-rate', { above: 0 }), fineTunedRate: numberOption(values, 'fine-tuned-rate', { min: 0 }),
      fineTunedFrom: values['fine-tuned-from'], crop, mirror: values.mirror }),
  };
}

/** Ratings that have a picture. @param {string[]} files of ratings @param {Values} values @param {string} folder */
async function findPictures(files, values, folder) {
  const columns = given({ image: values.image, score: values.score, std: values.std, reference: values.reference, split: values['split-column'] });
  const ratings = await readRatings(files.length === 1 ? files[0] : files, columns), paths = await listPictures([folder]);
  const named = paths.map(source => ({ name: relative(folder, source).replaceAll(sep, '/'), source }));
  const { rows, files: pictures, missing, unrated } = matchImages(ratings, named), { omitted } = ratings;
  const roles = Object.entries(ratings.columns).map(([role, name]) => `${role}: ${name}`).join(', ');
  complain(`${count(ratings.images.length, 'rating')} (${roles}), ${rows.length} with a picture`
    + `${unrated.length ? `; ${count(unrated.length, 'picture')} without a rating` : ''}`
    + `${omitted.length ? `; without the raters' training pictures ${some(omitted)}` : ''}`);
  if (missing.length) {
    const text = `${count(missing.length, 'rating')} without a picture in "${folder}": ${some(missing)}`;
    if (values.strict || rows.length < 2) throw new HeddleError('file', text);
    complain(text);
  }
  const take = (/** @type {string[] | undefined} */ list) => list && Array.from(rows, row => list[row]);
  const found = { images: /** @type {string[]} */ (take(ratings.images)), references: take(ratings.references), splits: take(ratings.splits) };
  const pick = (/** @type {Float64Array} */ list) => Float64Array.from(rows, row => list[row]);
  return { found, pictures, scores: pick(ratings.scores), std: ratings.std && pick(ratings.std) };
}

/** @param {Pick<Ratings, 'images' | 'references' | 'splits'>} found @param {ReturnType<typeof readOptions>['parts']} asked @returns {Parts} */
function partsOf(found, asked) {
  const { train = 0.7, validation = Math.min(0.1, (1 - train) / 2), seed } = asked;
  const by = asked.by ?? (found.splits ? 'column' : found.references ? 'reference' : 'random');
  const parts = split(found, by === 'column' ? { by } : { by, train, validation, seed });
  complain(`parts by ${by}: ${parts.train.length} to train, ${parts.validation.length} to validate, ${parts.test.length} held out`);
  return parts;
}

/** Lines of a training: on a terminal progress between them. @param {number} epochs */
function trainingLog(epochs) {
  /** @type {{ [what: string]: ReturnType<typeof progress> }} */
  const bars = {};
  let now = '';
  return {
    /** @param {any} event */
    onProgress(event) {
      const { phase, set, total, epoch, batch, batches } = event, next = `${phase} ${set}`;
      if (next !== now) bars[now]?.clear();
      now = next;
      if (phase === 'training') (bars[now] ??= progress('trained: batch', epochs * batches)).at(epoch * batches + batch);
      else (bars[now] ??= progress(`${set}: picture`, total)).at(event.done);
    },
    /** @param {number} epoch @param {{ loss: number, srocc?: number, plcc?: number, rmse?: number }} report */
    onEpochEnd(epoch, { loss, srocc, plcc }) {
      bars[now]?.clear();
      const validated = srocc === undefined ? '' : `  validation SROCC ${srocc.toFixed(4)}  PLCC ${plcc?.toFixed(4)}`;
      say(`epoch ${epoch + 1}/${epochs}  loss ${loss.toPrecision(5)}${validated}`);
    },
  };
}

/** How the judge does on pictures that training has not seen. @param {QualityModel} judge @param {Part} part @param {AbortSignal} signal */
async function summary(judge, { pictures, scores, std }, signal) {
  const bar = progress('held out: scored', pictures.length), q = await judge.score(pictures, { signal, onScore: index => bar.at(index + 1) });
  const read = [...q.keys()].filter(i => !Number.isNaN(q[i])), pick = (/** @type {Float64Array} */ list) => Float64Array.from(read, i => list[i]);
  bar.clear();
  if (read.length < 2) return 'held out: too few pictures that can be read to tell how good the judge is';
  const { intervals = {}, ...found } = await statistics(pick(q), pick(scores), { ...std && { std: pick(std) }, seed: 0 });
  const parts = Object.entries(intervals).map(([name, [low, high]]) => {
    const label = name === 'outlierRatio' ? 'outlier ratio' : name.toUpperCase();
    return `${label} ${/** @type {any} */ (found)[name].toPrecision(4)} [${low.toPrecision(3)}, ${high.toPrecision(3)}]`;
  });
  return `held out: ${read.length} pictures, ${parts.join(', ')} (95 % intervals)`;
}

/** Says now, and not after hours, that nothing can be written there. @param {string} out */
function checkPlace(out) {
  const folder = dirname(out);
  if (!existsSync(folder)) throw new HeddleError('storage', `--out ${out}: there is no folder "${folder}"`);
  if (existsSync(out) && statSync(out).isDirectory()) throw new HeddleError('storage', `--out ${out} is a folder, expected a file`);
}

/** Where an interrupted run has left what it had done. @param {string} out @param {Values} values */
function leftovers(out, values) {
  const checkpoint = `${out}.checkpoint`, features = values.cache ?? `${out}.features`;
  const isInterrupted = existsSync(`${checkpoint}.a`) || existsSync(`${checkpoint}.b`), isLeft = isInterrupted || existsSync(features);
  if (values.resume && !isLeft) complain(`there is nothing to resume beside "${out}": this run begins anew`);
  if (!values.resume && isInterrupted) {
    complain(`an interrupted run has left "${checkpoint}" (--resume would go on with it): this run begins anew`);
  }
  const remove = async () => {
    await removeCheckpoint(checkpoint);
    if (!values.cache) await rm(features, { recursive: true, force: true });
  };
  return { checkpoint, features, remove, resume: Boolean(values.resume) };
}

/** @param {string[]} args @param {AbortSignal} signal @returns {Promise<number>} */
async function run(args, signal) {
  const { values, positionals } = parse(args, flags), options = readOptions(values);
  if (!positionals.length) throw new UsageError('which ratings? Name a table of picture names and scores');
  const folder = neededOption(values, 'images', 'the folder of the pictures'), out = neededOption(values, 'out', 'where the judge goes to');
  await checkDecoder();
  await init({ worker: true, ...options.threads && { threads: options.threads } });
  const { found, pictures, scores, std } = await findPictures(positionals, values, folder), parts = partsOf(found, options.parts);
  const part = (/** @type {Int32Array} */ rows) => ({
    pictures: Array.from(rows, row => pictures[row]), scores: Float64Array.from(rows, row => scores[row]),
    ...std && { std: Float64Array.from(rows, row => std[row]) },
  });
  checkPlace(out);
  const [training, validation, test] = [parts.train, parts.validation, parts.test].map(part), left = leftovers(out, values);
  const judge = await qualityModel(options.model), epochs = options.fit.epochs ?? 30, isFrozen = options.fit.fineTunedRate === 0;
  await judge.fit(training.pictures, training.scores, {
    ...options.fit, epochs, signal, checkpoint: left.checkpoint, resume: left.resume, ...isFrozen && { cache: featureCache(left.features) },
    ...validation.pictures.length && { validationData: [validation.pictures, validation.scores] }, ...trainingLog(epochs),
  });
  const unread = judge.report.skipped, best = judge.report.bestEpoch;
  await judge.save(out);
  if (best >= 0) say(`kept epoch ${best + 1}, which ranked the validation pictures best`);
  if (test.pictures.length > 1) {
    say(await summary(judge, test, signal));
    unread.push(...judge.report.skipped);
  }
  for (const { name, reason } of unread) complain(`can't read ${name}: ${reason}`);
  if (unread.length) complain(`${count(unread.length, 'picture')} could not be read and ${unread.length === 1 ? 'was' : 'were'} left out`);
  await left.remove();
  judge.dispose();
  say(`saved ${out}; now: heddle score FOLDER --model ${out}`);
  return unread.length && values.strict ? 1 : 0;
}

/** @type {Command} */
export const trainQuality = {
  usage: 'train-quality RATINGS --images FOLDER [--out FILE]', about: 'trains a judge of pictures on people\'s ratings', help, run,
  onInterrupt: 'the same command with --resume goes on from here',
};
