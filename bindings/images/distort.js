/** Distortions of pictures, for training and testing measures of quality. */
import { HeddleError, checkOptions } from '../errors.js';
import { asArguments, asPicture, compute, filled, indexIn, readPicture } from './pixels.js';

/** @import { Picture, PictureData } from './pixels.js' */
/**
 * - `gaussianBlur`: deviation 0.7, 1.2, 2, 3.2, 5 pixels
 * - `motionBlur`: a line of 3, 6, 10, 16, 25 pixels, its direction drawn
 * - `whiteNoise`: normal, deviation 5, 10, 20, 35, 55 of 255
 * - `impulseNoise`: black or white with probability 0.005, 0.02, 0.05, 0.1, 0.2
 * - `jpegBlocking`: the DCT of 8 x 8 blocks quantised with JPEG's tables at quality 40, 22, 12, 7, 4
 * - `contrast`: towards the mean luma, times 0.8, 0.6, 0.42, 0.27, 0.15
 * - `colour`: saturation times 0.75, 0.5, 0.3, 0.15, 0
 * - `downscale`: bicubic, smaller by 1.5, 2, 3, 4.5, 7 and back
 * @typedef {'gaussianBlur' | 'motionBlur' | 'whiteNoise' | 'impulseNoise' | 'jpegBlocking' | 'contrast' | 'colour' | 'downscale'} DistortionKind
 */
/**
 * @typedef {object} DistortOptions
 * @property {DistortionKind} kind what is done to the picture
 * @property {1 | 2 | 3 | 4 | 5} level 1: just seen, 5: bad
 * @property {number} [seed] of what is drawn, 0 unless told: a whole number. Levels of a kind with one seed are the same distortion, stronger
 */

/** Kinds that `distort` knows. @type {readonly DistortionKind[]} */
export const distortions = Object.freeze(/** @type {DistortionKind[]} */ (
  ['gaussianBlur', 'motionBlur', 'whiteNoise', 'impulseNoise', 'jpegBlocking', 'contrast', 'colour', 'downscale']));

/**
 * A distorted copy. The same bytes everywhere for a seed.
 * @param {Picture} image bytes, or floats of 0..1, which stay within them; the last of 2 or 4 channels is alpha and stays
 * @param {DistortOptions} options
 * @returns {Promise<PictureData>}
 * @throws {HeddleError} `argument`; `shape` for `colour` without three colours
 */
export async function distort(image, options) {
  checkOptions(options, ['kind', 'level', 'seed'], 'distort');
  const given = readPicture(image, 'distort'), { kind, level, seed = 0 } = options, shape = [given.height, given.width, given.channels];
  if (![1, 2, 3, 4, 5].includes(level)) throw new HeddleError('argument', `distort: level = ${String(level)}, expected 1, 2, 3, 4 or 5`);
  if (typeof seed !== 'number') throw new HeddleError('argument', `distort: seed = ${String(seed)}, expected a whole number`);
  const [data] = await compute('distort', [...asArguments(given), indexIn(kind, distortions, 'distort: kind'), level, seed, filled(given, shape, 'distort')]);
  return asPicture(data, given, shape);
}
