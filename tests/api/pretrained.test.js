// Networks that others trained give the numbers that PyTorch gave for the same files and pictures.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { init } from '../../bindings/index.js';
import { loadWeights, recipes } from '../../bindings/recipes.js';
import { dataPath, readPng, without } from './datakit.js';

const weights = (name) => `weights/${name}.safetensors`;
const [mobilenet, trunk18, trunk50] = ['mobilenet_v2_1.0_224_imagenet_bnfolded_f16', 'resnet18_imagenet_conv1-layer3_bnfolded_f32',
  'resnet50_imagenet_conv1-layer3_f16'].map(weights);
const expectedFile = 'weights/check/expected.json';
const timeout = 300_000;

before(() => init({ threads: 2 }));

/** The pictures and what PyTorch made of them: [name, picture, expected]. */
const pictures = () => Object.entries(JSON.parse(readFileSync(dataPath(expectedFile), 'utf8')))
  .map(([name, expected]) => [name, readPng(dataPath('weights', 'check', `${name}.png`)), expected]);

/** Fails for NaN too. */
const near = (actual, expected, tolerance, message) => assert.ok(Math.abs(actual - expected) <= tolerance, `${message}: ${actual}, expected ${expected} +- ${tolerance}`);

const moments = (data) => {
  const mean = data.reduce((sum, v) => sum + v, 0) / data.length;
  return { mean, std: Math.sqrt(data.reduce((sum, v) => sum + (v - mean) ** 2, 0) / data.length) };
};

test('MobileNetV2 sees the same five classes in every picture', { skip: without(expectedFile, mobilenet), timeout }, async () => {
  const net = await recipes.mobilenetV2({ classes: 1001, padding: 'tensorflow', preprocessing: 'tensorflow', classifierActivation: 'linear' });
  assert.deepEqual((await loadWeights(net, dataPath(mobilenet))).missing, []);
  for (const [name, picture, { mobilenet_v2: expected }] of pictures()) {
    const { data } = await net.predict(picture), order = [...data.keys()].sort((a, b) => data[b] - data[a]);
    assert.deepEqual(order.slice(0, 5), expected.top5.map(({ index }) => index), name);
    expected.logits_first8.forEach((logit, i) => near(data[i], logit, 1e-2, `${name}: logit ${i}`));
    near(moments(data).mean, expected.logit_mean, 1e-3, `${name}: mean`);
    near(moments(data).std, expected.logit_std, 1e-3, `${name}: deviation`);
  }
});

/** @param {import('../../bindings/index.js').Model} net @param {'resnet18' | 'resnet50'} key */
async function checkTrunk(net, key) {
  const stages = ['layer1', 'layer2', 'layer3'];
  for (const [name, picture, { [key]: expected }] of pictures()) {
    const tensors = await net.predict(picture, { output: stages });
    for (const [i, stage] of stages.entries()) {
      const { data, shape: [, h, w, channels] } = tensors[i], { shape, mean, std, channel_means: means } = expected[stage], where = `${name} ${stage}`;
      assert.deepEqual([1, channels, h, w], shape, where);
      near(moments(data).mean, mean, 1e-3 * mean, `${where}: mean`);
      near(moments(data).std, std, 1e-3 * std, `${where}: deviation`);
      means.forEach((value, c) => near(moments(data.filter((_, k) => k % channels === c)).mean, value, 1e-3 * Math.abs(value), `${where}: channel ${c}`));
    }
  }
}

test('ResNet-18 up to layer3, batch normalisation folded', { skip: without(expectedFile, trunk18), timeout }, async () => {
  const net = await recipes.resnet18({ until: 'layer3', preprocessing: 'torchvision' });
  await loadWeights(net, dataPath(trunk18));
  await checkTrunk(net, 'resnet18');
});

test('ResNet-50 of Keras up to layer3, into the whole network', { skip: without(expectedFile, trunk50), timeout }, async () => {
  const net = await recipes.resnet50({ strideIn: 'conv1', preprocessing: 'caffe', epsilon: 1.001e-5 });
  const { missing, unexpected } = await loadWeights(net, dataPath(trunk50), { partial: true });
  assert.ok(missing.length > 0 && missing.every((name) => /^(layer4\.|fc\/)/.test(name)), missing.join());
  assert.deepEqual(unexpected, []);
  await checkTrunk(net, 'resnet50');
});

/** Records of label, then planes R, G, B, as rows of pixels. */
function readCifar() {
  const bytes = gunzipSync(readFileSync(dataPath('cifar10/train_lossless_first4000.bin.gz'))), rows = bytes.length / 3073;
  const data = new Uint8Array(rows * 3072);
  for (let i = 0; i < rows; i++) for (let p = 0; p < 1024; p++) for (let c = 0; c < 3; c++) data[i * 3072 + 3 * p + c] = bytes[i * 3073 + 1 + 1024 * c + p];
  return { x: { data, shape: [rows, 32, 32, 3] }, labels: Uint8Array.from({ length: rows }, (_, i) => bytes[i * 3073]) };
}

for (const [name, file, least] of [['cifarResnet20', 'cifar10_resnet20_f32', 0.997], ['cifarResnet56', 'cifar10_resnet56_f32', 0.999]]) {
  test(`${name} knows the pictures it was trained on`, { skip: without(weights(file), 'cifar10/train_lossless_first4000.bin.gz'), timeout }, async (t) => {
    const net = await recipes[name]({ preprocessing: 'torchvision' }), { x, labels } = readCifar();
    await loadWeights(net, dataPath(weights(file)));
    const { data } = await net.predict(x, { batchSize: 100 });
    const right = labels.filter((label, i) => data.subarray(10 * i, 10 * i + 10).every((v) => v <= data[10 * i + label])).length;
    t.diagnostic(`${right} of ${labels.length} right`);
    assert.ok(right >= least * labels.length && labels.length === 4000, `${right} of ${labels.length}`);
  });
}
