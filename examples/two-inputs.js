// A functional model with two inputs and two outputs: both halves of a digit go through matrix layers of their own, are joined,
// and the net says which digit it is and how much ink it has.
import { apply, input, layers, model } from 'heddle';
import { mnist } from './mnist-data.js';

/** Rows 0..13 or 14..27 of every digit, and its mean pixel. */
function halves({ x, y }) {
  const rows = y.length, top = new Uint8Array(rows * 392), bottom = new Uint8Array(rows * 392), ink = new Float32Array(rows);
  for (let i = 0; i < rows; i++) {
    const digit = x.data.subarray(i * 784, (i + 1) * 784);
    top.set(digit.subarray(0, 392), i * 392);
    bottom.set(digit.subarray(392), i * 392);
    ink[i] = digit.reduce((sum, v) => sum + v, 0) / 784 / 255;
  }
  const half = (data) => ({ data, shape: [rows, 14, 28], scale: x.scale, offset: x.offset });
  return { inputs: { top: half(top), bottom: half(bottom) }, targets: { digit: y, ink: { data: ink, shape: [rows, 1] } } };
}

const top = input({ shape: [14, 28], name: 'top' }), bottom = input({ shape: [14, 28], name: 'bottom' });
const matrix = (x) => apply(layers.flatten(), apply(layers.bilinear({ rows: 10, cols: 16, activation: 'tanh' }), x));
const joined = apply(layers.concat(), [matrix(top), matrix(bottom)]);
const digit = apply(layers.dense({ units: 10, activation: 'softmax', name: 'digit' }), joined);
const ink = apply(layers.dense({ units: 1, activation: 'sigmoid', name: 'ink' }), joined);
const net = await model({ inputs: [top, bottom], outputs: [digit, ink], seed: 5 });
await net.compile({
  optimizer: 'adam',
  loss: { digit: 'sparseCategoricalCrossentropy', ink: 'meanSquaredError' },
  lossWeights: { digit: 1, ink: 10 },
  metrics: { digit: ['accuracy'], ink: ['meanAbsoluteError'] },
});
const train = halves(await mnist('train')), test = halves(await mnist('test'));
await net.fit(train.inputs, train.targets, { epochs: 5, batchSize: 128, verbose: 1 });
console.log(await net.evaluate(test.inputs, test.targets));
net.dispose();
