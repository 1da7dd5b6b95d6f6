/** A^+ of tall matrices in float64, by Cholesky of A^T A. Each solution is corrected once by its residual (the corrected semi-normal equations
 * of Bjorck 1987), which makes up for the squared condition number as long as that is below about 10^14. */
import { HeddleError } from '../errors.js';
import { cholesky, gemm, syrk, triangularSolve } from '../linalg.js';

/** @typedef {import('../linalg.js').Matrix} Matrix */
/** A [m, n], m >= n, and L with L L^T = A^T A. @typedef {{ a: Matrix, l: Matrix }} Tall */

/** Steps of the power method, each way. */
const steps = 60;

/** @param {ArrayLike<number>} data @param {number} rows @param {number} columns @returns {Promise<Tall | null>} null: the columns are not independent */
export async function factor(data, rows, columns) {
  const a = /** @type {Matrix} */ ({ data: Float64Array.from(data), shape: [rows, columns] });
  try {
    return { a, l: await cholesky(await syrk(a, { transposed: true })) };
  } catch (error) {
    if (error instanceof HeddleError && error.code === 'diverged') return null;
    throw error;
  }
}

/** (A^T A)^-1 B. @param {Matrix} l @param {Matrix} b [n, k] */
const solve = async (l, b) => triangularSolve(l, await triangularSolve(l, b), { transposed: true });

/** @param {Matrix} a @param {Matrix} b @returns {Matrix} */
const sum = (a, b) => ({ data: Float64Array.from(a.data, (value, i) => value + b.data[i]), shape: a.shape });

/** A^+ B. @param {Tall} tall @param {Matrix} b [m, k] @returns {Promise<Matrix>} [n, k] */
export async function leastSquares({ a, l }, b) {
  const first = await solve(l, await gemm(a, b, { transposeA: true })), residual = await gemm(a, first, { alpha: -1, c: b });
  return sum(first, await solve(l, await gemm(a, residual, { transposeA: true })));
}

/** (A^+)^T C: the smallest P with A^T P = C. @param {Tall} tall @param {Matrix} c [n, k] @returns {Promise<Matrix>} [m, k] */
export async function leastNorm({ a, l }, c) {
  const first = await gemm(a, await solve(l, c)), residual = await gemm(a, first, { transposeA: true, alpha: -1, c });
  return sum(first, await gemm(a, await solve(l, residual)));
}

/** Scales to length 1; returns the length. @param {Float64Array} v */
function normalise(v) {
  const length = Math.sqrt(v.reduce((squares, value) => squares + value * value, 0));
  v.forEach((value, i) => { v[i] = value / length; });
  return length;
}

/** The largest singular value, and the smallest by the power method for (A^T A)^-1, to about a percent. @param {Tall} tall @returns {number} their ratio */
export function condition({ a: { data, shape: [m, n] }, l: { data: l } }) {
  const start = () => Float64Array.from({ length: n }, (_, i) => 1 + (i * 0.618034) % 1);
  let [v, largest, smallest] = [start(), 0, 0];
  for (let step = 0; step < steps; step++) {
    const next = new Float64Array(n);
    for (let i = 0; i < m; i++) {
      let z = 0;
      for (let j = 0; j < n; j++) z += data[i * n + j] * v[j];
      for (let j = 0; j < n; j++) next[j] += data[i * n + j] * z;
    }
    largest = Math.sqrt(normalise(v = next));
  }
  v = start();
  for (let step = 0; step < steps; step++) {
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < i; j++) v[i] -= l[i * n + j] * v[j];
      v[i] /= l[i * n + i];
    }
    for (let i = n - 1; i >= 0; i--) {
      v[i] /= l[i * n + i];
      for (let j = 0; j < i; j++) v[j] -= l[i * n + j] * v[i];
    }
    smallest = 1 / Math.sqrt(normalise(v));
  }
  return largest / smallest;
}
