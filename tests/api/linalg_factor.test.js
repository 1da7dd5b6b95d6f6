// Factorisations in JavaScript: each multiplied out again, in both precisions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError, init } from '../../bindings/index.js';
import { cond, eigh, gemm, leastSquares, pinv, qr, randomOrthogonal, svd } from '../../bindings/linalg.js';
import { threaded } from './modelkit.js';

let word = 11;
const random = () => {
  word = (Math.imul(word, 1664525) + 1013904223) >>> 0;
  return word / 2 ** 31 - 1;
};
/** @param {any} Type */
const fresh = (Type, rows, cols) => ({ data: Type.from({ length: rows * cols }, random), shape: [rows, cols] });
const scaled = (a, factors) => ({ data: a.data.map((v, i) => v * factors[i % factors.length]), shape: a.shape });
const identity = n => ({ data: Float64Array.from({ length: n * n }, (_, i) => Number(i % (n + 1) === 0)), shape: [n, n] });
function near(a, b, tolerance) {
  assert.deepEqual(a.shape, b.shape);
  const worst = a.data.reduce((most, v, i) => (Math.abs(v - b.data[i]) <= most ? most : Math.abs(v - b.data[i])), 0);
  assert.ok(worst <= tolerance, `differ by ${worst}, allowed ${tolerance}`);
}
const refused = (code, pattern) => error => {
  assert.ok(error instanceof HeddleError, String(error?.stack));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, pattern);
  return true;
};

await init({ deterministic: true, threads: 1 });

for (const Type of [Float32Array, Float64Array]) {
  const eps = Type === Float32Array ? 2 ** -23 : 2 ** -52;

  test(`qr, svd, pinv, leastSquares of tall and wide matrices, ${Type.name}`, async () => {
    for (const [m, n] of [[50, 20], [20, 50], [30, 30], [1, 7], [7, 1], [1, 1]]) {
      const a = fresh(Type, m, n), given = a.data.slice(), k = Math.min(m, n);
      const { q, r } = await qr(a);
      assert.ok(q.data instanceof Type && r.data instanceof Type);
      near(await gemm(q, r), a, 100 * eps);
      near(await gemm(q, q, { transposeA: true }), identity(k), 50 * eps);
      assert.ok(r.data.every((v, i) => (i % n < Math.floor(i / n) ? v === 0 : i % (n + 1) !== 0 || v >= 0)), 'triangular, its diagonal not negative');
      const { s, u, vt } = await svd(a);
      assert.ok(s instanceof Type && s.every((v, i) => v > 0 && (i === 0 || v <= s[i - 1])));
      near(await gemm(scaled(u, s), vt), a, 100 * eps);
      const alone = await svd(a, { vectors: false });
      assert.deepEqual(Object.keys(alone), ['s']);
      near({ data: alone.s, shape: [k] }, { data: s, shape: [k] }, 20 * eps);
      const c = await cond(a);
      assert.ok(Math.abs(c - s[0] / s[k - 1]) <= 1e3 * eps * c * c, `${c} and ${s[0] / s[k - 1]}`);
      const inverse = await pinv(a), b = fresh(Type, m, 2), x = await leastSquares(a, b);
      assert.equal(inverse.rank, k);
      assert.equal(x.rank, k);
      near(await gemm(await gemm(a, inverse), a), a, 200 * eps * c);
      near(await gemm(inverse, b), x, 200 * eps * c * c);
      assert.deepEqual(a.data, given, 'inputs stay as they are');
    }
  });

  test(`eigh, ${Type.name}`, async () => {
    const n = 60, { data: e } = await randomOrthogonal(n, n, { seed: 3, dtype: Type === Float32Array ? 'float32' : 'float64' });
    const wanted = Type.from({ length: n }, (_, i) => Math.floor(i / 10) - 2); // clusters, one of them zero
    const basis = { data: e, shape: [n, n] }, a = await gemm(scaled(basis, wanted), basis, { transposeB: true });
    const { values, vectors } = await eigh(a);
    near({ data: values, shape: [n] }, { data: wanted, shape: [n] }, 100 * eps);
    near(await gemm(a, vectors), scaled(vectors, values), 100 * eps);
    near(await gemm(vectors, vectors, { transposeA: true }), identity(n), 100 * eps);
    assert.deepEqual(await eigh(a, { vectors: false }), { values });
  });
}

test('ranks', async () => {
  const a = [[1, 2], [2, 4], [3, 6]], x = await leastSquares(a, [1, 2, 3]);
  assert.equal(x.rank, 1);
  near(x, { data: [0.2, 0.4], shape: [2, 1] }, 1e-15); // the shortest of all with x0 + 2 x1 = 1
  assert.ok(await cond(a) > 1e15);
  assert.equal(await cond([[0, 0]]), Infinity);
  assert.equal((await pinv([[0, 0], [0, 0]])).rank, 0);
  assert.equal((await pinv([[1, 0], [0, 1e-3]], { rcond: 0.01 })).rank, 1);
});

test('mistakes are named', async () => {
  await assert.rejects(qr([[1, 2], [NaN, 3]]), refused('argument', /qr: a\[1\]\[0\] = nan/i));
  await assert.rejects(svd([[1, Infinity]]), refused('argument', /svd: a\[0\]\[1\] = inf/i));
  await assert.rejects(eigh([[1, 2]]), refused('shape', /eigh: a: is 1 x 2, expected a square/));
  await assert.rejects(eigh([[1]], { vector: false }), refused('argument', /did you mean "vectors"/));
  await assert.rejects(eigh([[1]], /** @type {any} */ ({ vectors: 0 })), refused('argument', /eigh: vectors = 0, expected true or false/));
  await assert.rejects(leastSquares([[1], [2]], [1]), refused('shape', /b has 1 rows, expected 2/));
  await assert.rejects(leastSquares([[1], [2]], [1, 2], { rcond: 1 }), refused('argument', /rcond = 1, expected 0 or more/));
  await assert.rejects(pinv([[1]], { rcond: NaN }), refused('argument', /rcond = NaN/));
  await assert.rejects(randomOrthogonal(2, 3), refused('argument', /2 rows, 3 columns/));
  await assert.rejects(randomOrthogonal(2.5, 1), refused('argument', /rows = 2.5/));
  await assert.rejects(randomOrthogonal(2, 1, { seed: -1 }), refused('argument', /seed -1: expected/));
  await assert.rejects(randomOrthogonal(2, 1, /** @type {any} */ ({ dtype: 'int8' })), refused('argument', /dtype = int8/));
});

test('threads and worker give the same bits', { timeout: 60_000 }, async () => {
  const a = fresh(Float64Array, 150, 90), square = { data: a.data.subarray(0, 8100), shape: [90, 90] }, results = [];
  for (const options of [{ threads: 1, worker: false }, { threads: 3, worker: false }, { threads: 2, worker: true }]) {
    await threaded(options);
    results.push([await qr(a), await svd(a), await eigh(square), await pinv(a), await randomOrthogonal(90, 40, { seed: 5 })]);
  }
  assert.deepEqual(results[1], results[0]);
  assert.deepEqual(results[2], results[0]);
});
