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
/** @typedef {Omit<SyrkOptions, 'transposed'> & { transposeA?: boolean, transposeB?: boolean }} GemmOptions */

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
