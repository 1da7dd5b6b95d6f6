/** Pictures as super-resolution takes them: bytes, grey, RGB or RGBA, and their luma. */
import { HeddleError, abortError, kindOf } from '../errors.js';
import { imageToTensor, resize, rgbToYcbcr } from '../images/index.js';
import { readPicture } from '../images/pixels.js';

/** @import { ImageSource, ImageTensor, Picture } from '../images/index.js' */
/** @typedef {ImageSource | Picture} AnyImage whatever `heddle/images` takes: files, what a page can draw, or { data, shape: [height, width, channels] } of bytes */
/** @typedef {AnyImage | { low: AnyImage, high: AnyImage }} TrainingImage an original, which is shrunk, or an original with its small picture */
/** @typedef {{ data: Uint8Array<ArrayBuffer>, height: number, width: number, channels: number }} Bytes channels: 1, 3 (RGB) or 4 (RGBA) */
/** @typedef {{ low: Bytes, high: Bytes }} Pair luma of both; high has `scale` times the sides of low */

/** @param {Uint8Array} rgba */
function isOpaque(rgba) {
  for (let i = 3; i < rgba.length; i += 4) if (rgba[i] < 255) return false;
  return true;
}

/** In place. @param {Uint8Array<ArrayBuffer>} rgba */
function withoutAlpha(rgba) {
  for (let i = 0, to = 0; i < rgba.length; i += 4, to += 3) for (let k = 0; k < 3; k++) rgba[to + k] = rgba[i + k];
  return rgba.subarray(0, rgba.length / 4 * 3);
}

/** @param {any} source @param {string} where @returns {Promise<Bytes>} */
export async function readImage(source, where) {
  if (source === null || source === undefined) throw new HeddleError('argument', `${where}: expected a picture, got ${kindOf(source)}`);
  const isRaw = typeof source === 'object' && 'data' in source && ('shape' in source || 'width' in source);
  if (!isRaw) {
    const { data, shape: [height, width] } = await imageToTensor(source, { channels: 4 }).catch(cause => {
      throw cause instanceof HeddleError ? new HeddleError(cause.code, `${where}: ${cause.message}`, { cause }) : cause;
    });
    return isOpaque(data) ? { data: withoutAlpha(data), height, width, channels: 3 } : { data, height, width, channels: 4 };
  }
  const { data, height, width, channels, isBytes } = readPicture(source, where);
  if (!isBytes) throw new HeddleError('argument', `${where}: expected bytes 0..255 (Uint8Array or Uint8ClampedArray), got ${kindOf(source.data)}`);
  if (![1, 3, 4].includes(channels)) throw new HeddleError('shape', `${where}: ${channels} channels, expected 1 (grey), 3 (RGB) or 4 (RGBA)`);
  return { data: /** @type {Uint8Array<ArrayBuffer>} */ (data), height, width, channels };
}

/** Bytes as `heddle/images` takes them. @param {Bytes} image @returns {ImageTensor} */
export const asTensor = ({ data, height, width, channels }) => ({ data, shape: [height, width, channels] });

/** Grey pictures are their own luma; else that of BT.601 in studio range, as bytes. @param {Bytes} image @returns {Promise<Bytes>} */
export async function lumaOf(image) {
  const { data, height, width, channels } = image;
  if (channels === 1) return image;
  const ycbcr = (await rgbToYcbcr({ data, shape: [height, width, channels] })).data;
  return { data: Uint8Array.from({ length: height * width }, (_, i) => ycbcr[i * channels]), height, width, channels: 1 };
}

/** The first rows and columns. @param {Bytes} image of one channel @param {number} height @param {number} width @param {number} [top] @param {number} [left] @returns {Bytes} */
export function cropped(image, height, width, top = 0, left = 0) {
  const data = new Uint8Array(height * width);
  for (let i = 0; i < height; i++) data.set(image.data.subarray((top + i) * image.width + left, (top + i) * image.width + left + width), i * width);
  return { data, height, width, channels: 1 };
}

/** @param {any} given @param {number} scale @param {string} where @returns {Promise<Pair>} */
async function readPair(given, scale, where) {
  if (typeof given === 'object' && given !== null && 'low' in given && 'high' in given) {
    const low = await lumaOf(await readImage(given.low, `${where}: low`)), high = await lumaOf(await readImage(given.high, `${where}: high`));
    if (high.height !== scale * low.height || high.width !== scale * low.width) {
      throw new HeddleError('shape', `${where}: low is ${low.height} x ${low.width}, high ${high.height} x ${high.width}: expected ${scale} times as many rows and columns`);
    }
    return { low, high };
  }
  const whole = await lumaOf(await readImage(given, where)), [height, width] = [whole.height, whole.width].map(side => side - side % scale);
  if (!height || !width) throw new HeddleError('shape', `${where}: the picture has ${whole.height} x ${whole.width} pixels, too few to be shrunk by ${scale}`);
  const high = cropped(whole, height, width), { data } = await resize(asTensor(high), { height: height / scale, width: width / scale, method: 'bicubic' });
  return { high, low: { data: /** @type {Uint8Array<ArrayBuffer>} */ (data), height: height / scale, width: width / scale, channels: 1 } };
}

/**
 * Luma of originals and of their small pictures: those given, or the originals cut to whole multiples of the scale and shrunk (bicubic with
 * antialiasing, rounded to bytes).
 * @param {Iterable<TrainingImage> | AsyncIterable<TrainingImage>} images
 * @param {number} scale
 * @param {string} where
 * @param {{ signal?: AbortSignal, onRead?: (done: number) => void }} hooks
 * @returns {AsyncGenerator<Pair, void, void>}
 */
export async function* readPairs(images, scale, where, { signal, onRead }) {
  if (typeof images !== 'object' || images === null || !(Symbol.iterator in images || Symbol.asyncIterator in images) || ArrayBuffer.isView(images)) {
    throw new HeddleError('argument', `${where}: expected a list of pictures, got ${kindOf(images)}`);
  }
  let done = 0;
  for await (const one of images) {
    if (signal?.aborted) throw abortError(signal);
    const pair = await readPair(one, scale, `${where}: picture ${done}`);
    done++;
    onRead?.(done);
    yield pair;
  }
  if (!done) throw new HeddleError('argument', `${where}: no pictures`);
}
