// One process: ms of linear algebra through the public API, from arrays to arrays.
//   node linalg.mjs '{"work": "gemm", "engine": "heddle-mt-relaxed", "threads": 1, "rounds": 5}'
import { info, init } from '../../bindings/index.js';
import { cholesky, eigh, gemm, qr, spdSolve, svd, syrk } from '../../bindings/linalg.js';
import { numbers } from './conv_nets.mjs';
import { definite, solveSize } from './linalg_size.mjs';

const { work, engine, threads, rounds } = JSON.parse(process.argv[2]);
await init({ engine, threads });

/** A matrix of small numbers. @param {any} Type @param {number} rows @param {number} cols */
const matrix = (Type, rows, cols) => ({ data: Type.from(numbers(rows * cols)), shape: [rows, cols] });
/** What is timed, and its floating-point operations. */
const works = {
  gemm() {
    const n = 1024, a = matrix(Float64Array, n, n), b = matrix(Float64Array, n, n);
    return { flop: 2 * n ** 3, run: () => gemm(a, b) };
  },
  syrk() {
    const rows = 10_000, n = 2000, a = matrix(Float32Array, rows, n);
    return { flop: rows * n ** 2, run: () => syrk(a, { transposed: true }) };
  },
  cholesky() {
    const n = 2000, data = definite(n);
    return { flop: n ** 3 / 3, run: () => cholesky({ data, shape: [n, n] }) };
  },
  solve() {
    const { n, m } = solveSize, a = { data: definite(n), shape: [n, n] }, b = matrix(Float64Array, n, m);
    return { flop: n ** 3 / 3 + 2 * n ** 2 * m, run: () => spdSolve(a, b) };
  },
  qr() {
    const n = 1000, a = matrix(Float64Array, n, n);
    return { flop: 8 * n ** 3 / 3, run: async () => (await qr(a)).r }; // R and Q (Golub & Van Loan, 5.2)
  },
  eigh() {
    const n = 1000, a = matrix(Float64Array, n, n);
    return { flop: 9 * n ** 3, run: async () => (await eigh(a)).vectors }; // with vectors (8.3)
  },
  svd() {
    const n = 1000, a = matrix(Float64Array, n, n);
    return { flop: 21 * n ** 3, run: async () => (await svd(a)).vt }; // with U and V (8.6)
  },
};

const { flop, run } = works[work](), ms = [];
await run(); // warms up
for (let i = 0; i < rounds; i++) {
  const begin = performance.now(), { data } = await run();
  ms.push(performance.now() - begin);
  if (!(Math.abs(data[data.length - 1]) < 1e6)) throw new Error(`no result: ${data[data.length - 1]}`);
}
if (info().threads > threads) throw new Error(`${info().threads} threads run, ${threads} were asked for`);
console.log(JSON.stringify({ ms, flop }));
