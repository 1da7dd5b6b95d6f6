// Random features: their identities, the inverse of the paired ones, ridge regression on them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ElmClassifier, ElmRegressor, Ridge, SlfnClassifier, SlfnRegressor, loadEstimator } from '../../bindings/estimators/index.js';
import { condition, factor, leastNorm, leastSquares } from '../../bindings/estimators/inverse.js';
import { close, fresh, labelled, numbers, refuses } from './modelkit.js';

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
test('inverses of tall matrices: of an ill-conditioned one as of known ones', async () => {
  const scales = [3, 1, 2e-5], a = Float64Array.from({ length: 12 }, (_, i) => (i % 3 === Math.floor(i / 3) ? scales[i % 3] : 0)), tall = await factor(a, 4, 3);
  assert.ok(Math.abs(await condition(tall) - 1.5e5) < 1e-9 * 1.5e5, `${await condition(tall)}`);
  close((await leastSquares(tall, { data: Float64Array.of(3, 2, 4e-5, 9), shape: [4, 1] })).data, [1, 2, 2], 1e-9);
  close((await leastNorm(tall, { data: Float64Array.of(3, 2, 4e-5), shape: [3, 1] })).data, [1, 2, 2, 0], 1e-9);
  assert.equal(await factor([1, 2, 2, 4, 3, 6], 3, 2), null, 'equal columns');
});

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

test('other weights move the features no further than ||dW|| |x|', async () => {
  const { x, y } = wave(20, 6), slfn = await new SlfnRegressor({ seed: 3 }).fit(x, y), before = await slfn.hidden(x);
  const { 'random/kernel': { data: a, shape } } = await slfn.model.getWeights(), square = v => dot(v, v);
  for (const size of [1e-3, 0.1, 10]) {
    const change = numbers(a.length, 8).map(v => size * (v - 0.5));
    await slfn.model.setWeights({ 'random/kernel': { data: a.map((v, i) => v + change[i]), shape } }, { partial: true });
    const after = await slfn.hidden(x), bound = 2 * square(change); // W = V A has each weight twice
    for (let i = 0; i < 20; i++) {
      const moved = square(row(after, i).map((v, j) => v - row(before, i)[j]));
      assert.ok(moved > 0 && moved <= bound * (1 + square(row(x, i))) * (1 + 1e-3), `${size}, row ${i}: ${moved}`);
    }
  }
  slfn.dispose();
});

test('samples come back from their features from ratio 2 on, within 1e-6 + 6e-7 cond(A)', async () => {
  for (const [shape, bias, params] of [
    [[7], true, { ratio: 2 }], [[7], true, { ratio: 4 }], [[3, 4], true, { ratio: 2.2, distribution: 'normal' }], [[9], false, { nodes: 18, distribution: 'orthogonal' }],
  ]) {
    const size = shape.reduce((a, b) => a * b), x = { data: numbers(12 * size, 5).map(v => v - 0.5), shape: [12, ...shape] }, y = numbers(12, 2);
    const slfn = await new SlfnRegressor({ ...params, bias, seed: 4 }).fit(x, y), back = await slfn.reconstruct(await slfn.hidden(x));
    const { data, shape: a } = (await slfn.model.getWeights())['random/kernel'], cond = await condition(await factor(data, ...a));
    assert.deepEqual(back.shape, x.shape);
    const error = Math.sqrt(dot(back.data.map((v, i) => v - x.data[i]), back.data.map((v, i) => v - x.data[i])) / dot(x.data, x.data));
    assert.ok(error <= 1e-6 + 6e-7 * cond, `${shape}: error ${error}, condition ${cond}`);
    if (params.distribution === 'orthogonal') assert.ok(cond < 1 + 1e-5, 'orthonormal');
    slfn.dispose();
  }
  const { x, y } = wave(12, 7), slfn = await new SlfnRegressor({ ratio: 1.5, seed: 4 }).fit(x, y);
  await refuses(async () => slfn.reconstruct(await slfn.hidden(x)), 'state', /12 features of 8 elements, expected 16 or more \(ratio 2\)/);
  const { data: a, shape: [m, p] } = (await slfn.model.getWeights())['random/kernel'], z = await inner(slfn, x);
  // the best linear guess from m < p products is the projection on the rows of A: it misses
  const ridge = await new Ridge({ alpha: 1e-6, fitIntercept: false }).fit(z, { data: x.data, shape: [12, 7] });
  assert.ok(m < p && a.length === m * p && 1 - await ridge.score(z, x) > 1e-2);
  slfn.dispose();
  ridge.dispose();
});

test('the output solves (O Y - T) Y^T + alpha O = 0, primal as dual, in pieces as at once', async () => {
  const { x, y } = wave(30, 5), outputs = [], params = { alpha: 0.1, seed: 9, nodes: 24 };
  for (const Kind of [ElmRegressor, SlfnRegressor]) {
    for (const solver of ['primal', 'dual', 'stream']) {
      const one = new Kind({ ...params, solver: solver === 'stream' ? 'auto' : solver });
      const part = ({ data, shape: [, n] }, begin, end) => ({ data: data.subarray(begin * n, end * n), shape: [end - begin, n] });
      if (solver === 'stream') for (const [a, b] of [[0, 11], [11, 30]]) await one.partialFit(part(x, a, b), part(y, a, b), { solve: b === 30 });
      else await one.fit(x, y);
      const h = await one.hidden(x), o = (await one.model.getWeights())['output/kernel'], p = await one.predict(x);
      assert.deepEqual([o.shape, h.shape], [[2, 24], [30, 24]]);
      let [residual, scale] = [0, 0];
      for (let k = 0; k < 2; k++) {
        for (let j = 0; j < 24; j++) {
          let [r, t] = [params.alpha * o.data[k * 24 + j], 0];
          for (let i = 0; i < 30; i++) {
            r += (p.data[i * 2 + k] - y.data[i * 2 + k]) * h.data[i * 24 + j];
            t += y.data[i * 2 + k] * h.data[i * 24 + j];
          }
          [residual, scale] = [residual + r * r, scale + t * t];
        }
      }
      assert.ok(Math.sqrt(residual) <= 1e-4 * Math.sqrt(scale), `${Kind.kind} ${solver}: ${Math.sqrt(residual / scale)}`);
      outputs.push(o.data);
      one.dispose();
    }
    const [primal, dual, stream] = outputs.splice(0), largest = Math.max(...primal.map(Math.abs));
    close(dual, primal, 1e-4 * largest, 'dual');
    close(stream, primal, 1e-4 * largest, 'stream');
  }
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

test('the same seed gives the same file', async () => {
  const { x, y } = labelled(60, 6, 3), files = [];
  for (const Kind of [ElmClassifier, ElmClassifier, SlfnClassifier, SlfnClassifier]) {
    const one = await new Kind({ seed: 21 }).fit(x, y);
    files.push(await one.save('bytes'));
    one.dispose();
  }
  assert.deepEqual(files[1], files[0]);
  assert.deepEqual(files[3], files[2]);
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
  const slfn = await new SlfnClassifier({ seed: 1 }).fit(x, names);
  await refuses(() => slfn.reconstruct([[1, 2]]), 'shape', /shape \[1, 2\], expected \[rows, 14\]/);
  slfn.dispose();
});
