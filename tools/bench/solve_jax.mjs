// One process: ms of the same ridge regression in jax-js on its WASM backend, with its Cholesky and triangular solutions (float32). One
// thread, see jax.mjs.
import { defaultDevice, init, lax, numpy as np } from '@jax-js/jax';
import { numbers } from './conv_nets.mjs';
import { ridgeSize } from './solve_size.mjs';

const { rounds } = JSON.parse(process.argv[2]), { samples, features, outputs } = ridgeSize;
await init('wasm');
defaultDevice('wasm');
const x = numbers(samples * features), y = numbers(samples * outputs), ms = [];
for (let round = 0; round <= rounds; round++) {
  const start = performance.now();
  const rows = np.array(x).reshape([samples, features]), targets = np.array(y).reshape([samples, outputs]);
  const c = np.matmul(rows.ref.transpose(), targets), g = np.matmul(rows.ref.transpose(), rows).add(np.eye(features));
  const l = lax.linalg.cholesky(g), half = lax.linalg.triangularSolve(l.ref, c, { leftSide: true, lower: true });
  const coef = await lax.linalg.triangularSolve(l, half, { leftSide: true, lower: true, transposeA: true }).data();
  if (!(Math.abs(coef[0]) < 1e6)) throw new Error(`no solution: ${coef[0]}`);
  if (round > 0) ms.push(performance.now() - start);
}
console.log(JSON.stringify({ ms }));
