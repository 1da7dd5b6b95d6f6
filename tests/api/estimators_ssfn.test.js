// SSFN: what its paper promises of costs, norms, growth and normalisation; its network is an ordinary one.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { info, init } from '../../bindings/index.js';
import { Ssfn, SsfnRegressor } from '../../bindings/estimators/ssfn.js';
import { layerSeed } from '../../bindings/estimators/stages.js';
import { bits, labelled, refuses } from './modelkit.js';

const rows = 240, classes = 3, size = 6;
const { x: flat, y } = labelled(rows, size, classes, 5);
const x = { data: flat, shape: [rows, size] };
const other = labelled(80, size, classes, 77), held = { data: other.x, shape: [80, size] };
const small = { nodes: 20, maxLayers: 3, layerThreshold: 0, seed: 3, alpha: 5 };

before(() => init({ deterministic: true, threads: 1 }));

/** Fits, and disposes at the end of the test. */
async function fitted(context, params, options, targets = y, Type = Ssfn) {
  const one = new Type({ ...small, ...params });
  context.after(() => one.dispose());
  return one.fit(x, targets, options);
}

const norm = values => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));
const costs = one => one.report.layers.map(({ cost }) => cost);

test('the cost never rises, whatever the seed, the radius and the solver; the report tells of the model', async (context) => {
  for (const params of [{}, { seed: 8 }, { alpha: 1 }, { alpha: 50, nodes: 3 }, { solver: 'admm' }, { solver: 'admm', iterations: 1 }, { bias: true, cacheLimit: 0 }]) {
    const one = await fitted(context, params), { layers } = one.report;
    assert.equal(layers.length, 4);
    layers.slice(1).forEach(({ cost, norm: o, radius }, i) => {
      assert.ok(cost <= layers[i].cost * (1 + 1e-6), `${JSON.stringify(params)} layer ${i + 1}: ${cost} after ${layers[i].cost}`);
      assert.ok(o <= radius * (1 + 1e-6), `${o} in a ball of ${radius}`);
      assert.ok(Math.abs(radius - one.getParams().alpha * Math.sqrt(2 * classes)) < 1e-12);
    });
    const { data } = await one.model.predict(x), last = layers.at(-1);
    const cost = data.reduce((sum, s, i) => sum + (Number(y[Math.floor(i / classes)] === i % classes) - s) ** 2, 0);
    assert.ok(Math.abs(cost - last.cost) <= 1e-4 * cost, `${cost} and ${last.cost}`);
    assert.ok(Math.abs(last.nme - 10 * Math.log10(last.cost / rows)) < 1e-9);
    assert.equal(await one.score(x, y), last.trainAccuracy);
    assert.ok(Math.abs(norm((await one.model.getWeights())['output_3/kernel'].data) - last.norm) < 1e-5 * last.norm);
  }
});

test('[I, -I, 0] repeats the layer before, bit by bit; random features have norm 1 or 0', async (context) => {
  const one = await fitted(context, {}), { model } = one, weights = await model.getWeights(), q = classes;
  const o = new Float32Array(q * (2 * q + 20));
  for (let k = 0; k < q; k++) o.set([1], k * (2 * q + 20) + k), o.set([-1], k * (2 * q + 20) + q + k);
  assert.ok(Math.abs(norm(o) - Math.sqrt(2 * q)) < 1e-6);
  await model.setWeights({ ...weights, 'output_3/kernel': { data: o, shape: [q, 2 * q + 20] } });
  const [before2, after3, unit] = await model.predict(x, { output: ['output_2', 'output_3', 'unit_1'] });
  assert.deepEqual(after3.data, before2.data);
  for (let row = 0; row < rows; row++) assert.ok(Math.abs(norm(unit.data.subarray(row * 20, row * 20 + 20)) - 1) < 1e-6);
  const zero = await model.predict(new Float32Array(size), { output: 'unit_1' });
  assert.equal(norm(zero.data), 0);
});

test('features in the engine or computed anew: the same to rounding; threads: the same bits', async (context) => {
  const [cached, anew, again] = [await fitted(context, {}), await fitted(context, { cacheLimit: 0 }), await fitted(context, {})];
  assert.deepEqual(await bits(cached.model), await bits(again.model));
  costs(cached).forEach((cost, i) => assert.ok(Math.abs(cost - costs(anew)[i]) <= 1e-4 * cost));
  const different = await fitted(context, { seed: 4 });
  assert.notDeepEqual((await different.model.getWeights())['random_1/kernel'], (await cached.model.getWeights())['random_1/kernel']);
  assert.equal(new Set([1, 2, 3].map(layer => layerSeed(2 ** 53 - 1, layer))).size, 3);
  assert.ok(Number.isSafeInteger(layerSeed(2 ** 53 - 1, 100)));
});

test('growth over nodes: threshold 0 reaches the most, a large one keeps the lossless nodes alone', async (context) => {
  const steps = [], onProgress = progress => steps.push(progress);
  const all = await fitted(context, { growNodes: { step: 8, threshold: 0 }, maxLayers: 2 }, { onProgress });
  assert.deepEqual(all.report.layers.map(({ nodes }) => nodes), [0, 20, 20]);
  assert.deepEqual(steps.map(({ layer, nodes }) => [layer, nodes]), [[0, 0], ...[1, 2].flatMap(layer => [0, 8, 16, 20].map(nodes => [layer, nodes]))]);
  const whole = await fitted(context, { maxLayers: 2 });
  assert.deepEqual((await all.model.getWeights())['random_1/kernel'], (await whole.model.getWeights())['random_1/kernel'], 'rows are added');
  const none = await fitted(context, { growNodes: { step: 8, threshold: 1e9 }, maxLayers: 2 });
  assert.deepEqual(none.report.layers.map(({ nodes }) => nodes), [0, 0, 0]);
  assert.deepEqual(none.model.layers.find(({ name }) => name === 'output_1').weights[0].shape, [classes, 2 * classes]);
});

test('growth over layers stops where it no longer pays, and that layer is dropped', async (context) => {
  const steps = [], one = await fitted(context, { layerThreshold: 1e6 }, { onProgress: progress => steps.push(progress.layer) });
  assert.deepEqual([steps, one.report.layers.length, one.report.stopped], [[0, 1], 1, 'layerThreshold']);
  const all = await fitted(context, { layerThreshold: 0 });
  assert.equal(all.report.stopped, 'maxLayers');
  const linear = await fitted(context, { maxLayers: 0 });
  assert.deepEqual([linear.report.layers.length, linear.report.stopped], [1, 'maxLayers']);
});

test('compat: as published, without a bound that holds or a safeguard', async (context) => {
  const one = await fitted(context, { solver: 'compat', mu: 1e5, alpha: 1 });
  assert.ok(one.report.layers[1].norm > one.report.layers[1].radius, 'O lies outside the ball');
  const stiff = await fitted(context, { solver: 'compat', mu: 1e-9, iterations: 1 });
  assert.ok(stiff.report.layers[1].cost > stiff.report.layers[0].cost, 'stopped far short');
});

test('progress, validation and labels of any kind', async (context) => {
  const steps = [], names = ['no', 'perhaps', 'yes'];
  const one = await fitted(context, {}, {
    onProgress: progress => steps.push(progress), validationData: [held, Array.from(other.y, k => names[k])],
  }, Array.from(y, k => names[k]));
  assert.deepEqual(one.classes, names);
  assert.equal(await one.score(held, Array.from(other.y, k => names[k])), one.report.layers.at(-1).validationAccuracy);
  for (const { phase, done, total, seconds, cost, nme, trainAccuracy, validationAccuracy, validationCost } of steps) {
    assert.deepEqual([phase, total], ['layer', 3]);
    assert.ok([done, seconds, cost, trainAccuracy, validationAccuracy, validationCost].every(v => v >= 0) && nme < 0);
  }
  assert.ok(one.report.layers.at(-1).trainAccuracy > 0.9, JSON.stringify(one.report));
});

test('numbers: a regressor, saved and loaded with the same bits', async (context) => {
  const data = Float32Array.from({ length: rows * 2 }, (_, i) => Math.abs(flat[(i >> 1) * size] - 0.5) + (i % 2) * flat[(i >> 1) * size + 1]);
  const one = await fitted(context, { nodes: 100, bias: true, maxLayers: 4, alpha: 50 }, {}, { data, shape: [rows, 2] }, SsfnRegressor);
  assert.ok(await one.score(x, { data, shape: [rows, 2] }) > 0.9, JSON.stringify(one.report));
  const back = await SsfnRegressor.load(await one.save('bytes'));
  context.after(() => back.dispose());
  assert.deepEqual([await back.predict(held), back.report, back.getParams()], [await one.predict(held), one.report, one.getParams()]);
});

test('an aborted fit keeps the last whole network and frees the rest', async () => {
  const one = await new Ssfn(small).fit(x, y);
  one.dispose();
  const settled = async () => new Ssfn({ ...small, maxLayers: 0 }).fit(x, y).then(o => (o.dispose(), info().memory.used)), used = await settled();
  for (const at of [0, 1, 2]) {
    const again = new Ssfn({ ...small, growNodes: { step: 10, threshold: 0 } }), stop = new AbortController();
    await assert.rejects(again.fit(x, y, { signal: stop.signal, onProgress: ({ layer }) => layer === at && stop.abort() }), { name: 'AbortError' });
    assert.equal(again.isFitted, at > 0);
    if (at) assert.deepEqual([again.report.layers.length, again.report.stopped, (await again.predict(x)).length], [at, 'interrupted', rows]);
    again.dispose();
    assert.equal(await settled(), used, `after layer ${at}`);
  }
});

test('constant columns, few rows and wrong parameters', async (context) => {
  const flatRows = [[1, 0, 5], [1, 0, 7], [1, 0, 5]], one = await new Ssfn(small).fit(flatRows, [0, 1, 0]);
  context.after(() => one.dispose());
  assert.deepEqual(await one.predict(flatRows), [0, 1, 0]);
  for (const [params, message] of [
    [{ alpha: 0.5 }, /alpha = 0.5, expected a finite number >= 1/], [{ growNodes: true }, /growNodes = true, expected false or \{ step/],
    [{ growNodes: { step: 0, threshold: 1 } }, /growNodes/], [{ growNodes: { step: 1 } }, /growNodes/], [{ solver: 'secula' }, /did you mean "secular"/],
    [{ node: 3 }, /did you mean "nodes"/], [{ mu: 0 }, /mu = 0/],
  ]) await refuses(() => new Ssfn(params), 'argument', message);
  await refuses(() => new Ssfn(small).fit([[1], [NaN]], [0, 1]), 'argument', /row 1, element 0 = NaN/);
  await refuses(() => new Ssfn(small).fit([[1], [2]], [0, 0]), 'argument', /one class only/);
});
