// A thread of the pool traps while the engine's own waits for it: an error, not a wait without end.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { info } from '../../bindings/index.js';
import { Heap } from '../../bindings/heap.js';
import { connect } from '../../bindings/session.js';
import { classifier, fresh, places, refuses } from '../api/modelkit.js';
import { outcome, sleep, trained, unhandled, x, y } from './faultkit.js';

const width = 1024, kernel = new Float64Array(255 * 255).fill(1e-5);

/** Threads of this process, where the system tells. */
const threadsHere = () => (existsSync('/proc/self/task') ? readdirSync('/proc/self/task').length : 0);

/** A filter over two rows, which are two long tasks. Of the result, only the first row is inside of the memory if `at` says so. */
const filter = (client, at) => client.call('image', ['filter', [2, width, 1, new Float32Array(2 * width).fill(0.5), 255, 255, kernel, 0, at]]);

/** @returns {Promise<Error>} the engine's own thread is in the first row when the second ends in a trap */
async function trapInThread(worker) {
  await fresh({ worker, engine: 'heddle-mt', threads: 2, ...worker && { watchdog: 600 } });
  const net = await classifier();
  await net.fit(x, y); // starts the threads that were asked for
  assert.equal(info().threads, 2);
  const client = await connect();
  await filter(client, { fill: 'Float32Array', length: 2 * width }); // now the memory has grown to what it needs
  net.dispose();
  await client.call('status', []);
  return filter(client, info().memory.heap - 4 * width).then(() => assert.fail('it was to trap'), error => error);
}

for (const { place, worker } of places) {
  test(`${place}: a trap in a thread of the pool rejects with "crashed"`, async () => {
    const { net, before } = await trained({ worker }), threads = threadsHere();
    let error;
    assert.deepEqual(await unhandled(async () => {
      // Where the machine is busy, the engine's own thread may have to do the second row, too; then the trap is its own.
      for (let attempt = 0; attempt < 20 && !/threads has crashed/.test(error?.message); attempt++) {
        error = await trapInThread(worker);
        assert.equal(error.code, 'crashed', error.stack);
      }
    }), []);
    assert.match(error.message, /the engine crashed: one of its threads has crashed/);
    for (let i = 0; i < 100 && threadsHere() > threads; i++) await sleep(20);
    assert.ok(threadsHere() <= threads, 'the dead engines have no threads left');
    assert.deepEqual(await outcome(net), before, 'the next call finds a new engine');
    await net.fit(x, y);
    net.dispose();
  });
}

test('in-process: an engine that crashed goes on with nothing', async () => {
  const { net } = await trained({ worker: false }), logs = [];
  let begun = () => {};
  const begins = new Promise(resolve => { begun = () => resolve(undefined); });
  const fit = net.fit(x, y, { epochs: 1e9, onBatchEnd: batch => {
    logs.push(batch);
    begun();
  } });
  fit.catch(() => {});
  await begins;
  const client = await connect();
  await Promise.all([refuses(() => client.call('trap', []), 'crashed', /./), refuses(() => fit, 'crashed', /./)]);
  const count = logs.length, { call } = Heap.prototype;
  let calls = 0;
  Heap.prototype.call = function (...args) {
    calls++;
    return call.apply(this, args);
  };
  await sleep(50);
  Heap.prototype.call = call;
  assert.equal(calls, 0, 'the fit that was under way does not run on unseen');
  assert.equal(logs.length, count);
  await refuses(() => client.call('status', []), 'crashed', /./);
  net.dispose();
});
