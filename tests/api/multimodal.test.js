// The multimodal matrix autoencoder as a model: its options, what hangs on it, files, and training by both kinds of optimisers.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { constraints, load, losses, optimizers, regularizers } from '../../bindings/index.js';
import { recipes } from '../../bindings/recipes.js';
import { bits, fresh, numbers, refuses } from './modelkit.js';

before(() => fresh());

const options = { modalities: [[4, 3], [2, 5], [3, 3]], hidden: [[3, 2], [2, 2]], outputs: [1, 3], outputActivation: 'sigmoid', seed: 3 };
const rows = (count, shape, seed) => ({ shape: [count, ...shape], data: Float32Array.from(numbers(count * shape[0] * shape[1], seed), v => 0.1 + 0.8 * v) });

test('sizes are lists of pairs, or one pair, or all in one list', async () => {
  const net = await recipes.multimodalAutoencoder(options);
  assert.deepEqual(net.inputs.map(({ name, shape }) => [name, shape]), [['modality1', [4, 3]], ['modality2', [2, 5]], ['modality3', [3, 3]]]);
  assert.deepEqual(net.outputs, [{ name: 'decoder1', shape: [4, 3] }, { name: 'decoder3', shape: [3, 3] }]);
  const flat = await recipes.multimodalAutoencoder({ ...options, modalities: [4, 3, 2, 5, 3, 3], hidden: [3, 2, 2, 2] });
  assert.deepEqual(flat.description, net.description);
  const one = await recipes.multimodalAutoencoder({ modalities: [4, 3], hidden: [2, 3] });
  assert.deepEqual(one.outputs, [{ name: 'decoder1', shape: [4, 3] }]);
  for (const wrong of [[[4, 3, 2]], [4, 3, 2], [[4], [3]], [], 4, [[4, 3], 2]]) {
    await refuses(() => recipes.multimodalAutoencoder({ modalities: wrong }), 'argument', /modalities = .*expected an array of arrays of 2 integers 1\.\.65536/);
  }
  await refuses(() => recipes.multimodalAutoencoder({ modalities: [[4, 0]] }), 'argument', /modalities\[1\] = 0, expected an integer 1\.\.65536/);
  await refuses(() => recipes.multimodalAutoencoder({ ...options, outputs: [3, 1] }), 'argument', /outputs\[1\] = 1, expected 4\.\.3: ascending numbers of the 3 modalities/);
  await refuses(() => recipes.multimodalAutoencoder({ activation: 'relu', beta: 1 }), 'unsupported', /"hidden1".*klSparsity needs activations in \(0, 1\)/);
});

test('penalties come from the recipe, constraints and more are given by layer', async () => {
  const net = await recipes.multimodalAutoencoder({
    ...options, weightDecay: 0.01, rho: 0.2, beta: 0.1,
    layers: { encoder2: { kernelConstraint: constraints.unitNorm({ axis: 'row' }) }, decoder1: { trainable: false, kernelRegularizer: regularizers.l1() } },
  });
  const node = Object.fromEntries(net.description.nodes.map(one => [one.name, one]));
  const decay = { regularizer: 'l2', options: {} }; // 0.01 is the default
  assert.deepEqual(node.encoder1.weights, { kernel: { regularizer: decay } });
  assert.deepEqual(node.encoder2.weights.kernel.constraint.constraint, 'unitNorm');
  assert.deepEqual(node.encoder2.weights.kernel.regularizer, decay);
  assert.equal(node.decoder1.weights.kernel.regularizer.regularizer, 'l1');
  assert.ok(node.decoder1.weights.kernel.frozen && node.decoder1.weights.bias.frozen);
  assert.deepEqual(node.hidden1.activity, { activity: 'klSparsity', options: { rho: 0.2, beta: 0.1 } });
  assert.ok(node.hidden2.activity && !node.decoder3.activity && !node.modality1.weights);
  const back = await load(await net.save('bytes'));
  assert.deepEqual(back.description, net.description);
  await refuses(() => recipes.multimodalAutoencoder({ layers: { encoder6: {} } }), 'argument', /layers: unknown option "encoder6", did you mean "encoder\d"/);
  await refuses(() => recipes.multimodalAutoencoder({ layers: { encoder1: { rows: 3 } } }), 'argument', /layers\.encoder1: unknown option "rows"/);
  await refuses(() => recipes.lenet({ layers: { fc1: { kernelConstraint: 'unit' } } }), 'argument', /kernelConstraint: unknown constraint "unit"/);
});

test('it trains by Adam and by L-BFGS, with the same weights for any number of threads', { timeout: 60_000 }, async () => {
  const x = [rows(40, [4, 3], 1), rows(40, [2, 5], 2), rows(40, [3, 3], 3)], y = [x[0], x[2]];
  for (const optimizer of [optimizers.adam({ learningRate: 0.02 }), optimizers.lbfgs()]) {
    const trained = [];
    for (const threads of [1, 2]) {
      await fresh({ threads });
      const net = await recipes.multimodalAutoencoder({ ...options, weightDecay: 1e-5, beta: 1e-4 });
      await net.compile({ optimizer, loss: losses.meanSquaredError({ reduction: 'halfSum' }) });
      const { loss } = (await net.fit(x, y, { epochs: 30, batchSize: 20, seed: 1 })).history;
      assert.ok(loss.at(-1) < 0.95 * loss[0], `${optimizer.optimizer}: ${loss[0]} to ${loss.at(-1)}`);
      trained.push(await bits(net));
    }
    assert.deepEqual(trained[1], trained[0]);
  }
  await fresh();
});
