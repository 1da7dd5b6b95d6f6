/** Where PyTorch's parameters belong in a model, and how their values lie there. */

import { permuted } from './permuted.js';

/** @import { LayerInfo } from '../model.js' */
/** @import { Values } from './permuted.js' */
/** @typedef {(values: Values, layer: LayerInfo, layers: ReadonlyMap<string, LayerInfo>) => Values} Conversion */

/** Kernels [filters, C, kh, kw] become [filters, kh, kw, C]; transposed ones [C, filters, kh, kw] alike. @type {Conversion} */
const channelsLast = values => (values.shape.length === 4 ? permuted(values, [0, 2, 3, 1]) : values);

/** Behind a flatten, columns in the order C, H, W become H, W, C. @type {Conversion} */
function columns(values, layer, layers) {
  let before = layers.get(layer.inputs[0]);
  while (before && ['dropout', 'activation'].includes(before.kind)) before = layers.get(before.inputs[0]);
  const image = before?.kind === 'flatten' ? layers.get(before.inputs[0])?.outputShape ?? [] : [];
  const [rows, width] = values.shape, [h, w, c] = image;
  if (values.shape.length !== 2 || image.length !== 3 || width !== h * w * c) return values;
  return { shape: values.shape, data: permuted({ shape: [rows, c, h, w], data: values.data }, [0, 2, 3, 1]).data };
}

/** @type {Conversion} */
const same = values => values;

/** For each kind of layer: PyTorch's parameter, the weight it is here, and how it gets there.
 * @type {Record<string, Record<string, [weight: string, convert: Conversion]>>} */
const parameters = {
  conv2d: { weight: ['kernel', channelsLast], bias: ['bias', same] },
  conv2dTranspose: { weight: ['kernel', channelsLast], bias: ['bias', same] },
  dense: { weight: ['kernel', columns], bias: ['bias', same] },
  batchNorm: { weight: ['gamma', same], bias: ['beta', same], running_mean: ['runningMean', same], running_var: ['runningVariance', same] },
  layerNorm: { weight: ['gamma', same], bias: ['beta', same] },
};

/** Wrappers of training frameworks that put their name before every parameter's. */
const wrapper = /^(module|model|_orig_mod)\./;

/** What counts batches during training and is no weight. @param {string} name */
export const isCounter = name => name.endsWith('.num_batches_tracked');

/**
 * @param {string} name of a tensor: "layer1.0.conv1.weight", or this library's own "layer1.0.conv1/kernel"
 * @param {ReadonlyMap<string, LayerInfo>} layers
 * @returns {{ layer: LayerInfo, weight: string, convert: Conversion } | { layer: LayerInfo, biasOf: LayerInfo } | null} the weight; for
 *   the bias of a convolution that has none here, the batch normalisation that takes it; null: it belongs nowhere
 */
export function findPlace(name, layers) {
  for (let given = name; ; given = given.replace(wrapper, '')) {
    const own = given.split('/'), layer = layers.get(own[0]);
    if (own.length === 2 && layer) return hasWeight(layer, given) ? { layer, weight: given, convert: same } : null;
    const dot = given.lastIndexOf('.'), module = layers.get(given.slice(0, dot)), parameter = given.slice(dot + 1);
    const found = parameters[module?.kind ?? '']?.[parameter];
    if (module && found) {
      const [weight, convert] = found;
      if (hasWeight(module, `${module.name}/${weight}`)) return { layer: module, weight: `${module.name}/${weight}`, convert };
      const norm = parameter === 'bias' ? normAfter(module, layers) : undefined;
      return norm ? { layer: norm, biasOf: module } : null;
    }
    if (!wrapper.test(given)) return null;
  }
}

/** @param {LayerInfo} layer @param {string} weight */
const hasWeight = ({ weights }, weight) => weights.some(({ name }) => name === weight);

/** The batch normalisation that alone reads a layer. @param {LayerInfo} layer @param {ReadonlyMap<string, LayerInfo>} layers */
function normAfter({ name }, layers) {
  const readers = [...layers.values()].filter(({ inputs }) => inputs.includes(name));
  return readers.length === 1 && readers[0].kind === 'batchNorm' ? readers[0] : undefined;
}
