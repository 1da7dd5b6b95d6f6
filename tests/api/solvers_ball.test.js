// Least squares in a ball, through the JavaScript API: exactly and by ADMM, whole and in parts, as one call.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { info, init, layers, sequential } from '../../bindings/index.js';
import { connect } from '../../bindings/session.js';
import { Gram, admm, secular } from '../../bindings/solvers.js';

const rows = 400, n = 12, q = 3;
let word = 7;
const random = () => {
  word = (Math.imul(word, 1664525) + 1013904223) >>> 0;
  return word / 2 ** 31 - 1;
};
const x = { data: Float32Array.from({ length: rows * n }, random), shape: [rows, n] };
const t = { data: Float32Array.from({ length: rows * q }, (_, i) => x.data[Math.floor(i / q) * n + i % q] + 0.3 * random()), shape: [rows, q] };
await init({ deterministic: true, threads: 1 });
const used = info().memory.used;
after(async () => {
  await (await connect()).call('status', []); // after the last dispose
  assert.equal(info().memory.used, used, 'all memory is free again');
});

const norm = (values) => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));
const distance = (a, b) => norm(a.map((v, i) => v - b[i]));

async function filled(context, options = { features: n, targets: q }) {
  const gram = new Gram(options);
  context.after(() => gram.dispose());
  await gram.add(x, t);
  return gram;
}

/** ||O (G + lambda I) - C|| / ||C|| */
function stationarity({ g, c }, o, lambda) {
  return norm(c.map((v, at) => {
    const i = at % n, row = at - i;
    let sum = lambda * o[at] - v;
    for (let j = 0; j < n; j++) sum += o[row + j] * g[Math.max(i, j) * n + Math.min(i, j)];
    return sum;
  })) / norm(c);
}

test('secular: stationary, on the sphere; least squares inside the ball', async (context) => {
  const gram = await filled(context), least = (await gram.ridge()).coef.data, sums = await gram.values();
  for (const share of [0.01, 0.5, 0.99]) {
    const radius = share * norm(least), { coef, lambda } = await gram.secular(radius);
    assert.deepEqual(coef.shape, [q, n]);
    assert.ok(lambda > 0 && stationarity(sums, coef.data, lambda) < 1e-6);
    assert.ok(Math.abs(norm(coef.data) / radius - 1) < 1e-6);
    assert.ok(distance((await gram.ridge(lambda)).coef.data, coef.data) < 1e-6 * radius);
  }
  const { coef, lambda } = await gram.secular(2 * norm(least));
  assert.equal(lambda, 0);
  assert.deepEqual(coef.data, least);
});

test('ADMM comes to the same, in the ball all the time; its history ends at the tolerance', async (context) => {
  const gram = await filled(context), radius = 0.5 * norm((await gram.ridge()).coef.data), exact = await gram.secular(radius);
  const least = await gram.cost(exact.coef), iteration = await gram.admm({ radius });
  context.after(() => iteration.dispose());
  assert.ok(Number.isNaN((await iteration.stats()).primal));
  const history = await iteration.step(200);
  assert.equal(history.length, 200);
  const z = await iteration.values('Z'), stats = await iteration.stats();
  assert.deepEqual(stats, history.at(-1));
  assert.ok(norm(z.data) <= radius * (1 + 1e-12) && Math.abs(stats.cost / least - 1) < 1e-5);
  assert.ok(Math.abs(await gram.cost(z) - stats.cost) < 1e-9 * least && stats.primal < history[0].primal);
  const again = await gram.admm({ radius }), short = await again.step(200, { tolerance: 1e-3 });
  again.dispose();
  assert.ok(short.length > 2 && short.length < 200);
  assert.deepEqual(short, history.slice(0, short.length));
  const { primal, dual, primalScale, dualScale } = short.at(-1);
  assert.ok(primal <= 1e-3 * primalScale && dual <= 1e-3 * dualScale);
});

test('the parts are a step; variables can be read and set', async (context) => {
  const gram = await filled(context), whole = await gram.admm({ radius: 0.4, penalty: 30 }), parts = await gram.admm({ radius: 0.4, penalty: 30 });
  context.after(() => [whole, parts].forEach((iteration) => iteration.dispose()));
  gram.dispose(); // the sums are copied
  await whole.step(2);
  for (let i = 0; i < 2; i++) {
    await parts.local();
    const [o, u] = [await parts.values('O'), await parts.values('U')];
    await parts.set('Z', o.data.map((v, k) => v + u.data[k]));
    await parts.project();
    await parts.dual();
  }
  for (const name of ['O', 'Z', 'U']) assert.deepEqual(await parts.values(name), await whole.values(name));
  assert.deepEqual(await parts.stats(), await whole.stats());
  assert.equal((await parts.stats()).penalty, 30);
});

test('a path of lambdas is what ridge gives for each', async (context) => {
  const gram = await filled(context), lambdas = [0, 0.1, 10, 1e4], { cost, df, norm: norms } = await gram.path(lambdas);
  for (const [i, lambda] of lambdas.entries()) {
    const { coef } = await gram.ridge(lambda);
    assert.ok(Math.abs(norms[i] - norm(coef.data)) < 1e-9 && Math.abs(cost[i] / await gram.cost(coef) - 1) < 1e-9);
    assert.ok(i === 0 ? Math.abs(df[0] - n) < 1e-9 : df[i] < df[i - 1] && df[i] > 0);
  }
  await assert.rejects(gram.path([1, -1]), { code: 'argument', message: /lambda 1 = -1/ });
  await assert.rejects(gram.path([]), { code: 'argument' });
  await assert.rejects(gram.path(/** @type {any} */ (3)), { code: 'argument', message: /expected an array/ });
});

test('in one call, from features or from a node of a model', async (context) => {
  const net = await sequential([layers.input({ shape: [n] }), layers.dense({ units: 8, activation: 'tanh', name: 'hidden' }), layers.dense({ units: 1 })], { seed: 3 });
  context.after(() => net.dispose());
  const hidden = await net.predict(x, { output: 'hidden' }), sizes = { features: 8, targets: q, radius: 0.3 };
  const exact = await secular(x, t, { ...sizes, model: net, node: 'hidden', batchSize: 100 }), same = await secular(hidden, t, { ...sizes, batchSize: 100 });
  assert.deepEqual(exact, same);
  const { coef, cost, unprojected, history } = await admm(x, t, { ...sizes, model: net, node: 'hidden', iterations: 150 });
  assert.ok(history.length === 150 && cost === history.at(-1).cost && Math.abs(cost / exact.cost - 1) < 1e-5 && norm(coef.data) <= 0.3 * (1 + 1e-12));
  assert.ok(distance(unprojected.data, coef.data) < 1e-3 && distance(coef.data, exact.coef.data) < 1e-2);
  const labels = Int32Array.from({ length: rows }, (_, i) => i % q);
  assert.ok((await admm(x, labels, { features: n, targets: q, radius: 1, tolerance: 1e-4 })).history.length < 100);
});

test('wrong input is refused by name', async (context) => {
  const gram = await filled(context), iteration = await gram.admm();
  const sizes = { features: n, targets: q };
  const refused = [
    [() => gram.secular(0), 'argument', /radius = 0, expected/], [() => gram.secular('1'), 'argument', /radius must be a number, got string/],
    [() => gram.secular(NaN), 'argument', /radius = nan/i], [() => gram.admm({ radius: -1 }), 'argument', /radius = -1/],
    [() => gram.admm({ penalty: 0 }), 'argument', /penalty = 0, expected a finite number above 0/], [() => gram.admm({ radios: 1 }), 'argument', /did you mean "radius"/],
    [() => iteration.step(0), 'argument', /iterations = 0/], [() => iteration.step(1, { tolerance: -1 }), 'argument', /tolerance = -1/],
    [() => iteration.values('V'), 'argument', /unknown variable "V"/], [() => iteration.set('Z', [1, 2]), 'shape', /2 numbers, expected 36/],
    [() => iteration.set('Z', new Float64Array(n * q).fill(NaN)), 'argument', /Z\[0\] = NaN/],
    [() => secular(x, t, sizes), 'argument', /secular: radius = undefined/], [() => admm(x, t, { ...sizes, radius: 1, iterations: 1.5 }), 'argument', /iterations = 1\.5/],
    [() => admm(x, t.data.subarray(0, 30), { ...sizes, radius: 1 }), 'shape', /expected|rows/], [() => admm(x, t, { ...sizes, features: 20000, radius: 1 }), 'argument', /20000 features/],
    [() => secular(x, Int32Array.from({ length: rows }, () => 3), { ...sizes, radius: 1 }), 'argument', /label of row 0 = 3, expected a class 0\.\.2/],
  ];
  for (const [call, code, message] of refused) await assert.rejects(call, (error) => error.code === code && message.test(error.message), String(call));
  const empty = new Gram(sizes);
  await assert.rejects(empty.secular(1), { code: 'state', message: /no samples/ });
  await assert.rejects(empty.admm(), { code: 'state', message: /no samples/ });
  empty.dispose();
  await assert.rejects(iteration.step(5, { signal: AbortSignal.abort() }), { name: 'AbortError' });
  iteration.dispose();
  await assert.rejects(iteration.step(), { code: 'state', message: /disposed of/ });
});

test('a long iteration can be stopped; what was done stays', async (context) => {
  const gram = await filled(context), iteration = await gram.admm({ radius: 0.1 }), controller = new AbortController();
  context.after(() => iteration.dispose());
  setTimeout(() => controller.abort(), 30);
  await assert.rejects(iteration.step(100_000_000, { signal: controller.signal }), { name: 'AbortError' });
  assert.ok((await iteration.stats()).primal >= 0);
});
