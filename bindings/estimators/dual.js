/** Ridge regression from inner products of rows: for fewer rows than features. */
import { HeddleError } from '../errors.js';
import { gemm, spdSolve, syrk } from '../linalg.js';
import { oneHot } from './labels.js';
import { valuesOf } from './samples.js';
import { best, candidates, gcv, split } from './selection.js';

/** @import { LearnOptions } from './predictor.js' */
/** @import { Features, Solution } from './primal.js' */
/** @import { Samples, TrainingData } from './samples.js' */
/** @import { Choice, Path } from './selection.js' */
/** @typedef {{ data: Float64Array, shape: [number, number] }} Matrix */
/** Features and targets of rows. @typedef {{ y: Matrix, t: Matrix }} Rows */

/** Doublings of a penalty that is too small for float64, as in the primal. */
const mostDoublings = 30;

/** @param {Float64Array} data @param {number} columns @returns {Matrix} */
const matrix = (data, columns) => ({ data, shape: [data.length / columns, columns] });

/** @param {Features} features @param {Samples} x @param {Samples} y @param {number} outputs @param {boolean} isClassifier
 * @param {AbortSignal} [signal] @returns {Promise<Rows>} */
async function readRows({ model, node, size }, x, y, outputs, isClassifier, signal) {
  const { data } = await model.predict(x, { output: node, batchSize: 1024, signal });
  const targets = isClassifier ? oneHot(y.data, outputs).data : valuesOf(y);
  return { y: matrix(Float64Array.from(data), size), t: matrix(Float64Array.from(targets), outputs) };
}

/** @param {Rows} rows @param {number[]} which @returns {Rows} */
function take({ y, t }, which) {
  /** @param {Matrix} all */
  const some = ({ data, shape: [, n] }) => {
    const out = new Float64Array(which.length * n);
    for (const [i, row] of which.entries()) out.set(data.subarray(row * n, (row + 1) * n), i * n);
    return matrix(out, n);
  };
  return { y: some(y), t: some(t) };
}

/** Takes the means of columns out. @param {Matrix} matrix @returns {{ centred: Matrix, mean: Float64Array }} */
function centre({ data, shape: [rows, n] }) {
  const mean = new Float64Array(n);
  for (let i = 0; i < data.length; i++) mean[i % n] += data[i] / rows;
  return { centred: matrix(data.map((value, i) => value - mean[i % n]), n), mean };
}

/** (K + alpha I) A = T with K = Y Y^T; then O = A^T Y. */
class Equations {
  /** @param {Rows} rows @param {boolean} hasIntercept */
  constructor({ y, t }, hasIntercept) {
    const [features, targets] = [y, t].map(one => (hasIntercept ? centre(one) : { centred: one, mean: new Float64Array(one.shape[1]) }));
    this.rows = y.shape[0];
    this.hasIntercept = hasIntercept;
    this.y = features.centred;
    this.t = targets.centred;
    this.mean = features.mean;
    this.target = targets.mean;
    /** @type {Matrix | null} */
    this.k = null;
  }

  async open() {
    this.k = /** @type {Matrix} */ (await syrk(this.y));
    this.trace = Array.from({ length: this.rows }).reduce((/** @type {number} */ sum, _, i) => sum + /** @type {Matrix} */ (this.k).data[i * (this.rows + 1)], 0);
    /** trace(G) / features: the trace of Y^T Y is that of Y Y^T */
    this.scale = this.trace / this.mean.length;
    return this;
  }

  /** @param {number} wanted penalty @param {Matrix} sides @returns {Promise<{ solved: Matrix, alpha: number }>} the penalty that worked */
  async #solve(wanted, sides) {
    const { data, shape } = /** @type {Matrix} */ (this.k), least = 1e-12 * Number(this.trace) / this.mean.length;
    for (let alpha = wanted, doublings = 0; ; doublings++) {
      const a = data.slice();
      for (let i = 0; i < this.rows; i++) a[i * (this.rows + 1)] += alpha;
      try {
        return { solved: /** @type {Matrix} */ (await spdSolve({ data: a, shape }, sides)), alpha };
      } catch (error) {
        if (!(error instanceof HeddleError) || error.code !== 'diverged' || doublings === mostDoublings) throw error;
        alpha = Math.max(2 * alpha, least);
      }
    }
  }

  /** @param {number} wanted penalty */
  async ridge(wanted) {
    const { solved, alpha } = await this.#solve(wanted, this.t), n = this.mean.length;
    const { data: coef } = /** @type {Matrix} */ (await gemm(solved, this.y, { transposeA: true }));
    const intercept = this.target.map((value, k) => value - this.mean.reduce((sum, m, i) => sum + coef[k * n + i] * m, 0));
    return { coef, intercept, alpha };
  }

  /** The residuals are alpha A, and J - df = alpha tr (K + alpha I)^-1. @param {number[]} alphas @returns {Promise<Path>} */
  async gcv(alphas) {
    const { rows, trace = 0 } = this, q = this.target.length, errors = [];
    const sides = new Float64Array(rows * (q + rows)); // [T, I]
    for (let i = 0; i < rows; i++) {
      sides.set(this.t.data.subarray(i * q, (i + 1) * q), i * (q + rows));
      sides[i * (q + rows) + q + i] = 1;
    }
    for (const wanted of alphas) {
      const { solved: { data }, alpha } = await this.#solve(wanted, matrix(sides, q + rows));
      let cost = 0, left = -Number(this.hasIntercept);
      for (let i = 0; i < rows; i++) {
        left += alpha * data[i * (q + rows) + q + i];
        for (let k = 0; k < q; k++) cost += (alpha * data[i * (q + rows) + k]) ** 2;
      }
      errors.push(left > 1e-9 * rows && trace > 0 ? gcv(rows, cost, rows - left) : Infinity);
    }
    return { alphas, errors };
  }
}

/** Mean squared error of rows. @param {Rows} rows @param {{ coef: Float64Array, intercept: Float64Array }} solution */
async function errorOf({ y, t }, { coef, intercept }) {
  const { data } = /** @type {Matrix} */ (await gemm(y, matrix(coef, y.shape[1]), { transposeB: true }));
  return t.data.reduce((sum, value, i) => sum + (value - data[i] - intercept[i % intercept.length]) ** 2, 0) / y.shape[0];
}

/**
 * @param {Features} features
 * @param {TrainingData} data
 * @param {Choice} choice
 * @param {number} seed of the rows that are held out
 * @param {string} where
 * @param {LearnOptions} options
 * @param {TrainingData | null} validation
 * @returns {Promise<Solution>}
 */
export async function solveDual(features, { x, y, outputs, classes }, choice, seed, where, { signal, onProgress }, validation) {
  const hasIntercept = features.bordered !== null, rows = x.shape[0], all = await readRows(features, x, y, outputs, !!classes, signal);
  const whole = new Equations(all, hasIntercept);
  if (choice.alphas === null) return { ...await (await whole.open()).ridge(choice.alpha), path: null, rows };
  if (choice.selection === 'gcv') {
    const path = await (await whole.open()).gcv(candidates(choice, Number(whole.scale)) ?? []);
    return { ...await whole.ridge(best(path, where)), path, rows };
  }
  const { train, held } = validation ? { train: null, held: [] } : split(rows, 0, choice.validationFraction, seed);
  if (train && (train.length === 0 || held.length === 0)) {
    throw new HeddleError('argument', `${where}: ${held.length} of ${rows} rows are held out to choose alpha, expected some, but not all; give validationData`);
  }
  const other = validation ? await readRows(features, validation.x, validation.y, outputs, !!classes, signal) : take(all, held);
  const equations = await (train ? new Equations(take(all, train), hasIntercept) : whole).open();
  /** @type {Path} */
  const path = { alphas: candidates(choice, Number(equations.scale)) ?? [], errors: [] };
  for (const alpha of path.alphas) {
    path.errors.push(await errorOf(other, await equations.ridge(alpha)));
    signal?.throwIfAborted();
    onProgress?.({ phase: 'alphas', done: path.errors.length, total: path.alphas.length });
  }
  return { ...await (train ? await whole.open() : whole).ridge(best(path, where)), path, rows };
}
