import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError, apply, constraints, info, initializers, input, layers, losses, model, regularizers, sequential } from '../../bindings/index.js';
import { bits, close, fresh, labelled, mlp, numbers, refuses } from './modelkit.js';

await fresh();

test('a model tells its layers, shapes and parameters', async () => {
  const net = await sequential([
    layers.input({ shape: [28, 28] }), layers.bilinear({ rows: 20, cols: 16, name: 'hidden' }), layers.flatten(),
    layers.dense({ units: 10, trainable: false }), layers.dense({ units: 10 }),
  ], { name: 'digits', seed: 3 });
  const matrix = 20 * 28 + 16 * 28 + 20 * 16, dense = 320 * 10 + 10, last = 110;
  assert.equal(net.name, 'digits');
  assert.equal(net.seed, 3);
  assert.equal(net.parameters, matrix + dense + last);
  assert.deepEqual(net.inputs, [{ name: 'input', shape: [28, 28] }]);
  assert.deepEqual(net.outputs, [{ name: 'dense_1', shape: [10] }]);
  assert.deepEqual(net.layers.map(({ name, kind, outputShape, parameters, frozenParameters, inputs }) =>
    [name, kind, outputShape.join(), parameters, frozenParameters, inputs.join()]), [
    ['input', 'input', '28,28', 0, 0, ''], ['hidden', 'bilinear', '20,16', matrix, 0, 'input'], ['flatten', 'flatten', '320', 0, 0, 'hidden'],
    ['dense', 'dense', '10', dense, dense, 'flatten'], ['dense_1', 'dense', '10', last, 0, 'dense'],
  ]);
  assert.deepEqual(net.layers[1].weights.map(({ name, shape }) => [name, shape.join()]),
    [['hidden/U', '20,28'], ['hidden/V', '16,28'], ['hidden/B', '20,16']]);
  assert.match(net.summary(), /^Model: "digits"\n_+\nLayer \(type\) +Output Shape +Param #\n=+\n/);
  assert.match(net.summary(), /\nhidden \(bilinear\) +\(None, 20, 16\) +1,328\n/);
  assert.match(net.summary(), /\nTotal params: 4,648 \(18\.16 KB\)\nTrainable params: 1,438 \(5\.62 KB\)\nNon-trainable params: 3,210 \(12\.54 KB\)\n_+$/);
  await net.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy' });
  assert.match(net.summary(), /\nOptimizer params: 9,296 \(36\.31 KB\)\n_+$/);
  net.dispose();
});

test('the summary: trainable or not, weights, lines of any length, line by line', async () => {
  const x = input({ shape: [6], name: 'x' }), deep = apply(layers.dense({ units: 6, trainable: false, name: 'a-name-that-is-rather-long-for-a-column' }), x);
  const net = await model({ inputs: [x], outputs: [apply(layers.add({ name: 'sum' }), [x, deep])], name: 'graph' }), lines = [];
  const text = net.summary({ showTrainable: true, expand: true, lineLength: 68, printFn: (line) => lines.push(line) });
  assert.equal(lines.join('\n'), text);
  assert.ok(lines.every((line) => line.length <= 68) && lines[1].length === 68, text);
  assert.match(text, /\na-name[\w-]*… +\(None, 6\) +42 +x +N\n {2}kernel +\(6, 6\) +36 +N\n {2}bias +\(6,\) +6 +N\nsum \(add\) +\(None, 6\) +0 +x, [\w-]+… +-\n/);
  assert.match(net.summary({ lineLength: 140 }), /\na-name-that-is-rather-long-for-a-column \(dense\) +\(None, 6\) +42 +x\n/);
  assert.throws(() => net.summary({ lineLenght: 60 }), /summary: unknown option "lineLenght", did you mean "lineLength"/);
  assert.throws(() => net.summary({ lineLength: 10 }), /summary: lineLength = 10, expected a whole number from 40/);
  assert.throws(() => net.summary({ printFn: 'log' }), /summary: printFn is a string, expected a function/);
  net.dispose();
});

test('the seed decides the initial weights, and a model without one has a random one', async () => {
  const [a, b, c, d, e] = [await mlp(3, 4, 2, { seed: 1 }), await mlp(3, 4, 2, { seed: 1 }), await mlp(3, 4, 2, { seed: 2 }),
    await mlp(3, 4, 2, { seed: undefined }), await mlp(3, 4, 2, { seed: undefined })];
  assert.deepEqual(await bits(a), await bits(b));
  assert.notDeepEqual(await bits(a), await bits(c));
  assert.notEqual(d.seed, e.seed);
  for (const net of [a, b, c, d, e]) net.dispose();
});

test('what hangs on weights reaches them: initialisers on kernel and bias, unitNorm', async () => {
  const net = await sequential([
    layers.input({ shape: [3] }),
    layers.dense({ units: 2, kernelInitializer: initializers.constant({ value: 0.5 }), biasInitializer: initializers.constant({ value: -1 }) }),
  ]);
  const weights = await net.getWeights();
  assert.deepEqual([...weights['dense/kernel'].data], [0.5, 0.5, 0.5, 0.5, 0.5, 0.5]);
  assert.deepEqual(weights['dense/kernel'].shape, [2, 3]);
  assert.deepEqual([...weights['dense/bias'].data], [-1, -1]);
  close((await net.predict([[1, 2, 3]])).data, [2, 2], 1e-6);
  net.dispose();
  const unit = await sequential([
    layers.input({ shape: [2, 3] }), layers.bilinear({ rows: 2, cols: 2, kernelConstraint: constraints.unitNorm({ axis: 'row' }), biasInitializer: 'ones' }),
  ]);
  for (const name of ['bilinear/U', 'bilinear/V']) {
    const { data, shape: [rows, cols] } = (await unit.getWeights())[name];
    close(Array.from({ length: rows }, (_, i) => Math.hypot(...data.subarray(i * cols, (i + 1) * cols))), [1, 1], 1e-6);
  }
  assert.deepEqual([...(await unit.getWeights())['bilinear/B'].data], [1, 1, 1, 1]);
  unit.dispose();
});

test('weights are copies, and go back in by name: all, some, or none after an error', async () => {
  const net = await mlp(3, 2, 1), before = await bits(net), weights = await net.getWeights();
  weights['dense/kernel'].data.fill(9);
  assert.deepEqual(await bits(net), before);
  await net.setWeights(weights);
  assert.deepEqual([...(await net.getWeights())['dense/kernel'].data], [9, 9, 9, 9, 9, 9]);
  await net.setWeights({ 'dense_1/bias': [0.25] }, { partial: true });
  const now = await bits(net);
  assert.equal((await net.getWeights())['dense_1/bias'].data[0], 0.25);
  await refuses(() => net.setWeights({ 'dense_1/bias': [1] }), 'argument', /"dense\/kernel" is missing/);
  await refuses(() => net.setWeights({ 'dense_1/bais': [1] }, { partial: true }), 'argument', /"dense_1\/bais", did you mean "dense_1\/bias"\?/);
  await refuses(() => net.setWeights({ 'dense/kernel': [[1, 2], [3, 4]] }, { partial: true }), 'shape', /"dense\/kernel".*\[2, 2\].*\[rows, 3\]/);
  await refuses(() => net.setWeights({ ...weights, 'dense_1/bias': [NaN] }), 'argument', /dense_1\/bias.*NaN/);
  assert.deepEqual(await bits(net), now);
  net.dispose();
});

test('gradients agree with central differences', async () => {
  const net = await sequential([
    layers.input({ shape: [3, 4] }), layers.bilinear({ rows: 2, cols: 3, activation: 'tanh', kernelRegularizer: regularizers.l2({ amount: 0.01 }) }),
    layers.flatten(), layers.dense({ units: 2, activation: 'sigmoid' }),
  ], { seed: 5 });
  await net.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  const x = { data: numbers(5 * 12, 3), shape: [5, 3, 4] }, y = { data: numbers(10, 4), shape: [5, 2] }, sampleWeight = [1, 2, 0.5, 1, 3];
  const { loss, gradients } = await net.gradients(x, y, { sampleWeight }), weights = await net.getWeights();
  const before = await bits(net);
  assert.ok(loss > 0);
  assert.deepEqual(Object.keys(gradients), Object.keys(weights));
  const h = 2e-3;
  for (const [name, { data }] of Object.entries(weights)) {
    for (let i = 0; i < data.length; i++) {
      const lossAt = async delta => {
        const moved = Float32Array.from(data);
        moved[i] += delta;
        await net.setWeights({ ...weights, [name]: { data: moved, shape: weights[name].shape } });
        return (await net.gradients(x, y, { sampleWeight })).loss;
      };
      const slope = (await lossAt(h) - await lossAt(-h)) / (2 * h), error = Math.abs(slope - gradients[name].data[i]);
      assert.ok(error <= 2e-3 * Math.max(0.1, Math.abs(slope)), `${name}[${i}]: ${gradients[name].data[i]}, differences give ${slope}`);
    }
  }
  await net.setWeights(weights);
  assert.deepEqual(await bits(net), before);
  net.dispose();
});

test('gradients leave frozen weights out; dropout is active only when training', async () => {
  const net = await sequential([
    layers.input({ shape: [4] }), layers.dense({ units: 32, trainable: false }), layers.dropout({ rate: 0.5 }), layers.dense({ units: 1 }),
  ], { seed: 1 });
  await net.compile({ optimizer: 'sgd', loss: losses.meanSquaredError() });
  const x = [[1, 2, 3, 4]], y = [1], calm = await net.gradients(x, y);
  assert.deepEqual(Object.keys(calm.gradients), ['dense_1/kernel', 'dense_1/bias']);
  const [a, b, c] = [await net.gradients(x, y, { training: true, seed: 1 }), await net.gradients(x, y, { training: true, seed: 1 }),
    await net.gradients(x, y, { training: true, seed: 2 })];
  assert.equal(a.loss, b.loss);
  assert.notEqual(a.loss, c.loss);
  assert.notEqual(a.loss, calm.loss);
  net.dispose();
});

test('compile may be called again, and a mistake in it leaves the model as it was compiled', async () => {
  const net = await mlp(4, 3, 3, { activation: 'softmax' }), { x, y } = labelled(20, 4, 3);
  await net.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  const before = await net.evaluate(x, y);
  await refuses(() => net.compile({ optimizer: 'adam', loss: 'klSparsity' }), 'argument', /unknown loss/);
  await refuses(() => net.compile({ optimizer: 'adam', loss: 'meanSquaredError', metrics: ['accurracy'] }), 'argument', /did you mean "accuracy"/);
  await refuses(() => net.compile({ loss: 'meanSquaredError' }), 'argument', /"optimizer" is missing/);
  assert.deepEqual(await net.evaluate(x, y), before);
  await net.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  assert.deepEqual(Object.keys(await net.evaluate(x, { data: numbers(60), shape: [20, 3] })), ['loss']);
  net.dispose();
});

test('a data set serves many calls and is freed', async () => {
  const net = await mlp(4, 3, 3, { activation: 'softmax' }), { x, y } = labelled(50, 4, 3);
  await net.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  const set = await net.dataset(x, y), inputs = await net.dataset(x);
  assert.equal(set.rows, 50);
  assert.deepEqual(await net.evaluate(set), await net.evaluate(x, y));
  assert.deepEqual(await net.predict(inputs), await net.predict(x));
  assert.equal(info().memory.data, 2 * 50 * 4 * 4 + 50);
  await net.fit(set, { epochs: 2, validationData: set });
  await refuses(() => net.evaluate(set, y), 'argument', /own y/);
  await refuses(() => net.evaluate(inputs), 'shape', /no target for "dense_1"/);
  set.dispose();
  set.dispose();
  inputs.dispose();
  await refuses(() => net.evaluate(set), 'state', /data set has been disposed of/);
  await net.predict(x);
  assert.equal(info().memory.data, 0);
  net.dispose();
});

test('disposing frees the memory, also by Symbol.dispose, and every later call is refused', async () => {
  const { x, y } = labelled(4, 4, 3), other = await mlp(1, 1, 1), { used } = (await other.predict([[1]]), info().memory);
  const net = await mlp(4, 50, 3);
  await net.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' });
  assert.ok(info().memory.used > used);
  net.dispose();
  net.dispose();
  await other.predict([[1]]);
  assert.equal(info().memory.used, used);
  for (const call of [() => net.predict(x), () => net.fit(x, y), () => net.evaluate(x, y), () => net.getWeights(), () => net.setWeights({}),
    () => net.gradients(x, y), () => net.save('bytes'), () => net.dataset(x), () => net.train(x, y).next(),
    () => net.compile({ optimizer: 'adam', loss: 'meanSquaredError' })]) {
    await refuses(call, 'state', /has been disposed of/);
  }
  if (Symbol.dispose) assert.equal(other[Symbol.dispose], other.dispose);
  other.dispose();
});

test('a model that cannot be built says which layer and why, and leaves no memory behind', async () => {
  const { used } = info().memory;
  await refuses(() => sequential([layers.input({ shape: [4] }), layers.bilinear({ rows: 2, cols: 2, name: 'odd' })]), 'shape', /odd.*bilinear/);
  await refuses(() => sequential([layers.dense({ units: 2 })]), 'argument', /first layer must be layers\.input/);
  await refuses(() => sequential([]), 'argument', /first layer/);
  await refuses(() => sequential([layers.input({ shape: [2] }), { units: 3 }]), 'argument', /layer 1: expected a layer/);
  await refuses(() => sequential([layers.input({ shape: [2] }), layers.dense({ units: 1, name: 'a' }), layers.dense({ units: 1, name: 'a' })]),
    'argument', /two layers have the name "a"/);
  await refuses(() => mlp(2, 2, 2, { sead: 1 }), 'argument', /did you mean "seed"/);
  await refuses(() => mlp(2, 2, 2, { seed: -1 }), 'argument', /seed = -1/);
  const net = await mlp(1, 1, 1);
  net.dispose();
  await (await mlp(1, 1, 1)).dispose();
  assert.ok(info().memory.used - used < 20000);
  assert.throws(() => new net.constructor(), HeddleError);
});
