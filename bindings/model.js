/** Models: what users hold. */
import { readCompile } from './compile.js';
import { Core } from './core.js';
import { addWeights, checkNames, joinTables, readTable } from './data.js';
import { Dataset } from './dataset.js';
import { HeddleError, checkOptions, kindOf, part, suggest, wholeNumber } from './errors.js';
import { describeGraph, describeSequential } from './graph.js';
import { checkSeed } from './session.js';
import { loadFrom, saveTo } from './stores/index.js';
import { summaryTable } from './summary.js';

/** @import { BatchSource } from './batches.js' */
/** @import { CompileOptions, Scores } from './compile.js' */
/** @import { Arrays, ArrayLike2 } from './data.js' */
/** @import { Json } from './archive.js' */
/** @import { Score, Table } from './engine.js' */
/** @import { FitOptions, History, TrainingLog } from './fit_options.js' */
/** @import { ModelDescription, ModelOptions, SymbolicTensor } from './graph.js' */
/** @import { LayerSpec } from './options.js' */
/** @import { Source } from './stores/index.js' */
/** @import { SummaryOptions } from './summary.js' */
/** A plain copy: nobody else uses it. @typedef {object} Tensor @property {Float32Array<ArrayBuffer>} data all elements, the last axis running fastest
 * @property {number[]} shape of a model's output rows first; its product is the length of data */
/** @typedef {{ [name: string]: Tensor }} NamedTensors by the names of weights, such as "dense/kernel" */
/**
 * @typedef {object} LayerInfo
 * @property {string} name unique in the model
 * @property {string} kind class of the layer; "input" for an input
 * @property {readonly string[]} inputs names of the nodes it reads
 * @property {readonly number[]} outputShape of one sample
 * @property {number} parameters elements of its weights
 * @property {number} frozenParameters those of them that training leaves as they are
 * @property {readonly { name: string, shape: readonly number[], frozen: boolean }[]} weights in the order of the layer
 */
/** @typedef {object} PassOptions @property {number} [batchSize] rows computed at a time, 32 unless told
 * @property {AbortSignal} [signal] stops the pass between pieces of its rows; the call then rejects with the signal's reason */
/** @typedef {object} SaveModelOptions @property {Json} [metadata] anything to be kept with the model; what it was loaded with unless told
 * @property {Json} [preprocessing] how inputs must be made, for whoever loads it; what the model was loaded with unless told
 * @property {boolean} [includeOptimizer] its moments and steps too, so that `fit` of the loaded model, with initialEpoch and the same seed, goes on to
 *   the same bits; false unless told @property {AbortSignal} [signal] as of SaveOptions: `save` rejects with its reason, and a path keeps its old file */

/** Keeps the constructor and the core to this module. */
const key = Symbol('model');

/** Training is loaded when it is first used: who only predicts starts sooner. */
const loadFit = () => part(import('./fit.js'));

/** @param {Core} core @param {[any, any, any]} given @returns {AsyncGenerator<TrainingLog, History, void>} */
async function* iterate(core, given) {
  const { iterateFit } = await loadFit();
  return yield* iterateFit(core, ...given);
}

/** @param {readonly number[]} shape */
const count = shape => shape.reduce((product, n) => product * n, 1);

/**
 * A neural network; made by `sequential`, `model` or `load`. All methods take and return plain arrays: only the model
 * itself holds engine memory, which `dispose()` frees.
 */
export class Model {
  #core;
  #extras;

  /** @param {symbol} secret @param {ModelDescription} description
   * @param {{ metadata?: Json, preprocessing?: Json }} extras */
  constructor(secret, description, extras) {
    if (secret !== key) throw new HeddleError('argument', 'Model: use sequential(), model() or load()');
    this.#core = new Core(description, this);
    this.#extras = extras;
  }

  /** For this module. @param {symbol} secret @param {Model} model */
  static coreOf(secret, model) {
    if (secret !== key) throw new HeddleError('argument', 'Model.coreOf is internal');
    return model.#core;
  }

  /** For summaries and files. @returns {string} */
  get name() {
    return this.#core.description.name;
  }

  /** Of the initial weights. */
  get seed() {
    return this.#core.description.seed;
  }

  /** The model without its weights: plain JSON. @returns {ModelDescription} */
  get description() {
    return structuredClone(this.#core.description);
  }

  /** Number of parameters. */
  get parameters() {
    return this.#core.facts.weights.reduce((sum, { shape }) => sum + count(shape), 0);
  }

  /** Inputs in order; shapes of one sample. @returns {{ name: string, shape: number[] }[]} */
  get inputs() {
    return this.#core.facts.inputs.map(node => this.#node(node));
  }

  /** Outputs in order. @returns {{ name: string, shape: number[] }[]} */
  get outputs() {
    return this.#core.facts.outputs.map(node => this.#node(node));
  }

  /** All nodes in order, inputs too. @returns {LayerInfo[]} */
  get layers() {
    const { nodes, weights } = this.#core.facts;
    return nodes.map(({ name, shape }, i) => {
      const { layer: kind, inputs = [] } = this.#core.description.nodes[i], own = weights.filter(({ node }) => node === i);
      const sizes = own.map(weight => ({ size: count(weight.shape), frozen: weight.frozen }));
      return {
        name, kind, inputs: [...inputs], outputShape: [...shape],
        parameters: sizes.reduce((sum, { size }) => sum + size, 0),
        frozenParameters: sizes.reduce((sum, { size, frozen }) => sum + (frozen ? size : 0), 0),
        weights: own.map(weight => ({ name: weight.name, shape: [...weight.shape], frozen: weight.frozen })),
      };
    });
  }

  /** What the model was saved with, if it was loaded. @returns {Json | undefined} */
  get metadata() {
    return this.#extras.metadata;
  }

  /** How inputs must be made, as it was saved. @returns {Json | undefined} */
  get preprocessing() {
    return this.#extras.preprocessing;
  }

  /**
   * Layers, shapes and parameters as a table of text, as in Keras; for graphs also what each layer is connected to. Bytes are those of float32.
   * @param {SummaryOptions} [options]
   * @returns {string} printed by `console.log`, or line by line by `printFn`
   */
  summary(options) {
    return summaryTable(this.name, this.layers, this.#core.slots, options);
  }

  /** @param {number} node */
  #node(node) {
    const { name, shape } = this.#core.facts.nodes[node];
    return { name, shape: [...shape] };
  }

  /**
   * Says what `fit` minimises, how, and what it watches. May be called again: the optimiser then starts afresh.
   * @param {CompileOptions} options
   * @throws {HeddleError} `argument`, `shape` or `unsupported` for what does not fit this model (the model stays as it
   *   was compiled before); `state` during a fit
   */
  async compile(options) {
    this.#checkIdle('compile');
    await this.#core.compile(readCompile(options, this.#core.outputNames));
  }

  /**
   * Trains.
   * @overload
   * @param {Arrays | Dataset} x inputs: [rows, ...shape]
   * @param {Arrays} [y] targets: as the outputs, or labels [rows] for sparse losses; none if x is a data set
   * @param {FitOptions} [options]
   * @returns {Promise<History>}
   */
  /**
   * Trains on batches as they come.
   * @overload
   * @param {BatchSource} x gives { x, y, sampleWeight } or [x, y, sampleWeight]
   * @param {FitOptions} [options]
   * @returns {Promise<History>}
   * @throws {HeddleError} `argument` or `shape` for wrong data; `state` if the model is not compiled, disposed of or being
   *   fitted; `diverged` if the loss stops being finite (the weights are those before that step); `memory`; `crashed`. With `checkpoint` also `argument` if its store
   *   holds another run; `state` if another run uses it; `file` if both its generations are damaged; `unsupported`; `storage` if it can't be
   *   read, or not be written before anything is trained
   */
  /**
   * @param {any} x
   * @param {any} [y]
   * @param {FitOptions} [options]
   * @returns {Promise<History>}
   */
  async fit(x, y, options) {
    const { runFit } = await loadFit();
    return runFit(this.#core, ...fitArguments(x, y, options));
  }

  /**
   * Trains like `fit`, as an iteration over the logs of batches and epochs: `for await (const log of net.train(x, y))`.
   * Training runs on between batches and waits at the end of each epoch until its log has been taken. Leaving the loop
   * stops the training, with the weights of the last whole step.
   * @overload
   * @param {Arrays | Dataset} x as of `fit`
   * @param {Arrays} [y] as of `fit`; none if x is a data set
   * @param {FitOptions} [options]
   * @returns {AsyncGenerator<TrainingLog, History, void>}
   */
  /**
   * @overload
   * @param {BatchSource} x as of `fit`
   * @param {FitOptions} [options]
   * @returns {AsyncGenerator<TrainingLog, History, void>}
   */
  /**
   * @param {any} x
   * @param {any} [y]
   * @param {FitOptions} [options]
   * @returns {AsyncGenerator<TrainingLog, History, void>}
   */
  train(x, y, options) {
    return iterate(this.#core, fitArguments(x, y, options));
  }

  /**
   * Losses and metrics over all rows, as at inference.
   * @param {Arrays | Dataset} x inputs [rows, ...shape], or a data set with targets
   * @param {Arrays} [y] targets as of `fit`; none if x is a data set
   * @param {PassOptions & { sampleWeight?: ArrayLike2 }} [options] sampleWeight: what each row counts in the means, >= 0; 1 unless told; not with a data set
   * @returns {Promise<Scores>}
   */
  async evaluate(x, y, options) {
    this.#core.checkUsable('evaluate');
    checkOptions(options, ['batchSize', 'signal', 'sampleWeight'], 'evaluate');
    const batchSize = wholeNumber(options?.batchSize, 'evaluate: batchSize', 1, 32);
    const data = this.#labelled(x, y, options?.sampleWeight, 'evaluate');
    return this.#core.named(/** @type {Score} */ (await this.#core.callWith('evaluate', data, [batchSize], { signal: options?.signal })));
  }

  /**
   * The model's output for every row; with `output` the value of any other node.
   * @overload
   * @param {Arrays | Dataset} x inputs [rows, ...shape], in a list or by name if there are several; or a data set
   * @param {PassOptions & { output?: string }} [options] output: name of a node
   * @returns {Promise<Tensor>} if the model has one output, or `output` is a name
   */
  /**
   * @overload
   * @param {Arrays | Dataset} x as above
   * @param {PassOptions & { output: readonly string[] }} options output: names of nodes
   * @returns {Promise<Tensor[]>} in the order of the names. A model with several outputs gives them in their order without
   *   being asked
   */
  /**
   * @param {Arrays | Dataset} x
   * @param {PassOptions & { output?: string | readonly string[] }} [options]
   * @returns {Promise<any>}
   */
  async predict(x, options) {
    const core = this.#core;
    core.checkUsable('predict');
    checkOptions(options, ['batchSize', 'signal', 'output'], 'predict');
    const { output, signal } = options ?? {}, batchSize = wholeNumber(options?.batchSize, 'predict: batchSize', 1, 32);
    const nodes = output === undefined ? core.facts.outputs : [output].flat().map(name => this.#findNode(name));
    const data = x instanceof Dataset ? x : readTable(x, core.inputSlots, 'input', 'x');
    /** @type {Float32Array<ArrayBuffer>[]} */
    const values = await core.callWith('predict', data, [{ nodes, batchSize }], { signal });
    const tensors = values.map((values, i) => ({ data: values, shape: [data.rows, ...core.facts.nodes[nodes[i]].shape] }));
    return Array.isArray(output) || tensors.length > 1 ? tensors : tensors[0];
  }

  /** @param {string} name @returns {number} */
  #findNode(name) {
    const names = this.#core.facts.nodes.map(node => node.name), found = names.indexOf(name);
    if (found < 0) throw new HeddleError('argument', `predict: output: no node "${name}"${suggest(String(name), names)}`);
    return found;
  }

  /**
   * The loss of all rows as one batch, penalties included, and its gradient for every weight. Changes no weight.
   * @param {Arrays | Dataset} x inputs [rows, ...shape], or a data set with targets
   * @param {Arrays} [y] targets as of `fit`; none if x is a data set
   * @param {{ sampleWeight?: ArrayLike2, training?: boolean, seed?: number, signal?: AbortSignal }} [options] training: dropout
   *   is active, drawn from `seed` (the model's); false unless told
   * @returns {Promise<{ loss: number, gradients: NamedTensors }>} without the frozen weights
   */
  async gradients(x, y, options) {
    const core = this.#core;
    this.#checkIdle('gradients');
    checkOptions(options, ['sampleWeight', 'training', 'seed', 'signal'], 'gradients');
    const { sampleWeight, training = false, seed = this.seed, signal } = options ?? {};
    const data = this.#labelled(x, y, sampleWeight, 'gradients');
    /** @type {{ loss: number, gradients: (Float32Array<ArrayBuffer> | null)[] }} */
    const { loss, gradients } = await core.callWith('gradients', data, [{ training, seed: checkSeed(seed, 'gradients') }], { signal });
    return { loss, gradients: this.#named(gradients) };
  }

  /**
   * One step of the optimiser with gradients from elsewhere, such as the mean over several machines of what `gradients` gave them.
   * @param {{ readonly [name: string]: ArrayLike2 }} gradients of all weights that are not frozen
   * @throws {HeddleError} `argument`, `shape`; `diverged` if they are not finite (no weight has changed); `state` during a fit
   */
  async applyGradients(gradients) {
    this.#checkIdle('applyGradients');
    this.#core.compiled();
    const { weights } = this.#core.facts, values = readWeights(gradients, weights.filter(({ frozen }) => !frozen), false, 'applyGradients');
    await this.#core.call('applyGradients', [weights.map(({ name }) => values.get(name) ?? null)]);
    await this.#core.remember();
  }

  /** @param {unknown} x @param {unknown} y @param {unknown} sampleWeight @param {string} where @returns {Table | Dataset} */
  #labelled(x, y, sampleWeight, where) {
    const targets = this.#core.targetSlots;
    if (!(x instanceof Dataset)) {
      return addWeights(joinTables(readTable(x, this.#core.inputSlots, 'input', 'x'), readTable(y, targets, 'target', 'y')), sampleWeight, null);
    }
    if (y !== undefined || sampleWeight !== undefined) throw new HeddleError('argument', `${where}: a data set has its own y and sampleWeight`);
    return x;
  }

  /**
   * Puts data into the engine, where they stay for any number of calls.
   * @param {Arrays} x inputs [rows, ...shape], in a list or by name if there are several
   * @param {Arrays} [y] not needed for `predict`; needs a compiled model
   * @param {{ sampleWeight?: ArrayLike2, classWeight?: { readonly [label: number]: number } }} [options] as of `fit`
   * @returns {Promise<Dataset>}
   */
  async dataset(x, y, options) {
    const core = this.#core;
    core.checkUsable('dataset');
    checkOptions(options, ['sampleWeight', 'classWeight'], 'dataset');
    let table = readTable(x, core.inputSlots, 'input', 'x');
    if (y !== undefined) {
      table = joinTables(table, readTable(y, core.targetSlots, 'target', 'y'));
      table = addWeights(table, options?.sampleWeight, core.classWeight(options?.classWeight));
    } else if (options?.sampleWeight !== undefined || options?.classWeight !== undefined) {
      throw new HeddleError('argument', 'dataset: weights are for data with y');
    }
    return Dataset.create((await core.open()).client, table);
  }

  /** All weights, by name, in layer order. @returns {Promise<NamedTensors>} */
  async getWeights() {
    this.#core.checkUsable('getWeights');
    return this.#named(await this.#core.readWeights());
  }

  /** @param {(Float32Array<ArrayBuffer> | null)[]} values @returns {NamedTensors} */
  #named(values) {
    return Object.fromEntries(this.#core.facts.weights.flatMap(({ name, shape }, i) => {
      const data = values[i];
      return data ? [[name, { data, shape: [...shape] }]] : [];
    }));
  }

  /**
   * Sets the weights. All or none: after an error the model has its old ones.
   * @param {{ readonly [name: string]: ArrayLike2 }} weights by the names that `getWeights` gives, in the same shapes
   * @param {{ partial?: boolean }} [options] partial: weights that are not given stay; false unless told
   * @throws {HeddleError} `argument` for unknown or missing names and for values that are not finite, `shape`, `state` during a
   *   fit
   */
  async setWeights(weights, options) {
    this.#checkIdle('setWeights');
    checkOptions(options, ['partial'], 'setWeights');
    const { facts } = this.#core, values = readWeights(weights, facts.weights, options?.partial ?? false, 'setWeights');
    await this.#core.writeWeights(facts.weights.map(({ name }) => values.get(name) ?? null));
  }

  /**
   * Saves the model - description, weights, what it is compiled for - in one safetensors file.
   * @overload
   * @param {'bytes'} target nothing is stored: the file comes back
   * @param {SaveModelOptions} [options]
   * @returns {Promise<Uint8Array>}
   */
  /**
   * @overload
   * @param {'blob'} target the same as a Blob
   * @param {SaveModelOptions} [options]
   * @returns {Promise<Blob>} of the type application/octet-stream
   */
  /**
   * @overload
   * @param {string | URL} target a path (Node; replaced atomically), indexeddb://name, opfs://path/name or download://name
   * @param {SaveModelOptions} [options]
   * @returns {Promise<void>}
   * @throws {HeddleError} `argument` for an unknown target, `unsupported`, `storage`
   */
  /**
   * @param {string | URL} target
   * @param {SaveModelOptions} [options]
   * @returns {Promise<any>}
   */
  async save(target, options) {
    const core = this.#core;
    core.checkUsable('save');
    checkOptions(options, ['metadata', 'preprocessing', 'includeOptimizer', 'signal'], 'save');
    const { checkJson, writeArchive } = await part(import('./archive.js')); // here and in load: most programs never need it
    const extras = {
      metadata: checkJson(options?.metadata === undefined ? this.metadata : options.metadata, 'save: metadata'),
      preprocessing: checkJson(options?.preprocessing === undefined ? this.preprocessing : options.preprocessing, 'save: preprocessing'),
    };
    const state = options?.includeOptimizer ? await core.readOptimizer() : null, weights = state?.weights ?? await core.readWeights();
    const bytes = writeArchive({ description: core.description, config: core.config, ...extras }, core.facts, weights, state);
    return saveTo(target, bytes, { signal: options?.signal });
  }

  /** Frees the engine's memory, and stops a fit of this model. More calls do nothing. */
  dispose() {
    if (!this.#core.isDisposed) this.#core.dispose();
  }

  /** @param {string} method */
  #checkIdle(method) {
    this.#core.checkUsable(method);
    if (this.#core.isFitting) throw new HeddleError('state', `${method}: the model is being fitted; wait for that, or stop it with its signal`);
  }
}

// `using net = await sequential(...)`, where the platform has it.
if (Symbol.dispose) Object.defineProperty(Model.prototype, Symbol.dispose, { value: Model.prototype.dispose, configurable: true, writable: true });

/** `fit(generator, options)` has no y. @param {any} x @param {any} y @param {any} options @returns {[any, any, any]} */
function fitArguments(x, y, options) {
  const isShort = options === undefined && (typeof x === 'function' || x instanceof Dataset
    || (typeof x === 'object' && x !== null && (Symbol.asyncIterator in x || typeof x.next === 'function')));
  return isShort ? [x, undefined, y] : [x, y, options];
}

/** @param {unknown} value @param {string} where @param {number[]} shape @returns {Float32Array} */
function readWeight(value, where, shape) {
  const { columns: [{ data, scale, offset }], rows } = readTable(value, [{ name: where, index: 0, shape: shape.slice(1) }], 'input', where);
  if (rows !== (shape[0] ?? 1)) throw new HeddleError('shape', `${where}: ${rows} rows, expected shape [${shape.join(', ')}]`);
  return data instanceof Float32Array && scale === 1 && offset === 0 ? data : Float32Array.from(data, element => element * scale + offset);
}

/** Values for weights, by name. @param {{ readonly [name: string]: ArrayLike2 }} given @param {{ name: string, shape: number[] }[]} weights
 * @param {boolean} partial @param {string} where @returns {Map<string, Float32Array>} */
function readWeights(given, weights, partial, where) {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new HeddleError('argument', `${where}: expected an object of arrays by the names of weights, got ${kindOf(given)}`);
  }
  checkNames(Object.keys(given), weights.map(({ name }) => name), partial, where);
  return new Map(weights.filter(({ name }) => name in given).map(({ name, shape }) => [name, readWeight(given[name], `${where}: "${name}"`, shape)]));
}

/** A model's core, for modules of this library. @param {Model} model @param {string} where @returns {Core} */
export function coreOf(model, where) {
  if (!(model instanceof Model)) throw new HeddleError('argument', `${where}: expected a model, got ${kindOf(model)}`);
  return Model.coreOf(key, model);
}

/** For other modules of heddle: a model of a description. @param {ModelDescription} description
 * @param {{ metadata?: Json, preprocessing?: Json }} [extras] @param {number} [most] elements of all weights, as many as a file has */
export async function build(description, extras = {}, most) {
  const model = new Model(key, description, extras), core = Model.coreOf(key, model);
  await core.open(most);
  return { model, core };
}

/**
 * A model whose layers follow one another.
 * @param {readonly LayerSpec[]} layers the first is layers.input({ shape }), or has an inputShape
 * @param {ModelOptions} [options]
 * @returns {Promise<Model>}
 * @throws {HeddleError} `argument`, `shape` or `unsupported`, naming the layer; `memory`
 */
export async function sequential(layers, options) {
  return (await build(describeSequential(layers, options))).model;
}

/**
 * A model of any graph, drawn with `input` and `apply`.
 * @param {{ inputs: SymbolicTensor | readonly SymbolicTensor[], outputs: SymbolicTensor | readonly SymbolicTensor[] }
 *   & ModelOptions} options what `input` gave, and of what `apply` gave those whose values `predict` gives
 * @returns {Promise<Model>}
 * @throws {HeddleError} as `sequential`
 */
export async function model(options) {
  return (await build(describeGraph(options))).model;
}

/**
 * Loads a model that `save` has written: its layers, its weights, what it was compiled for, and the optimiser's state if that was included.
 * @param {Source} source bytes, a Blob or File, a Response, a URL, a path (Node), indexeddb://name or opfs://path/name
 * @param {{ signal?: AbortSignal }} [options] signal: its abort stops the reading; the call then rejects with its reason
 * @returns {Promise<Model>}
 * @throws {HeddleError} `file` if it is malformed, `unsupported` if it is of a later version, `storage` if it can't be read
 */
export async function load(source, options) {
  checkOptions(options, ['signal'], 'load');
  const { blame, readArchive, readState, room } = await part(import('./archive.js'));
  const { description, config, weights, optimizer, ...extras } = readArchive(await loadFrom(source, options));
  /** @type {Model | undefined} */
  let made;
  try {
    const { model, core } = await build(description, extras, room(weights.values()));
    made = model;
    await model.setWeights(Object.fromEntries(weights));
    if (config) await core.compile(config);
    if (optimizer) await core.writeOptimizer(readState(core.facts, optimizer));
    return model;
  } catch (cause) {
    made?.dispose();
    return blame(cause, 'load');
  }
}
