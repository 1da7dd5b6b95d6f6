// What is measured elsewhere on all of MNIST (x / 255, a constant, uniform in [-1, 1), alpha = 10, one trial; by NumPy): test accuracies.
// And: a worker computes the same bits.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ElmClassifier, ReDense, RidgeClassifier, SlfnClassifier } from '../../bindings/estimators/index.js';
import { mnist } from '../../examples/mnist-data.js';
import { classifier, fresh, labelled } from './modelkit.js';

test('MNIST: linear 86.0 %, SLFN of ratio 2 94.5 %, ELM 95.5 %, each within 0.3', async () => {
  await fresh({ threads: undefined });
  const unit = ({ x, y }) => [{ ...x, scale: 1 / 255, offset: 0 }, y], train = unit(await mnist('train')), test = unit(await mnist('test'));
  for (const [one, expected] of [
    [new RidgeClassifier({ alpha: 1 }), 86.0], [new SlfnClassifier({ ratio: 2, alpha: 10, seed: 1 }), 94.5], [new ElmClassifier({ ratio: 2, alpha: 10, seed: 1 }), 95.5],
  ]) {
    const accuracy = 100 * await (await one.fit(...train)).score(...test);
    assert.ok(Math.abs(accuracy - expected) <= 0.3, `${one.type.kind}: ${accuracy}, expected ${expected}`);
    one.dispose();
  }
});

test('a worker computes the same bits', async () => {
  const { x, y } = labelled(80, 4, 3), files = [];
  for (const worker of [false, true]) {
    await fresh({ worker });
    const slfn = await new SlfnClassifier({ alphas: 'auto', seed: 2 }).fit(x, y), dual = await new RidgeClassifier({ solver: 'dual', seed: 4 }).fit(x, y);
    const net = await classifier(), redense = await new ReDense({ epochs: 5, seed: 3, chunk: 30 }).fit(net, x, y, { validationData: [x, y] });
    await slfn.partialFit(x, y);
    for (const one of [slfn, dual, redense]) files.push(await one.save('bytes'));
    files.push(await slfn.reconstruct(await slfn.hidden(x)));
    for (const one of [slfn, dual, redense, net]) one.dispose();
  }
  assert.deepEqual(files.slice(4), files.slice(0, 4));
  await fresh();
});
