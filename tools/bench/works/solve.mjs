// ms of closed-form training through the public API, from arrays to coefficients, in all and of its parts.
// redense: 200 epochs of projected Adam on the output of R [501, 501], 60,000 samples of 500 features, 10 classes, whole batches.
// ridge: 10,000 samples of 2,000 features, 10 outputs. slfn: 60,000 samples of MNIST's size, [relu(z); relu(-z)] of 785 z, 10 classes.
import { info, init, initializers, layers, sequential } from '../../../bindings/index.js';
import { ReDense } from '../../../bindings/estimators/index.js';
import { Gram } from '../../../bindings/solvers.js';
import { ended, engineOf, numbers, time } from '../kit.mjs';
import { ridgeSize } from '../networks.mjs';

/** Times of the parts of each round. @param {any} given @param {() => Promise<number[]>} round ms of its parts */
async function measure(given, round) {
  const parts = [], ms = await time(given, async () => parts.push(await round()));
  return { ms, parts: parts.slice(1) };
}

/** Gram sums, then ridge. @param {number} features @param {any} x @param {any} y @param {object} [options] */
async function fitted(features, x, y, options) {
  const gram = new Gram({ features, targets: ridgeSize.outputs }), begin = performance.now();
  await gram.add(x, y, options);
  const middle = performance.now(), { coef } = await gram.ridge(1), end = performance.now();
  gram.dispose();
  if (!(Math.abs(coef.data[0]) < 1e6)) throw new Error(`no solution: ${coef.data[0]}`);
  return [middle - begin, end - middle];
}

const labels = (/** @type {number} */ samples) => Uint8Array.from({ length: samples }, (_, i) => i % ridgeSize.outputs);

const works = {
  async ridge(given) {
    const { outputs } = ridgeSize, [samples, features] = given.quick ? [400, 100] : [ridgeSize.samples, ridgeSize.features];
    const x = { data: numbers(samples * features), shape: [samples, features] }, y = { data: numbers(samples * outputs), shape: [samples, outputs] };
    return measure(given, () => fitted(features, x, y));
  },
  async slfn(given) {
    const samples = given.quick ? 500 : 60_000, pixels = given.quick ? 64 : 784;
    const x = { data: Uint8Array.from(numbers(samples * pixels, 127), (v) => v + 128), shape: [samples, pixels], scale: 1 / 255 };
    const net = await sequential([layers.input({ shape: [pixels] }), layers.appendConstant(),
      layers.dense({ units: pixels + 1, useBias: false, kernelInitializer: initializers.uniform({ min: -1, max: 1 }) }), layers.crelu()], { seed: 1 });
    return measure(given, () => fitted(2 * (pixels + 1), x, labels(samples), { model: net }));
  },
  async redense(given) {
    const [samples, features, epochs] = given.quick ? [500, 50, 5] : [60_000, 500, 200], x = { data: numbers(samples * features), shape: [samples, features] };
    const head = { kernel: { data: numbers(10 * features), shape: [10, features] } };
    const begin = performance.now(), one = await new ReDense({ epochs, seed: 1 }).fit({ features: x, head }, labels(samples)), ms = performance.now() - begin;
    if (!(one.report.history.loss[epochs] < one.report.history.loss[0])) throw new Error('the loss has not fallen');
    return { ms: [ms] };
  },
};

export async function run(given) {
  await init(engineOf(given));
  return { ...await works[given.work](given), ...ended(info(), given, !given.quick) };
}
