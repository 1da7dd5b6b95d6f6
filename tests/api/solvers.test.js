// Sums over samples and ridge regression from them, against plain loops in float64.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { HeddleError, info, init, initializers, layers, sequential } from '../../bindings/index.js';
import { Dataset } from '../../bindings/dataset.js';
import { coreOf } from '../../bindings/model.js';
import { Gram } from '../../bindings/solvers.js';

const rows = 700, n = 23, q = 3;
let word = 1;
const random = () => {
  word = (Math.imul(word, 1664525) + 1013904223) >>> 0;
  return word / 2 ** 31 - 1;
};
const x = { data: Float32Array.from({ length: rows * n }, random), shape: [rows, n] };
const t = { data: Float32Array.from({ length: rows * q }, random), shape: [rows, q] };
const labels = Int32Array.from({ length: rows }, (_, i) => i % q);
await init({ deterministic: true, threads: 1 });
const used = info().memory.used;
after(() => assert.equal(info().memory.used, used, 'all memory is free again'));

/** Sums that are freed when the test ends. */
function fresh(context, features, targets) {
  const gram = new Gram({ features, targets });
  context.after(() => gram.dispose());
  return gram;
}

/** Sums by plain loops. */
function sums(features, targets, size) {
  const g = new Float64Array(size * size), c = new Float64Array(q * size);
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) g[i * size + j] += features[r * size + i] * features[r * size + j];
      for (let k = 0; k < q; k++) c[k * size + i] += targets[r * q + k] * features[r * size + i];
    }
  }
  return { g, c };
}
const near = (a, b, tolerance) => a.forEach((v, i) => assert.ok(Math.abs(v - b[i]) <= tolerance, `${i}: ${v} and ${b[i]}`));
const lower = (g, size) => g.map((v, i) => (i % size <= Math.floor(i / size) ? v : 0));

test('the sums are those of plain loops, whatever the batches; rows can be taken away', async (context) => {
  const gram = fresh(context, n, q);
  await gram.add(x, t, { batchSize: 64 });
  const { g, c } = sums(x.data, t.data, n), got = await gram.values();
  near(lower(got.g, n), lower(g, n), 1e-3);
  near(got.c, c, 1e-3);
  assert.equal(got.samples, rows);
  assert.ok(Math.abs(got.targetSquares - t.data.reduce((sum, v) => sum + v * v, 0)) < 1e-2);
  await gram.add(x, t, { batchSize: 700 });
  await gram.add(x, t, { batchSize: 64, sign: -1 });
  near((await gram.values()).c, c, 2e-3);
  await gram.clear();
  assert.equal((await gram.values()).samples, 0);
});

test('ridge: the normal equations hold; the cost is that of the residuals', async (context) => {
  const gram = fresh(context, n, q);
  await gram.add(x, t);
  const { g, c } = await gram.values();
  for (const lambda of [0, 1, 100]) {
    const { coef, lambda: worked } = await gram.ridge(lambda);
    assert.deepEqual([coef.shape, worked], [[q, n], lambda]);
    for (let k = 0; k < q; k++) {
      for (let i = 0; i < n; i++) {
        let sum = lambda * coef.data[k * n + i] - c[k * n + i];
        for (let j = 0; j < n; j++) sum += g[Math.max(i, j) * n + Math.min(i, j)] * coef.data[k * n + j];
        assert.ok(Math.abs(sum) < 1e-9, `residual ${sum}`);
      }
    }
    let cost = 0;
    for (let r = 0; r < rows; r++) {
      for (let k = 0; k < q; k++) {
        let e = t.data[r * q + k];
        for (let i = 0; i < n; i++) e -= coef.data[k * n + i] * x.data[r * n + i];
        cost += e * e;
      }
    }
    assert.ok(Math.abs(await gram.cost(coef) - cost) < 1e-3 * cost);
  }
});

test('features of a model, labels as one-hot targets; sums can be put in', async (context) => {
  const net = await sequential([layers.input({ shape: [n] }), layers.dense({ units: 11, activation: 'relu', name: 'hidden', kernelInitializer: initializers.normal() }),
    layers.dense({ units: q })], { seed: 5 });
  const hidden = await net.predict(x, { output: 'hidden' }), oneHot = new Float32Array(rows * q);
  labels.forEach((label, i) => { oneHot[i * q + label] = 1; });
  const gram = fresh(context, 11, q), other = fresh(context, 11, q);
  const seen = [];
  await gram.add(x, labels, { model: net, node: 'hidden', onProgress: ({ rows: done, of }) => seen.push([done, of]) });
  const wanted = sums(hidden.data, oneHot, 11), got = await gram.values();
  near(lower(got.g, 11), lower(wanted.g, 11), 1e-3);
  near(got.c, wanted.c, 1e-3);
  assert.deepEqual(seen.at(-1), [rows, rows]);
  await other.set(got);
  assert.deepEqual(await other.ridge(1), await gram.ridge(1));
  net.dispose();
});

test('a singular problem: lambda is raised and told; nothing but zeros is refused', async (context) => {
  const gram = fresh(context, 2, 1);
  await gram.add([[1, 1], [2, 2]], [[1], [2]]);
  const { lambda } = await gram.ridge(0);
  assert.ok(lambda > 0 && lambda < 1e-6);
  await gram.clear();
  await gram.add([[0, 0]], [[1]]);
  await assert.rejects(gram.ridge(0), { code: 'diverged', message: /not positive definite at feature 0/ });
});

test('data sets have features and targets, and can be mapped by a node inside the engine', async (context) => {
  const net = await sequential([layers.input({ shape: [n] }), layers.dense({ units: 5, activation: 'tanh', name: 'y' })], { seed: 3 });
  const core = coreOf(net, 'test'), place = await core.open(), gram = fresh(context, 5, q), wanted = fresh(context, 5, q);
  const target = { role: 'target', index: 0, data: t.data, size: q, scale: 1, offset: 0 };
  const data = await Dataset.create(place.client, { rows, columns: [{ ...target, role: 'input', data: x.data, size: n }, target] });
  const mapped = await data.mapped(place, 1, 5, [target], { batchSize: 64 });
  await wanted.add(x, t, { model: net });
  for (const [rows, options] of [[data, { model: net }], [mapped, {}]]) {
    await gram.clear();
    await gram.add(rows, undefined, options);
    assert.deepEqual(await gram.values(), await wanted.values());
  }
  await assert.rejects(gram.add(mapped, t), { code: 'argument', message: /a data set has its own y/ });
  const abort = new AbortController(), late = data.mapped(place, 1, 5, [target], { batchSize: 64, signal: abort.signal });
  abort.abort();
  await assert.rejects(late, { name: 'AbortError' });
  for (const one of [data, mapped, net]) one.dispose();
});

test('wrong input is refused, and the sums stay', async (context) => {
  const gram = fresh(context, 2, 2);
  await assert.rejects(gram.ridge(), { code: 'state', message: /no samples/ });
  await gram.add([[1, 2], [3, 5]], [0, 1]);
  const before = await gram.values();
  const wrong = [
    [[[1, 2, 3]], [0], {}, 'shape', /expected \[rows, 2\]/], [[[1, 2]], [0, 1], {}, 'shape', /x has 1 rows, y has 2/],
    [[[1, NaN]], [0], {}, 'argument', /row 0, element 1 = NaN/], [[[1, 2], [1, 2]], [0, 2], {}, 'argument', /label of row 1 = 2, expected a class 0\.\.1/],
    [[[1, 2]], [0], { node: 'a' }, 'argument', /node needs a model/], [[[1, 2]], [0], { batchSise: 1 }, 'argument', /batchSize/],
    [[[1, 2]], [0], { sign: 2 }, 'argument', /sign = 2/], [[[1, 2]], [0], { batchSize: 5000 }, 'argument', /1\.\.4096/],
  ];
  for (const [a, b, options, code, message] of wrong) await assert.rejects(gram.add(a, b, options), { code, message });
  await assert.rejects(gram.ridge(-1), { code: 'argument', message: /lambda = -1/ });
  await assert.rejects(gram.cost([1]), { code: 'shape' });
  assert.deepEqual(await gram.values(), before);
  assert.throws(() => new Gram({ features: 0, targets: 1 }), HeddleError);
  const huge = await sequential([layers.input({ shape: [2] }), layers.dense({ units: 2, kernelInitializer: initializers.constant({ value: 1e30 }), name: 'y' })]);
  await assert.rejects(gram.add([[1e30, 1]], [0], { model: huge, node: 'y' }), { code: 'diverged', message: /features of row 0 are not finite/ });
  await assert.rejects(gram.add([[1, 1]], [0], { model: huge, node: 'z' }), { code: 'argument', message: /no node "z"/ });
  huge.dispose();
  gram.dispose();
  await assert.rejects(gram.ridge(1), { code: 'state', message: /disposed/ });
});

test('an aborted call leaves the sums as they were', async (context) => {
  const gram = fresh(context, 600, 1);
  const many = 12000, big = { data: new Float32Array(many * 600).fill(0.5), shape: [many, 600] }, y = { data: new Float32Array(many), shape: [many, 1] };
  const abort = new AbortController();
  await assert.rejects(gram.add(big, y, { signal: abort.signal, onProgress: () => abort.abort() }), { name: 'AbortError' });
  const { samples, g } = await gram.values();
  assert.equal(samples, 0);
  assert.ok(Math.max(...g.slice(0, 10)) < 1e-6);
});
