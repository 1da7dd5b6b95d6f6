// Many models and calls at once, models disposed of in the middle, arrays that are not what they say.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { info, init } from '../../bindings/index.js';
import { connect } from '../../bindings/session.js';
import { classifier, fresh, mlp, numbers, places, refuses } from '../api/modelkit.js';
import { outcome, sleep, unhandled, used, x, y } from './faultkit.js';

const big = { data: numbers(40000), shape: [10000, 4] }, labels = Uint8Array.from({ length: 10000 }, (_, i) => i % 3);
const settled = async () => {
  for (let i = 0; i < 2; i++) await (await connect()).call('status', []);
  return used();
};

for (const { place, worker } of places) {
  test(`${place}: a hundred predictions at once, of several models, during a fit of one more`, async () => {
    await fresh({ worker });
    const nets = await Promise.all([1, 2, 3, 4].map(seed => mlp(4, 8, 3, { seed }))), alone = [];
    for (const net of nets) alone.push((await net.predict(x)).data);
    const busy = await classifier(), fit = busy.fit(x, y, { epochs: 20, batchSize: 4 });
    const all = await Promise.all(Array.from({ length: 100 }, (_, i) => nets[i % 4].predict(x)));
    all.forEach(({ data }, i) => assert.deepEqual(data, alone[i % 4]));
    await fit;
    for (const net of [...nets, busy]) net.dispose();
  });

  test(`${place}: a model is disposed of during each kind of call`, async () => {
    await fresh({ worker });
    const witness = await classifier(), seen = await outcome(witness), held = await settled();
    const works = {
      predict: net => net.predict(big), evaluate: net => net.evaluate(big, labels), fit: net => net.fit(big, labels, { epochs: 50 }),
      gradients: net => net.gradients(x, y), getWeights: net => net.getWeights(), save: net => net.save('bytes'),
      compile: net => net.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy' }), dataset: net => net.dataset(big, labels).then(set => set.dispose()),
      generator: net => net.fit(function* () { for (;;) yield { x: x.subarray(0, 16), y: y.subarray(0, 4) }; }, undefined, { epochs: 9, stepsPerEpoch: 50 }),
    };
    for (const [name, work] of Object.entries(works)) {
      for (const delay of [null, 0, 3, 10]) {
        const net = await classifier();
        assert.deepEqual(await unhandled(async () => {
          const call = work(net).then(() => null, error => error);
          if (delay !== null) await sleep(delay);
          net.dispose();
          const error = await call;
          if (error) assert.equal(error.code, 'state', `${name}: ${error.stack}`);
          await refuses(() => work(net), 'state', /disposed of/);
        }), [], name);
        assert.equal(await settled(), held, `${name} after ${delay} ms: nothing of it is left`);
      }
    }
    assert.deepEqual(await outcome(witness), seen);
    witness.dispose();
  });
}

test('init during calls is refused, and disturbs none of them; calls of the same moment go to its engine', async () => {
  await fresh();
  const net = await classifier(), p = (await net.predict(x)).data, before = await connect();
  const [early] = await Promise.all([net.predict(x), init({ deterministic: true, threads: 1 })]);
  assert.deepEqual(early.data, p);
  assert.equal(before.isDead, true);
  const stop = new AbortController(), fit = net.fit(x, y, { epochs: 1e9, signal: stop.signal });
  fit.catch(() => {});
  await sleep(5);
  await refuses(() => init({ threads: 1 }), 'state', /the engine is at work/);
  stop.abort();
  await assert.rejects(fit, { name: 'AbortError' });
  const [first, second] = await Promise.allSettled([fresh(), fresh({ worker: true })]);
  assert.equal(first.status, 'fulfilled');
  assert.equal(second.reason?.code, 'state');
  assert.equal(info().worker, false);
  net.dispose();
});

/** [what, array, code, message]; null: it is as good as another. */
const strange = () => {
  class Floats extends Float32Array {}
  class Liar extends Float32Array { get length() { return 1e6; } }
  const plain = numbers(8), detached = numbers(8), shared = new Float32Array(new SharedArrayBuffer(32)), cycle = [], sparse = [];
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  shared.set(plain);
  cycle[0] = cycle;
  sparse.length = 8;
  const deep = [1];
  const list = [
    ['a proxy of a typed array', new Proxy(plain, {}), 'argument', /unknown option "0", expected one of input/],
    ['a proxy that throws', new Proxy([], { get() { throw new Error('mine'); } }), null, /mine/],
    ['a proxy of rows', new Proxy([[1, 2, 3, 4], [5, 6, 7, 8]], {}), undefined],
    ['a detached buffer', detached, 'shape', /length 0|no rows|0 rows/],
    ['a view on shared memory', shared, undefined], ['a subclass', Floats.from(plain), undefined],
    ['a subclass that lies about its length', Liar.from(plain), 'argument', /says it is 1000000 long, and is 8/],
    ['a length that was written over', Object.defineProperty(numbers(12), 'length', { value: 8 }), 'argument', /says it is 8 long, and is 12/],
    ['an array that holds itself', cycle, 'shape', /more than 16 deep/], ['a sparse array', sparse, 'argument', /expected a number, got undefined/],
    ['a length beyond memory', { data: plain, shape: [2 ** 40, 4] }, 'shape', /holds \d+ elements, data has 8/],
    ['a length beyond numbers', { data: plain, shape: [2 ** 52, 2 ** 52] }, 'shape', /./],
    ['a DataView', new DataView(plain.buffer), 'argument', /expected an array/], ['numbers of text', ['1', '2', '3', '4'], 'argument', /got string/],
    ['rows of other lengths', [[1, 2, 3, 4], [1, 2, 3]], 'shape', /has length 3, expected 4/], ['symbols', [Symbol('1'), 2, 3, 4], 'argument', /got symbol/],
    ['a shape that is no list', { data: plain, shape: { length: 2 } }, 'shape', /must be an array of whole numbers/],
    ['an infinite number', Float32Array.of(1, Infinity, 3, 4), 'argument', /./], ['a function', () => plain, 'argument', /got function/], ['deep', [[deep, deep, deep, deep]], undefined],
  ];
  if ('resize' in ArrayBuffer.prototype) {
    const buffer = new ArrayBuffer(32, { maxByteLength: 64 }), growing = new Float32Array(buffer), shrunk = new ArrayBuffer(64, { maxByteLength: 64 }), beyond = new Float32Array(shrunk, 32, 8);
    growing.set(plain);
    shrunk.resize(16);
    list.push(['a view on memory that can grow', growing, undefined], ['a view on memory that is gone', beyond, 'shape', /./]);
  }
  return list;
};

for (const { place, worker } of places) {
  test(`${place}: arrays that are not what they say are refused or taken for what they are`, async () => {
    await fresh({ worker });
    const net = await classifier(), client = await connect(), before = await outcome(net), held = await settled();
    assert.deepEqual(await unhandled(async () => {
      for (const [what, array, code, message] of strange()) {
        const run = () => net.predict(array);
        if (code === undefined) assert.equal((await run()).data.length % 3, 0, what);
        else if (code === null) await assert.rejects(run, message, what);
        else await assert.rejects(run, error => error.name === 'HeddleError' && error.code === code && message.test(error.message) || assert.fail(`${what}: ${error.stack}`));
      }
    }), []);
    assert.equal(await connect(), client, 'the same engine');
    assert.deepEqual(await outcome(net), before);
    assert.equal(await settled(), held);
    const changing = numbers(40000), call = net.predict({ data: changing, shape: [10000, 4] });
    changing.fill(NaN); // after the call has begun: too late to matter, or refused
    const error = await call.then(() => null, reason => reason);
    if (error) assert.equal(error.code, 'argument', error.stack);
    net.dispose();
  });
}
