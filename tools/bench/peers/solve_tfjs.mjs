// ms of the same ridge regression in TensorFlow.js on its WASM backend: Gram matrix by matMul of what is transposed first (its
// products of transposed operands take twenty times the time), and a Cholesky solution written by hand (row by row, float64), for it has none.
import { numbers, time } from '../kit.mjs';
import { ridgeSize } from '../networks.mjs';
import { start, tf } from './wasm_tfjs.mjs';

const { samples, features: n, outputs } = ridgeSize;

/** L of A = L L^T, row by row. @param {Float64Array} a [n, n] */
function cholesky(a) {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j];
      for (let k = 0; k < j; k++) sum -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = i === j ? Math.sqrt(sum) : sum / a[j * n + j];
    }
  }
}

/** b [n, outputs] becomes (L L^T)^-1 b. @param {Float64Array} l @param {Float64Array} b */
function solve(l, b) {
  for (let c = 0; c < outputs; c++) {
    for (let i = 0; i < n; i++) {
      let sum = b[i * outputs + c];
      for (let k = 0; k < i; k++) sum -= l[i * n + k] * b[k * outputs + c];
      b[i * outputs + c] = sum / l[i * n + i];
    }
    for (let i = n - 1; i >= 0; i--) {
      const v = b[i * outputs + c] /= l[i * n + i];
      for (let k = 0; k < i; k++) b[k * outputs + c] -= l[i * n + k] * v;
    }
  }
}

export async function run(given) {
  await start(given);
  const x = numbers(samples * n), y = numbers(samples * outputs);
  return { ms: await time(given, () => {
    const [g, c] = tf.tidy(() => {
      const rows = tf.tensor2d(x, [samples, n]), columns = rows.transpose();
      return [columns.matMul(rows), columns.matMul(tf.tensor2d(y, [samples, outputs]))].map((t) => Float64Array.from(t.dataSync()));
    });
    for (let i = 0; i < n; i++) g[i * n + i] += 1;
    cholesky(g);
    solve(g, c);
    if (!(Math.abs(c[0]) < 1e6)) throw new Error(`no solution: ${c[0]}`);
  }) };
}
