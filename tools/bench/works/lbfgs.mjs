// Training loss of each of the last ten epochs after some seconds of L-BFGS, or of Adam (batch 100) at a rate, on 10,000 digits. A single one says little: at a
// large rate Adam's loss falls below 1e-4 and jumps to 0.5 again.
import { init, layers, optimizers, sequential } from '../../../bindings/index.js';
import { engineOf } from '../kit.mjs';
import { mnist } from '../../../examples/mnist-data.js';

export async function run(given) {
  await init(engineOf(given));
  const { x, y } = await mnist('train', given.quick ? 500 : 10000);
  const [optimizer, batchSize] = given.rate ? [optimizers.adam({ learningRate: given.rate }), 100] : [optimizers.lbfgs({ history: 20 }), 1000];
  const net = await sequential([
    layers.input({ shape: [28, 28] }), layers.bilinear({ rows: 20, cols: 20, activation: 'sigmoid' }),
    layers.bilinear({ rows: 16, cols: 16, activation: 'sigmoid' }), layers.flatten(), layers.dense({ units: 10, activation: 'softmax' }),
  ], { seed: 3 });
  await net.compile({ optimizer, loss: 'sparseCategoricalCrossentropy' });
  const set = await net.dataset(x, y), signal = AbortSignal.timeout((given.quick ? 0.2 : 10) * 1000);
  const losses = [];
  await net.fit(set, { epochs: 100000, batchSize, seed: 1, signal, onEpochEnd: (_, { loss }) => { losses.push(loss); } }).catch((error) => { if (!/Abort|Timeout/.test(error.name)) throw error; });
  return { losses: losses.slice(-10) };
}
