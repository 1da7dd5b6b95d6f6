// ms of a training step of the small networks in TensorFlow.js.
import { time } from '../kit.mjs';
import { batchSize, pictures } from '../networks.mjs';
import { start, tf } from './wasm_tfjs.mjs';

const weight = (...shape) => tf.variable(tf.randomNormal(shape, 0, 1 / Math.sqrt(shape.at(-1)), 'float32', 1));
const zero = (...shape) => tf.variable(tf.zeros(shape));
const first = {
  mlp: () => [weight(784, 512), zero(512), weight(512, 512), zero(512), weight(512, 10), zero(10)],
  matnet: () => [weight(20, 28), weight(20, 28), zero(20, 20), weight(16, 20), weight(16, 20), zero(16, 16), weight(256, 10), zero(10)],
};
/** act(U X V^T + B) for a batch: both products as plain matrix products, which is its fastest way. */
function bilinear(input, u, v, b) {
  const [n, i, j] = input.shape, [p] = u.shape, [q] = v.shape;
  const right = input.reshape([n * i, j]).matMul(v, false, true).reshape([n, i, q]).transpose([1, 0, 2]).reshape([i, n * q]);
  return u.matMul(right).reshape([p, n, q]).transpose([1, 0, 2]).add(b).sigmoid();
}
const forward = {
  mlp: (x, w) => x.matMul(w[0]).add(w[1]).relu().matMul(w[2]).add(w[3]).relu().matMul(w[4]).add(w[5]),
  matnet: (x, w) => bilinear(bilinear(x.reshape([batchSize, 28, 28]), w[0], w[1], w[2]), w[3], w[4], w[5]).reshape([batchSize, 256]).matMul(w[6]).add(w[7]),
};

export async function run(given) {
  await start(given);
  const { data, labels } = pictures(batchSize), y = tf.oneHot(tf.tensor1d(Array.from(labels), 'int32'), 10).toFloat();
  const x = tf.tensor2d(Float32Array.from(data, (v) => v / 127.5 - 1), [batchSize, 784]);
  const weights = first[given.net](), optimizer = tf.train.adam(0.001);
  return { ms: await time(given, () => {
    const loss = optimizer.minimize(() => tf.losses.softmaxCrossEntropy(y, forward[given.net](x, weights)), true, weights);
    loss.dataSync();
    loss.dispose();
  }) };
}
