/** Closed-form solvers, beside the WebAssembly. */
import { HeddleError } from './errors.js';
import { inOut } from './heap.js';

/** @import { CallContext, Engine, Source } from './engine.js' */
/**
 * How rows become features.
 * @typedef {object} GramPass
 * @property {number} model id; 0: the rows are the features
 * @property {number} node of the model
 * @property {number} batchSize
 * @property {1 | -1} sign
 */
/** @typedef {{ g: Float64Array<ArrayBuffer>, c: Float64Array<ArrayBuffer>, samples: number, targetSquares: number }} GramValues g: [n, n], c: [q, n] */

/** hd_gram_values */
const which = { g: 0, c: 1, totals: 2 };
/** Rows are added in pieces of about this many multiply-adds, so that aborts and other calls get through. */
const pieceWork = 2e9;

export class Solver {
  #engine;
  /** @type {Map<number, { handle: number, features: number, targets: number }>} */
  #grams = new Map();

  /** @param {Engine} engine */
  constructor(engine) {
    this.#engine = engine;
  }

  /** @param {number} features @param {number} targets @returns {number} id */
  gramNew(features, targets) {
    const engine = this.#engine, handle = engine.made(engine.heap.call('hd_gram_new', engine.context, features, targets));
    const id = engine.nextId();
    this.#grams.set(id, { handle, features, targets });
    return id;
  }

  /** @param {number} id */
  gramFree(id) {
    const gram = this.#grams.get(id);
    this.#grams.delete(id);
    if (gram) this.#engine.heap.call('hd_gram_free', gram.handle);
  }

  /** @param {number} id */
  #gram(id) {
    const gram = this.#grams.get(id);
    if (!gram) throw new HeddleError('state', 'the Gram sums have been disposed of');
    return gram;
  }

  /**
   * Adds all rows, or none. Emits the number of rows done.
   * @param {number} id
   * @param {Source} source
   * @param {GramPass} pass
   * @param {CallContext} context
   */
  async gramAdd(id, source, { model, node, batchSize, sign }, context) {
    const engine = this.#engine, data = engine.open(source), { features, targets } = this.#gram(id);
    const piece = Math.max(1, Math.floor(pieceWork / features / (features + targets) / batchSize)) * batchSize;
    /** @param {number} begin @param {number} end @param {number} direction */
    const add = (begin, end, direction) => {
      const network = model ? engine.model(model).handle : 0, { handle } = this.#gram(id);
      engine.work(() => engine.heap.call('hd_gram_add', handle, network, node, data.handle, begin, end, batchSize, direction));
    };
    let done = 0;
    try {
      for (; done < data.rows; context.emit(done)) {
        await context.breathe();
        const end = Math.min(done + piece, data.rows);
        add(done, end, sign);
        done = end;
      }
    } catch (error) {
      for (let begin = 0; begin < done && this.#grams.has(id); begin += piece) add(begin, Math.min(begin + piece, done), -sign);
      throw error;
    } finally {
      data.release();
    }
  }

  /** @param {number} id */
  gramClear(id) {
    this.#engine.check(this.#engine.heap.call('hd_gram_reset', this.#gram(id).handle));
  }

  /** @param {number} id @returns {GramValues} */
  gramRead(id) {
    const { heap } = this.#engine, { handle, features, targets } = this.#gram(id);
    const [samples, targetSquares] = heap.doubles(2, 'hd_gram_values', handle, which.totals);
    return {
      g: heap.doubles(features * features, 'hd_gram_values', handle, which.g),
      c: heap.doubles(targets * features, 'hd_gram_values', handle, which.c), samples, targetSquares,
    };
  }

  /** @param {number} id @param {GramValues} values */
  gramWrite(id, { g, c, samples, targetSquares }) {
    const { heap } = this.#engine, { handle } = this.#gram(id);
    heap.fill(g, 'hd_gram_values', handle, which.g);
    heap.fill(c, 'hd_gram_values', handle, which.c);
    heap.fill(Float64Array.of(samples, targetSquares), 'hd_gram_values', handle, which.totals);
  }

  /** @param {number} id @param {number} lambda @returns {{ coef: Float64Array<ArrayBuffer>, lambda: number }} */
  gramRidge(id, lambda) {
    const engine = this.#engine, { handle, features, targets } = this.#gram(id);
    const coef = new Float64Array(targets * features), used = new Float64Array(1);
    engine.work(() => engine.heap.call('hd_gram_ridge', handle, lambda, inOut(coef), inOut(used)));
    return { coef, lambda: used[0] };
  }

  /** @param {number} id @param {Float64Array} coef @returns {number} */
  gramCost(id, coef) {
    return this.#engine.heap.call('hd_gram_cost', this.#gram(id).handle, coef);
  }
}
