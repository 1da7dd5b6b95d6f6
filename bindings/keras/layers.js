/** What each layer of Keras is here. */
import { layers } from '../factories.js';
import { apply } from '../graph.js';
import { permuted } from '../weights/permuted.js';
import { refuse } from './files.js';

/** @import { SymbolicTensor } from '../graph.js' */
/** @import { Weight } from './files.js' */
/**
 * @typedef {object} Builder
 * @property {string} name of the layer, free for use here
 * @property {number} rank of a sample of the first input
 * @property {(part: string) => Weight} weight of the layer, by Keras' name
 * @property {(node: string, values: { [weight: string]: Float32Array }) => void} keep weights for a node
 */
/** @typedef {(config: any, inputs: SymbolicTensor[], builder: Builder) => SymbolicTensor} LayerReader */

const activations = new Map(Object.entries({ linear: 'linear', relu: 'relu', relu6: 'relu6', sigmoid: 'sigmoid', tanh: 'tanh', elu: 'elu', softmax: 'softmax', softplus: 'softplus' }));

/** @param {any} config @param {string} name */
function activationOf({ activation = 'linear' }, name) {
  return activations.get(activation) ?? refuse(`layer "${name}": activation ${JSON.stringify(activation)}, expected one of ${[...activations.keys()].join(', ')}`);
}

/** @param {any} config @param {string} name */
function checkFormat({ data_format: format = 'channels_last' }, name) {
  if (format !== 'channels_last' && format !== null) refuse(`layer "${name}": data_format ${format}, expected channels_last`);
}

/** @param {any} config @param {string} name @returns {any} */
function windowOf(config, name) {
  checkFormat(config, name);
  const { strides, padding = 'valid', dilation_rate: dilation = [1, 1], pool_size: poolSize, kernel_size: kernelSize } = config;
  if (padding !== 'valid' && padding !== 'same') refuse(`layer "${name}": padding ${padding}, expected valid or same`);
  return poolSize ? { poolSize, padding, strides: strides ?? poolSize } : { kernelSize, padding, strides: strides ?? [1, 1], dilation };
}

/** @param {Builder} builder @param {any} config @param {Float32Array} kernel */
function keepAffine({ name, weight, keep }, { use_bias: useBias = true }, kernel) {
  keep(name, { kernel, ...useBias && { bias: weight('bias').data } });
}

/** @type {LayerReader} */
function conv2d(config, inputs, builder) {
  const { name } = builder, { filters, groups = 1, use_bias: useBias = true } = config;
  keepAffine(builder, config, permuted(builder.weight('kernel'), [3, 0, 1, 2]).data);
  return apply(layers.conv2d({ name, filters, groups, useBias, activation: /** @type {any} */ (activationOf(config, name)), ...windowOf(config, name) }), inputs);
}

/** A filter or several of its own for each channel. @param {any} config @param {SymbolicTensor[]} inputs @param {Builder} builder @param {{ node: string, part: string, last: boolean }} how last: with bias
 * and activation */
function depthwise(config, inputs, { name, weight, keep }, { node, part, last }) {
  const kernel = weight(part), [h, w, channels, each] = kernel.shape, useBias = last && config.use_bias !== false;
  if (kernel.shape.length !== 4) refuse(`layer "${name}": ${part} is [${kernel.shape}], expected four axes`);
  keep(node, { kernel: permuted(kernel, [2, 3, 0, 1]).data, ...useBias && { bias: weight('bias').data } });
  const activation = /** @type {any} */ (last ? activationOf(config, name) : 'linear');
  return apply(layers.conv2d({ ...windowOf(config, name), name: node, filters: channels * each, groups: channels, kernelSize: [h, w], useBias, activation }), inputs);
}

/** @type {LayerReader} */
function separable(config, inputs, builder) {
  const { name } = builder, between = depthwise(config, inputs, builder, { node: `${name}.depthwise`, part: 'depthwise_kernel', last: false });
  keepAffine(builder, config, permuted(builder.weight('pointwise_kernel'), [3, 0, 1, 2]).data);
  return apply(layers.conv2d({ name, filters: config.filters, kernelSize: 1, useBias: config.use_bias !== false, activation: /** @type {any} */ (activationOf(config, name)) }), between);
}

/** @type {LayerReader} */
function transposedConv(config, inputs, builder) {
  const { name } = builder, { filters, use_bias: useBias = true, output_padding: extra } = config;
  if (extra) refuse(`layer "${name}": output_padding is not read`);
  keepAffine(builder, config, permuted(builder.weight('kernel'), [3, 0, 1, 2]).data); // Keras has [h, w, filters, channels]
  const window = windowOf(config, name), pair = (/** @type {number | number[]} */ list) => [list, list].flat().slice(0, 2);
  const [size, strides, dilation] = [window.kernelSize, window.strides, window.dilation].map(pair);
  // without padding Keras makes at least stride pixels of each
  const more = window.padding === 'valid' ? { outputPadding: strides.map((stride, i) => Math.max(stride - (size[i] - 1) * dilation[i] - 1, 0)) } : {};
  return apply(layers.conv2dTranspose({ name, filters, useBias, activation: /** @type {any} */ (activationOf(config, name)), ...window, ...more }), inputs);
}

/** @type {LayerReader} */
function dense(config, inputs, builder) {
  const { name } = builder, { units, use_bias: useBias = true } = config;
  keepAffine(builder, config, permuted(builder.weight('kernel'), [1, 0]).data);
  return apply(layers.dense({ name, units, useBias, activation: /** @type {any} */ (activationOf(config, name)) }), inputs);
}

/** @param {any} axis one number, or a list with one @param {Builder} builder */
function checkLastAxis(axis, { name, rank }) {
  const given = Array.isArray(axis) && axis.length === 1 ? axis[0] : axis;
  if (given !== undefined && given !== -1 && given !== rank) refuse(`layer "${name}": axis ${JSON.stringify(axis)}, expected the last`);
}

/** @type {LayerReader} */
function batchNorm({ momentum = 0.99, epsilon = 1e-3, center = true, scale = true, axis }, inputs, builder) {
  const { name, weight, keep } = builder;
  checkLastAxis(axis, builder);
  keep(name, {
    ...scale && { gamma: weight('gamma').data }, ...center && { beta: weight('beta').data },
    runningMean: weight('moving_mean').data, runningVariance: weight('moving_variance').data,
  });
  return apply(layers.batchNorm({ name, momentum, epsilon, center, scale }), inputs);
}

/** @type {LayerReader} */
function layerNorm({ epsilon = 1e-3, center = true, scale = true, axis }, inputs, builder) {
  const { name, weight, keep } = builder;
  checkLastAxis(axis, builder);
  keep(name, { ...scale && { gamma: weight('gamma').data }, ...center && { beta: weight('beta').data } });
  return apply(layers.layerNorm({ name, epsilon, center, scale }), inputs);
}

/** @param {'maxPool2d' | 'avgPool2d'} kind @returns {LayerReader} */
const pooling = kind => (config, inputs, { name }) => apply(layers[kind]({ name, ...windowOf(config, name) }), inputs);

/** @param {'globalAveragePool2d' | 'globalMaxPool2d'} kind @returns {LayerReader} */
const globalPooling = kind => (config, inputs, { name }) => {
  checkFormat(config, name);
  if (config.keepdims) refuse(`layer "${name}": keepdims is not read`);
  return apply(layers[kind]({ name }), inputs);
};

/** @param {string} activation @param {(config: any, name: string) => number} [alpha] @returns {LayerReader} */
const activated = (activation, alpha = () => 0) => (config, inputs, { name }) => apply(layers.activation({ name, activation: /** @type {any} */ (activation), alpha: alpha(config, name) }), inputs);

/** @type {LayerReader} */
function relu({ max_value: most = null, negative_slope: slope = 0, threshold = 0 }, inputs, { name }) {
  const slopes = [slope, threshold].flat(), activation = most === null ? 'relu' : 'relu6';
  if (slopes.some(Boolean) || (most !== null && Number(most) !== 6)) {
    refuse(`layer "${name}": max_value ${most}, negative_slope ${slope}, threshold ${threshold}, expected none or 6, and zeros`);
  }
  return apply(layers.activation({ name, activation }), inputs);
}

/** Top, bottom, left, right. @param {any} sides */
const fourSides = sides => Array.isArray(sides) ? [sides[0], sides[1]].flatMap(one => Array.isArray(one) ? one : [one, one]) : [sides, sides, sides, sides];

/** @type {{ [kind: string]: LayerReader }} */
export const readers = {
  Dense: dense, Conv2D: conv2d, Conv2DTranspose: transposedConv, SeparableConv2D: separable, BatchNormalization: batchNorm, LayerNormalization: layerNorm,
  DepthwiseConv2D: (config, inputs, builder) => depthwise(config, inputs, builder, { node: builder.name, part: 'depthwise_kernel', last: true }),
  MaxPooling2D: pooling('maxPool2d'), AveragePooling2D: pooling('avgPool2d'),
  GlobalAveragePooling2D: globalPooling('globalAveragePool2d'), GlobalMaxPooling2D: globalPooling('globalMaxPool2d'),
  Activation: (config, inputs, { name }) => apply(layers.activation({ name, activation: /** @type {any} */ (activationOf(config, name)) }), inputs),
  ReLU: relu, LeakyReLU: activated('leakyRelu', ({ alpha, negative_slope: slope }) => slope ?? alpha ?? 0.3), ELU: activated('elu', ({ alpha }) => alpha ?? 1),
  Softmax: (config, inputs, builder) => {
    checkLastAxis(config.axis, builder);
    return activated('softmax')(config, inputs, builder);
  },
  Flatten: (_config, inputs, { name }) => apply(layers.flatten({ name }), inputs),
  Reshape: ({ target_shape: shape }, inputs, { name }) => apply(layers.reshape({ name, shape }), inputs),
  Permute: ({ dims }, inputs, { name }) => apply(layers.transpose({ name, axes: dims.map((/** @type {number} */ axis) => axis - 1) }), inputs),
  Concatenate: ({ axis = -1 }, inputs, { name }) => apply(layers.concat({ name, axis: axis > 0 ? axis - 1 : axis }), inputs),
  Add: (_config, inputs, { name }) => apply(layers.add({ name }), inputs),
  Dropout: ({ rate }, inputs, { name }) => apply(layers.dropout({ name, rate }), inputs),
  ZeroPadding2D: ({ padding }, inputs, { name }) => apply(layers.pad2d({ name, padding: fourSides(padding) }), inputs),
  Cropping2D: ({ cropping }, inputs, { name }) => apply(layers.crop2d({ name, cropping: fourSides(cropping) }), inputs),
  UpSampling2D: ({ size, interpolation = 'nearest' }, inputs, { name }) => apply(layers.upsample2d({ name, size, interpolation }), inputs),
  Rescaling: ({ scale = 1, offset = 0 }, inputs, { name }) => apply(layers.rescaling({ name, scale: [scale].flat(), offset: [offset].flat() }), inputs),
};
