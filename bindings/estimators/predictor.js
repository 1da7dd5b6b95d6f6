/** What estimators share once they are fitted, and how they are kept: scikit-learn's shape around a heddle model. */
import { HeddleError, abortError, checkOptions, kindOf, wholeNumber } from '../errors.js';
import { load } from '../model.js';
import { argmax, readLabels } from './labels.js';
import { defaultParams, readParams } from './params.js';
import { readSamples, readTraining, valuesOf } from './samples.js';

/** @import { Json } from '../archive.js' */
/** @import { ArrayLike2 } from '../data.js' */
/** @import { Model, Tensor } from '../model.js' */
/** @import { Source } from '../stores/index.js' */
/** @import { Label, LabelList } from './labels.js' */
/** @import { ParamTable } from './params.js' */
/** @import { TrainingData } from './samples.js' */
/** Where learning stands; other entries by estimator.
 * @typedef {{ phase: string, done: number, total: number } & { [name: string]: any }} Progress */
/**
 * @typedef {object} LearnOptions
 * @property {AbortSignal} [signal] fit then rejects with the signal's reason (the standard AbortError), and the estimator
 *   keeps the last whole model
 * @property {(progress: Progress) => void} [onProgress] called after each part of the work that `phase` names: rows whose
 *   features are summed up, an epoch ...
 * @property {readonly [ArrayLike2, ArrayLike2 | LabelList]} [validationData] other rows to choose by or to watch
 */
/** @typedef {object} PassOptions @property {number} [batchSize] rows computed at a time, 1024 unless told
 * @property {AbortSignal} [signal] stops the pass between pieces of its rows; the call then rejects with the signal's reason */
/** What a fit found, for files: classes of a classifier, else null; the shape of a row of y; what is worth telling.
 * @typedef {{ classes: Label[] | null, targetShape: number[], report: { [name: string]: Json } }} Facts */

/** Rows computed at a time unless told. */
export const defaultBatch = 1024;

/** Whatever has parameters, and predicts with a model; see Estimator. */
export class Predictor {
  /** Its name in files and messages. */
  static kind = 'Predictor';
  /** Predicts labels. */
  static isClassifier = false;
  /** @type {ParamTable} */
  static params = {};

  #params;
  /** @type {Model | null} */
  #model = null;
  /** @type {Facts | null} */
  #facts = null;
  #isBusy = false;
  #isDisposed = false;

  /** @param {object} [params] those that are not to be as by default; wrong ones are refused (`argument`) */
  constructor(params) {
    this.#params = readParams(this.type.params, params, defaultParams(this.type.params), this.type.kind);
  }

  /** The class of this object. */
  get type() {
    return /** @type {typeof Predictor} */ (this.constructor);
  }

  /** All parameters. @returns {Record<string, any>} a copy */
  getParams() {
    return structuredClone(this.#params);
  }

  /** Changes parameters for the next fit: all or none. @param {object} params new values by name; the others stay @returns {this} */
  setParams(params) {
    this.#params = readParams(this.type.params, params, this.#params, `${this.type.kind}.setParams`);
    return this;
  }

  /** The network that was fitted: an ordinary model, which belongs to the estimator. */
  get model() {
    return this.fitted('model').model;
  }

  /** Labels in the order of the model's outputs; null for regression. @returns {Label[] | null} */
  get classes() {
    const { classes } = this.fitted('classes').facts;
    return classes && [...classes];
  }

  /** What the fit found, plain JSON. @returns {{ [name: string]: any }} a copy */
  get report() {
    return structuredClone(this.fitted('report').facts.report);
  }

  /** For subclasses. @param {string} method for the sentence @returns {{ model: Model, facts: Facts }} */
  fitted(method) {
    this.#checkUsable(method);
    if (!this.#model || !this.#facts) throw new HeddleError('state', `${this.type.kind}.${method}: nothing has been fitted: call fit first`);
    return { model: this.#model, facts: this.#facts };
  }

  /** Has a model. */
  get isFitted() {
    return this.#model !== null;
  }

  /** @param {string} method */
  #checkUsable(method) {
    if (this.#isDisposed) throw new HeddleError('state', `${this.type.kind}.${method}: the estimator has been disposed of`);
  }

  /**
   * For subclasses: one call at a time, its options checked.
   * @param {string} method
   * @param {LearnOptions | undefined} options
   * @param {readonly string[]} more names of options
   * @param {(where: string) => Promise<void>} run
   * @returns {Promise<this>}
   */
  async exclusively(method, options, more, run) {
    const where = `${this.type.kind}.${method}`;
    this.#checkUsable(method);
    checkOptions(options, ['signal', 'onProgress', 'validationData', ...more], where);
    const { signal, onProgress, validationData: given } = options ?? {};
    if (signal !== undefined && !(signal instanceof AbortSignal)) throw new HeddleError('argument', `${where}: signal must be an AbortSignal, got ${kindOf(signal)}`);
    if (onProgress !== undefined && typeof onProgress !== 'function') throw new HeddleError('argument', `${where}: onProgress must be a function, got ${kindOf(onProgress)}`);
    if (given !== undefined && !(Array.isArray(given) && given.length === 2)) throw new HeddleError('argument', `${where}: validationData must be [x, y], got ${kindOf(given)}`);
    if (this.#isBusy) throw new HeddleError('state', `${where}: the estimator is being fitted; wait for that, or stop it with its signal`);
    if (signal?.aborted) throw abortError(signal);
    this.#isBusy = true;
    try {
      await run(where);
    } finally {
      this.#isBusy = false;
    }
    return this;
  }

  /** For subclasses. @param {TrainingData} data @param {LearnOptions | undefined} options @param {string} where @returns {TrainingData | null} */
  readValidation({ shape, targetShape, classes }, options, where) {
    const given = options?.validationData;
    if (given === undefined) return null;
    return readTraining(given[0], given[1], { isClassifier: !!classes, classes: classes ?? undefined, like: { shape, targetShape } }, `${where}: validationData`);
  }

  /** For subclasses: takes a model in place of the old one. @param {Model} model @param {Facts} facts */
  adopt(model, facts) {
    if (this.#isDisposed) {
      model.dispose();
      this.#checkUsable('fit');
    }
    if (this.#model !== model) this.#model?.dispose();
    this.#model = model;
    this.#facts = structuredClone(facts);
  }

  /**
   * Labels of the classes with the largest outputs, or the outputs themselves.
   * @param {ArrayLike2} x rows of the shape that was fitted: [rows, ...shape]
   * @param {PassOptions} [options]
   * @returns {Promise<any>} classifiers: Label[]; others: { data: Float32Array, shape: [rows] or [rows, outputs], as y was }
   */
  async predict(x, options) {
    const { facts: { classes, targetShape } } = this.fitted('predict'), { data, shape } = await this.#outputs(x, 'predict', options);
    if (!classes) return { data, shape: [shape[0], ...targetShape] };
    return argmax(data, classes.length).map(k => classes[k]);
  }

  /**
   * Probabilities of the classes, in the order of `classes`.
   * @param {ArrayLike2} x rows of the shape that was fitted: [rows, ...shape]
   * @param {PassOptions} [options]
   * @returns {Promise<Tensor>}
   * @throws {HeddleError} `unsupported` where outputs are no probabilities: those of least squares
   */
  async predictProba(x, options) {
    const { model, facts } = this.fitted('predictProba'), { nodes, outputs } = model.description;
    const last = nodes.find(({ name }) => name === outputs[0]);
    if (!facts.classes || last?.options?.activation !== 'softmax') {
      throw new HeddleError('unsupported', `${this.type.kind}.predictProba: the outputs are scores of least squares, no probabilities; model.predict returns them`);
    }
    return this.#outputs(x, 'predictProba', options);
  }

  /** @param {unknown} x @param {string} method @param {PassOptions} [options] @returns {Promise<Tensor>} */
  async #outputs(x, method, options) {
    const where = `${this.type.kind}.${method}`;
    checkOptions(options, ['batchSize', 'signal'], where);
    const batchSize = wholeNumber(options?.batchSize, `${where}: batchSize`, 1, defaultBatch);
    return this.fitted(method).model.predict(/** @type {ArrayLike2} */ (x), { batchSize, signal: options?.signal });
  }

  /**
   * How good predictions are: accuracy of a classifier, else the mean R^2 of the outputs (1: perfect; 0: as good as the mean).
   * @param {ArrayLike2} x rows of the shape that was fitted: [rows, ...shape]
   * @param {ArrayLike2 | LabelList} y what `predict` should give for them: labels of a classifier, else numbers, shaped as in the fit
   * @param {PassOptions} [options]
   * @returns {Promise<number>}
   */
  async score(x, y, options) {
    const { facts: { classes } } = this.fitted('score'), where = `${this.type.kind}.score: y`;
    const labels = classes ? readLabels(y, where) : null, predicted = await this.predict(x, options);
    if (!labels) return rSquared(predicted, valuesOf(readSamples(y, predicted.shape[0], where)), where);
    if (labels.length !== predicted.length) throw new HeddleError('shape', `${where} has ${labels.length} rows, x has ${predicted.length}`);
    return predicted.filter((/** @type {Label} */ label, /** @type {number} */ i) => label === labels[i]).length / predicted.length;
  }

  /**
   * Saves the model, as `Model.save` does, with the parameters and what was found.
   * @param {string | URL} target 'bytes', 'blob', a path (Node), indexeddb://name, opfs://path/name or download://name
   * @param {{ metadata?: { [name: string]: Json }, signal?: AbortSignal }} [options] metadata: what else is to be kept, in `model.metadata`
   *   after loading; not by the names estimator, params, classes, targetShape and report, which are taken
   * @returns {Promise<any>} Uint8Array for 'bytes', Blob for 'blob'
   */
  async save(target, options) {
    const { model, facts } = this.fitted('save'), where = `${this.type.kind}.save`;
    checkOptions(options, ['metadata', 'signal'], where);
    const { metadata = {}, signal } = options ?? {}, own = { estimator: this.type.kind, params: this.#params, ...facts };
    if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
      throw new HeddleError('argument', `${where}: metadata must be an object, got ${kindOf(metadata)}`);
    }
    const taken = Object.keys(metadata).find(name => Object.hasOwn(own, name));
    if (taken) throw new HeddleError('argument', `${where}: metadata: the name "${taken}" is taken`);
    return model.save(target, { signal, metadata: /** @type {any} */ ({ ...metadata, ...own }) });
  }

  /**
   * Loads what `save` has written.
   * @template {typeof Predictor} T
   * @this {T}
   * @param {Source} source bytes, a Blob or File, a Response, a URL, a path (Node), indexeddb://name or opfs://path/name
   * @param {{ signal?: AbortSignal }} [options] signal: its abort stops the reading; the call then rejects with its reason
   * @returns {Promise<InstanceType<T>>}
   * @throws {HeddleError} `file` if it is no estimator of this class
   */
  static async load(source, options) {
    return restore(await load(source, options), kind => {
      if (kind !== this.kind) throw new HeddleError('file', `${this.kind}.load: the file holds ${kind}; loadEstimator reads any`);
      return this;
    });
  }

  /** Frees the engine's memory. More calls do nothing. */
  dispose() {
    this.#isDisposed = true;
    this.#model?.dispose();
    this.#model = this.#facts = null;
  }
}

// `using ridge = new Ridge()`, where the platform has it.
if (Symbol.dispose) {
  Object.defineProperty(Predictor.prototype, Symbol.dispose, { value() { this.dispose(); }, configurable: true, writable: true });
}

const labelKinds = ['string', 'number', 'boolean'];

/** What a file says of labels or targets, beside what its model puts out. @param {Pick<Facts, 'classes' | 'targetShape'>} facts @param {Model} model */
function checkFacts({ classes, targetShape }, { outputs: [{ shape }] }) {
  const size = (/** @type {number[]} */ list) => list.reduce((product, n) => product * n, 1), width = size(shape);
  if (classes && !(classes.length === width && classes.every(label => labelKinds.includes(typeof label)))) {
    throw new HeddleError('argument', `classes: expected ${width} texts, numbers or booleans, as many as the model's outputs`);
  }
  if (!classes && !(targetShape.every(n => Number.isSafeInteger(n) && n > 0) && size(targetShape) === width)) {
    throw new HeddleError('argument', `targetShape = ${JSON.stringify(targetShape).slice(0, 100)}, expected the sizes of ${width} outputs`);
  }
}

/**
 * An estimator around a model that was loaded.
 * @template {typeof Predictor} T
 * @param {Model} model
 * @param {(kind: string) => T | Promise<T>} find the class of that name
 * @returns {Promise<InstanceType<T>>}
 */
export async function restore(model, find) {
  try {
    const { estimator, params, classes = null, targetShape, report } = /** @type {any} */ (model.metadata ?? {});
    if (typeof estimator !== 'string' || !Array.isArray(targetShape) || typeof report !== 'object' || !(classes === null || Array.isArray(classes))) {
      throw new HeddleError('file', 'the file holds a model, but no estimator; load reads it');
    }
    const one = /** @type {InstanceType<T>} */ (new (await find(estimator))(params));
    checkFacts({ classes, targetShape }, model);
    one.adopt(model, { classes, targetShape, report });
    return one;
  } catch (cause) { // what is a wrong argument elsewhere is a damaged file here
    model.dispose();
    if (!(cause instanceof HeddleError) || cause.code !== 'argument') throw cause;
    throw new HeddleError('file', `the estimator in the file is damaged: ${cause.message}`, { cause });
  }
}

/** Mean over outputs of 1 - sum (y - p)^2 / sum (y - mean)^2; a constant output counts 1 if it is met, else 0.
 * @param {Tensor} predicted @param {Float32Array} y @param {string} where */
function rSquared({ data, shape }, y, where) {
  if (y.length !== data.length) throw new HeddleError('shape', `${where} has ${y.length} elements, expected ${data.length}: [${shape.join(', ')}]`);
  const rows = shape[0], outputs = data.length / rows;
  let sum = 0;
  for (let k = 0; k < outputs; k++) {
    let mean = 0, residual = 0, total = 0;
    for (let i = k; i < y.length; i += outputs) mean += y[i] / rows;
    for (let i = k; i < y.length; i += outputs) {
      residual += (y[i] - data[i]) ** 2;
      total += (y[i] - mean) ** 2;
    }
    sum += total > 0 ? 1 - residual / total : Number(residual === 0);
  }
  return sum / outputs;
}
