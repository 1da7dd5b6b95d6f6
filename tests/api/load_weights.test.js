// Weights that PyTorch trained: names, layouts, number formats, folded batch normalisation, and every way a file can differ.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { layers, losses, optimizers, sequential } from '../../bindings/index.js';
import { writeSafetensors } from '../../bindings/files/index.js';
import { loadWeights, recipes } from '../../bindings/recipes.js';
import { tree } from '../../tools/common.mjs';
import { bits, close, fresh, numbers, refuses } from './modelkit.js';

before(() => fresh());

/** input [5, 4, 2] - conv 3x2x2 - batch norm - flatten - dense 3; as PyTorch names and lays out the parameters. */
const draw = (conv = {}) => sequential([
  layers.input({ shape: [5, 4, 2] }), layers.conv2d({ name: 'conv', filters: 3, kernelSize: [3, 2], useBias: false, ...conv }),
  layers.batchNorm({ name: 'bn', epsilon: 1e-3 }), layers.flatten(), layers.dropout({ rate: 0.5 }), layers.dense({ name: 'fc', units: 3 }),
], { seed: 1 });
const shapes = {
  'conv.weight': [3, 2, 3, 2], 'bn.weight': [3], 'bn.bias': [3], 'bn.running_mean': [3], 'bn.running_var': [3], 'fc.weight': [3, 27], 'fc.bias': [3],
};
const count = (shape) => shape.reduce((a, b) => a * b, 1);
const torch = () => Object.fromEntries(Object.entries(shapes).map(([name, shape], i) => [name, { shape, data: numbers(count(shape), i + 5).map((v) => v + 0.25) }]));
const x = { shape: [2, 5, 4, 2], data: numbers(80, 3) };
const without = (tensors, ...names) => Object.fromEntries(Object.entries(tensors).filter(([name]) => !names.includes(name)));

/** The same network as PyTorch defines it, in float64: images are C, H, W. */
function reference(t, { bias } = {}) {
  const value = (name, ...at) => t[name].data[at.reduce((sum, i, axis) => sum * t[name].shape[axis] + i, 0)];
  return [0, 1].flatMap((n) => {
    const flat = [];
    for (let k = 0; k < 3; k++) {
      for (let i = 0; i < 3; i++) {
        for (let j = 0; j < 3; j++) {
          let sum = bias?.[k] ?? 0;
          for (let c = 0; c < 2; c++) for (let u = 0; u < 3; u++) for (let v = 0; v < 2; v++) {
            sum += value('conv.weight', k, c, u, v) * x.data[((n * 5 + i + u) * 4 + j + v) * 2 + c];
          }
          flat.push((sum - value('bn.running_mean', k)) / Math.sqrt(value('bn.running_var', k) + 1e-3) * value('bn.weight', k) + value('bn.bias', k));
        }
      }
    }
    return [0, 1, 2].map((unit) => flat.reduce((sum, v, i) => sum + v * value('fc.weight', unit, i), value('fc.bias', unit)));
  });
}

test('names and layouts of PyTorch become those of the model', async () => {
  const net = await draw(), tensors = torch();
  const counter = { 'bn.num_batches_tracked': { shape: [], data: BigInt64Array.of(7n) } };
  const report = await loadWeights(net, writeSafetensors({ ...tensors, ...counter }));
  assert.deepEqual(report, { loaded: net.layers.flatMap(({ weights }) => weights.map(({ name }) => name)), missing: [], unexpected: [] });
  close((await net.predict(x)).data, reference(tensors), 1e-4);
});

test('a convolution with a bias before its batch normalisation, here without', async () => {
  const tensors = torch(), bias = Float32Array.of(0.5, -1, 2), net = await draw(), own = await draw({ useBias: true });
  for (const one of [net, own]) {
    await loadWeights(one, writeSafetensors({ ...tensors, 'conv.bias': { shape: [3], data: bias } }));
    close((await one.predict(x)).data, reference(tensors, { bias }), 1e-4);
  }
  await refuses(() => loadWeights(own, writeSafetensors(tensors)), 'file', /1 of 8 weights are missing: conv\/bias/);
});

test('folded batch normalisation', async () => {
  const tensors = torch(), net = await draw(), bias = Float32Array.of(0.5, -1, 2);
  const folded = { ...without(tensors, 'bn.weight', 'bn.bias', 'bn.running_mean', 'bn.running_var'), 'conv.bias': { shape: [3], data: bias } };
  const plain = { ...tensors, 'bn.weight': { data: [1, 1, 1], shape: [3] }, 'bn.bias': { data: bias, shape: [3] }, 'bn.running_mean': { data: [0, 0, 0], shape: [3] },
    'bn.running_var': { data: [0.999, 0.999, 0.999], shape: [3] } };
  const { loaded, missing } = await loadWeights(net, writeSafetensors(folded));
  assert.deepEqual([loaded.length, missing], [7, []]);
  close((await net.predict(x)).data, reference(plain), 1e-4);
  const wrong = { ...folded, 'conv.bias': { shape: [4], data: new Float32Array(4) } };
  await refuses(() => loadWeights(net, writeSafetensors(wrong)), 'shape', /conv\.bias is \[4\], bn has 3 channels/);
});

test('F16, BF16 and F64 are read', async () => {
  const tensors = torch(), net = await draw();
  const round = (v, digits) => { const unit = 2 ** (Math.floor(Math.log2(Math.abs(v))) - digits); return Math.round(v / unit) * unit; };
  const word = new DataView(new ArrayBuffer(4));
  const bf16 = (v) => { word.setFloat32(0, v); return word.getUint16(0); };
  const f16 = (v) => { const e = Math.floor(Math.log2(v)); return (e + 15 << 10) + (v / 2 ** e - 1) * 1024; }; // positive and exact
  for (const [dtype, digits, convert] of [['F16', 10, (d) => Uint16Array.from(d, f16)], ['BF16', 7, (d) => Uint16Array.from(d, bf16)], ['F64', 23, (d) => Float64Array.from(d)]]) {
    const rounded = Object.fromEntries(Object.entries(tensors).map(([name, { shape, data }]) => [name, { shape, data: data.map((v) => round(v, digits)) }]));
    await loadWeights(net, writeSafetensors(rounded));
    const expected = await bits(net);
    await loadWeights(net, writeSafetensors(tensors));
    await loadWeights(net, writeSafetensors(Object.fromEntries(Object.entries(rounded).map(([name, { shape, data }]) => [name, { shape, dtype, data: convert(data) }]))));
    assert.deepEqual(await bits(net), expected, dtype);
  }
});

test('wrappers, a prefix, and names of one\'s own', async () => {
  const tensors = torch(), expected = await draw(), net = await draw();
  await loadWeights(expected, writeSafetensors(tensors));
  const renamed = (rename) => writeSafetensors(Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [rename(name), tensor])));
  const cases = [[(name) => `module.${name}`], [(name) => `module.model.${name}`], [(name) => `net.0.${name}`, { prefix: 'net.0.' }],
    [(name) => name.replace('fc', 'head'), { map: (name) => name.replace('head', 'fc') }]];
  for (const [rename, options] of cases) {
    const other = await draw();
    await loadWeights(other, renamed(rename), options);
    assert.deepEqual(await bits(other), await bits(expected));
  }
  const { missing } = await loadWeights(net, writeSafetensors(tensors), { map: (name) => (name.startsWith('fc') ? null : name), partial: true });
  assert.deepEqual(missing.sort(), ['fc/bias', 'fc/kernel']);
  await refuses(() => loadWeights(net, writeSafetensors(tensors), { map: () => 5 }), 'argument', /map must return a string or null, got number for "\w/);
});

test('files of this library are taken too', async () => {
  const net = await draw(), other = await draw();
  await loadWeights(other, writeSafetensors(torch()));
  await loadWeights(net, await other.save('blob'));
  assert.deepEqual(await bits(net), await bits(other));
});

test('what does not fit is told, and nothing changes', async () => {
  const net = await draw(), start = await bits(net), tensors = torch();
  const files = [
    [without(tensors, 'conv.weight', 'bn.running_mean'), 'file', /2 of 7 weights are missing: conv\/kernel, bn\/runningMean; partial: true takes what fits/],
    [{ ...tensors, 'layer4.0.conv1.weight': tensors['fc.bias'] }, 'file', /1 tensors belong nowhere: layer4\.0\.conv1\.weight; partial/],
    [{ ...tensors, 'conv.weight': { shape: [3, 2, 2, 3], data: new Float32Array(36) } }, 'shape',
      /1 of the tensors do not fit: conv\.weight is \[3, 2, 2, 3\] = \[3, 2, 3, 2\] here, conv\/kernel is \[3, 3, 2, 2\]/],
    [{ ...tensors, 'fc.weight': { shape: [5, 27], data: new Float32Array(135) } }, 'shape', /fc\.weight is \[5, 27\], fc\/kernel is \[3, 27\]/],
    [{ ...tensors, 'module.fc.bias': tensors['fc.bias'] }, 'shape', /fc\.bias and (module\.)?fc\.bias both stand for fc\/bias/],
    [{ 'a.weight': tensors['fc.bias'] }, 'file', /no tensor of the file belongs to this model: it has a\.weight/],
    [{ ...tensors, 'fc.bias': { shape: [3], data: Float32Array.of(1, NaN, 0) } }, 'file', /fc\/bias/],
  ];
  for (const [content, code, message] of files) {
    await refuses(() => loadWeights(net, writeSafetensors(content)), code, message);
    if (code === 'shape') await refuses(() => loadWeights(net, writeSafetensors(content), { partial: true }), code, message);
    assert.deepEqual(await bits(net), start);
  }
  await refuses(() => loadWeights(net, writeSafetensors({ a: tensors['fc.bias'] }), { partial: true }), 'file', /no tensor of the file belongs/);
  await refuses(() => loadWeights(net, writeSafetensors(tensors).subarray(0, 300)), 'file', /safetensors/);
  await refuses(() => loadWeights(net, 'nowhere.safetensors'), 'storage', /nowhere/);
  await refuses(() => loadWeights(net, writeSafetensors(tensors), { strict: true }), 'argument', /unknown option "strict"/);
});

test('partial: a file that stops early, or goes further than the model', async () => {
  const tensors = torch(), net = await draw(), start = await bits(net);
  const content = { ...without(tensors, 'fc.weight', 'fc.bias'), 'layer4.weight': tensors['fc.bias'] };
  const { loaded, missing, unexpected } = await loadWeights(net, writeSafetensors(content), { partial: true });
  assert.deepEqual([loaded.length, missing, unexpected], [5, ['fc/kernel', 'fc/bias'], ['layer4.weight']]);
  assert.deepEqual((await bits(net)).slice(-2), start.slice(-2));
  const meanless = { ...without(tensors, 'bn.running_mean'), 'conv.bias': tensors['fc.bias'] };
  assert.deepEqual((await loadWeights(net, writeSafetensors(meanless), { partial: true })).unexpected, ['conv.bias']);
});

/** The formula of tests/golden/resnet18.py. */
function hashed(n, seed) {
  return Float32Array.from({ length: n }, (_, i) => {
    let v = (i + Math.imul(seed, 0x9e3779b1)) >>> 0;
    v = Math.imul(v ^ (v >>> 16), 0x7feb352d);
    v = Math.imul(v ^ (v >>> 15), 0x846ca68b);
    return ((v ^ (v >>> 16)) >>> 8) / 2 ** 23 - 1;
  });
}

const golden = JSON.parse(readFileSync(join(tree, 'tests', 'golden', 'resnet18.json'), 'utf8'));

test('ResNet-18 gives the logits of PyTorch', { timeout: 60_000 }, async () => {
  const { height, width, tensors, logits, norm } = golden.resnet18;
  const content = Object.entries(tensors).map(([name, shape], i) => {
    const data = hashed(count(shape), i + 1), fan = count(shape.slice(1)), factor = Math.fround(Math.sqrt((shape.length === 4 ? 6 : 0.02) / fan));
    const value = shape.length > 1 ? (u) => u * factor : /running_var|weight/.test(name) ? (u) => 1 + u * 0.25 : (u) => u * 0.25;
    return [name, { shape, data: data.map(value) }];
  });
  const net = await recipes.resnet18({ inputShape: [height, width, 3], classifierActivation: 'linear' });
  await loadWeights(net, writeSafetensors(Object.fromEntries(content)));
  const { data } = await net.predict({ shape: [1, height, width, 3], data: hashed(height * width * 3, 0) });
  close(data.subarray(0, 100), logits, 1e-4, 'logit');
  assert.ok(Math.abs(Math.hypot(...data) - norm) <= 1e-4, `${Math.hypot(...data)}, expected ${norm}`);
});

test('a training step of batch normalisation is that of PyTorch', async () => {
  const { shape: [n, h, w, c], epsilon, momentum, y, dx, dGamma, dBeta, mean, variance } = golden.batchNorm, shape = [n, h, w, c];
  const net = await sequential([
    layers.input({ shape: [h, w, c] }), layers.conv2d({ name: 'same', filters: c, kernelSize: 1, useBias: false }),
    layers.batchNorm({ name: 'bn', convention: 'pytorch', epsilon, momentum }),
  ]);
  const identity = Float32Array.from({ length: c * c }, (_, i) => Number(i % (c + 1) === 0)), [x, direction] = [110, 111].map((seed) => hashed(n * h * w * c, seed));
  const names = ['gamma', 'beta', 'runningMean', 'runningVariance'].map((name, i) => [`bn/${name}`, { shape: [c], data: hashed(c, 100 + i).map((u) => u * 0.5 + 1) }]);
  await net.setWeights({ 'same/kernel': { shape: [c, 1, 1, c], data: identity }, ...Object.fromEntries(names) });
  // Targets that make the gradient of mean((y - t)^2) what PyTorch was given as the gradient of y.
  const targets = { shape, data: direction.map((d, i) => y[i] - d * direction.length / 2) };
  await net.compile({ optimizer: optimizers.sgd({ learningRate: 1e-30 }), loss: losses.meanSquaredError() });
  const { gradients } = await net.gradients({ shape, data: x }, targets, { training: true });
  close(gradients['bn/gamma'].data, dGamma, 1e-5, 'dGamma');
  close(gradients['bn/beta'].data, dBeta, 1e-5, 'dBeta');
  const expected = Array.from({ length: c * c }, (_, i) => dx.reduce((sum, d, k) => (k % c === Math.floor(i / c) ? sum + d * x[k - k % c + i % c] : sum), 0));
  close(gradients['same/kernel'].data, expected, 2e-5, 'dKernel');
  await net.fit({ shape, data: x }, targets, { batchSize: n, shuffle: false });
  const weights = await net.getWeights();
  close(weights['bn/runningMean'].data, mean, 1e-6, 'running mean');
  close(weights['bn/runningVariance'].data, variance, 1e-6, 'running variance');
});
