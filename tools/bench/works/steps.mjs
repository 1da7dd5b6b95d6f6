// ms of a whole training step (gather, forward, loss, accuracy, backward, Adam) of a small network through the public API; bytes that memory has grown since epoch 2.
import { constraints, info, init, layers, sequential } from '../../../bindings/index.js';
import { ended, engineOf, timeEpochs } from '../kit.mjs';
import { batchSize, pictures, rows, specs } from '../networks.mjs';

export async function run(given) {
  const { shape, layers: list } = specs({ layers, constraints })[given.net], count = given.quick ? 10 * batchSize : rows[given.net], { data, labels } = pictures(count);
  await init(engineOf(given));
  const net = await sequential(list, { seed: 1 }), used = [];
  await net.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  const set = await net.dataset({ data, shape: [count, ...shape], scale: 1 / 127.5, offset: -1 }, labels);
  const ms = await timeEpochs(given, net, set, { batchSize, seed: 1 }, () => used.push(info().memory.used));
  return { ms: ms.map((epoch) => epoch / (count / batchSize)), growth: used.at(-1) - used[1], ...ended(info(), given, !given.quick) };
}
