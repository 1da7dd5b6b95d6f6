/** A model as its parts see it: its description, and its copy in the running engine, made again if the engine died. */
import { namedScores, planCompile, scoreNames } from './compile.js';
import { packed, readClassWeight } from './data.js';
import { HeddleError } from './errors.js';
import { planModel } from './graph.js';
import { connect } from './session.js';

/** @import { CompileConfig } from './compile.js' */
/** @import { Slot } from './data.js' */
/** @import { CompileFacts, ModelFacts, Score, Source, Table } from './engine.js' */
/** @import { ModelDescription } from './graph.js' */
/** @import { OptimizerState } from './trainer.js' */
/** @import { CallOptions, Client } from './rpc.js' */
/** @import { Dataset } from './dataset.js' */

/** Frees the engine's copy of a model that was dropped without dispose(). */
const dropped = new FinalizationRegistry((/** @type {{ place: { client: Client, id: number } | null }} */ { place }) => {
  place?.client.notify('disposeModel', [place.id]);
});

export class Core {
  /** Where the engine's copy is; an object of its own, so that the registry does not hold the model.
   * @type {{ place: { client: Client, id: number } | null }} */
  #home = { place: null };
  /** @type {Promise<{ client: Client, id: number }> | null} */
  #opening = null;
  /** Weights to put into a new copy; null: those of the seed. @type {Float32Array[] | null} */
  #snapshot = null;
  #isDisposed = false;
  /** @type {ModelFacts | null} */
  #facts = null;
  /** @type {CompileConfig | null} */
  config = null;
  /** @type {CompileFacts | null} */
  #compiled = null;
  isFitting = false;
  /** Fits so far, which the default seed of the next depends on. */
  fitCount = 0;

  /** @param {ModelDescription} description @param {object} owner whose end is the model's end */
  constructor(description, owner) {
    this.description = description;
    dropped.register(owner, this.#home, this);
  }

  /** @returns {ModelFacts} */
  get facts() {
    if (!this.#facts) throw new HeddleError('state', 'the model has not been built');
    return this.#facts;
  }

  get isDisposed() {
    return this.#isDisposed;
  }

  /** @returns {string[]} */
  get outputNames() {
    return this.facts.outputs.map(node => this.facts.nodes[node].name);
  }

  /** What inputs look like. @returns {Slot[]} */
  get inputSlots() {
    return this.facts.inputs.map((node, index) => ({ index, name: this.facts.nodes[node].name, shape: this.facts.nodes[node].shape }));
  }

  /** What targets look like, of the outputs that want some. @returns {Slot[]} */
  get targetSlots() {
    const { targetSizes } = this.compiled();
    return this.facts.outputs.flatMap((node, index) => {
      const { name, shape } = this.facts.nodes[node], size = targetSizes[index];
      const isWhole = size === shape.reduce((a, b) => a * b, 1);
      return size === 0 ? [] : [{ index, name, shape: isWhole ? shape : shape.slice(0, -1) }];
    });
  }

  /** @returns {CompileFacts} */
  compiled() {
    if (!this.#compiled) throw new HeddleError('state', 'the model is not compiled: call compile({ optimizer, loss }) first');
    return this.#compiled;
  }

  /** Numbers that the optimiser keeps for each parameter; undefined while the model is not compiled. */
  get slots() {
    return this.#compiled?.slots;
  }

  /** @param {Score} score @param {string} [prefix] */
  named(score, prefix) {
    return namedScores(score, this.scoreNames, prefix);
  }

  get scoreNames() {
    this.compiled();
    return scoreNames(/** @type {CompileConfig} */ (this.config), this.outputNames);
  }

  /** @param {unknown} given { label: weight } or undefined */
  classWeight(given) {
    const [{ index }] = this.targetSlots, last = this.facts.nodes[this.facts.outputs[index]].shape.at(-1) ?? 1;
    return readClassWeight(given, last === 1 ? 2 : last);
  }

  /** @param {string} method for the sentence */
  checkUsable(method) {
    if (this.#isDisposed) throw new HeddleError('state', `${method}: the model has been disposed of`);
  }

  /** The engine's copy of this model. @param {number} [most] see Engine.build @returns {Promise<{ client: Client, id: number }>} */
  async open(most) {
    await null; // an init of the same moment takes this call to its engine
    const { place } = this.#home;
    if (place && !place.client.isDead) return place;
    this.#opening ??= this.#rebuild(most).finally(() => { this.#opening = null; });
    return this.#opening;
  }

  /** @param {number} [most] */
  async #rebuild(most) {
    const client = await connect();
    this.#facts = /** @type {ModelFacts} */ (await client.call('build', [planModel(this.description), most]));
    const place = { client, id: this.#facts.id };
    try {
      if (this.#snapshot) await client.call('writeWeights', [place.id, this.#snapshot]);
      if (this.config) this.#compiled = await client.call('compile', [place.id, planCompile(this.config, this.outputNames)]);
    } catch (error) { // no memory, say: the next call tries again
      client.notify('disposeModel', [place.id]);
      throw error;
    }
    this.#home.place = place;
    if (this.#isDisposed) this.dispose();
    return place;
  }

  /**
   * A call about this model: its id is put before the arguments.
   * @param {string} method of Engine or Trainer
   * @param {unknown[]} args
   * @param {CallOptions} [options]
   * @returns {Promise<any>}
   */
  async call(method, args, options) {
    const { client, id } = await this.open();
    return client.call(method, [id, ...args], options);
  }

  /**
   * The same with data as first argument.
   * @param {string} method
   * @param {Table | Dataset} data
   * @param {unknown[]} args
   * @param {CallOptions} [options]
   * @returns {Promise<any>}
   */
  async callWith(method, data, args, options) {
    const { client, id } = await this.open(), { source, transfer } = toSource(data, client);
    return client.call(method, [id, source, ...args], { ...options, transfer });
  }

  /** @param {CompileConfig} config */
  async compile(config) {
    const { client, id } = await this.open();
    try {
      this.#compiled = await client.call('compile', [id, planCompile(config, this.outputNames)]);
      this.config = config;
    } catch (error) { // the engine forgot the old one when it met the mistake in the new one
      if (this.config && !client.isDead) await client.call('compile', [id, planCompile(this.config, this.outputNames)]);
      throw error;
    }
  }

  /** @param {(Float32Array | null)[]} weights in the order of the facts; null leaves one as it is */
  async writeWeights(weights) {
    await this.call('writeWeights', [weights]);
    await this.remember();
  }

  /** @returns {Promise<Float32Array<ArrayBuffer>[]>} */
  readWeights() {
    return this.call('readWeights', []);
  }

  /** @returns {Promise<OptimizerState & { weights: Float32Array<ArrayBuffer>[] }>} with the weights of the same moment */
  async readOptimizer() {
    this.compiled();
    return this.call('readOptimizer', []);
  }

  /** @param {OptimizerState} state of a model that was compiled like this one */
  writeOptimizer(state) {
    return this.call('writeOptimizer', [state]);
  }

  /** Keeps the present weights for the case that the engine dies. */
  async remember() {
    this.#snapshot = await this.readWeights();
  }

  dispose() {
    this.#isDisposed = true;
    const { place } = this.#home;
    this.#home.place = this.#snapshot = null;
    dropped.unregister(this);
    place?.client.notify('disposeModel', [place.id]);
  }
}

/** @param {Table | Dataset} data @param {Client} client @returns {{ source: Source, transfer: ArrayBuffer[] }} */
export function toSource(data, client) {
  if ('columns' in data) {
    const { table, transfer } = packed(data, client.inWorker);
    return { source: table, transfer };
  }
  return { source: data.idFor(client), transfer: [] };
}
