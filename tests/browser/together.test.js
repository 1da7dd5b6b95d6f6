// Three processes and a page, each with digits of its own, fit one network, of one layer or growing (SSFN), over a real NATS server on loopback, whose permissions are
// those of README: they come to the solution of all digits, also when one of them is killed on the way.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { build } from 'esbuild';
import { Ssfn } from '../../bindings/estimators/index.js';
import { load } from '../../bindings/index.js';
import { natsTransport } from '../../bindings/nats.js';
import { mnist } from '../../examples/mnist-data.js';
import { slfn, sums } from '../../examples/together-slfn.js';
import { tree } from '../../tools/common.mjs';
import { withPage } from './pagekit.js';

const names = ['anna', 'bert', 'carl', 'page'], rows = 1000, hidden = 100, radius = 0.5, [classes, n] = [10, 2 * hidden];
const folder = mkdtempSync(join(tmpdir(), 'heddle-nats-'));
const passwords = Object.fromEntries(names.map((name) => [name.toUpperCase(), `${name}-${Math.random().toString(36).slice(2)}`]));
const blank = { path: 'tests/browser/blank.html', expected: /Received a broken close frame/, named: /^ws:\/\/127\.0\.0\.1:/ }; // Debian 12's nats-server says goodbye so
let server, tcp, webSocket;

before(async () => {
  server = spawn('nats-server', ['-c', join(tree, 'tests', 'browser', 'nats.conf'), '--ports_file_dir', folder], { env: { ...process.env, ...passwords }, stdio: 'ignore' });
  let file;
  for (let i = 0; i < 100 && !file; i++) {
    await new Promise((resolve) => { setTimeout(resolve, 100); });
    file = readdirSync(folder).find((name) => name.endsWith('.ports'));
  }
  assert.ok(file && existsSync(join(folder, file)), 'nats-server started');
  const ports = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  [[tcp], [webSocket]] = [ports.nats, ports.websocket];
});
after(() => {
  server?.kill();
  rmSync(folder, { recursive: true });
});

/** One process of examples/together.js. @param {string} id @param {number} member @param {string[]} more */
function start(id, member, ...more) {
  const child = spawn(process.execPath, [join(tree, 'examples', 'together.js'), '--server', tcp, '--id', id, '--user', id, '--password', passwords[id.toUpperCase()],
    '--member', String(member), '--rows', String(rows), '--hidden', String(hidden), '--radius', String(radius), '--save', join(folder, `${id}.safetensors`), ...more]);
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => { printed += text; });
  const ended = new Promise((resolve) => { child.on('close', (code) => resolve({ code, printed })); });
  return { child, ended, prints: async (/** @type {RegExp} */ what) => {
    while (!what.test(printed)) await Promise.race([new Promise((resolve) => { child.stdout.once('data', resolve); }), ended.then(() => { throw new Error(printed); })]);
  } };
}

/** The same in a page; what it gives back. @param {any} page @param {object} settings */
async function inPage(page, settings) {
  const { outputFiles: [{ contents }] } = await build({
    stdin: { contents: "export { wsconnect } from '@nats-io/nats-core'", resolveDir: tree }, bundle: true, format: 'esm', platform: 'browser', write: false,
  });
  await page.route('**/nats-core.js', (route) => route.fulfill({ contentType: 'text/javascript', body: Buffer.from(contents), headers: { 'cross-origin-resource-policy': 'same-origin' } }));
  const { x, y } = await mnist('train', 4 * rows);
  return page.evaluate(async ({ connect, pixels, labels, scale, offset, join: joining, ...options }) => {
    const bytes = (/** @type {string} */ text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const [{ natsTransport: open }, { fitTogether, growTogether }] = await Promise.all([import('/bindings/nats.js'), import('/examples/together-slfn.js')]);
    const transport = await open({ room: 'digits', id: 'page', connect }), group = await transport.join(joining), y = bytes(labels);
    const { net, result } = await (options.layers ? growTogether : fitTogether)(group, { x: { data: bytes(pixels), shape: [y.length, 28, 28], scale, offset }, y }, options);
    const weights = await net.getWeights();
    net.dispose();
    await transport.close();
    return { ...result, coef: [...Object.values(weights).at(-1)?.data ?? []], dual: null, seed: group.seed };
  }, {
    connect: { servers: webSocket, user: 'page', pass: passwords.PAGE }, scale: x.scale, offset: x.offset, hidden, join: { members: 4, task: `slfn ${hidden}`, deadline: 10, onLoss: 'stop' },
    pixels: Buffer.from(x.data.subarray(3 * rows * 784)).toString('base64'), labels: Buffer.from(y.subarray(3 * rows)).toString('base64'), ...settings,
  });
}

/** The solution of the digits of some members, and its cost. @param {number} seed @param {number[]} members */
async function pooled(seed, members) {
  const { x, y } = await mnist('train', 4 * rows), net = await slfn(seed, hidden, [28, 28]);
  const grams = await Promise.all(members.map((m) => sums(net, { x: { ...x, data: x.data.slice(m * rows * 784, (m + 1) * rows * 784), shape: [rows, 28, 28] }, y: y.slice(m * rows, (m + 1) * rows) })));
  const [all, ...others] = await Promise.all(grams.map((gram) => gram.values()));
  for (const { g, c, samples, targetSquares } of others) {
    g.forEach((v, i) => { all.g[i] += v; });
    c.forEach((v, i) => { all.c[i] += v; });
    all.samples += samples;
    all.targetSquares += targetSquares;
  }
  await grams[0].set(all);
  const { coef, lambda } = await grams[0].secular(radius);
  return { exact: coef.data, lambda, cost: await grams[0].cost(coef), costOf: (/** @type {ArrayLike<number>} */ o) => grams[0].cost(Float64Array.from(o)), dispose: () => { grams.forEach((g) => g.dispose()); net.dispose(); } };
}
const difference = (a, b) => Math.sqrt(b.reduce((sum, v, i) => sum + (v - a[i]) ** 2, 0) / b.reduce((sum, v) => sum + v * v, 0));
const saved = async (id) => {
  const net = await load(join(folder, `${id}.safetensors`)), kernel = (await net.getWeights())['output/kernel'].data, { metadata, seed } = net;
  net.dispose();
  return { kernel, metadata, seed };
};

test('three processes and a page come to the solution of all their digits; bytes are those of the formula', async () => {
  await withPage(blank, async (page) => {
    const rounds = 300, more = ['--rounds', String(rounds), '--tolerance', '1e-6'], processes = names.slice(0, 3).map((id, m) => start(id, m, ...more));
    const own = await inPage(page, { radius, rounds, relativeTolerance: 1e-6, absoluteTolerance: 1e-8 });
    for (const { code, printed } of await Promise.all(processes.map(({ ended }) => ended))) assert.equal(code, 0, printed);
    const all = await Promise.all(names.slice(0, 3).map(saved)), reference = await pooled(own.seed, [0, 1, 2, 3]);
    assert.ok(reference.lambda > 0, 'the ball is active');
    assert.deepEqual(own.members, names);
    for (const { kernel, seed } of all) {
      assert.equal(seed, own.seed);
      assert.ok(difference(kernel, Float32Array.from(own.coef)) < 1e-6, 'all have the same');
    }
    assert.ok(difference(own.coef, reference.exact) < 1e-3, `${difference(own.coef, reference.exact)} after ${own.rounds} rounds`);
    assert.ok(await reference.costOf(own.coef) / reference.cost - 1 < 1e-5);
    assert.ok(Math.hypot(...own.coef) <= radius * (1 + 1e-6)); // as float32
    const expected = own.rounds * 4 * (classes * n + 3) + 8;
    assert.deepEqual([own.bytes.sent.payload, own.bytes.received.payload], [expected, expected]);
    for (const { metadata } of all.slice(1)) assert.equal(metadata.bytes.sent.payload, expected);
    assert.match((await processes[1].ended).printed, /test accuracy (8|9)\d\.\d+ %/);
    reference.dispose();
  });
});

test('they grow an SSFN of two layers that is the one of all digits, from sums that travel in pieces', async () => {
  await withPage(blank, async (page) => {
    const layers = 2, more = ['--method', 'gram', '--layers', String(layers)], processes = names.slice(0, 3).map((id, m) => start(id, m, ...more));
    const own = await inPage(page, { method: 'gram', layers });
    for (const { code, printed } of await Promise.all(processes.map(({ ended }) => ended))) assert.equal(code, 0, printed);
    const { x, y } = await mnist('train', 4 * rows), test = await mnist('test', 1000), alone = new Ssfn({ nodes: hidden, maxLayers: layers, alpha: 2, ridge: 100, layerThreshold: 0, seed: own.seed });
    await alone.fit(x, y);
    const expected = (await alone.model.predict(test.x)).data, accuracy = await alone.score(test.x, test.y);
    for (const id of names.slice(0, 3)) {
      const net = await load(join(folder, `${id}.safetensors`)), { data } = await net.predict(test.x), kernel = Object.values(await net.getWeights()).at(-1)?.data;
      data.forEach((score, i) => assert.ok(Math.abs(score - expected[i]) < 1e-3, `${score}, ${expected[i]}`));
      const right = test.y.filter((label, i) => data.subarray(10 * i, 10 * i + 10).indexOf(Math.max(...data.subarray(10 * i, 10 * i + 10))) === label).length;
      assert.ok(Math.abs(right / 1000 - accuracy) <= 0.001 && accuracy > 0.8, `${right}, ${accuracy}`);
      assert.ok(difference(kernel, own.coef) < 1e-5, 'the page has the same output layer');
      net.dispose();
    }
    // Each layer: the sums, and 4 numbers by which growth is decided; the names of the classes once, as 4 bytes a letter.
    const solutions = [784, ...Array(layers).fill(2 * classes + hidden)].reduce((sum, n) => sum + 8 * (n * (n + 1) / 2 + classes * n + 2) + 32, 0), letters = 4 * '[0,1,2,3,4,5,6,7,8,9]'.length;
    assert.deepEqual([own.bytes.sent.payload, own.bytes.received.payload], [solutions + letters, solutions + 3 * letters]);
    alone.dispose();
  });
});

test('one is killed in mid-fit: the others notice and come to the solution of their own digits', async () => {
  await withPage(blank, async (page) => {
    const more = ['--rounds', '400', '--tolerance', '0', '--deadline', '2', '--onLoss', 'continue'], processes = names.slice(0, 3).map((id, m) => start(id, m, ...more));
    const answer = inPage(page, { radius, rounds: 400, relativeTolerance: 0, absoluteTolerance: 0, join: { members: 4, task: `slfn ${hidden}`, deadline: 2, onLoss: 'continue' } });
    await processes[0].prints(/round 20:/);
    processes[0].child.kill('SIGKILL'); // the first of them, who adds up
    const own = await answer;
    for (const { code, printed } of await Promise.all(processes.slice(1).map(({ ended }) => ended))) assert.equal(code, 0, printed);
    assert.deepEqual(own.members, ['bert', 'carl', 'page']);
    const reference = await pooled(own.seed, [1, 2, 3]), { kernel } = await saved('bert');
    assert.ok(difference(own.coef, reference.exact) < 1e-3, `${difference(own.coef, reference.exact)}`);
    assert.ok(difference(kernel, Float32Array.from(own.coef)) < 1e-6);
    reference.dispose();
  });
});

test('tabs of one origin solve together by BroadcastChannel', async () => {
  await withPage(blank, async (first) => {
    const second = await first.context().newPage();
    await second.goto(first.url());
    const solve = async (/** @type {number} */ m) => {
      const [{ broadcastTransport, consensusSolve }, { Gram }] = await Promise.all([import('/bindings/consensus/index.js'), import('/bindings/solvers.js')]);
      const transport = broadcastTransport({ room: 'tabs', id: `tab${m}` }), group = await transport.join({ members: 2 }), gram = new Gram({ features: 2, targets: 1 });
      await gram.add([[1, m], [m, 1], [2, 1]], [[1 + 2 * m], [m + 2], [4]]); // t = x0 + 2 x1
      const { coef } = await consensusSolve({ group, gram, rounds: 500, relativeTolerance: 1e-7 });
      await transport.close();
      return [...coef.data];
    };
    const [a, b] = await Promise.all([first, second].map((tab, m) => tab.evaluate(solve, m)));
    assert.deepEqual(a, b);
    assert.ok(Math.abs(a[0] - 1) < 1e-4 && Math.abs(a[1] - 2) < 1e-4, `${a}`);
  });
});

test('the server holds members to their own names; wrong passwords and servers that are not there are told', async () => {
  const connect = { servers: tcp, user: 'anna', pass: passwords.ANNA };
  const spy = await natsTransport({ room: 'digits', id: 'bert', connect });
  await assert.rejects(spy.join({ members: 2, timeout: 5 }), { name: 'HeddleError', code: 'storage', message: /permissions violation/i });
  await spy.close();
  const code = 'storage';
  await assert.rejects(natsTransport({ room: 'digits', id: 'anna', connect: { ...connect, pass: 'wrong' } }), { code, message: /can't connect/ });
  await assert.rejects(natsTransport({ room: 'digits', connect: { servers: '127.0.0.1:1', maxReconnectAttempts: 0 } }), { code, message: /can't connect to 127\.0\.0\.1:1/ });
  await assert.rejects(natsTransport({ room: 'digits' }), { code: 'argument', message: /either connection or connect/ });
  const alone = await natsTransport({ room: 'digits', id: 'anna', connect });
  await assert.rejects(alone.join({ members: 2, timeout: 0.3 }), { code: 'timeout', message: /1 of 2 members came/ });
  await alone.close();
});
