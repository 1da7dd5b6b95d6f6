/** Networks that come with heddle. */
import { HeddleError, checkOptions } from '../errors.js';
import { upscalers } from '../pretrained.js';

/**
 * @typedef {object} PretrainedOptions
 * @property {2 | 3 | 4} [scale] 2 unless told
 * @property {'conv' | 'matnet'} [network] the best there is unless told
 * @property {'denoise' | 'residual' | 'literal'} [mode] of a matnet
 * @property {AbortSignal} [signal] stops the fetching of the file; the call then rejects with its reason
 */

/** @param {PretrainedOptions} options @returns {URL} */
export function pretrainedUrl(options) {
  checkOptions(options, ['scale', 'network', 'mode', 'signal'], 'SuperResolver.pretrained');
  const { scale = 2, network, mode } = options;
  const found = upscalers.find(one => one.scale === scale && (network ?? one.network) === one.network && (mode ?? one.mode) === one.mode);
  if (found) return found.url();
  const wanted = [`scale ${String(scale)}`, network, mode].filter(Boolean).join(', '), have = upscalers.map(one => [`scale ${one.scale}`, one.network, one.mode].filter(Boolean).join(', '));
  throw new HeddleError('unsupported', `SuperResolver.pretrained: no network (${wanted}) comes with heddle${have.length ? `, only: ${have.join('; ')}` : ''}; fit one, or load a file of one`);
}
