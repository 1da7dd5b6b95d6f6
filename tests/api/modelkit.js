/** Small models and data that the API tests share. */
import assert from 'node:assert/strict';
import { info, init, layers, sequential } from '../../bindings/index.js';

export const xor = { x: [[0, 0], [0, 1], [1, 0], [1, 1]], y: [0, 1, 1, 0] };

/** Numbers in [0, 1) that are the same everywhere: a linear congruential generator modulo 2^31 (MINSTD, multiplier 48271). */
export function numbers(n, seed = 1) {
  let state = seed;
  return Float32Array.from({ length: n }, () => (state = state * 48271 % 2147483647) / 2147483647);
}

/** Rows of `inputs` numbers, and labels 0..classes-1 by the largest of the first numbers. */
export function labelled(rows, inputs, classes, seed = 1) {
  const x = numbers(rows * inputs, seed);
  const y = Uint8Array.from({ length: rows }, (_, i) => {
    const row = x.subarray(i * inputs, i * inputs + classes);
    return row.indexOf(Math.max(...row));
  });
  return { x, y };
}

/** dense(hidden, tanh) - dense(outputs, activation). */
export const mlp = (inputs, hidden, outputs, { activation = 'linear', ...options } = {}) => sequential([
  layers.input({ shape: [inputs] }), layers.dense({ units: hidden, activation: 'tanh' }), layers.dense({ units: outputs, activation }),
], { seed: 7, ...options });

/** A classifier of 3 classes from 4 numbers, compiled. */
export async function classifier(options = {}) {
  const net = await mlp(4, 8, 3, { activation: 'softmax' });
  await net.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'], ...options });
  return net;
}

/** Every bit of every weight. */
export const bits = async net => Object.entries(await net.getWeights()).map(([name, { data, shape }]) =>
  `${name} ${shape} ${Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex')}`);

export function close(actual, expected, tolerance, message) {
  assert.equal(actual.length, expected.length, message);
  for (let i = 0; i < actual.length; i++) {
    assert.ok(Math.abs(actual[i] - expected[i]) <= tolerance, `${message ?? 'value'} ${i}: ${actual[i]}, expected ${expected[i]} +- ${tolerance}`);
  }
}

/** Rejects, or throws, with a HeddleError of this code and a message like this. */
export async function refuses(run, code, message) {
  await assert.rejects(async () => run(), error => {
    assert.equal(error.name, 'HeddleError', `${error.stack}`);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
}

/** The same test in this thread and in a worker. */
export const places = [{ place: 'in-process', worker: false }, { place: 'worker', worker: true }];

/** A fresh engine with plain SIMD: the same bits in every Node. */
export const fresh = options => init({ deterministic: true, threads: 1, ...options });

/** The same with threads that run: they start with work that is worth them, or with the first `Model.fit` if they were asked for. */
export async function threaded({ threads, ...options }) {
  await fresh({ threads, ...options });
  const net = await classifier();
  await net.fit(numbers(32), Uint8Array.of(0, 1, 2, 0, 1, 2, 0, 1));
  net.dispose();
  assert.equal(info().threads, threads);
}
