// One process: ms of a training step of the same nets in TensorFlow.js on its WASM backend, one thread.
import * as tf from '@tensorflow/tfjs';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { dirname } from 'node:path';
import { createRequire } from 'node:module';
import { batchSize, pictures } from './nets.mjs';

const { net, rounds } = JSON.parse(process.argv[2]);
setWasmPaths(`${dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))}/`);
setThreadsCount(1);
await tf.setBackend('wasm');
const { data, labels } = pictures();
const y = tf.oneHot(tf.tensor1d(Array.from(labels.subarray(0, batchSize)), 'int32'), 10).toFloat();
const x = tf.tensor2d(Float32Array.from(data.subarray(0, batchSize * 784), (v) => v / 127.5 - 1), [batchSize, 784]);
const weight = (...shape) => tf.variable(tf.randomNormal(shape, 0, 1 / Math.sqrt(shape.at(-1)), 'float32', 1));
const zero = (...shape) => tf.variable(tf.zeros(shape));
const mlp = [weight(784, 512), zero(512), weight(512, 512), zero(512), weight(512, 10), zero(10)];
const matnet = [weight(20, 28), weight(20, 28), zero(20, 20), weight(16, 20), weight(16, 20), zero(16, 16), weight(256, 10), zero(10)];
/** act(U X V^T + B) for a batch: both products as plain matrix products, which is its fastest way. */
function bilinear(input, u, v, b) {
  const [n, i, j] = input.shape, [p] = u.shape, [q] = v.shape;
  const right = input.reshape([n * i, j]).matMul(v, false, true).reshape([n, i, q]).transpose([1, 0, 2]).reshape([i, n * q]);
  return u.matMul(right).reshape([p, n, q]).transpose([1, 0, 2]).add(b).sigmoid();
}
const forward = {
  mlp: (w) => x.matMul(w[0]).add(w[1]).relu().matMul(w[2]).add(w[3]).relu().matMul(w[4]).add(w[5]),
  matnet: (w) => bilinear(bilinear(x.reshape([batchSize, 28, 28]), w[0], w[1], w[2]), w[3], w[4], w[5]).reshape([batchSize, 256]).matMul(w[6]).add(w[7]),
}[net];
const weights = { mlp, matnet }[net], optimizer = tf.train.adam(0.001);
const step = () => optimizer.minimize(() => tf.losses.softmaxCrossEntropy(y, forward(weights)), true, weights);
const ms = [];
for (let round = 0; round <= rounds; round++) {
  const start = performance.now();
  for (let i = 0; i < 10; i++) {
    const loss = step();
    loss.dataSync();
    loss.dispose();
  }
  if (round > 0) ms.push((performance.now() - start) / 10);
}
console.log(JSON.stringify({ ms }));
