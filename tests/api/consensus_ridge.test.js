// Linear maps and random features fitted together: the coefficients of a fit alone on all rows, whoever has which.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { consensusSolver, localTransport } from '../../bindings/consensus/index.js';
import { ElmRegressor, Ridge, RidgeClassifier, SlfnClassifier } from '../../bindings/estimators/index.js';
import { fresh, labelled, numbers, refuses } from './modelkit.js';

await fresh();

const rows = 240, n = 5, { x, y: labels } = labelled(rows, n, 3, 4), names = Array.from(labels, k => ['low', 'middle', 'high'][k]);
const noise = numbers(rows, 9), values = Float32Array.from(noise, (v, i) => 40 + 3 * x[i * n] - 2 * x[i * n + 3] ** 2 + 0.1 * v);
// Rows in the order of their first number, and far from zero: each member's own means lead astray.
const order = Array.from({ length: rows }, (_, i) => i).sort((a, b) => x[a * n] - x[b * n]);
/** @param {ArrayLike<any>} y */
const cut = (y, from, to, far = 7) => [
  { data: Float32Array.from(order.slice(from, to).flatMap(i => [...x.subarray(i * n, (i + 1) * n)]), v => v + far), shape: [to - from, n] },
  order.slice(from, to).map(i => y[i]),
];
const bounds = [[0, 40], [40, 110], [110, rows]], shards = (y, far) => bounds.map(([from, to]) => cut(y, from, to, far));
let rooms = 0;

/** Everybody's estimator after the fit. @param {() => any} make */
async function together(make, shards, { solver = { method: 'gram' }, join = {}, ...more } = {}) {
  const room = `ridge-${rooms++}`, transports = shards.map((_, m) => localTransport({ room, id: `m${m}` })), all = shards.map(make);
  const groups = await Promise.all(transports.map(t => t.join({ members: shards.length, ...join })));
  const results = await Promise.allSettled(all.map((one, m) => {
    const solve = { ...consensusSolver({ group: groups[m], ...solver }), seed: 5 }; // random weights are those of this seed
    return one.fit(...shards[m], { together: more.wrap?.(solve, m, transports[m]) ?? solve });
  }));
  await Promise.all(transports.map(t => t.close()));
  return { all, results };
}
const kernel = async one => [...(await one.model.getWeights())['output/kernel'].data, ...(await one.model.getWeights())['output/bias']?.data ?? []];
/** As large as their largest, how far apart. */
const apart = (a, b) => Math.max(...a.map((v, i) => Math.abs(v - b[i]))) / Math.max(...b.map(Math.abs));

const admm = { method: 'admm', type: 'float64', rounds: 2000, relativeTolerance: 1e-8, absoluteTolerance: 1e-10 };
for (const [name, make, y, solvers, far] of [
  ['Ridge', params => new Ridge({ alpha: 0.5, ...params }), values, [{ method: 'gram' }, admm, { ...admm, method: 'gossip', precision: 1e-10 }], 7],
  ['Ridge without intercept', params => new Ridge({ alpha: 0.5, fitIntercept: false, ...params }), values, [{ method: 'gram' }], 0],
  ['RidgeClassifier', params => new RidgeClassifier({ alpha: 0.5, ...params }), names, [{ method: 'gram' }], 7],
  ['ElmRegressor', params => new ElmRegressor({ alpha: 1, nodes: 16, ...params }), values, [{ method: 'gram' }], -0.5],
  ['SlfnClassifier', params => new SlfnClassifier({ alpha: 1, nodes: 16, ...params }), names, [{ method: 'gram' }, admm], -0.5],
]) {
  for (const solver of solvers) {
    test(`${name} by ${solver.method}: as alone on all rows`, async () => {
      const { all, results } = await together(() => make({}), shards(y, far), { solver });
      for (const { reason } of results) assert.equal(reason, undefined);
      const alone = await make({ seed: 5, solver: 'primal' }).fit(...cut(y, 0, rows, far)), expected = await kernel(alone);
      for (const one of all) {
        const error = apart(await kernel(one), expected);
        assert.ok(error < (solver.method === 'gram' ? 1e-4 : 2e-3), `${error}`);
        assert.deepEqual([one.report.solver, one.report.rows, one.classes], ['together', rows, alone.classes]);
        if (solver.method !== 'gossip') assert.deepEqual(await kernel(one), await kernel(all[0]));
      }
      [...all, alone].forEach(one => one.dispose());
    });
  }
}

test('the penalty is chosen by the rows that all hold out', async () => {
  for (const [make, y] of [[() => new Ridge({ alphas: 'auto' }), values], [() => new SlfnClassifier({ alphas: [1e-3, 1, 1e3], nodes: 40 }), names]]) {
    const { all, results } = await together(make, shards(y, -0.5));
    for (const { reason } of results) assert.equal(reason, undefined);
    const [{ path, alpha }] = all.map(one => one.report), least = path.errors.indexOf(Math.min(...path.errors));
    assert.equal(alpha, path.alphas[least]);
    for (const one of all) assert.deepEqual(one.report, all[0].report);
    const score = await all[0].score(...cut(y, 0, rows, -0.5));
    assert.ok(score > 0.9, `${score}`);
    all.forEach(one => one.dispose());
  }
});

test('a member that is lost takes its rows with it, out of the means too', async () => {
  const alone = await new Ridge({ alpha: 0.5 }).fit(...cut(values, 0, 110)), expected = await kernel(alone);
  for (const solver of [{ method: 'gram' }, { ...admm, method: 'gossip', precision: 1e-9 }]) {
    const { all, results } = await together(() => new Ridge({ alpha: 0.5 }), shards(values), {
      solver, join: { deadline: 1, onLoss: 'continue' },
      wrap: (solve, m, transport) => ({ ...solve, solve: async (...args) => {
        if (m === 2) await transport.close(); // after the means, before the sums
        return solve.solve(...args);
      } }),
    });
    assert.deepEqual(results.map(({ status }) => status), ['fulfilled', 'fulfilled', 'rejected']);
    for (const one of all.slice(0, 2)) {
      assert.equal(one.report.rows, 110);
      assert.ok(apart(await kernel(one), expected) < (solver.method === 'gram' ? 1e-4 : 2e-3));
    }
    all.forEach(one => one.dispose());
  }
  alone.dispose();
});

test('what can not be done together is refused', async () => {
  const [rowsOfAll] = shards(values), { results } = await together(() => new Ridge({ solver: 'dual' }), shards(values));
  for (const { reason } of results) assert.match(reason.message, /solver = "dual" needs the rows of all members/);
  for (const { reason } of (await together(() => new Ridge({ alphas: 'auto', selection: 'gcv' }), shards(values))).results) assert.match(reason.message, /"gcv" needs the sums of all/);
  await refuses(() => new Ridge().fit(...rowsOfAll, { together: {} }), 'argument', /together must come from consensusSolver/);
  const { all: [one] } = await together(() => new Ridge(), shards(values));
  await refuses(() => one.partialFit(...rowsOfAll), 'state', /left no sums \(it was dual, together/);
});
