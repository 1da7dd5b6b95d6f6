// ms of the same ridge regression in jax-js on its WASM backend, with its Cholesky and triangular solutions (float32).
import { lax, numpy as np } from '@jax-js/jax';
import { numbers, time } from '../kit.mjs';
import { ridgeSize } from '../networks.mjs';
import { start } from './wasm_jax.mjs';

export async function run(given) {
  const { samples, features, outputs } = ridgeSize, x = numbers(samples * features), y = numbers(samples * outputs);
  await start(given);
  return { ms: await time(given, async () => {
    const rows = np.array(x).reshape([samples, features]), targets = np.array(y).reshape([samples, outputs]);
    const c = np.matmul(rows.ref.transpose(), targets), g = np.matmul(rows.ref.transpose(), rows).add(np.eye(features));
    const l = lax.linalg.cholesky(g), half = lax.linalg.triangularSolve(l.ref, c, { leftSide: true, lower: true });
    const coef = await lax.linalg.triangularSolve(l, half, { leftSide: true, lower: true, transposeA: true }).data();
    if (!(Math.abs(coef[0]) < 1e6)) throw new Error(`no solution: ${coef[0]}`);
  }) };
}
