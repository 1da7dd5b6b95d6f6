// DKN: kernels with the properties they must have, layers that lose nothing, errors of samples left out, networks that keep their samples.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { apply, info, init, input, layers, model } from '../../bindings/index.js';
import { Dkn, DknRegressor } from '../../bindings/estimators/dkn.js';
import { loadEstimator } from '../../bindings/estimators/index.js';
import { eigh } from '../../bindings/linalg.js';
import { bits, labelled, numbers, refuses } from './modelkit.js';

const rows = 120, size = 5, classes = 3;
const { x: flat, y } = labelled(rows, size, classes, 9), x = { data: flat, shape: [rows, size] };
const other = labelled(60, size, classes, 31), held = { data: other.x, shape: [60, size] };

before(() => init({ deterministic: true, threads: 1 }));

/** Fits, and disposes at the end of the test. */
async function fitted(context, params, options, targets = y, Type = Dkn) {
  const one = new Type({ maxLayers: 3, ...params });
  context.after(() => one.dispose());
  return one.fit(x, targets, options);
}

/** Kernel values of rows and points by the layer. */
async function kernelOf(kernel, points, count) {
  const u = input({ shape: [size], name: 'u' }), dot = apply(layers.dense({ units: count, useBias: false, name: 'points' }), u);
  const net = await model({ inputs: u, outputs: apply(layers.kernelMap({ kernel, gamma: 0.7, name: 'k' }), [dot, u]), seed: 0 });
  const squaredNorms = Float32Array.from({ length: count }, (_, j) => points.subarray(j * size, (j + 1) * size).reduce((sum, v) => sum + v * v, 0));
  await net.setWeights({ 'points/kernel': points, 'k/squaredNorms': squaredNorms });
  const { data } = await net.predict({ data: points, shape: [count, size] });
  net.dispose();
  return { k: data, squaredNorms };
}

test('kernels have no negative direction; the arc-cosine of order 1 is an expectation over random ReLUs', async () => {
  const count = 40, points = numbers(count * size, 3).map(v => 2 * v - 1), draws = numbers(240000, 11);
  for (const kernel of ['linear', 'rbf', 'arcCosine0', 'arcCosine1']) {
    const { k, squaredNorms } = await kernelOf(kernel, points, count);
    const { values } = await eigh({ data: Float64Array.from(k), shape: [count, count] }, { vectors: false });
    assert.ok(values[0] > -1e-5 && values[count - 1] > 1, `${kernel}: ${values[0]} to ${values[count - 1]}`);
    for (let i = 0; i < count; i++) {
      const wanted = kernel === 'arcCosine1' || kernel === 'linear' ? squaredNorms[i] : 1;
      assert.ok(Math.abs(k[i * (count + 1)] - wanted) < 2e-4, `${kernel}(u, u) = ${k[i * (count + 1)]}, ${wanted}`);
    }
  }
  const { k } = await kernelOf('arcCosine1', points, count), steps = 20000;
  for (const [i, j] of [[0, 1], [2, 5], [7, 3]]) {
    let sum = 0;
    for (let s = 0; s < steps; s++) { // normal numbers from uniform ones (Box and Muller)
      let [a, b] = [0, 0];
      for (let d = 0; d < size; d++) {
        const w = Math.sqrt(-2 * Math.log(draws[s * 10 + 2 * d])) * Math.cos(2 * Math.PI * draws[s * 10 + 2 * d + 1]);
        [a, b] = [a + w * points[i * size + d], b + w * points[j * size + d]];
      }
      sum += 2 * Math.max(a, 0) * Math.max(b, 0) / steps;
    }
    assert.ok(Math.abs(sum - k[i * count + j]) < 0.05 * (1 + Math.abs(sum)), `${sum} and ${k[i * count + j]}`);
  }
});

test('the cost in the report is that of the network, for each kernel', async (context) => {
  for (const kernel of ['rbf', 'linear', 'arcCosine0', 'arcCosine1']) {
    const one = await fitted(context, { kernel, leaveOneOut: false }, {}), last = one.report.layers.at(-1);
    const { data } = await one.model.predict(x), cost = data.reduce((sum, s, i) => sum + (Number(y[Math.floor(i / classes)] === i % classes) - s) ** 2, 0);
    assert.ok(Math.abs(cost - last.cost) <= 1e-2 * last.cost + 1e-3, `${kernel}: ${cost} and ${last.cost}`);
    assert.ok(last.leaveOneOutCost > last.cost, 'samples that were seen fit better');
    assert.equal(await one.score(x, y), last.trainAccuracy);
  }
});

test('random features join the dense ones: of unit length before the rectifier, drawn by the seed', async (context) => {
  const params = { nodes: 16, seed: 4, leaveOneOut: false, kernel: 'arcCosine1' }, one = await fitted(context, params, { validationData: [held, other.y] });
  const layers = one.report.layers, last = layers.at(-1), { data } = await one.model.predict(x);
  assert.ok(layers.length > 1, JSON.stringify(layers));
  const cost = data.reduce((sum, s, i) => sum + (Number(y[Math.floor(i / classes)] === i % classes) - s) ** 2, 0);
  assert.ok(Math.abs(cost - last.cost) <= 1e-2 * last.cost + 1e-3, `the network ${cost}, the fit ${last.cost}`);
  const [joined, unit, dense] = await one.model.predict(held, { output: ['joined_1', 'unit_1', 'features_1'] });
  assert.deepEqual([joined.shape, dense.shape], [[60, 2 * classes + 16], [60, size + 2 * classes + 16]]);
  for (let row = 0; row < 60; row++) {
    const z = unit.data.subarray(row * 16, (row + 1) * 16);
    assert.ok(Math.abs(z.reduce((sum, v) => sum + v * v, 0) - 1) < 1e-5);
    assert.deepEqual(joined.data.slice(row * 22 + 6, (row + 1) * 22), z.map(v => Math.max(0, v)));
  }
  const [again, another, plain] = [await fitted(context, params), await fitted(context, { ...params, seed: 5 }), await fitted(context, { ...params, nodes: 0 })];
  assert.deepEqual(again.report.layers[0], (({ validationCost: _, validationAccuracy: __, ...rest }) => rest)(layers[0]));
  assert.deepEqual([another, plain].map(({ report }) => report.layers[1]?.cost === again.report.layers[1]?.cost), [false, false]);
  const back = await loadEstimator(await one.save('bytes'));
  context.after(() => back.dispose());
  assert.deepEqual((await back.model.predict(x)).data, data);
});

test('errors of samples left out are those of fits without them', async (context) => {
  const one = await fitted(context, { maxLayers: 1, gamma: 2, ridge: 0.3 }), { leaveOneOutCost, leaveOneOutAccuracy } = one.report.layers[0];
  let cost = 0, right = 0;
  for (let left = 0; left < rows; left++) {
    const keep = Array.from({ length: rows }, (_, i) => i).filter(i => i !== left), less = new Dkn(one.getParams());
    // one row more would change the scale of rows, but for rows of unit length
    await less.fit(keep.map(i => flat.subarray(i * size, (i + 1) * size)), keep.map(i => y[i]));
    const { data } = await less.model.predict(flat.subarray(left * size, (left + 1) * size));
    cost += data.reduce((sum, s, k) => sum + (Number(y[left] === k) - s) ** 2, 0);
    right += data.indexOf(Math.max(...data)) === y[left] ? 1 : 0;
    less.dispose();
  }
  assert.ok(Math.abs(cost - leaveOneOutCost) < 1e-3 * cost, `${cost} and ${leaveOneOutCost}`);
  assert.ok(Math.abs(right / rows - leaveOneOutAccuracy) <= 1 / rows);
});

test('nothing of the outputs is lost between layers; the dense features hold all blocks', async (context) => {
  const one = await fitted(context, { kernel: 'linear' }, { validationData: [held, other.y] }), { nodes } = one.model.description;
  if (!nodes.some(({ name }) => name === 'lossless_1')) assert.fail(`one layer only: ${JSON.stringify(one.report)}`);
  const [s, both, features] = await one.model.predict(held, { output: ['output_1', 'lossless_1', 'features_1'] });
  for (let row = 0; row < 60; row++) {
    for (let k = 0; k < classes; k++) assert.equal(both.data[row * 6 + k] - both.data[row * 6 + 3 + k], s.data[row * 3 + k]);
  }
  assert.deepEqual(features.shape, [60, size + 2 * classes]);
});

test('layers are added until the validation error no longer falls', async (context) => {
  const steps = [], one = await fitted(context, { maxLayers: 6, kernel: 'rbf' }, { validationData: [held, other.y], onProgress: progress => steps.push(progress) });
  const { layers: kept, stopped } = one.report, errors = steps.map(({ validationCost }) => validationCost);
  assert.equal(stopped, steps.length > kept.length ? 'error' : 'maxLayers');
  assert.equal(kept.length, stopped === 'error' ? steps.length - 1 : 6);
  kept.slice(1).forEach(({ validationCost }, i) => assert.ok(validationCost < kept[i].validationCost));
  if (stopped === 'error') assert.ok(errors.at(-1) >= errors.at(-2));
  assert.equal(await one.score(held, other.y), kept.at(-1).validationAccuracy);
  assert.ok(kept.at(-1).validationAccuracy > 0.8, JSON.stringify(kept));
  const alone = await fitted(context, { maxLayers: 6 });
  alone.report.layers.slice(1).forEach(({ leaveOneOutCost }, i) => assert.ok(leaveOneOutCost < alone.report.layers[i].leaveOneOutCost));
});

test('saved, loaded and fitted again: the same bits; numbers too', async (context) => {
  const [one, again] = [await fitted(context, {}), await fitted(context, {})], back = await loadEstimator(await one.save('bytes'));
  context.after(() => back.dispose());
  assert.deepEqual(await bits(again.model), await bits(one.model));
  assert.deepEqual([await back.model.predict(held), back.report, back.classes], [await one.model.predict(held), one.report, one.classes]);
  const values = Float32Array.from({ length: rows }, (_, i) => Math.sin(4 * flat[i * size]) * flat[i * size + 1]);
  const numbers1 = await fitted(context, { normalize: false, ridge: 1e-3 }, {}, values, DknRegressor);
  assert.ok(await numbers1.score(x, values) > 0.98, JSON.stringify(numbers1.report));
  assert.deepEqual((await numbers1.predict(held)).shape, [60]);
});

test('too many samples, singular kernels, wrong parameters, aborted fits', async (context) => {
  await refuses(() => new Dkn({ memoryLimit: 0.1 }).fit(x, y), 'memory', /Dkn\.fit: 120 samples need 1 MiB of inner products, expected at most memoryLimit = 0.1 MiB/);
  await refuses(() => new Dkn({ ridge: 0, kernel: 'linear' }).fit(x, y), 'diverged', /not positive definite at sample \d+ with lambda = 0/);
  await refuses(() => new Dkn({ kernel: 'linaer' }), 'argument', /did you mean "linear"/);
  await refuses(() => new Dkn({ gamma: 0 }), 'argument', /gamma = 0/);
  const same = await new Dkn().fit([[1, 1], [1, 1], [1, 1]], ['a', 'b', 'b']); // no distances
  context.after(() => same.dispose());
  assert.deepEqual(await same.predict([[1, 1]]), ['b']);
  const used = info().memory.used;
  for (const at of [1, 2]) {
    const one = new Dkn({ kernel: 'linear' }), abort = new AbortController();
    await assert.rejects(one.fit(x, y, { signal: abort.signal, onProgress: ({ layer }) => layer === at && abort.abort() }), { name: 'AbortError' });
    assert.equal(one.report.layers.length, at);
    assert.equal((await one.predict(x)).length, rows);
    one.dispose();
    await same.predict([[1, 1]]);
    assert.equal(info().memory.used, used);
  }
});
