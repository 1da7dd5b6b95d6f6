/** Sums over samples, and least squares from them: `heddle/solvers`. */
import { Admm, doubles } from './admm.js';
import { toSource } from './core.js';
import { joinTables, readTable } from './data.js';
import { Dataset } from './dataset.js';
import { HeddleError, checkOptions, kindOf, suggest, wholeNumber } from './errors.js';
import { coreOf } from './model.js';
import { connect } from './session.js';

/** @import { Coefficients } from './admm.js' */
/** @import { Arrays, ArrayLike2 } from './data.js' */
/** @import { GramValues, RidgePath } from './solver.js' */
/** @import { Model } from './model.js' */
/** @import { Client } from './rpc.js' */
/**
 * @typedef {object} GramAddOptions
 * @property {Model} [model] whose node's output are the features; without it the rows themselves are
 * @property {string} [node] its name; the model's first output unless told
 * @property {number} [batchSize] rows computed at a time, 1 to 4,096; 512 unless told
 * @property {1 | -1} [sign] -1 takes the rows away again; 1 unless told
 * @property {number} [known] of features that are added to others: sums of the first `known` with each other are there already, of these
 *   same rows; only those with the features after them are added. 0 unless told
 * @property {AbortSignal} [signal] all rows are added or none (but for rounding in float64)
 * @property {(progress: { rows: number, of: number }) => void} [onProgress] called after each piece of the
 *   rows, with how many are added so far, of how many
 */

/** @typedef {{ client: Client, id: number }} Place */

const dropped = new FinalizationRegistry((/** @type {{ place: Place | null }} */ { place }) => {
  place?.client.notify('gramFree', [place.id]);
});

/**
 * Sums over samples, in float64: G = sum y y^T, C = sum t y^T, sum |t|^2 and their number, of features y [n] and targets t [q]. All that
 * least squares needs, whatever the number of samples: memory n^2 + q n. They live in the engine; `dispose()` frees them.
 */
export class Gram {
  /** Where the engine's sums are; an object of its own, so that the registry does not hold this. @type {{ place: Place | null }} */
  #home = { place: null };
  /** @type {Promise<Place> | null} */
  #opening = null;
  #isDisposed = false;

  /** @param {{ features: number, targets: number }} sizes features: n, 1 to 16,384; targets: q, 1 to 4,096 */
  constructor(sizes) {
    checkOptions(sizes, ['features', 'targets'], 'Gram');
    /** Features of a sample: n. @readonly */
    this.features = wholeNumber(sizes?.features, 'Gram: features', 1, NaN);
    /** Targets of a sample: q. @readonly */
    this.targets = wholeNumber(sizes?.targets, 'Gram: targets', 1, NaN);
    if (Number.isNaN(this.features + this.targets)) throw new HeddleError('argument', 'Gram: expected { features, targets }');
    dropped.register(this, this.#home, this);
  }

  /** @returns {Promise<Place>} */
  async #open() {
    if (this.#isDisposed) throw new HeddleError('state', 'the Gram sums have been disposed of');
    const { place } = this.#home;
    if (place?.client.isDead) throw new HeddleError('state', 'the Gram sums went with their engine, which has ended: make them anew');
    if (place) return place;
    this.#opening ??= this.#make().finally(() => { this.#opening = null; });
    return this.#opening;
  }

  async #make() {
    const client = await connect(), place = { client, id: await client.call('gramNew', [this.features, this.targets]) };
    this.#home.place = place;
    if (this.#isDisposed) this.dispose();
    return place;
  }

  /** @param {string} method @param {unknown[]} args @returns {Promise<any>} */
  async #call(method, ...args) {
    const { client, id } = await this.#open();
    return client.call(method, [id, ...args]);
  }

  /**
   * Adds samples.
   * @param {Arrays | Dataset} x rows of features; with `model`, its inputs
   * @param {ArrayLike2} [y] [rows, targets], or class numbers [rows] from 0 to targets - 1 for one-hot targets; none if x is a data set
   * @param {GramAddOptions} [options]
   * @throws {HeddleError} `argument`, `shape`; `diverged` if features are not finite. The sums are then as before
   */
  async add(x, y, options = {}) {
    checkOptions(options, ['model', 'node', 'batchSize', 'sign', 'known', 'signal', 'onProgress'], 'Gram.add');
    const { model, node, sign = 1, signal, onProgress } = options, batchSize = wholeNumber(options.batchSize, 'Gram.add: batchSize', 1, 512);
    if (sign !== 1 && sign !== -1) throw new HeddleError('argument', `Gram.add: sign = ${String(sign)}, expected 1 or -1`);
    const known = wholeNumber(options.known, 'Gram.add: known', 0, 0);
    if (known >= this.features) throw new HeddleError('argument', `Gram.add: known = ${known}, expected fewer than the ${this.features} features`);
    if (!model && node !== undefined) throw new HeddleError('argument', 'Gram.add: node needs a model');
    const core = model && coreOf(model, 'Gram.add: model');
    core?.checkUsable('Gram.add');
    const place = await this.#open(), home = core && await core.open();
    if (home && home.client !== place.client) throw new HeddleError('state', 'Gram.add: model and sums are in different engines');
    const slots = core?.inputSlots ?? [{ name: 'x', index: 0, shape: [this.features] }];
    if (x instanceof Dataset && y !== undefined) throw new HeddleError('argument', 'Gram.add: a data set has its own y');
    const data = x instanceof Dataset ? x : joinTables(readTable(x, slots, 'input', 'x'), readTable(y, [this.#targetSlot(y)], 'target', 'y'));
    const { source, transfer } = toSource(data, place.client), number = core ? this.#findNode(core, node) : 0;
    await place.client.call('gramAdd', [place.id, source, { model: home?.id ?? 0, node: number, batchSize, sign, known }],
      { signal, transfer, onEvent: rows => onProgress?.({ rows, of: data.rows }) });
  }

  /** Labels, or rows of targets? @param {unknown} y */
  #targetSlot(y) {
    const shape = typeof y === 'object' && y !== null && 'shape' in y && Array.isArray(y.shape) ? y.shape : null;
    const isFlat = shape ? shape.length === 1 || shape[1] === 1
      : ArrayBuffer.isView(y) || (Array.isArray(y) && (typeof y[0] === 'number' || y[0]?.length === 1));
    return { name: 'y', index: 0, shape: isFlat ? [1] : [this.targets] };
  }

  /** @param {import('./core.js').Core} core @param {string} [name] @returns {number} */
  #findNode(core, name) {
    if (name === undefined) return core.facts.outputs[0];
    const names = core.facts.nodes.map(node => node.name), found = names.indexOf(name);
    if (found < 0) throw new HeddleError('argument', `Gram.add: no node "${name}"${suggest(String(name), names)}`);
    return found;
  }

  /**
   * Ridge regression: coefficients O of least sum |t - O y|^2 + lambda ||O||^2, in float64 by Cholesky.
   * @param {number} [lambda] at least 0; 0 unless told. It is doubled until G + lambda I is positive definite, at most 30 times
   * @returns {Promise<{ coef: Coefficients, lambda: number }>} lambda: the one that worked
   * @throws {HeddleError} `diverged` if none did; `state` without samples
   */
  async ridge(lambda = 0) {
    if (typeof lambda !== 'number') throw new HeddleError('argument', `Gram.ridge: lambda must be a number, got ${kindOf(lambda)}`);
    const { coef, lambda: used } = await this.#call('gramRidge', lambda);
    return { coef: this.#coefficients(coef), lambda: used };
  }

  /**
   * What ridge gives for each of many lambdas, from one eigendecomposition of G.
   * @param {readonly number[] | Float64Array} lambdas each at least 0; 0: the least of all least squares solutions
   * @returns {Promise<RidgePath>} in the order of the lambdas
   * @throws {HeddleError} `state` without samples; `argument` for more than 8,192 features
   */
  async path(lambdas) {
    return this.#call('gramPath', doubles(lambdas, lambdas?.length ?? 0, 'Gram.path: lambdas'));
  }

  /** sum |t - O y|^2 over the samples, from the sums. @param {Coefficients | ArrayLike2} coef [targets, features] @returns {Promise<number>} */
  async cost(coef) {
    return this.#call('gramCost', doubles(coef, this.targets * this.features, 'Gram.cost: coef'));
  }

  /**
   * Least squares in a ball: coefficients O of least sum |t - O y|^2 with ||O||_F <= radius, exactly, by Newton's method on the secular
   * equation (More & Sorensen 1983).
   * @param {number} radius above 0
   * @returns {Promise<{ coef: Coefficients, lambda: number }>} lambda: the multiplier, the O is that of ridge(lambda); 0 inside the ball
   * @throws {HeddleError} `state` without samples
   */
  async secular(radius) {
    if (typeof radius !== 'number') throw new HeddleError('argument', `Gram.secular: radius must be a number, got ${kindOf(radius)}`);
    const { coef, lambda } = await this.#call('gramSecular', radius);
    return { coef: this.#coefficients(coef), lambda };
  }

  /**
   * The same by ADMM: alone, or as one worker of many. The sums are copied: this may be changed or disposed of.
   * @param {{ radius?: number, penalty?: number }} [options] radius: bound on ||Z||_F, above 0, none unless told; penalty: s, above 0,
   *   trace(G) / n unless told, which is near the best
   * @returns {Promise<Admm>}
   * @throws {HeddleError} `state` without samples; `diverged` if G + s I is not positive definite
   */
  async admm(options = {}) {
    checkOptions(options, ['radius', 'penalty'], 'Gram.admm');
    for (const name of /** @type {const} */ (['radius', 'penalty'])) {
      const value = options[name];
      if (value !== undefined && !(value > 0 && value < Infinity)) {
        throw new HeddleError('argument', `Gram.admm: ${name} = ${String(value)}, expected a finite number above 0`);
      }
    }
    const { client, id } = await this.#open();
    return new Admm(client, await client.call('admmNew', [id, options.penalty ?? 0, options.radius ?? 0]), [this.targets, this.features]);
  }

  /** The sums: g [n, n], of which the lower triangle counts; c [q, n]. @returns {Promise<GramValues>} */
  async values() {
    return this.#call('gramRead');
  }

  /** Replaces the sums, for example by those of several machines. @param {GramValues} values of as many features and targets as these; finite numbers */
  async set(values) {
    checkOptions(values, ['g', 'c', 'samples', 'targetSquares'], 'Gram.set');
    const { features: n, targets: q } = this;
    const [samples, targetSquares] = doubles([values.samples, values.targetSquares], 2, 'Gram.set: [samples, targetSquares]');
    await this.#call('gramWrite', { g: doubles(values.g, n * n, 'Gram.set: g'), c: doubles(values.c, q * n, 'Gram.set: c'), samples, targetSquares });
  }

  /** Forgets all samples. */
  async clear() {
    await this.#call('gramClear');
  }

  /** @param {Float64Array<ArrayBuffer>} data @returns {Coefficients} */
  #coefficients(data) {
    return { data, shape: [this.targets, this.features] };
  }

  /** Frees the engine's memory. More calls do nothing. */
  dispose() {
    this.#isDisposed = true;
    const { place } = this.#home;
    this.#home.place = null;
    dropped.unregister(this);
    place?.client.notify('gramFree', [place.id]);
  }
}
if (Symbol.dispose) Object.defineProperty(Gram.prototype, Symbol.dispose, { value: Gram.prototype.dispose, configurable: true, writable: true });
