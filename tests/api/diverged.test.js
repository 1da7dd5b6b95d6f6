// What a fit does when a loss or a gradient is not finite: stop, roll back, pass over.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { layers, optimizers, sequential } from '../../bindings/index.js';
import { bits, fresh, numbers, places, refuses } from './modelkit.js';

const folder = mkdtempSync(join(tmpdir(), 'heddle-'));
after(() => rmSync(folder, { recursive: true }));

const rows = 60, x = numbers(rows * 3, 2), y = Float32Array.from({ length: rows }, (_, i) => x[3 * i] - 2 * x[3 * i + 1] + x[3 * i + 2]);

/** A row of each of these batches (in their order, 10 rows each) has numbers whose sum overflows. */
function spoilt(...batches) {
  const data = Float32Array.from(x);
  for (const batch of batches) data.fill(3.4e38, batch * 30 + 3, batch * 30 + 6);
  return data;
}

async function network(learningRate = 0.05) {
  const net = await sequential([layers.input({ shape: [3] }), layers.dense({ units: 6, kernelInitializer: 'ones' }), layers.dense({ units: 1 })], { seed: 7 });
  await net.compile({ optimizer: optimizers.sgd({ learningRate }), loss: 'meanSquaredError', metrics: ['meanAbsoluteError'] });
  return net;
}
const options = { batchSize: 10, shuffle: false, seed: 1 };

for (const { place, worker } of places) {
  test(`${place}: stop, unless told otherwise: "diverged", with the weights before that batch`, async () => {
    await fresh({ worker });
    const net = await network(), other = await network();
    for (const onDiverged of [undefined, 'stop']) {
      await refuses(() => net.fit(spoilt(2), y, { ...options, epochs: 2, onDiverged }), 'diverged', /loss is not finite in epoch 0, batch 2/);
    }
    for (let i = 0; i < 2; i++) await other.fit(x.slice(0, 60), y.slice(0, 20), options);
    assert.deepEqual(await bits(net), await bits(other));
  });

  test(`${place}: ignore: as if those batches were not there, and the logs say how many`, async () => {
    await fresh({ worker });
    for (const spoiltOnes of [[0], [2, 3], [1, 5]]) {
      const kept = [0, 1, 2, 3, 4, 5].filter(batch => !spoiltOnes.includes(batch)), part = (from, size) => Float32Array.from(kept.flatMap(batch => [...from.slice(batch * size, (batch + 1) * size)]));
      const net = await network(), other = await network(), logs = [];
      const { history, events } = await net.fit(spoilt(...spoiltOnes), y, { ...options, epochs: 3, onDiverged: 'ignore', onEpochEnd: (_, log) => logs.push(log) });
      const plain = await other.fit(part(x, 30), part(y, 10), { ...options, epochs: 3 });
      assert.deepEqual([history, events], [plain.history, []]);
      assert.deepEqual(logs.map(({ passedOver, batch }) => [passedOver, batch]), Array(3).fill([spoiltOnes.length, 5]));
      assert.deepEqual(await bits(net), await bits(other));
    }
  });
}

test('ignore: all batches of an epoch: "diverged"; of a group, the others; of a generator', async () => {
  await fresh();
  const net = await network();
  await refuses(() => net.fit(spoilt(0, 1, 2, 3, 4, 5), y, { ...options, onDiverged: 'ignore' }), 'diverged', /no batch of epoch 0 had a loss/);
  const pairs = await network(), singles = await network(), fed = await network();
  await pairs.fit(spoilt(1), y, { ...options, gradientAccumulationSteps: 'epoch', onDiverged: 'ignore' });
  const good = [0, 2, 3, 4, 5], part = (from, size) => Float32Array.from(good.flatMap(batch => [...from.slice(batch * size, (batch + 1) * size)]));
  await singles.fit(part(x, 30), part(y, 10), { ...options, gradientAccumulationSteps: 'epoch' });
  assert.deepEqual(await bits(pairs), await bits(singles));
  const data = spoilt(5, 3);
  const { history } = await fed.fit(function* batches() {
    for (let i = 0; i < 6; i++) yield { x: data.slice(i * 30, i * 30 + 30), y: y.slice(i * 10, i * 10 + 10) };
  }, { gradientAccumulationSteps: 2, onDiverged: 'ignore', epochs: 2 });
  assert.ok(history.loss.length === 2 && history.loss.every(Number.isFinite));
});

test('rollback: half the learning rate from the begin of the epoch, until it is small enough; the history says so', async () => {
  await fresh();
  const net = await network(20), logs = [];
  const { history, events, epoch } = await net.fit(x, y, { ...options, epochs: 40, onDiverged: 'rollback', onEpochEnd: (_, log) => logs.push(log), onEvent: event => assert.equal(typeof event.epoch, 'number') });
  assert.deepEqual(epoch, Array.from({ length: 40 }, (_, i) => i));
  assert.ok(events.length >= 3 && events.length <= 10, `${events.length} rollbacks`);
  events.forEach(({ type, learningRate, message }, i) => {
    assert.deepEqual([type, learningRate], ['rolledBack', 20 / 2 ** (i + 1)]);
    assert.match(message, /not finite/);
  });
  assert.ok(history.loss.every(Number.isFinite) && logs.at(-1).rollbacks === events.length && logs.at(-1).learningRate === events.at(-1).learningRate);
});

test('rollback: at most 10 times; not for generators that can be gone through once; restored data are the same', async () => {
  await fresh();
  const net = await network();
  let events = 0;
  await refuses(() => net.fit(spoilt(4), y, { ...options, onDiverged: 'rollback', onEvent: ({ type }) => { events += type === 'rolledBack'; } }), 'diverged', /loss is not finite in epoch 0, batch 4.*; 10 rollbacks, each with half the learning rate, have not helped/);
  assert.equal(events, 10);
  await refuses(() => net.fit([{ x, y }].values(), { onDiverged: 'rollback' }), 'argument', /needs a generator that can begin anew/);
  // A batch that overflows once: after the rollback the fit is one with half the rate from that epoch on.
  let asked = 0;
  const source = () => {
    const broken = ++asked === 3, data = broken ? spoilt(3) : x;
    return Array.from({ length: 6 }, (_, i) => ({ x: data.slice(i * 30, i * 30 + 30), y: y.slice(i * 10, i * 10 + 10) }));
  };
  const first = await network(0.1), second = await network(0.1);
  const { events: told } = await first.fit(source, { epochs: 4, onDiverged: 'rollback', seed: 1 });
  assert.deepEqual(told.map(({ type, epoch, batch, learningRate }) => [type, epoch, batch, learningRate]), [['rolledBack', 2, 0, 0.05]]);
  await second.fit(x, y, { ...options, epochs: 2 });
  await second.compile({ optimizer: optimizers.sgd({ learningRate: 0.05 }), loss: 'meanSquaredError' });
  await second.fit(x, y, { ...options, epochs: 4, initialEpoch: 2 });
  assert.deepEqual(await bits(first), await bits(second));
});

test('rollback to a checkpoint in the middle of an epoch, or the one before it; broken off afterwards, the fit goes on to the same bits', async () => {
  await fresh();
  const run = async (store, extra) => {
    const net = await network(20), seen = [];
    const fit = net.fit(x, y, { ...options, shuffle: true, epochs: 12, onDiverged: 'rollback', checkpoint: { store, everyBatches: 4 }, onBatchEnd: (batch, { epoch }) => { seen.push(6 * epoch + batch); extra?.(seen); } , ...extra && { signal: controller.signal } });
    return { history: await fit.catch(error => error), bits: await bits(net), seen };
  };
  const controller = new AbortController(), whole = await run(join(folder, 'whole')), rolledBack = ({ type }) => type === 'rolledBack';
  const rollbacks = whole.history.events.filter(rolledBack), places = rollbacks.map(({ epoch, batch }) => 6 * epoch + batch);
  assert.ok(places.some(place => place % 6 !== 0), `to the middle of an epoch: ${places}`);
  assert.ok(places.every((place, i) => place % 4 === 0 && (i === 0 || place <= places[i - 1] + 4)), `${places}`);
  const stop = whole.seen.length - 20;
  assert.equal((await run(join(folder, 'parts'), seen => { if (seen.length === stop) controller.abort(); })).history.name, 'AbortError');
  const rest = await run(join(folder, 'parts'));
  assert.deepEqual(rest.bits, whole.bits);
  assert.deepEqual(rest.history.history, whole.history.history);
  assert.deepEqual(rest.history.events.filter(rolledBack), rollbacks);
  assert.deepEqual(rest.seen, whole.seen.slice(stop));
});

test('divergence after hours: the checkpoint stays, and the same fit goes on with another rule', async () => {
  await fresh();
  const store = join(folder, 'hours'), net = await network();
  await refuses(() => net.fit(spoilt(4), y, { ...options, checkpoint: { store, everyBatches: 3 } }), 'diverged', /batch 4/);
  const { events, history } = await net.fit(spoilt(4), y, { ...options, checkpoint: store, onDiverged: 'ignore' });
  assert.deepEqual(events.map(({ type, batch }) => [type, batch]), [['resumed', 3]]);
  assert.ok(Number.isFinite(history.loss[0]));
});
