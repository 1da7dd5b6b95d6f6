/** Pictures as the arrays that models take, as `heddle/images`: decoding (and resizing on the way) is the platform's work, in browsers by
 * canvas, in Node by the optional package sharp; what is done with the pixels is the engine's, and the same everywhere. */
import { HeddleError, abortError, checkOptions, kindOf, part, wholeNumber } from '../errors.js';
import { isNode } from '../platform.js';

export { rgbToYcbcr, ycbcrToRgb } from './colour.js';
export { msSsim, psnr, ssim } from './compare.js';
export { distort, distortions } from './distort.js';
export { derivatives, filter } from './filter.js';
export { blendPatches, randomPatches, slidingPatches } from './patches.js';
export { resize, resizeReach, resizeRows } from './resize.js';

/** @typedef {import('./pixels.js').Picture} Picture */
/** @typedef {import('./pixels.js').PictureData} PictureData */
/** @typedef {import('./resize.js').ResizeOptions} ResizeOptions */
/** @typedef {import('./resize.js').Band} Band */
/** @typedef {import('./compare.js').CompareOptions} CompareOptions */
/** @typedef {import('./colour.js').YcbcrOptions} YcbcrOptions */
/** @typedef {import('./distort.js').DistortOptions} DistortOptions */
/** @typedef {import('./patches.js').Patches} Patches */
/** @typedef {import('./distort.js').DistortionKind} DistortionKind */

/**
 * @typedef {object} ImageOptions
 * @property {number} [width] pixels; with height: the size to resize to. Neither: the picture's own size
 * @property {number} [height] pixels; with width
 * @property {'fill' | 'cover' | 'contain'} [fit] how to reach that size: `fill` (default) stretches, `cover` crops what is
 *   too much at the middle, `contain` adds background
 * @property {1 | 3 | 4} [channels] 3 (default): RGB; 1: grey, 0.299 R + 0.587 G + 0.114 B (BT.601); 4: RGBA, colours not multiplied by alpha
 * @property {readonly [number, number, number]} [background] RGB 0..255 under transparent pixels (without alpha) and around contained pictures;
 *   white unless told
 */
/**
 * @typedef {object} ImageTensor
 * @property {Uint8Array<ArrayBuffer>} data 0..255, rows from the top, channels of a pixel together
 * @property {number[]} shape [height, width, channels]; of several pictures [pictures, height, width, channels]
 */
/**
 * Pixels as ImageData has them, or without alpha.
 * @typedef {object} RawImage
 * @property {Uint8Array | Uint8ClampedArray} data RGBA or RGB, 0..255, rows from the top: which of them its length says
 * @property {number} width pixels
 * @property {number} height pixels
 */
/**
 * What a picture can be. In browsers: a Blob or File, ImageData, ImageBitmap, <img>, <video>, VideoFrame, <canvas>, OffscreenCanvas. In
 * Node: a path, a file: URL, the bytes of a file. Everywhere: raw pixels.
 * @typedef {string | URL | Uint8Array | ArrayBuffer | Blob | RawImage | ImageBitmapSource} ImageSource
 */
/**
 * ImageOptions, completed.
 * @typedef {object} Wanted
 * @property {number} [width] pixels; neither this nor height: the picture's own size
 * @property {number} [height] pixels
 * @property {string} fit how to reach that size: fill, cover or contain
 * @property {number} channels of the result: 1, 3 or 4
 * @property {readonly number[]} background RGB 0..255 under transparent pixels and around contained pictures
 */
/** Decoders give RGB or RGBA of the wanted size, without transparency unless four channels are wanted.
 * @typedef {(source: any, wanted: Wanted, name: string) => Promise<{ data: Uint8Array | Uint8ClampedArray, width: number, height: number }>} Decoder */

const fits = ['fill', 'cover', 'contain'];

/** @param {unknown} options @param {string} where @param {string[]} [more] names of other options @returns {Wanted} */
function readOptions(options, where, more = []) {
  checkOptions(options, ['width', 'height', 'fit', 'channels', 'background', ...more], where);
  const { width, height, fit = 'fill', channels = 3, background = [255, 255, 255] } = /** @type {ImageOptions} */ (options ?? {});
  if ((width === undefined) !== (height === undefined)) throw new HeddleError('argument', `${where}: width and height are given together or not at all`);
  for (const [name, value] of Object.entries({ width, height })) wholeNumber(value, `${where}: ${name}`, 1, 1);
  if (!fits.includes(fit)) throw new HeddleError('argument', `${where}: fit = ${JSON.stringify(fit)}, expected one of ${fits.join(', ')}`);
  if (![1, 3, 4].includes(channels)) throw new HeddleError('argument', `${where}: channels = ${String(channels)}, expected 1, 3 or 4`);
  if (!Array.isArray(background) || background.length !== 3 || !background.every(v => v >= 0 && v <= 255)) {
    throw new HeddleError('argument', `${where}: background: expected three numbers 0..255 (red, green, blue)`);
  }
  return { ...width && { width, height }, fit, channels, background };
}

/** @param {Uint8Array | Uint8ClampedArray} from RGB or RGBA @param {number} pixels @param {Uint8Array} to @param {number} channels */
function pack(from, pixels, to, channels) {
  const step = from.length / pixels;
  for (let i = 0; i < pixels; i++) {
    const r = from[i * step], g = from[i * step + 1], b = from[i * step + 2];
    if (channels === 1) {
      to[i] = Math.round(0.299 * r + 0.587 * g + 0.114 * b);
    } else {
      to[channels * i] = r;
      to[channels * i + 1] = g;
      to[channels * i + 2] = b;
      if (channels === 4) to[4 * i + 3] = step === 4 ? from[4 * i + 3] : 255;
    }
  }
}

/** @param {any} source @param {string} name */
function checkRaw(source, name) {
  const { data, width, height } = source;
  const isWhole = [width, height].every(n => Number.isInteger(n) && n >= 1);
  if (!(data instanceof Uint8Array || data instanceof Uint8ClampedArray) || !isWhole || ![3, 4].includes(data.length / (width * height))) {
    throw new HeddleError('argument', `${name}: raw pixels need data (bytes, RGB or RGBA), width and height: got ${width} x ${height} and ${data?.length ?? 'no'} bytes`);
  }
}

/** What to call a source in a message. @param {any} source @param {string} where @param {number} [index] */
function nameOf(source, where, index) {
  const own = typeof source === 'string' ? source : source instanceof URL ? source.href : typeof source?.name === 'string' ? source.name : '';
  return `${where}: ${index === undefined ? 'picture' : `picture ${index}`}${own ? ` "${own.slice(0, 200)}"` : ''}`;
}

/** @returns {Promise<Decoder>} */
const loadDecoder = async () => (isNode() ? (await part(import('./node.js'))).decode : (await part(import('./browser.js'))).decode);

/** @param {any} source @param {Wanted} wanted @param {string} name */
async function decoded(source, wanted, name) {
  if (source === null || source === undefined) throw new HeddleError('argument', `${name}: expected a picture, got ${kindOf(source)}`);
  if (typeof source === 'object' && 'data' in source && 'width' in source) checkRaw(source, name);
  return (await loadDecoder())(source, wanted, name);
}

/**
 * Decodes a picture, resizes it, and gives its pixels as `predict` and `fit` take them. Orientation marks of cameras are respected.
 * @param {ImageSource} source a file's bytes or Blob, its address or path, raw pixels, or what a page can draw
 * @param {ImageOptions} [options]
 * @returns {Promise<ImageTensor>}
 * @throws {HeddleError} `file` if it is no picture that this platform can decode, `argument` for another kind of value or
 *   wrong options, `unsupported` in Node without the package sharp
 */
export async function imageToTensor(source, options) {
  const wanted = readOptions(options, 'imageToTensor');
  const { data, width, height } = await decoded(source, wanted, nameOf(source, 'imageToTensor'));
  const out = new Uint8Array(width * height * wanted.channels);
  pack(data, width * height, out, wanted.channels);
  return { data: out, shape: [height, width, wanted.channels] };
}

/**
 * The same for many pictures, as one array.
 * @param {Iterable<ImageSource> | AsyncIterable<ImageSource>} sources each as of imageToTensor; taken one after the other
 * @param {ImageOptions & { width: number, height: number, signal?: AbortSignal, onProgress?: (done: number) => void }} options as of imageToTensor, with the size
 *   of all; signal: its abort ends the call before the next picture; onProgress: called with how many are done, after each
 * @returns {Promise<ImageTensor>} [pictures, height, width, channels]
 * @throws {HeddleError} as imageToTensor, with the number of the picture; AbortError
 */
export async function imagesToTensor(sources, options) {
  const where = 'imagesToTensor', wanted = readOptions(options, where, ['signal', 'onProgress']);
  const { width, height, channels } = wanted;
  if (width === undefined || height === undefined) throw new HeddleError('argument', `${where}: width and height are needed: all pictures get the same size`);
  const size = width * height * channels;
  /** @type {Uint8Array[]} */
  const parts = [];
  for await (const source of sources) {
    if (options.signal?.aborted) throw abortError(options.signal);
    const { data } = await decoded(source, wanted, nameOf(source, where, parts.length)), part = new Uint8Array(size);
    pack(data, width * height, part, channels);
    parts.push(part);
    options.onProgress?.(parts.length);
  }
  if (!parts.length) throw new HeddleError('argument', `${where}: no pictures`);
  const data = new Uint8Array(parts.length * size);
  parts.forEach((part, i) => data.set(part, i * size));
  return { data, shape: [parts.length, height, width, channels] };
}

/**
 * Node: the pictures in the folders of a folder, each folder a class. Names that begin with a dot are not looked at.
 * @param {string} path of the folder that holds the folders of the classes
 * @returns {Promise<{ files: string[], labels: Uint16Array<ArrayBuffer>, classes: string[] }>} classes: names of the folders, sorted; files
 *   sorted within them
 * @throws {HeddleError} `file` if there is no such folder, or it has no folders with pictures
 */
export async function folderOfImages(path) {
  if (!isNode()) throw new HeddleError('unsupported', 'folderOfImages: only in Node; in a page take the files of an <input webkitdirectory> or of a drop');
  return (await part(import('./node.js'))).listFolder(path);
}
