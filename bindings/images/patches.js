/** Patches of pictures, cut out and put together. */
import { HeddleError, checkOptions, kindOf, wholeNumber } from '../errors.js';
import { asArguments, compute, indexIn, readPicture } from './pixels.js';

/** @import { Given, Picture, PictureData, Pixels } from './pixels.js' */
/** @typedef {number | readonly [number, number]} Size pixels of both sides, or [height, width] */
/**
 * @typedef {object} Patches
 * @property {Pixels} data patch by patch, of the type of the pictures' pixels: bytes, or floats
 * @property {number[]} shape [patches, height, width, channels]
 * @property {Int32Array} positions row and column of the first pixel of each, in its picture: two numbers a patch
 */

/** @param {unknown} value @param {string} where @returns {[number, number]} */
function pairOf(value, where) {
  const pair = Array.isArray(value) ? value : [value, value];
  if (pair.length !== 2 || value === undefined) throw new HeddleError('argument', `${where}: expected a number, or [rows, columns], got ${kindOf(value)}`);
  return [wholeNumber(pair[0], where, 1, 1), wholeNumber(pair[1], where, 1, 1)];
}

/** @param {Given} given @param {[number, number]} size @param {Int32Array} positions @returns {Promise<Patches>} */
async function cut(given, [h, w], positions) {
  const count = positions.length / 2, length = count * h * w * given.channels;
  if (!(length * (given.isBytes ? 1 : 4) < 2 ** 31)) throw new HeddleError('argument', `patches: ${count} patches of ${h} x ${w} pixels take 2^31 bytes or more`);
  const [data] = await compute('patches', [...asArguments(given), h, w, count, positions, { fill: given.isBytes ? 'Uint8Array' : 'Float32Array', length }]);
  return { data: /** @type {Pixels} */ (data), shape: [count, h, w, given.channels], positions };
}

/** @param {Given} given @param {[number, number]} size @param {string} where */
function checkFits({ height, width }, [h, w], where) {
  if (h > height || w > width) throw new HeddleError('shape', `${where}: the picture has ${height} x ${width} pixels, less than a patch: ${h} x ${w}`);
}

/** First places of windows: every `stride`, and the last that fits. @param {number} length @param {number} size @param {number} stride */
const places = (length, size, stride) => Array.from({ length: Math.ceil((length - size) / stride) + 1 }, (_, i) => Math.min(i * stride, length - size));

/**
 * All windows of a picture, row by row, each `stride` from the one before; the last of a row or column is moved back so that every pixel is covered.
 * @param {Picture} image bytes or floats, at least as large as a window
 * @param {{ size: Size, stride?: Size }} options stride: 1 unless told
 * @returns {Promise<Patches>}
 */
export async function slidingPatches(image, options) {
  const where = 'slidingPatches';
  checkOptions(options, ['size', 'stride'], where);
  const given = readPicture(image, where), size = pairOf(options.size, `${where}: size`), stride = pairOf(options.stride ?? 1, `${where}: stride`);
  checkFits(given, size, where);
  const rows = places(given.height, size[0], stride[0]), cols = places(given.width, size[1], stride[1]), positions = new Int32Array(2 * rows.length * cols.length);
  rows.forEach((row, i) => cols.forEach((col, k) => positions.set([row, col], 2 * (i * cols.length + k))));
  return cut(given, size, positions);
}

/** 53 bits that look random: two rounds of lowbias32 (C. Wellons) for each half. @param {number} seed @param {number} index */
export function chance(seed, index) {
  const mix = (/** @type {number} */ n) => {
    let x = Math.imul(n ^ (n >>> 16), 0x7FEB352D);
    x = Math.imul(x ^ (x >>> 15), 0x846CA68B);
    return (x ^ (x >>> 16)) >>> 0;
  };
  const [high, low] = [0x9E3779B9, 0x3C6EF372].map(lane => mix(mix(mix((seed >>> 0) ^ lane) ^ Math.floor(seed / 2 ** 32)) ^ index));
  return ((high >>> 6) * 2 ** 27 + (low >>> 5)) / 2 ** 53;
}

/**
 * Patches at random places, all places of all pictures alike (so a picture counts by its area), perhaps some twice.
 * @param {Picture[]} images of one type and number of channels; too small ones give none
 * @param {{ size: Size, count: number, seed?: number }} options seed: a whole number, 0 unless told
 * @returns {Promise<Patches & { images: Int32Array }>} images: the picture of each; patches in the order of the pictures
 */
export async function randomPatches(images, options) {
  const where = 'randomPatches';
  checkOptions(options, ['size', 'count', 'seed'], where);
  const size = pairOf(options.size, `${where}: size`), count = wholeNumber(options.count, `${where}: count`, 1, 1), { seed = 0 } = options;
  if (!Number.isSafeInteger(seed) || seed < 0) throw new HeddleError('argument', `${where}: seed = ${String(seed)}, expected a whole number from 0 to 2^53 - 1`);
  const given = images.map((image, i) => readPicture(image, `${where}: picture ${i}`)), [first] = given;
  const odd = given.findIndex(({ channels, isBytes }) => channels !== first.channels || isBytes !== first.isBytes);
  if (odd > 0) throw new HeddleError('shape', `${where}: picture ${odd} differs from picture 0 in its type or number of channels`);
  const areas = given.map(({ height, width }) => Math.max(height - size[0] + 1, 0) * Math.max(width - size[1] + 1, 0)), all = areas.reduce((a, b) => a + b, 0);
  if (all === 0) throw new HeddleError('shape', `${where}: no picture is as large as a patch, ${size[0]} x ${size[1]}`);
  const drawn = Float64Array.from({ length: count }, (_, i) => Math.floor(chance(seed, i) * all)).sort(), parts = /** @type {Patches[]} */ ([]);
  let from = 0, begin = 0;
  const owner = new Int32Array(count);
  for (const [i, picture] of given.entries()) {
    let end = begin;
    while (end < count && drawn[end] < from + areas[i]) owner[end++] = i;
    const across = picture.width - size[1] + 1, places = drawn.subarray(begin, end);
    const positions = Int32Array.from({ length: 2 * places.length }, (_, k) => (k % 2 ? (places[k >> 1] - from) % across : Math.floor((places[k >> 1] - from) / across)));
    if (end > begin) parts.push(await cut(picture, size, positions));
    [from, begin] = [from + areas[i], end];
  }
  return { ...joined(parts), images: owner };
}

/** @param {Patches[]} parts @returns {Patches} */
function joined(parts) {
  const [{ data, shape: [, ...patch] }] = parts, count = parts.reduce((sum, { shape: [n] }) => sum + n, 0);
  const all = new (/** @type {Uint8ArrayConstructor} */ (data.constructor))(count * patch.reduce((a, b) => a * b)), positions = new Int32Array(2 * count);
  let at = 0;
  for (const part of parts) {
    all.set(part.data, at * patch.reduce((a, b) => a * b));
    positions.set(part.positions, 2 * at);
    at += part.shape[0];
  }
  return { data: all, shape: [count, ...patch], positions };
}

/** Highest in the middle, falling linearly to the border; above 0. @param {number} h @param {number} w */
const triangle = (h, w) => Float64Array.from({ length: h * w }, (_, i) => Math.min(Math.floor(i / w) + 1, h - Math.floor(i / w)) * Math.min(i % w + 1, w - i % w));

/**
 * A picture from patches: at each pixel the mean of those that cover it.
 * @param {{ data: ArrayLike<number>, shape: readonly number[] }} patches [patches, height, width, channels]
 * @param {{ height: number, width: number, positions: Int32Array | readonly number[], window?: 'mean' | 'triangle' }} options size of the picture;
 *   positions: row and column of each; window: how the pixels of a patch count: `mean` (default) all alike, `triangle` those in its middle most
 * @returns {Promise<PictureData>} floats
 * @throws {HeddleError} `argument` for a pixel that no patch covers, or a patch outside; `shape`
 */
export async function blendPatches(patches, options) {
  const where = 'blendPatches';
  checkOptions(options, ['height', 'width', 'positions', 'window'], where);
  const { shape, data } = patches, { positions, window = 'mean' } = options, [count, h, w, channels] = shape;
  const [height, width] = [wholeNumber(options.height, `${where}: height`, 1, 1), wholeNumber(options.width, `${where}: width`, 1, 1)];
  if (shape.length !== 4 || !shape.every(n => Number.isInteger(n) && n >= 1) || data.length !== count * h * w * channels || positions?.length !== 2 * count) {
    throw new HeddleError('shape', `${where}: shape = [${shape}], ${data.length} elements, ${positions?.length} positions: expected [patches, height, width, channels] and two numbers for each`);
  }
  const weights = indexIn(window, ['mean', 'triangle'], `${where}: window`) ? triangle(h, w) : 0;
  const [result] = await compute('blend', [height, width, channels, data instanceof Float32Array ? data : Float32Array.from(data), h, w, count,
    Int32Array.from(positions), weights, { fill: 'Float32Array', length: height * width * channels }]);
  return { data: /** @type {Pixels} */ (result), shape: [height, width, channels] };
}
