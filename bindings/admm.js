/** Least squares in a ball by the alternating direction method of multipliers, whole or in parts. */
import { HeddleError, checkOptions, kindOf, suggest, wholeNumber } from './errors.js';

/** @import { Client } from './rpc.js' */
/** @import { AdmmStats } from './solver.js' */
/** @typedef {object} Coefficients @property {Float64Array<ArrayBuffer>} data row by row: those of each target
 * @property {[number, number]} shape [targets, features] */

const names = /** @type {const} */ (['O', 'Z', 'U']);

const dropped = new FinalizationRegistry((/** @type {{ client: Client, id: number }} */ { client, id }) => client.notify('admmFree', [id]));

/** For this module and gram.js: finite numbers. @param {unknown} value @param {number} length @param {string} where @returns {Float64Array} */
export function doubles(value, length, where) {
  const given = typeof value === 'object' && value !== null && 'data' in value ? value.data : value;
  if (!Array.isArray(given) && !ArrayBuffer.isView(given)) {
    throw new HeddleError('argument', `${where}: expected an array of ${length} numbers, got ${kindOf(given)}`);
  }
  const data = Float64Array.from(/** @type {Iterable<number>} */ (/** @type {unknown} */ (given)));
  if (data.length !== length) throw new HeddleError('shape', `${where}: ${data.length} numbers, expected ${length}`);
  const bad = data.findIndex(v => !Number.isFinite(v));
  if (bad >= 0) throw new HeddleError('argument', `${where}[${bad}] = ${data[bad]}, expected a finite number`);
  return data;
}

/**
 * An iteration for min sum |t - O y|^2 with ||O||_F <= radius (Boyd et al., "Distributed optimization and statistical learning via the
 * alternating direction method of multipliers", 2011): O = (C + s (Z - U)) (G + s I)^-1; Z = P(O + U), P the projection on the ball;
 * U = U + O - Z. Starts with zeros. Z is the result: it is in the ball at any time. Made by Gram.admm().
 */
export class Admm {
  #client;
  #id;
  #shape;
  #isDisposed = false;

  /** @param {Client} client @param {number} id @param {[number, number]} shape */
  constructor(client, id, shape) {
    this.#client = client;
    this.#id = id;
    this.#shape = shape;
    dropped.register(this, { client, id }, this);
  }

  /** @param {string} method @param {unknown[]} args @param {AbortSignal} [signal] @returns {Promise<any>} */
  async #call(method, args, signal) {
    if (this.#isDisposed) throw new HeddleError('state', 'the ADMM iteration has been disposed of');
    return this.#client.call(method, [this.#id, ...args], { signal });
  }

  /**
   * Whole iterations.
   * @param {number} [iterations] at most, 1 unless told
   * @param {{ tolerance?: number, signal?: AbortSignal }} [options] tolerance: ends when primal <= tolerance x primalScale and dual
   *   <= tolerance x dualScale; 0 unless told: never
   * @returns {Promise<AdmmStats[]>} after each iteration
   */
  async step(iterations = 1, options = {}) {
    checkOptions(options, ['tolerance', 'signal'], 'Admm.step');
    const { tolerance = 0, signal } = options;
    if (!(tolerance >= 0 && tolerance < Infinity)) throw new HeddleError('argument', `Admm.step: tolerance = ${String(tolerance)}, expected a finite number, at least 0`);
    return this.#call('admmStep', [wholeNumber(iterations, 'Admm.step: iterations', 1, 1), tolerance], signal);
  }

  /** O from Z and U. */
  async local() {
    await this.#call('admmPart', ['local']);
  }

  /** Z = P(Z), the projection on the ball. */
  async project() {
    await this.#call('admmPart', ['project']);
  }

  /** U = U + O - Z. */
  async dual() {
    await this.#call('admmPart', ['dual']);
  }

  /**
   * One of the variables as it is now.
   * @param {'O' | 'Z' | 'U'} name O: the coefficients before the projection; Z: those in the ball; U: the sum of O - Z so far
   * @returns {Promise<Coefficients>} a copy
   */
  async values(name) {
    const [targets, features] = this.#shape;
    return { data: await this.#call('admmRead', [this.#checked(name)]), shape: [targets, features] };
  }

  /** Gives a variable other values. @param {'O' | 'Z' | 'U'} name as of `values` @param {Coefficients | ArrayLike<number>} values [targets, features] */
  async set(name, values) {
    await this.#call('admmWrite', [this.#checked(name), doubles(values, this.#shape[0] * this.#shape[1], `Admm.set: ${name}`)]);
  }

  /** @param {string} name */
  #checked(name) {
    if (!names.includes(/** @type {'O'} */ (name))) throw new HeddleError('argument', `Admm: unknown variable "${name}"${suggest(String(name), names)}`);
    return name;
  }

  /** Where it stands; residuals are NaN before the first iteration. @returns {Promise<AdmmStats>} */
  async stats() {
    return this.#call('admmStats', []);
  }

  /** Frees the engine's memory. More calls do nothing. */
  dispose() {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    dropped.unregister(this);
    this.#client.notify('admmFree', [this.#id]);
  }
}
if (Symbol.dispose) Object.defineProperty(Admm.prototype, Symbol.dispose, { value: Admm.prototype.dispose, configurable: true, writable: true });
