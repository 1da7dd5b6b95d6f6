// One process: ms of a training step or of a prediction of a convolutional network through the public API.
//   node conv.mjs '{"net": "cifar", "train": true, "engine": "heddle-mt-relaxed", "threads": 1, "rounds": 5}'
import { apply, info, init, input, layers, model } from '../../bindings/index.js';
import { convNets, numbers, time } from './conv_nets.mjs';

const { net: name, train, engine, threads, rounds } = JSON.parse(process.argv[2]);
const { shape, classes, batch, draw } = convNets[name];
const activation = (relu) => ({ activation: relu ? 'relu' : 'linear' });
const padding = (pad) => (pad ? { padding: 'explicit', pads: [pad] } : {});
const drawer = {
  conv: (x, { filters, size, stride = 1, pad, relu }) =>
    apply(layers.conv2d({ filters, kernelSize: size, strides: stride, ...padding(pad), ...activation(relu) }), x),
  maxPool: (x, { size, stride, pad }) => apply(layers.maxPool2d({ poolSize: size, strides: stride, ...padding(pad) }), x),
  add: (...inputs) => apply(layers.add({ activation: 'relu' }), inputs),
  globalAverage: (x) => apply(layers.globalAveragePool2d(), x),
  flatten: (x) => apply(layers.flatten(), x),
  dropout: (x, rate) => apply(layers.dropout({ rate }), x),
  dense: (x, { units, relu }) => apply(layers.dense({ units, ...activation(relu) }), x),
};

await init({ engine, threads });
const x = input({ shape }), outputs = apply(layers.activation({ activation: 'softmax' }), draw(drawer, x));
const net = await model({ inputs: x, outputs, seed: 1 });

async function training() {
  const steps = 10, rows = steps * batch, size = shape.reduce((a, b) => a * b), ms = [];
  const pictures = Uint8Array.from(numbers(rows * size, 127), (v) => v + 128), labels = Uint8Array.from({ length: rows }, (_, i) => i % classes);
  await net.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  const set = await net.dataset({ data: pictures, shape: [rows, ...shape], scale: 1 / 255 }, labels);
  let start;
  await net.fit(set, { epochs: rounds + 1, batchSize: batch, seed: 1, onEpochEnd(epoch) {
    if (epoch > 0) ms.push((performance.now() - start) / steps); // the first epoch warms up
    start = performance.now();
  } });
  return ms;
}

const data = numbers(batch * shape.reduce((a, b) => a * b));
const ms = train ? await training() : await time(rounds, () => net.predict({ data, shape: [batch, ...shape] }, { batchSize: batch }));
if (info().threads !== threads) throw new Error(`${info().threads} threads run, ${threads} were asked for`);
console.log(JSON.stringify({ ms, memory: info().memory }));
