import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { info, init } from '../../bindings/index.js';
import { connect } from '../../bindings/session.js';
import { tree } from '../../tools/common.mjs';
import { bits, classifier, fresh, labelled, mlp, places, refuses } from './modelkit.js';

const { x, y } = labelled(64, 4, 3);

async function course() {
  const net = await classifier(), logs = [];
  const { history } = await net.fit(x, y, { epochs: 3, batchSize: 8, validationSplit: 0.25, onBatchEnd: (batch, { epoch, loss }) => { logs.push([epoch, batch, loss]); } });
  const set = await net.dataset(x, y), result = {
    history, logs, bits: await bits(net), p: await net.predict(x), scores: await net.evaluate(set), gradients: await net.gradients(x, y), file: await net.save('bytes'),
  };
  set.dispose();
  net.dispose();
  return result;
}

test('a worker gives the same bits as this thread, and both the same as with threads', async () => {
  await fresh({ worker: false });
  assert.equal(info().worker, false);
  const here = await course();
  assert.equal(here.logs.length, 18);
  await fresh({ worker: true });
  assert.equal(info().worker, true);
  assert.deepEqual(await course(), here);
  await fresh({ worker: true, threads: 3, engine: 'heddle-mt' });
  assert.deepEqual(await course(), here);
  assert.equal(info().threadsAsked, 3);
});

for (const { place, worker } of places) {
  test(`${place}: a trap rejects what is pending with "crashed"; the next call works, with the last weights`, async () => {
    await fresh({ worker });
    const net = await classifier(), set = await net.dataset(x, y);
    await net.fit(x, y, { epochs: 2 });
    const before = await bits(net), p = await net.predict(x), scores = await net.evaluate(x, y);
    const fit = net.fit(x, y, { epochs: 1e6 }), predictions = net.predict(x);
    await new Promise(resolve => { setTimeout(resolve, 20); });
    const client = await connect();
    await Promise.all([
      refuses(() => client.call('trap', []), 'crashed', /engine crashed: .*(out of bounds|unreachable)/), refuses(() => fit, 'crashed', /./),
      predictions.catch(() => {}),
    ]);
    assert.equal(client.isDead, true);
    assert.deepEqual([await bits(net), await net.predict(x), await net.evaluate(x, y)], [before, p, scores]);
    await refuses(() => net.evaluate(set), 'state', /went with its engine/);
    await net.fit(x, y);
    assert.notDeepEqual(await bits(net), before);
    net.dispose();
  });

  test(`${place}: a fit is aborted within one batch`, async () => {
    await fresh({ worker });
    const net = await classifier(), stop = new AbortController();
    setTimeout(() => stop.abort(), 30);
    await assert.rejects(net.fit(x, y, { epochs: 1e9, batchSize: 2, signal: stop.signal }), { name: 'AbortError' });
    const after = await bits(net);
    assert.deepEqual(await bits(net), after);
    await net.fit(x, y);
    net.dispose();
  });
}

test('a worker that ends without a word is noticed', async () => {
  await fresh({ worker: true });
  const net = await mlp(4, 3, 2), p = await net.predict(x), fit = (async () => {
    await net.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
    await net.fit(x, new Float32Array(128), { epochs: 1e9 });
  })();
  await new Promise(resolve => { setTimeout(resolve, 30); });
  (await connect()).kill();
  await refuses(() => fit, 'crashed', /worker exited/);
  assert.deepEqual(await net.predict(x), p, 'rebuilt from its seed: the broken fit is as if it had not been');
  net.dispose();
});

test('a mistake in a message is an error, not a hang', async () => {
  await fresh({ worker: true });
  const client = await connect();
  await refuses(() => client.call('predict', [7, { rows: 0, columns: [() => {}] }, {}]), 'memory', /can't be sent/);
  await refuses(() => client.call('noSuchMethod', []), 'crashed', /./);
});

test('init: models move to the new engine with their weights; wrong options are refused', async () => {
  await fresh();
  const net = await classifier();
  await net.fit(x, y);
  const before = await bits(net);
  const facts = await fresh({ engine: 'heddle-mt', threads: 2 });
  assert.deepEqual([facts.engine, facts.threads, facts.threadsAsked, facts.relaxed], ['heddle-mt', 1, 2, false]);
  assert.deepEqual(await bits(net), before);
  await refuses(() => init({ threads: 0 }), 'argument', /threads = 0, expected a whole number from 1 to 64/);
  await refuses(() => init({ engine: 'heddle-mtt' }), 'argument', /did you mean "heddle-mt"/);
  await refuses(() => init({ deterministik: true }), 'argument', /did you mean "deterministic"/);
  await refuses(() => init({ worker: 1 }), 'argument', /worker must be a boolean/);
  await refuses(() => init({ seed: 0.5 }), 'argument', /seed = 0.5/);
  await refuses(() => init({ wasmUrl: 'file:///nowhere/' }), 'storage', /can't be loaded/);
  await refuses(() => init({ timeout: 1e-9 }), 'timeout', /did not load within/);
  await fresh();
  assert.deepEqual(await bits(net), before, 'failed starts lose nothing');
  await init({ seed: 5, threads: 1, deterministic: true });
  const [a, b] = [await mlp(2, 2, 2, { seed: undefined }), await mlp(2, 2, 2, { seed: 5 })];
  assert.deepEqual(await bits(a), await bits(b));
  for (const model of [net, a, b]) model.dispose();
});

test('memory: info() tells the parts, and nothing grows from the second epoch on', async () => {
  await fresh();
  const net = await mlp(64, 128, 10, { activation: 'softmax' }), data = labelled(512, 64, 10), used = [];
  await net.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  await net.fit({ data: data.x.map(v => v * 255), shape: [512, 64] }, data.y, { epochs: 6, batchSize: 64, onEpochEnd: () => { used.push({ ...info().memory }); } });
  const parameters = net.parameters, first = used[0];
  assert.equal(first.data, 512 * 64 * 4 + 512);
  assert.ok(first.models >= parameters * 4 * 4 && first.models < parameters * 4 * 4 + 4096, 'weights, gradients, two slots of adam');
  assert.ok(first.fits > 0);
  assert.ok(first.used <= first.peak && first.peak <= first.heap);
  for (const memory of used.slice(1)) assert.deepEqual(memory, first);
  await net.predict(data.x);
  const { data: left, fits } = info().memory;
  assert.deepEqual([left, fits], [0, 0]);
  net.dispose();
});

const program = body => `
  import { init, layers, sequential, info } from ${JSON.stringify(pathToFileURL(join(tree, 'bindings', 'index.js')).href)};
  ${body}
  const net = await sequential([layers.input({ shape: [200] }), layers.dense({ units: 200 })], { seed: 1 });
  await net.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
  await net.fit(new Float32Array(200 * 500), new Float32Array(200 * 500), { epochs: 2 });
  console.log(info().threads);`;

test('a Node process ends by itself, with threads, in-process and with a worker', () => {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-')), path = join(folder, 'program.mjs');
  try {
    for (const [options, threads] of [['', /^[12]$/], ['threads: 3', /^3$/], ['threads: 3, worker: true', /^3$/], ['threads: 1, worker: true', /^1$/]]) {
      writeFileSync(path, program(`await init({ ${options} });`));
      const { status, stdout, stderr, error } = spawnSync(process.execPath, [path], { encoding: 'utf8', timeout: 30000 });
      assert.equal(error, undefined, `${options}: ${error}`);
      assert.equal(status, 0, stderr);
      assert.match(stdout.trim(), threads);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a model that was dropped is freed with the garbage', () => {
  const { status, stderr } = spawnSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', `
    import { info, layers, sequential } from ${JSON.stringify(pathToFileURL(join(tree, 'bindings', 'index.js')).href)};
    const make = () => sequential([layers.input({ shape: [500] }), layers.dense({ units: 500 })], { seed: 1 });
    await (async () => { for (let i = 0; i < 4; i++) await (await make()).predict(new Float32Array(500)); })();
    for (let i = 0; i < 100; i++) {
      globalThis.gc();
      await new Promise(resolve => { setTimeout(resolve, 10); });
      const last = await make(), { models } = info().memory;
      last.dispose();
      if (models < 2.5e6) process.exit(0); // the last one, and perhaps one more
    }
    process.exit(1);`], { encoding: 'utf8', timeout: 30000 });
  assert.equal(status, 0, stderr);
});

test('importing touches no global of the platform', () => {
  const code = `
    for (const name of ['window', 'document', 'process', 'navigator', 'Worker', 'WebAssembly', 'SharedArrayBuffer', 'indexedDB']) {
      Object.defineProperty(globalThis, name, { configurable: true, get() { throw new Error('touched ' + name); } });
    }
    await import(${JSON.stringify(pathToFileURL(join(tree, 'bindings', 'index.js')).href)});`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8', timeout: 30000 });
  assert.ok(!stderr.includes('touched'), stderr);
  assert.ok(status === 0 || !stderr.includes('bindings'), stderr);
});
