// The paper's two classifiers on the same hidden layers: case 2, a rank-1 form u_k X v_k^T + b_k for each class, against case 3, a
// dense layer on vec(X). Case 2 needs 330 output parameters, case 3 2,570.
import { constraints, layers, sequential } from 'heddle';
import { mnist } from './mnist-data.js';

const train = await mnist('train'), test = await mnist('test');
const kernelConstraint = constraints.unitNorm({ axis: 'row' });
const hidden = () => [
  layers.input({ shape: [28, 28] }),
  layers.bilinear({ rows: 20, cols: 20, activation: 'sigmoid', kernelConstraint }),
  layers.bilinear({ rows: 16, cols: 16, activation: 'sigmoid', kernelConstraint }),
];
const heads = {
  'case 2, rank-1 softmax': [layers.bilinearSoftmax({ units: 10 })],
  'case 3, dense softmax': [layers.flatten(), layers.dense({ units: 10, activation: 'softmax' })],
};
for (const [name, head] of Object.entries(heads)) {
  const net = await sequential([...hidden(), ...head], { seed: 7 });
  await net.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  await net.fit(train.x, train.y, { epochs: 10, batchSize: 128 });
  const { accuracy } = await net.evaluate(test.x, test.y);
  console.log(`${name}: ${net.parameters} parameters, test accuracy ${(100 * accuracy).toFixed(2)} % after 10 epochs`);
  net.dispose();
}
