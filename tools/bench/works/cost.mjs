// A point of the cost curves: time and memory of training steps of a small network of one kind of layer, or of a closed-form fit.
import { info, init, layers, sequential } from '../../../bindings/index.js';
import { Gram } from '../../../bindings/solvers.js';
import { ended, engineOf, numbers, time } from '../kit.mjs';

/** So many layers of one kind and width in a row, with what they take in; weights: of them all; products: multiplications with a sample forward. */
const families = {
  dense: (width, depth) => ({ shape: [width], list: repeat(depth, () => layers.dense({ units: width, activation: 'relu' })), weights: depth * width ** 2, products: depth * width ** 2 }),
  conv: (width, depth) => ({ shape: [16, 16, width], list: repeat(depth, () => layers.conv2d({ filters: width, kernelSize: 3, padding: 'same', activation: 'relu' })),
    weights: depth * 9 * width ** 2, products: depth * 256 * 9 * width ** 2 }),
  bilinear: (width, depth) => ({ shape: [width, width], list: repeat(depth, () => layers.bilinear({ rows: width, cols: width, activation: 'relu' })), weights: depth * 3 * width ** 2, products: depth * 2 * width ** 3 }),
};
const repeat = (count, make) => Array.from({ length: count }, make);

/** @param {any} given family, width, depth, batch */
async function training(given) {
  const { shape, list, weights, products } = families[given.family](given.width, given.depth), size = shape.reduce((a, b) => a * b), { batch } = given;
  const net = await sequential([layers.input({ shape }), ...list, layers.flatten(), layers.dense({ units: 1 })], { seed: 1 });
  await net.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
  const steps = Math.max(1, Math.ceil(4e7 / (products * batch + 20 * weights))), rows = Math.min(steps, 64) * batch; // some ms for an epoch
  const set = await net.dataset({ data: numbers(rows * size), shape: [rows, ...shape] }, new Float32Array(rows));
  const ms = (await time(given, () => net.fit(set, { epochs: 1, batchSize: batch, shuffle: false }))).map((one) => one / rows);
  return { ms, weights, products, own: info().memory.peak - info().memory.data };
}

/** Rows of 784 pixels, kept as bytes or as numbers: memory of a fit. */
async function data(given) {
  const { rows } = given, pixels = 784, bytes = Uint8Array.from({ length: rows * pixels }, (_, i) => i % 251);
  const net = await sequential([layers.input({ shape: [pixels] }), layers.dense({ units: 10, activation: 'softmax' })], { seed: 1 });
  await net.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' });
  const set = await net.dataset({ data: given.isFloat ? Float32Array.from(bytes) : bytes, shape: [rows, pixels], scale: given.isFloat ? undefined : 1 / 255 }, new Uint8Array(rows));
  const ms = await time(given, () => net.fit(set, { epochs: 1, batchSize: 128 }));
  return { ms: ms.map((one) => one / rows), own: info().memory.peak };
}

/** Sums over rows of features, then ridge regression with ten outputs. */
async function closed(given) {
  const { rows, features } = given, x = { data: numbers(rows * features), shape: [rows, features] }, y = { data: numbers(rows * 10), shape: [rows, 10] };
  const ms = await time(given, async () => {
    const gram = new Gram({ features, targets: 10 });
    await gram.add(x, y);
    await gram.ridge(1);
    gram.dispose();
  });
  return { ms, own: info().memory.peak, products: rows * features ** 2 / 2 + features ** 3 / 6 };
}

/** @param {any} given kind: training, data or closed */
export async function run(given) {
  await init(engineOf(given));
  return { ...await { training, data, closed }[given.kind](given), ...ended(info(), given, false) };
}
