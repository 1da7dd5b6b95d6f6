// Aborted at any moment: the standard AbortError, nothing is left behind, and the same model goes on.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { info, layers, sequential } from '../../bindings/index.js';
import { connect } from '../../bindings/session.js';
import { Gram } from '../../bindings/solvers.js';
import { SuperResolver } from '../../bindings/super_resolution/index.js';
import { fresh, numbers, refuses } from '../api/modelkit.js';
import { outcome, unhandled, used } from './faultkit.js';

const rows = 3000, x = { data: numbers(rows * 40), shape: [rows, 40] }, y = Uint8Array.from({ length: rows }, (_, i) => i % 5);
/** More than an engine does at one go. */
const many = { data: numbers(50000 * 40), shape: [50000, 40] };
const picture = { data: Uint8Array.from(numbers(70 * 50), v => 255 * v), shape: [70, 50, 1] };
/** The moments of the tests are the same every time: MINSTD. */
const random = numbers(96, 11);
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
  predict: signal => net.predict(many, { batchSize: 64, signal }),
  evaluate: signal => net.evaluate(many, Uint8Array.from({ length: 50000 }, (_, i) => i % 5), { batchSize: 64, signal }),
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

/** Counts the calls that are sent to the engine, and the turns of this thread, while `work` runs; aborts it right after one of them, or `ms` after its begin. */
async function abortedAt(work, { call = 0, turn = 0, ms = NaN } = {}) {
  const stop = new AbortController(), client = await connect(), send = client.call, begin = performance.now();
  const timer = Number.isNaN(ms) ? undefined : setTimeout(() => stop.abort(), ms);
  let calls = 0, turns = 0, isOver = false;
  const count = () => {
    if (isOver) return;
    if (++turns === turn) stop.abort();
    setImmediate(count);
  };
  client.call = (...args) => {
    const reply = send.apply(client, args);
    if (++calls === call) stop.abort();
    return reply;
  };
  if (!timer) setImmediate(count);
  const error = await work(stop.signal).then(() => null, reason => reason);
  [isOver, client.call] = [true, send];
  clearTimeout(timer);
  return { error, calls, turns, whole: performance.now() - begin };
}

/** An engine in this thread lets others in after so many milliseconds; by this clock, whenever it may. */
async function impatiently(work) {
  const { now } = performance;
  let time = now.call(performance);
  performance.now = () => (time += 1000);
  try {
    await work();
  } finally {
    performance.now = now;
    await fresh();
  }
}

const isAbort = error => error instanceof DOMException && error.name === 'AbortError';

/** Whatever the moment, the work ends well or by AbortError, and nothing is left behind. @param moments of {@link abortedAt} @returns how many ended early */
async function aborts(name, work, moments) {
  const before = await held();
  let aborted = 0;
  assert.deepEqual(await unhandled(async () => {
    for (const moment of moments) {
      const { error } = await abortedAt(work, moment);
      assert.ok(error === null || isAbort(error), `${name} at ${JSON.stringify(moment)}: ${error?.stack}`);
      aborted += error !== null;
      assert.deepEqual(await held(), before, `${name} at ${JSON.stringify(moment)}`);
    }
  }), []);
  return aborted;
}

const some = (n, most = 24) => Array.from({ length: Math.min(n, most) }, (_, i) => 1 + Math.floor(i * n / Math.min(n, most)));

/** Ends each work at all of its moments, or so many of them. In a worker also by the clock, where nobody knows what is met. */
async function abortsAll(worker) {
  await fresh({ worker });
  const p = (await resolver.upscale(picture)).data;
  await works.predict();
  for (const [name, work] of Object.entries(works)) {
    await work(); // its cached plan is there
    await assert.rejects(work(AbortSignal.abort()), isAbort, name);
    const { calls, turns, whole } = await abortedAt(work);
    const early = await aborts(name, work, some(calls).map(call => ({ call })));
    assert.ok(early >= Math.min(calls, 24) - 2, `${name}: ${early} of ${calls} calls were ended`); // the last may be done
    if (worker) await aborts(name, work, random.slice(next, next += 16).map(part => ({ ms: part * 1.2 * whole })));
    else assert.equal(await aborts(name, work, some(turns).map(turn => ({ turn }))), Math.min(turns, 24), name);
    await work();
  }
  const now = await outcome(net, x);
  assert.deepEqual(await outcome(net, x), now);
  assert.deepEqual((await resolver.upscale(picture)).data, p);
}

test('in-process: aborted before, right after each call, and whenever others are let in', () => impatiently(() => abortsAll(false)));
test('worker: aborted before, right after each call, and at many moments', () => abortsAll(true));

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
