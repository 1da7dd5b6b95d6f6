/** Networks that come with heddle, beside this module: examples/train-upscaler.js makes them. */
import { HeddleError, checkOptions } from '../errors.js';

/**
 * @typedef {object} PretrainedOptions
 * @property {2 | 3 | 4} [scale] 2 unless told
 * @property {'conv' | 'matnet'} [network] the best there is unless told
 * @property {'denoise' | 'residual' | 'literal'} [mode] of a matnet
 * @property {AbortSignal} [signal]
 */

/** The best of a scale first. Each address is spelled out where it is used, so that bundlers find the file.
 * @type {readonly { scale: number, network: string, mode?: string, url: () => URL }[]} */
const shipped = [
  { scale: 2, network: 'conv', url: () => new URL('./pretrained-x2.safetensors', import.meta.url) },
  { scale: 2, network: 'matnet', mode: 'denoise', url: () => new URL('./pretrained-x2-denoise.safetensors', import.meta.url) },
  { scale: 2, network: 'matnet', mode: 'residual', url: () => new URL('./pretrained-x2-residual.safetensors', import.meta.url) },
];

/** @param {PretrainedOptions} options @returns {URL} */
export function pretrainedUrl(options) {
  checkOptions(options, ['scale', 'network', 'mode', 'signal'], 'SuperResolver.pretrained');
  const { scale = 2, network, mode } = options;
  const found = shipped.find(one => one.scale === scale && (network ?? one.network) === one.network && (mode ?? one.mode) === one.mode);
  if (found) return found.url();
  const wanted = [`scale ${String(scale)}`, network, mode].filter(Boolean).join(', '), have = shipped.map(one => [`scale ${one.scale}`, one.network, one.mode].filter(Boolean).join(', '));
  throw new HeddleError('unsupported', `SuperResolver.pretrained: no network (${wanted}) comes with heddle${have.length ? `, only: ${have.join('; ')}` : ''}; fit one, or load a file of one`);
}
