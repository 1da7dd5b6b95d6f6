// Linear algebra in JavaScript, against plain loops, in both precisions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError, init } from '../../bindings/index.js';
import { cholesky, gemm, spdSolve, syrk, triangularSolve } from '../../bindings/linalg.js';
import { threaded } from './modelkit.js';

let word = 7;
const random = () => {
  word = (Math.imul(word, 1664525) + 1013904223) >>> 0;
  return word / 2 ** 31 - 1;
};
/** @param {any} Type */
const fresh = (Type, rows, cols) => ({ data: Type.from({ length: rows * cols }, random), shape: [rows, cols] });
const transpose = ({ data, shape: [m, n] }) => ({ data: data.map((_, i) => data[(i % m) * n + Math.floor(i / m)]), shape: [n, m] });
/** By plain loops in float64. */
function product(a, b) {
  const [m, k] = a.shape, n = b.shape[1], data = new Float64Array(m * n);
  for (let i = 0; i < m; i++) for (let p = 0; p < k; p++) for (let j = 0; j < n; j++) data[i * n + j] += a.data[i * k + p] * b.data[p * n + j];
  return { data, shape: [m, n] };
}
function near(a, b, tolerance) {
  assert.deepEqual(a.shape, b.shape);
  const worst = a.data.reduce((most, v, i) => (Math.abs(v - b.data[i]) <= most ? most : Math.abs(v - b.data[i])), 0);
  assert.ok(worst <= tolerance, `differ by ${worst}, allowed ${tolerance}`);
}
/** Symmetric positive definite. */
function definite(Type, n) {
  const a = fresh(Type, n, n), g = product(a, transpose(a));
  for (let i = 0; i < n; i++) g.data[i * (n + 1)] += 1;
  return { data: Type.from(g.data), shape: [n, n] };
}
const refused = (code, pattern) => error => {
  assert.ok(error instanceof HeddleError, String(error?.stack));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, pattern);
  return true;
};

await init({ deterministic: true, threads: 1 });

for (const Type of [Float32Array, Float64Array]) {
  const name = Type.name, eps = Type === Float32Array ? 2 ** -23 : 2 ** -52;

  test(`gemm and syrk, ${name}`, async () => {
    const a = fresh(Type, 37, 71), b = fresh(Type, 71, 20), c = fresh(Type, 37, 20), before = c.data.slice();
    for (const transposeA of [false, true]) {
      for (const transposeB of [false, true]) {
        const got = await gemm(transposeA ? transpose(a) : a, transposeB ? transpose(b) : b, { transposeA, transposeB, alpha: 0.5, beta: 2, c });
        assert.ok(got.data instanceof Type);
        const plain = product(a, b);
        near(got, { data: plain.data.map((v, i) => 0.5 * v + 2 * c.data[i]), shape: [37, 20] }, 100 * eps);
      }
    }
    assert.deepEqual(c.data, before, 'inputs stay as they are');
    near(await syrk(a), product(a, transpose(a)), 100 * eps);
    near(await syrk(a, { transposed: true, alpha: -1 }), product(transpose(a), { data: a.data.map(v => -v), shape: a.shape }), 100 * eps);
  });

  test(`cholesky, triangularSolve, spdSolve, ${name}`, async () => {
    const n = 83, m = 4, g = definite(Type, n), x = fresh(Type, n, m), given = g.data.slice(), l = await cholesky(g);
    assert.ok(l.data instanceof Type);
    near(product(l, transpose(l)), g, 1000 * eps);
    assert.ok(l.data.every((v, i) => i % n <= Math.floor(i / n) || v === 0), 'zero above the diagonal');
    const b = product(g, x), bOfType = { data: Type.from(b.data), shape: b.shape };
    near(await spdSolve(g, bOfType), x, 1e5 * eps);
    near(await triangularSolve(l, await triangularSolve(l, bOfType), { transposed: true }), x, 1e5 * eps);
    const u = transpose(l);
    near(await triangularSolve(u, await triangularSolve(u, bOfType, { upper: true, transposed: true }), { upper: true }), x, 1e5 * eps);
    assert.deepEqual(g.data, given, 'inputs stay as they are');
  });
}

test('nested arrays, vectors and mixed types compute in float64', async () => {
  const { data, shape } = await spdSolve([[4, 2], [2, 3]], [8, 7]);
  assert.ok(data instanceof Float64Array);
  near({ data, shape }, { data: [1.25, 1.5], shape: [2, 1] }, 1e-15);
  const mixed = await gemm({ data: Float32Array.of(1, 2), shape: [1, 2] }, [[3], [4]]);
  assert.deepEqual(mixed, { data: Float64Array.of(11), shape: [1, 1] });
  assert.deepEqual((await gemm([Float32Array.of(1, 2)], { data: [3, 4], shape: [2, 1] })).data, Float64Array.of(11));
});

test('mistakes are named', async () => {
  const two = [[1, 0], [0, 1]];
  await assert.rejects(gemm(two, [[1, 2]]), refused('shape', /a is 2 x 2 and b 1 x 2/));
  await assert.rejects(gemm(two, two, { tranposeA: true }), refused('argument', /did you mean "transposeA"/));
  await assert.rejects(gemm(two, two, { beta: 1 }), refused('argument', /beta needs c/));
  await assert.rejects(gemm(two, two, { c: [[1]] }), refused('shape', /gemm: c: is 1 x 1, expected 2 x 2/));
  await assert.rejects(gemm(two, two, { alpha: NaN }), refused('argument', /alpha = NaN/));
  await assert.rejects(gemm([[1, 2], [3]], two), refused('shape', /gemm: a\[1\]: has length 1, expected 2/));
  await assert.rejects(gemm([[1, 'x']], two), refused('argument', /gemm: a\[0\]\[1\]: expected a number, got string/));
  await assert.rejects(gemm(Float32Array.of(1), two), refused('shape', /a flat array needs its shape/));
  await assert.rejects(gemm(/** @type {any} */ (null), two), refused('argument', /got null/));
  await assert.rejects(gemm([], two), refused('shape', /0 rows/));
  await assert.rejects(gemm({ data: [1, 2, 3], shape: [2, 2] }, two), refused('shape', /holds 4 elements, data has 3/));
  await assert.rejects(gemm([[1, NaN]], two), refused('argument', /gemm: a\[0\]\[1\] = nan/i));
  await assert.rejects(cholesky([[1, 2]]), refused('shape', /1 x 2, expected a square/));
  await assert.rejects(cholesky([[1, 9, 9], [2, 8, 9], [3, 9, 1]]), refused('diverged', /not positive definite: pivot 2 of 3/));
  await assert.rejects(spdSolve([[1, 2], [2, 1]], [1, 1]), refused('diverged', /spdSolve: .*pivot 1 of 2/));
  await assert.rejects(spdSolve(two, [1, 1, 1]), refused('shape', /b has 3 rows, expected 2/));
  await assert.rejects(spdSolve(two, [1, Infinity]), refused('argument', /b\[1\]\[0\] = inf/i));
  await assert.rejects(triangularSolve([[1, 0], [3, 0]], [1, 1]), refused('diverged', /singular: t\[1\]\[1\] = 0/));
  await assert.rejects(gemm({ data: Float32Array.of(1e30), shape: [1, 1] }, { data: Float32Array.of(1e30), shape: [1, 1] }), refused('diverged', /result\[0\]\[0\] = inf/i));
  assert.deepEqual((await triangularSolve([[2, NaN], [3, 4]], [2, 7])).data, Float64Array.of(1, 1), 'the other triangle is not read');
});

test('threads and worker give the same bits', { timeout: 60_000 }, async () => {
  const a = fresh(Float64Array, 200, 300), results = [];
  for (const options of [{ threads: 1, worker: false }, { threads: 3, worker: false }, { threads: 2, worker: true }]) {
    await threaded(options);
    const g = await syrk(a), x = await spdSolve(g, { data: a.data.subarray(0, 200), shape: [200] });
    results.push([g, await cholesky(g), x]);
  }
  assert.deepEqual(results[1], results[0]);
  assert.deepEqual(results[2], results[0]);
});
