// Regression with matrices (case 1 of the paper): learn the map X -> tanh(A X B^T) of hidden matrices A, B from examples.
import { layers, losses, optimizers, sequential } from 'heddle';

const rows = 4000, size = 8, out = 5;
let state = 1;
const normal = () => { // 12 uniforms, a linear congruential generator
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += (state = (state * 1664525 + 1013904223) >>> 0) / 2 ** 32;
  return sum;
};
const matrix = (r, c, scale) => Array.from({ length: r }, () => Array.from({ length: c }, () => scale * normal()));
const times = (a, b) => a.map((row) => b.map((other) => row.reduce((sum, v, i) => sum + v * other[i], 0))); // a b^T
const A = matrix(out, size, 0.4), B = matrix(out, size, 0.4);
const x = Array.from({ length: rows }, () => matrix(size, size, 1));
const transposed = (m) => m[0].map((_, c) => m.map((row) => row[c]));
const y = x.map((X) => times(times(A, transposed(X)), B).map((row) => row.map(Math.tanh)));

const net = await sequential([
  layers.input({ shape: [size, size] }),
  layers.bilinear({ rows: out, cols: out, activation: 'tanh' }),
], { seed: 1 });
await net.compile({ optimizer: optimizers.adam({ learningRate: 0.01 }), loss: losses.meanSquaredError({ reduction: 'halfSum' }), metrics: ['meanAbsoluteError'] });
const { history } = await net.fit(x, y, { epochs: 60, batchSize: 64, validationSplit: 0.2 });
console.log(`half squared error of a matrix: ${history.val_loss[0].toFixed(3)} after the first epoch, ${history.val_loss.at(-1).toExponential(2)} after the last`);
net.dispose();
