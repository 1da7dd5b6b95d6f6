/**
 * Enlarging in blocks: a picture is cut into equal blocks by its size alone, each is computed by itself from the pixels around it, so that memory is
 * bounded by a row of blocks, and neither `tile` nor threads change a bit.
 */
import { abortError } from '../errors.js';
import { resize } from '../images/index.js';
import { orientations, turned } from './planes.js';

/** @import { Plane } from './planes.js' */
/** @import { Bytes } from './pictures.js' */
/**
 * A block with what is around it: `height` x `width` pixels of the small picture, cut off only where that ends.
 * @typedef {object} Window
 * @property {number} height
 * @property {number} width
 * @property {number} top the block in the window
 * @property {number} left
 * @property {number} rows
 * @property {number} cols
 * @property {Plane} luma [height, width], 0..1
 * @property {Plane} base [scale height, scale width]: luma enlarged by the bicubic filter
 */
/**
 * What enlarges the luma of blocks.
 * @typedef {object} Enlarger
 * @property {number} side pixels of a block's side in the small picture, at most
 * @property {number} margin pixels around a block that its result depends on
 * @property {(windows: Window[], signal?: AbortSignal) => Promise<Plane[]>} enlarge from windows of blocks of one size to luma [scale rows, scale cols] of the blocks, 0..1
 * @property {() => void} dispose
 */
/** @typedef {{ selfEnsemble?: boolean, tile?: number, signal?: AbortSignal, onProgress?: (progress: { done: number, total: number }) => void }} TileOptions */
/**
 * Some whole rows of the enlarged picture.
 * @typedef {object} Band
 * @property {Uint8Array<ArrayBuffer>} data 0..255, rows from the top, channels of a pixel together
 * @property {number[]} shape [height, width, channels]: height of the band, width of the enlarged picture, channels as given
 * @property {number} row where the band begins in the enlarged picture, from 0
 * @property {number} rows height of the enlarged picture
 */

/** Bicubic pixels depend on 2 small ones to each side; what transparent pixels are filled with comes from as far as `reach`. */
const bicubic = 2, reach = 3;

/** Blocks of one side: equal, as few as there may be; the last one is moved back, over the one before. @param {number} length @param {number} most */
export function spans(length, most) {
  const count = Math.ceil(length / most), size = Math.ceil(length / count);
  return { size, starts: Array.from({ length: count }, (_, i) => Math.min(i * size, length - size)) };
}

/** Colours under transparent pixels are arbitrary and would shine through at edges: they become the mean of the visible ones around, weighted by
 * their alpha; grey where there are none. @param {Plane} pixels RGBA, changed in place @param {number} height @param {number} width */
function fillTransparent(pixels, height, width) {
  const given = pixels.slice();
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const at = 4 * (i * width + j), sum = [0, 0, 0, 0];
      if (given[at + 3] > 0) continue;
      for (let k = Math.max(i - reach, 0); k <= Math.min(i + reach, height - 1); k++) {
        for (let l = Math.max(j - reach, 0); l <= Math.min(j + reach, width - 1); l++) {
          const from = 4 * (k * width + l), alpha = given[from + 3];
          for (let c = 0; c < 3; c++) sum[c] += alpha * given[from + c];
          sum[3] += alpha;
        }
      }
      for (let c = 0; c < 3; c++) pixels[at + c] = sum[3] > 0 ? sum[c] / sum[3] : 0.5;
    }
  }
}

/** Y of BT.601 in studio range. Its other side: the same change of R, G and B by 255/219 of that of Y leaves Cb and Cr as they are.
 * @param {Plane} pixels 0..1 @param {number} channels @returns {Plane} grey pictures are their own luma */
function lumaOf(pixels, channels) {
  if (channels === 1) return pixels;
  const luma = new Float32Array(pixels.length / channels);
  for (let i = 0, at = 0; i < luma.length; i++, at += channels) {
    luma[i] = (16 + 65.481 * pixels[at] + 128.553 * pixels[at + 1] + 24.966 * pixels[at + 2]) / 255;
  }
  return luma;
}

/**
 * @param {Bytes} image
 * @param {{ row: number, col: number, rows: number, cols: number }} block
 * @param {number} margin
 * @param {number} scale
 * @returns {Promise<{ window: Window, enlarged: Plane }>} enlarged: all channels of the window by the bicubic filter
 */
async function open({ data, height, width, channels }, { row, col, rows, cols }, margin, scale) {
  const around = Math.max(margin, bicubic) + (channels === 4 ? reach : 0), top = Math.min(row, around), left = Math.min(col, around);
  const tall = Math.min(height, row + rows + around) - row + top, wide = Math.min(width, col + cols + around) - col + left, run = wide * channels;
  const pixels = new Float32Array(tall * run);
  for (let i = 0; i < tall; i++) {
    const from = ((row - top + i) * width + col - left) * channels;
    for (let e = 0; e < run; e++) pixels[i * run + e] = data[from + e] / 255;
  }
  if (channels === 4) fillTransparent(pixels, tall, wide);
  const large = await resize({ data: pixels, shape: [tall, wide, channels] }, { height: scale * tall, width: scale * wide, method: 'bicubic' });
  const enlarged = /** @type {Plane} */ (large.data);
  return { window: { height: tall, width: wide, top, left, rows, cols, luma: lumaOf(pixels, channels), base: lumaOf(enlarged, channels) }, enlarged };
}

/** Finished rows of a block, from its row `skip` on, into a band: rounded to bytes, halves up. @param {{ window: Window, enlarged: Plane }} opened
 * @param {Plane} luma of the block @param {number} scale @param {number} skip @param {Bytes} band @param {number} column where the block begins */
function place({ window: { width, top, left, rows, cols, base }, enlarged }, luma, scale, skip, band, column) {
  const { data, channels } = band, across = scale * cols, colours = Math.min(channels, 3), gain = channels === 1 ? 1 : 255 / 219;
  for (let i = skip; i < scale * rows; i++) {
    let from = (scale * top + i) * scale * width + scale * left, to = ((i - skip) * band.width + column) * channels;
    for (let j = 0; j < across; j++, from++) {
      const change = gain * (luma[i * across + j] - base[from]);
      for (let k = 0; k < channels; k++, to++) {
        const v = 255 * (enlarged[from * channels + k] + (k < colours ? change : 0)) + 0.5;
        data[to] = v > 0 ? v < 255 ? v : 255 : 0; // storing cuts off the fraction
      }
    }
  }
}

/** @param {Window} window @param {number} orientation @param {number} scale @returns {Window} */
function turnedWindow(window, orientation, scale) {
  const { height, width, top, left, rows, cols, luma, base } = window;
  const first = orientation & 1 ? height - top - rows : top, second = orientation & 2 ? width - left - cols : left, transposes = orientation & 4;
  return {
    ...transposes ? { height: width, width: height, rows: cols, cols: rows, top: second, left: first } : { height, width, rows, cols, top: first, left: second },
    luma: turned(luma, height, width, orientation), base: turned(base, scale * height, scale * width, orientation),
  };
}

/** Mean over the eight orientations (Timofte et al., "Seven ways to improve example-based single image super resolution", 2016).
 * @param {Enlarger} enlarger @param {Window[]} windows @param {number} scale @param {AbortSignal} [signal] @returns {Promise<Plane[]>} */
async function ensemble(enlarger, windows, scale, signal) {
  const [{ rows, cols }] = windows, sums = windows.map(() => new Float32Array(scale * rows * scale * cols));
  for (let k = 0; k < orientations; k++) {
    const planes = await enlarger.enlarge(windows.map(window => turnedWindow(window, k, scale)), signal);
    planes.forEach((plane, i) => turned(plane, scale * rows, scale * cols, k, true).forEach((v, e) => { sums[i][e] += v / orientations; }));
  }
  return sums;
}

/**
 * @param {Bytes} image
 * @param {Enlarger} enlarger
 * @param {number} scale
 * @param {TileOptions} options tile: pixels of the small picture that are computed at a time, as the side of a square; at least a block
 * @returns {AsyncGenerator<Band, void, void>} from the top
 */
export async function* enlargeInBands(image, enlarger, scale, { selfEnsemble, tile = 0, signal, onProgress }) {
  const { height, width, channels } = image, down = spans(height, enlarger.side), across = spans(width, enlarger.side);
  const atOnce = Math.max(1, Math.floor(tile * tile / (down.size * across.size))), total = down.starts.length * across.starts.length, wide = scale * width;
  for (const [i, row] of down.starts.entries()) {
    const begin = i * down.size, tall = (row + down.size - begin) * scale, band = { data: new Uint8Array(tall * wide * channels), height: tall, width: wide, channels };
    for (let j = 0; j < across.starts.length; j += atOnce) {
      if (signal?.aborted) throw abortError(signal);
      const starts = across.starts.slice(j, j + atOnce);
      const opened = await Promise.all(starts.map(col => open(image, { row, col, rows: down.size, cols: across.size }, enlarger.margin, scale)));
      const windows = opened.map(({ window }) => window), lumas = await (selfEnsemble ? ensemble(enlarger, windows, scale, signal) : enlarger.enlarge(windows, signal));
      for (const [k, one] of opened.entries()) place(one, lumas[k], scale, (begin - row) * scale, band, starts[k] * scale);
      onProgress?.({ done: i * across.starts.length + Math.min(j + atOnce, across.starts.length), total });
    }
    yield { data: band.data, shape: [tall, wide, channels], row: begin * scale, rows: height * scale };
  }
}
