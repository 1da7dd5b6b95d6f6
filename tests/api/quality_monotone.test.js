/** Monotonic transformers: slopes, float32 neighbours, inverse, ranks, and what each activation can and cannot fit. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { layers, load, sequential } from '../../bindings/index.js';
import { certificate, invert, krocc, monotonicTransformer, srocc } from '../../bindings/quality/index.js';
import { readFunction, rawOf, weightsOf } from '../../bindings/quality/positive.js';
import { close, fresh, numbers, refuses } from './modelkit.js';

before(() => fresh());

/** Raw kernels of -3..3, biases of -2..2. */
function randomWeights(model, seed) {
  const own = model.layers.flatMap(({ weights }) => weights);
  return Object.fromEntries(own.map(({ name, shape }, i) => {
    const width = name.endsWith('kernel') ? 6 : 4;
    return [name, numbers(shape.reduce((a, b) => a * b), seed * 31 + i + 1).map(u => width * (u - 0.5))];
  }));
}

test('the slope is positive for 10,000 random networks and inputs of -10..10, and is the derivative', async () => {
  const kinds = [{ skip: true }, { activation: 'mixed' }, { activation: 'tanh', parametrization: 'exp' }, { parametrization: 'square', minimum: 1e-3 }];
  const inputs = numbers(10_000, 3), h = 2e-7;
  let lowest = Infinity, compared = 0;
  for (const [k, kind] of kinds.entries()) {
    const model = await monotonicTransformer({ ...kind, widths: [5, 10, 10, 5], seed: k });
    for (let i = k; i < inputs.length; i += kinds.length) {
      await model.setWeights(randomWeights(model, i + 1));
      const f = await readFunction(model, 'test'), q = 20 * (inputs[i] - 0.5), { y, slope } = f(q);
      const numeric = (f(q + h).y - f(q - h).y) / (2 * h), rounding = 1e-14 * Math.abs(y) / h;
      assert.ok(slope > 0, `${JSON.stringify(kind)} ${i}: slope ${slope} at ${q}`);
      assert.ok(Math.abs(numeric - slope) <= 1e-6 * slope + rounding, `${JSON.stringify(kind)} ${i}: slope ${slope}, numerically ${numeric}`);
      lowest = Math.min(lowest, slope);
      compared += Number(rounding < 1e-3 * slope);
    }
    model.dispose();
  }
  assert.ok(compared > 5000 && lowest < 1, `${compared} slopes were large enough to compare`);
});

test('values of the float64 function are those of the engine', async () => {
  for (const options of [{}, { activation: 'mixed', skip: true }, { activation: 'tanh' }, { compat: true }]) {
    const model = await monotonicTransformer({ ...options, seed: 3 }), q = Float32Array.from(numbers(100, 4), u => 8 * u - 4);
    const { data } = await model.predict(q), f = await readFunction(model, 'test');
    const scale = Math.max(...data.map(Math.abs));
    close(data.map(y => y / scale), Array.from(q, value => f(value).y / scale), 3e-6, JSON.stringify(options));
    model.dispose();
  }
  const net = await sequential(['linear', 'sigmoid', 'tanh', 'relu', 'leakyRelu', 'elu', 'softplus', 'relu6'].map((activation, i) =>
    layers.monotonicDense({ units: 3, activation, ...i === 0 && { inputShape: [1] } })).concat(layers.monotonicDense({ units: 1 })), { seed: 1 });
  const { data } = await net.predict([[-2], [0.5], [3]]), f = await readFunction(net, 'test');
  close(data, [-2, 0.5, 3].map(value => f(value).y), 1e-5, 'all activations');
});

test('certificate: slopes over a range, neighbours in float32', async () => {
  const model = await monotonicTransformer({ activation: 'mixed', seed: 5 }), { minimum, maximum, at, log10, float32 } = await certificate(model, { min: -3, max: 3 });
  assert.ok(minimum > 0 && minimum <= maximum && at >= -3 && at <= 3);
  close(log10, [Math.log10(minimum), Math.log10(maximum)], 1e-12);
  assert.ok(float32.drops === 0 && float32.pairs === 1001 * 8 - 1 && float32.ties < float32.pairs, JSON.stringify(float32));
  const f = await readFunction(model, 'test');
  assert.equal(f(at).slope, minimum);
  const far = await certificate(model, { min: -1e6, max: 1e6, points: 101, adjacent: 16 });
  assert.ok(far.float32.drops === 0 && far.minimum > 0);
  await refuses(() => certificate(model, { min: 1, max: 1 }), 'argument', /min = 1, max = 1/);
  await refuses(() => certificate(model), 'argument', /certificate: min = undefined/);
  const other = await sequential([layers.dense({ units: 1, inputShape: [1] })]);
  await refuses(() => certificate(other, { min: 0, max: 1 }), 'unsupported', /layer "dense" \(dense\), expected monotonicDense/);
  const wide = await sequential([layers.monotonicDense({ units: 2, inputShape: [1] })]);
  await refuses(() => certificate(wide, { min: 0, max: 1 }), 'shape', /expected one number in and one out/);
});

test('the skip keeps the slope above its weight where ELUs saturate', async () => {
  const plain = await monotonicTransformer({ seed: 2 }), skip = await monotonicTransformer({ skip: true, seed: 2 }), range = { min: -200, max: -100, points: 11 };
  const [without, kept] = [await certificate(plain, range), await certificate(skip, range)];
  assert.ok(without.minimum < 1e-12 && without.float32.ties === without.float32.pairs);
  assert.ok(kept.minimum > 0.003 && kept.float32.ties < kept.float32.pairs, JSON.stringify(kept));
});

test('inverse by bisection; values out of reach are refused', async () => {
  const model = await monotonicTransformer({ activation: 'mixed', skip: true, seed: 6 }), f = await readFunction(model, 'test');
  const q = Array.from(numbers(50, 8), u => 10 * u - 5), range = { min: -6, max: 6 };
  close(await invert(model, q.map(value => f(value).y), range), q, 1e-9, 'inverse');
  const { data } = await model.predict(q.map(value => [value]));
  close(await invert(model, data, range), q, 1e-4, 'inverse of float32 outputs');
  assert.ok(Math.abs(await invert(model, f(1.5).y, range) - 1.5) < 1e-9);
  await refuses(() => invert(model, [f(0).y, f(7).y], range), 'argument', /y\[1\] = .* over -6\.\.6 the model takes on/);
  await refuses(() => invert(model, NaN, range), 'argument', /y = NaN/);
});

test('ranks stay as they were: SROCC and tau-b of T(q) are those of q', async () => {
  const q = Float32Array.from(numbers(400, 2), u => Math.round(1e4 * (6 * u - 3)) / 1e4), y = Float64Array.from(numbers(400, 5), (u, i) => q[i] + 2 * u);
  for (const options of [{ activation: 'mixed' }, { skip: true }, { parametrization: 'square' }]) {
    const model = await monotonicTransformer({ ...options, seed: 9 }), mapped = await model.predict(q);
    assert.equal(new Set(mapped.data).size, new Set(q).size, 'no new ties');
    assert.equal(await srocc(mapped, y), await srocc(q, y));
    assert.equal(await krocc(mapped, y), await krocc(q, y));
    model.dispose();
  }
});

const rmseOf = (values, targets) => Math.sqrt(values.reduce((sum, value, i) => sum + (value - targets[i]) ** 2, 0) / values.length);

test('tanh(2q) is fitted by mixed, and by ELU alone no better than by any convex curve', async () => {
  const q = Float32Array.from({ length: 256 }, (_, i) => -2 + 4 * i / 255), y = q.map(value => Math.tanh(2 * value));
  const rmse = {};
  for (const activation of ['elu', 'mixed', 'tanh']) {
    const model = await monotonicTransformer({ activation, seed: 1 });
    await model.compile({ optimizer: { optimizer: 'adam', options: { learningRate: 0.01 } }, loss: 'meanSquaredError' });
    await model.fit(q, y, { epochs: 1500, batchSize: 256 });
    rmse[activation] = rmseOf((await model.predict(q)).data, y);
    const { minimum, float32 } = await certificate(model, { min: -2, max: 2 });
    assert.ok(minimum > 0 && float32.drops === 0);
    model.dispose();
  }
  assert.ok(rmse.mixed < 0.02 && rmse.tanh < 0.02, JSON.stringify(rmse));
  assert.ok(rmse.elu >= 0.242 && rmse.elu < 0.26, `${JSON.stringify(rmse)}, the best convex increasing fit has 0.2424`);
});

test('raw weights and positive ones; save and load; bad options', async () => {
  for (const parametrization of ['softplus', 'exp', 'square', 'abs', 'projection']) {
    const node = layers.monotonicDense({ units: 1, parametrization, minimum: 1e-4 }), weights = [0.001, 0.2, 1, 5];
    close(weightsOf(node, rawOf(node, weights)), weights, 1e-6, parametrization);
  }
  const model = await monotonicTransformer({ widths: [4, 3], activation: 'mixed', skip: true, seed: 1 }), again = await load(await model.save('bytes'));
  assert.deepEqual((await again.predict([[0.3], [1]])).data, (await model.predict([[0.3], [1]])).data);
  assert.equal((await certificate(again, { min: -1, max: 1 })).minimum, (await certificate(model, { min: -1, max: 1 })).minimum);
  await refuses(() => monotonicTransformer({ activation: 'relu' }), 'argument', /activation = "relu", did you mean "elu"/);
  await refuses(() => monotonicTransformer({ compat: true, skip: true }), 'argument', /compat has activation elu/);
  await refuses(() => monotonicTransformer({ parametrisation: 'exp' }), 'argument', /did you mean|parametrization/);
});
