// Every estimator gives the same file for 1 and 3 threads, here and in a worker.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Dkn, ElmRegressor, Hnf, ReDense, Ridge, SlfnClassifier, Ssfn } from '../../bindings/estimators/index.js';
import { labelled, mlp, threaded } from './modelkit.js';

const rows = 300, size = 40, { x: flat, y } = labelled(rows, size, 3, 5), x = { data: flat, shape: [rows, size] }, values = Float32Array.from(flat.subarray(0, rows));

const kinds = {
  Ridge: () => new Ridge({ alphas: 'auto', seed: 1 }).fit(x, values), 'Ridge, dual': () => new Ridge({ seed: 1, solver: 'dual', alphas: 'auto', selection: 'gcv' }).fit(x, values),
  Elm: () => new ElmRegressor({ nodes: 90, seed: 1, distribution: 'orthogonal' }).fit(x, values),
  Slfn: async () => (await new SlfnClassifier({ nodes: 60, seed: 1 }).fit(x, y)).grow(120, x, y),
  Ssfn: () => new Ssfn({ nodes: 80, maxLayers: 2, seed: 1 }).fit(x, y), 'Ssfn by ADMM': () => new Ssfn({ nodes: 80, maxLayers: 1, solver: 'admm', seed: 1 }).fit(x, y),
  Hnf: () => new Hnf({ maxLayers: 1, transform: 'random', seed: 1 }).fit(x, y),
  Dkn: () => new Dkn({ maxLayers: 2, nodes: 20, kernel: 'arcCosine1', seed: 1 }).fit(x, y),
  ReDense: async () => {
    const base = await mlp(size, 30, 3, { activation: 'softmax' }), one = await new ReDense({ epochs: 5, seed: 1 }).fit(base, x, y);
    base.dispose();
    return one;
  },
};

for (const [name, make] of Object.entries(kinds)) {
  test(`${name}: the same bits with threads and in a worker`, { timeout: 120_000 }, async () => {
    const files = [];
    for (const place of [{ threads: 1 }, { threads: 3 }, { threads: 2, worker: true }]) {
      await threaded(place);
      const one = await make();
      files.push(Buffer.from(await one.save('bytes')));
      one.dispose();
    }
    assert.deepEqual(files.map(file => file.equals(files[0])), [true, true, true]);
  });
}
