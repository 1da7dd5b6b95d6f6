import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readSafetensors, writeSafetensors } from '../../bindings/files/index.js';
import {
  apply, constraints, input, layers, load, losses, metrics, model, optimizers, regularizers, schedules, sequential,
} from '../../bindings/index.js';
import { bits, fresh, labelled, numbers, refuses } from './modelkit.js';

await fresh();

/** Everything that hangs on layers, trained a little. */
async function trained() {
  const net = await sequential([
    layers.input({ shape: [4, 5] }),
    layers.bilinear({ rows: 3, cols: 4, activation: 'sigmoid', kernelConstraint: constraints.unitNorm({ axis: 'row' }), activityRegularizer: regularizers.klSparsity() }),
    layers.flatten(), layers.dropout({ rate: 0.25 }),
    layers.dense({ units: 3, activation: 'softmax', kernelRegularizer: regularizers.l2({ amount: 0.01 }), learningRateFactor: 0.5, name: 'out' }),
  ], { seed: 11, name: 'small' });
  await net.compile({
    optimizer: optimizers.adam({ learningRate: schedules.exponential({ initialLearningRate: 0.01, rate: 0.9 }) }),
    loss: losses.sparseCategoricalCrossentropy(), metrics: ['accuracy', metrics.topK({ k: 2 })],
  });
  await net.fit(x, y, { epochs: 2, batchSize: 8 });
  return net;
}

const { x, y } = labelled(24, 20, 3);

test('a saved model comes back bit for bit, and training goes on', async () => {
  const net = await trained(), preprocessing = { mean: 0.5, classes: ['a', 'b', 'c'] };
  const bytes = await net.save('bytes', { preprocessing, metadata: { note: 'ü' } }), back = await load(bytes);
  assert.deepEqual(back.description, net.description);
  assert.deepEqual(await bits(back), await bits(net));
  assert.deepEqual(await back.predict(x), await net.predict(x));
  assert.deepEqual(await back.evaluate(x, y), await net.evaluate(x, y));
  assert.equal(back.summary(), net.summary());
  assert.deepEqual([back.preprocessing, back.metadata], [preprocessing, { note: 'ü' }]);
  assert.deepEqual(await back.save('bytes'), bytes, 'saved again, the same file');
  assert.equal((await load(await back.save('bytes', { metadata: null }))).metadata, null);
  // a fit begins afresh in both if the optimiser does
  await net.compile({
    optimizer: optimizers.adam({ learningRate: schedules.exponential({ initialLearningRate: 0.01, rate: 0.9 }) }),
    loss: losses.sparseCategoricalCrossentropy(), metrics: ['accuracy', metrics.topK({ k: 2 })],
  });
  const options = { epochs: 3, batchSize: 8, seed: 2 };
  assert.deepEqual((await back.fit(x, y, options)).history, (await net.fit(x, y, options)).history);
  assert.deepEqual(await bits(back), await bits(net));
  net.dispose();
  back.dispose();
});

test('the file is plain safetensors: weights by name, the description in its metadata', async () => {
  const net = await trained(), { tensors, metadata } = readSafetensors(await net.save('bytes')), weights = await net.getWeights();
  assert.deepEqual([...tensors.keys()].sort(), Object.keys(weights).sort());
  for (const [name, { data, shape }] of Object.entries(weights)) {
    assert.deepEqual(tensors.get(name).shape, shape);
    assert.deepEqual(Float32Array.from(tensors.get(name).data), data);
  }
  assert.deepEqual(JSON.parse(metadata.heddle).model, net.description);
  net.dispose();
});

test('targets and sources: Blob, path, graph models, models that are not compiled', async () => {
  const a = input({ shape: [2], name: 'a' }), b = input({ shape: [2], name: 'b' });
  const net = await model({ inputs: [b, a], outputs: [apply(layers.dense({ units: 2, name: 'y' }), apply(layers.add(), [a, b])), apply(layers.concat(), [a, b])] });
  const data = [numbers(8, 1), numbers(8, 2)], expected = await net.predict(data), folder = mkdtempSync(join(tmpdir(), 'heddle-'));
  try {
    const path = join(folder, 'net.safetensors');
    await net.save(path);
    for (const source of [path, await net.save('blob'), new Response(await net.save('blob'))]) {
      const back = await load(source);
      assert.deepEqual(await back.predict(data), expected);
      await refuses(() => back.evaluate(data, data), 'state', /not compiled/);
      back.dispose();
    }
    await refuses(() => load(join(folder, 'none')), 'storage', /none/);
    await refuses(() => net.save('ftp://x'), 'argument', /ftp/);
    await refuses(() => net.save('bytes', { metdata: 1 }), 'argument', /did you mean "metadata"/);
    await refuses(() => net.save('bytes', { metadata: { when: new Date() } }), 'argument', /metadata\.when: expected plain JSON, got Date/);
    await refuses(() => net.save('bytes', { preprocessing: { mean: NaN } }), 'argument', /preprocessing\.mean.*NaN/);
  } finally {
    rmSync(folder, { recursive: true });
  }
  net.dispose();
});

test('with the optimiser in the file training goes on to the same bits, from the end of any epoch', async () => {
  const options = { batchSize: 7, seed: 5 }, files = [], whole = await trained();
  const kinds = [optimizers.adam({ learningRate: schedules.cosine({ initialLearningRate: 0.02 }) }), optimizers.sgd({ learningRate: 0.1, momentum: 0.9 })];
  for (const optimizer of kinds) {
    const loss = losses.sparseCategoricalCrossentropy();
    await whole.compile({ optimizer, loss, metrics: ['accuracy'] });
    files.length = 0;
    const all = await whole.fit(x, y, { ...options, epochs: 6, onEpochEnd: async () => { files.push(await whole.save('bytes', { includeOptimizer: true })); } });
    for (const [epoch, file] of files.entries()) {
      const back = await load(file);
      assert.deepEqual(await back.save('bytes', { includeOptimizer: true }), file, 'saved again, the same file');
      const rest = await back.fit(x, y, { ...options, initialEpoch: epoch + 1, epochs: 6 });
      assert.deepEqual(rest.history.loss ?? [], all.history.loss.slice(epoch + 1));
      assert.deepEqual(await bits(back), await bits(whole), `${optimizer.optimizer} from epoch ${epoch + 1}`);
      back.dispose();
    }
    const without = await load(await whole.save('bytes'));
    assert.equal(readSafetensors(await without.save('bytes', { includeOptimizer: true })).tensors.get('optimizer/0/out/kernel').data.every(value => value === 0), true, 'left out, moments begin at zero');
    without.dispose();
  }
  whole.dispose();
  const plain = await sequential([layers.input({ shape: [2] }), layers.dense({ units: 1 })]);
  await refuses(() => plain.save('bytes', { includeOptimizer: true }), 'state', /not compiled/);
  plain.dispose();
});

test('a damaged optimiser state is refused with what is wrong', async () => {
  const net = await trained(), { tensors, metadata } = readSafetensors(await net.save('bytes', { includeOptimizer: true })), content = JSON.parse(metadata.heddle);
  const changed = (name, tensor, optimizer = content.optimizer) => {
    const copy = new Map(tensors);
    if (tensor) copy.set(name, tensor);
    else copy.delete(name);
    return writeSafetensors(copy, { heddle: JSON.stringify({ ...content, optimizer }) });
  };
  const kernel = 'optimizer/1/out/kernel', { shape, data } = tensors.get(kernel), mean = [...tensors.keys()].find(name => name.startsWith('optimizer/mean/'));
  for (const [file, message] of [
    [changed(kernel, null), /no "optimizer\/1\/out\/kernel"/],
    [changed(kernel, { shape: [...shape].reverse(), data }), /has shape/],
    [changed(kernel, { shape, data: new Float32Array(data.length).fill(NaN) }), /slot 1 of weight out\/kernel is not finite/],
    [changed(mean, { shape: tensors.get(mean).shape, data: tensors.get(mean).data.map(() => Infinity) }), /mean activity of .* is not finite/],
    [changed(kernel, { shape, data }, { step: -1, slots: 2 }), /step = -1/], [changed(kernel, { shape, data }, { step: 1, slots: 3 }), /state is damaged/],
    [changed(kernel, { shape, data }, 7), /state is damaged/],
  ]) await refuses(() => load(file), 'file', message);
  net.dispose();
});

test('damaged files are refused with what is wrong', async () => {
  const net = await trained(), bytes = await net.save('bytes'), { tensors, metadata } = readSafetensors(bytes);
  const content = JSON.parse(metadata.heddle);
  const changed = (change, weights = tensors) => {
    const copy = structuredClone(content);
    change(copy);
    return writeSafetensors(weights, { heddle: JSON.stringify(copy) });
  };
  const without = new Map([...tensors].slice(1)), bent = new Map([...tensors].map(([name, tensor]) => [name, name === 'out/bias' ? { shape: [1], data: new Float32Array(1) } : tensor]));
  const nan = new Map([...tensors].map(([name, tensor]) => [name, name === 'out/bias' ? { shape: [3], data: Float32Array.of(0, NaN, 0) } : tensor]));
  const cases = [
    [bytes.slice(0, 100), 'file', /./], [new Uint8Array(3), 'file', /3 bytes/],
    [writeSafetensors(tensors), 'file', /no description of a heddle model/],
    [writeSafetensors(tensors, { heddle: '{' }), 'file', /description is damaged/],
    [writeSafetensors(tensors, { heddle: '[]' }), 'file', /no object/],
    [changed(c => { c.version = 2; }), 'unsupported', /version 2.*version 1/],
    [changed(c => { delete c.model; }), 'file', /description of the model is missing/],
    [changed(c => { c.model.seed = -1; }), 'file', /seed/],
    [changed(c => { c.model.nodes = []; }), 'file', /no nodes/],
    [changed(c => { c.model.nodes[1].layer = 'bilinaer'; }), 'file', /"bilinaer", did you mean "bilinear"/],
    [changed(c => { c.model.nodes[1].options.rows = 1e9; }), 'file', /rows = 1000000000/],
    [changed(c => { c.model.nodes[1].inputs = ['nobody']; }), 'file', /no node "nobody"/],
    [changed(c => { c.model.nodes[1].inputs = [7]; }), 'file', /inputs must be a list of names/],
    [changed(c => { c.model.nodes[0].shape = [4]; }), 'file', /bilinear/],
    [changed(c => { c.model.nodes[0].extra = 1; }), 'file', /extra/],
    [changed(c => { c.model.outputs = ['nobody']; }), 'file', /no node "nobody"/],
    [changed(c => { c.compile.losses[0].spec.loss = 'x'; }), 'file', /unknown loss "x"/],
    [changed(c => { c.compile.losses[0].output = 'x'; }), 'file', /no output "x"/],
    [changed(c => { c.compile.losses = 1; }), 'file', /compiled for is damaged/],
    [changed(() => {}, without), 'file', /is missing/], [changed(() => {}, bent), 'file', /out\/bias/], [changed(() => {}, nan), 'file', /out\/bias.*NaN/],
  ];
  for (const [file, code, message] of cases) await refuses(() => load(file), code, message);
  net.dispose();
});
