// Aborted at any moment: the standard AbortError, nothing is left behind, and the same model goes on.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { info, layers, sequential } from '../../bindings/index.js';
import { connect } from '../../bindings/session.js';
import { Gram } from '../../bindings/solvers.js';
import { SuperResolver } from '../../bindings/super_resolution/index.js';
import { fresh, numbers, places, refuses } from '../api/modelkit.js';
import { outcome, unhandled, used } from './faultkit.js';

const rows = 3000, x = { data: numbers(rows * 40), shape: [rows, 40] }, y = Uint8Array.from({ length: rows }, (_, i) => i % 5);
const picture = { data: Uint8Array.from(numbers(70 * 50), v => 255 * v), shape: [70, 50, 1] };
/** The moments of the tests are the same every time: MINSTD. */
const random = numbers(400, 11);
let next = 0, net, resolver;

before(async () => {
  await fresh();
  resolver = new SuperResolver();
  await resolver.fit([picture, picture], { filters: [8], patch: 10, patches: 60, epochs: 1, seed: 3, validationSplit: 0.5 });
  net = await sequential([layers.input({ shape: [40] }), layers.dense({ units: 60, activation: 'tanh' }), layers.dense({ units: 5, activation: 'softmax' })], { seed: 1 });
  await net.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' });
});
after(() => {
  net.dispose();
  resolver.dispose();
});

async function held() {
  const client = await connect();
  for (let i = 0; i < 2; i++) await client.call('status', []);
  return { used: used(), data: info().memory.data, fits: info().memory.fits };
}

const works = {
  fit: signal => net.fit(x, y, { epochs: 3, batchSize: 100, validationSplit: 0.3, signal }),
  generator: signal => net.fit(function* () { for (let i = 0; i < 8; i++) yield { x: x.data.subarray(0, 4000), y: y.subarray(0, 100) }; }, undefined, { epochs: 2, signal }),
  predict: signal => net.predict(x, { batchSize: 64, signal }),
  evaluate: signal => net.evaluate(x, y, { batchSize: 64, signal }),
  solve: async signal => {
    const gram = new Gram({ features: 40, targets: 5 });
    try {
      await gram.add(x, y, { signal });
      const admm = await gram.admm({ radius: 0.1 });
      try {
        await admm.step(30, { signal });
      } finally {
        admm.dispose();
      }
    } finally {
      gram.dispose();
    }
  },
  upscale: signal => resolver.upscale(picture, { tile: 16, signal }),
};

for (const { place, worker } of places) {
  test(`${place}: aborts at many moments, before, within and after`, async () => {
    await fresh({ worker });
    const p = (await resolver.upscale(picture)).data;
    await works.predict();
    await works.evaluate();
    await works.fit();
    for (const [name, work] of Object.entries(works)) {
      await work(); // its cached plan is there
      const begin = performance.now();
      await work();
      const whole = performance.now() - begin, before = await held();
      let aborted = 0;
      assert.deepEqual(await unhandled(async () => {
        for (let trial = 0; trial < 24; trial++) {
          const stop = new AbortController(), at = random[next++ % random.length] * 1.2 * whole;
          const timer = trial === 0 ? (stop.abort(), 0) : setTimeout(() => stop.abort(), at);
          const error = await work(stop.signal).then(() => null, reason => reason);
          clearTimeout(timer);
          if (error) {
            aborted++;
            assert.ok(error instanceof DOMException && error.name === 'AbortError', `${name} at ${at} of ${whole} ms: ${error.stack}`);
          }
          assert.deepEqual(await held(), before, `${name} at ${at} of ${whole} ms`);
        }
      }), []);
      assert.ok(aborted >= 2, `${name}: ${aborted} of 24 were aborted`);
      await work();
    }
    const now = await outcome(net, x);
    assert.deepEqual(await outcome(net, x), now);
    assert.deepEqual((await resolver.upscale(picture)).data, p);
  });
}

test('an abort in the middle of many calls ends only its own', async () => {
  await fresh({ worker: true });
  const p = (await net.predict(x)).data, stop = new AbortController();
  const calls = Array.from({ length: 20 }, (_, i) => net.predict(x, i % 2 ? { signal: stop.signal } : {}));
  const fit = net.fit(x, y, { epochs: 1e6, signal: stop.signal });
  setTimeout(() => stop.abort(), 30);
  const results = await Promise.allSettled([...calls, fit]);
  assert.equal(results.at(-1).reason?.name, 'AbortError');
  results.slice(0, -1).forEach(({ status, reason, value }, i) => {
    if (i % 2 && status === 'rejected') assert.equal(reason.name, 'AbortError');
    else assert.equal(value?.data.length, p.length, `${i}: ${reason}`);
  });
  const own = new Error('mine'), other = new AbortController();
  const waiting = net.fit(x, y, { epochs: 1e6, signal: other.signal });
  setTimeout(() => other.abort(own), 30);
  await assert.rejects(waiting, error => error === own);
  await refuses(() => net.predict(x, { signal: 1 }), 'argument', /signal must be an AbortSignal, got number/);
});
