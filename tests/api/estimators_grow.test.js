// Random features that grow: with the sums of old features kept, the same as a fit with all of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ElmClassifier, ElmRegressor, SlfnClassifier, SlfnRegressor, loadEstimator } from '../../bindings/estimators/index.js';
import { Gram } from '../../bindings/solvers.js';
import { close, fresh, labelled, numbers, refuses } from './modelkit.js';

await fresh();

const { x: flat, y: labels } = labelled(500, 6, 3, 3), x = { data: flat, shape: [500, 6] };
const values = { data: numbers(1000, 8).map((v, i) => v + flat[Math.floor(i / 2) * 6 + i % 2]), shape: [500, 2] };
const kernels = async one => [(await one.model.getWeights())['output/kernel'].data, Object.entries(await one.model.getWeights()).find(([name]) => name !== 'output/kernel')[1].data];

for (const [Kind, y] of [[ElmRegressor, values], [SlfnRegressor, values], [ElmClassifier, labels], [SlfnClassifier, labels]]) {
  for (const more of [{}, { alphas: [1e-2, 1, 100], selection: 'gcv', bias: false, distribution: 'normal' }]) {
    test(`${Kind.kind}${more.alphas ? ', its penalty by GCV' : ''}: grown twice it is what a fit with as many nodes is`, async () => {
      const params = { alpha: 1, seed: 5, ...more }, grown = await new Kind({ ...params, nodes: 10 }).fit(x, y), whole = await new Kind({ ...params, nodes: 36 }).fit(x, y);
      await grown.grow(24, x, y);
      await grown.grow(36, x, y);
      const [output, random] = await kernels(grown), [expected, same] = await kernels(whole), largest = Math.max(...expected.map(Math.abs));
      assert.deepEqual(random, same);
      close(output, expected, 1e-4 * largest, 'output');
      const { alpha, path, ...facts } = grown.report, { alpha: _, path: known, ...others } = whole.report;
      assert.deepEqual([facts, grown.getParams()], [others, whole.getParams()]);
      if (path) close(path.errors, known.errors, 1e-4 * known.errors[0], 'GCV');
      await grown.partialFit(x, y); // the sums are whole, too
      await whole.partialFit(x, y);
      assert.equal(grown.report.rows, 1000);
      close((await kernels(grown))[0], (await kernels(whole))[0], 1e-4 * largest, 'after more rows');
      grown.dispose();
      whole.dispose();
    });
  }
}

test('of sums only those with new features are made', async () => {
  const wide = { data: Float32Array.from({ length: 400 * 8 }, (_, i) => Math.fround(flat[i % 3000] - 0.4)), shape: [400, 8] }, t = numbers(400, 2);
  const [whole, grown] = [0, 1].map(() => new Gram({ features: 8, targets: 1 }));
  await whole.add(wide, t);
  const { g, c, ...totals } = await whole.values(), zeros = { g: new Float64Array(64), c: new Float64Array(8) };
  for (let i = 0; i < 3; i++) {
    zeros.c[i] = c[i];
    for (let j = 0; j <= i; j++) zeros.g[i * 8 + j] = g[i * 8 + j] + 1000; // to see that nothing is added to it
  }
  await grown.set({ ...zeros, ...totals });
  await grown.add(wide, t, { known: 3 });
  const now = await grown.values();
  assert.deepEqual([now.samples, now.targetSquares], [400, totals.targetSquares]);
  close(now.c, c, 1e-4, 'c');
  for (let i = 0; i < 8; i++) for (let j = 0; j <= i; j++) assert.ok(Math.abs(now.g[i * 8 + j] - g[i * 8 + j] - (i < 3 ? 1000 : 0)) < 1e-4, `${i}, ${j}`);
  await refuses(() => grown.add(wide, t, { known: 8 }), 'argument', /known = 8, expected fewer than the 8 features/);
  whole.dispose();
  grown.dispose();
});

test('what can not grow is refused, and stays as it was', async () => {
  const one = await new SlfnRegressor({ nodes: 10, seed: 1 }).fit(x, values), before = await one.save('bytes');
  await refuses(() => one.grow(10, x, values), 'argument', /nodes = 10, expected more than the 10 there are/);
  await refuses(() => one.grow(13, x, values), 'argument', /nodes = 13, expected an even number/);
  await refuses(() => one.grow(20, { data: flat.subarray(0, 60), shape: [10, 6] }, { data: values.data.subarray(0, 20), shape: [10, 2] }), 'shape', /x has 10 rows, expected the 500/);
  await assert.rejects(one.grow(20, x, values, { signal: AbortSignal.abort() }), { name: 'AbortError' });
  const stop = new AbortController();
  await assert.rejects(one.grow(20, x, values, { signal: stop.signal, onProgress: () => stop.abort() }), { name: 'AbortError' });
  assert.deepEqual(await one.save('bytes'), before);
  await one.grow(20, x, values);
  assert.equal((await one.hidden(x)).shape[1], 20);
  const back = await loadEstimator(before);
  await refuses(() => back.grow(20, x, values), 'state', /no fit before left sums/);
  const orthonormal = await new ElmRegressor({ nodes: 10, distribution: 'orthogonal', seed: 1 }).fit(x, values);
  await refuses(() => orthonormal.grow(20, x, values), 'unsupported', /orthonormal/);
  const held = await new ElmRegressor({ nodes: 10, alphas: 'auto', seed: 1 }).fit(x, values);
  await refuses(() => held.grow(20, x, values), 'unsupported', /chosen by rows held out/);
  [one, back, orthonormal, held].forEach(each => each.dispose());
});
