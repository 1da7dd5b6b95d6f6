/**
 * Dense linear algebra: `heddle/linalg`. Matrices are `{ data, shape: [rows, columns] }`, row by row, or nested arrays; results are copies. If all
 * matrices of a call are Float32Array it computes in float32, else in float64. Errors are HeddleErrors: `argument` for numbers that are not
 * finite (named by row and column), `shape`, `diverged` for matrices that are singular, not positive definite, or too large for the type.
 */
import { HeddleError, checkOptions } from './errors.js';
import { compute, readMatrix, readSquare, typeOf } from './matrix.js';

/** @import { Floats, Given } from './matrix.js' */
/** @typedef {import('./matrix.js').Matrix} Matrix */
/** @typedef {import('./matrix.js').MatrixLike} MatrixLike */
/** @typedef {import('./matrix.js').VectorLike} VectorLike */
/**
 * @typedef {object} SyrkOptions
 * @property {boolean} [transposed] A^T A instead of A A^T
 * @property {number} [alpha] factor of the product, 1 unless told
 * @property {number} [beta] factor of c, 1 unless told
 * @property {MatrixLike} [c] added to the product
 */
/** @typedef {Omit<SyrkOptions, 'transposed'> & { transposeA?: boolean, transposeB?: boolean }} GemmOptions transposeA: A^T in place of A;
 *   transposeB: B^T in place of B; false unless told. The rest as of SyrkOptions */

/** @param {Floats} data @param {number} rows @param {number} cols @returns {Matrix} */
const matrix = (data, rows, cols) => ({ data, shape: [rows, cols] });

/** @param {unknown} value @param {number} fallback @param {string} where @returns {number} */
function factor(value, fallback, where) {
  if (value === undefined) return fallback;
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new HeddleError('argument', `${where} = ${String(value)}, expected a finite number`);
  return value;
}

/** @param {Given} given @param {number} rows @param {number} cols @param {string} where */
function checkShape(given, rows, cols, where) {
  if (given.rows !== rows || given.cols !== cols) throw new HeddleError('shape', `${where}: is ${given.rows} x ${given.cols}, expected ${rows} x ${cols}`);
}

/** What is added to a product: a copy of c, or zeros that are not read. @param {SyrkOptions} options @param {string} name */
function addend({ c, beta }, name) {
  if (c === undefined && beta !== undefined) throw new HeddleError('argument', `${name}: beta needs c`);
  return { c: c === undefined ? undefined : readMatrix(c, `${name}: c`), beta: c === undefined ? 0 : factor(beta, 1, `${name}: beta`) };
}

/**
 * alpha op(A) op(B) + beta C.
 * @param {MatrixLike} a [m, k], or with transposeA [k, m]
 * @param {MatrixLike} b [k, n], or with transposeB [n, k]
 * @param {GemmOptions} [options] c: [m, n]
 * @returns {Promise<Matrix>} [m, n]
 */
export async function gemm(a, b, options = {}) {
  checkOptions(options, ['transposeA', 'transposeB', 'alpha', 'beta', 'c'], 'gemm');
  const ta = Boolean(options.transposeA), tb = Boolean(options.transposeB), x = readMatrix(a, 'gemm: a'), y = readMatrix(b, 'gemm: b');
  const [m, k] = ta ? [x.cols, x.rows] : [x.rows, x.cols], [inner, n] = tb ? [y.cols, y.rows] : [y.rows, y.cols];
  if (inner !== k) {
    throw new HeddleError('shape', `gemm: ${ta ? 'a^T' : 'a'} is ${m} x ${k} and ${tb ? 'b^T' : 'b'} ${inner} x ${n}: expected as many rows of it as columns of a`);
  }
  const { c, beta } = addend(options, 'gemm'), alpha = factor(options.alpha, 1, 'gemm: alpha');
  if (c) checkShape(c, m, n, 'gemm: c');
  const Type = typeOf(x, y, c ?? x), out = c ? new Type(c.data) : { out: m * n };
  const [data] = await compute('gemm', Type, [Number(ta), Number(tb), m, n, k, alpha, x, y, beta, out]);
  return matrix(data, m, n);
}

/**
 * alpha A A^T + beta C, symmetric: at half the work of gemm.
 * @param {MatrixLike} a [n, k], or with `transposed` [k, n]
 * @param {SyrkOptions} [options] c: [n, n], symmetric: its lower triangle is read
 * @returns {Promise<Matrix>} [n, n]
 */
export async function syrk(a, options = {}) {
  checkOptions(options, ['transposed', 'alpha', 'beta', 'c'], 'syrk');
  const x = readMatrix(a, 'syrk: a'), [n, k] = options.transposed ? [x.cols, x.rows] : [x.rows, x.cols];
  const { c, beta } = addend(options, 'syrk'), alpha = factor(options.alpha, 1, 'syrk: alpha');
  if (c) checkShape(c, n, n, 'syrk: c');
  const Type = typeOf(x, c ?? x), out = c ? new Type(c.data) : { out: n * n };
  const [data] = await compute('syrk', Type, [Number(Boolean(options.transposed)), n, k, alpha, x, beta, out]);
  return matrix(data, n, n);
}

/**
 * Lower triangular L with A = L L^T.
 * @param {MatrixLike} a [n, n], symmetric positive definite: its lower triangle is read
 * @returns {Promise<Matrix>} [n, n]
 * @throws {HeddleError} `diverged` names the pivot at which A is not positive definite
 */
export async function cholesky(a) {
  const x = readSquare(a, 'cholesky: a'), Type = typeOf(x);
  const [data] = await compute('cholesky', Type, [x.rows, new Type(x.data)]);
  return matrix(data, x.rows, x.rows);
}

/** The right sides that a square matrix takes. @param {unknown} b @param {Given} square @param {string} name */
function rightSides(b, square, name) {
  const y = readMatrix(b, `${name}: b`, true);
  if (y.rows !== square.rows) throw new HeddleError('shape', `${name}: b has ${y.rows} rows, expected ${square.rows} as the matrix`);
  return y;
}

/**
 * X with op(T) X = B.
 * @param {MatrixLike} t [n, n], triangular: the other triangle is not read
 * @param {VectorLike} b [n, m], or a single column
 * @param {{ upper?: boolean, transposed?: boolean }} [options] upper: T is upper triangular; transposed: T^T X = B
 * @returns {Promise<Matrix>} [n, m]
 * @throws {HeddleError} `diverged` names a zero on the diagonal
 */
export async function triangularSolve(t, b, options = {}) {
  checkOptions(options, ['upper', 'transposed'], 'triangularSolve');
  const x = readSquare(t, 'triangularSolve: t'), y = rightSides(b, x, 'triangularSolve'), Type = typeOf(x, y);
  const [data] = await compute('triangular_solve', Type,
    [Number(Boolean(options.upper)), Number(Boolean(options.transposed)), x.rows, y.cols, x, new Type(y.data)]);
  return matrix(data, y.rows, y.cols);
}

/**
 * X with A X = B, by Cholesky.
 * @param {MatrixLike} a [n, n], symmetric positive definite: its lower triangle is read
 * @param {VectorLike} b [n, m], or a single column
 * @returns {Promise<Matrix>} [n, m]
 * @throws {HeddleError} `diverged` names the pivot at which A is not positive definite
 */
export async function spdSolve(a, b) {
  const x = readSquare(a, 'spdSolve: a'), y = rightSides(b, x, 'spdSolve'), Type = typeOf(x, y);
  const [data] = await compute('spd_solve', Type, [x.rows, y.cols, x, new Type(y.data)]);
  return matrix(data, y.rows, y.cols);
}

/** @param {boolean | undefined} value @param {string} where */
function flag(value, where) {
  if (value !== undefined && typeof value !== 'boolean') throw new HeddleError('argument', `${where} = ${String(value)}, expected true or false`);
  return value ?? true;
}

/**
 * A = Q R by Householder reflections: Q's columns are orthonormal, R is upper triangular with no negative number on its diagonal.
 * @param {MatrixLike} a [m, n]
 * @returns {Promise<{ q: Matrix, r: Matrix }>} [m, k] and [k, n], k = min(m, n)
 */
export async function qr(a) {
  const x = readMatrix(a, 'qr: a'), Type = typeOf(x), k = Math.min(x.rows, x.cols);
  const [q, r] = await compute('qr', Type, [x.rows, x.cols, x, { out: x.rows * k }, { out: k * x.cols }]);
  return { q: matrix(q, x.rows, k), r: matrix(r, k, x.cols) };
}

/**
 * A = E diag(values) E^T.
 * @param {MatrixLike} a [n, n], symmetric: its lower triangle is read; n <= 8192
 * @param {{ vectors?: boolean }} [options] vectors: false for the values alone
 * @returns {Promise<{ values: Floats, vectors?: Matrix }>} values: [n], ascending; vectors: [n, n], in columns, the largest component positive
 */
export async function eigh(a, options = {}) {
  checkOptions(options, ['vectors'], 'eigh');
  const x = readSquare(a, 'eigh: a'), Type = typeOf(x), n = x.rows, wanted = flag(options.vectors, 'eigh: vectors');
  const [values, vectors] = await compute('eigh', Type, [n, x, { out: n }, wanted ? { out: n * n } : 0]);
  return wanted ? { values, vectors: matrix(vectors, n, n) } : { values };
}

/**
 * A = U diag(s) V^T with orthonormal columns of U and V.
 * @param {MatrixLike} a [m, n], k = min(m, n) <= 8192
 * @param {{ vectors?: boolean }} [options] vectors: false for the singular values alone
 * @returns {Promise<{ s: Floats, u?: Matrix, vt?: Matrix }>} s: [k], descending; u: [m, k]; vt: [k, n]
 */
export async function svd(a, options = {}) {
  checkOptions(options, ['vectors'], 'svd');
  const x = readMatrix(a, 'svd: a'), Type = typeOf(x), k = Math.min(x.rows, x.cols), wanted = flag(options.vectors, 'svd: vectors');
  const [s, u, vt] = await compute('svd', Type,
    [x.rows, x.cols, x, { out: k }, wanted ? { out: x.rows * k } : 0, wanted ? { out: k * x.cols } : 0]);
  return wanted ? { s, u: matrix(u, x.rows, k), vt: matrix(vt, k, x.cols) } : { s };
}

/**
 * Condition number in the 2-norm, the largest singular value over the smallest, computed in float64.
 * @param {MatrixLike} a [m, n], min(m, n) <= 8192
 * @returns {Promise<number>} from 1; Infinity where the smallest is zero
 */
export async function cond(a) {
  const x = readMatrix(a, 'cond: a');
  const [[value]] = await compute('cond', Float64Array, [x.rows, x.cols, x, new Float64Array(1)]);
  return value;
}

/**
 * X of the least ||A X - B||, of all those the one of the least norm: A need not have full rank (by singular values).
 * @param {MatrixLike} a [m, n], min(m, n) <= 8192
 * @param {VectorLike} b [m, k], or a single column
 * @param {{ rcond?: number }} [options] rcond: singular values up to rcond times the largest count as zero; max(m, n) epsilon unless told
 * @returns {Promise<Matrix & { rank: number }>} [n, k], and how many singular values counted
 */
export async function leastSquares(a, b, options = {}) {
  checkOptions(options, ['rcond'], 'leastSquares');
  const x = readMatrix(a, 'leastSquares: a'), y = rightSides(b, x, 'leastSquares'), Type = typeOf(x, y);
  const [data, [rank]] = await compute('least_squares', Type,
    [x.rows, x.cols, y.cols, x, y, cutoff(options.rcond, 'leastSquares'), { out: x.cols * y.cols }, new Float64Array(1)]);
  return { ...matrix(data, x.cols, y.cols), rank };
}

/** The relative size of singular values that count as zero. @param {unknown} rcond @param {string} name */
function cutoff(rcond, name) {
  const value = factor(rcond, -1, `${name}: rcond`);
  if (rcond !== undefined && !(value >= 0 && value < 1)) throw new HeddleError('argument', `${name}: rcond = ${value}, expected 0 or more, below 1`);
  return value;
}

/**
 * The pseudo-inverse of Moore and Penrose, by singular values.
 * @param {MatrixLike} a [m, n], min(m, n) <= 8192
 * @param {{ rcond?: number }} [options] as of leastSquares
 * @returns {Promise<Matrix & { rank: number }>} [n, m]
 */
export async function pinv(a, options = {}) {
  checkOptions(options, ['rcond'], 'pinv');
  const x = readMatrix(a, 'pinv: a'), Type = typeOf(x);
  const [data, [rank]] = await compute('pinv', Type,
    [x.rows, x.cols, x, cutoff(options.rcond, 'pinv'), { out: x.cols * x.rows }, new Float64Array(1)]);
  return { ...matrix(data, x.cols, x.rows), rank };
}

/**
 * A matrix with orthonormal columns, uniform among all of them (Haar distribution); the same for the same seed.
 * @param {number} rows 1..65536
 * @param {number} cols 1..rows
 * @param {{ seed?: number, dtype?: 'float32' | 'float64' }} [options] seed: a whole number 0..2^53, 0 unless told; dtype: float64 unless told
 * @returns {Promise<Matrix>} [rows, cols]
 */
export async function randomOrthogonal(rows, cols, options = {}) {
  checkOptions(options, ['seed', 'dtype'], 'randomOrthogonal');
  const { seed = 0, dtype = 'float64' } = options;
  for (const [name, value] of Object.entries({ rows, cols })) {
    if (!(Number.isInteger(value) && value >= 1 && value <= 65536)) throw new HeddleError('argument', `randomOrthogonal: ${name} = ${String(value)}, expected 1..65536`);
  }
  if (dtype !== 'float32' && dtype !== 'float64') throw new HeddleError('argument', `randomOrthogonal: dtype = ${String(dtype)}, expected "float32" or "float64"`);
  const Type = dtype === 'float32' ? Float32Array : Float64Array;
  const [data] = await compute('random_orthogonal', Type, [rows, cols, factor(seed, 0, 'randomOrthogonal: seed'), { out: rows * cols }]);
  return matrix(data, rows, cols);
}
