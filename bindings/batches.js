/** Batches from generators: an (async) iterable, or a function that returns one. */
import { addWeights, joinTables, readTable } from './data.js';
import { HeddleError, checkOptions, kindOf } from './errors.js';

/** @import { Core } from './core.js' */
/** @import { Arrays, ArrayLike2 } from './data.js' */
/** @import { Table } from './engine.js' */
/** @typedef {{ x: Arrays, y: Arrays, sampleWeight?: ArrayLike2 } | readonly [Arrays, Arrays, ArrayLike2?]} Batch inputs and targets of a batch, and a factor >= 0 on
 *   the loss of each row: as `fit` takes them */
/** @typedef {Iterable<Batch> | AsyncIterable<Batch>} Batches what a generator gives, one after the other */
/** @typedef {Batches | ((pass: number) => Batches | Promise<Batches>)} BatchSource an iterable that can be gone through again, or a function, is
 *   asked again when it has ended. pass: how often it has ended, from 0. A fit that goes on from a checkpoint asks for the pass it is in: what a
 *   function gives must depend on nothing but that number */

/** Where a reader is: how often it has asked the source, the batches taken since, and whether it has not ended since.
 * @typedef {{ passes: number, taken: number, isOpen: boolean }} Position */

/** @param {unknown} x @returns {x is BatchSource} */
export function isBatchSource(x) {
  if (typeof x === 'function') return true;
  if (typeof x !== 'object' || x === null || Array.isArray(x) || ArrayBuffer.isView(x)) return false;
  return Symbol.asyncIterator in x || Symbol.iterator in x;
}

/** @param {unknown} batch @param {Core} core @param {string} where @returns {Table} */
function toTable(batch, core, where) {
  const isPair = Array.isArray(batch) && (batch.length === 2 || batch.length === 3);
  if (!isPair) {
    if (typeof batch !== 'object' || batch === null || Array.isArray(batch) || !('x' in batch)) {
      throw new HeddleError('argument', `${where}: expected { x, y } or [x, y], got ${kindOf(batch)}`);
    }
    checkOptions(batch, ['x', 'y', 'sampleWeight'], where);
  }
  const { x, y, sampleWeight } = isPair ? { x: batch[0], y: batch[1], sampleWeight: batch[2] } : /** @type {Record<string, unknown>} */ (batch);
  const inputs = readTable(x, core.inputSlots, 'input', `${where}: x`);
  return addWeights(joinTables(inputs, readTable(y, core.targetSlots, 'target', `${where}: y`)), sampleWeight, null);
}

/** Goes through a source, again and again if it can be asked again. */
export class BatchReader {
  #source;
  #core;
  /** @type {Iterator<unknown> | AsyncIterator<unknown> | null} */
  #iterator = null;
  #count = 0;
  #passes = 0;
  #taken = 0;

  /** @param {BatchSource} source @param {Core} core */
  constructor(source, core) {
    this.#source = source;
    this.#core = core;
  }

  /** The next batch; null at an end, after which the source is asked again. @returns {Promise<Table | null>} */
  async next() {
    const isFirst = this.#iterator === null;
    if (!this.#iterator) {
      this.#iterator = await this.#begin(this.#passes);
      [this.#passes, this.#taken] = [this.#passes + 1, 0];
    }
    const { done, value } = await this.#iterator.next();
    if (!done) {
      this.#taken++;
      return toTable(value, this.#core, `batch ${this.#count++}`);
    }
    this.#iterator = null;
    if (isFirst) throw new HeddleError('argument', `fit: the generator has ended after ${this.#count} batches; give a function, so that it can begin anew`);
    return null;
  }

  /** @returns {Position} */
  get position() {
    return { passes: this.#passes, taken: this.#taken, isOpen: this.#iterator !== null };
  }

  /** The source is an iterator, which can be gone through once. */
  get isOneShot() {
    return typeof this.#source === 'object' && 'next' in this.#source;
  }

  /** It can be gone through from its beginning. */
  get canRewind() {
    return this.#passes === 0 || !this.isOneShot;
  }

  /**
   * Goes to a position: asks for the pass it is in, and passes over the batches that were taken.
   * @param {Position} position
   * @throws {HeddleError} `argument` if the source has fewer batches; `unsupported` if it can't begin anew
   */
  async rewind({ passes, taken, isOpen }) {
    if (!this.canRewind) throw new HeddleError('unsupported', 'fit: the generator has been begun and can\'t begin anew; give a function that returns one');
    await this.close();
    [this.#passes, this.#count, this.#taken] = [passes, 0, taken];
    if (!isOpen) return;
    this.#iterator = await this.#begin(passes - 1);
    for (let i = 0; i < taken; i++) {
      const { done } = await this.#iterator.next();
      if (done) throw new HeddleError('argument', `fit: the generator has ended after ${i} batches, the checkpoint was made after ${taken}`);
    }
  }

  /** @param {number} pass */
  async #begin(pass) {
    const iterable = typeof this.#source === 'function' ? await this.#source(pass) : this.#source;
    if (typeof iterable === 'function' || !(isBatchSource(iterable) || Array.isArray(iterable))) {
      throw new HeddleError('argument', `fit: the function returned ${kindOf(iterable)}, expected an iterable of batches`);
    }
    return Symbol.asyncIterator in iterable ? iterable[Symbol.asyncIterator]() : iterable[Symbol.iterator]();
  }

  /** Tells the source that no more is wanted. */
  async close() {
    await this.#iterator?.return?.();
    this.#iterator = null;
  }
}
