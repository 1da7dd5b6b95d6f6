/** What heads or whole models are trained on and applied to: rows of features, or pictures. */
import { HeddleError } from '../errors.js';
import { readNpy } from '../files/npy.js';
import { readMatrix } from '../matrix.js';
import { loadFrom } from '../stores/index.js';
import { cut, eachPicture, namedPicture, preprocess } from './pictures.js';

/** @import { Model } from '../model.js' */
/** @import { Picture, Pixels, Preprocessing, Skipped } from './pictures.js' */
/**
 * @typedef {object} Rows
 * @property {number} count
 * @property {(indices: readonly number[], random?: () => number) => Promise<any>} take the model's inputs for these rows, in this order; random: numbers 0..1
 *   for what training varies
 * @property {number} atOnce rows that prediction takes at a time
 */

/** Decoded pictures that are kept from epoch to epoch, at most this many bytes. */
const keptBytes = 1 << 29;

/** @param {readonly Float32Array[]} rows features, level after level @param {readonly number[]} sizes of the levels @returns {Rows} */
export function featureRows(rows, sizes) {
  const begins = sizes.map((_, i) => sizes.slice(0, i).reduce((sum, n) => sum + n, 0));
  /** @param {readonly number[]} indices */
  const take = async indices => {
    const levels = sizes.map((size, level) => {
      const data = new Float32Array(indices.length * size);
      indices.forEach((row, i) => data.set(rows[row].subarray(begins[level], begins[level] + size), i * size));
      return { data, shape: [indices.length, size] };
    });
    return levels.length === 1 ? levels[0] : levels;
  };
  return { count: rows.length, take, atOnce: 256 };
}

/** A table of features: an array as it is, or the .npy file that holds it. @param {any} given @returns {Promise<unknown>} */
async function tableOf(given) {
  const isFile = typeof given === 'string' || given instanceof URL || given instanceof Blob || given instanceof ArrayBuffer || given instanceof Uint8Array;
  return isFile ? readNpy(await loadFrom(given)) : given;
}

/** @param {unknown} given @param {readonly number[]} sizes @param {string} where @returns {Promise<Float32Array[]>} */
export async function readFeatures(given, sizes, where) {
  const { data, rows, cols } = readMatrix(await tableOf(given), where), wanted = sizes.reduce((sum, n) => sum + n, 0);
  if (cols !== wanted) throw new HeddleError('shape', `${where}: rows have ${cols} features, expected ${wanted} (levels of ${sizes.join(' and ')})`);
  return Array.from({ length: rows }, (_, i) => {
    const row = Float32Array.from(/** @type {any} */ (data).slice(i * cols, (i + 1) * cols)), bad = row.findIndex(value => !Number.isFinite(value));
    if (bad >= 0) throw new HeddleError('argument', `${where}: row ${i}, feature ${bad} is ${row[bad]}, expected a finite number`);
    return row;
  });
}

/**
 * Reads every picture once, to know which can be read; keeps as many as fit.
 * @param {Iterable<Picture>} pictures
 * @param {Preprocessing} preprocessing
 * @param {{ signal?: AbortSignal, onDone?: (done: number) => void }} options
 * @returns {Promise<{ rows: (Pixels | (() => Promise<Pixels>) | null)[], skipped: Skipped[] }>}
 */
export async function readPictures(pictures, preprocessing, { signal, onDone }) {
  const sources = [...pictures], rows = [], skipped = [];
  let bytes = 0;
  const work = async (/** @type {Pixels} */ pixels) => pixels;
  for await (const one of eachPicture(sources, source => preprocess(source, preprocessing), work, signal)) {
    if ('skipped' in one) {
      skipped.push(one.skipped);
      rows.push(null);
    } else {
      const { source } = namedPicture(sources[one.index], one.index);
      bytes += one.value.data.length;
      rows.push(bytes <= keptBytes ? one.value : () => preprocess(source, preprocessing));
    }
    onDone?.(rows.length);
  }
  return { rows, skipped };
}

/** Whole pictures; for training, parts of them at random places, mirrored at random. @param {readonly (Pixels | (() => Promise<Pixels>))[]} rows
 * @param {{ crop?: readonly [number, number], mirror?: boolean }} [variation] @returns {Rows} */
export function pictureRows(rows, { crop, mirror } = {}) {
  /** @param {readonly number[]} indices @param {() => number} [random] */
  const take = async (indices, random) => {
    const draws = indices.map(() => [0, 1, 2].map(() => random?.() ?? 0)), parts = await Promise.all(indices.map(i => (typeof rows[i] === 'function' ? rows[i]() : rows[i])));
    const [height, width, channels] = parts[0].shape, size = random && crop ? crop : /** @type {const} */ ([height, width]), length = size[0] * size[1] * channels;
    const data = new Uint8Array(parts.length * length);
    parts.forEach((part, i) => {
      const [down, along, flip] = draws[i], top = Math.floor(down * (height - size[0] + 1)), left = Math.floor(along * (width - size[1] + 1));
      cut(part, top, left, size, data, i * length, mirror && flip >= 0.5);
    });
    return { data, shape: [parts.length, ...size, channels] };
  };
  return { count: rows.length, take, atOnce: 1 };
}

/** The main head's scores of all rows, as at inference, on the network's own scale.
 * @param {Model} net @param {Rows} rows @param {AbortSignal} [signal] @returns {Promise<Float64Array<ArrayBuffer>>} */
export async function predictRows(net, { count, take, atOnce }, signal) {
  const scores = new Float64Array(count);
  for (let at = 0; at < count; at += atOnce) {
    const indices = Array.from({ length: Math.min(atOnce, count - at) }, (_, i) => at + i);
    scores.set((await net.predict(await take(indices), { output: 'main', batchSize: atOnce, signal })).data, at);
  }
  return scores;
}
