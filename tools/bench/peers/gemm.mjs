// ms of a square float32 matrix product, op(A) op(B), in TensorFlow.js and in jax-js; results stay where they are made.
import { numbers, time } from '../kit.mjs';

/** @param {any} given n, transposed: 'NN', 'NT', 'TN', 'TT'; many products for each round, so that the clock sees them */
export async function run(given) {
  const { n, transposed, library } = given, [first, second] = [...transposed].map((one) => one === 'T');
  const repeats = Math.max(1, Math.round(2e8 / n ** 3)), product = await { tfjs, jax }[library](given, first, second);
  const ms = await time(given, async () => { for (let i = 0; i < repeats; i++) await product(); });
  return { ms: ms.map((all) => all / repeats), flop: 2 * n ** 3 };
}

async function tfjs(given, first, second) {
  const { start, tf } = await import('./wasm_tfjs.mjs'), { n } = given;
  await start(given);
  const [a, b] = [1, 2].map(() => tf.tensor2d(numbers(n * n), [n, n]));
  return () => tf.matMul(a, b, first, second).dispose();
}

async function jax(given, first, second) {
  const [{ start }, { blockUntilReady, numpy: np }] = await Promise.all([import('./wasm_jax.mjs'), import('@jax-js/jax')]), { n } = given;
  await start(given);
  const [a, b] = [1, 2].map(() => np.array(numbers(n * n)).reshape([n, n])), op = (x, is) => (is ? x.ref.transpose() : x.ref);
  return async () => {
    const c = np.matmul(op(a, first), op(b, second));
    await blockUntilReady(c);
    c.dispose();
  };
}
