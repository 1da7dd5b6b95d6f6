// One process: ms of closed-form training through the public API, from arrays to coefficients.
//   node solve.mjs '{"work": "ridge", "engine": "heddle-mt-relaxed", "threads": 1, "rounds": 3}'
// redense: 200 epochs of projected Adam on the output of R [501, 501], 60,000 samples of 500 features, 10 classes, whole batches.
// ridge: 10,000 samples of 2,000 features, 10 outputs. slfn: 60,000 samples of MNIST's size, [relu(z); relu(-z)] of 785 z, 10 classes.
import { info, init, initializers, layers, sequential } from '../../bindings/index.js';
import { ReDense } from '../../bindings/estimators/index.js';
import { Gram } from '../../bindings/solvers.js';
import { numbers } from './conv_nets.mjs';
import { ridgeSize } from './solve_size.mjs';

const { work, engine, threads, rounds } = JSON.parse(process.argv[2]);
await init({ engine, threads });

/** Times of the parts of each round. @param {() => Promise<number[]>} round ms of its parts */
async function measure(round) {
  await round(); // warms up
  const parts = [];
  for (let i = 0; i < rounds; i++) parts.push(await round());
  return { ms: parts.map((times) => times.reduce((a, b) => a + b)), parts };
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

const works = {
  async ridge() {
    const { samples, features, outputs } = ridgeSize;
    const x = { data: numbers(samples * features), shape: [samples, features] }, y = { data: numbers(samples * outputs), shape: [samples, outputs] };
    return measure(() => fitted(features, x, y));
  },
  async slfn() {
    const samples = 60_000, pixels = 784;
    const x = { data: Uint8Array.from(numbers(samples * pixels, 127), (v) => v + 128), shape: [samples, pixels], scale: 1 / 255 };
    const y = Uint8Array.from({ length: samples }, (_, i) => i % ridgeSize.outputs);
    const net = await sequential([layers.input({ shape: [pixels] }), layers.appendConstant(),
      layers.dense({ units: pixels + 1, useBias: false, kernelInitializer: initializers.uniform({ min: -1, max: 1 }) }), layers.crelu()], { seed: 1 });
    return measure(() => fitted(2 * (pixels + 1), x, y, { model: net }));
  },
  async redense() {
    const samples = 60_000, features = 500, x = { data: numbers(samples * features), shape: [samples, features] };
    const y = Uint8Array.from({ length: samples }, (_, i) => i % ridgeSize.outputs), head = { kernel: { data: numbers(10 * features), shape: [10, features] } };
    const begin = performance.now(), one = await new ReDense({ epochs: 200, seed: 1 }).fit({ features: x, head }, y), ms = performance.now() - begin;
    if (!(one.report.history.loss[200] < one.report.history.loss[0])) throw new Error('the loss has not fallen');
    return { ms: [ms], parts: [[ms]] };
  },
};
const result = await works[work]();
if (info().threads !== threads) throw new Error(`${info().threads} threads run, ${threads} were asked for`);
console.log(JSON.stringify({ ...result, memory: info().memory }));
