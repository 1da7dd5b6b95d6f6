/** Full-reference quality of pictures. */
import { HeddleError, checkOptions } from '../errors.js';
import { asArguments, compute, indexIn, readPicture } from './pixels.js';

/** @import { Picture } from './pixels.js' */
/**
 * @typedef {object} CompareOptions
 * @property {'luma' | 'channels'} [on] what is compared: 0.299 R + 0.587 G + 0.114 B, not rounded, or every channel (psnr: the mean of all
 *   squared errors; else the mean of the channels' values). Unless told: psnr `channels`, ssim and msSsim `luma`
 * @property {number} [peak] the value of white; unless told, 255 for bytes and 1 for floats
 */

/** @param {string} name @param {number} measure @param {Picture} image @param {Picture} reference @param {CompareOptions} options @param {string} usual */
async function compare(name, measure, image, reference, options, usual) {
  checkOptions(options, ['on', 'peak'], name);
  const x = readPicture(image, `${name}: image`), y = readPicture(reference, `${name}: reference`), { on = usual, peak = x.isBytes ? 255 : 1 } = options;
  const [size, wanted] = [x, y].map(({ height, width, channels }) => `${height} x ${width} x ${channels}`);
  if (size !== wanted) throw new HeddleError('shape', `${name}: the image is ${size}, the reference ${wanted}: expected one size`);
  if (x.isBytes !== y.isBytes) throw new HeddleError('argument', `${name}: one picture is of bytes (0..255), the other of floats`);
  const luma = 1 - indexIn(on, ['luma', 'channels'], `${name}: on`);
  if (typeof peak !== 'number') throw new HeddleError('argument', `${name}: peak = ${String(peak)}, expected a number`);
  const [[value]] = await compute('compare', [...asArguments(x), y.data, measure, luma, peak, { fill: 'Float64Array', length: 1 }]);
  return value;
}

/**
 * Peak signal-to-noise ratio, 10 log10(peak^2 / mean squared error).
 * @param {Picture} image bytes 0..255, or floats
 * @param {Picture} reference of the same size and type
 * @param {CompareOptions} [options]
 * @returns {Promise<number>} dB; Infinity for equal pictures
 */
export const psnr = (image, reference, options = {}) => compare('psnr', 0, image, reference, options, 'channels');

/**
 * Structural similarity (Wang et al. 2004): the mean over all windows inside the picture, Gaussian of 11 x 11 with deviation 1.5, K1 = 0.01,
 * K2 = 0.03; the picture is not shrunk first.
 * @param {Picture} image sides of at least 11
 * @param {Picture} reference of the same size and type
 * @param {CompareOptions} [options]
 * @returns {Promise<number>} at most 1, which equal pictures have
 */
export const ssim = (image, reference, options = {}) => compare('ssim', 1, image, reference, options, 'luma');

/**
 * The same on five scales, each the means of 2 x 2 pixels of the one before (Wang et al. 2003). Means below 0 count as 0.
 * @param {Picture} image sides of at least 176
 * @param {Picture} reference of the same size and type
 * @param {CompareOptions} [options]
 * @returns {Promise<number>} 0 to 1
 */
export const msSsim = (image, reference, options = {}) => compare('msSsim', 2, image, reference, options, 'luma');
