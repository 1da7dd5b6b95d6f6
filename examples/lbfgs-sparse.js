// L-BFGS on the whole data with KL sparsity on the hidden layers and weight decay (sections 3.1 and 3.2 of the paper). An epoch is an
// accepted iteration; the exact mean activations cost one forward pass more.
import { layers, optimizers, regularizers, sequential } from 'heddle';
import { mnist } from './mnist-data.js';

const train = await mnist('train', 10000), test = await mnist('test');
const options = {
  activation: 'sigmoid',
  kernelRegularizer: regularizers.l2({ amount: 1e-4 }),
  activityRegularizer: regularizers.klSparsity({ rho: 0.2, beta: 1e-3 }),
};
const net = await sequential([
  layers.input({ shape: [28, 28] }),
  layers.bilinear({ rows: 20, cols: 20, ...options }),
  layers.bilinear({ rows: 16, cols: 16, ...options }),
  layers.flatten(),
  layers.dense({ units: 10, activation: 'softmax', kernelRegularizer: regularizers.l2({ amount: 1e-4 }) }),
], { seed: 3 });
await net.compile({ optimizer: optimizers.lbfgs({ history: 20 }), loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
for await (const log of net.train(train.x, train.y, { epochs: 150, batchSize: 1000 })) {
  if (log.type === 'epoch' && (log.epoch + 1) % 25 === 0) {
    console.log(`iteration ${log.epoch + 1}: loss ${log.loss.toFixed(4)}, accuracy ${(100 * log.accuracy).toFixed(2)} %`);
  }
}
const { accuracy } = await net.evaluate(test.x, test.y);
const first = (await net.predict(test.x, { output: net.layers[1].name })).data;
const mean = first.reduce((sum, v) => sum + v, 0) / first.length;
console.log(`test accuracy ${(100 * accuracy).toFixed(2)} %, mean activation of the first hidden layer ${mean.toFixed(3)} (wanted: 0.2)`);
net.dispose();
