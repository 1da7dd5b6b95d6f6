// A matrix network on MNIST in 30 lines: images stay matrices, 4,986 parameters in all.
import { constraints, layers, sequential } from 'heddle';
import { mnist } from './mnist-data.js';

const train = await mnist('train'), test = await mnist('test');
const kernelConstraint = constraints.unitNorm({ axis: 'row' });
const net = await sequential([
  layers.input({ shape: [28, 28] }),
  layers.bilinear({ rows: 20, cols: 20, activation: 'sigmoid', kernelConstraint }),
  layers.bilinear({ rows: 16, cols: 16, activation: 'sigmoid', kernelConstraint }),
  layers.flatten(),
  layers.dense({ units: 10, activation: 'softmax' }),
], { seed: 7 });
await net.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
await net.fit(train.x, train.y, { epochs: 5, batchSize: 128, verbose: 1 });
console.log(await net.evaluate(test.x, test.y));
net.dispose();
