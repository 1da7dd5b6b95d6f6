/** Pictures in browsers and their workers: createImageBitmap and canvas. */
import { HeddleError, kindOf } from '../errors.js';

/** @import { Decoder, Wanted } from './index.js' */

/** @param {unknown} source @param {string} type a global of browsers; not all workers have all */
const isA = (source, type) => typeof (/** @type {any} */ (globalThis)[type]) === 'function' && source instanceof (/** @type {any} */ (globalThis)[type]);

/** What drawImage takes, with its size and how to let it go. @param {any} source @param {string} name */
async function drawable(source, name) {
  if (isA(source, 'Blob') || isA(source, 'ImageData')) {
    const bitmap = await createImageBitmap(source, { imageOrientation: 'from-image' });
    return { image: bitmap, width: bitmap.width, height: bitmap.height, close: () => bitmap.close() };
  }
  if (isA(source, 'HTMLImageElement')) {
    await source.decode();
    return { image: source, width: source.naturalWidth, height: source.naturalHeight, close() {} };
  }
  if (isA(source, 'HTMLVideoElement')) {
    if (source.readyState < 2) throw new HeddleError('state', `${name}: the video has no picture yet`);
    return { image: source, width: source.videoWidth, height: source.videoHeight, close() {} };
  }
  if (isA(source, 'VideoFrame')) return { image: source, width: source.displayWidth, height: source.displayHeight, close() {} };
  if (['ImageBitmap', 'HTMLCanvasElement', 'OffscreenCanvas'].some(type => isA(source, type))) {
    return { image: source, width: source.width, height: source.height, close() {} };
  }
  if (typeof source === 'object' && 'data' in source) { // raw pixels
    const { data, width, height } = source, rgba = new Uint8ClampedArray(width * height * 4).fill(255), step = data.length / (width * height);
    for (let i = 0; i < width * height; i++) for (let c = 0; c < step; c++) rgba[4 * i + c] = data[step * i + c];
    return drawable(new ImageData(rgba, width, height), name);
  }
  throw new HeddleError('argument', `${name}: expected a Blob or File, ImageData, ImageBitmap, <img>, <video>, VideoFrame, <canvas>, OffscreenCanvas or { data, width, height }, got ${kindOf(source)}`);
}

/** @param {number} width @param {number} height */
function canvas(width, height) {
  const surface = typeof OffscreenCanvas === 'function' ? new OffscreenCanvas(width, height) : Object.assign(document.createElement('canvas'), { width, height });
  return /** @type {OffscreenCanvasRenderingContext2D} */ (surface.getContext('2d', { willReadFrequently: true }));
}

/** Where the picture lands on the canvas. @param {Wanted} wanted @param {number} w of the picture @param {number} h */
function placement(wanted, w, h) {
  const { width = w, height = h, fit } = wanted;
  const ratio = fit === 'cover' ? Math.max(width / w, height / h) : Math.min(width / w, height / h);
  const [drawn, tall] = fit === 'fill' ? [width, height] : [w * ratio, h * ratio];
  return { width, height, box: /** @type {const} */ ([(width - drawn) / 2, (height - tall) / 2, drawn, tall]) };
}

/** @type {Decoder} */
export async function decode(source, wanted, name) {
  let picture;
  try {
    picture = await drawable(source, name);
  } catch (cause) {
    if (cause instanceof HeddleError) throw cause;
    throw new HeddleError('file', `${name}: the browser can't decode it: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  try {
    if (!picture.width || !picture.height) throw new HeddleError('file', `${name}: it is empty (${picture.width} x ${picture.height} pixels)`);
    const { width, height, box } = placement(wanted, picture.width, picture.height), context = canvas(width, height);
    context.fillStyle = `rgb(${wanted.background.join(' ')})`;
    context.fillRect(0, 0, width, height);
    if (context.getImageData(0, 0, 1, 1).data[3] !== 255) { // a canvas that is too large draws nothing, without a word
      throw new HeddleError('unsupported', `${name}: ${width} x ${height} pixels are more than a canvas of this browser takes: give width and height`);
    }
    if (wanted.channels === 4) context.clearRect(...box);
    context.imageSmoothingQuality = 'high';
    context.drawImage(picture.image, ...box);
    return context.getImageData(0, 0, width, height);
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'SecurityError') {
      throw new HeddleError('argument', `${name}: it comes from another origin, whose pixels a page may not read; load it with crossorigin="anonymous"`, { cause });
    }
    throw cause;
  } finally {
    picture.close();
  }
}
