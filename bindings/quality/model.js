/** Models that judge the quality of pictures, trained on people's ratings of pictures. */
import { blame } from '../archive.js';
import { HeddleError, checkOptions, suggest, wholeNumber } from '../errors.js';
import { build, load } from '../model.js';
import { checkSeed, defaultSeed } from '../session.js';
import { standardLevels, levelName } from './backbones.js';
import { featuresOf } from './features.js';
import { columnOf, fitJudge } from './fit.js';
import { localScores } from './local.js';
import { mapping } from './mapping.js';
import { buildWhole, describeHeads, isFolded, loadTrunk } from './network.js';
import { eachPicture, preprocess } from './pictures.js';
import { featureRows, predictRows, readFeatures } from './rows.js';
import { statistics } from './statistics.js';

/** @import { Json } from '../archive.js' */
/** @import { MatrixLike, VectorLike } from '../matrix.js' */
/** @import { Model } from '../model.js' */
/** @import { Source } from '../stores/index.js' */
/** @import { BackboneName, Pooling } from './backbones.js' */
/** @import { FeatureCache } from './cache.js' */
/** @import { QualityFitOptions } from './fit.js' */
/** @import { LocalOptions } from './local.js' */
/** @import { Mapping } from './mapping.js' */
/** @import { Picture, Preprocessing, Skipped } from './pictures.js' */
/** @import { Statistics, StatisticsOptions } from './statistics.js' */
/** @import { EpochReport } from './train.js' */
/**
 * @typedef {object} QualityModelOptions
 * @property {BackboneName | 'features'} backbone a network of heddle/recipes; small: an own small one, to be trained from the start; features: none,
 *   the model takes rows of features
 * @property {Source} [weights] of the backbone: a safetensors file with torchvision's names. It may end after the last level, have more, and have
 *   its batch normalisations folded into the convolutions. None: fresh weights
 * @property {readonly string[] | readonly number[]} [levels] nodes of the backbone whose pooled outputs are the features; the published ones unless told,
 *   for ResNets layer3 and layer4. For `features`, the number of features in each level (needed)
 * @property {Pooling} [pooling] of a level over its positions: `average` (default), or `averageStd`: means, then standard deviations
 * @property {readonly number[]} [encoder] units of the dense layers of a level; [1024, 256, 64] unless told, as published for 7,058 pictures. On frozen features
 *   of a thousand, [256, 64] with batches of 32, 60 epochs and a learning rate of 1e-3 does better
 * @property {boolean} [reluEach] a ReLU after each of them, not only after the last; false unless told
 * @property {number} [auxiliary] weight of the losses of each level's own head, 0.1 unless told; that of the main head is 1
 * @property {boolean} [normalizeEnd] batch normalisation of each score; false unless told
 * @property {Partial<Preprocessing>} [preprocessing] size [498, 664] and normalization "torchvision" unless told; first: [500, 500] for pictures of
 *   another size, as published for CLIVE
 * @property {{ [name: string]: number | string }} [backboneOptions] of its recipe: epsilon; strideIn
 * @property {number} [seed] of fresh weights, and of trainings unless they are told otherwise
 * @property {AbortSignal} [signal] stops the reading of `weights`; `qualityModel` then rejects with its reason
 */
/**
 * What a quality model is, beside its network; stored in its file.
 * @typedef {object} QualityConfig
 * @property {number} version
 * @property {BackboneName | 'features'} backbone
 * @property {string[]} levels
 * @property {number[]} sizes features of each level
 * @property {number} auxiliary
 * @property {boolean} folded the backbone's batch normalisations have no statistics of their own
 * @property {Preprocessing | null} preprocessing
 * @property {{ kind: string, coefficients: readonly number[] } | null} mapping
 */
/**
 * @typedef {object} QualityReport
 * @property {EpochReport[]} epochs of the last fit, in order, also after saving and loading; empty before one
 * @property {number} bestEpoch whose weights stayed, from 0: by SROCC on the validation data; -1 without such: the last one's stayed
 * @property {Skipped[]} skipped pictures of the last fit, score or features that could not be read
 */
/**
 * @typedef {object} ScoreOptions
 * @property {AbortSignal} [signal] stops between pictures; the call then rejects with its reason
 * @property {(index: number, score: number) => void} [onScore] called with each score in order, NaN for a picture that can't be read; for models that take
 *   features when all are there
 */

const version = 1, key = Symbol('quality model');
const optionNames = ['backbone', 'weights', 'levels', 'pooling', 'encoder', 'reluEach', 'auxiliary', 'normalizeEnd', 'preprocessing', 'backboneOptions', 'seed', 'signal'];

/** A judge of pictures; made by `qualityModel` or `loadQualityModel`. */
export class QualityModel {
  #net;
  #config;
  /** @type {Mapping | null} */
  #mapping;
  /** @type {QualityReport} */
  #report = { epochs: [], bestEpoch: -1, skipped: [] };
  #isFitting = false;

  /** @param {symbol} secret @param {Model} net @param {QualityConfig} config @param {Pick<QualityReport, 'epochs' | 'bestEpoch'>} [report] of its training */
  constructor(secret, net, config, report) {
    if (secret !== key) throw new HeddleError('argument', 'QualityModel: use qualityModel() or loadQualityModel()');
    this.#net = net;
    this.#config = config;
    this.#mapping = config.mapping && mapping.from(config.mapping);
    if (report) this.#report = { ...report, skipped: [] };
  }

  /** The network, from picture to aux1, ..., main. @returns {Model} */
  get network() {
    return this.#net;
  }

  /** How pictures are made ready; null if the model takes features. @returns {Preprocessing | null} */
  get preprocessing() {
    return this.#config.preprocessing && structuredClone(this.#config.preprocessing);
  }

  /** Nodes of the backbone, or names of the levels. @returns {string[]} */
  get levels() {
    return [...this.#config.levels];
  }

  /** From the network's scores to the scale of the ratings: least squares on the training data; null before a training. @returns {Mapping | null} */
  get mapping() {
    return this.#mapping;
  }

  /** Of the last training, and of the last pictures. @returns {QualityReport} */
  get report() {
    return structuredClone(this.#report);
  }

  /**
   * Trains on pictures and their ratings. The best epoch by SROCC on the validation data stays (without validation data the last), then the least-squares
   * line from its scores to the ratings of the training data is stored. Pictures that can't be read are left out and listed in `report.skipped`.
   * @param {Iterable<Picture> | MatrixLike | Source} images for the backbone `features` an array [rows, features], or a .npy file of it (bytes, Blob, path, URL)
   * @param {VectorLike} scores one for each, on any scale
   * @param {QualityFitOptions} [options]
   * @returns {Promise<QualityReport>}
   * @throws {HeddleError} `argument` or `shape` for wrong data, `memory`, `diverged`; AbortError (then the best weights so far stay)
   */
  async fit(images, scores, options = {}) {
    if (this.#isFitting) throw new HeddleError('state', 'fit: this model is being fitted; wait for that, or stop it with its signal');
    const parts = { net: this.#net, config: this.#config, report: this.#report };
    this.#isFitting = true;
    try {
      await fitJudge(parts, images, scores, options);
    } finally {
      this.#isFitting = false;
      this.#report = parts.report;
      this.#mapping = this.#config.mapping && mapping.from(this.#config.mapping);
    }
    return this.report;
  }

  /**
   * Scores, on the scale of the ratings it was trained with, one by one as they are made: the memory it takes does not depend on how many there are.
   * @param {Iterable<Picture> | AsyncIterable<Picture>} images taken one after the other, each when it is wanted
   * @param {{ signal?: AbortSignal }} [options] signal: its abort ends the iteration with its reason
   * @returns {AsyncGenerator<{ index: number, name: string, score: number, reason?: string }, void, void>} a score of NaN comes with the reason
   */
  async *scores(images, options = {}) {
    checkOptions(options, ['signal'], 'scores');
    const { preprocessing } = this.#config, { signal } = options;
    if (!preprocessing) throw new HeddleError('unsupported', 'scores: this model takes features, not pictures: score([rows, features])');
    const read = (/** @type {any} */ source) => preprocess(source, preprocessing);
    const work = async (/** @type {import('./pictures.js').Pixels} */ { data, shape }) =>
      (await this.#net.predict({ data, shape: [1, ...shape] }, { output: 'main', batchSize: 1, signal })).data[0];
    for await (const one of eachPicture(images, read, work, signal)) {
      const { index, name } = one;
      yield 'skipped' in one ? { index, name, score: NaN, reason: one.skipped.reason } : { index, name, score: this.#mapped([one.value])[0] };
    }
  }

  /**
   * The same as one list. Pictures that can't be read get NaN and are listed in `report.skipped`.
   * @param {Iterable<Picture> | AsyncIterable<Picture> | MatrixLike | Source} images pictures; for the backbone `features` as of `fit`
   * @param {ScoreOptions} [options]
   * @returns {Promise<Float64Array<ArrayBuffer>>}
   */
  async score(images, options = {}) {
    checkOptions(options, ['signal', 'onScore'], 'score');
    const { signal, onScore } = options;
    if (!this.#config.preprocessing) {
      const { sizes } = this.#config, q = await predictRows(this.#net, featureRows(await readFeatures(images, sizes, 'score'), sizes), signal), mapped = this.#mapped(q);
      mapped.forEach((score, i) => onScore?.(i, score));
      return mapped;
    }
    const scores = [];
    this.#report.skipped = [];
    for await (const { index, name, score, reason } of this.scores(/** @type {Iterable<Picture>} */ (images), { signal })) {
      scores.push(score);
      if (reason) this.#report.skipped.push({ index, name, reason });
      onScore?.(index, score);
    }
    return Float64Array.from(scores);
  }

  /** @param {ArrayLike<number>} q @returns {Float64Array<ArrayBuffer>} */
  #mapped(q) {
    return this.#mapping ? this.#mapping.apply(Float64Array.from(q)) : Float64Array.from(q);
  }

  /**
   * Features of pictures: what the backbone gives, pooled, one level after the other. `mixedDatasetModel` learns from them.
   * @param {Iterable<Picture>} images files, or whatever else `heddle/images` takes
   * @param {{ cache?: FeatureCache, signal?: AbortSignal, onDone?: (done: number) => void }} [options] cache: keeps the features of
   *   files, and gives those it has; signal: its abort ends the call with its reason; onDone: called with how many pictures are done, after each
   * @returns {Promise<{ data: Float32Array<ArrayBuffer>, shape: [number, number], rows: number[] }>} [rows.length, features] of the pictures
   *   that could be read; rows: which these are. The others are listed in `report.skipped`
   */
  async features(images, options = {}) {
    checkOptions(options, ['cache', 'signal', 'onDone'], 'features');
    const { preprocessing, sizes } = this.#config, size = sizes.reduce((sum, one) => sum + one, 0);
    if (!preprocessing) throw new HeddleError('unsupported', 'features: this model takes features, not pictures');
    const { rows, skipped } = await featuresOf(this.#net, sizes.map((_, i) => levelName(i)), preprocessing, images, options);
    const read = [...rows.keys()].filter(i => rows[i] !== null), data = new Float32Array(read.length * size);
    read.forEach((row, at) => data.set(/** @type {Float32Array} */ (rows[row]), at * size));
    this.#report.skipped = skipped;
    return { data, shape: [read.length, size], rows: read };
  }

  /**
   * How well scores agree with ratings; pictures that can't be read are left out.
   * @param {Iterable<Picture> | MatrixLike | Source} images pictures; for the backbone `features` as of `fit`
   * @param {VectorLike} ratings one for each picture
   * @param {ScoreOptions & StatisticsOptions} [options]
   * @returns {Promise<Statistics & { scores: Float64Array<ArrayBuffer>, mapping: Mapping | null }>}
   */
  async evaluate(images, ratings, options = {}) {
    checkOptions(options, ['signal', 'onScore', 'std', 'confidence', 'resamples', 'seed'], 'evaluate');
    const { signal, onScore, std, ...rest } = options, scores = await this.score(images, { signal, onScore });
    const kept = [...scores.keys()].filter(i => !Number.isNaN(scores[i])), y = columnOf(ratings, scores.length, 'evaluate: ratings');
    const spread = std === undefined ? undefined : columnOf(std, scores.length, 'evaluate: std');
    const pick = (/** @type {ArrayLike<number>} */ list) => Float64Array.from(kept, i => list[i]);
    return { ...await statistics(pick(scores), pick(y), { ...rest, ...spread && { std: pick(spread) } }), scores, mapping: this.#mapping };
  }

  /**
   * Scores of parts of a picture: which of them look good.
   * @param {Picture} image a file, or whatever else `heddle/images` takes
   * @param {LocalOptions} [options]
   * @returns {Promise<{ data: Float64Array<ArrayBuffer>, shape: [number, number], rows: number[], columns: number[], patch: [number, number], size: [number, number] }>}
   *   scores [rows, columns]; rows, columns: where the patches begin in the picture of `size` that the network sees
   */
  async localScores(image, options = {}) {
    const { preprocessing } = this.#config;
    if (!preprocessing) throw new HeddleError('unsupported', 'localScores: this model takes features, not pictures');
    const { data, ...map } = await localScores(this.#net, preprocessing, image, options);
    return { data: this.#mapped(data), ...map };
  }

  /**
   * Saves the judge in one safetensors file: network, weights, preprocessing, mapping.
   * @param {string | URL} target as of `model.save`
   * @param {{ signal?: AbortSignal }} [options] signal as of `Model.save`: the call rejects with its reason
   * @returns {Promise<any>} bytes or a Blob for the targets 'bytes' and 'blob'
   */
  async save(target, options) {
    checkOptions(options, ['signal'], 'save');
    const { preprocessing } = this.#config, { epochs, bestEpoch } = this.#report;
    const metadata = /** @type {Json} */ (JSON.parse(JSON.stringify({ quality: this.#config, report: { epochs, bestEpoch } })));
    return this.#net.save(target, { metadata, ...preprocessing && { preprocessing: /** @type {any} */ (preprocessing) }, signal: options?.signal });
  }

  /** Frees the engine's memory. More calls do nothing. */
  dispose() {
    this.#net.dispose();
  }
}

if (Symbol.dispose) Object.defineProperty(QualityModel.prototype, Symbol.dispose, { value: QualityModel.prototype.dispose, configurable: true, writable: true });

/** @param {unknown} size @param {string} where @returns {[number, number]} */
function readSize(size, where) {
  if (!Array.isArray(size) || size.length !== 2 || !size.every(n => Number.isInteger(n) && n >= 16 && n <= 8192)) {
    throw new HeddleError('argument', `qualityModel: preprocessing: ${where}: expected [height, width], whole numbers 16..8192`);
  }
  return [size[0], size[1]];
}

/** @param {QualityModelOptions['preprocessing']} given @returns {Preprocessing} */
function readPreprocessing(given = {}) {
  checkOptions(given, ['size', 'first', 'normalization'], 'qualityModel: preprocessing');
  const { size = [498, 664], first, normalization = 'torchvision' } = given;
  return { size: readSize(size, 'size'), ...first && { first: readSize(first, 'first') }, normalization: String(normalization) };
}

/** @param {QualityModelOptions} options */
function readOptions(options) {
  checkOptions(options, optionNames, 'qualityModel');
  const { backbone, pooling = 'average', encoder = [1024, 256, 64], reluEach = false, auxiliary = 0.1, normalizeEnd = false, seed = defaultSeed() } = options ?? {};
  const known = [...Object.keys(standardLevels), 'features'];
  if (!known.includes(backbone)) throw new HeddleError('argument', `qualityModel: backbone = ${JSON.stringify(backbone)}${suggest(String(backbone), known)}`);
  if (pooling !== 'average' && pooling !== 'averageStd') throw new HeddleError('argument', `qualityModel: pooling = "${pooling}", expected "average" or "averageStd"`);
  if (!(auxiliary >= 0 && auxiliary < Infinity)) throw new HeddleError('argument', `qualityModel: auxiliary = ${auxiliary}, expected a finite number >= 0`);
  return { backbone, pooling, heads: { encoder, reluEach, normalizeEnd }, auxiliary, seed: checkSeed(seed, 'qualityModel') };
}

/** A model that takes features. @param {QualityModelOptions} options @param {ReturnType<typeof readOptions>} read */
async function featureModel({ levels, ...given }, { heads, auxiliary, seed }) {
  for (const name of /** @type {const} */ (['weights', 'pooling', 'preprocessing', 'backboneOptions'])) {
    if (given[name] !== undefined) throw new HeddleError('argument', `qualityModel: ${name} is for backbones that see pictures, not for "features"`);
  }
  if (!Array.isArray(levels) || !levels.length) throw new HeddleError('argument', 'qualityModel: levels: for "features" the number of features of each level is needed, such as [1024, 2048]');
  levels.forEach((n, i) => wholeNumber(n, `qualityModel: levels[${i}]`, 1, 1));
  const description = await describeHeads(/** @type {number[]} */ (levels), heads, seed), { model } = await build(description);
  return new QualityModel(key, model, { version, backbone: 'features', levels: levels.map((_, i) => levelName(i)), sizes: [...levels], auxiliary, folded: false, preprocessing: null, mapping: null });
}

/**
 * A judge of pictures that is yet to be trained: a network that turns a picture into features of several levels, an encoder for each, and a head that
 * reads all of them (Li, Jiang, Jiang, "Norm-in-Norm loss with faster convergence and better performance for image quality assessment", 2020).
 *
 *     const judge = await qualityModel({ backbone: 'resnet18', weights: 'resnet18.safetensors' });
 *     await judge.fit(files, scores, { fineTunedRate: 0, cache: featureCache('opfs://features') });
 *     await judge.score(others);
 * @param {QualityModelOptions} options
 * @returns {Promise<QualityModel>}
 * @throws {HeddleError} `argument` or `shape` for wrong options, `file` or `storage` for weights that do not fit or can't be read, `memory`
 */
export async function qualityModel(options) {
  const read = readOptions(options), { backbone, pooling, heads, auxiliary, seed } = read;
  if (backbone === 'features') return featureModel(options, read);
  const preprocessing = readPreprocessing(options.preprocessing), levels = /** @type {string[]} */ ([...options.levels ?? standardLevels[backbone]]);
  if (!levels.length || !levels.every(level => typeof level === 'string')) throw new HeddleError('argument', 'qualityModel: levels: expected names of nodes, such as ["layer3", "layer4"]');
  const trunk = { backbone, levels, pooling, size: preprocessing.size, normalization: preprocessing.normalization, backboneOptions: options.backboneOptions ?? {}, seed };
  const { net, sizes } = await buildWhole(trunk, heads);
  try {
    if (options.weights !== undefined) await loadTrunk(net, options.weights, options.signal);
    const folded = options.weights !== undefined && await isFolded(net, levels.length);
    return new QualityModel(key, net, { version, backbone, levels, sizes, auxiliary, folded, preprocessing, mapping: null });
  } catch (error) {
    net.dispose();
    throw error;
  }
}

/** What a file says of a judge, against the network in it. @param {any} config @param {Model} net */
function checkConfig({ backbone, levels, sizes, auxiliary, preprocessing }, net) {
  const isList = (/** @type {unknown} */ list, /** @type {string} */ type) => Array.isArray(list) && list.length > 0 && list.every(one => typeof one === type);
  const isSize = (/** @type {unknown} */ size) => Array.isArray(size) && size.length === 2 && size.every(n => Number.isInteger(n) && n >= 1 && n <= 65535);
  const found = net.inputs.map(({ shape }) => shape.join()).join(' '), wanted = preprocessing ? `${[preprocessing.size].flat().join()},3` : [sizes].flat().join(' ');
  if (typeof backbone !== 'string' || !isList(levels, 'string') || !isList(sizes, 'number') || typeof auxiliary !== 'number' || wanted !== found
    || (preprocessing && !(isSize(preprocessing.size) && (preprocessing.first === undefined || isSize(preprocessing.first))))) {
    throw new HeddleError('file', `loadQualityModel: what the file says of the judge is damaged, or of another network, which takes ${found}`);
  }
}

/** @param {any} report of a file */
function checkReport(report) {
  const isWhole = report === undefined || (Array.isArray(report?.epochs) && report.epochs.every((/** @type {unknown} */ one) => typeof one === 'object' && one) && Number.isInteger(report.bestEpoch));
  if (isWhole) return;
  throw new HeddleError('file', 'loadQualityModel: the report of the training is damaged');
}

/**
 * Loads what `save` of a judge has written.
 * @param {Source} source bytes, a Blob or File, a Response, a URL, a path (Node), indexeddb://name or opfs://path/name
 * @param {{ signal?: AbortSignal }} [options] signal: its abort stops the reading; the call then rejects with its reason
 * @returns {Promise<QualityModel>}
 * @throws {HeddleError} `file` if it is no quality model, `unsupported` if it is of a later version, `storage`
 */
export async function loadQualityModel(source, options) {
  const net = await load(source, options), { quality: config, report } = /** @type {any} */ (net.metadata ?? {});
  try {
    if (!config) throw new HeddleError('file', 'loadQualityModel: the file holds a model, but no quality model');
    if (config.version !== version) throw new HeddleError('unsupported', `loadQualityModel: the file has version ${config.version}, this heddle reads version ${version}`);
    checkConfig(config, net);
    checkReport(report);
    return new QualityModel(key, net, structuredClone(config), structuredClone(report));
  } catch (error) {
    net.dispose();
    return blame(error, 'loadQualityModel');
  }
}
