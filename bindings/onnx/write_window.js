/** Windows of convolutions and poolings as ONNX's attributes. */
/** @import { Layer } from './write_layers.js' */

/** One value for both directions, or two. @param {readonly number[] | undefined} list @param {readonly number[]} none @returns {number[]} */
const pair = (list, none) => (list?.length ? [list[0], list[list.length - 1]] : [...none]);

/** Begin and end of one direction by TensorFlow's rule: output ceil(size / stride), the odd one at the end.
 * @param {number} size @param {number} span @param {number} stride @returns {[number, number]} */
function same(size, span, stride) {
  const all = Math.max((Math.ceil(size / stride) - 1) * stride + span - size, 0);
  return [Math.floor(all / 2), all - Math.floor(all / 2)];
}

/**
 * @param {Layer} layer
 * @param {readonly number[]} from shape of the input
 * @param {boolean} adjoint for a transposed convolution
 * @returns {{ kernel_shape: number[], strides: number[], pads: number[], dilations: number[], outputPadding?: number[] }}
 */
export function windowOf({ options, shape: to }, from, adjoint) {
  const size = pair(options.kernelSize ?? options.poolSize, [2, 2]), strides = pair(options.strides, options.poolSize ? size : [1, 1]);
  const dilations = pair(options.dilation, [1, 1]), span = size.map((k, i) => (k - 1) * dilations[i] + 1), { padding, pads } = options;
  /** @param {0 | 1} i @returns {readonly number[]} */
  const ends = i => {
    if (padding === 'same') return same((adjoint ? to : from)[i], span[i], strides[i]);
    if (padding === 'valid') return [0, 0];
    return pads.length === 4 ? pads.slice(2 * i, 2 * i + 2) : [pads[pads.length === 2 ? i : 0], pads[pads.length === 2 ? i : 0]];
  };
  const [rows, cols] = [ends(0), ends(1)], all = [rows[0] + rows[1], cols[0] + cols[1]];
  const outputPadding = adjoint ? [0, 1].map(i => to[i] - ((from[i] - 1) * strides[i] + span[i] - all[i])) : undefined;
  return { kernel_shape: size, strides, pads: [rows[0], cols[0], rows[1], cols[1]], dilations, ...outputPadding && { outputPadding } };
}
