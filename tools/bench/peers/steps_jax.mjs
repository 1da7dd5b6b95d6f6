// ms of a training step of the small networks in jax-js on its WASM backend. Adam (Kingma & Ba 2015) is written out: the package holds no optimizer.
// Every array is consumed by its use as an argument; .ref keeps it for another.
import { jit, nn, numpy as np, random, valueAndGrad } from '@jax-js/jax';
import { time } from '../kit.mjs';
import { batchSize, pictures } from '../networks.mjs';
import { start } from './wasm_jax.mjs';

const weight = (...shape) => random.normal(random.key(1), shape).mul(1 / Math.sqrt(shape.at(-1)));
const zero = (...shape) => np.zeros(shape);
const first = {
  mlp: () => [weight(784, 512), zero(512), weight(512, 512), zero(512), weight(512, 10), zero(10)],
  matnet: () => [weight(20, 28), weight(20, 28), zero(20, 20), weight(16, 20), weight(16, 20), zero(16, 16), weight(256, 10), zero(10)],
};
/** act(U X V^T + B) for a batch: einsum is its fastest way; matmul does not broadcast a matrix over a batch on its right. */
function bilinear(input, u, v, b) {
  return nn.sigmoid(np.einsum('pi,nij,qj->npq', u, input, v).add(b));
}
const dense = (input, w, b) => np.matmul(input, w).add(b);
const forward = {
  mlp: (w, input) => dense(nn.relu(dense(nn.relu(dense(input, w[0], w[1])), w[2], w[3])), w[4], w[5]),
  matnet: (w, input) => dense(bilinear(bilinear(input.reshape([batchSize, 28, 28]), w[0], w[1], w[2]), w[3], w[4], w[5])
    .reshape([batchSize, 256]), w[6], w[7]),
};

export async function run(given) {
  await start(given);
  const { data, labels } = pictures(batchSize), y = nn.oneHot(np.array(Int32Array.from(labels)), 10);
  const x = np.array(Float32Array.from(data, (v) => v / 127.5 - 1)).reshape([batchSize, 784]);
  const lossOf = (w, input, target) => nn.logSoftmax(forward[given.net](w, input)).mul(target).sum().mul(-1 / batchSize);
  const step = jit((w, m, v, rate, input, target) => {
    const [loss, d] = valueAndGrad(lossOf)(w.map((a) => a.ref), input, target);
    const m2 = m.map((a, i) => a.mul(0.9).add(d[i].ref.mul(0.1)));
    const v2 = v.map((a, i) => a.mul(0.999).add(np.square(d[i]).mul(0.001)));
    const w2 = w.map((a, i) => a.sub(m2[i].ref.mul(rate.ref).div(np.sqrt(v2[i].ref).add(1e-7))));
    rate.dispose();
    return [loss, w2, m2, v2];
  });
  let w = first[given.net](), m = w.map((a) => np.zeros(a.shape)), v = w.map((a) => np.zeros(a.shape)), t = 0;
  const losses = [], ms = await time(given, async () => {
    t++;
    let loss;
    const rate = np.array(0.001 * Math.sqrt(1 - 0.999 ** t) / (1 - 0.9 ** t));
    [loss, w, m, v] = step(w, m, v, rate, x.ref, y.ref);
    losses.push((await loss.data())[0]);
  });
  if (!(losses.at(-1) < losses[0])) throw new Error(`jax-js does not train: loss ${losses[0]}, then ${losses.at(-1)} after ${t} steps`);
  return { ms };
}
