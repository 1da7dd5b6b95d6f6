// An engine that hangs is noticed and replaced; one that only works hard is left alone.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { info, init, trainingControl } from '../../bindings/index.js';
import { connect } from '../../bindings/session.js';
import { classifier, fresh, numbers, refuses } from '../api/modelkit.js';
import { faulty, outcome, sleep, trained, unhandled, x, y } from './faultkit.js';

const quick = { worker: true, watchdog: 1 };

test('a call that never returns is ended with "timeout" and all others with it; models go on in a new engine', async () => {
  const { net, before } = await trained({ worker: true });
  await fresh({ ...quick, workerUrl: faulty({ call: 'hd_evaluate_begin', fault: 'loop' }) });
  assert.deepEqual(await outcome(net), before, 'only the one function hangs');
  const client = await connect(), begin = performance.now();
  assert.deepEqual(await unhandled(async () => {
    const others = [net.evaluate(x, y), net.predict(x), net.getWeights()];
    const results = await Promise.allSettled(others);
    assert.equal(results[0].reason.code, 'timeout');
    assert.match(results[0].reason.message, /no sign of life for 1 s; its worker has been ended/);
    for (const { status, reason } of results) if (status === 'rejected') assert.equal(reason, results[0].reason);
  }), []);
  const seconds = (performance.now() - begin) / 1000;
  assert.ok(seconds >= 1, `${seconds} s: not before its time`);
  assert.equal(client.isDead, true);
  assert.deepEqual(await outcome(net), before);
  assert.notEqual(await connect(), client);
  net.dispose();
});

test('a fit that hangs rejects, the model keeps the weights that were remembered and can be trained again', async () => {
  const { net, before } = await trained({ worker: true });
  await init({ ...quick, threads: 1, deterministic: true, workerUrl: faulty({ call: 'hd_fit_step', fault: 'loop' }) });
  await refuses(() => net.fit(x, y, { epochs: 3 }), 'timeout', /no sign of life/);
  assert.deepEqual(await outcome(net), before);
  await fresh(quick);
  await net.fit(x, y);
  net.dispose();
});

test('a worker that works on without a word is noticed, too; one in which nothing is pending is not asked', async () => {
  await fresh({ ...quick, workerUrl: faulty({ call: 'hd_compile_reset', fault: 'silence' }) });
  const client = await connect();
  await sleep(1500);
  assert.equal(client.isDead, false, 'idle');
  await refuses(() => classifier(), 'timeout', /no sign of life/);
  await fresh({ worker: true });
});

test('long calls of C give signs of life, and so do a pause and a wait', async () => {
  await fresh({ worker: true, watchdog: 0.5 });
  const client = await connect();
  let signs = 0, seconds = 0;
  const receive = client.receive.bind(client);
  client.receive = reply => {
    signs += 'alive' in reply;
    receive(reply);
  };
  for (let n = 700; seconds < 1; n *= 2) { // longer than the watchdog waits, on any machine
    const a = Float64Array.from(numbers(n * n)), begin = performance.now();
    signs = 0;
    await client.call('linalg', ['svd', 1, [n, n, { out: a }, { out: n }, { out: n * n }, { out: n * n }]]);
    seconds = (performance.now() - begin) / 1000;
  }
  assert.ok(signs >= seconds / 0.5, `${signs} signs of life in one call of ${seconds} s`);
  const stop = new AbortController(), control = trainingControl();
  const net = await classifier(), fit = net.fit(x, y, { epochs: 1e9, signal: stop.signal, control });
  fit.catch(() => {});
  await sleep(50);
  control.pause();
  await sleep(1500);
  assert.equal(client.isDead, false, 'a fit that pauses is no hang');
  stop.abort();
  await assert.rejects(fit, { name: 'AbortError' });
  net.dispose();
});

test('a worker of which nothing is heard while it loads is given up after `timeout`', async () => {
  for (const script of ['late', 'loop']) {
    await refuses(() => fresh({ worker: true, timeout: 0.5, workerUrl: faulty({ script }) }), 'timeout', /worker's script did not load within 0.5 s/);
  }
  await refuses(() => fresh({ worker: true, workerUrl: faulty({ script: 'throw' }) }), 'storage', /worker's script can't be loaded: .*broken on purpose/);
  await refuses(() => fresh({ worker: true, workerUrl: new URL('./no_such_worker.mjs', import.meta.url) }), 'storage', /worker's script can't be loaded/);
  assert.equal((await fresh({ worker: true })).worker, true);
});

test('settings: what can be interrupted, and how long a silence may last', async () => {
  await refuses(() => init({ watchdog: -1 }), 'argument', /watchdog = -1, expected seconds up to 86400; 0: none/);
  await refuses(() => init({ watchdog: NaN, worker: true }), 'argument', /watchdog = NaN/);
  await refuses(() => init({ watchdog: 5, worker: false }), 'argument', /in this thread can't be interrupted/);
  await init({ watchdog: 0, worker: false });
  await fresh({ worker: true, watchdog: 0 });
  assert.equal(info().worker, true);
});

test('a process with a hung engine ends by itself', () => {
  const code = `
    import { init, layers, sequential } from ${JSON.stringify(new URL('../../bindings/index.js', import.meta.url).href)};
    await init({ worker: true, threads: 1, watchdog: 1, workerUrl: ${JSON.stringify(faulty({ call: 'hd_predict_nodes', fault: 'loop' }).href)} });
    const net = await sequential([layers.input({ shape: [2] }), layers.dense({ units: 1 })]);
    console.log((await net.predict(new Float32Array(2)).catch(error => error)).code);`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8', timeout: 20000 });
  assert.equal(stdout.trim(), 'timeout', stderr);
  assert.equal(status, 0, stderr);
});
