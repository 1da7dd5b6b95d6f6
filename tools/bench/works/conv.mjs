// ms of a training step or of a prediction of a convolutional network through the public API.
import { apply, info, init, input, layers, model } from '../../../bindings/index.js';
import { ended, engineOf, numbers, time, timeEpochs } from '../kit.mjs';
import { convNets } from '../networks.mjs';

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

async function training(net, { shape, classes, batch }, given) {
  const steps = given.quick ? 1 : 5, rows = steps * batch, size = shape.reduce((a, b) => a * b);
  const pictures = Uint8Array.from(numbers(rows * size, 127), (v) => v + 128), labels = Uint8Array.from({ length: rows }, (_, i) => i % classes);
  await net.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  const set = await net.dataset({ data: pictures, shape: [rows, ...shape], scale: 1 / 255 }, labels);
  return (await timeEpochs(given, net, set, { batchSize: batch, seed: 1 })).map((ms) => ms / steps);
}

export async function run(given) {
  await init(engineOf(given));
  const spec = { ...convNets[given.net], ...given.quick && { batch: Math.min(convNets[given.net].batch, 8) } }, { shape, batch, draw } = spec;
  const x = input({ shape }), outputs = apply(layers.activation({ activation: 'softmax' }), draw(drawer, x));
  const net = await model({ inputs: x, outputs, seed: 1 }), data = numbers(batch * shape.reduce((a, b) => a * b));
  const ms = await (given.train ? training(net, spec, given) : time(given, () => net.predict({ data, shape: [batch, ...shape] }, { batchSize: batch })));
  return { ms, ...ended(info(), given, !given.quick) };
}
