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
let start = performance.now();
await net.fit(set, {
  epochs: rounds + 1, batchSize, seed: 1,
  onEpochEnd(epoch) {
    if (epoch > 0) ms.push((performance.now() - start) / (rows / batchSize)); // the first epoch warms up
    used.push(info().memory.used);
    start = performance.now();
  },
});
const running = info().threads;
if (running !== threads) throw new Error(`${running} threads run, ${threads} were asked for`);
console.log(JSON.stringify({ ms, growth: used.at(-1) - used[1], peak: info().memory.peak }));
