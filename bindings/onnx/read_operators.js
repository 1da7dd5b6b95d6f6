/** What each operator of ONNX is in layers of this library. */
import { permuted } from '../weights/permuted.js';
import { refuse } from './read_file.js';

/** @import { Constant, Step } from './read_file.js' */
/** @import { Reader, Value } from './read_graph.js' */
/** @typedef {(reader: Reader, step: Step) => Value} ReadStep */

/** @param {Step} step @param {string} message @returns {never} */
function no({ name, op }, message) {
  return refuse(`node "${name}" (${op}): ${message}`);
}

/** A constant with its axes in another order. @param {Constant} constant @param {readonly number[]} order @returns {Float32Array} */
const turned = ({ dims, data }, order) => permuted({ shape: dims, data: Float32Array.from(data) }, order).data;

/** @param {Constant} matrix */
const transposed = matrix => turned(matrix, [1, 0]);

/** Kernels [k, c, h, w] become [k, h, w, c]. @param {Constant} kernel */
const channelsLast = kernel => turned(kernel, [0, 2, 3, 1]);

/**
 * Rows and columns after a window has slid.
 * @param {Value} x
 * @param {any} options
 * @param {number[]} window
 * @param {number} channels
 * @returns {[number, number, number] | undefined}
 */
function slid({ size }, { strides, padding: how, pads = [0, 0, 0, 0], dilation = [1, 1] }, window, channels) {
  if (!size) return undefined;
  const [h, w] = [0, 1].map(i => (how === 'same' ? Math.ceil(size[i] / strides[i])
    : Math.floor((size[i] + pads[2 * i] + pads[2 * i + 1] - (window[i] - 1) * dilation[i] - 1) / strides[i]) + 1));
  return [h, w, channels];
}

/**
 * The attributes of a window, of the right lengths.
 * @param {Step} step
 * @param {readonly number[]} [size] of the window, where it is no attribute
 * @returns {Step['attributes']}
 */
function windowAttributes(step, size = step.attributes.kernel_shape) {
  const { strides = [1, 1], dilations = [1, 1], pads = [0, 0, 0, 0] } = step.attributes;
  for (const [name, list, length] of /** @type {const} */ ([['kernel_shape', size, 2], ['strides', strides, 2], ['dilations', dilations, 2], ['pads', pads, 4]])) {
    if (list?.length !== length) no(step, `${name} = [${list}], expected ${length} values: pictures`);
  }
  return { ...step.attributes, kernel_shape: size, strides, dilations, pads };
}

/** Padding options. @param {Step} step @param {any} attributes */
function padding(step, { auto_pad: auto = 'NOTSET', pads = [0, 0, 0, 0], ceil_mode: ceil = 0 }) {
  if (ceil) no(step, 'ceil_mode = 1, expected 0');
  if (auto === 'SAME_UPPER') return { padding: 'same' };
  if (auto === 'VALID' || (auto === 'NOTSET' && !pads.some(Boolean))) return {};
  if (auto !== 'NOTSET') no(step, `auto_pad = ${auto}`);
  return { padding: 'explicit', pads: [pads[0], pads[2], pads[1], pads[3]] };
}

/** @param {'conv2d' | 'conv2dTranspose'} kind @returns {ReadStep} */
const convolution = kind => (reader, step) => {
  const x = reader.picture(step, reader.value(step, 0)), kernel = reader.needed(step, 1, 'the kernel'), bias = reader.constant(step, 2);
  if (kernel.dims.length !== 4) no(step, `a kernel of ${kernel.dims.length} axes, expected 4: pictures`);
  if (step.inputs[2] && !bias) no(step, 'the bias must be a constant');
  const [k, c, ...kernelSize] = kernel.dims, attributes = windowAttributes(step, kernelSize), groups = attributes.group ?? 1, filters = kind === 'conv2d' ? k : c * groups;
  const options = { filters, kernelSize, strides: attributes.strides, dilation: attributes.dilations, groups, useBias: bias !== undefined, ...padding(step, attributes) };
  if (attributes.output_shape) no(step, 'output_shape is not read');
  const extra = attributes.output_padding?.some(Boolean) ? { outputPadding: attributes.output_padding } : {};
  const weights = { kernel: channelsLast(kernel), ...bias && { bias: bias.data } };
  const size = kind === 'conv2d' ? slid(x, options, kernelSize, filters) : undefined;
  return { piece: reader.add(kind, step, { ...options, ...extra }, [x.piece], weights), rank: 3, first: true, size };
};

/** @param {'maxPool2d' | 'avgPool2d'} kind @returns {ReadStep} */
const pooling = kind => (reader, step) => {
  const attributes = windowAttributes(step), x = reader.picture(step, reader.value(step, 0));
  if (attributes.dilations.some((/** @type {number} */ d) => d !== 1)) no(step, `dilations = [${attributes.dilations}], expected 1`);
  const count = kind === 'avgPool2d' ? { countIncludePad: Boolean(attributes.count_include_pad) } : {};
  const options = { poolSize: attributes.kernel_shape, strides: attributes.strides, ...padding(step, attributes), ...count };
  return { piece: reader.add(kind, step, options, [x.piece]), rank: 3, first: true, size: x.size && slid(x, options, attributes.kernel_shape, x.size[2]) };
};

/** @param {string} kind @returns {ReadStep} */
const globalPooling = kind => (reader, step) => ({ piece: reader.add(kind, step, {}, [reader.picture(step, reader.value(step, 0)).piece]), rank: 1, first: false, pooled: true });

const fusable = new Set(['conv2d', 'conv2dTranspose', 'dense', 'batchNorm', 'bilinear', 'add']);

/**
 * An activation; it joins the layer before it if nothing else reads that one.
 * @param {string} activation
 * @param {(step: Step, reader: Reader) => object} [more]
 * @returns {ReadStep}
 */
const activation = (activation, more = () => ({})) => (reader, step) => {
  const x = reader.value(step, 0), options = { activation, ...more(step, reader) };
  if (activation === 'softmax') {
    const { axis = reader.opset < 13 ? 1 : -1 } = step.attributes, last = x.first ? 1 : x.rank;
    if ((axis < 0 ? axis + x.rank + 1 : axis) !== last) no(step, `axis = ${axis}, expected that of the channels or the last`);
  }
  if (reader.once(step.inputs[0]) && fusable.has(x.piece.kind) && !x.piece.options.activation && !x.piece.half) {
    Object.assign(x.piece.options, options);
    return x;
  }
  return { ...x, piece: reader.add('activation', step, options, [x.piece]) };
};

/** Bounds of a Clip: of opset 6 attributes, later inputs. @param {Step} step @param {Reader} reader */
function clip(step, reader) {
  const [least, greatest] = [1, 2].map((i, k) => reader.constant(step, i)?.data[0] ?? step.attributes[k ? 'max' : 'min']);
  if (least !== 0 || greatest !== 6) no(step, `clips to ${least} .. ${greatest}, expected 0 .. 6`);
  return {};
}

/** @type {ReadStep} */
function gemm(reader, step) {
  const { alpha = 1, beta = 1, transA = 0, transB = 0 } = step.attributes, x = reader.value(step, 0), b = reader.needed(step, 1, 'the second matrix'), c = reader.constant(step, 2);
  if (alpha !== 1 || beta !== 1 || transA) no(step, `alpha = ${alpha}, beta = ${beta}, transA = ${transA}, expected 1, 1 and 0`);
  if (x.rank !== 1) no(step, `reads ${x.rank + 1} axes, expected [N, features]`);
  const kernel = transB ? b.data : transposed(b), units = b.dims[transB ? 0 : 1];
  const bias = c && (c.data.length === units ? c.data : new Float32Array(units).fill(c.data[0]));
  return { piece: reader.add('dense', step, { units, useBias: bias !== undefined }, [x.piece], { kernel, ...bias && { bias } }), rank: 1, first: false };
}

/** x W, U x, or with both (U x) V^T: a dense or a bilinear layer. @type {ReadStep} */
function matMul(reader, step) {
  const left = reader.constant(step, 0);
  if (left) {
    const x = reader.plain(step, reader.value(step, 1)), [rows] = left.dims;
    if (left.dims.length !== 2 || x.rank !== 2) no(step, 'a constant times something else than a matrix');
    const piece = reader.add('bilinear', step, { rows, cols: 0, useBias: false }, [x.piece], { U: left.data });
    piece.half = true;
    return { piece, rank: 2, first: false };
  }
  const right = reader.needed(step, 1, 'one of both'), x = reader.plain(step, reader.value(step, 0)), { piece } = x;
  if (right.dims.length !== 2) no(step, `a constant of ${right.dims.length} axes, expected a matrix`);
  if (piece.half && reader.once(step.inputs[0])) {
    piece.half = false;
    piece.options.cols = right.dims[1];
    piece.weights.V = transposed(right);
    return x;
  }
  return { ...x, piece: reader.add('dense', step, { units: right.dims[1], useBias: false }, [piece], { kernel: transposed(right) }) };
}

/**
 * The same value by another name, which must not change if a layer behind one of both names is joined.
 * @param {Reader} reader
 * @param {Step} step
 * @param {Value} value
 * @returns {Value}
 */
const alias = (reader, step, value) => reader.once(step.inputs[0]) ? value : { ...value, piece: reader.add('activation', step, { activation: 'linear' }, [value.piece]) };

/** The numbers for the channels of a value, or null. @param {Value} value @param {Constant} constant @returns {number[] | null} */
function alongChannels({ first, rank, pooled }, { dims, data }) {
  const others = [...dims], behind = first || pooled ? 2 : 0;
  if (data.length === 1) return [data[0]];
  if (!others.slice(others.length - behind).every(n => n === 1)) return null;
  const own = others.slice(0, others.length - behind), channels = own.pop() ?? 1;
  return own.every(n => n === 1) && channels === data.length && rank >= 1 ? [...data] : null;
}

/** With a constant: a bias of the layer before, or a layer of its own. @param {Reader} reader @param {Step} step @param {number} at place of the value
 * @param {'scale' | 'offset'} what @param {(v: number) => number} [turn] @returns {Value} */
function withConstant(reader, step, at, what, turn = v => v) {
  const x = reader.value(step, at), constant = reader.needed(step, 1 - at, 'one of both'), list = alongChannels(x, constant), { piece } = x;
  const isFree = reader.once(step.inputs[at]) && piece.options.useBias === false && !piece.options.activation && !piece.half && what === 'offset';
  if (isFree && piece.kind === 'bilinear' && constant.dims.slice(-2).join() === `${piece.options.rows},${piece.options.cols}`) {
    piece.options.useBias = true;
    piece.weights.B = Float32Array.from(constant.data, turn);
    return x;
  }
  if (!list) no(step, `a constant [${constant.dims}] that is not one number for each channel`);
  if (isFree && ['dense', 'conv2d', 'conv2dTranspose'].includes(piece.kind)) {
    const units = piece.options.units ?? piece.options.filters;
    piece.options.useBias = true;
    piece.weights.bias = list.length === units ? list.map(turn) : new Float32Array(units).fill(turn(list[0]));
    return x;
  }
  return { ...x, piece: reader.add('rescaling', step, { [what]: list.map(turn) }, [piece]) };
}

/** @type {ReadStep} */
function sum(reader, step) {
  const constant = step.inputs.findIndex(name => reader.constants.has(name));
  if (constant >= 0 && step.inputs.length === 2) return withConstant(reader, step, 1 - constant, 'offset');
  const values = step.inputs.map((_, i) => reader.value(step, i)), first = values.some(value => value.first);
  const own = first ? values.map(value => reader.picture(step, value)) : values;
  return { ...own[0], piece: reader.add('add', step, {}, own.map(({ piece }) => piece)) };
}

/** @type {ReadStep} */
function concat(reader, step) {
  const values = step.inputs.map((_, i) => reader.value(step, i)), first = values.some(value => value.first), { rank, pooled } = values[0];
  const own = first ? values.map(value => reader.picture(step, value)) : values, axes = rank + 1 + (pooled ? 2 : 0), { axis: given } = step.attributes;
  const axis = given < 0 ? given + axes : given;
  if (axis < 1) no(step, 'joins samples');
  const place = first ? [0, 2, 0, 1][axis] : axis - 1, sizes = own.map(({ size }) => size);
  const size = sizes.every(one => one !== undefined) && first ? [0, 1, 2].map(i => (i === place ? sizes.reduce((total, one) => total + one[i], 0) : sizes[0][i])) : undefined;
  return { ...own[0], size: /** @type {Value['size']} */ (size), piece: reader.add('concat', step, { axis: place }, own.map(({ piece }) => piece)) };
}

/** @type {ReadStep} */
function batchNorm(reader, step) {
  const value = reader.value(step, 0), x = value.rank === 1 ? value : reader.picture(step, value), { epsilon = 1e-5, momentum = 0.9, training_mode: training = 0 } = step.attributes;
  if (training) no(step, 'training_mode = 1, expected a model for inference');
  const [gamma, beta, runningMean, runningVariance] = [1, 2, 3, 4].map(i => reader.needed(step, i, 'each of scale, bias, mean and variance').data);
  return { ...x, piece: reader.add('batchNorm', step, { epsilon, momentum }, [x.piece], { gamma, beta, runningMean, runningVariance }) };
}

/** @type {ReadStep} */
function layerNorm(reader, step) {
  const x = reader.plain(step, reader.value(step, 0)), { axis = -1, epsilon = 1e-5 } = step.attributes, beta = reader.constant(step, 2);
  if (axis !== -1 && axis !== x.rank) no(step, `axis = ${axis}, expected the last`);
  const weights = { gamma: reader.needed(step, 1, 'the scale').data, ...beta && { beta: beta.data } };
  return { ...x, piece: reader.add('layerNorm', step, { epsilon, center: beta !== undefined }, [x.piece], weights) };
}

/** @type {ReadStep} */
function flatten(reader, step) {
  const value = reader.value(step, 0), { axis = 1 } = step.attributes;
  if (axis !== 1) no(step, `axis = ${axis}, expected 1`);
  return value.rank === 1 ? { ...alias(reader, step, value), pooled: false } : { piece: reader.add('flatten', step, {}, [reader.plain(step, value).piece]), rank: 1, first: false };
}

/** @type {ReadStep} */
function reshape(reader, step) {
  const value = reader.value(step, 0), shape = [...reader.needed(step, 1, 'the shape').data].slice(1);
  if (shape.some(n => n === 0)) no(step, 'a 0 behind the first place of the shape');
  if (shape.length === 1 && value.rank === 1) return { ...alias(reader, step, value), pooled: false };
  const x = reader.plain(step, value);
  return { piece: shape.length === 1 ? reader.add('flatten', step, {}, [x.piece]) : reader.add('reshape', step, { shape }, [x.piece]), rank: shape.length, first: false };
}

/** Rows and columns of length 1. @type {ReadStep} */
function squeeze(reader, step) {
  const value = reader.value(step, 0);
  if (!value.pooled) no(step, 'expected the result of a global pooling');
  return { ...alias(reader, step, value), pooled: false };
}

/** @type {ReadStep} */
function transpose(reader, step) {
  const value = reader.value(step, 0), perm = step.attributes.perm ?? [];
  if (value.rank === 3 && String(perm) === '0,2,3,1' && value.first) return { ...alias(reader, step, value), first: false };
  if (value.rank === 3 && String(perm) === '0,3,1,2' && !value.first) return { ...alias(reader, step, value), first: true };
  if (perm[0] !== 0) no(step, `perm = [${perm}], expected the samples to stay first`);
  const x = reader.plain(step, value);
  return { piece: reader.add('transpose', step, { axes: perm.slice(1).map((/** @type {number} */ a) => a - 1) }, [x.piece]), rank: x.rank, first: false };
}

/** Rows and columns alone, or the last axis alone. @type {ReadStep} */
function pad(reader, step) {
  const value = reader.value(step, 0), pads = step.attributes.pads ?? [...reader.needed(step, 1, 'pads').data], { mode = 'constant' } = step.attributes;
  const filler = reader.constant(step, 2)?.data[0] ?? step.attributes.value ?? 0, half = pads.length / 2;
  if (mode !== 'constant') no(step, `mode = ${mode}, expected constant`);
  const isLast = !value.first && pads.every((/** @type {number} */ n, /** @type {number} */ i) => n === Number(i === pads.length - 1));
  if (isLast) return { ...value, piece: reader.add('appendConstant', step, { value: filler }, [value.piece]) };
  const x = reader.picture(step, value), { size } = x;
  if (half === 4 && size && pads[1] + pads[5] > 0 && [0, 2, 3, 4, 6, 7].every(i => !pads[i])) {
    return padChannels(reader, step, x, size, pads[1], pads[5], filler);
  }
  if (half !== 4 || [0, 1, 4, 5].some(i => pads[i])) no(step, `pads = [${pads}], expected rows and columns only`);
  const padded = /** @type {Value['size']} */ (size && [size[0] + pads[2] + pads[6], size[1] + pads[3] + pads[7], size[2]]);
  return { ...x, size: padded, piece: reader.add('pad2d', step, { padding: [pads[2], pads[6], pads[3], pads[7]], value: filler }, [x.piece]) };
}

/** Channels of zeros, as shortcuts of residual networks have them. @param {Reader} reader @param {Step} step @param {Value} x @param {[number, number, number]} size
 * @param {number} before @param {number} after @param {number} filler @returns {Value} */
function padChannels(reader, step, x, [h, w, c], before, after, filler) {
  if (before !== Math.floor((before + after) / 2) || filler !== 0) {
    no(step, `${before} and ${after} channels of ${filler}, expected zeros, half of them before and half behind`);
  }
  const channels = c + before + after, size = /** @type {Value['size']} */ ([h, w, channels]);
  if (x.piece.kind !== 'subsamplePad' || !reader.once(step.inputs[0])) {
    return { ...x, size, piece: reader.add('subsamplePad', step, { strides: 1, channels }, [x.piece]) };
  }
  x.piece.options.channels = channels;
  return { ...x, size };
}

/** Part of a picture, or every n-th of its pixels. @type {ReadStep} */
function slice(reader, step) {
  const x = reader.picture(step, reader.value(step, 0)), { size } = x;
  const [from, to, axes, steps] = ['starts', 'ends', 'axes', 'steps'].map((name, i) => (
    step.attributes[name] ?? (i < 2 ? [...reader.needed(step, i + 1, name).data] : reader.constant(step, i + 1)?.data)));
  if (!size) return no(step, 'the size of the picture is not known');
  const bounds = [[0, size[0], 1], [0, size[1], 1]];
  for (const [i, axis] of (axes ?? from.map((/** @type {number} */ _, /** @type {number} */ k) => k)).entries()) {
    const at = (axis < 0 ? axis + 4 : axis) - 2, n = size[at], end = (/** @type {number} */ v) => Math.min(v < 0 ? v + n : v, n);
    if (at < 0) return no(step, `axis ${axis}, expected rows and columns`);
    bounds[at] = [end(from[i]), end(to[i]), steps?.[i] ?? 1];
  }
  const [[top, low, by], [left, right, across]] = bounds, own = /** @type {Value['size']} */ ([Math.ceil((low - top) / by), Math.ceil((right - left) / across), size[2]]);
  if (by === 1 && across === 1) {
    return { ...x, size: own, piece: reader.add('crop2d', step, { cropping: [top, size[0] - low, left, size[1] - right] }, [x.piece]) };
  }
  if (by !== across || by < 1 || top || left || low < size[0] || right < size[1]) {
    return no(step, `takes rows ${top}..${low} by ${by} and columns ${left}..${right} by ${across}, expected every n-th of all`);
  }
  return { ...x, size: own, piece: reader.add('subsamplePad', step, { strides: by, channels: size[2] }, [x.piece]) };
}

/** @type {ReadStep} */
function resize(reader, step) {
  const x = reader.picture(step, reader.value(step, 0)), scales = reader.constant(step, reader.opset >= 11 && step.op === 'Resize' ? 2 : 1)?.data ?? step.attributes.scales;
  const { mode = 'nearest', coordinate_transformation_mode: how = 'half_pixel', nearest_mode: round = 'round_prefer_floor' } = step.attributes;
  if (!scales || scales.length !== 4 || scales[0] !== 1 || scales[1] !== 1 || ![2, 3].every(i => Number.isInteger(scales[i]))) {
    no(step, `scales = [${scales}], expected whole factors for rows and columns`);
  }
  const isNearest = mode === 'nearest' && (step.op === 'Upsample' || (how === 'asymmetric' && round === 'floor') || how === 'half_pixel');
  const isLinear = mode === 'linear' && how === 'half_pixel';
  if (!isNearest && !isLinear) no(step, `mode = ${mode} with ${how} and ${round}`);
  const size = /** @type {Value['size']} */ (x.size && [x.size[0] * scales[2], x.size[1] * scales[3], x.size[2]]);
  return { ...x, size, piece: reader.add('upsample2d', step, { size: [scales[2], scales[3]], interpolation: isLinear ? 'bilinear' : 'nearest' }, [x.piece]) };
}

/** The mean over rows and columns. @type {ReadStep} */
function reduceMean(reader, step) {
  const axes = step.attributes.axes ?? [...reader.needed(step, 1, 'axes').data], { keepdims = 1 } = step.attributes, x = reader.picture(step, reader.value(step, 0));
  if (axes.map((/** @type {number} */ a) => (a < 0 ? a + 4 : a)).sort().join() !== '2,3') {
    no(step, `axes = [${axes}], expected rows and columns of a picture`);
  }
  return { piece: reader.add('globalAveragePool2d', step, {}, [x.piece]), rank: 1, first: false, pooled: keepdims === 1 };
}

/** Channels in reversed order: RGB becomes BGR. @type {ReadStep} */
function gather(reader, step) {
  const x = reader.value(step, 0), { data } = reader.needed(step, 1, 'the indices'), { axis = 0 } = step.attributes, own = x.first ? 1 : x.rank;
  if ((axis < 0 ? axis + x.rank + 1 : axis) !== own || [...data].some((v, i) => v !== data.length - 1 - i)) {
    no(step, `indices [${data}] on axis ${axis}, expected all channels in reversed order`);
  }
  return { ...x, piece: reader.add('rescaling', step, { reverse: true }, [x.piece]) };
}

/** @type {{ [op: string]: ReadStep }} */
export const readers = {
  Conv: convolution('conv2d'), ConvTranspose: convolution('conv2dTranspose'), MaxPool: pooling('maxPool2d'), AveragePool: pooling('avgPool2d'),
  GlobalAveragePool: globalPooling('globalAveragePool2d'), GlobalMaxPool: globalPooling('globalMaxPool2d'), ReduceMean: reduceMean,
  Relu: activation('relu'), Sigmoid: activation('sigmoid'), Tanh: activation('tanh'), Softplus: activation('softplus'), Softmax: activation('softmax'), Clip: activation('relu6', clip),
  LeakyRelu: activation('leakyRelu', ({ attributes: { alpha = 0.01 } }) => ({ alpha })), Elu: activation('elu', ({ attributes: { alpha = 1 } }) => ({ alpha })),
  Gemm: gemm, MatMul: matMul, Add: sum, Sum: sum, Concat: concat, BatchNormalization: batchNorm, LayerNormalization: layerNorm,
  Mul: (reader, step) => withConstant(reader, step, Number(reader.constants.has(step.inputs[0])), 'scale'),
  Sub: (reader, step) => withConstant(reader, step, 0, 'offset', v => -v), Div: (reader, step) => withConstant(reader, step, 0, 'scale', v => 1 / v),
  Neg: (reader, step) => ({ ...reader.value(step, 0), piece: reader.add('rescaling', step, { scale: [-1] }, [reader.value(step, 0).piece]) }),
  Flatten: flatten, Reshape: reshape, Squeeze: squeeze, Transpose: transpose, Pad: pad, Slice: slice, Resize: resize, Upsample: resize,
  DepthToSpace: (reader, step) => {
    const x = reader.picture(step, reader.value(step, 0)), { blocksize, mode = 'DCR' } = step.attributes;
    if (mode !== 'DCR') no(step, `mode = ${mode}, expected DCR`);
    const size = /** @type {Value['size']} */ (x.size && [x.size[0] * blocksize, x.size[1] * blocksize, x.size[2] / blocksize ** 2]);
    return { ...x, size, piece: reader.add('depthToSpace', step, { blockSize: blocksize }, [x.piece]) };
  },
  Gather: gather, Identity: (reader, step) => alias(reader, step, reader.value(step, 0)), Dropout: (reader, step) => alias(reader, step, reader.value(step, 0)),
};
