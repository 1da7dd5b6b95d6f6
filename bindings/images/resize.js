/** Resampling of pictures. */
import { HeddleError, checkOptions, wholeNumber } from '../errors.js';
import { asArguments, asPicture, compute, filled, indexIn, readPicture } from './pixels.js';

/** @import { Picture, PictureData } from './pixels.js' */
/**
 * @typedef {object} ResizeOptions
 * @property {number} [width] pixels; with height, or `scale` instead of both
 * @property {number} [height]
 * @property {number} [scale] factor of both sides, which are rounded up
 * @property {'nearest' | 'area' | 'bilinear' | 'bicubic'} [method] `bilinear` (default): as PIL's BILINEAR, bytes to the bit; `bicubic`: as
 *   MATLAB's imresize; both widen their kernels when shrinking (antialiasing). `area`: mean over the area that a new pixel covers. `nearest`: the
 *   pixel under the centre of the new one
 */

const methods = ['nearest', 'area', 'bilinear', 'bicubic'];

/**
 * A picture of another size, of the same type; channels are resized each for itself.
 * @param {Picture} image [height, width, channels]
 * @param {ResizeOptions} options
 * @returns {Promise<PictureData>} [options.height, options.width, channels]
 * @throws {HeddleError} `argument` for wrong options and numbers that are not finite, `shape`
 */
export async function resize(image, options) {
  checkOptions(options, ['width', 'height', 'scale', 'method'], 'resize');
  const given = readPicture(image, 'resize'), { width, height, scale, method = 'bilinear' } = options;
  const way = indexIn(method, methods, 'resize: method');
  if ((scale === undefined) === (width === undefined || height === undefined) || (width === undefined) !== (height === undefined)) {
    throw new HeddleError('argument', 'resize: expected width and height, or scale');
  }
  if (scale !== undefined && !(Number.isFinite(scale) && scale > 0)) throw new HeddleError('argument', `resize: scale = ${String(scale)}, expected a number above 0`);
  for (const [name, value] of Object.entries({ width, height })) wholeNumber(value, `resize: ${name}`, 1, 1);
  const [h, w] = scale ? [Math.ceil(scale * given.height), Math.ceil(scale * given.width)] : [height ?? 0, width ?? 0], shape = [h, w, given.channels];
  const [data] = await compute('resize', [...asArguments(given), way, scale ?? 0, h, w, filled(given, shape, 'resize')]);
  return asPicture(data, given, shape);
}
