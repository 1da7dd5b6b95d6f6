/** What each layer is in ONNX's operators (opset 17). */
import { weightsOf } from '../quality/positive.js';
import { permuted } from '../weights/permuted.js';
import { windowOf } from './write_window.js';

/** @import { Graph, Value } from './write_graph.js' */
/** @typedef {{ data: Float32Array, shape: number[] }} Weight */
/**
 * @typedef {object} Layer
 * @property {string} name
 * @property {string} kind
 * @property {Record<string, any>} options with defaults
 * @property {{ [name: string]: Weight }} weights by their names in the layer
 * @property {readonly number[]} shape of the result
 */
/** @typedef {(graph: Graph, layer: Layer, inputs: readonly Value[]) => Value} Operator */

/** @type {{ [name: string]: (graph: Graph, x: Value, alpha: number) => string }} */
const activations = {
  sigmoid: (g, x) => g.add('Sigmoid', [x.name]),
  tanh: (g, x) => g.add('Tanh', [x.name]),
  relu: (g, x) => g.add('Relu', [x.name]),
  leakyRelu: (g, x, alpha) => g.add('LeakyRelu', [x.name], { alpha: alpha || 0.3 }),
  elu: (g, x, alpha) => g.add('Elu', [x.name], { alpha: alpha || 1 }),
  softplus: (g, x) => g.add('Softplus', [x.name]),
  relu6: (g, x) => g.add('Clip', [x.name, g.constant('zero', [0], []), g.constant('six', [6], [])]),
  softmax: (g, x) => g.add('Softmax', [x.name], { axis: BigInt(g.axis(x)) }),
};

/** @param {Graph} g @param {Value} x @param {Layer} layer @returns {Value} */
function activated(g, x, { options: { activation, alpha } }) {
  return activation === 'linear' || activation === undefined ? x : { ...x, name: activations[activation](g, x, alpha) };
}

/** Kernels [k, h, w, c] become [k, c, h, w]. @param {Weight} weight */
const channelsFirst = weight => permuted(weight, [0, 3, 1, 2]);

/** Of a matrix. @param {Weight} weight */
const transposed = weight => permuted(weight, [1, 0]);

/** @param {Graph} g @param {string} name @param {Weight} weight */
const stored = (g, name, { data, shape }) => g.constant(name, data, shape);

/** W x + b on the last axis. @param {Graph} g @param {Layer} layer @param {Value} value @param {Weight} kernel @returns {Value} */
function affine(g, { name, weights, shape }, value, kernel) {
  const x = g.last(value), bias = weights.bias && stored(g, `${name}/bias`, weights.bias);
  if (x.shape.length === 1) {
    return { name: g.add('Gemm', [x.name, stored(g, `${name}/kernel`, kernel), ...bias ? [bias] : []], { transB: 1n }, name), shape };
  }
  const product = g.add('MatMul', [x.name, stored(g, `${name}/kernel`, transposed(kernel))], {}, name);
  return { name: bias ? g.add('Add', [product, bias], {}, name) : product, shape };
}

/** @param {'Conv' | 'ConvTranspose'} op @returns {Operator} */
const convolution = op => (g, layer, [value]) => {
  const { name, options, weights, shape } = layer, x = g.first(value), { outputPadding, ...window } = windowOf(layer, x.shape, op === 'ConvTranspose');
  const inputs = [x.name, stored(g, `${name}/kernel`, channelsFirst(weights.kernel)), ...weights.bias ? [stored(g, `${name}/bias`, weights.bias)] : []];
  const attributes = { ...window, group: BigInt(options.groups), ...outputPadding && { output_padding: outputPadding } };
  return activated(g, { name: g.add(op, inputs, attributes, name), shape, planes: true }, layer);
};

/** @param {string} op @param {import('./write_graph.js').Attributes} [more] @returns {Operator} */
const pooling = (op, more) => (g, layer, [value]) => {
  const x = g.first(value), { dilations: _, ...window } = windowOf(layer, x.shape, false);
  /** @type {import('./write_graph.js').Attributes} */
  const count = op === 'AveragePool' ? { count_include_pad: BigInt(Number(layer.options.countIncludePad)) } : {};
  return { name: g.add(op, [x.name], { ...window, ...count, ...more }, layer.name), shape: layer.shape, planes: true };
};

/** @param {string} op @returns {Operator} */
const globalPooling = op => (g, { name, shape }, [value]) => (
  { name: g.add('Flatten', [g.add(op, [g.first(value).name], {}, name)], { axis: 1n }, name), shape });

/** @type {Operator} */
function batchNorm(g, layer, [x]) {
  const { name, options: { convention, epsilon, center, scale }, weights, shape } = layer, own = epsilon || (convention === 'pytorch' ? 1e-5 : 1e-3);
  const { gamma, beta, runningMean: { data: mean }, runningVariance: { data: variance } } = weights;
  const ones = new Float32Array(mean.length).fill(1), zeros = new Float32Array(mean.length);
  if (x.planes) {
    const parts = Object.entries({ gamma: scale ? gamma.data : ones, beta: center ? beta.data : zeros, mean, variance });
    const inputs = parts.map(([part, data]) => g.constant(`${name}/${part}`, data));
    return activated(g, { name: g.add('BatchNormalization', [x.name, ...inputs], { epsilon: own }, name), shape, planes: true }, layer);
  }
  const factor = Float32Array.from(mean, (_, i) => (scale ? gamma.data[i] : 1) / Math.sqrt(variance[i] + own));
  const shift = Float32Array.from(mean, (value, i) => (center ? beta.data[i] : 0) - value * factor[i]);
  const scaled = g.add('Mul', [x.name, g.constant(`${name}/scale`, factor)], {}, name);
  return activated(g, { name: g.add('Add', [scaled, g.constant(`${name}/shift`, shift)], {}, name), shape }, layer);
}

/** U X V^T + B. @type {Operator} */
function bilinear(g, layer, [value]) {
  const { name, weights: { U, V, B }, shape } = layer, x = g.last(value);
  const half = g.add('MatMul', [stored(g, `${name}/U`, U), x.name], {}, name), y = g.add('MatMul', [half, stored(g, `${name}/V`, transposed(V))], {}, name);
  return activated(g, { name: B ? g.add('Add', [y, stored(g, `${name}/B`, B)], {}, name) : y, shape }, layer);
}

/** u_k X v_k^T + b_k: the columns of X V^T, weighted by U^T and summed over the rows. @type {Operator} */
function bilinearSoftmax(g, layer, [value]) {
  const { name, weights: { U, V, b }, shape } = layer, x = g.last(value);
  const columns = g.add('MatMul', [x.name, stored(g, `${name}/V`, transposed(V))], {}, name);
  const weighted = g.add('Mul', [columns, stored(g, `${name}/U`, transposed(U))], {}, name);
  const sum = g.add('ReduceSum', [weighted, g.whole(`${name}/rows`, [1])], { keepdims: 0n }, name);
  return activated(g, { name: b ? g.add('Add', [sum, stored(g, `${name}/b`, b)], {}, name) : sum, shape }, layer);
}

/** @type {Operator} */
function globalStd(g, { name, options: { epsilon }, shape }, [value]) {
  const x = g.first(value).name, axes = [2, 3], mean = g.add('ReduceMean', [x], { axes, keepdims: 1n }, name);
  const difference = g.add('Sub', [x, mean], {}, name), square = g.add('Mul', [difference, difference], {}, name);
  const variance = g.add('ReduceMean', [square], { axes, keepdims: 0n }, name);
  const shifted = epsilon ? g.add('Add', [variance, g.constant(`${name}/epsilon`, [epsilon], [])], {}, name) : variance;
  return { name: g.add('Sqrt', [shifted], {}, name), shape };
}

/** One value or one for each channel. @param {readonly number[]} list @param {number} standard @param {number} channels */
const perChannel = (list, standard, channels) => Float32Array.from({ length: channels }, (_, i) => (list.length === 0 ? standard : list[list.length === 1 ? 0 : i]));

/** @type {Operator} */
function rescaling(g, { name, options: { scale, offset, reverse }, shape }, [value]) {
  const channels = shape[shape.length - 1], axis = BigInt(g.axis(value));
  const turned = reverse ? g.add('Gather', [value.name, g.whole(`${name}/order`, Array.from({ length: channels }, (_, i) => channels - 1 - i))], { axis }, name) : value.name;
  const scaled = g.add('Mul', [turned, g.along(`${name}/scale`, perChannel(scale, 1, channels), value)], {}, name);
  return { ...value, name: g.add('Add', [scaled, g.along(`${name}/offset`, perChannel(offset, 0, channels), value)], {}, name), shape };
}

/** Top, bottom, left, right. @param {readonly number[]} list */
const sides = list => (list.length === 4 ? list : [list[0], list[0], list[list.length - 1], list[list.length - 1]]);

/** @type {Operator} */
function crop(g, { name, options: { cropping }, shape }, [value]) {
  const x = g.first(value), [top, , left] = sides(cropping);
  const [from, to, axes] = [[top, left], [top + shape[0], left + shape[1]], [2, 3]].map((list, i) => g.whole(`${name}/${['from', 'to', 'axes'][i]}`, list));
  return { name: g.add('Slice', [x.name, from, to, axes], {}, name), shape, planes: true };
}

/** @type {Operator} */
function pad(g, { name, options: { padding, value: filler }, shape }, [value]) {
  const x = g.first(value), [top, bottom, left, right] = sides(padding);
  const pads = g.whole(`${name}/pads`, [0, 0, top, left, 0, 0, bottom, right]);
  return { name: g.add('Pad', [x.name, pads, g.constant(`${name}/value`, [filler], [])], {}, name), shape, planes: true };
}

/** @type {Operator} */
function upsample(g, { name, options: { interpolation }, shape }, [value]) {
  const x = g.first(value), scales = g.constant(`${name}/scales`, [1, 1, shape[0] / x.shape[0], shape[1] / x.shape[1]]);
  /** @type {import('./write_graph.js').Attributes} */
  const how = interpolation === 'nearest' ? { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' }
    : { mode: 'linear', coordinate_transformation_mode: 'half_pixel' };
  return { name: g.add('Resize', [x.name, '', scales], how, name), shape, planes: true };
}

/** Every n-th pixel, and channels of zeros before and behind. @type {Operator} */
function subsample(g, { name, options: { strides }, shape }, [value]) {
  const x = g.first(value), more = shape[2] - x.shape[2], before = Math.floor(more / 2);
  const [from, to, axes, steps] = [[0, 0], [x.shape[0], x.shape[1]], [2, 3], [strides, strides]].map((list, i) => g.whole(`${name}/${['from', 'to', 'axes', 'steps'][i]}`, list));
  const taken = g.add('Slice', [x.name, from, to, axes, steps], {}, name);
  return { name: g.add('Pad', [taken, g.whole(`${name}/pads`, [0, before, 0, 0, 0, more - before, 0, 0])], {}, name), shape, planes: true };
}

/** @type {Operator} */
function concat(g, { name, options: { axis }, shape }, inputs) {
  const rank = shape.length, at = axis < 0 ? axis + rank : axis;
  if (rank === 3 && at === 2 && inputs.every(({ planes }) => planes)) {
    return { name: g.add('Concat', inputs.map(x => x.name), { axis: 1n }, name), shape, planes: true };
  }
  return { name: g.add('Concat', inputs.map(x => g.last(x).name), { axis: BigInt(at + 1) }, name), shape };
}

/** @type {Operator} */
function addition(g, layer, inputs) {
  const planes = inputs.every(x => x.planes), own = planes ? inputs : inputs.map(x => g.last(x));
  return activated(g, { name: g.add('Sum', own.map(x => x.name), {}, layer.name), shape: layer.shape, planes }, layer);
}

/** @type {Operator} */
function crelu(g, { name, options: { negativeSlope: alpha }, shape }, [x]) {
  const side = (/** @type {string} */ z) => (alpha ? g.add('LeakyRelu', [z], { alpha }, name) : g.add('Relu', [z], {}, name));
  return { ...x, name: g.add('Concat', [side(x.name), side(g.add('Neg', [x.name], {}, name))], { axis: BigInt(g.axis(x)) }, name), shape };
}

/** @type {Operator} */
function unit(g, { name, shape }, [value]) {
  const x = g.last(value), length = g.add('ReduceL2', [x.name], { axes: [-1], keepdims: 1n }, name);
  return { name: g.add('Div', [x.name, g.add('Max', [length, g.constant(`${name}/least`, [1e-12], [])], {}, name)], {}, name), shape };
}

/** @type {Operator} */
function appendConstant(g, { name, options: { value: filler }, shape }, [value]) {
  const x = g.last(value), rank = shape.length + 1, pads = Array.from({ length: 2 * rank }, (_, i) => Number(i === 2 * rank - 1));
  return { name: g.add('Pad', [x.name, g.whole(`${name}/pads`, pads), g.constant(`${name}/value`, [filler], [])], {}, name), shape };
}

/** @type {Operator} */
function layerNorm(g, { name, options: { epsilon, center, scale }, weights: { gamma, beta }, shape }, [value]) {
  const x = g.last(value), size = shape[shape.length - 1];
  const factors = g.constant(`${name}/gamma`, scale ? gamma.data : new Float32Array(size).fill(1)), shift = center ? [stored(g, `${name}/beta`, beta)] : [];
  return { name: g.add('LayerNormalization', [x.name, factors, ...shift], { axis: -1n, epsilon }, name), shape };
}

/** With its positive weights as they are. @type {Operator} */
function monotonicDense(g, layer, [x]) {
  const { name, options, weights, shape } = layer, { kernel } = weights;
  const positive = { data: Float32Array.from(weightsOf({ name, layer: layer.kind, options }, kernel.data)), shape: kernel.shape };
  const y = affine(g, layer, x, positive);
  if (options.activation !== 'mixed') return activated(g, y, layer);
  const alpha = options.alpha || 1, sign = Float32Array.from({ length: shape[shape.length - 1] }, (_, i) => (i % 2 ? -1 : 1)), signs = g.constant(`${name}/signs`, sign);
  return { name: g.add('Mul', [g.add('Elu', [g.add('Mul', [y.name, signs], {}, name)], { alpha }, name), signs], {}, name), shape };
}

/** @type {Operator} what training alone does */
const identity = (_g, _layer, [x]) => x;

/** @type {{ [kind: string]: Operator }} */
export const operators = {
  activation: (g, layer, [x]) => activated(g, x, layer),
  add: addition, appendConstant, batchNorm, bilinear, bilinearSoftmax, concat, crelu, layerNorm, monotonicDense, rescaling,
  avgPool2d: pooling('AveragePool'), maxPool2d: pooling('MaxPool'),
  conv2d: convolution('Conv'), conv2dTranspose: convolution('ConvTranspose'),
  crop2d: crop, pad2d: pad, subsamplePad: subsample, upsample2d: upsample, unitNormalization: unit,
  dense: (g, layer, [x]) => activated(g, affine(g, layer, x, layer.weights.kernel), layer),
  depthToSpace: (g, { name, options: { blockSize }, shape }, [x]) => (
    { name: g.add('DepthToSpace', [g.first(x).name], { blocksize: BigInt(blockSize), mode: 'DCR' }, name), shape, planes: true }),
  dropout: identity, randomCrop2d: identity, randomFlip2d: identity, randomRotation2d: identity,
  flatten: (g, { name, shape }, [x]) => ({ name: g.add('Flatten', [g.last(x).name], { axis: 1n }, name), shape }),
  globalAveragePool2d: globalPooling('GlobalAveragePool'), globalMaxPool2d: globalPooling('GlobalMaxPool'), globalStdPool2d: globalStd,
  reshape: (g, { name, shape }, [x]) => ({ name: g.add('Reshape', [g.last(x).name, g.whole(`${name}/shape`, [-1, ...shape])], {}, name), shape }),
  transpose: (g, { name, options: { axes }, shape }, [value]) => {
    const x = g.last(value), order = axes.length ? axes : shape.map((_, i) => shape.length - 1 - i);
    return { name: g.add('Transpose', [x.name], { perm: [0, ...order.map((/** @type {number} */ a) => a + 1)] }, name), shape };
  },
};
