/** Kernel ridge regression on samples whose features come in blocks, in the engine. */
import { HeddleError } from '../errors.js';
import { connect } from '../session.js';

/** @import { Client } from '../rpc.js' */

/** In the order of C. */
export const kernelNames = /** @type {const} */ (['linear', 'rbf', 'arcCosine0', 'arcCosine1']);

export class Kernels {
  #client;
  #id;

  /** @param {Client} client @param {number} id */
  constructor(client, id) {
    this.#client = client;
    this.#id = id;
  }

  /** @param {number} samples */
  static async open(samples) {
    const client = await connect();
    return new Kernels(client, await client.call('kernelsNew', [samples]));
  }

  /** @param {string} method @param {unknown[]} args @param {AbortSignal} [signal] @returns {Promise<any>} */
  async #call(method, args, signal) {
    if (this.#client.isDead) throw new HeddleError('state', 'the kernel sums went with their engine, which has ended');
    return this.#client.call(method, [this.#id, ...args], { signal });
  }

  /** More features of all samples. @param {Float32Array} block [samples, features] @param {AbortSignal} [signal] */
  async add(block, signal) {
    await this.#call('kernelsAdd', [Float64Array.from(block)], signal);
  }

  /** Median of ||u - v||^2 over all pairs. @returns {Promise<number>} */
  async median() {
    return this.#call('kernelsMedian', []);
  }

  /**
   * @param {{ kernel: typeof kernelNames[number], gamma: number, lambda: number }} how
   * @param {Float64Array} targets [samples, q]
   * @param {AbortSignal} [signal]
   * @returns {Promise<{ alpha: Float64Array<ArrayBuffer>, leftOut: Float64Array<ArrayBuffer> }>} alpha = (K + lambda I)^-1 T; leftOut: what would
   *   be predicted for each sample without it
   */
  async ridge({ kernel, gamma, lambda }, targets, signal) {
    return this.#call('kernelsRidge', [{ kernel: kernelNames.indexOf(kernel), gamma, lambda }, targets], signal);
  }

  dispose() {
    this.#client.notify('kernelsFree', [this.#id]);
  }
}
