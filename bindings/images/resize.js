/** Resampling of pictures. */
import { HeddleError, checkOptions, wholeNumber } from '../errors.js';
import { asArguments, asPicture, compute, filled, indexIn, readPicture } from './pixels.js';

/** @import { Picture, PictureData } from './pixels.js' */
/**
 * @typedef {object} ResizeOptions
 * @property {number} [width] pixels; with height, or `scale` instead of both
 * @property {number} [height] pixels; with width
 * @property {number} [scale] factor of both sides, from 1/65536; they are rounded up
 * @property {'nearest' | 'area' | 'bilinear' | 'bicubic'} [method] `bilinear` (default): as PIL's BILINEAR, bytes to the bit; `bicubic`: as
 *   MATLAB's imresize; both widen their kernels when shrinking (antialiasing). `area`: mean over the area that a new pixel covers. `nearest`: the
 *   pixel under the centre of the new one
 */

const methods = ['nearest', 'area', 'bilinear', 'bicubic'], sizes = ['width', 'height', 'scale', 'method'], band = ['of', 'first', 'from', 'to'];

/**
 * @typedef {object} Band
 * @property {number} of rows of the whole picture
 * @property {number} [first=0] the row of it that is given first
 * @property {number} from rows from..to-1 of the resized picture are wanted
 * @property {number} to above `from`, at most its height
 */

/** Sizes of the new picture, and how it is made. @param {ResizeOptions} options @param {number} rows of the old one @param {number} cols @param {string} where */
function readSizes({ width, height, scale, method = 'bilinear' }, rows, cols, where) {
  const way = indexIn(method, methods, `${where}: method`);
  if ((scale === undefined) === (width === undefined || height === undefined) || (width === undefined) !== (height === undefined)) {
    throw new HeddleError('argument', `${where}: expected width and height, or scale`);
  }
  if (scale !== undefined && !(Number.isFinite(scale) && scale > 0)) throw new HeddleError('argument', `${where}: scale = ${String(scale)}, expected a number above 0`);
  for (const [name, value] of Object.entries({ width, height })) wholeNumber(value, `${where}: ${name}`, 1, 1);
  return { method: way, scale: scale ?? 0, height: scale ? Math.ceil(scale * rows) : height ?? 0, width: scale ? Math.ceil(scale * cols) : width ?? 0 };
}

/** @param {Record<string, unknown>} given @param {string} where */
function checkRows(given, where) {
  for (const [name, value] of Object.entries(given)) {
    if (!Number.isSafeInteger(value) || Number(value) < 0) throw new HeddleError('argument', `${where}: ${name} = ${String(value)}, expected a number of rows`);
  }
}

/**
 * A picture of another size, of the same type; channels are resized each for itself.
 * @param {Picture} image [height, width, channels]
 * @param {ResizeOptions} options
 * @returns {Promise<PictureData>} [options.height, options.width, channels]
 * @throws {HeddleError} `argument` for wrong options and numbers that are not finite, `shape`
 */
export async function resize(image, options) {
  checkOptions(options, sizes, 'resize');
  const given = readPicture(image, 'resize'), { method, scale, height, width } = readSizes(options, given.height, given.width, 'resize');
  const shape = [height, width, given.channels], [data] = await compute('resize', [...asArguments(given), method, scale, height, width, filled(given, shape, 'resize')]);
  return asPicture(data, given, shape);
}

/**
 * Rows of a resized picture, with the same bits as all of it, for pictures larger than memory.
 * @param {Picture} image some rows of the picture; those that `resizeReach` names must be among them
 * @param {ResizeOptions & Band} options sizes are of the whole pictures
 * @returns {Promise<PictureData>} [options.to - options.from, width, channels]
 * @throws {HeddleError} `argument` names the rows that are needed; as of `resize`
 */
export async function resizeRows(image, options) {
  const where = 'resizeRows';
  checkOptions(options, [...sizes, ...band], where);
  const given = readPicture(image, where), { of, first = 0, from, to } = options, { method, scale, height, width } = readSizes(options, of, given.width, where);
  checkRows({ of, first, from, to }, where);
  if (from >= to) throw new HeddleError('argument', `${where}: rows ${from}..${to - 1}, expected at least one`);
  const shape = [to - from, width, given.channels];
  const [data] = await compute('resize_rows', [Number(given.isBytes), of, given.width, given.channels, first, given.height, given.data, method, scale, height, width, from, to,
    filled(given, shape, where)]);
  return asPicture(data, given, shape);
}

/**
 * Which rows of a picture its resized rows depend on.
 * @param {{ width: number, height: number }} picture size of the whole original in pixels
 * @param {ResizeOptions & { from: number, to: number }} options as of `resizeRows`
 * @returns {Promise<{ first: number, end: number }>} rows first..end-1
 */
export async function resizeReach(picture, { from, to, ...options }) {
  const where = 'resizeReach';
  checkOptions(options, sizes, where);
  const { method, scale, height } = readSizes(options, picture.height, picture.width, where);
  checkRows({ from, to }, where);
  const [rows] = await compute('resize_reach', [picture.height, method, scale, height, from, to, { fill: 'Int32Array', length: 2 }]), [first, end] = rows;
  return { first, end };
}
