/** Colour spaces. */
import { checkOptions } from '../errors.js';
import { asArguments, asPicture, compute, filled, indexIn, readPicture } from './pixels.js';

/** @import { Picture, PictureData } from './pixels.js' */
/** @typedef {object} YcbcrOptions
 * @property {'studio' | 'full'} [range] studio (default): Y 16..235, Cb and Cr 16..240, MATLAB's rgb2ycbcr; full: 0..255, JFIF */

/** @param {string} name @param {0 | 1} back @param {Picture} image @param {YcbcrOptions} options */
async function convert(name, back, image, options) {
  checkOptions(options, ['range'], name);
  const given = readPicture(image, name), shape = [given.height, given.width, given.channels];
  const [data] = await compute('ycbcr', [...asArguments(given), back, indexIn(options.range ?? 'studio', ['studio', 'full'], `${name}: range`), filled(given, shape, name)]);
  return asPicture(data, given, shape);
}

/**
 * RGB to Y, Cb, Cr of ITU-R BT.601.
 * @param {Picture} image 3 channels, or 4 with alpha, which stays. Bytes are rounded; floats of 0..1, which stand for 0..255, are not
 * @param {YcbcrOptions} [options]
 * @returns {Promise<PictureData>}
 */
export const rgbToYcbcr = (image, options = {}) => convert('rgbToYcbcr', 0, image, options);

/**
 * And back.
 * @param {Picture} image Y, Cb, Cr, perhaps alpha
 * @param {YcbcrOptions} [options]
 * @returns {Promise<PictureData>}
 */
export const ycbcrToRgb = (image, options = {}) => convert('ycbcrToRgb', 1, image, options);
