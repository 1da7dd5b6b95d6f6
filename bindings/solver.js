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
 * @property {number} known features whose sums are there
 */
/**
 * Sums over J samples of features y [n] and targets t [q].
 * @typedef {object} GramValues
 * @property {Float64Array<ArrayBuffer>} g sum y y^T [n, n], row by row, of which the lower triangle counts
 * @property {Float64Array<ArrayBuffer>} c sum t y^T [q, n], row by row
 * @property {number} samples how many there are: J
 * @property {number} targetSquares sum |t|^2
 */

/**
 * Ridge regression for several lambdas.
 * @typedef {object} RidgePath
 * @property {Float64Array<ArrayBuffer>} cost sum |t - O y|^2
 * @property {Float64Array<ArrayBuffer>} df degrees of freedom: trace of G (G + lambda I)^-1. Generalised cross-validation chooses the
 *   lambda of least J cost / (J - df)^2 (Golub, Heath & Wahba 1979)
 * @property {Float64Array<ArrayBuffer>} norm ||O||_F
 */
/**
 * Where ADMM stands after an iteration.
 * @typedef {object} AdmmStats
 * @property {number} penalty s
 * @property {number} primal ||O - Z||_F
 * @property {number} dual s ||Z - old Z||_F
 * @property {number} primalScale the larger of ||O||_F and ||Z||_F, to which `primal` is to be compared
 * @property {number} dualScale s times the larger of ||U||_F and ||Z||_F (U vanishes where the ball does not bind), to which `dual` is
 * @property {number} cost sum |t - Z y|^2
 */

/** hd_gram_values, hd_admm_values and hd_admm_stat */
const which = { g: 0, c: 1, totals: 2 }, variables = { O: 0, Z: 1, U: 2 }, statistics = { penalty: 0, primal: 1, dual: 2, cost: 3 };
/** Rows are added in pieces of about this many multiply-adds, so that aborts and other calls get through. */
const pieceWork = 2e9;

export class Solver {
  #engine;
  /** @type {Map<number, { handle: number, features: number, targets: number }>} */
  #grams = new Map();
  /** @type {Map<number, { handle: number, size: number }>} */
  #admms = new Map();
  /** @type {Map<number, { handle: number, samples: number }>} */
  #kernels = new Map();

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
  async gramAdd(id, source, { model, node, batchSize, sign, known }, context) {
    const engine = this.#engine, data = engine.data.open(source), { features, targets } = this.#gram(id);
    const piece = Math.max(1, Math.floor(pieceWork / features / (features + targets) / batchSize)) * batchSize;
    /** @param {number} begin @param {number} end @param {number} direction */
    const add = (begin, end, direction) => {
      const network = model ? engine.model(model).handle : 0, { handle } = this.#gram(id);
      engine.work(() => engine.heap.call('hd_gram_add', handle, network, node, data.handle, begin, end, batchSize, direction, known));
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

  /** @param {number} id @param {Float64Array} lambdas @returns {RidgePath} */
  gramPath(id, lambdas) {
    const engine = this.#engine, { handle } = this.#gram(id), count = lambdas.length;
    const cost = new Float64Array(count), df = new Float64Array(count), norm = new Float64Array(count);
    engine.work(() => engine.heap.call('hd_gram_path', handle, count, lambdas, inOut(cost), inOut(df), inOut(norm)));
    return { cost, df, norm };
  }

  /** @param {number} id @param {number} radius @returns {{ coef: Float64Array<ArrayBuffer>, lambda: number }} */
  gramSecular(id, radius) {
    const engine = this.#engine, { handle, features, targets } = this.#gram(id);
    const coef = new Float64Array(targets * features), used = new Float64Array(1);
    engine.work(() => engine.heap.call('hd_gram_secular', handle, radius, inOut(coef), inOut(used)));
    return { coef, lambda: used[0] };
  }

  // --- ADMM ---

  /** @param {number} gram @param {number} penalty 0: its default @param {number} radius 0: none @returns {number} id */
  admmNew(gram, penalty, radius) {
    const engine = this.#engine, { handle: sums, features, targets } = this.#gram(gram);
    const handle = engine.made(engine.heap.call('hd_admm_new', sums, penalty, radius)), id = engine.nextId();
    this.#admms.set(id, { handle, size: features * targets });
    return id;
  }

  /** @param {number} id */
  admmFree(id) {
    const admm = this.#admms.get(id);
    this.#admms.delete(id);
    if (admm) this.#engine.heap.call('hd_admm_free', admm.handle);
  }

  /** @param {number} id */
  #admm(id) {
    const admm = this.#admms.get(id);
    if (!admm) throw new HeddleError('state', 'the ADMM iteration has been disposed of');
    return admm;
  }

  /**
   * Iterates until both residuals are below the tolerance times their scales.
   * @param {number} id
   * @param {number} iterations at most
   * @param {number} tolerance 0: all iterations
   * @param {CallContext} context
   * @returns {Promise<AdmmStats[]>} after each iteration
   */
  async admmStep(id, iterations, tolerance, context) {
    const engine = this.#engine;
    /** @type {AdmmStats[]} */
    const history = [];
    for (let converged = false; history.length < iterations && !converged;) {
      await context.breathe();
      const { handle } = this.#admm(id);
      engine.work(() => engine.heap.call('hd_admm_step', handle, 1));
      const stats = this.admmStats(id), { primal, dual, primalScale, dualScale } = stats;
      history.push(stats);
      converged = tolerance > 0 && primal <= tolerance * primalScale && dual <= tolerance * dualScale;
    }
    return history;
  }

  /** @param {number} id @param {'local' | 'project' | 'dual'} part */
  admmPart(id, part) {
    const engine = this.#engine, { handle } = this.#admm(id);
    engine.work(() => engine.heap.call(`hd_admm_${part}`, handle));
  }

  /** @param {number} id @param {keyof typeof variables} name @returns {Float64Array<ArrayBuffer>} */
  admmRead(id, name) {
    const { handle, size } = this.#admm(id);
    return this.#engine.heap.doubles(size, 'hd_admm_values', handle, variables[name]);
  }

  /** @param {number} id @param {keyof typeof variables} name @param {Float64Array} data */
  admmWrite(id, name, data) {
    this.#engine.heap.fill(data, 'hd_admm_values', this.#admm(id).handle, variables[name]);
  }

  /** @param {number} id @returns {AdmmStats} */
  admmStats(id) {
    const { handle } = this.#admm(id), { heap } = this.#engine;
    /** @param {keyof typeof statistics} name */
    const stat = name => heap.call('hd_admm_stat', handle, statistics[name]);
    /** @param {keyof typeof variables} name */
    const norm = name => Math.sqrt(this.admmRead(id, name).reduce((sum, v) => sum + v * v, 0));
    const penalty = stat('penalty'), o = norm('O'), z = norm('Z'), u = norm('U');
    return {
      penalty, primal: stat('primal'), dual: stat('dual'), primalScale: Math.max(o, z), dualScale: penalty * Math.max(u, z), cost: stat('cost'),
    };
  }

  /** @param {number} samples @returns {number} id */
  kernelsNew(samples) {
    const engine = this.#engine, handle = engine.made(engine.heap.call('hd_kernels_new', engine.context, samples)), id = engine.nextId();
    this.#kernels.set(id, { handle, samples });
    return id;
  }

  /** @param {number} id */
  kernelsFree(id) {
    const kernels = this.#kernels.get(id);
    this.#kernels.delete(id);
    if (kernels) this.#engine.heap.call('hd_kernels_free', kernels.handle);
  }

  /** @param {number} id */
  #findKernels(id) {
    const kernels = this.#kernels.get(id);
    if (!kernels) throw new HeddleError('state', 'the kernel sums have been disposed of');
    return kernels;
  }

  /** @param {number} id @param {Float64Array} block [samples, features] */
  kernelsAdd(id, block) {
    const engine = this.#engine, { handle, samples } = this.#findKernels(id);
    engine.work(() => engine.heap.call('hd_kernels_add', handle, block.length / samples, block));
  }

  /** @param {number} id @returns {number} */
  kernelsMedian(id) {
    const engine = this.#engine, { status, value } = engine.heap.number('hd_kernels_median', this.#findKernels(id).handle);
    engine.check(status);
    return value;
  }

  /** @param {number} id @param {{ kernel: number, gamma: number, lambda: number }} how @param {Float64Array} targets [samples, q]
   * @returns {{ alpha: Float64Array<ArrayBuffer>, leftOut: Float64Array<ArrayBuffer> }} */
  kernelsRidge(id, { kernel, gamma, lambda }, targets) {
    const engine = this.#engine, { handle, samples } = this.#findKernels(id), q = targets.length / samples;
    const alpha = new Float64Array(targets.length), leftOut = new Float64Array(targets.length);
    engine.work(() => engine.heap.call('hd_kernels_ridge', handle, kernel, gamma, lambda, q, targets, inOut(alpha), inOut(leftOut)));
    return { alpha, leftOut };
  }
}
