// What members send and receive until they have learned: least squares by consensus against averaging gradients or weights. The
// transport counts; beside it what the formulas say. Options: --members 4, --rows 2500 (of each), --hidden 510, --steps 80 (of SGD, at least).
import { parseArgs } from 'node:util';
import { layers, optimizers, sequential } from 'heddle';
import { circulant, federatedFit, localTransport, synchronousFit } from 'heddle/consensus';
import { mnist } from './mnist-data.js';
import { fitTogether } from './together-slfn.js';

const options = { members: '4', rows: '2500', hidden: '510', steps: '80' };
const { values } = parseArgs({ options: Object.fromEntries(Object.entries(options).map(([name, value]) => [name, { type: 'string', default: value }])) });
const [members, rows, hidden, steps] = Object.keys(options).map((name) => Number(values[name])), [n, classes] = [2 * hidden, 10];
const all = await mnist('train', members * rows), test = await mnist('test');
const shards = Array.from({ length: members }, (_, m) => ({
  x: { ...all.x, data: all.x.data.subarray(m * rows * 784, (m + 1) * rows * 784), shape: [rows, 28, 28] }, y: all.y.subarray(m * rows, (m + 1) * rows),
}));

/** The work of all members; what the last of them gives, its bytes both ways and the accuracy of its network on the test digits. */
async function together(work) {
  const transports = shards.map((_, m) => localTransport({ room: 'bytes', id: `m${m}` }));
  const groups = await Promise.all(transports.map((t) => t.join({ members, deadline: 600 })));
  const results = await Promise.all(groups.map((group, m) => work(group, shards[m])));
  const { sent, received } = groups.at(-1).bytes, { data } = await results.at(-1).net.predict(test.x, { batchSize: 500 });
  const right = test.y.filter((label, i) => data.subarray(10 * i, 10 * i + 10).indexOf(Math.max(...data.subarray(10 * i, 10 * i + 10))) === label).length;
  results.forEach(({ net }) => net.dispose());
  await Promise.all(transports.map((t) => t.close()));
  return { ...results.at(-1), payload: sent.payload + received.payload, header: sent.header + received.header, accuracy: right / test.y.length };
}
const size = (bytes) => (bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`);
const row = (...cells) => console.log(`| ${cells.join(' | ')} |`);
let wrong = 0;
function show(name, { payload, header, accuracy }, rounds, formula, says) {
  if (payload !== formula) wrong++;
  row(name, rounds, payload, `${formula} = ${says}`, `${(header / payload * 100).toFixed(2)} %`, `${(100 * accuracy).toFixed(2)} %`);
}

console.log(`${members} members with ${rows} digits each. Random-feature network: n = ${n}, Q = ${classes}; multilayer perceptron: 784-${hidden}-${classes}.`);
console.log('Bytes of numbers of one member, sent and received.\n');
row('method', 'rounds', 'counted', 'formula', 'headers', 'test accuracy');
row('---', '---', '---', '---', '---', '---');
const still = { hidden, radius: 1, absoluteTolerance: 0, relativeTolerance: 0 };
const slfn = (settings) => (group, shard) => fitTogether(group, shard, settings);
const early = await together(slfn({ hidden, radius: 1, relativeTolerance: 1e-3, absoluteTolerance: 1e-5 })), k = early.result.rounds;
show('ADMM until its residuals are 1e-3', early, k, 8 * (classes * n + 3) * k + 16, 'K 8 (Q n + 3) + 16');
const admm = await together(slfn({ ...still, rounds: 100 }));
show('ADMM', admm, 100, 8 * (classes * n + 3) * 100 + 16, 'K 8 (Q n + 3) + 16');
const gram = await together(slfn({ ...still, method: 'gram' }));
show('sums G and C (float64)', gram, 1, 16 * (n * (n + 1) / 2 + classes * n + 2), '16 (n (n + 1) / 2 + Q n + 2)');
const gossip = await together(slfn({ ...still, method: 'gossip', rounds: 20, penalty: admm.result.penalty })), b = gossip.result.mixings;
const degree = circulant(0, members, 1).length, width = Math.ceil((members >> 1) / 1);
show(`gossip on a circle, B = ${b}`, gossip, 20, 8 * degree * 20 * (classes * n + 3) * b + 16 * degree * 19 * width, 'K B d 8 (Q n + 3) + 16 d (K - 1) width');

async function perceptron() {
  const net = await sequential([
    layers.input({ shape: [28, 28] }), layers.flatten(), layers.dense({ units: hidden, activation: 'relu' }), layers.dense({ units: classes, activation: 'softmax' }),
  ], { seed: 7 });
  await net.compile({ optimizer: optimizers.sgd({ learningRate: 0.1 }), loss: 'sparseCategoricalCrossentropy' });
  return net;
}
const parameters = (784 + 1) * hidden + (hidden + 1) * classes, batchSize = 32, epochs = Math.max(1, Math.round(steps * batchSize / rows));
const perEpoch = Math.ceil(rows / batchSize), total = epochs * perEpoch;
const sgd = await together(async (group, { x, y }) => {
  const net = await perceptron();
  await synchronousFit(net, x, y, { group, epochs, batchSize });
  return { net };
});
show(`SGD, mean gradients, batches of ${members} x ${batchSize}`, sgd, total, 8 * (parameters + 2) * total + 8 * parameters + 16, 'steps 8 (P + 2) + 8 P + 16');
const federated = await together(async (group, { x, y }) => {
  const net = await perceptron();
  await federatedFit(net, x, y, { group, rounds: 5, fit: { batchSize } });
  return { net };
});
show('federated averaging, an epoch a round', federated, 5, 8 * (parameters + 1) * 5 + 4 * parameters + 16, 'rounds 8 (P + 1) + 4 P + 16');

const deep = 20, layer = admm.payload * deep, step = 8 * (deep * n * n);
console.log(`\n${deep} layers of n = ${n}: ADMM, 100 rounds each, ${size(layer)} (${deep} times what was counted). SGD on the same widths, P = ${deep} n^2:`);
console.log(`${size(step)} a step by the formula, ${size(1000 * step)} in 1,000 steps: ${Math.round(1000 * step / layer)} times as much (the paper: "1000 times or more").`);
console.log(`Against the perceptron above, ${parameters} parameters: 5,000 steps are ${size(5000 * 8 * parameters)}, ${Math.round(5000 * 8 * parameters / layer)} times as much as the deep network's ADMM.`);
if (wrong) console.log(`${wrong} counts are not what the formula says`);
process.exitCode = wrong ? 1 : 0;
