// Networks that grow together: the same layers as alone on all rows, whoever has which rows and classes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { consensusSolver, localTransport } from '../../bindings/consensus/index.js';
import { Hnf, Ssfn } from '../../bindings/estimators/index.js';
import { labelled } from './modelkit.js';

const classes = ['high', 'low', 'middle'], { x, y } = labelled(300, 6, 3, 5);
const cut = (from, to) => [{ data: x.slice(6 * from, 6 * to), shape: [to - from, 6] }, Array.from(y.subarray(from, to), (k) => classes[k])];
const params = { nodes: 24, maxLayers: 3, layerThreshold: 0, alpha: 1, ridge: 0.1 };
let rooms = 0;

/** Everybody's estimator after the fit. @param {(params: object) => any} make */
async function together(make, shards, options) {
  const room = `grow-${rooms++}`, transports = shards.map((_, m) => localTransport({ room, id: `m${m}` })), all = shards.map(() => make(params));
  const groups = await Promise.all(transports.map((t) => t.join({ members: shards.length, ...options.join })));
  const results = await Promise.allSettled(all.map((one, m) => one.fit(...shards[m], {
    together: consensusSolver({ group: groups[m], ...options.solver }), onProgress: (progress) => options.onProgress?.(m, progress, transports[m]),
  })));
  await Promise.all(transports.map((t) => t.close()));
  return { all, results, seed: groups[0].seed };
}
const scoresOf = async (one) => [...(await one.model.predict(cut(0, 300)[0])).data];

for (const [name, make] of [
  ['SSFN', (all) => new Ssfn(all)], ['SSFN that grows node by node', (all) => new Ssfn({ ...all, growNodes: { step: 8, threshold: 0.001 } })],
  ['HNF', ({ nodes: _, alpha: __, ...all }) => new Hnf(all)],
]) {
  const admm = { method: 'admm', type: 'float64', rounds: 800, relativeTolerance: 1e-6, absoluteTolerance: 1e-8 };
  for (const solver of name === 'SSFN' ? [{ method: 'gram' }, admm] : [{ method: 'gram' }]) {
    test(`${name} of three layers by ${solver.method}: the same for all, and as alone on all rows with the same seed`, async () => {
      const { all, results, seed } = await together(make, [cut(0, 60), cut(60, 140), cut(140, 300)], { solver });
      for (const { reason } of results) assert.equal(reason, undefined);
      const alone = make({ ...params, seed });
      await alone.fit(...cut(0, 300));
      assert.equal(all[0].report.layers.length, 4);
      const expected = await scoresOf(alone), accuracy = await alone.score(...cut(0, 300));
      for (const one of all) {
        assert.deepEqual(one.report.layers.map(({ cost, trainAccuracy, nodes }) => [cost, trainAccuracy, nodes]), all[0].report.layers.map(({ cost, trainAccuracy, nodes }) => [cost, trainAccuracy, nodes]));
        (await scoresOf(one)).forEach((score, i) => assert.ok(Math.abs(score - expected[i]) < 1e-3, `${score}, ${expected[i]}`));
        assert.ok(Math.abs(await one.score(...cut(0, 300)) - accuracy) <= 1e-3);
      }
      all[0].report.layers.forEach(({ cost, trainAccuracy }, i) => {
        assert.ok(Math.abs(cost / alone.report.layers[i].cost - 1) < 1e-3 && Math.abs(trainAccuracy - alone.report.layers[i].trainAccuracy) <= 0.004);
      });
      [...all, alone].forEach((one) => one.dispose());
    });
  }
}

test('members with other classes learn all of them; one that is lost on the way leaves a network of the others', async () => {
  const order = Array.from(y, (k, i) => [k, i]).sort(([a], [b]) => a - b).map(([, i]) => i), sorted = (from, to) => [
    { data: Float32Array.from(order.slice(from, to).flatMap((i) => [...x.subarray(6 * i, 6 * i + 6)])), shape: [to - from, 6] }, order.slice(from, to).map((i) => classes[y[i]]),
  ];
  const { all, results } = await together((more) => new Ssfn(more), [sorted(0, 120), sorted(120, 220), sorted(220, 300)], {
    solver: { method: 'gram' }, join: { deadline: 1, onLoss: 'continue' },
    onProgress: (m, { phase, done }, transport) => { if (m === 2 && phase === 'layer' && done === 1) void transport.close(); },
  });
  assert.deepEqual([results[0].status, results[1].status, results[2].reason?.code], ['fulfilled', 'fulfilled', 'state']);
  assert.equal(all[0].report.layers.length, 4);
  assert.deepEqual(await scoresOf(all[0]), await scoresOf(all[1]));
  assert.equal(new Set(await all[0].predict(cut(0, 300)[0])).size, 3);
  await assert.rejects(new Ssfn().fit(...cut(0, 30), { together: {} }), { code: 'argument', message: /together must come from consensusSolver/ });
  all.forEach((one) => one.dispose());
});
