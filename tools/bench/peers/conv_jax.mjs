// ms of a training step of a convolutional network in jax-js, see steps_jax.mjs; images are NCHW, as it likes them. A batch of 128 would take minutes: as many steps of 16
// as make it. Dropout draws nothing: its multiplication with a mask is there.
import { jit, lax, nn, numpy as np, valueAndGrad } from '@jax-js/jax';
import { numbers, time } from '../kit.mjs';
import { convNets } from '../networks.mjs';
import { start } from './wasm_jax.mjs';

const uniform = (scale, ...shape) => np.array(numbers(shape.reduce((a, b) => a * b), scale)).reshape(shape);
const total = (list) => list.reduce((a, b) => a * b, 1);
const activate = (x, relu) => (relu ? nn.relu(x) : x);

/** @param {(...dims: number[]) => any} weight the next one */
const drawerOf = (weight) => ({
  conv: (x, { filters, size, pad = 0, relu }) => activate(lax.convGeneralDilated(x, weight(filters, x.shape[1], size, size), [1, 1], [[pad, pad], [pad, pad]]).add(weight(1, filters, 1, 1)), relu),
  maxPool: (x, { size, stride }) => lax.reduceWindow(x, (window) => np.max(window), [size, size], [stride, stride]),
  dropout: (x, rate) => x.mul(1 / (1 - rate)),
  flatten: (x) => x.reshape([x.shape[0], total(x.shape.slice(1))]),
  dense: (x, { units, relu }) => activate(np.matmul(x, weight(x.shape[1], units)).add(weight(1, units)), relu),
});

export async function run(given) {
  await start(given);
  const { shape: [h, w, c], classes, batch: whole, draw } = convNets[given.net], batch = 16, x = uniform(1, batch, c, h, w), dims = [];
  const y = nn.oneHot(np.array(Int32Array.from({ length: batch }, (_, i) => i % classes)), classes);
  draw(drawerOf((...shape) => { // writes their shapes down
    dims.push(shape);
    return np.zeros(shape);
  }), x.ref).dispose();
  const lossOf = (weights, input, target) => {
    let next = 0;
    return nn.logSoftmax(draw(drawerOf(() => weights[next++]), input)).mul(target).sum().mul(-1 / batch);
  };
  const step = jit((weights, m, v, rate, input, target) => {
    const [loss, d] = valueAndGrad(lossOf)(weights.map((a) => a.ref), input, target);
    const m2 = m.map((a, i) => a.mul(0.9).add(d[i].ref.mul(0.1))), v2 = v.map((a, i) => a.mul(0.999).add(np.square(d[i]).mul(0.001)));
    const moved = weights.map((a, i) => a.sub(m2[i].ref.mul(rate.ref).div(np.sqrt(v2[i].ref).add(1e-7))));
    rate.dispose();
    return [loss, moved, m2, v2];
  });
  let weights = dims.map((shape) => uniform(shape[0] === 1 ? 0 : Math.sqrt(3 / (shape.length === 4 ? total(shape.slice(1)) : shape[0])), ...shape));
  let [m, v] = [0, 1].map(() => dims.map((shape) => np.zeros(shape))), t = 0;
  const losses = [], once = async () => {
    let loss;
    [loss, weights, m, v] = step(weights, m, v, np.array(0.001 * Math.sqrt(1 - 0.999 ** ++t) / (1 - 0.9 ** t)), x.ref, y.ref);
    losses.push((await loss.data())[0]);
  };
  const ms = await time(given, once);
  if (!losses.every(Number.isFinite)) throw new Error(`jax-js does not train: losses ${losses}`);
  return { ms: ms.map((one) => one * whole / batch) };
}
