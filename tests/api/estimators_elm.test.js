// Random features: their identities, the inverse of the paired ones, ridge regression on them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ElmClassifier, ElmRegressor, Ridge, SlfnClassifier, SlfnRegressor, loadEstimator } from '../../bindings/estimators/index.js';
import { fresh, labelled, numbers, refuses } from './modelkit.js';

await fresh();

/** Samples in [-1, 1), and what a wave makes of them. */
function wave(rows, n, seed = 1) {
  const x = { data: numbers(rows * n, seed).map(v => 2 * v - 1), shape: [rows, n] };
  const y = { data: new Float32Array(rows * 2), shape: [rows, 2] };
  for (let i = 0; i < rows; i++) {
    const sum = x.data.subarray(i * n, (i + 1) * n).reduce((s, v, j) => s + v * (j % 3 - 1), 0);
    y.data.set([Math.sin(2 * sum), Math.abs(sum)], 2 * i);
  }
  return { x, y };
}
const dot = (a, b) => a.reduce((s, v, i) => s + v * b[i], 0);
const row = ({ data, shape: [, n] }, i) => data.subarray(i * n, (i + 1) * n);
/** Node "random" of the network: z = A x. */
const inner = async (slfn, x) => slfn.model.predict(x, { output: 'random' });

test('U y = z bitwise, |y| = |z|, and the distances of the appendix', async () => {
  const { x, y } = wave(20, 6), slfn = await new SlfnRegressor({ seed: 3 }).fit(x, y), [h, z] = [await slfn.hidden(x), await inner(slfn, x)];
  assert.deepEqual([h.shape, z.shape], [[20, 14], [20, 7]]);
  for (let i = 0; i < 20; i++) {
    const [yi, zi] = [row(h, i), row(z, i)];
    assert.deepEqual(zi.map((_, j) => yi[j] - yi[j + 7]), zi);
    assert.ok(Math.abs(dot(yi, yi) - dot(zi, zi)) <= 1e-6 * dot(zi, zi));
    for (let k = 0; k < i; k++) {
      const square = (a, b) => a.reduce((s, v, j) => s + (v - b[j]) ** 2, 0), [yk, zk] = [row(h, k), row(z, k)];
      const apart = square(zi, zk), expected = apart / 2 + square(zi.map(Math.abs), zk.map(Math.abs)) / 2;
      assert.ok(Math.abs(square(yi, yk) - expected) <= 1e-5 * apart, `${i}, ${k}`);
      assert.ok(square(yi, yk) <= apart * (1 + 1e-6) && square(yi, yk) >= apart / 2 * (1 - 1e-6));
    }
  }
  slfn.dispose();
});

test('larger penalties give smaller outputs and larger errors; an orthonormal square A beats the linear map', async () => {
  const { x, y } = wave(40, 5), norm = a => Math.sqrt(dot(a, a)), objective = async (one, alpha) => {
    const { data } = await one.predict(x), weights = Object.entries(await one.model.getWeights()).find(([name]) => name === 'output/kernel')[1].data;
    return { error: dot(data.map((v, i) => v - y.data[i]), data.map((v, i) => v - y.data[i])), norm: norm(weights), alpha };
  };
  let last = { norm: Infinity, error: 0 };
  for (const alpha of [1e-2, 1e-1, 1, 10, 100]) {
    const elm = await new ElmRegressor({ alpha, seed: 2, nodes: 30, distribution: 'normal' }).fit(x, y), now = await objective(elm, alpha);
    assert.ok(now.norm < last.norm && now.error > last.error, `${alpha}`);
    last = now;
    elm.dispose();
  }
  for (const alpha of [0.1, 5]) { // O = [B, -B] gives O y = B z and |O|^2 = 2 |B|^2
    const slfn = await new SlfnRegressor({ alpha: alpha / 2, distribution: 'orthogonal', bias: false, nodes: 10, seed: 1 }).fit(x, y);
    const linear = await new Ridge({ alpha, fitIntercept: false }).fit(x, y), [a, b] = [await objective(slfn), await objective(linear)];
    assert.ok(a.error + alpha / 2 * a.norm ** 2 <= (b.error + alpha * b.norm ** 2) * (1 + 1e-5));
    slfn.dispose();
    linear.dispose();
  }
});

test('the same seed gives the same file, whatever the number of threads', async () => {
  const { x, y } = labelled(60, 6, 3), files = [];
  for (const [Kind, threads] of [[ElmClassifier, 1], [ElmClassifier, 2], [SlfnClassifier, 1], [SlfnClassifier, 2]]) {
    await fresh({ threads });
    const one = await new Kind({ seed: 21 }).fit(x, y);
    files.push(await one.save('bytes'));
    one.dispose();
  }
  assert.deepEqual(files[1], files[0]);
  assert.deepEqual(files[3], files[2]);
  await fresh();
  const other = await new SlfnClassifier({ seed: 22 }).fit(x, y);
  assert.notDeepEqual(await other.save('bytes'), files[2]);
  other.dispose();
});

test('classifiers learn, save, come back, and refuse', async () => {
  const { x, y } = labelled(400, 6, 3), names = Array.from(y, k => ['red', 'green', 'blue'][k]), other = labelled(200, 6, 3, 8);
  for (const Kind of [ElmClassifier, SlfnClassifier]) {
    const one = await new Kind({ ratio: 6, alphas: 'auto', seed: 1 }).fit(x, names), bytes = await one.save('bytes'), back = await loadEstimator(bytes);
    const accuracy = await one.score(other.x, Array.from(other.y, k => ['red', 'green', 'blue'][k]));
    assert.ok(accuracy > 0.85, `${Kind.kind}: ${accuracy}`);
    assert.ok(back instanceof Kind);
    assert.deepEqual(back.classes, ['blue', 'green', 'red']);
    assert.deepEqual(await back.predict(other.x), await one.predict(other.x));
    assert.deepEqual(await back.save('bytes'), bytes);
    assert.equal(one.report.features, 42);
    await refuses(() => one.predictProba(other.x), 'unsupported', /no probabilities/);
    one.dispose();
    back.dispose();
  }
  await refuses(() => new SlfnClassifier({ nodes: 7 }).fit(x, names), 'argument', /nodes = 7, expected an even number/);
  await refuses(() => new ElmClassifier({ ratio: 0 }), 'argument', /ratio = 0/);
  await refuses(() => new ElmClassifier({ distribution: 'gauss' }), 'argument', /uniform, normal, orthogonal/);
});
