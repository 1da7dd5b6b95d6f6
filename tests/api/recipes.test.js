// Named networks: ordinary models that can be saved, looked into, trained, cut and gone on with.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { apply, input, layers, load, model, sequential } from '../../bindings/index.js';
import { extend, recipes } from '../../bindings/recipes.js';
import { tables } from '../../bindings/tables.js';
import { bits, fresh, labelled, numbers, places, refuses } from './modelkit.js';

before(() => fresh());

const images = (rows, shape, seed = 1) => ({ shape: [rows, ...shape], data: numbers(rows * shape.reduce((a, b) => a * b), seed) });

test('a recipe is the model that one would draw by hand', async () => {
  const conv = (name, filters, rest) => layers.conv2d({ filters, kernelSize: 5, strides: 1, activation: 'relu', name, ...rest });
  const pool = (name) => layers.maxPool2d({ poolSize: 2, strides: 2, name });
  const drawn = await sequential([
    layers.input({ shape: [28, 28, 1], name: 'input' }), conv('conv1', 6, { padding: 'explicit', pads: 2 }), pool('pool1'), conv('conv2', 16), pool('pool2'),
    layers.flatten({ name: 'flatten' }), layers.dense({ units: 120, activation: 'relu', name: 'fc1' }), layers.dense({ units: 84, activation: 'relu', name: 'fc2' }),
    layers.dense({ units: 7, activation: 'softmax', name: 'fc3' })], { name: 'lenet', seed: 3 });
  const net = await recipes.lenet({ classes: 7, seed: 3 });
  assert.deepEqual(net.description, drawn.description);
  assert.deepEqual(JSON.parse(JSON.stringify(net.description)), net.description);
  assert.deepEqual(await bits(net), await bits(drawn));
  assert.match(net.summary(), /^Model: "lenet"\n[^]*conv2 \(conv2d\) +\(None, 10, 10, 16\)/);
});

test('every recipe for images is built, predicts, and comes back from a file as it was', { timeout: 120_000 }, async () => {
  const small = { // the smallest that makes sense; the large ones without their widest stages
    alexnetFeatures: [63, 63, 3], vgg16Features: [32, 32, 3], mobilenetV2: [32, 32, 3], resnet18: [32, 32, 3], resnet34: [32, 32, 3], resnet50: [32, 32, 3],
    resnext101_32x8d: [32, 32, 3], lenet: [28, 28, 1], cifarCnn: [20, 20, 3], cifarResnet20: [8, 8, 3], cifarResnet56: [8, 8, 3],
  };
  assert.deepEqual(Object.keys(small).sort(), Object.keys(recipes).filter(name => tables.recipe[name].options.inputShape).sort());
  for (const [name, inputShape] of Object.entries(small)) {
    const { options } = tables.recipe[name];
    const net = await recipes[name]({ inputShape, seed: 1, ...options.until && { until: 'layer2' }, ...options.classes && !options.until && { classes: 4 } });
    assert.equal(net.name, name);
    const x = images(2, inputShape), y = await net.predict(x);
    assert.ok(y.data.every(Number.isFinite) && new Set(y.data).size > 1, name);
    if (name === 'vgg16Features') continue; // 59 MB
    const file = await net.save('bytes'), back = await load(file);
    assert.deepEqual(back.description, net.description);
    assert.deepEqual(await back.predict(x), y, name);
    net.dispose();
    back.dispose();
  }
});

test('so are those whose inputs are no images', async () => {
  const others = Object.keys(recipes).filter(name => !tables.recipe[name].options.inputShape);
  assert.ok(others.includes('monotonicTransformer') && others.includes('mixedDataset'));
  for (const name of others) {
    const net = await recipes[name]({ seed: 1 }), own = net.inputs.map(({ shape }) => images(3, shape)), x = own.length > 1 ? own : own[0], y = await net.predict(x);
    assert.ok([y].flat().every(({ data }) => data.every(Number.isFinite)) && [y].flat().some(({ data }) => new Set(data).size > 1), name);
    const back = await load(await net.save('bytes'));
    assert.deepEqual(back.description, net.description);
    assert.deepEqual(await back.predict(x), y, name);
    net.dispose();
    back.dispose();
  }
});

test('shortcuts of option A: every other pixel, zeros in further channels', async () => {
  const net = await sequential([layers.input({ shape: [3, 4, 2] }), layers.subsamplePad({ channels: 5 })]), x = Float32Array.from({ length: 24 }, (_, i) => i + 1);
  const { data, shape } = await net.predict({ data: x, shape: [1, 3, 4, 2] });
  assert.deepEqual(shape, [1, 2, 2, 5]);
  assert.deepEqual([...data], [0, 1, 2, 0, 0, 0, 5, 6, 0, 0, 0, 17, 18, 0, 0, 0, 21, 22, 0, 0]);
  await refuses(() => sequential([layers.input({ shape: [3, 4, 2] }), layers.subsamplePad({ channels: 1 })]), 'shape', /channels = 1, expected at least the input's 2/);
  await refuses(() => sequential([layers.input({ shape: [3, 4] }), layers.subsamplePad({ channels: 4 })]), 'shape', /input is \[3, 4\], expected height, width and channels/);
});

test('outputs in between have names', async () => {
  const net = await recipes.resnet18({ inputShape: [64, 48, 3], classes: 0, seed: 2 }), x = images(2, [64, 48, 3]);
  const [three, last, usual] = [...await net.predict(x, { output: ['layer3', 'layer4'] }), await net.predict(x)];
  assert.deepEqual([three.shape, last.shape], [[2, 4, 3, 256], [2, 2, 2, 512]]);
  assert.deepEqual(last, usual);
  await refuses(() => net.predict(x, { output: 'layer5' }), 'argument', /no node "layer5", did you mean "layer\d"/);
  const cut = await recipes.resnet18({ inputShape: [64, 48, 3], until: 'layer3', seed: 2 });
  assert.deepEqual(cut.outputs, [{ name: 'layer3', shape: [4, 3, 256] }]);
});

test('in a worker the same bits as in-process', async () => {
  const made = [];
  for (const { worker } of places) {
    await fresh({ worker });
    const base = await recipes.cifarResnet20({ seed: 9, inputShape: [8, 8, 3] });
    const net = await extend(base, [layers.flatten(), layers.dense({ units: 2 })], { from: 'layer2' });
    made.push({ bits: await bits(net), values: await net.predict(images(1, [8, 8, 3])) });
  }
  assert.deepEqual(made[1], made[0]);
  await fresh();
});

test('preprocessing is in the model: pixels in, the same values as prepared ones', async () => {
  const shape = [32, 32, 3], pixels = { shape: [1, ...shape], data: Uint8Array.from(numbers(3072), (v) => Math.floor(256 * v)) };
  const mean = [0.485, 0.456, 0.406], deviation = [0.229, 0.224, 0.225], bgr = [103.939, 116.779, 123.68];
  const prepare = {
    torchvision: (p, c) => (p[c] / 255 - mean[c]) / deviation[c], tensorflow: (p, c) => p[c] / 127.5 - 1, caffe: (p, c) => p[2 - c] - bgr[c],
  };
  for (const [preprocessing, value] of Object.entries(prepare)) {
    const net = await recipes.cifarResnet20({ preprocessing, classes: 0, seed: 1 });
    const { data } = await net.predict(pixels, { output: 'preprocessing' });
    for (let i = 0; i < 1024; i++) {
      for (let c = 0; c < 3; c++) {
        const expected = value(pixels.data.subarray(3 * i, 3 * i + 3), c);
        assert.ok(Math.abs(data[3 * i + c] - expected) <= 1e-4 * (1 + Math.abs(expected)), `${preprocessing} ${i} ${c}`);
      }
    }
  }
});

test('the CIFAR network trains', { timeout: 60_000 }, async () => {
  const net = await recipes.cifarCnn({ inputShape: [16, 16, 3], padding: 'same', classes: 3, dropout: false, seed: 1 });
  const { x, y } = labelled(60, 768, 3);
  for (let i = 0; i < 60; i++) x.subarray(768 * i, 768 * (i + 1)).forEach((v, k, row) => { row[k] = 0.2 * v + (k % 3 === y[i] ? 0.6 : 0); });
  await net.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  await net.fit(x, y, { epochs: 6, batchSize: 10, seed: 1 });
  assert.equal((await net.evaluate(x, y)).accuracy, 1);
});

test('wrong options are refused with what was expected', async () => {
  await refuses(() => recipes.resnet18({ class: 10 }), 'argument', /recipes\.resnet18: unknown option "class", did you mean "classes"/);
  await refuses(() => recipes.resnet18({ classes: -1 }), 'argument', /recipes\.resnet18: classes = -1, expected an integer 0\.\.65536/);
  await refuses(() => recipes.resnet50({ until: 'layer6' }), 'argument', /until = "layer6", did you mean "layer\d"/);
  await refuses(() => recipes.resnet18({ name: 5 }), 'argument', /name must be a string/);
  await refuses(() => recipes.resnet18({ seed: -1 }), 'argument', /recipes\.resnet18: seed = -1/);
  await refuses(() => recipes.lenet({ inputShape: [28, 28] }), 'shape', /recipe lenet: inputShape has 2 values, expected height, width and channels/);
  await refuses(() => recipes.lenet({ preprocessing: 'torchvision' }), 'shape', /recipe lenet: inputShape has 1 channels, expected 3 \(RGB\)/);
  await refuses(() => recipes.alexnetFeatures({ inputShape: [16, 16, 3] }), 'shape', /"features\.\d+" \(\w+\)/);
});

const backbone = (options) => recipes.resnet18({ inputShape: [32, 32, 3], classes: 5, seed: 4, ...options });
const head = () => [layers.globalAveragePool2d(), layers.dense({ units: 3, activation: 'softmax', name: 'head' })];
const of = (list, pattern) => list.filter((line) => pattern.test(line));

test('extend: a head on a frozen backbone; training moves the head alone', { timeout: 60_000 }, async () => {
  const base = await backbone(), net = await extend(base, head(), { from: 'layer2', freeze: true, name: 'mine' });
  const x = images(6, [32, 32, 3]), before = await bits(net);
  assert.equal(net.name, 'mine');
  assert.deepEqual(of(before, /^layer2\.1/), of(await bits(base), /^layer2\.1/));
  assert.deepEqual(await net.predict(x, { output: 'layer2' }), await base.predict(x, { output: 'layer2' }));
  assert.ok(!net.layers.some(({ name }) => /^layer3|^fc$/.test(name)));
  assert.ok(net.layers.filter(({ name }) => name !== 'head').every(({ parameters, frozenParameters }) => parameters === frozenParameters));
  await net.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' });
  await net.fit(x, [0, 1, 2, 0, 1, 2], { epochs: 2, batchSize: 3, seed: 1 });
  const after = await bits(net), changed = after.filter((line, i) => line !== before[i]).map((line) => line.split(' ')[0]);
  assert.deepEqual(changed.sort(), ['head/bias', 'head/kernel']);
  const back = await load(await net.save('bytes'));
  assert.deepEqual(await back.predict(x), await net.predict(x));
});

test('extend: freeze up to a node leaves the rest to be trained', { timeout: 60_000 }, async () => {
  const net = await extend(await backbone(), head(), { from: 'layer2', freeze: 'layer1' }), before = await bits(net);
  await net.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' });
  await net.fit(images(6, [32, 32, 3]), [0, 1, 2, 0, 1, 2], { batchSize: 3, seed: 1 });
  const after = await bits(net), changed = after.filter((line, i) => line !== before[i]);
  assert.ok(of(changed, /^(conv1|bn1|layer1)/).length === 0 && of(changed, /^layer2\.0\.conv1/).length === 1 && of(changed, /^layer2\.0\.bn1/).length === 4);
});

test('extend: a function draws any graph, new inputs too; names of dropped nodes are free', async () => {
  const base = await backbone(), extra = input({ shape: [2], name: 'extra' });
  const net = await extend(base, (node) => {
    const pooled = ['layer1', 'layer2'].map((name) => apply(layers.globalAveragePool2d(), node(name)));
    return [apply(layers.dense({ units: 5, name: 'fc' }), apply(layers.concat(), [...pooled, extra])), node('layer1')];
  });
  assert.deepEqual(net.inputs.map(({ name }) => name), ['input', 'extra']);
  assert.deepEqual(net.outputs.map(({ name, shape }) => [name, shape]), [['fc', [5]], ['layer1', [8, 8, 64]]]);
  assert.deepEqual((await net.getWeights())['fc/kernel'].shape, [5, 194]);
  assert.deepEqual(of(await bits(net), /^layer1/), of(await bits(base), /^layer1/));
  const drawn = await model({ inputs: extra, outputs: apply(layers.dense({ units: 1 }), extra) });
  assert.equal((await extend(drawn, [layers.dense({ units: 2 })])).layers.length, 3);
});

test('extend: mistakes are named', async () => {
  const base = await backbone();
  await refuses(() => extend(base, head(), { from: 'layer9' }), 'argument', /extend: from: no node "layer9" in the model, did you mean/);
  await refuses(() => extend(base, head(), { freeze: 'layer9' }), 'argument', /extend: freeze: no node "layer9"/);
  await refuses(() => extend(base, 'dense'), 'argument', /expected an array of layers or a function, got/);
  await refuses(() => extend(base, () => 5), 'argument', /extend: outputs: expected what node\(\) or apply\(\) returned, got number/);
  await refuses(() => extend(base, () => []), 'argument', /extend: outputs: expected what/);
  await refuses(() => extend(base, () => [], { from: 'layer3' }), 'argument', /from is for a list of layers/);
  await refuses(() => extend(base, head(), { fron: 'layer3' }), 'argument', /unknown option "fron", did you mean "from"/);
  await refuses(() => extend(base, [layers.conv2d({ filters: 1, kernelSize: 99 })], { from: 'layer3' }), 'shape', /conv2d/);
});
