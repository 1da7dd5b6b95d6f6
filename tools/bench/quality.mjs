// One process: ms of training a judge of image quality through the public API, for each of some rounds.
//   node quality.mjs '{"work": "heads", "batchSize": 8, "engine": "heddle-mt-relaxed", "threads": 1, "rounds": 1}'
import { apply, info, init, input, layers, losses, model, optimizers, sequential } from '../../bindings/index.js';
import { numbers } from './conv_nets.mjs';

const { work, loss: kind = 'normInNorm', batchSize, engine, threads, rounds } = JSON.parse(process.argv[2]);
await init({ engine, threads });

/** One step of one dense unit on 10,000 numbers: the loss forward and backward, and what stands around it. */
async function loss() {
  const rows = 10_000, net = await sequential([layers.input({ shape: [1] }), layers.dense({ units: 1 })], { seed: 1 });
  await net.compile({ optimizer: 'sgd', loss: kind });
  return { net, rows, x: { data: Float32Array.from(numbers(rows)), shape: [rows, 1] }, y: Float32Array.from(numbers(rows, 60)), steps: 20 };
}

/** Encoders of two levels of ResNet-50 features, their auxiliary heads, and the main one: 3.8 million parameters, as many rows as KonIQ-10k's training set. */
async function heads() {
  const rows = 7058, sizes = [1024, 2048], inputs = sizes.map((size) => input({ shape: [size] }));
  const encoder = [1024, 256, 64].flatMap((units) => [layers.dense({ units }), layers.batchNorm({ convention: 'pytorch', momentum: 0.1, epsilon: 1e-5 })]);
  const encoded = inputs.map((level) => [...encoder, layers.activation({ activation: 'relu' })].reduce((x, layer) => apply(layer, x), level));
  const outputs = [...encoded, apply(layers.concat(), encoded)].map((x) => apply(layers.dense({ units: 1 }), x));
  const net = await model({ inputs, outputs, seed: 1 });
  await net.compile({ optimizer: optimizers.adam({ learningRate: 1e-4 }), loss: outputs.map(() => losses.normInNorm()), lossWeights: [0.1, 0.1, 1] });
  const x = sizes.map((size) => ({ data: Float32Array.from(numbers(rows * size)), shape: [rows, size] })), y = Float32Array.from(numbers(rows, 60));
  return { net, rows, x, y: outputs.map(() => y), steps: 1 };
}

const { net, rows, x, y, steps } = await { loss, heads }[work](), ms = [];
const set = await net.dataset(x, y);
let start;
await net.fit(set, { epochs: (rounds + (work === 'loss')) * steps, batchSize: batchSize ?? rows, seed: 1, shuffle: work !== 'loss',
  onTrainBegin() { start = performance.now(); },
  onEpochEnd(epoch) {
    if ((epoch + 1) % steps) return;
    ms.push((performance.now() - start) / steps);
    start = performance.now();
  } });
if (info().threads > threads) throw new Error(`${info().threads} threads run, ${threads} were asked for`);
console.log(JSON.stringify({ ms: work === 'loss' ? ms.slice(1) : ms, memory: info().memory })); // the first round of many short steps warms up
