// Checkpoints when things go wrong: damaged, of another run, in use, not writable; engines and processes that die.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { crc32 as zlibCrc32 } from 'node:zlib';
import { crc32, open, seal } from '../../bindings/checkpoints/format.js';
import { checkpointInfo, loadCheckpoint, removeCheckpoint } from '../../bindings/checkpoints/index.js';
import { connect } from '../../bindings/session.js';
import { tree } from '../../tools/common.mjs';
import { bits, classifier, fresh, labelled, mlp, places, refuses } from '../api/modelkit.js';

const folder = mkdtempSync(join(tmpdir(), 'heddle-'));
after(() => rmSync(folder, { recursive: true }));
let count = 0;
const newStore = () => join(folder, `run${count++}`);
const filesOf = store => readdirSync(folder).filter(name => name.startsWith(`${store.slice(folder.length + 1)}.`)).sort();
const { x, y } = labelled(64, 4, 3), base = { epochs: 4, batchSize: 8, seed: 5 };

beforeEach(() => fresh());

/** Stops a fit after so many batches; its checkpoint stays. */
async function interrupted(store, { batches = 11, options = {}, net, data = [x, y] } = {}) {
  const controller = new AbortController(), model = net ?? await classifier();
  let done = 0;
  await assert.rejects(model.fit(...data, {
    ...base, checkpoint: { store, everyBatches: 3 }, ...options, signal: controller.signal, onBatchEnd: () => { if (++done === batches) controller.abort(); },
  }), { name: 'AbortError' });
  return model;
}

async function through(options = {}) {
  const net = await classifier(), { history } = await net.fit(x, y, { ...base, ...options });
  return { bits: await bits(net), history };
}

test('the checksum is CRC-32, in one piece or several', () => {
  assert.equal(crc32(new TextEncoder().encode('123456789')), 0xcbf43926); // the check value of the standard
  const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i * i >> 3);
  assert.equal(crc32(bytes.subarray(1234), crc32(bytes.subarray(0, 1234))), crc32(bytes));
  if (zlibCrc32) assert.equal(crc32(bytes), zlibCrc32(bytes));
});

test('a generation that is cut at any byte, or has any bit flipped, is not taken for whole', async () => {
  const whole = await seal(7, Uint8Array.from({ length: 100 }, (_, i) => i));
  assert.deepEqual(await open(whole), { serial: 7, payload: whole.subarray(32) });
  for (let at = 0; at < whole.length; at++) {
    assert.equal(typeof await open(whole.subarray(0, at)), 'string', `cut at ${at}`);
    for (let bit = 0; bit < 8; bit++) {
      const flipped = whole.slice();
      flipped[at] ^= 1 << bit;
      assert.equal(typeof await open(flipped), 'string', `bit ${bit} of byte ${at}`);
    }
  }
  assert.equal(typeof await open(Uint8Array.from([...whole, 0])), 'string');
});

test('the newest generation damaged: the one before, and the same end; both damaged: "file" with what was found', async () => {
  const store = newStore(), expected = await through();
  await interrupted(store);
  assert.deepEqual(filesOf(store).length, 2);
  const both = filesOf(store).map(name => join(folder, name)), bytes = both.map(path => readFileSync(path));
  const [newer, older] = bytes[0].readDoubleLE(16) > bytes[1].readDoubleLE(16) ? [0, 1] : [1, 0];
  assert.deepEqual([(await checkpointInfo(store)).epoch, (await checkpointInfo(store)).batch], [1, 3]);
  for (const damage of [b => b.subarray(0, 20), b => b.subarray(0, b.length - 1), b => Buffer.alloc(0), b => Buffer.concat([b.subarray(0, 4096), Buffer.alloc(b.length - 4096)])]) {
    writeFileSync(both[newer], damage(bytes[newer]));
    const { epoch, batch, damaged } = await checkpointInfo(store);
    assert.deepEqual([epoch, batch, damaged.length], [1, 1, 1]);
    const net = await classifier(), seen = [];
    await net.fit(x, y, { ...base, checkpoint: { store, everySeconds: 1e6, keep: true }, onBatchEnd: batch => seen.push(batch) });
    assert.deepEqual([seen[0], seen.length], [1, 23]);
    assert.deepEqual(await bits(net), expected.bits);
    for (const i of [0, 1]) writeFileSync(both[i], bytes[i]);
  }
  writeFileSync(both[newer], bytes[newer].subarray(1));
  writeFileSync(both[older], bytes[older].subarray(0, 100));
  await refuses(async () => (await classifier()).fit(x, y, { ...base, checkpoint: store }), 'file', /no generation is whole: .*\.a": .*; .*\.b": .*resume: false/);
  await refuses(() => checkpointInfo(store), 'file', /no generation is whole/);
  await refuses(() => loadCheckpoint(store), 'file', /no generation is whole/);
  assert.equal(filesOf(store).length, 2);
  const net = await classifier();
  await net.fit(x, y, { ...base, checkpoint: { store, resume: false } });
  assert.deepEqual(await bits(net), expected.bits);
  assert.deepEqual(filesOf(store), []);
});

test('a run of another kind: "argument" names what differs, and nothing is overwritten', async () => {
  const store = newStore(), other = Float32Array.from(x);
  await interrupted(store);
  const before = filesOf(store).map(name => readFileSync(join(folder, name)));
  const attempt = (options, data = [x, y], net = classifier()) => async () => (await net).fit(...data, { ...base, ...options, checkpoint: store });
  await refuses(attempt({ batchSize: 16 }), 'argument', /another run: batchSize is 8 there, 16 here/);
  await refuses(attempt({ seed: 6 }), 'argument', /seed is 5 there, 6 here/);
  await refuses(attempt({ shuffle: false }), 'argument', /shuffle is true there, false here/);
  await refuses(attempt({ earlyStopping: { patience: 3 } }), 'argument', /earlyStopping is nothing there/);
  await refuses(attempt({ validationSplit: 0.5 }), 'argument', /validationSplit is 0 there/);
  await refuses(attempt({ epochs: 0 }), 'argument', /epochs done is 1 there, 0 here/);
  other[9] += 1;
  await refuses(attempt({}, [other, y]), 'argument', /data\.columns\.0\.crc32 is \d+ there/);
  await refuses(attempt({}, [x.slice(4), y.slice(1)]), 'argument', /data\.rows is 64 there, 63 here/);
  await refuses(attempt({}, [x, y], mlp(4, 9, 3).then(async net => { await net.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' }); return net; })), 'argument', /nodes\.1\.options\.units is 8 there, 9 here/);
  await refuses(attempt({}, [x, y], classifier({ optimizer: 'sgd' })), 'argument', /compile\.optimizer\.\w+ is .* there/);
  assert.deepEqual(filesOf(store).map(name => readFileSync(join(folder, name))), before);
  assert.deepEqual(filesOf(store).map(name => name.slice(-2)), ['.a', '.b']); // and no lock is left
});

test('after a break the same batches are written after as without, and never over the newest generation', async () => {
  const store = newStore(), places = [], newest = () => filesOf(store).map(name => readFileSync(join(folder, name))).sort((a, b) => b.readDoubleLE(16) - a.readDoubleLE(16))[0];
  await interrupted(store, { batches: 11, options: { checkpoint: { store, everyBatches: 5 } } });
  const old = newest(), kept = [], net = await classifier();
  await net.fit(x, y, {
    ...base, checkpoint: { store, everyBatches: 5, everyEpochs: 2 }, onEvent: ({ type, epoch, batch }) => {
      if (type !== 'checkpoint') return;
      places.push(8 * epoch + batch);
      if (places.length === 1) kept.push(...filesOf(store).map(name => readFileSync(join(folder, name))));
    },
  });
  assert.deepEqual(places, [15, 16, 20, 25, 30]);
  assert.ok(kept.some(bytes => bytes.equals(old)));
});

test('stopped at the end of an epoch, before its callback: the event says what checkpointInfo says', async () => {
  for (const abortAt of ['onBatchEnd', 'onEpochEnd']) {
    const store = newStore(), stop = new AbortController(), events = [], net = await classifier();
    const halt = epoch => { if (epoch === 1) stop.abort(); }, callback = abortAt === 'onEpochEnd' ? { onEpochEnd: halt } : { onBatchEnd: (batch, log) => { if (batch === 7) halt(log.epoch); } };
    await assert.rejects(net.fit(x, y, { ...base, checkpoint: { store, everySeconds: 1000 }, validationSplit: 0, signal: stop.signal, onEvent: event => { events.push(event); }, ...callback }), { name: 'AbortError' });
    const { epoch, batch } = await checkpointInfo(store), { type, ...event } = events.at(-1);
    assert.deepEqual([type, event.epoch, event.batch], ['checkpoint', epoch, batch], abortAt);
  }
});

test('wrong options are refused', async () => {
  const net = await classifier(), attempt = checkpoint => () => net.fit(x, y, { checkpoint });
  await refuses(attempt({ stor: 'x' }), 'argument', /unknown option "stor", did you mean "store"/);
  await refuses(attempt({}), 'argument', /store: expected a path .* got undefined/);
  await refuses(attempt(''), 'argument', /got an empty string/);
  await refuses(attempt('https://example.org/run'), 'argument', /store: "https:\/\/example.org\/run", expected a path/);
  await refuses(attempt({ store: 'x', everyBatches: 0 }), 'argument', /everyBatches = 0/);
  await refuses(attempt({ store: 'x', everySeconds: -1 }), 'argument', /everySeconds = -1/);
  await refuses(attempt({ store: 'x', restarts: 0.5 }), 'argument', /restarts = 0.5/);
  await refuses(() => net.fit(x, y, { onDiverged: 'halt' }), 'argument', /onDiverged = "halt", expected "stop", "rollback" or "ignore"/);
  await refuses(() => checkpointInfo('memory'), 'argument', /"memory" ends with its fit/);
  await refuses(() => loadCheckpoint(newStore()), 'storage', /holds no checkpoint/);
  await refuses(attempt(join(folder, 'none', 'run')), 'storage', /cannot save to .*none.run\.a/); // before anything is trained
  assert.equal(await checkpointInfo(newStore()), null);
});

test('no seeds given: another program goes on with the run all the same; loadCheckpoint gives its model', async () => {
  const make = async () => {
    const net = await mlp(4, 8, 3, { activation: 'softmax', seed: undefined });
    await net.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' });
    return net;
  };
  const store = newStore(), first = await make(), options = { seed: undefined, checkpoint: { store, everyEpochs: 1 } };
  const start = await first.getWeights();
  await interrupted(store, { net: first, options });
  const { model, epoch, batch, epochs, batches, bytes, isDone, history, saved, seed } = await loadCheckpoint(store);
  assert.deepEqual([epoch, batch, epochs, batches, isDone, history.epoch], [1, 3, 4, 8, false, [0]]);
  assert.ok(bytes > 1000 && Math.abs(Date.now() - saved) < 60_000 && seed === first.seed);
  assert.deepEqual(await bits(model), await bits(first));
  const second = await make();
  assert.notEqual(second.seed, first.seed);
  await second.fit(x, y, { ...base, ...options });
  await model.dispose();
  const whole = await make();
  await whole.setWeights(start);
  await whole.fit(x, y, { ...base, seed });
  assert.deepEqual(await bits(second), await bits(whole));
});

test('keep: the end stays; a finished fit returns at once, and goes on if more epochs are wanted', async () => {
  const store = newStore(), checkpoint = { store, keep: true }, net = await classifier(), longer = await through({ epochs: 6 });
  const { history } = await net.fit(x, y, { ...base, checkpoint });
  assert.equal((await checkpointInfo(store)).isDone, true);
  const again = await classifier(), repeated = await again.fit(x, y, { ...base, checkpoint, onBatchEnd: () => assert.fail('nothing is left to train') });
  assert.deepEqual([repeated.history, await bits(again)], [history, await bits(net)]);
  const more = await classifier(), ended = await more.fit(x, y, { ...base, epochs: 6, checkpoint: store });
  assert.deepEqual([ended.history, await bits(more)], [longer.history, longer.bits]);
  assert.deepEqual(filesOf(store), []);
});

test('a checkpoint that cannot be written: told once, the training goes on, the one before stays', async context => {
  const store = newStore(), net = await classifier(), events = [], warn = context.mock.method(console, 'warn', () => {});
  const history = await net.fit(x, y, {
    ...base, checkpoint: { store, everyBatches: 5, keep: true },
    onEvent: event => {
      events.push(event);
      if (events.length === 2) { // a and b are there; the next is to replace a
        rmSync(`${store}.a`);
        mkdirSync(`${store}.a`);
      }
    },
  });
  assert.deepEqual([events[0].type, events[1].type, events[2].type], ['checkpoint', 'checkpoint', 'checkpointFailed']);
  assert.match(events[2].message, /cannot save to .*\.a/);
  assert.deepEqual(history.events, events.slice(2));
  assert.equal(warn.mock.callCount(), 1);
  assert.match(warn.mock.calls[0].arguments[0], /could not be written, the training goes on: cannot save/);
  assert.deepEqual(await bits(net), (await through()).bits);
  rmSync(`${store}.a`, { recursive: true });
  assert.deepEqual([(await checkpointInfo(store)).epoch, (await checkpointInfo(store)).batch], [0, 5]);
});

/** Code of what a thread of this process is told that wants the store, '' if it gets it. */
const wantedByThread = store => new Promise((resolve, reject) => {
  const code = `import(${JSON.stringify(new URL('../../bindings/checkpoints/lock.js', import.meta.url).href)}).then(({ lockStore }) => lockStore(${JSON.stringify(store)}))
    .then(release => release(), error => error.code).then(code => require('node:worker_threads').parentPort.postMessage(code ?? ''));`;
  new Worker(code, { eval: true }).on('message', resolve).on('error', reject);
});

test('two runs on one store: the second is refused by name; the lock of a dead process is taken over', async () => {
  const store = newStore(), [a, b] = [await classifier(), await classifier()];
  let attempt, told;
  await a.fit(x, y, { ...base, checkpoint: store, onEpochEnd: async () => {
    attempt ??= await b.fit(x, y, { ...base, checkpoint: store }).catch(error => error);
    told ??= await wantedByThread(store);
  } });
  assert.deepEqual([told, await wantedByThread(store)], ['state', '']);
  assert.ok(attempt.message.includes(store), attempt.message);
  await b.fit(x, y, { ...base, checkpoint: store });
  const lock = `${store}.lock`, child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'ignore' });
  const written = (pid, host = hostname()) => writeFileSync(lock, JSON.stringify({ pid, host, id: 'x' }));
  written(child.pid);
  await refuses(() => b.fit(x, y, { ...base, checkpoint: store }), 'state', new RegExp(`in use by process ${child.pid} `));
  await refuses(() => removeCheckpoint(store), 'state', /in use by/);
  written(child.pid, 'elsewhere');
  await refuses(() => b.fit(x, y, { ...base, checkpoint: store }), 'state', /on elsewhere/);
  written(child.pid);
  const ended = new Promise(resolve => child.on('exit', resolve));
  child.kill('SIGKILL');
  await ended;
  const before = JSON.stringify({ pid: process.pid, born: performance.timeOrigin - 1e7, host: hostname(), id: 'x' }); // a container that was begun again
  for (const content of [undefined, '{"pid":', before]) {
    if (content) writeFileSync(lock, content);
    await b.fit(x, y, { ...base, checkpoint: store });
    assert.equal(existsSync(lock), false);
  }
});

const program = `
  import { createHash } from 'node:crypto';
  import { init, layers, sequential } from '${join(tree, 'bindings', 'index.js')}';
  await init({ deterministic: true, threads: 1, worker: ${process.argv.includes('--worker')} });
  const net = await sequential([layers.input({ shape: [4] }), layers.dense({ units: 8, activation: 'tanh' }), layers.dropout({ rate: 0.2 }), layers.dense({ units: 3 })], { seed: 1 });
  await net.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
  const x = Float32Array.from({ length: 400 }, (_, i) => Math.sin(i)), y = Float32Array.from({ length: 300 }, (_, i) => Math.cos(i));
  const { events } = await net.fit(x, y, { epochs: 30, batchSize: 7, checkpoint: { store: process.argv[1], everyBatches: 2 }, onEvent: ({ type, epoch }) => process.stdout.write(type + ' ' + epoch + '\\n') });
  const hash = createHash('sha256');
  for (const { data } of Object.values(await net.getWeights())) hash.update(data);
  process.stdout.write('end ' + hash.digest('hex') + '\\n');`;

/** Runs the program; kills it after so many lines. @returns its lines */
function start(store, linesUntilKilled = Infinity) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program, store], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', data => {
      text += data;
      if (text.split('\n').length > linesUntilKilled) child.kill('SIGKILL');
    });
    child.on('error', reject);
    child.on('exit', () => resolve(text.trim().split('\n')));
  });
}

test('a process that is killed again and again ends with the bits of one that was not', async () => {
  const store = newStore(), whole = (await start(newStore())).at(-1);
  assert.match(whole, /^end [0-9a-f]{64}$/);
  let lines = [], kills = 0;
  for (; !lines.at(-1)?.startsWith('end') && kills < 20; kills++) {
    lines = await start(store, 60);
    if (kills > 0) assert.match(lines[0], /^resumed \d+$/);
  }
  assert.ok(kills > 2 && kills < 20, `${kills}`);
  assert.equal(lines.at(-1), whole);
  assert.deepEqual(filesOf(store), []);
});

for (const { place, worker } of places) {
  test(`${place}: an engine that dies during a fit is replaced, and the fit goes on to the same bits`, async () => {
    await fresh({ worker });
    const expected = await through({ validationSplit: 0.25 }), ends = worker ? ['trap', 'kill'] : ['trap'];
    for (const end of ends) {
      const net = await classifier(), seen = [], options = { ...base, validationSplit: 0.25, checkpoint: { store: 'memory', everyBatches: 4 } };
      const client = await connect();
      const history = await net.fit(x, y, {
        ...options, onBatchEnd: (batch, { epoch }) => {
          seen.push(epoch * 6 + batch);
          if (seen.length === 9) void (end === 'kill' ? client.kill() : client.call('trap', []).catch(() => {}));
        },
      });
      assert.equal(client.isDead, true);
      assert.deepEqual(history.events.map(({ type }) => type), ['restarted']);
      assert.match(history.events[0].message, /crashed|exited/);
      assert.deepEqual([history.history, await bits(net)], [expected.history, expected.bits]);
      assert.ok(seen.length >= 24 && seen.at(-1) === 23 && new Set(seen).size === 24, `${seen}`);
      assert.equal(net.parameters, 67);
      assert.equal((await net.predict(x)).shape[0], 64);
      net.dispose();
    }
  });

  test(`${place}: an engine that dies too often, or before what it had can be sent again: "crashed"`, async () => {
    await fresh({ worker });
    const net = await classifier(), killer = { ...base, epochs: 50, onBatchEnd: async () => (await connect()).call('trap', []).catch(() => {}) };
    let restarts = 0;
    const onEvent = ({ type }) => { restarts += type === 'restarted'; };
    await refuses(() => net.fit(x, y, { ...killer, onEvent, checkpoint: { store: 'memory', everyBatches: 1000, restarts: 2 } }), 'crashed', /./);
    assert.equal(restarts, 2);
    await refuses(() => net.fit(x, y, killer), 'crashed', /./);
    const set = await net.dataset(x, y), store = newStore();
    await refuses(() => net.fit(set, undefined, { ...killer, checkpoint: store }), 'crashed', /the data set went with the engine: make it anew/);
    const again = await net.dataset(x, y);
    const { events } = await net.fit(again, undefined, { ...base, epochs: 50, checkpoint: store });
    assert.deepEqual(events.map(({ type }) => type), ['resumed']);
    const once = [{ x: x.slice(0, 32), y: y.slice(0, 8) }, { x: x.slice(0, 32), y: y.slice(0, 8) }];
    await refuses(() => net.fit(once.values(), { ...killer, checkpoint: newStore() }), 'crashed', /./);
    net.dispose();
  });
}

test('a generator is asked anew after a crash', async () => {
  function* source(pass) { // 5 of 8 rows, others on each pass
    for (let i = pass; i < pass + 5; i++) yield { x: x.slice(i * 32 % 192, i * 32 % 192 + 32), y: y.slice(i * 8 % 48, i * 8 % 48 + 8) };
  }
  const whole = await classifier(), net = await classifier(), client = await connect();
  await whole.fit(source, { epochs: 4, seed: 5 });
  let batches = 0;
  const { events } = await net.fit(source, { epochs: 4, seed: 5, checkpoint: { store: 'memory', everyBatches: 3 }, onBatchEnd: () => { if (++batches === 13) void client.call('trap', []).catch(() => {}); } });
  assert.deepEqual(events.map(({ type }) => type), ['restarted']);
  assert.deepEqual(await bits(net), await bits(whole));
});
