// Fits with checkpoints on engines that hang, or have no memory for a checkpoint.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { init } from '../../bindings/index.js';
import { connect } from '../../bindings/session.js';
import { bits, classifier, fresh, places, refuses } from '../api/modelkit.js';
import { faulty, x, y } from './faultkit.js';

const options = { epochs: 4, batchSize: 8, seed: 5 };
afterEach(() => init());

async function whole() {
  await fresh();
  const net = await classifier(), { history } = await net.fit(x, y, options);
  return { history, bits: await bits(net) };
}

for (const fault of ['loop', 'throw', 'silence']) {
  test(`an engine that fails by "${fault}" in the middle is replaced, and the fit goes on to the same bits`, async () => {
    const expected = await whole();
    await fresh({ worker: true, watchdog: 1, workerUrl: faulty({ call: 'hd_fit_step', fault, after: '19' }) });
    const net = await classifier(), { history, events } = await net.fit(x, y, { ...options, checkpoint: { store: 'memory', everyBatches: 4 } });
    assert.deepEqual(events.map(({ type, epoch, batch }) => [type, 8 * epoch + batch]), [['restarted', 16]]);
    assert.deepEqual([history, await bits(net)], [expected.history, expected.bits]);
  });
}

test('one that fails at every attempt: "timeout" or "crashed", after so many', async () => {
  await fresh({ worker: true, watchdog: 1, workerUrl: faulty({ call: 'hd_fit_step', fault: 'throw' }) });
  const net = await classifier(), events = [];
  await refuses(() => net.fit(x, y, { ...options, checkpoint: 'memory', onEvent: ({ type }) => events.push(type) }), 'crashed', /./);
  assert.deepEqual(events, ['checkpoint', 'restarted', 'restarted', 'restarted']);
});

for (const { place, worker } of places) {
  test(`${place}: no memory for a checkpoint: told, and the training goes on`, async context => {
    const expected = await whole();
    await fresh({ worker });
    context.mock.method(console, 'warn', () => {});
    const net = await classifier(), client = await connect(), failures = [];
    const { history } = await net.fit(x, y, {
      ...options, checkpoint: { store: 'memory', everyEpochs: 1 }, onEpochEnd: epoch => { if (epoch === 1) return client.call('failAllocation', [1]); },
      onEvent: event => event.type === 'checkpointFailed' && failures.push(event),
    });
    assert.equal(failures.length, 1);
    assert.match(failures[0].message, /no checkpoint: .*memory/);
    assert.deepEqual([history, await bits(net)], [expected.history, expected.bits]);
  });
}
