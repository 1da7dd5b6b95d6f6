// SSFN: what its paper promises of costs, norms, growth and normalisation; its network is an ordinary one.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { info, init } from '../../bindings/index.js';
import { Gram } from '../../bindings/solvers.js';
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

test('features in the engine or computed anew: the same to rounding; the same seed: the same bits', async (context) => {
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

test('fine-tuning by backpropagation goes on from there, the random weights only if asked to', async (context) => {
  const one = await fitted(context, {}), before2 = await one.model.getWeights(), cost = () => one.report.fineTuning.loss;
  const bytes = await one.save('bytes');
  await one.fineTune(x, y, { epochs: 5, batchSize: 60, learningRate: 1e-3 });
  const after = await one.model.getWeights();
  assert.deepEqual(after['random_2/kernel'], before2['random_2/kernel']);
  assert.notDeepEqual(after['output_1/kernel'], before2['output_1/kernel']);
  assert.ok(cost().length === 5 && cost()[4] < cost()[0] && cost()[4] < one.report.layers.at(-1).cost / rows / classes, `${cost()}`);
  await one.fineTune(x, y, { epochs: 1, randomWeights: true, validationData: [held, other.y] });
  assert.notDeepEqual((await one.model.getWeights())['random_2/kernel'], before2['random_2/kernel']);
  assert.equal(one.report.fineTuning.val_loss.length, 1);
  const back = await Ssfn.load(bytes), abort = new AbortController(), old = await bits(back.model);
  context.after(() => back.dispose());
  await assert.rejects(back.fineTune(x, y, { epochs: 3, signal: abort.signal, onProgress: () => abort.abort() }), { name: 'AbortError' });
  assert.deepEqual(await bits(back.model), old, 'aborted: as it was');
  await refuses(() => new Ssfn(small).fineTune(x, y), 'state', /call fit first/);
  await refuses(() => one.fineTune(x, y, { epoch: 1 }), 'argument', /did you mean "epochs"/);
});

test('further tasks: old outputs stay bit by bit, the new ones are learned, nothing of the old data is needed', async (context) => {
  const second = { y: Array.from(other.x.subarray(0, 80 * size), (_, i) => i).filter(i => i % size === 0).map(i => (other.x[i] > other.x[i + 1] ? 'up' : 'down')) };
  for (const options of [{}, { layers: 2 }, { distillation: 1e-9 }]) {
    const one = await fitted(context, {}, {}, Array.from(y, k => `class ${k}`)), was = (await one.model.predict(x)).data, steps = [];
    await one.learnTask(held, second.y, { ...options, ridge: 1e-3, onProgress: ({ cost }) => steps.push(cost) });
    const now = (await one.model.predict(x)).data, kept = now.filter((_, i) => i % 5 < 3);
    if (options.distillation) kept.forEach((v, i) => assert.ok(Math.abs(v - was[i]) < 1, `${v} and ${was[i]}`));
    else assert.deepEqual(kept, was);
    assert.deepEqual(one.classes, ['class 0', 'class 1', 'class 2', 'down', 'up']);
    assert.equal(steps.length >= 1 + (options.layers ?? 0), true);
    const found = await one.predictTask(held, 1), right = found.filter((label, i) => label === second.y[i]).length / 80;
    assert.equal(right, one.report.tasks[1].trainAccuracy);
    assert.ok(right > 0.95, `${right}`);
    const first = await one.predictTask(x, 0);
    assert.ok(first.every(label => label.startsWith('class')));
    const back = await Ssfn.load(await one.save('bytes'));
    assert.deepEqual(await back.predictTask(held, 1), found);
    await back.learnTask(held, Array.from(other.y, k => `third ${k}`)); // and again, from a file
    assert.equal(back.report.tasks.length, 3);
    assert.deepEqual((await back.model.predict(x)).data.filter((_, i) => i % 8 < 5), now);
    back.dispose();
  }
  const one = await fitted(context, {});
  await refuses(() => one.learnTask(held, Array.from(other.y)), 'argument', /0 is a class of an earlier task/);
  await refuses(() => one.learnTask(held, second.y, { layers: -1 }), 'argument', /layers = -1, expected a whole number from 0/);
  await refuses(() => one.predictTask(held, 1), 'argument', /task = 1, expected 0 to 0/);
  await refuses(() => new Ssfn(small).learnTask(held, second.y), 'state', /call fit first/);
});

test('distillation: the coefficients that repeat the old outputs on the new rows', async (context) => {
  const one = await fitted(context, { maxLayers: 1 }), m = 0.5, n = 2 * classes + 20, gram = new Gram({ features: n, targets: classes });
  context.after(() => gram.dispose());
  await gram.add(held, other.y, { model: one.model, node: 'features_1' });
  const { g } = await gram.values(), old = (await one.model.getWeights())['output_1/kernel'].data;
  await one.learnTask(held, Array.from(other.y, k => `new ${k}`), { distillation: m });
  const now = (await one.model.getWeights())['output_1/kernel'].data, at = (i, j) => g[Math.max(i, j) * n + Math.min(i, j)];
  for (let k = 0; k < classes; k++) {
    for (let j = 0; j < n; j++) {
      let [left, right] = [m * now[k * n + j], 0];
      for (let i = 0; i < n; i++) [left, right] = [left + now[k * n + i] * at(i, j), right + old[k * n + i] * at(i, j)];
      assert.ok(Math.abs(left - right) < 1e-3, `O (G + m I) = O_old G: ${left} and ${right}`);
    }
  }
});
