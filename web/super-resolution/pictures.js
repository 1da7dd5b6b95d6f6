// Pictures as bytes: from files, parts of them, shrunk, enlarged by the bicubic filter, on bitmaps.
import { HeddleError } from 'heddle';
import { psnr, resize, rgbToYcbcr, ssim } from 'heddle/images';
import { photograph } from '../sample_files.js';

/** @typedef {{ data: Uint8Array, shape: number[] }} Pixels [height, width, channels]: RGB, or RGBA where something is transparent */
/** @typedef {Pixels & { name: string }} Picture */
/** Rows of a picture. @typedef {{ data: Uint8Array, shape: number[], row: number, rows: number }} Band */

/** Photographs in the public domain that come with the page. */
export const examples = {
  'airplane-from-above': 'an airplane from above', 'allium-oreophilum': 'a flower', 'acanthus-mollis': 'a leaf', 'black-canyon': 'a canyon', 'dust-bowl-home': 'a house in the dust',
  'french-alpine-landscape': 'mountains', 'locomotion-house-cat': 'a cat', 'march-pastoral': 'sheep', 'nagasaki-boats': 'boats',
};

/** RGBA without its alpha, if that says nothing. @param {Uint8ClampedArray} rgba @returns {{ data: Uint8Array, channels: number }} */
function plain(rgba) {
  for (let i = 3; i < rgba.length; i += 4) if (rgba[i] !== 255) return { data: new Uint8Array(rgba.buffer), channels: 4 };
  const data = new Uint8Array(rgba.length / 4 * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    data[to] = rgba[from];
    data[to + 1] = rgba[from + 1];
    data[to + 2] = rgba[from + 2];
  }
  return { data, channels: 3 };
}

/** @param {Blob} blob @param {string} name @returns {Promise<Picture>} @throws {HeddleError} `file` if the browser can't decode it, or has no room for it */
export async function readPicture(blob, name) {
  const bitmap = await createImageBitmap(blob, { imageOrientation: 'from-image', premultiplyAlpha: 'none' }).catch((cause) => {
    throw new HeddleError('file', `${name} can't be read as a picture: expected JPEG, PNG, WebP, GIF, AVIF or BMP.`, { cause });
  });
  const { width, height } = bitmap;
  try {
    const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    context.drawImage(bitmap, 0, 0);
    const { data, channels } = plain(context.getImageData(0, 0, width, height).data);
    return { name, data, shape: [height, width, channels] };
  } catch (cause) {
    throw new HeddleError('memory', `${name} has ${width} x ${height} pixels: this browser has no room for it.`, { cause });
  } finally {
    bitmap.close();
  }
}

/** @param {string} name of an example @returns {Promise<Picture>} */
export async function readExample(name) {
  const response = await fetch(photograph(name));
  if (!response.ok) throw new HeddleError('file', `The example's photograph "${name}" is not served here (${response.status}): npm install brings it.`);
  return readPicture(await response.blob(), `${name}.jpg`);
}

/** A part. @param {Pixels} picture @param {{ top: number, left: number, height: number, width: number }} part @returns {Pixels} */
export function cut({ data, shape: [, wide, channels] }, { top, left, height, width }) {
  const out = new Uint8Array(height * width * channels), run = width * channels;
  for (let i = 0; i < height; i++) {
    const from = ((top + i) * wide + left) * channels;
    out.set(data.subarray(from, from + run), i * run);
  }
  return { data: out, shape: [height, width, channels] };
}

/** Shrunk by the bicubic filter with antialiasing, and what is left of the original when its sides are multiples. @param {Pixels} picture @param {number} scale
 * @returns {Promise<{ low: Pixels, high: Pixels }>} */
export async function shrunk(picture, scale) {
  const [height, width] = picture.shape.map((side) => side - side % scale);
  if (!height || !width) throw new HeddleError('shape', `The picture has ${picture.shape[1]} x ${picture.shape[0]} pixels, too few to be shrunk by ${scale}.`);
  const high = cut(picture, { top: 0, left: 0, height, width });
  return { high, low: await resize(high, { height: height / scale, width: width / scale, method: 'bicubic' }) };
}

/** Enlarged by the bicubic filter, from the top down: rows with a few around them, which is all that it reads. @param {Pixels} picture @param {number} scale
 * @param {AbortSignal} signal @returns {AsyncGenerator<Band, void, void>} */
export async function* bicubicBands({ data, shape: [height, width, channels] }, scale, signal) {
  const rows = Math.max(8, Math.floor(2 ** 18 / width)), around = 3, run = width * channels;
  for (let row = 0; row < height; row += rows) {
    signal.throwIfAborted();
    const top = Math.max(0, row - around), bottom = Math.min(height, row + rows + around), count = Math.min(rows, height - row) * scale;
    const part = { data: data.subarray(top * run, bottom * run), shape: [bottom - top, width, channels] };
    const large = await resize(part, { height: (bottom - top) * scale, width: width * scale, method: 'bicubic' }), from = (row - top) * scale * run * scale;
    yield { data: large.data.subarray(from, from + count * run * scale), shape: [count, width * scale, channels], row: row * scale, rows: height * scale };
  }
}

/** @param {Pixels} picture @returns {Promise<ImageBitmap>} */
export function bitmapOf({ data, shape: [height, width, channels] }) {
  const image = new ImageData(width, height);
  if (channels === 4) image.data.set(data);
  else {
    for (let from = 0, to = 0; from < data.length; from += 3, to += 4) {
      image.data[to] = data[from];
      image.data[to + 1] = data[from + 1];
      image.data[to + 2] = data[from + 2];
      image.data[to + 3] = 255;
    }
  }
  return createImageBitmap(image);
}

/** Luma of BT.601 in studio range as bytes, which the field measures. @param {Pixels} picture @returns {Promise<Pixels>} */
async function lumaOf({ data, shape: [height, width, channels] }) {
  const { data: all } = await rgbToYcbcr({ data, shape: [height, width, channels] });
  return { data: Uint8Array.from({ length: height * width }, (_, i) => all[i * channels]), shape: [height, width, 1] };
}

/** How near a picture comes to its original. @param {Pixels} picture @param {Pixels} original @returns {Promise<{ psnr: number, ssim: number }>} ssim: NaN if too small */
export async function nearness(picture, original) {
  const [a, b] = [await lumaOf(picture), await lumaOf(original)];
  return { psnr: await psnr(a, b), ssim: Math.min(...a.shape.slice(0, 2)) < 11 ? NaN : await ssim(a, b) };
}
