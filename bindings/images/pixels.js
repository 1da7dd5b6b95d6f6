/** Pictures as users have them, made ready for the engine, and the call. */
import { HeddleError, checkLength, kindOf, suggest } from '../errors.js';

/** @import { ImageArgument } from '../algebra.js' */
/** @import { Elements } from '../heap.js' */
/** @typedef {Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>} Pixels bytes 0..255, or floats */
/**
 * Rows from the top; a shape [height, width] means one channel. Bytes are 0..255; any other array of numbers is taken as float32. What
 * imageToTensor gives is one, and so are raw pixels such as ImageData.
 * @typedef {{ data: ArrayLike<number>, shape: readonly number[] } | { data: ArrayLike<number>, width: number, height: number }} Picture
 */
/**
 * @typedef {object} PictureData
 * @property {Pixels} data rows from the top, channels of a pixel together; bytes 0..255 if bytes were given, else floats
 * @property {number[]} shape [height, width, channels]; [height, width] if the picture was given so
 */
/** @typedef {{ data: Pixels, height: number, width: number, channels: number, rank: number, isBytes: boolean }} Given */

/** @param {any} value @param {string} where @returns {number[]} */
function shapeOf({ data, shape, width, height }, where) {
  const read = shape ?? [height, width, data.length / (width * height)];
  if (!Array.isArray(read) || ![2, 3].includes(read.length) || !read.every(n => Number.isInteger(n) && n >= 1)) {
    throw new HeddleError('shape', `${where}: shape = ${JSON.stringify(read)}, expected [height, width, channels] or [height, width]`);
  }
  const size = read.reduce((a, b) => a * b, 1);
  if (data.length !== size) throw new HeddleError('shape', `${where}: shape [${read}] holds ${size} elements, data has ${data.length}`);
  return read;
}

/** @param {unknown} value @param {string} where @returns {Given} */
export function readPicture(value, where) {
  const data = typeof value === 'object' && value !== null && 'data' in value ? value.data : undefined;
  if (!(Array.isArray(data) || (ArrayBuffer.isView(data) && !(data instanceof DataView)))) {
    throw new HeddleError('argument', `${where}: expected { data, shape: [height, width, channels] } or { data, width, height }, got ${kindOf(value)}`);
  }
  checkLength(data, where);
  const shape = shapeOf(value, where), [height, width, channels = 1] = shape;
  const isBytes = data instanceof Uint8Array || data instanceof Uint8ClampedArray;
  const pixels = isBytes ? new Uint8Array(/** @type {ArrayBuffer} */ (data.buffer), data.byteOffset, data.length)
    : data instanceof Float32Array ? data : Float32Array.from(/** @type {ArrayLike<number>} */ (data));
  return { data: /** @type {Pixels} */ (pixels), height, width, channels, rank: shape.length, isBytes };
}

/** What tells C of a picture: type, height, width, channels, pixels. @param {Given} given @returns {ImageArgument[]} */
export const asArguments = ({ isBytes, height, width, channels, data }) => [Number(isBytes), height, width, channels, data];

/** A result of the type of a picture. @param {Given} like @param {number[]} shape @param {string} where @returns {ImageArgument} */
export function filled(like, shape, where) {
  const [height, width, channels] = shape, length = height * width * channels;
  if (!(Math.max(height, width) <= 65535 && length * (like.isBytes ? 1 : 4) < 2 ** 31)) {
    throw new HeddleError('argument', `${where}: a picture of ${width} x ${height} pixels is too large: sides to 65535, below 2^31 bytes`);
  }
  return { fill: like.isBytes ? 'Uint8Array' : 'Float32Array', length };
}

/** @param {Elements} data @param {Given} like @param {number[]} shape of rank 3 @returns {PictureData} */
export const asPicture = (data, like, shape) => ({ data: /** @type {Pixels} */ (data), shape: shape.slice(0, like.rank) });

/** Position of a name in a list. @param {unknown} name @param {readonly string[]} names @param {string} where */
export function indexIn(name, names, where) {
  const index = names.indexOf(/** @type {string} */ (name));
  if (index < 0) throw new HeddleError('argument', `${where} = ${JSON.stringify(name)}${suggest(String(name), names)}`);
  return index;
}

/**
 * Calls one function of pictures in the engine, which those who only decode never load.
 * @param {string} name of a function hd_image_name
 * @param {ImageArgument[]} args after the context
 * @returns {Promise<Elements[]>} what it filled
 */
export async function compute(name, args) {
  const { connect } = await import('../session.js');
  return (await connect()).call('image', [name, args]);
}
