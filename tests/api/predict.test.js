import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layers, sequential } from '../../bindings/index.js';
import { classifier, close, fresh, labelled, mlp, numbers, refuses } from './modelkit.js';

await fresh();

/** tanh network by hand, in float64. */
function forward(weights, x, inputs) {
  const dense = (rows, kernel, bias, act) => rows.map(row => Array.from(bias.data, (b, k) => {
    let sum = b;
    for (let i = 0; i < row.length; i++) sum += kernel.data[k * row.length + i] * row[i];
    return act(sum);
  }));
  const rows = Array.from({ length: x.length / inputs }, (_, i) => Array.from(x.subarray(i * inputs, (i + 1) * inputs)));
  const hidden = dense(rows, weights['dense/kernel'], weights['dense/bias'], Math.tanh);
  return { hidden: hidden.flat(), output: dense(hidden, weights['dense_1/kernel'], weights['dense_1/bias'], z => z).flat() };
}

test('predict gives what the formula gives, at every batch size, and the values of hidden layers', async () => {
  const net = await mlp(5, 7, 3), x = numbers(11 * 5), { hidden, output } = forward(await net.getWeights(), x, 5);
  for (const batchSize of [1, 3, 11, 64]) {
    const { data, shape } = await net.predict(x, { batchSize });
    assert.deepEqual(shape, [11, 3]);
    close(data, output, 2e-6);
  }
  const inner = await net.predict(x, { output: 'dense' });
  assert.deepEqual(inner.shape, [11, 7]);
  close(inner.data, hidden, 2e-6);
  const [first, last] = await net.predict(x, { output: ['dense', 'dense_1'] });
  assert.deepEqual([first.data, last.data], [inner.data, (await net.predict(x)).data]);
  assert.deepEqual((await net.predict(x, { output: 'input' })).data, x);
  await refuses(() => net.predict(x, { output: 'dense_2' }), 'argument', /no node "dense_2", did you mean "dense/);
  await refuses(() => net.predict(x, { batchSize: 0 }), 'argument', /batchSize = 0/);
  await refuses(() => net.predict(x, { batchsize: 8 }), 'argument', /did you mean "batchSize"/);
  net.dispose();
});

test('several nodes by one pass are what each is alone, over several pieces of work', async () => {
  const net = await mlp(5, 7, 3), x = numbers(400_001 * 5), names = ['dense_1', 'input', 'dense', 'dense_1'];
  const all = await net.predict(x, { output: names, batchSize: 1000 });
  for (const [i, name] of names.entries()) assert.deepEqual(all[i], await net.predict(x, { output: name, batchSize: 1000 }), name);
  assert.deepEqual(await net.predict(x.subarray(0, 5), { output: [] }), []);
  net.dispose();
});

test('arrays of every form are the same rows', async () => {
  const net = await sequential([layers.input({ shape: [2, 3] }), layers.flatten(), layers.dense({ units: 1 })], { seed: 1 });
  const whole = Float32Array.from({ length: 12 }, (_, i) => i), nested = [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]];
  const expected = (await net.predict(whole)).data;
  const forms = {
    nested, rows: nested.map(matrix => matrix.map(row => Float64Array.from(row))), shaped: { data: whole, shape: [2, 2, 3] },
    'with ones': { data: whole, shape: [2, 2, 3, 1] }, list: { data: [...whole], shape: [2, 2, 3] }, float64: Float64Array.from(whole),
    int32: Int32Array.from(whole), bytes: Uint8Array.from(whole), clamped: Uint8ClampedArray.from(whole), bigint: BigInt64Array.from([...whole].map(BigInt)),
    'part of a buffer': new Float32Array(Float32Array.from([99, ...whole, 99]).buffer, 4, 12), named: { input: whole },
    scaled: { data: Uint8Array.from(whole, v => 2 * v + 10), shape: [2, 2, 3], scale: 0.5, offset: -5 },
    'shared memory': (() => { const a = new Float32Array(new SharedArrayBuffer(48)); a.set(whole); return a; })(),
  };
  for (const [form, x] of Object.entries(forms)) assert.deepEqual((await net.predict(x)).data, expected, form);
  assert.equal(whole.length, 12, 'the caller keeps his array');
  net.dispose();
});

test('wrong data are refused with the place and what was expected', async () => {
  const net = await sequential([layers.input({ shape: [2, 3] }), layers.flatten(), layers.dense({ units: 1 })]);
  const cases = [
    [[[[1, 2, 3], [4, 5]]], 'shape', /x\[0\]\[1\]: has length 2, expected 3/],
    [[[[1, 2, 3], [4, 5, 'a']]], 'argument', /x\[0\]\[1\]\[2\]: expected a number, got string/],
    [[[[1, 2, 3], 4]], 'shape', /x\[0\]\[1\]: expected an array of length 3, got a number/],
    [[[1, 2, 3]], 'shape', /shape \[1, 3\] does not fit, expected \[rows, 2, 3\]/],
    [[], 'shape', /length 0/],
    [new Float32Array(0), 'shape', /no rows/],
    [new Float32Array(7), 'shape', /length 7 is no whole number of rows of 6/],
    [{ data: new Float32Array(6), shape: [1, 3, 2] }, 'shape', /\[1, 3, 2\] does not fit/],
    [{ data: new Float32Array(6), shape: [2, 2, 3] }, 'shape', /holds 12 elements, data has 6/],
    [{ data: new Float32Array(6), shape: [1, 2, 3], scal: 1 }, 'argument', /did you mean "scale"/],
    [{ data: new Float32Array(6), shape: [1, 2, 3], scale: NaN }, 'argument', /scale = NaN/],
    [{ inputs: new Float32Array(6) }, 'argument', /unknown option "inputs", did you mean "input"/],
    [undefined, 'argument', /expected data/], [7, 'argument', /got number/], ['text', 'argument', /got string/],
    [Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, NaN, 1, 2, 3), 'argument', /row 1/],
    [[[[1, 2, 3], [4, 5, Infinity]]], 'argument', /row 0/],
  ];
  for (const [x, code, message] of cases) await refuses(() => net.predict(x), code, message);
  assert.equal((await net.predict(new Float32Array(6))).data.length, 1, 'the model is still usable');
  net.dispose();
});

test('evaluate gives the mean loss and metrics of all rows, whatever the batch size, and follows sample weights', async () => {
  const net = await classifier(), { x, y } = labelled(37, 4, 3), p = (await net.predict(x)).data;
  const losses = Array.from(y, (label, i) => -Math.log(p[i * 3 + label]));
  const hits = Array.from(y, (label, i) => Number([0, 1, 2].every(k => p[i * 3 + k] <= p[i * 3 + label])));
  const mean = (list, weights) => list.reduce((sum, v, i) => sum + v * weights[i], 0) / list.length;
  const ones = losses.map(() => 1), weights = Array.from(numbers(37, 9));
  for (const batchSize of [1, 10, 64]) {
    const { loss, accuracy } = await net.evaluate(x, y, { batchSize });
    assert.ok(Math.abs(loss - mean(losses, ones)) <= 1e-5);
    assert.ok(Math.abs(accuracy - mean(hits, ones)) <= 1e-6);
  }
  const weighted = await net.evaluate(x, y, { sampleWeight: weights });
  assert.ok(Math.abs(weighted.loss - mean(losses, weights)) <= 1e-5);
  await refuses(() => net.evaluate(x, y, { sampleWeight: weights.slice(1) }), 'shape', /36 rows/);
  await refuses(() => net.evaluate(x, y, { sampleWeight: Object.assign([...weights], { 3: -1 }) }), 'argument', /sampleWeight\[3\] = -1/);
  await refuses(() => net.evaluate(x, y.slice(1)), 'shape', /x has 37 rows, y has 36/);
  await refuses(() => net.evaluate(x, Uint8Array.from(y).fill(3, 5, 6)), 'argument', /3/);
  net.dispose();
});

test('a confusion matrix is a list; several metrics of one kind get numbers', async () => {
  const net = await classifier({ metrics: ['confusionMatrix', 'accuracy', 'accuracy'] }), { x, y } = labelled(30, 4, 3);
  const scores = await net.evaluate(x, y);
  assert.deepEqual(Object.keys(scores), ['loss', 'confusionMatrix', 'accuracy', 'accuracy_1']);
  assert.equal(scores.confusionMatrix.length, 9);
  assert.equal(scores.confusionMatrix.reduce((a, b) => a + b), 30);
  const diagonal = scores.confusionMatrix[0] + scores.confusionMatrix[4] + scores.confusionMatrix[8];
  assert.ok(Math.abs(diagonal / 30 - scores.accuracy) <= 1e-6);
  net.dispose();
});

test('predict stops when its signal says so', async () => {
  const net = await mlp(4, 8, 3), x = numbers(4000);
  await assert.rejects(net.predict(x, { signal: AbortSignal.abort() }), { name: 'AbortError' });
  const stop = new AbortController(), big = net.predict(new Float32Array(4e6), { batchSize: 16, signal: stop.signal });
  setTimeout(() => stop.abort(), 1);
  await assert.rejects(big, { name: 'AbortError' });
  assert.equal((await net.predict(x)).shape[0], 1000);
  net.dispose();
});
