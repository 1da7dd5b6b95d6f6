// Models made and saved by TensorFlow.js, read here: the same outputs.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { importKeras } from '../../bindings/keras/index.js';
import { toolFolder } from './packed.js';

const require = createRequire(join(toolFolder, 'package.json'));
const quiet = console.warn;
console.warn = () => {}; // it recommends another package
const tf = require('@tensorflow/tfjs-core'), { sequential, model, input, layers: l } = require('@tensorflow/tfjs-layers');
require('@tensorflow/tfjs-backend-cpu');
console.warn = quiet;

let folder = '';
before(() => { folder = mkdtempSync(join(tmpdir(), 'heddle-keras-')); });
after(() => rmSync(folder, { recursive: true }));

/** Numbers in [-1, 1). @param {number} length @param {number} seed */
const numbers = (length, seed) => Float32Array.from({ length }, (_, i) => (Math.imul(i + 1 + 7919 * seed, 2654435761) >>> 8) / 2 ** 23 - 1);

/** Random weights (variances above 0), saved as the converter saves, in two shards. @param {any} net @param {(manifest: any, data: Uint8Array) => Uint8Array} [change] @returns {Promise<string>} path */
async function saved(net, change = (_, data) => data) {
  net.setWeights(net.getWeights().map((/** @type {any} */ w, /** @type {number} */ i) => tf.tensor(numbers(w.size, i).map((v) => (/variance/.test(net.weights[i].name) ? 1.5 + v / 2 : v / 2)), w.shape)));
  let artifacts;
  await net.save({ save: async (/** @type {any} */ given) => { artifacts = given; return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } }; } });
  const { modelTopology, weightSpecs, weightData } = /** @type {any} */ (artifacts), manifest = [{ paths: ['group1-shard1of2.bin', 'group1-shard2of2.bin'], weights: weightSpecs }];
  const bytes = change(manifest, new Uint8Array(weightData)), half = bytes.length >> 1;
  writeFileSync(join(folder, 'group1-shard1of2.bin'), bytes.subarray(0, half));
  writeFileSync(join(folder, 'group1-shard2of2.bin'), bytes.subarray(half));
  writeFileSync(join(folder, 'model.json'), JSON.stringify({ format: 'layers-model', modelTopology, weightsManifest: manifest }));
  return join(folder, 'model.json');
}

/** The greatest difference of outputs for two samples, relative to the greatest output. @param {any} net @param {any} [copy] */
async function difference(net, copy) {
  copy ??= await importKeras(await saved(net));
  const shapes = net.inputs.map((/** @type {any} */ { shape }) => shape.slice(1)), data = shapes.map((/** @type {number[]} */ shape, /** @type {number} */ i) => numbers(2 * shape.reduce((a, b) => a * b), 50 + i));
  const theirs = [net.predict(shapes.map((/** @type {number[]} */ shape, /** @type {number} */ i) => tf.tensor(data[i], [2, ...shape])))].flat();
  const given = shapes.map((/** @type {number[]} */ shape, /** @type {number} */ i) => ({ data: data[i], shape: [2, ...shape] })), ours = [await copy.predict(given.length === 1 ? given[0] : given)].flat();
  copy.dispose();
  return Math.max(...theirs.map((tensor, i) => {
    assert.deepEqual(ours[i].shape, tensor.shape);
    const values = tensor.dataSync(), largest = Math.max(...values.map(Math.abs));
    assert.ok(largest > 0);
    return Math.max(...values.map((/** @type {number} */ v, /** @type {number} */ k) => Math.abs(v - ours[i].data[k]))) / largest;
  }));
}

/** @type {{ [what: string]: () => any[] }} layers on a picture of 7 x 6 pixels and 3 channels */
const cases = {
  'convolutions': () => [l.conv2d({ filters: 4, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu' }), l.conv2d({ filters: 3, kernelSize: [2, 1], useBias: false, activation: 'tanh' })],
  'dilated convolution': () => [l.conv2d({ filters: 4, kernelSize: 2, dilationRate: 2, activation: 'sigmoid' })],
  'depthwise convolution': () => [l.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, activation: 'elu', padding: 'same' })],
  'separable convolution': () => [l.separableConv2d({ filters: 5, kernelSize: 3, depthMultiplier: 2, activation: 'relu6' })],
  'transposed convolution': () => [l.conv2dTranspose({ filters: 4, kernelSize: 3, strides: 2, padding: 'same' }), l.conv2dTranspose({ filters: 2, kernelSize: 2, strides: 3, activation: 'softplus' })],
  'normalisations': () => [l.batchNormalization(), l.batchNormalization({ scale: false, epsilon: 0.1 }), l.layerNormalization({ center: false })],
  'poolings': () => [l.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }), l.averagePooling2d({ poolSize: 2, padding: 'same' })],
  'global mean': () => [l.globalAveragePooling2d({})], 'global maximum': () => [l.globalMaxPooling2d({})],
  'activations': () => [l.activation({ activation: 'tanh' }), l.leakyReLU({ alpha: 0.2 }), l.elu(), l.reLU({ maxValue: 6 }), l.softmax({ axis: -1 }), l.flatten(), l.softmax()],
  'borders': () => [l.zeroPadding2d({ padding: [[1, 2], [0, 3]] }), l.cropping2D({ cropping: [[1, 0], [2, 1]] }), l.upSampling2d({ size: [2, 3] })],
  'shapes': () => [l.permute({ dims: [2, 1, 3] }), l.reshape({ targetShape: [6, 21] }), l.dense({ units: 4 }), l.flatten(), l.dropout({ rate: 0.5 }), l.dense({ units: 3, activation: 'softmax', useBias: false })],
  'rescaling': () => [l.rescaling({ scale: 1 / 255, offset: -1 })],
};

for (const [what, make] of Object.entries(cases)) {
  test(what, async () => {
    const net = sequential({ layers: [l.inputLayer({ inputShape: [7, 6, 3] }), ...make()] });
    assert.ok(await difference(net) <= 2e-6);
  });
}

test('a graph with two inputs and two outputs; a sequence without an input layer', async () => {
  const [a, b] = ['a', 'b'].map((name) => input({ shape: [4, 4, 2], name })), one = l.conv2d({ filters: 2, kernelSize: 1, name: 'block/one' }).apply(a);
  const sum = l.add().apply([one, b]), both = l.concatenate().apply([sum, one]), rows = l.concatenate({ axis: 1 }).apply([a, b]);
  assert.ok(await difference(model({ inputs: [b, a], outputs: [l.globalAveragePooling2d({}).apply(both), rows] }), undefined) <= 2e-6);
  assert.ok(await difference(sequential({ layers: [l.dense({ units: 3, inputShape: [5] }), l.dense({ units: 2 })] })) <= 2e-6);
});

test('Keras 3 writes connections in another way', async () => {
  const a = input({ shape: [3], name: 'a' }), net = model({ inputs: a, outputs: l.add().apply([l.dense({ units: 2, name: 'left' }).apply(a), l.dense({ units: 2, name: 'right' }).apply(a)]) });
  const path = await saved(net), file = JSON.parse(readFileSync(path, 'utf8'));
  for (const layer of file.modelTopology.config.layers) {
    const args = (layer.inbound_nodes[0] ?? []).map((/** @type {any} */ one) => ({ class_name: '__keras_tensor__', config: { keras_history: one.slice(0, 3) } }));
    layer.inbound_nodes = args.length ? [{ args: args.length === 1 ? args : [args], kwargs: {} }] : [];
    if (layer.class_name === 'InputLayer') layer.config = { name: 'a', batch_shape: [null, 3] };
  }
  for (const ends of ['input_layers', 'output_layers']) file.modelTopology.config[ends] = file.modelTopology.config[ends][0];
  writeFileSync(path, JSON.stringify({ ...file, modelTopology: { model_config: { ...file.modelTopology, class_name: 'Functional' } } }));
  assert.ok(await difference(net, await importKeras(path)) <= 2e-6);
});

test('weights as bytes, and as Files of a page', async () => {
  const net = sequential({ layers: [l.dense({ units: 3, inputShape: [5] })] });
  const path = await saved(net, ([{ weights }], data) => {
    const values = new Float32Array(data.buffer), min = -1, scale = 2 / 255;
    for (const spec of weights) spec.quantization = { dtype: 'uint8', min, scale, original_dtype: 'float32' };
    return Uint8Array.from(values, (v) => Math.round((v - min) / scale));
  });
  assert.ok(await difference(net, await importKeras(path)) < 0.02);
  await saved(net);
  const files = ['group1-shard2of2.bin', 'model.json', 'group1-shard1of2.bin'].map((name) => new File([readFileSync(join(folder, name))], name));
  assert.ok(await difference(net, await importKeras(files)) <= 2e-6);
  await assert.rejects(importKeras(files.slice(1)), { code: 'argument', message: /the files have no group1-shard2of2.bin/ });
});

test('what is no such model is refused, and says why', async () => {
  const path = await saved(sequential({ layers: [l.dense({ units: 3, inputShape: [5], name: 'head' })] })), good = JSON.parse(readFileSync(path, 'utf8'));
  /** @param {(file: any) => any} change @param {RegExp} message */
  const refused = async (change, message) => {
    const file = structuredClone(good), changed = change(file) ?? file;
    writeFileSync(path, typeof changed === 'string' ? changed : JSON.stringify(changed));
    await assert.rejects(importKeras(path), { code: 'file', message });
  };
  const layer = (/** @type {any} */ file) => file.modelTopology.config.layers[0];
  await refused(() => 'nothing', /model\.json is no JSON/);
  await refused(() => ({}), /no modelTopology and weightsManifest/);
  await refused((file) => { file.format = 'graph-model'; }, /graph model/);
  await refused((file) => { layer(file).class_name = 'LSTM'; }, /layer "head" is of class LSTM/);
  await refused((file) => { layer(file).config.activation = 'swish'; }, /activation "swish", expected one of linear, relu/);
  await refused((file) => { file.weightsManifest[0].weights[0].shape = [500, 3]; }, /"head\/kernel" needs bytes 0 to 6000/);
  await refused((file) => { file.weightsManifest[0].weights.pop(); }, /72 bytes, of which 60/);
  await refused((file) => { file.weightsManifest[0].weights[0].name = 'tail/kernel'; }, /0 weights end with "head\/kernel"/);
  await refused((file) => { delete layer(file).config.batch_input_shape; }, /expected \[null, \.\.\.\]/);
  await assert.rejects(importKeras(join(folder, 'nowhere', 'model.json')), { code: 'storage' });
  await assert.rejects(importKeras(/** @type {any} */ (5)), { code: 'argument' });
});
