// Training with others: the mean gradient is that of all rows, federated averages, bytes by the formula, members that are lost.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { federatedFit, localTransport, synchronousFit } from '../../bindings/consensus/index.js';
import { layers, optimizers, sequential } from '../../bindings/index.js';
import { labelled } from './modelkit.js';

const heddleError = (code, message) => (error) => error.name === 'HeddleError' && error.code === code && message.test(error.message);
const { x, y } = labelled(240, 6, 3, 9), cut = (from, to) => [x.slice(6 * from, 6 * to), y.slice(from, to)];
const parts = [cut(0, 80), cut(80, 160), cut(160, 240)], parameters = 6 * 8 + 8 + 8 * 3 + 3;
let rooms = 0;

async function classifier(seed = 7, optimizer = optimizers.sgd({ learningRate: 0.5 })) {
  const net = await sequential([layers.input({ shape: [6] }), layers.dense({ units: 8, activation: 'tanh' }), layers.dense({ units: 3, activation: 'softmax' })], { seed });
  await net.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  return net;
}
/** Every member with a model of its own seed. */
async function together(work, { members = parts.length, ...join } = {}) {
  const room = `train-${rooms++}`, transports = Array.from({ length: members }, (_, m) => localTransport({ room, id: `m${m}` }));
  const nets = await Promise.all(transports.map((_, m) => classifier(m + 1)));
  try {
    const groups = await Promise.all(transports.map((t) => t.join({ members, ...join })));
    await work(nets, groups, transports);
  } finally {
    nets.forEach((net) => net.dispose());
    await Promise.all(transports.map((t) => t.close()));
  }
}
const weightsOf = async (net) => Object.values(await net.getWeights()).flatMap(({ data }) => [...data]);
const farthest = (a, b) => Math.max(...a.map((v, i) => Math.abs(v - b[i])));

test('synchronous training of three is training alone on all rows; its bytes are those of the formula', async () => {
  const alone = await classifier(1), start = await alone.getWeights();
  await together(async (nets, groups) => {
    const epochs = 4, before = groups.map(({ bytes }) => structuredClone(bytes));
    const results = await Promise.all(nets.map((net, m) => synchronousFit(net, ...parts[m], { group: groups[m], batchSize: 80, epochs, shuffle: false })));
    await alone.setWeights(start);
    await alone.fit(x, y, { batchSize: 240, epochs, shuffle: false });
    const all = await Promise.all(nets.map(weightsOf));
    for (const weights of all) assert.ok(farthest(weights, await weightsOf(alone)) < 1e-6);
    assert.deepEqual(all[1], all[0]);
    assert.deepEqual(results[1].loss, results[0].loss);
    assert.ok(results[0].loss[3] < results[0].loss[0]);
    // A step: all gradients, the loss and a weight each way; before the first the number of rows, weights; weights after the last.
    for (const m of [1, 2]) {
      const { sent, received } = groups[m].bytes;
      assert.deepEqual([sent.payload - before[m].sent.payload, received.payload - before[m].received.payload],
        [epochs * 4 * (parameters + 2) + 8, epochs * 4 * (parameters + 2) + 8 + 2 * 4 * parameters]);
    }
  });
  alone.dispose();
});

test('unequal shards count by their rows, batches of each member go round', async () => {
  await together(async (nets, groups) => {
    const shards = [cut(0, 200), cut(200, 230), cut(230, 240)];
    const seen = [];
    const results = await Promise.all(nets.map((net, m) => synchronousFit(net, ...shards[m], { group: groups[m], batchSize: 16, epochs: 6, onStep: ({ steps }) => { if (m === 2) seen.push(steps); } })));
    assert.equal(seen.length, 6 * 5);
    assert.equal(seen[0], Math.ceil(240 / 48));
    assert.ok(results[2].loss[5] < 0.8 * results[2].loss[0]);
  });
});

test('federated averages: the mean of what each learned, by its rows; it learns more than each alone', async () => {
  const shards = [cut(0, 150), cut(150, 240)];
  await together(async (nets, groups) => {
    const twins = await Promise.all([0, 1].map(() => classifier(1)));
    const options = { epochs: 2, batchSize: 10, seed: 3 };
    await Promise.all(nets.map((net, m) => federatedFit(net, ...shards[m], { group: groups[m], rounds: 1, fit: options })));
    for (const [m, net] of twins.entries()) await net.fit(...shards[m], options);
    const [a, b] = await Promise.all(twins.map(weightsOf)), [own, other] = await Promise.all(nets.map(weightsOf));
    assert.ok(farthest(own, a.map((v, i) => (150 * v + 90 * b[i]) / 240)) < 1e-6);
    assert.deepEqual(own, other);
    assert.deepEqual([groups[1].bytes.sent.payload, groups[1].bytes.received.payload], [4 * (parameters + 1) + 8, 4 * (parameters + 1) + 8 + 4 * parameters]);
    await Promise.all(nets.map((net, m) => federatedFit(net, ...shards[m], { group: groups[m], rounds: 15, fit: { batchSize: 10 } })));
    const { accuracy } = await nets[0].evaluate(x, y);
    assert.ok(accuracy > 0.9, `${accuracy}`);
    twins.forEach((net) => net.dispose());
  }, { members: 2 });
});

test('a member that leaves: the others train on; other models are refused', async () => {
  await together(async (nets, groups, transports) => {
    const results = await Promise.allSettled(nets.map((net, m) => federatedFit(net, ...parts[m], { group: groups[m], rounds: 4,
      onRound: ({ round }) => { if (m === 0 && round === 2) void transports[0].close(); } })));
    assert.ok(heddleError('state', /left the run/)(results[0].reason));
    assert.deepEqual(results.slice(1).map(({ value }) => value.history.length), [4, 4]);
    assert.deepEqual(groups[1].members, ['m1', 'm2']);
    assert.deepEqual(await weightsOf(nets[1]), await weightsOf(nets[2]));
  }, { onLoss: 'continue', deadline: 2 });
  await together(async (nets, groups) => {
    const wide = await sequential([layers.input({ shape: [6] }), layers.dense({ units: 3, activation: 'softmax' })], { seed: 1 });
    await wide.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy' });
    const [first, other] = await Promise.allSettled([nets[0], wide].map((net, m) => synchronousFit(net, ...parts[m], { group: groups[m] })));
    assert.ok(heddleError('shape', /the first member's model is another one: 4 weights, here 2/)(other.reason), String(other.reason));
    assert.equal(first.status, 'rejected');
    wide.dispose();
    await assert.rejects(federatedFit(nets[0], x, y, { group: {} }), heddleError('argument', /transport\.join/));
  }, { members: 2, deadline: 0.5 });
});
