/** Fitting a quality model: data, the network that learns, checkpoints, and what is kept at the end. */
import { HeddleError, checkOptions, kindOf, wholeNumber } from '../errors.js';
import { readColumn } from '../matrix.js';
import { build } from '../model.js';
import { checkSeed } from '../session.js';
import { levelName } from './backbones.js';
import { FeatureCache, featureCache } from './cache.js';
import { openCheckpoint } from './checkpoint.js';
import { featuresOf } from './features.js';
import { mapping } from './mapping.js';
import { copyWeights, headsOf, resized, tunedModel } from './network.js';
import { featureRows, pictureRows, predictRows, readFeatures, readPictures } from './rows.js';
import { compileTraining, train } from './train.js';

/** @import { MatrixLike, VectorLike } from '../matrix.js' */
/** @import { Model } from '../model.js' */
/** @import { LossSpec, ScheduleSpec } from '../options.js' */
/** @import { Source } from '../stores/index.js' */
/** @import { QualityConfig, QualityReport } from './model.js' */
/** @import { Picture, Skipped } from './pictures.js' */
/** @import { Rows } from './rows.js' */
/** @import { EpochReport, Labelled, TrainingState, ValidationScores } from './train.js' */
/** @typedef {Iterable<Picture> | MatrixLike | Source} Images pictures; for models that take features [rows, features], or a .npy file of them */
/**
 * Where a fit stands: features: pictures of which the features are there; pictures: those that have been read; training: batches.
 * @typedef {{ phase: 'features' | 'pictures', set: 'training' | 'validation', done: number, total: number }
 *   | { phase: 'training', epoch: number, epochs: number, batch: number, batches: number, loss: number, secondsLeft?: number }} QualityProgress
 */
/**
 * @typedef {object} QualityFitOptions
 * @property {number} [epochs] 30 unless told
 * @property {number} [batchSize] 8 unless told; a last batch of a single picture is left out
 * @property {number} [learningRate] of Adam, 1e-4 unless told; it falls to a tenth after each third of the epochs
 * @property {ScheduleSpec | string | null} [schedule] in place of these falls; null: none
 * @property {number} [fineTunedRate] factor on the learning rate of the backbone; 0.1 unless told, for `small` 1. With 0 and frozen statistics
 *   features are computed once for each picture
 * @property {string} [fineTunedFrom] a node or stage of the backbone, such as layer3: what stands before it stays as it is, which saves the time
 *   of its way back; the whole backbone is trained unless told
 * @property {readonly [number, number]} [crop] height and width of parts of the pictures, cut out at random places, that a backbone is trained on;
 *   validation and scores are of whole pictures. Whole ones unless told
 * @property {boolean} [mirror] half of these, chosen at random, have left and right exchanged; false unless told
 * @property {boolean} [freezeStatistics] batch normalisations of the backbone run as at inference. Unless told: yes if fineTunedRate is 0, or if
 *   the weights came with them folded into the convolutions. The published training moves them even at rate 0
 * @property {LossSpec | string} [loss] of each head; Norm-in-Norm unless told
 * @property {readonly [Images, VectorLike]} [validationData] to choose the best epoch by
 * @property {FeatureCache | string} [cache] where features are kept, for fineTunedRate 0
 * @property {string | URL} [checkpoint] written after each epoch, in two generations whose names end in .a and .b; one training at a time
 * @property {boolean} [resume] go on from the checkpoint if there is one, to the same bits as without interruption
 * @property {number} [seed] of the order of the pictures; that of the model unless told
 * @property {AbortSignal} [signal] stops the fit within a picture or batch; it rejects with the signal's reason. After the first epoch the
 *   weights that were reached stay, with validationData the best
 * @property {(progress: QualityProgress) => void} [onProgress] called after each picture that is read, and each batch
 * @property {(epoch: number, report: EpochReport, validation?: ValidationScores) => void | Promise<void>} [onEpochEnd] called after each epoch, from 0, and its
 *   checkpoint; the next one waits for it. validation: with validationData
 */

const optionNames = ['epochs', 'batchSize', 'learningRate', 'schedule', 'fineTunedRate', 'fineTunedFrom', 'crop', 'mirror', 'freezeStatistics', 'loss',
  'validationData', 'cache', 'checkpoint', 'resume', 'seed', 'signal', 'onProgress', 'onEpochEnd'];

/** A finite number for each of the rows. @param {VectorLike} values @param {number} rows @param {string} where @returns {ArrayLike<number>} */
export function columnOf(values, rows, where) {
  const { data, rows: count } = readColumn(values, where);
  if (count !== rows) throw new HeddleError('shape', `${where}: ${count} numbers for ${rows} pictures`);
  for (let i = 0; i < count; i++) if (!Number.isFinite(data[i])) throw new HeddleError('argument', `${where}: number ${i} is ${data[i]}, expected a finite number`);
  return data;
}

/** @param {unknown} crop @param {QualityConfig['preprocessing']} preprocessing @returns {readonly [number, number]} */
function readCrop(crop, preprocessing) {
  const [height, width] = preprocessing?.size ?? [0, 0], isSize = Array.isArray(crop) && crop.length === 2 && crop.every(n => Number.isInteger(n) && n >= 16);
  if (isSize && crop[0] <= height && crop[1] <= width) return [crop[0], crop[1]];
  throw new HeddleError('argument', `fit: crop: expected [height, width], whole numbers from 16, at most [${height}, ${width}], got ${JSON.stringify(crop)}`);
}

/** @param {QualityFitOptions} options @param {QualityConfig} config @param {number} modelSeed */
function readSettings(options, config, modelSeed) {
  checkOptions(options, optionNames, 'fit');
  const isTable = config.backbone === 'features', { learningRate = 1e-4, loss = 'normInNorm', schedule, cache, resume = false, checkpoint } = options;
  for (const name of /** @type {const} */ (['fineTunedRate', 'fineTunedFrom', 'crop', 'mirror', 'freezeStatistics', 'cache'])) {
    if (isTable && options[name] !== undefined) throw new HeddleError('argument', `fit: ${name} is for models that see pictures, this one takes features`);
  }
  const rate = isTable ? 0 : options.fineTunedRate ?? (config.backbone === 'small' ? 1 : 0.1), fixed = options.freezeStatistics ?? (rate === 0 || config.folded);
  if (!(rate >= 0 && rate <= 1e6)) throw new HeddleError('argument', `fit: fineTunedRate = ${rate}, expected 0..1e6`);
  if (!fixed && config.folded) throw new HeddleError('argument', 'fit: freezeStatistics: false: the batch normalisations of this backbone are folded into its convolutions and have no statistics that could move');
  if (cache !== undefined && !(rate === 0 && fixed)) throw new HeddleError('argument', 'fit: cache: features are only kept with fineTunedRate 0 and frozen statistics');
  for (const name of /** @type {const} */ (['fineTunedFrom', 'crop', 'mirror'])) {
    if (options[name] !== undefined && rate === 0) throw new HeddleError('argument', `fit: ${name} is for training the backbone, fineTunedRate is 0`);
  }
  if (resume && checkpoint === undefined) throw new HeddleError('argument', 'fit: resume needs a checkpoint');
  return {
    epochs: wholeNumber(options.epochs, 'fit: epochs', 1, 30), batchSize: wholeNumber(options.batchSize, 'fit: batchSize', 2, 8), learningRate, loss, schedule,
    auxiliary: config.auxiliary, seed: options.seed === undefined ? modelSeed : checkSeed(options.seed, 'fit'), rate, fixed, isTable, tunes: rate > 0 || !fixed,
    from: options.fineTunedFrom, mirror: options.mirror === true, ...options.crop && { crop: readCrop(options.crop, config.preprocessing) },
    cache: typeof cache === 'string' ? featureCache(cache) : cache,
  };
}
/** @typedef {ReturnType<typeof readSettings>} Settings */

/** Ratings that a training can learn from. @param {ArrayLike<number>} y @param {string} where */
function checkRatings(y, where) {
  const least = Math.min(...chunked(y, Math.min)), most = Math.max(...chunked(y, Math.max));
  if (y.length < 2) throw new HeddleError('argument', `${where}: ${y.length} rated pictures that can be read, expected at least 2`);
  if (least === most) throw new HeddleError('argument', `${where}: all ${y.length} ratings are ${least}: there is nothing to learn`);
}

/** Of long lists, too. @param {ArrayLike<number>} y @param {(...values: number[]) => number} pick */
const chunked = (y, pick) => Array.from({ length: Math.ceil(y.length / 4096) }, (_, i) => pick(...Array.from({ length: Math.min(4096, y.length - i * 4096) }, (_, k) => y[i * 4096 + k])));

/**
 * @param {Model} net @param {QualityConfig} config @param {Settings} settings @param {Images} images @param {VectorLike} ratings
 * @param {'training' | 'validation'} set @param {QualityFitOptions} options
 * @returns {Promise<Labelled & { skipped: (Skipped & { set: string })[] }>}
 */
async function readSet(net, config, settings, images, ratings, set, { signal, onProgress }) {
  const where = set === 'training' ? 'fit' : 'fit: validationData', { sizes, preprocessing } = config;
  if (settings.isTable || !preprocessing) {
    const rows = await readFeatures(images, sizes, where), y = Float64Array.from(columnOf(ratings, rows.length, `${where}: scores`));
    checkRatings(y, where);
    return { rows: featureRows(rows, sizes), scores: y, skipped: [] };
  }
  if (typeof images !== 'object' || images === null || !(Symbol.iterator in images)) throw new HeddleError('argument', `${where}: expected a list of pictures, got ${kindOf(images)}`);
  const list = /** @type {Picture[]} */ ([.../** @type {Iterable<any>} */ (images)]), y = columnOf(ratings, list.length, `${where}: scores`);
  checkRatings(y, where);
  const onDone = onProgress && ((/** @type {number} */ done) => onProgress({ phase: settings.tunes ? 'pictures' : 'features', set, done, total: list.length }));
  const { rows, skipped } = settings.tunes ? await readPictures(list, preprocessing, { signal, onDone })
    : await featuresOf(net, sizes.map((_, i) => levelName(i)), preprocessing, list, { cache: settings.cache, signal, onDone });
  const kept = [...rows.keys()].filter(i => rows[i] !== null), scores = Float64Array.from(kept, i => y[i]);
  checkRatings(scores, `${where} (${skipped.length} pictures could not be read, the first: ${skipped[0]?.name} - ${skipped[0]?.reason})`);
  const good = /** @type {any[]} */ (kept.map(i => rows[i]));
  return { rows: settings.tunes ? pictureRows(good, settings) : featureRows(good, sizes), scores, skipped: skipped.map(one => ({ ...one, set })) };
}

/** The network that learns: the heads alone, or the whole with its own rate for the backbone. @param {Model} net @param {QualityConfig} config
 * @param {Settings} settings */
async function makeTrainee(net, { sizes }, settings) {
  const whole = net.description, { isTable, tunes, crop } = settings;
  const description = isTable ? whole : tunes ? tunedModel(whole, sizes.length, settings) : headsOf(whole, sizes), { model } = await build(crop ? resized(description, crop) : description);
  await copyWeights(net, model);
  await compileTraining(model, settings);
  return model;
}

/** @param {Settings} settings @param {Labelled} training @param {Labelled | null} validation */
function termsOf({ epochs, batchSize, learningRate, loss, schedule, auxiliary, seed, rate, fixed, from, crop, mirror }, training, validation) {
  const sum = (/** @type {Labelled} */ { scores }) => scores.reduce((all, value) => all + value, 0);
  return {
    epochs, batchSize, learningRate, loss: JSON.stringify(loss), schedule: JSON.stringify(schedule ?? null), auxiliary, seed, fineTunedRate: rate, freezeStatistics: fixed,
    fineTunedFrom: from ?? null, crop: crop ? `${crop}` : null, mirror,
    pictures: training.rows.count, 'sum of ratings': sum(training), 'validation pictures': validation ? validation.rows.count : 0,
  };
}

/** Ended from outside or by a loss that is no number: what was reached stays. @param {unknown} error @param {AbortSignal} [signal] */
const isInterruption = (error, signal) => !!signal?.aborted || (error instanceof HeddleError && error.code === 'diverged');

/** What to do when memory does not suffice. @param {unknown} error @param {QualityConfig} config @param {Settings} settings */
function explained(error, { preprocessing }, { tunes, batchSize }) {
  if (!(error instanceof HeddleError) || error.code !== 'memory' || !tunes || !preprocessing) return error;
  const [height, width] = preprocessing.size, what = `fit: training the backbone on batches of ${batchSize} pictures of ${width} x ${height} needs more memory than there is`;
  return new HeddleError('memory', `${what} (${error.message}); take a smaller batchSize or size, or fineTunedRate: 0`, { cause: error });
}

/** Trains, and gives the weights to the judge's network. @param {{ net: Model, config: QualityConfig }} judge @param {Settings} settings
 * @param {Labelled} training @param {Labelled | null} validation @param {QualityFitOptions} options @param {TrainingState} state */
async function run(judge, settings, training, validation, options, state) {
  const { checkpoint, resume = false } = options;
  const store = checkpoint === undefined ? null : await openCheckpoint(checkpoint, termsOf(settings, training, validation), resume);
  try {
    await runOn(judge, settings, training, validation, options, state, store);
  } finally {
    await store?.close();
  }
}

/** @param {{ net: Model, config: QualityConfig }} judge @param {Settings} settings @param {Labelled} training @param {Labelled | null} validation
 * @param {QualityFitOptions} options @param {TrainingState} state @param {Awaited<ReturnType<typeof openCheckpoint>> | null} store */
async function runOn({ net, config }, settings, training, validation, { signal, onProgress, onEpochEnd }, state, store) {
  if (store?.old) Object.assign(state, store.old.state);
  const trainee = store?.old?.trainee ?? await makeTrainee(net, config, settings);
  const save = store ? (/** @type {TrainingState} */ reached) => store.save(trainee, reached) : undefined;
  const scorer = settings.crop ? (await build(net.description)).model : trainee; // one for parts of pictures does not take whole ones
  const dispose = () => [trainee, scorer].forEach(one => one.dispose());
  const predict = async (/** @type {Rows} */ rows) => {
    if (scorer !== trainee) await copyWeights(trainee, scorer);
    return predictRows(scorer, rows, signal);
  };
  let interruption;
  try {
    await train(trainee, training, validation, settings, state, { signal, onProgress, onEpochEnd, save, predict });
  } catch (error) {
    if (!isInterruption(error, signal) || !state.epochs.length) {
      dispose();
      throw explained(error, config, settings);
    }
    interruption = { error };
  }
  try {
    await copyWeights(trainee, net);
    if (scorer !== trainee) await copyWeights(trainee, scorer);
    config.mapping = null; // of other weights; whoever stops the pass over the pictures has none
    config.mapping = await line(scorer, training, validation, state, !!interruption && settings.tunes, settings.tunes && !interruption ? signal : undefined);
  } finally {
    dispose();
  }
  if (interruption) throw interruption.error;
}

/** Least squares on the whole training set; where that would keep an interrupted caller waiting, on the validation scores.
 * @param {Model} scorer @param {Labelled} training @param {Labelled | null} validation @param {TrainingState} state @param {boolean} isHurried
 * @param {AbortSignal} [signal] */
async function line(scorer, training, validation, { best }, isHurried, signal) {
  if (isHurried && !(validation && best)) return null;
  const [q, y] = isHurried && validation && best ? [best.scores, validation.scores] : [await predictRows(scorer, training.rows, signal), training.scores];
  const { kind, coefficients } = await mapping.linear(q, y);
  return { kind, coefficients: [...coefficients] };
}

/**
 * @param {{ net: Model, config: QualityConfig, report: QualityReport }} judge config.mapping and report are set
 * @param {Images} images
 * @param {VectorLike} ratings
 * @param {QualityFitOptions} options
 */
export async function fitJudge(judge, images, ratings, options) {
  const { net, config } = judge, settings = readSettings(options, config, net.seed), { validationData } = options;
  if (validationData !== undefined && !(Array.isArray(validationData) && validationData.length === 2)) throw new HeddleError('argument', 'fit: validationData: expected [images, scores]');
  const training = await readSet(net, config, settings, images, ratings, 'training', options);
  const validation = validationData ? await readSet(net, config, settings, validationData[0], validationData[1], 'validation', options) : null;
  const skipped = [...training.skipped, ...validation?.skipped ?? []];
  /** @type {TrainingState} */
  const state = { epochs: [], best: null };
  try {
    await run(judge, settings, training, validation, options, state);
  } finally {
    judge.report = { epochs: state.epochs, bestEpoch: state.best ? state.best.epoch : -1, skipped };
  }
}
