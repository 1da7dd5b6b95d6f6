// ms of training a judge of image quality through the public API: a step of a loss on 10,000 scores, or an epoch of encoders and heads.
import { apply, info, init, input, layers, losses, model, optimizers, sequential } from '../../../bindings/index.js';
import { ended, engineOf, numbers, timeEpochs } from '../kit.mjs';

/** One step of one dense unit on 10,000 numbers: the loss forward and backward, and what stands around it. */
async function loss({ loss: kind }) {
  const rows = 10_000, net = await sequential([layers.input({ shape: [1] }), layers.dense({ units: 1 })], { seed: 1 });
  await net.compile({ optimizer: 'sgd', loss: kind });
  return { net, rows, x: { data: Float32Array.from(numbers(rows)), shape: [rows, 1] }, y: Float32Array.from(numbers(rows, 60)) };
}

/** Encoders of two levels of ResNet-50 features, their auxiliary heads, and the main one: 3.8 million parameters, as many rows as KonIQ-10k's training set. */
async function heads({ quick }) {
  const rows = quick ? 64 : 7058, sizes = [1024, 2048], inputs = sizes.map((size) => input({ shape: [size] }));
  const encoder = [quick ? 32 : 1024, 256, 64].flatMap((units) => [layers.dense({ units }), layers.batchNorm({ convention: 'pytorch', momentum: 0.1, epsilon: 1e-5 })]);
  const encoded = inputs.map((level) => [...encoder, layers.activation({ activation: 'relu' })].reduce((x, layer) => apply(layer, x), level));
  const outputs = [...encoded, apply(layers.concat(), encoded)].map((x) => apply(layers.dense({ units: 1 }), x));
  const net = await model({ inputs, outputs, seed: 1 });
  await net.compile({ optimizer: optimizers.adam({ learningRate: 1e-4 }), loss: outputs.map(() => losses.normInNorm()), lossWeights: [0.1, 0.1, 1] });
  const x = sizes.map((size) => ({ data: Float32Array.from(numbers(rows * size)), shape: [rows, size] })), y = Float32Array.from(numbers(rows, 60));
  return { net, rows, x, y: outputs.map(() => y) };
}

/** The whole training set once, for each round; nothing to warm up in so long a time. */
async function epochs({ rounds, batchSize }, net, set) {
  const ms = [];
  let start;
  await net.fit(set, { epochs: rounds, batchSize, seed: 1, onTrainBegin() { start = performance.now(); }, onEpochEnd() {
    ms.push(performance.now() - start);
    start = performance.now();
  } });
  return ms;
}

export async function run(given) {
  await init(engineOf(given));
  const { net, rows, x, y } = await { loss, heads }[given.work](given), set = await net.dataset(x, y);
  const ms = given.work === 'heads' ? await epochs(given, net, set)
    : await timeEpochs({ ...given, rounds: 20 * given.rounds }, net, set, { batchSize: rows, seed: 1, shuffle: false });
  return { ms, ...ended(info(), given, false) };
}
