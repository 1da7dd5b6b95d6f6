// HNF: what its paper promises of norms and costs, for random and orthonormal transforms.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { init } from '../../bindings/index.js';
import { Hnf, HnfRegressor } from '../../bindings/estimators/hnf.js';
import { bits, labelled, refuses } from './modelkit.js';

const rows = 200, size = 6, classes = 3, p = size + 1;
const { x: flat, y } = labelled(rows, size, classes, 5), x = { data: flat, shape: [rows, size] };
const transforms = ['orthogonal', 'random', 'dct', 'haar', 'walshHadamard'];

before(() => init({ deterministic: true, threads: 1 }));

/** Fits, and disposes at the end of the test. */
async function fitted(context, params, targets = y, Type = Hnf) {
  const one = new Type({ seed: 3, ...params });
  context.after(() => one.dispose());
  return one.fit(x, targets);
}

const norm = values => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));

test('the cost never rises; features keep lengths; the bound is that of the point that repeats the layer before', async (context) => {
  for (const transform of transforms) {
    for (const params of [{}, { solver: 'admm', iterations: 3 }, { seed: 9, nodes: 20 }]) {
      const one = await fitted(context, { transform, ...params }), { layers } = one.report, name = `${transform} ${JSON.stringify(params)}`;
      assert.equal(layers.length, 3);
      layers.slice(1).forEach(({ cost, norm: o, radius }, i) => {
        const rounding = transform === 'random' ? 1e-5 : 1e-6; // of float32 features: a random square matrix is ill-conditioned
        assert.ok(cost <= layers[i].cost * (1 + rounding), `${name} layer ${i + 1}: ${cost} after ${layers[i].cost}`);
        assert.ok(o <= radius * (1 + 1e-6), `${name}: ${o} in a ball of ${radius}`);
        if (transform !== 'random') assert.ok(Math.abs(radius - Math.SQRT2 * layers[i].norm) < 1e-5 * radius, `${name}: sqrt(2) ||O||`);
      });
      const [z, features] = await one.model.predict(x, { output: ['transform_2', 'features_2'] }), m = z.shape[1];
      assert.equal(features.shape[1], 2 * m + 1);
      for (let row = 0; row < rows; row += 17) {
        const square = norm(features.data.subarray(row * (2 * m + 1), (row + 1) * (2 * m + 1))) ** 2;
        assert.ok(Math.abs(square - norm(z.data.subarray(row * m, (row + 1) * m)) ** 2 - 1) < 1e-4 * square);
      }
      assert.equal(await one.score(x, y), layers[2].trainAccuracy);
    }
  }
});

test('columns of the transforms are orthonormal; their sizes', async (context) => {
  for (const transform of transforms) {
    const one = await fitted(context, { transform }), weights = await one.model.getWeights();
    for (const [level, inputs] of [[1, p], [2, one.report.layers[1].nodes * 2 + 1]]) {
      const { data, shape: [m, n] } = weights[`transform_${level}/kernel`];
      assert.equal(n, inputs);
      assert.equal(m, ['haar', 'walshHadamard'].includes(transform) ? 2 ** Math.ceil(Math.log2(inputs)) : inputs);
      for (let i = 0; transform !== 'random' && i < n; i++) {
        for (let j = 0; j <= i; j++) {
          let sum = 0;
          for (let k = 0; k < m; k++) sum += data[k * n + i] * data[k * n + j];
          assert.ok(Math.abs(sum - Number(i === j)) < 1e-5, `${transform}: R^T R [${i}, ${j}] = ${sum}`);
        }
      }
      for (let k = 0; transform === 'dct' && k < m; k++) { // a constant is the first coefficient alone
        const sum = data.subarray(k * n, (k + 1) * n).reduce((a, b) => a + b, 0);
        assert.ok(Math.abs(sum - (k ? 0 : Math.sqrt(n))) < 1e-5, `element ${k} = ${sum}`);
      }
    }
  }
});

test('where nothing better is found the layer before is repeated', async (context) => {
  for (const transform of transforms) { // one iteration of ADMM with its penalty far too large stops far short
    const one = await fitted(context, { transform, solver: 'admm', iterations: 1, maxLayers: 3 }), repeated = one.report.layers.filter(layer => layer.isFeasiblePoint);
    for (const { layer, norm: o, radius, cost } of repeated) {
      assert.ok(Math.abs(o - radius) < 1e-6 * radius, `${transform}: ${o} and ${radius}`);
      assert.ok(Math.abs(cost - one.report.layers[layer - 1].cost) < 1e-5 * cost);
      const [was, now] = await one.model.predict(x, { output: [`transform_${layer}`, `crelu_${layer}`] });
      assert.equal(now.shape[1], 2 * was.shape[1]);
    }
    if (transform === 'dct') assert.ok(repeated.length > 0, JSON.stringify(one.report));
  }
});

test('compat: ADMM of penalty 1 / mu, without a bound that holds', async (context) => {
  const stiff = await fitted(context, { transform: 'random', solver: 'compat', mu: 1e-7 }), free = await fitted(context, { transform: 'random', solver: 'compat', mu: 1e3 });
  assert.ok(stiff.report.layers[1].norm < 1e-2, 'stops far short of the solution');
  assert.ok(free.report.layers[2].cost < stiff.report.layers[2].cost);
});

test('saved, loaded, fitted again, fine-tuned; numbers; too few nodes', async (context) => {
  const [one, again] = [await fitted(context, {}), await fitted(context, {})], back = await Hnf.load(await one.save('bytes'));
  context.after(() => back.dispose());
  assert.deepEqual(await bits(again.model), await bits(one.model));
  assert.deepEqual([await back.predict(x), back.report], [await one.predict(x), one.report]);
  await one.fineTune(x, y, { epochs: 2, learningRate: 1e-3 });
  assert.equal(one.report.fineTuning.loss.length, 2);
  const values = Float32Array.from({ length: rows }, (_, i) => Math.abs(flat[i * size] - flat[i * size + 1]));
  const numbers = await fitted(context, { nodes: 60 }, values, HnfRegressor);
  const [first, , last] = numbers.report.layers, score = await numbers.score(x, values);
  assert.ok(last.cost < 0.85 * first.cost && score > 0.15, JSON.stringify(numbers.report));
  await refuses(() => new Hnf({ nodes: 6 }).fit(x, y), 'argument', /Hnf\.fit: nodes = 6, expected at least 7: the features of a row and a 1/);
  await refuses(() => new Hnf({ transform: 'harr' }), 'argument', /transform = "harr", expected one of|did you mean "haar"/);
});
