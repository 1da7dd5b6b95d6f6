import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apply, input, layers, model } from '../../bindings/index.js';
import { bits, close, fresh, numbers, refuses } from './modelkit.js';

await fresh();

/** Two inputs, a shared trunk with a residual, and two outputs: a class and a number. */
async function twoByTwo() {
  const a = input({ shape: [4], name: 'a' }), b = input({ shape: [2], name: 'b' });
  const trunk = apply(layers.dense({ units: 6, activation: 'tanh', name: 'trunk' }), apply(layers.concat(), [a, b]));
  const sum = apply(layers.add(), [trunk, apply(layers.dense({ units: 6 }), trunk)]);
  const kind = apply(layers.dense({ units: 3, activation: 'softmax', name: 'kind' }), sum);
  const size = apply(layers.dense({ units: 1, name: 'size' }), sum);
  return model({ inputs: [a, b], outputs: [kind, size], seed: 3 });
}

const rows = 24, a = numbers(rows * 4, 1), b = numbers(rows * 2, 2);
const kind = Uint8Array.from({ length: rows }, (_, i) => i % 3), size = numbers(rows, 5);
const both = { loss: ['sparseCategoricalCrossentropy', 'meanSquaredError'], lossWeights: [1, 0.25], metrics: { kind: ['accuracy'] }, optimizer: 'adam' };

test('several inputs and outputs: names, shapes, summary, predictions in order or by name', async () => {
  const net = await twoByTwo();
  assert.deepEqual(net.inputs, [{ name: 'a', shape: [4] }, { name: 'b', shape: [2] }]);
  assert.deepEqual(net.outputs, [{ name: 'kind', shape: [3] }, { name: 'size', shape: [1] }]);
  assert.deepEqual(net.layers.map(layer => layer.name), ['a', 'b', 'concat', 'trunk', 'dense', 'add', 'kind', 'size']);
  assert.match(net.summary(), /add \(add\) +\(None, 6\) +0 +trunk, dense\n/);
  const [k, s] = await net.predict([a, b]);
  assert.deepEqual([k.shape, s.shape], [[rows, 3], [rows, 1]]);
  for (let i = 0; i < rows; i++) assert.ok(Math.abs(k.data[3 * i] + k.data[3 * i + 1] + k.data[3 * i + 2] - 1) <= 1e-6);
  assert.deepEqual(await net.predict({ b, a }), [k, s]);
  assert.deepEqual(await net.predict([a, b], { output: 'size' }), s);
  const [trunk, inner, add] = await net.predict([a, b], { output: ['trunk', 'dense', 'add'] });
  close(add.data, trunk.data.map((v, i) => v + inner.data[i]), 1e-6);
  net.dispose();
});

test('several losses: Keras names, weights in the total, targets in order or by name', async () => {
  const net = await twoByTwo();
  await net.compile(both);
  const scores = await net.evaluate([a, b], [kind, size]);
  assert.deepEqual(Object.keys(scores), ['loss', 'kind_loss', 'size_loss', 'kind_accuracy']);
  assert.ok(Math.abs(scores.loss - (scores.kind_loss + 0.25 * scores.size_loss)) <= 1e-6);
  assert.deepEqual(await net.evaluate({ a, b }, { size, kind }), scores);
  const { history } = await net.fit([a, b], [kind, size], { epochs: 60, batchSize: 8, validationData: [[a, b], [kind, size]] });
  assert.deepEqual(Object.keys(history), ['loss', 'kind_loss', 'size_loss', 'kind_accuracy', 'val_loss', 'val_kind_loss', 'val_size_loss', 'val_kind_accuracy']);
  assert.ok(history.loss.at(-1) < history.loss[0] && history.size_loss.at(-1) < history.size_loss[0]);
  net.dispose();
});

test('an output without a loss takes no targets and is not trained', async () => {
  const net = await twoByTwo(), before = await net.getWeights();
  await net.compile({ optimizer: 'adam', loss: { size: 'meanSquaredError' } });
  await net.fit([a, b], size, { batchSize: 8 });
  const after = await net.getWeights();
  assert.deepEqual(after['kind/kernel'], before['kind/kernel']);
  assert.notDeepEqual(after['size/kernel'], before['size/kernel']);
  await net.compile({ optimizer: 'adam', loss: [null, 'meanSquaredError'] });
  assert.deepEqual(Object.keys(await net.evaluate([a, b], size)), ['loss', 'size_loss']);
  net.dispose();
});

test('a graph saved and drawn again is the same', async () => {
  const [one, two] = [await twoByTwo(), await twoByTwo()];
  assert.deepEqual(one.description, two.description);
  assert.deepEqual(await bits(one), await bits(two));
  one.dispose();
  two.dispose();
});

test('mistakes in graphs, targets and compile are named', async () => {
  const p = input({ shape: [4] }), q = input({ shape: [2] }), out = apply(layers.dense({ units: 1 }), p);
  await refuses(() => model({ inputs: [p, q], outputs: out }), 'argument', /no output needs inputs\[1\]/);
  await refuses(() => model({ inputs: q, outputs: out }), 'argument', /not among the inputs/);
  await refuses(() => model({ inputs: out, outputs: out }), 'argument', /inputs\[0\] is the output of a layer/);
  await refuses(() => model({ inputs: p, outputs: [out, out] }), 'argument', /each once/);
  await refuses(() => model({ inputs: p, outputs: layers.dense({ units: 1 }) }), 'argument', /outputs: expected what input\(\) or apply\(\)/);
  await refuses(() => model({ inputs: p, outputs: out, seeds: 1 }), 'argument', /did you mean "seed"/);
  await refuses(() => apply(layers.dense({ units: 1 }), [p, 3]), 'argument', /apply\(dense\): input 1.*got number/);
  await refuses(() => apply('dense', p), 'argument', /expected a layer such as/);
  await refuses(() => model({ inputs: [p, q], outputs: apply(layers.add(), [p, q]) }), 'shape', /add/);
  await refuses(() => model({ inputs: [p, q], outputs: apply(layers.dense({ units: 1 }), [p, q]) }), 'argument', /dense/);
  const net = await twoByTwo();
  await refuses(() => net.evaluate([a, b], [kind, size]), 'state', /not compiled/);
  await refuses(() => net.compile({ ...both, loss: ['meanSquaredError'] }), 'argument', /1 entries for 2 outputs \(kind, size\)/);
  await refuses(() => net.compile({ ...both, loss: { sise: 'meanSquaredError' } }), 'argument', /did you mean "size"/);
  await refuses(() => net.compile({ ...both, metrics: 'accuracy' }), 'argument', /one for each of the outputs kind, size/);
  await refuses(() => net.compile({ ...both, lossWeights: [1, -1] }), 'argument', /lossWeights of size = -1/);
  await net.compile(both);
  await refuses(() => net.fit(a, [kind, size]), 'argument', /x: expected an array or object of 2 arrays, for a, b/);
  await refuses(() => net.fit([a, b.subarray(2)], [kind, size]), 'shape', /x\[1\] \(b\) has 23 rows, x\[0\] \(a\) has 24/);
  await refuses(() => net.fit({ a }, [kind, size]), 'argument', /"b" is missing/);
  await refuses(() => net.fit([a, b], { kind }), 'argument', /y: "size" is missing/);
  await refuses(() => net.fit([a, b], [kind, size], { classWeight: { 0: 2 } }), 'unsupported', /use sampleWeight/);
  net.dispose();
});
