// One process: ms of a whole training step (gather, forward, loss, accuracy, backward, Adam) through the public API, for each of some
// rounds.   node steps.mjs '{"net": "mlp", "engine": "heddle-mt-relaxed", "threads": 2, "rounds": 9}'
import { constraints, init, info, layers, sequential } from '../../bindings/index.js';
import { batchSize, pictures, rows, specs } from './nets.mjs';

const { net: name, engine, threads, rounds } = JSON.parse(process.argv[2]);
await init({ engine, threads });
const { shape, layers: list } = specs({ layers, constraints })[name], { data, labels } = pictures();
const net = await sequential(list, { seed: 1 });
await net.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
const set = await net.dataset({ data, shape: [rows, ...shape], scale: 1 / 127.5, offset: -1 }, labels);
const ms = [], used = [];
for (let i = 0; i <= rounds; i++) {
  const { seconds } = await net.fit(set, { epochs: 1, batchSize, seed: i });
  if (i > 0) ms.push(seconds * 1000 / (rows / batchSize)); // the first round warms up
  used.push(info().memory.used);
}
const { memory, ...facts } = info();
console.log(JSON.stringify({ ms, threads: facts.threads, growth: used.at(-1) - used[1], peak: memory.peak }));
