// ms of linear algebra through the public API, from arrays to arrays, and its floating-point operations.
import { info, init } from '../../../bindings/index.js';
import { cholesky, eigh, gemm, qr, spdSolve, svd, syrk } from '../../../bindings/linalg.js';
import { definite, ended, engineOf, numbers, time } from '../kit.mjs';
import { linalgSizes } from '../networks.mjs';

/** A matrix of small numbers. @param {any} Type @param {number} rows @param {number} cols */
const matrix = (Type, rows, cols) => ({ data: Type.from(numbers(rows * cols)), shape: [rows, cols] });

/** What is timed. @type {Record<string, (n: number, m: number) => { flop: number, run: () => Promise<{ data: ArrayLike<number> }> }>} */
const works = {
  gemm(n) {
    const a = matrix(Float64Array, n, n), b = matrix(Float64Array, n, n);
    return { flop: 2 * n ** 3, run: () => gemm(a, b) };
  },
  syrk(n, rows) {
    const a = matrix(Float32Array, rows, n);
    return { flop: rows * n ** 2, run: () => syrk(a, { transposed: true }) };
  },
  cholesky(n) {
    const data = definite(n);
    return { flop: n ** 3 / 3, run: () => cholesky({ data, shape: [n, n] }) };
  },
  solve(n, m) {
    const a = { data: definite(n), shape: [n, n] }, b = matrix(Float64Array, n, m);
    return { flop: n ** 3 / 3 + 2 * n ** 2 * m, run: () => spdSolve(a, b) };
  },
  qr(n) {
    const a = matrix(Float64Array, n, n);
    return { flop: 8 * n ** 3 / 3, run: async () => (await qr(a)).r }; // R and Q (Golub & Van Loan, 5.2)
  },
  eigh(n) {
    const a = matrix(Float64Array, n, n);
    return { flop: 9 * n ** 3, run: async () => (await eigh(a)).vectors }; // with vectors (8.3)
  },
  svd(n) {
    const a = matrix(Float64Array, n, n);
    return { flop: 21 * n ** 3, run: async () => (await svd(a)).vt }; // with U and V (8.6)
  },
};

export async function run(given) {
  await init(engineOf(given));
  const [n, m] = linalgSizes[given.work], { flop, run: work } = works[given.work](given.quick ? 100 : n, given.quick ? 10 : m);
  const ms = await time(given, async () => {
    const { data } = await work();
    if (!(Math.abs(data[data.length - 1]) < 1e6)) throw new Error(`no result: ${data[data.length - 1]}`);
  });
  return { ms, flop, ...ended(info(), given, false) };
}
