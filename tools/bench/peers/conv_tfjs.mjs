// The same in TensorFlow.js. Its own convolution has no gradient on WASM, so training spells convolution out as patches (conv2d with a
// one-hot kernel has none either: slices and concat) and a matrix product.
import { numbers, time } from '../kit.mjs';
import { convNets } from '../networks.mjs';
import { start, tf } from './wasm_tfjs.mjs';

const activate = (x, relu) => (relu ? x.relu() : x);

function patches(x, size, stride, pad) {
  const [n, h, w, c] = x.shape, out = (length) => Math.floor((length + 2 * pad - size) / stride) + 1;
  if (stride !== 1) throw new Error('conv_tfjs: training is written for stride 1');
  const padded = x.pad([[0, 0], [pad, pad], [pad, pad], [0, 0]]), parts = [];
  for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) parts.push(padded.slice([0, i, j, 0], [n, out(h), out(w), c]));
  return tf.concat(parts, 3);
}

/** @param {(...dims: number[]) => any} weight the next one @param {boolean} train */
const drawerOf = (weight, train) => ({
  conv(x, { filters, size, stride = 1, pad = 0, relu }) {
    const c = x.shape[3], kernel = weight(size, size, c, filters), bias = weight(filters);
    if (!train) return tf.fused.conv2d({ x, filter: kernel, strides: stride, pad, bias, activation: relu ? 'relu' : 'linear', dimRoundingMode: 'floor' });
    const columns = patches(x, size, stride, pad), [n, h, w, k] = columns.shape;
    return activate(columns.reshape([n * h * w, k]).matMul(kernel.reshape([k, filters])).reshape([n, h, w, filters]).add(bias), relu);
  },
  maxPool: (x, { size, stride, pad = 0 }) => tf.maxPool(x, size, stride, pad, 'floor'),
  add: (a, b) => a.add(b).relu(),
  globalAverage: (x) => x.mean([1, 2]),
  flatten: (x) => x.reshape([x.shape[0], -1]),
  dropout: (x, rate) => (train ? tf.dropout(x, rate) : x),
  dense: (x, { units, relu }) => activate(x.matMul(weight(x.shape[1], units)).add(weight(units)), relu),
});

export async function run(given) {
  await start(given);
  const { shape, classes, batch, draw } = convNets[given.net], weights = []; // in the order of their use: made in the first pass
  let next = 0;
  const drawer = drawerOf((...dims) => {
    const fan = dims.slice(0, -1).reduce((a, b) => a * b, 1);
    if (next === weights.length) weights.push(tf.variable(tf.tensor(numbers(fan * dims.at(-1), dims.length > 1 ? Math.sqrt(3 / fan) : 0), dims)));
    return weights[next++];
  }, given.train);
  const x = tf.tensor(numbers(batch * shape.reduce((a, b) => a * b)), [batch, ...shape]), forward = () => {
    next = 0;
    return draw(drawer, x);
  };
  const y = tf.oneHot(tf.tensor1d(Array.from({ length: batch }, (_, i) => i % classes), 'int32'), classes).toFloat(), optimizer = tf.train.adam(0.001);
  if (given.train) tf.tidy(() => forward().dataSync());
  return { ms: await time(given, () => tf.tidy(() => (given.train
    ? optimizer.minimize(() => tf.losses.softmaxCrossEntropy(y, forward()), true, weights) : forward()).dataSync())) };
}
