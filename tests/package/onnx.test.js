// ONNX files of every kind of layer and of whole networks, run by onnxruntime: the same outputs as here.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from 'onnx-buf';
import { apply, input, layers, model, sequential } from '../../bindings/index.js';
import { exportOnnx, importOnnx } from '../../bindings/onnx/index.js';
import { monotonicTransformer } from '../../bindings/quality/index.js';
import { recipes } from '../../bindings/recipes.js';
import { tables } from '../../bindings/tables.js';
import { writeOnnx } from '../../tools/bench/peers/onnx.mjs';
import { tool } from './packed.js';

const ort = await tool('onnxruntime-web');
ort.env.logLevel = 'error';

/** Numbers in [-1, 1). @param {number} length @param {number} seed */
const numbers = (length, seed) => Float32Array.from({ length }, (_, i) => (Math.imul(i + 1 + 7919 * seed, 2654435761) >>> 8) / 2 ** 23 - 1);
/** @param {readonly number[]} shape */
const count = (shape) => shape.reduce((product, n) => product * n, 1);

/** Layers whose files are not read back. */
const oneWay = new Set(['bilinearSoftmax', 'globalStdPool2d', 'unitNormalization']);

/** How far a model read back from its own file is from the model. @param {any} net @param {Uint8Array} file @param {any} given @param {any[]} ours */
async function readBack(net, file, given, ours) {
  const copy = await importOnnx(file), theirs = [await copy.predict(given.length === 1 ? given[0] : given)].flat();
  assert.deepEqual(copy.inputs.map(({ shape }) => shape), net.inputs.map((/** @type {any} */ { shape }) => shape));
  const far = Math.max(...ours.map(({ data, shape }, i) => {
    assert.deepEqual(theirs[i].shape, shape);
    return Math.max(...data.map((/** @type {number} */ v, /** @type {number} */ k) => Math.abs(v - theirs[i].data[k]))) / Math.max(...data.map(Math.abs));
  }));
  copy.dispose();
  return far;
}

/** The greatest difference of both programs' outputs for two samples, relative to the greatest output; that of the file read back counts too.
 * @param {any} net @param {boolean} [back] whether it can be */
async function difference(net, back = true) {
  const weights = await net.getWeights();
  // what starts at 0 or 1 would hide mistakes; variances stay positive
  await net.setWeights(Object.fromEntries(Object.entries(weights).map(([name, { data }], i) => [name, /Variance/.test(name) ? numbers(data.length, i).map((v) => 1.5 + v / 2)
    : /bias|beta|gamma|B$|b$|Mean/.test(name) ? numbers(data.length, i) : data])));
  const file = await exportOnnx(net), session = await ort.InferenceSession.create(file, { logSeverityLevel: 3 });
  const given = net.inputs.map(({ shape }, i) => ({ data: numbers(2 * count(shape), 100 + i), shape: [2, ...shape] }));
  const theirs = await session.run(Object.fromEntries(net.inputs.map(({ name }, i) => [name, new ort.Tensor('float32', given[i].data, given[i].shape)])));
  const ours = [await net.predict(given.length === 1 ? given[0] : given)].flat();
  await session.release();
  return Math.max(back ? await readBack(net, file, given, ours) : 0, ...net.outputs.map(({ name }, i) => {
    const { data, dims } = theirs[`${name}.output`];
    assert.deepEqual(dims, ours[i].shape);
    const largest = Math.max(...ours[i].data.map(Math.abs));
    assert.ok(largest > 0);
    return Math.max(...ours[i].data.map((v, k) => Math.abs(v - data[k]))) / largest;
  }));
}

/** @type {{ [kind: string]: [shape: number[], ...layers: any[]][] }} */
const cases = {
  activation: (tables.layer.dense.options.activation.names ?? []).map((activation) => [[6], layers.activation({ activation })]),
  appendConstant: [[[5], layers.appendConstant({ value: 3 })], [[3, 4], layers.appendConstant()]],
  avgPool2d: [[[5, 7, 3], layers.avgPool2d({ poolSize: 3, strides: 2, padding: 'same' })], [[5, 7, 3], layers.avgPool2d({ poolSize: [2, 3], strides: 2, padding: 'explicit', pads: 1, countIncludePad: true })]],
  batchNorm: [[[4, 5, 3], layers.conv2d({ filters: 4, kernelSize: 1 }), layers.batchNorm({ activation: 'relu' })], [[6], layers.batchNorm({ convention: 'pytorch', center: false })], [[3, 4], layers.batchNorm({ scale: false, epsilon: 0.1 })]],
  bilinear: [[[5, 6], layers.bilinear({ rows: 3, cols: 4, activation: 'tanh' })], [[5, 6], layers.bilinear({ rows: 3, cols: 4, useBias: false })]],
  bilinearSoftmax: [[[5, 6], layers.bilinearSoftmax({ units: 4 })]],
  conv2d: [
    [[6, 7, 3], layers.conv2d({ filters: 4, kernelSize: 3, padding: 'same', strides: 2, activation: 'relu' })], [[6, 7, 4], layers.conv2d({ filters: 4, kernelSize: [3, 2], groups: 2, dilation: 2, useBias: false })],
    [[6, 7, 3], layers.conv2d({ filters: 2, kernelSize: 3, padding: 'explicit', pads: [1, 0, 2, 1] }), layers.conv2d({ filters: 2, kernelSize: 1, activation: 'softmax' })],
  ],
  conv2dTranspose: [
    [[4, 3, 2], layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: 'same' })], [[4, 3, 2], layers.conv2dTranspose({ filters: 3, kernelSize: 2, strides: 3, padding: 'same' })],
    [[4, 3, 4], layers.conv2dTranspose({ filters: 2, kernelSize: 3, strides: 2, groups: 2, outputPadding: 1, padding: 'explicit', pads: 1 })],
  ],
  crelu: [[[3, 4], layers.crelu()], [[3, 4, 2], layers.conv2d({ filters: 3, kernelSize: 1 }), layers.crelu({ negativeSlope: 0.2 })]],
  crop2d: [[[5, 6, 2], layers.crop2d({ cropping: [1, 2, 0, 1] })]],
  dense: [[[5], layers.dense({ units: 3, activation: 'sigmoid' })], [[2, 5], layers.dense({ units: 3 })], [[2, 3, 4], layers.dense({ units: 3, useBias: false })]],
  depthToSpace: [[[2, 3, 8], layers.depthToSpace({ blockSize: 2 })]],
  dropout: [[[5], layers.dropout({ rate: 0.5 })]],
  flatten: [[[3, 4, 2], layers.maxPool2d({ poolSize: 2 }), layers.flatten()]],
  globalAveragePool2d: [[[3, 4, 2], layers.globalAveragePool2d()]],
  globalMaxPool2d: [[[3, 4, 2], layers.globalMaxPool2d()]],
  globalStdPool2d: [[[3, 4, 2], layers.globalStdPool2d()], [[3, 4, 2], layers.globalStdPool2d({ epsilon: 0.1 })]],
  layerNorm: [[[6], layers.layerNorm()], [[3, 6], layers.layerNorm({ center: false, epsilon: 0.1 })], [[6], layers.layerNorm({ scale: false })]],
  maxPool2d: [[[5, 7, 3], layers.maxPool2d({ poolSize: 3, strides: 2, padding: 'same' })], [[5, 7, 3], layers.maxPool2d({ padding: 'explicit', pads: 1 })]],
  monotonicDense: [[[2], layers.monotonicDense({ units: 4, activation: 'mixed' }), layers.monotonicDense({ units: 2, parametrization: 'square' })]],
  pad2d: [[[3, 4, 2], layers.pad2d({ padding: [1, 2], value: 0.5 })]],
  randomCrop2d: [[[4, 4, 2], layers.randomCrop2d()]], randomFlip2d: [[[4, 4, 2], layers.randomFlip2d()]], randomRotation2d: [[[4, 4, 2], layers.randomRotation2d({ degrees: 5 })]],
  rescaling: [[[3, 4, 3], layers.rescaling({ scale: [1, 2, 3], offset: 0.5, reverse: true })], [[3, 4, 3], layers.maxPool2d(), layers.rescaling({ scale: 2, reverse: true })]],
  reshape: [[[12], layers.reshape({ shape: [2, 3, 2] }), layers.conv2d({ filters: 2, kernelSize: 2 })]],
  subsamplePad: [[[5, 4, 2], layers.subsamplePad({ channels: 5 })]],
  transpose: [[[3, 4, 2], layers.transpose({ axes: [1, 0, 2] })], [[3, 4], layers.transpose()]],
  unitNormalization: [[[3, 4], layers.unitNormalization()]],
  upsample2d: [[[3, 4, 2], layers.upsample2d()], [[3, 4, 2], layers.upsample2d({ size: [2, 3], interpolation: 'bilinear' })]],
};

for (const [kind, examples] of Object.entries(cases)) {
  test(`layer ${kind}`, async () => {
    for (const [shape, ...rest] of examples) {
      const net = await sequential([layers.input({ shape }), ...rest], { seed: 1 }), far = await difference(net, !oneWay.has(kind));
      assert.ok(far <= 2e-6, `${JSON.stringify(rest.map(({ options }) => options))}: ${far}`);
      net.dispose();
    }
  });
}

test('several inputs and outputs, sums and joined channels of pictures and of vectors', async () => {
  const a = input({ shape: [4, 4, 2], name: 'a' }), b = input({ shape: [4, 4, 2], name: 'b' });
  const [left, right] = [a, b].map((x) => apply(layers.conv2d({ filters: 3, kernelSize: 3, padding: 'same' }), x));
  const sum = apply(layers.add({ activation: 'relu' }), [left, right]), joined = apply(layers.concat(), [sum, left]), mixed = apply(layers.add(), [a, b]);
  const tall = apply(layers.concat({ axis: 0 }), [left, right]);
  const net = await model({ inputs: [a, b], outputs: [apply(layers.globalAveragePool2d(), joined), mixed, tall, joined], seed: 1 });
  assert.ok(await difference(net) <= 2e-6);
  net.dispose();
});

test('whole networks: a residual one, a mobile one, a matrix autoencoder, heads of a judge, a monotone curve', async () => {
  const nets = {
    resnet: recipes.resnet18({ inputShape: [64, 64, 3], preprocessing: 'torchvision', classes: 10, seed: 1 }), mobilenet: recipes.mobilenetV2({ inputShape: [64, 64, 3], classes: 10, seed: 1 }),
    cifar: recipes.cifarResnet20({ seed: 1 }), heads: recipes.qualityHeads({ levels: [8, 16], encoder: [12, 4], seed: 1 }), curve: monotonicTransformer({ skip: true, seed: 1 }),
    autoencoder: recipes.multimodalAutoencoder({ seed: 1 }),
  };
  for (const [name, made] of Object.entries(nets)) {
    const net = await made, far = await difference(net);
    assert.ok(far <= 2e-5, `${name}: ${far}`);
    net.dispose();
  }
});

test('a file with channels first, as PyTorch writes them: the same numbers from pictures with channels last', async () => {
  const file = writeOnnx({ shape: [12, 10, 3], classes: 5, batch: 2, draw(/** @type {any} */ d, /** @type {any} */ x) {
    const a = d.conv(x, { filters: 4, size: 3, pad: 1, relu: true }), b = d.maxPool(d.add(d.conv(a, { filters: 4, size: 3, pad: 1 }), a), { size: 2, stride: 2 });
    return d.dense(d.dense(d.flatten(b), { units: 6, relu: true }), { units: 5 });
  } });
  const session = await ort.InferenceSession.create(file, { logSeverityLevel: 3 }), net = await importOnnx(file), data = numbers(2 * 360, 3);
  const turned = Float32Array.from(data, (_, i) => data[Math.floor(i / 360) * 360 + (i % 120) * 3 + Math.floor(i / 120) % 3]); // [n, c, pixel] from [n, pixel, c]
  const { data: theirs } = (await session.run({ x: new ort.Tensor('float32', turned, [2, 3, 12, 10]) }))[session.outputNames[0]];
  const { data: ours } = await net.predict({ data, shape: [2, 12, 10, 3] });
  assert.ok(Math.max(...ours.map((v, i) => Math.abs(v - theirs[i]))) <= 2e-6 * Math.max(...ours.map(Math.abs)));
  assert.ok(net.layers.every(({ kind }) => kind !== 'activation'), 'activations join the layers before them');
  net.dispose();
});

test('a way to use an operator that no layer has is refused, by the name of its node', async () => {
  const net = await sequential([layers.input({ shape: [4, 4, 3] }), layers.conv2d({ filters: 2, kernelSize: 3, name: 'c' }), layers.maxPool2d({ name: 'p' }), layers.activation({ activation: 'softmax', name: 's' })]);
  const file = await exportOnnx(net);
  net.dispose();
  /** @param {string} op @param {string} attribute @param {(value: any) => void} change @param {RegExp} message */
  const refused = async (op, attribute, change, message) => {
    const model = fromBinary(ModelProtoSchema, file), node = model.graph?.node.find(({ opType }) => opType === op), found = node?.attribute.find(({ name }) => name === attribute);
    assert.ok(found, `${op} has no ${attribute}`);
    change(found);
    await assert.rejects(importOnnx(toBinary(ModelProtoSchema, model)), { code: 'file', message });
  };
  await refused('Softmax', 'axis', (a) => { a.i = 2n; }, /node "Softmax" \(Softmax\): axis = 2, expected that of the channels or the last/);
  await refused('Conv', 'strides', (a) => { a.ints = [1n]; }, /node "c" \(Conv\): strides = \[1\], expected 2 values/);
  await refused('MaxPool', 'kernel_shape', (a) => { a.type = 2; }, /node \d+ "p" \(MaxPool\): attribute kernel_shape is a number, expected a list/);
});

test('files that are cut, flipped or no files of this kind: an error that says so, or a model, never a crash', async () => {
  const net = await recipes.cifarResnet20({ seed: 1, inputShape: [8, 8, 3] }), file = await exportOnnx(net);
  net.dispose();
  for (const bytes of [new Uint8Array(0), new TextEncoder().encode('no model'), ...[1, 2, 3, 5, 9].map((part) => file.slice(0, Math.floor(file.length * part / 10)))]) {
    await assert.rejects(importOnnx(bytes), { code: 'file', message: /^importOnnx: / });
  }
  let refused = 0;
  for (let i = 0; i < 60; i++) {
    const bytes = file.slice(), at = i < 30 ? i * 7 : Math.imul(i, 2654435761) >>> 0;
    bytes[at % bytes.length] ^= 1 << (i % 8);
    const made = await importOnnx(bytes).catch((error) => { assert.match(error.code, /^(file|argument|shape)$/, error.stack); refused++; });
    made?.dispose();
  }
  assert.ok(refused > 5, `${refused} refused`);
});

test('what can be said in ONNX is tested, the rest is refused by name', async () => {
  assert.deepEqual(Object.keys(tables.layer).filter((kind) => !(kind in cases)), ['add', 'concat', 'kernelMap']);
  const [x, points] = [input({ shape: [2] }), input({ shape: [1] })];
  const net = await model({ inputs: [x, points], outputs: apply(layers.kernelMap({ kernel: 'rbf', name: 'map' }), [x, points]) });
  await assert.rejects(exportOnnx(net), { code: 'unsupported', message: 'exportOnnx: layer "map" (kernelMap) has no counterpart in ONNX\'s operators' });
  net.dispose();
  await assert.rejects(exportOnnx(/** @type {any} */ ({})), { code: 'argument', message: 'exportOnnx: expected a model, got Object' });
});
