/** Linear filters of pictures. */
import { HeddleError, checkOptions, kindOf } from '../errors.js';
import { asPicture, compute, indexIn, readPicture } from './pixels.js';

/** @import { Picture, PictureData } from './pixels.js' */
/** @typedef {'mirror' | 'replicate' | 'zero'} Border what is beyond the border: the picture mirrored (border pixels twice), its border pixels, or 0 */

const borders = ['mirror', 'replicate', 'zero'];

/** @param {unknown} kernel @param {string} where @returns {{ data: Float64Array<ArrayBuffer>, rows: number, cols: number }} */
function readKernel(kernel, where) {
  const cols = Array.isArray(kernel) && Array.isArray(kernel[0]) ? kernel[0].length : 0;
  if (!Array.isArray(kernel) || cols === 0) throw new HeddleError('argument', `${where}: expected rows of numbers, got ${kindOf(kernel)}`);
  kernel.forEach((row, i) => {
    if (!Array.isArray(row) || row.length !== cols || !row.every(value => typeof value === 'number')) {
      throw new HeddleError('shape', `${where}[${i}]: expected a row of ${cols} numbers as the first`);
    }
  });
  return { data: Float64Array.from(kernel.flat()), rows: kernel.length, cols };
}

/** @param {string} name @param {Picture} image @param {number[][]} kernel @param {Border} border @returns {Promise<PictureData>} */
async function filtered(name, image, kernel, border) {
  const given = readPicture(image, name), { data, rows, cols } = readKernel(kernel, `${name}: kernel`), { height, width, channels } = given;
  const pixels = given.isBytes ? Float32Array.from(given.data) : given.data;
  const [result] = await compute('filter', [height, width, channels, pixels, rows, cols, data, indexIn(border, borders, `${name}: border`),
    { fill: 'Float32Array', length: pixels.length }]);
  return asPicture(result, given, [height, width, channels]);
}

/**
 * Sums of a kernel times the pixels around each (correlation: the kernel is not turned), channel by channel.
 * @param {Picture} image bytes, which count as 0..255, or floats
 * @param {{ kernel: number[][], border?: Border }} options kernel: rows, odd sides to 255; border: `mirror` unless told
 * @returns {Promise<PictureData>} floats, neither scaled nor clamped, of the same size
 * @throws {HeddleError} `argument`, `shape`
 */
export function filter(image, options) {
  checkOptions(options, ['kernel', 'border'], 'filter');
  return filtered('filter', image, options.kernel, options.border ?? 'mirror');
}

/** First and second differences, as in Yang et al., "Image super-resolution via sparse representation" (2010). */
const rows = { x: [[-1, 0, 1]], xx: [[1, 0, -2, 0, 1]] };

/**
 * Derivative pictures: x and y by [-1 0 1], xx and yy by [1 0 -2 0 1], across and down.
 * @param {Picture} image bytes, which count as 0..255, or floats
 * @param {{ border?: Border }} [options] border: `replicate` unless told
 * @returns {Promise<{ x: PictureData, y: PictureData, xx: PictureData, yy: PictureData }>} floats
 */
export async function derivatives(image, options = {}) {
  checkOptions(options, ['border'], 'derivatives');
  const one = (/** @type {number[][]} */ kernel) => filtered('derivatives', image, kernel, options.border ?? 'replicate');
  const down = (/** @type {number[][]} */ [row]) => row.map(value => [value]);
  const [x, y, xx, yy] = await Promise.all([one(rows.x), one(down(rows.x)), one(rows.xx), one(down(rows.xx))]);
  return { x, y, xx, yy };
}
