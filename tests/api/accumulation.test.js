// Steps from several batches, and with gradients from elsewhere, are the steps of large batches.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layers, optimizers, sequential } from '../../bindings/index.js';

const rows = 50, x = { data: Float32Array.from({ length: rows * 4 }, (_, i) => Math.sin(i * i)), shape: [rows, 4] };
const y = Int32Array.from({ length: rows }, (_, i) => i % 3);

async function network() {
  const net = await sequential([layers.input({ shape: [4] }), layers.dense({ units: 8, activation: 'tanh' }), layers.dense({ units: 3, activation: 'softmax' })], { seed: 2 });
  await net.compile({ optimizer: optimizers.adam({ learningRate: 0.01 }), loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  return net;
}

async function near(a, b) {
  const [left, right] = [await a.getWeights(), await b.getWeights()];
  for (const [name, { data }] of Object.entries(left)) data.forEach((v, i) => assert.ok(Math.abs(v - right[name].data[i]) < 1e-5, name));
}

test('gradientAccumulationSteps: full batch in chunks, and groups of batches', async () => {
  const whole = await network(), chunks = await network(), groups = await network(), pairs = await network();
  const { history } = await whole.fit(x, y, { epochs: 4, batchSize: rows, seed: 1 });
  const other = await chunks.fit(x, y, { epochs: 4, batchSize: 8, gradientAccumulationSteps: 'epoch', seed: 1 });
  other.history.loss.forEach((loss, i) => assert.ok(Math.abs(loss - history.loss[i]) < 1e-5));
  await near(chunks, whole);
  await groups.fit(x, y, { epochs: 2, batchSize: 20, seed: 1 });
  await pairs.fit(x, y, { epochs: 2, batchSize: 10, gradientAccumulationSteps: 2, seed: 1 });
  await near(pairs, groups);
  for (const wrong of [0, -1, 1.5, 'all']) {
    await assert.rejects(whole.fit(x, y, { gradientAccumulationSteps: wrong }), { code: 'argument', message: /gradientAccumulationSteps/ });
  }
  await whole.compile({ optimizer: 'lbfgs', loss: 'sparseCategoricalCrossentropy' });
  await assert.rejects(whole.fit(x, y, { gradientAccumulationSteps: 2 }), { code: 'unsupported', message: /whole data already/ });
  for (const net of [whole, chunks, groups, pairs]) net.dispose();
});

test('a generator: what is left at the end of the epoch makes a step', async () => {
  const whole = await network(), fed = await network();
  const part = (begin, end) => ({ x: { data: x.data.slice(begin * 4, end * 4), shape: [end - begin, 4] }, y: y.slice(begin, end) });
  await whole.fit(x, y, { batchSize: rows, shuffle: false });
  await fed.fit(function* batches() {
    for (let at = 0; at < rows; at += 20) yield part(at, Math.min(at + 20, rows));
  }, { gradientAccumulationSteps: 9 });
  await near(fed, whole);
  whole.dispose();
  fed.dispose();
});

test('applyGradients: the mean of two workers makes the step of all rows', async () => {
  const whole = await network(), net = await network(), half = rows / 2;
  for (let step = 0; step < 3; step++) {
    await whole.fit(x, y, { batchSize: rows, shuffle: false });
    const [a, b] = await Promise.all([0, half].map(async (from) => net.gradients({ data: x.data.slice(from * 4, (from + half) * 4), shape: [half, 4] }, y.slice(from, from + half))));
    const mean = Object.fromEntries(Object.entries(a.gradients).map(([name, { data, shape }]) => [name, { data: data.map((v, i) => (v + b.gradients[name].data[i]) / 2), shape }]));
    await net.applyGradients(mean);
  }
  await near(net, whole);
  const before = await net.getWeights(), { gradients } = await net.gradients(x, y);
  await assert.rejects(net.applyGradients({}), { code: 'argument', message: /applyGradients: "dense\/kernel" is missing/ });
  await assert.rejects(net.applyGradients({ ...gradients, other: [1] }), { code: 'argument', message: /unknown name "other"/ });
  await assert.rejects(net.applyGradients({ ...gradients, 'dense/bias': [1, 2] }), { code: 'shape' });
  await assert.rejects(net.applyGradients({ ...gradients, 'dense/bias': new Float32Array(8).fill(NaN) }), { code: 'diverged' });
  assert.deepEqual(await net.getWeights(), before);
  whole.dispose();
  net.dispose();
  const fresh = await sequential([layers.input({ shape: [1] }), layers.dense({ units: 1 })]);
  await assert.rejects(fresh.applyGradients({}), { code: 'state', message: /not compiled/ });
  fresh.dispose();
});
