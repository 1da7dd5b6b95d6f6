/** A^+ of tall matrices in float64, by Householder QR. */
import { cond, gemm, qr, triangularSolve } from '../linalg.js';

/** @typedef {import('../linalg.js').Matrix} Matrix */
/** A = Q R [m, n], m >= n: q [m, n], r [n, n]. @typedef {{ q: Matrix, r: Matrix }} Tall */

/** @param {ArrayLike<number>} data @param {number} rows @param {number} columns @returns {Promise<Tall | null>} null: the columns are not independent */
export async function factor(data, rows, columns) {
  const tall = await qr({ data: Float64Array.from(data), shape: [rows, columns] });
  const diagonal = Array.from({ length: columns }, (_, i) => tall.r.data[i * (columns + 1)]), limit = rows * Number.EPSILON * Math.max(...diagonal);
  return diagonal.every(value => value > limit) ? tall : null;
}

/** A^+ B. @param {Tall} tall @param {Matrix} b [m, k] @returns {Promise<Matrix>} [n, k] */
export const leastSquares = async ({ q, r }, b) => triangularSolve(r, await gemm(q, b, { transposeA: true }), { upper: true });

/** (A^+)^T C: the smallest P with A^T P = C. @param {Tall} tall @param {Matrix} c [n, k] @returns {Promise<Matrix>} [m, k] */
export const leastNorm = async ({ q, r }, c) => gemm(q, await triangularSolve(r, c, { upper: true, transposed: true }));

/** The largest singular value over the smallest. @param {Tall} tall @returns {Promise<number>} */
export const condition = ({ r }) => cond(r);
