/** One judge of quality from several rated data sets, whose scales need nothing in common. */
import { HeddleError, checkOptions, kindOf, wholeNumber } from '../errors.js';
import { losses as lossFactories, optimizers, schedules } from '../factories.js';
import { coreOf, load } from '../model.js';
import { recipes } from '../recipes.js';
import { checkSeed, defaultSeed } from '../session.js';
import { monotonicTransformer } from './monotone.js';
import { rawOf, weightsOf } from './positive.js';
import { srocc } from './statistics.js';
import { epochLength, labelRange, labelsOf, packTuples, readFeatures, readSets, scaleOf, tupleBatches } from './tuples.js';

/** @import { ArrayLike2 } from '../data.js' */
/** @import { Model, SaveModelOptions, Tensor } from '../model.js' */
/** @import { LossSpec } from '../options.js' */
/** @import { Source } from '../stores/index.js' */
/** @import { RatedSet, Samples, Scale } from './tuples.js' */
/**
 * @typedef {object} MixedDatasetOptions
 * @property {readonly number[]} [hidden] units of the regressor's ReLU layers; [512, 64] unless told
 * @property {readonly number[]} [widths] units of each transformer's hidden layers; [10, 20, 20, 10] unless told
 * @property {'elu' | 'mixed' | 'tanh'} [activation] of the transformers; 'elu', as published, makes convex ones only
 * @property {boolean} [skip] see `monotonicTransformer`
 * @property {'softplus' | 'exp' | 'square' | 'abs' | 'projection'} [parametrization] how positive weights are made, as in
 *   layers.monotonicDense; softplus unless told
 * @property {number} [minimum] floor of the positive weights, 0 to 1; 1e-6 unless told
 * @property {boolean} [standardize] the common scale has mean 0 and deviation 1 over the training images; true unless told
 * @property {number} [seed] of the weights, and of trainings unless they are told otherwise: a whole number 0 to 2^53 - 1; a random one unless told or set
 *   by `init`
 */
/**
 * @typedef {object} MixedFitOptions
 * @property {number} [epochs] 24 unless told; one shows every image of the largest set once
 * @property {number} [batchSize] tuples of one image of each set; 32 unless told
 * @property {number} [learningRate] of Adam, 3e-4 unless told; times 0.9 after every 3 epochs
 * @property {number} [normInNorm] weight of the Norm-in-Norm loss (p = q = 2, alpha = [1, 1]) of each set's batch beside smooth L1;
 *   1 unless told, 0: smooth L1 alone, which is what the authors' code comes down to
 * @property {readonly RatedSet[]} [validationData] the sets in the same order; the epoch whose SROCC, averaged with the sizes of the training sets
 *   as weights, is best then gives the final weights
 * @property {number} [seed] of the orders of images; the model's unless told
 * @property {AbortSignal} [signal] stops within a batch; the fit rejects with the standard AbortError, the weights of the last step stay
 * @property {(progress: { epoch: number, epochs: number, batch: number, batches: number, loss: number }) => void} [onProgress] after each batch
 * @property {(epoch: number, log: MixedEpoch) => void | Promise<void>} [onEpochEnd] called after each epoch, from 0, and its validation; the next one
 *   waits for it
 */
/**
 * @typedef {object} MixedEpoch
 * @property {number} loss what is minimised: smooth L1 plus `normInNorm` times Norm-in-Norm, mean over the sets and the epoch
 * @property {number[]} losses smooth L1 of each set, its labels 0..10, mean over the epoch
 * @property {{ srocc: number[], weighted: number }} [validation] with validationData: SROCC of each of its sets on the common scale; and their mean, the sizes
 *   of the training sets as weights
 */
/**
 * @typedef {object} MixedReport
 * @property {MixedEpoch[]} epochs in order
 * @property {number} bestEpoch whose weights stay, from 0: the best by `validation.weighted`, the last without validationData
 * @property {number} seconds of the whole fit, validation and callbacks included
 */
/** What is kept beside the weights. @typedef {{ options: MixedDatasetOptions, features: number, scales: Scale[] }} Facts */

const modelOptions = ['hidden', 'widths', 'activation', 'skip', 'parametrization', 'minimum', 'standardize', 'seed'];
const fitOptions = ['epochs', 'batchSize', 'learningRate', 'normInNorm', 'validationData', 'seed', 'signal', 'onProgress', 'onEpochEnd'];
/** Options that a transformer has of its own. @param {MixedDatasetOptions} options */
const transformerOptions = ({ widths, activation, skip, parametrization, minimum }) =>
  Object.fromEntries(Object.entries({ widths, activation, skip, parametrization, minimum }).filter(([, value]) => value !== undefined));

/** Puts the last layer of a transformer on another scale: T becomes factor T + offset.
 * @param {Model} model @param {string} prefix of its nodes @param {number} factor @param {number} offset */
async function rescale(model, prefix, factor, offset) {
  const weights = await model.getWeights(), { nodes } = model.description;
  /** @type {{ [name: string]: Float32Array }} */
  const changed = {};
  for (const node of nodes.filter(({ name }) => name === `${prefix}output` || name === `${prefix}skip`)) {
    const kernel = `${node.name}/kernel`, bias = `${node.name}/bias`;
    changed[kernel] = rawOf(node, weightsOf(node, weights[kernel].data).map(w => factor * w));
    if (weights[bias]) changed[bias] = weights[bias].data.map(value => factor * value + offset);
  }
  await model.setWeights(changed, { partial: true });
}

/** @param {Float32Array} values */
function moments(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, deviation: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) };
}

/** A judge trained on several data sets; made by `mixedDatasetModel` and `loadMixedDatasetModel`. */
export class MixedDatasetModel {
  #options;
  /** @type {Model | null} */
  #model = null;
  /** @type {Facts | null} */
  #facts = null;
  /** @type {Map<number, Model>} */
  #transformers = new Map();
  /** @type {MixedReport | null} */
  #report = null;

  /** @param {MixedDatasetOptions} [options] @param {{ model: Model, facts: Facts }} [loaded] */
  constructor(options = {}, loaded) {
    checkOptions(options, modelOptions, 'mixedDatasetModel');
    this.#options = { ...options, seed: options.seed === undefined ? defaultSeed() : checkSeed(options.seed, 'mixedDatasetModel') };
    this.#model = loaded?.model ?? null;
    this.#facts = loaded?.facts ?? null;
  }

  /** What the last fit did; null before it. @returns {MixedReport | null} */
  get report() {
    return structuredClone(this.#report);
  }

  /** Data sets that it was trained on; 0 before. */
  get sets() {
    return this.#facts?.scales.length ?? 0;
  }

  /** @param {string} where @returns {{ model: Model, facts: Facts }} */
  #fitted(where) {
    if (!this.#model || !this.#facts) throw new HeddleError('state', `${where}: call fit first`);
    return { model: this.#model, facts: this.#facts };
  }

  /**
   * Trains on all sets together, from the start or, with as many sets and features as before, from where the last fit ended.
   * @param {readonly RatedSet[]} sets 1 to 15
   * @param {MixedFitOptions} [options]
   * @returns {Promise<this>}
   * @throws {HeddleError} `argument`, `shape`: data or options; `diverged`, `memory`; `state` during a fit
   */
  async fit(sets, options = {}) {
    checkOptions(options, fitOptions, 'fit');
    const read = readSets(sets, this.#facts?.features ?? 0, 'fit: sets');
    const validation = options.validationData && readSets(options.validationData, read[0].size, 'fit: validationData');
    if (validation && validation.length !== read.length) {
      throw new HeddleError('argument', `fit: ${validation.length} validation sets for ${read.length} sets`);
    }
    await this.#prepare(read);
    const { model, facts } = this.#fitted('fit'), { epochs, batchSize, seed } = await this.#compile(model, options);
    const labels = read.map((set, i) => labelsOf(set, facts.scales[i])), batches = Math.ceil(epochLength(read) / batchSize);
    const { onProgress, onEpochEnd, signal } = options, begin = performance.now();
    /** @type {MixedReport} */
    const report = { epochs: [], bestEpoch: epochs - 1, seconds: 0 };
    let epoch = 0, best = -Infinity, bestWeights = null;
    await model.fit(() => tupleBatches(read, labels, { batchSize, seed, epoch: epoch++ }), {
      epochs, batchSize, stepsPerEpoch: batches, seed, signal,
      onBatchEnd: (batch, { epoch: at, loss }) => onProgress?.({ epoch: at, epochs, batch, batches, loss: /** @type {number} */ (loss) }),
      onEpochEnd: async (at, logs) => {
        const log = this.#epochLog(logs);
        if (validation) log.validation = await this.#validate(validation, read);
        if (log.validation && log.validation.weighted > best) {
          [best, bestWeights, report.bestEpoch] = [log.validation.weighted, await model.getWeights(), at];
        }
        report.epochs.push(log);
        await onEpochEnd?.(at, log);
      },
    });
    if (bestWeights) await model.setWeights(Object.fromEntries(Object.entries(bestWeights).map(([name, { data }]) => [name, data])));
    this.#report = { ...report, seconds: (performance.now() - begin) / 1000 };
    return this;
  }

  /** Builds the model for these sets, unless there is one for such sets. @param {Samples[]} sets */
  async #prepare(sets) {
    const scales = sets.map((set, i) => scaleOf(set, `fit: sets[${i}].y`)), features = sets[0].size;
    this.#forgetTransformers();
    if (this.#model && this.sets === sets.length) {
      this.#facts = { ...this.#fitted('fit').facts, scales };
      return;
    }
    this.#model?.dispose();
    const { hidden, standardize, seed } = this.#options, own = { ...hidden && { hidden: [...hidden] }, ...standardize !== undefined && { standardize } };
    this.#model = await recipes.mixedDataset({ features, sets: sets.length, seed, ...own, ...transformerOptions(this.#options) });
    this.#facts = { options: this.#options, features, scales };
    for (const [i, set] of sets.entries()) { // a transformer begins with slope 1: its labels' mean and deviation are a good start
      const { mean, deviation } = moments(labelsOf(set, scales[i]));
      await rescale(this.#model, `set${i}.`, deviation, mean);
    }
  }

  /** @param {Model} model @param {MixedFitOptions} options */
  async #compile(model, { learningRate = 3e-4, normInNorm = 1, ...options }) {
    const epochs = wholeNumber(options.epochs, 'fit: epochs', 1, 24), batchSize = wholeNumber(options.batchSize, 'fit: batchSize', 1, 32);
    if (typeof normInNorm !== 'number' || !(normInNorm >= 0 && normInNorm < Infinity)) {
      throw new HeddleError('argument', `fit: normInNorm = ${String(normInNorm)}, expected a finite number >= 0`);
    }
    const seed = options.seed === undefined ? model.seed : checkSeed(options.seed, 'fit'), weight = 1 / this.sets;
    const optimizer = optimizers.adam({ learningRate: schedules.step({ initialLearningRate: learningRate, every: 3, factor: 0.9 }) });
    /** @type {[number, LossSpec][]} */
    const terms = [[weight, lossFactories.smoothL1()], ...normInNorm > 0 ? [/** @type {[number, LossSpec]} */ ([weight * normInNorm, lossFactories.normInNorm({ p: 2, q: 2, alpha: [1, 1] })])] : []];
    const losses = terms.flatMap(([weight, spec]) => model.outputs.map(({ name }) => ({ output: name, weight, spec })));
    await coreOf(model, 'fit').compile({ optimizer, losses, metrics: [] });
    return { epochs, batchSize, seed };
  }

  /** @param {{ [name: string]: unknown }} logs */
  #epochLog(logs) {
    const { model } = this.#fitted('fit');
    /** @type {MixedEpoch} */
    const log = { loss: Number(logs.loss), losses: model.outputs.map(({ name }) => Number(logs[`${name}_loss`] ?? logs.loss_1 ?? logs.loss)) }; // the last two: of a single set
    return log;
  }

  /** @param {Samples[]} validation @param {Samples[]} training */
  async #validate(validation, training) {
    const sroccs = [];
    for (const { data, rows, size, ratings } of validation) sroccs.push(await srocc(await this.predict({ data, shape: [rows, size] }), ratings));
    const images = training.reduce((sum, { rows }) => sum + rows, 0);
    return { srocc: sroccs, weighted: sroccs.reduce((sum, value, i) => sum + value * training[i].rows / images, 0) };
  }

  /**
   * Quality of any images on the common scale.
   * @param {ArrayLike2} x features [images, features]
   * @param {{ batchSize?: number, signal?: AbortSignal }} [options] batchSize: images at a time; 256 unless told
   * @returns {Promise<Tensor>} [images, 1]; larger is better
   */
  async predict(x, options = {}) {
    checkOptions(options, ['batchSize', 'signal'], 'predict');
    const { model, facts: { features } } = this.#fitted('predict'), read = readFeatures(x, features, 'predict: x');
    const batchSize = Math.ceil(wholeNumber(options.batchSize, 'predict: batchSize', 1, 256) / this.sets);
    const { data } = await model.predict(packTuples(read, this.sets), { output: 'quality', batchSize, signal: options.signal });
    return { data: data.slice(0, read.rows), shape: [read.rows, 1] };
  }

  /**
   * Ratings of images as the raters of one set would give them.
   * @param {ArrayLike2} x features [images, features]
   * @param {number} set its number in the list that was fitted
   * @param {{ batchSize?: number, signal?: AbortSignal }} [options] as of predict
   * @returns {Promise<Tensor>} [images, 1]
   */
  async transform(x, set, options) {
    const transformer = await this.transformer(set), q = await this.predict(x, options);
    return transformer.predict(q.data, { batchSize: 1024, signal: options?.signal });
  }

  /**
   * From the common scale to a set's own: an ordinary model of one number, for `certificate` and `invert`. It is disposed of with this one.
   * @param {number} set its number in the list that was fitted
   * @returns {Promise<Model>}
   */
  async transformer(set) {
    const { model, facts } = this.#fitted('transformer');
    if (!Number.isInteger(set) || set < 0 || set >= this.sets) throw new HeddleError('argument', `transformer: set = ${String(set)}, expected 0..${this.sets - 1}`);
    const known = this.#transformers.get(set);
    if (known) return known;
    const prefix = `set${set}.`, made = await monotonicTransformer({ seed: 0, ...transformerOptions(facts.options) }), { lowest, highest } = facts.scales[set];
    const own = Object.entries(await model.getWeights()).filter(([name]) => name.startsWith(prefix));
    await made.setWeights(Object.fromEntries(own.map(([name, { data }]) => [name.slice(prefix.length), data])));
    await rescale(made, '', (highest - lowest) / labelRange, lowest);
    this.#transformers.set(set, made);
    return made;
  }

  #forgetTransformers() {
    for (const one of this.#transformers.values()) one.dispose();
    this.#transformers.clear();
  }

  /**
   * Saves the judge in one file, as `Model.save`.
   * @param {any} target a path, 'bytes', 'blob', indexeddb://name ...
   * @param {Omit<SaveModelOptions, 'metadata'>} [options] as of `Model.save`; metadata are the judge's own
   * @returns {Promise<any>}
   */
  async save(target, options = {}) {
    const { model, facts } = this.#fitted('save'), { seed, ...own } = facts.options;
    const plain = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
    return model.save(target, { ...options, metadata: { mixedDatasets: { ...facts, options: { seed: Number(seed), ...plain } } } });
  }

  /** Frees the engine's memory. */
  dispose() {
    this.#forgetTransformers();
    this.#model?.dispose();
  }
}

/**
 * A judge of quality for several data sets, as in the monotonic transformer paper: one regressor on feature vectors, shared by all, gives
 * the common scale, and one increasing function for each set leads from there to the scale of its ratings.
 *
 *     const judge = mixedDatasetModel({ activation: 'mixed' });
 *     await judge.fit([{ x, y }, { x: x2, y: y2 }], { epochs: 24 });
 *     const q = await judge.predict(unknown), y = await judge.transform(unknown, 0);
 * @param {MixedDatasetOptions} [options]
 * @returns {MixedDatasetModel}
 */
export const mixedDatasetModel = options => new MixedDatasetModel(options);

/**
 * Loads what `MixedDatasetModel.save` has written.
 * @param {Source} source as of `load`
 * @param {{ signal?: AbortSignal }} [options] signal: its abort stops the reading; the call then rejects with its reason
 * @returns {Promise<MixedDatasetModel>}
 * @throws {HeddleError} as `load`, and `file` for another kind of model
 */
export async function loadMixedDatasetModel(source, options) {
  const model = await load(source, options), metadata = /** @type {any} */ (model.metadata), facts = metadata?.mixedDatasets;
  const isRight = Array.isArray(facts?.scales) && Number.isInteger(facts.features) && facts.scales.length === model.outputs.length;
  if (!isRight) {
    model.dispose();
    throw new HeddleError('file', `loadMixedDatasetModel: the file holds another model, with ${kindOf(facts)} as its sets`);
  }
  return new MixedDatasetModel(facts.options, { model, facts });
}
