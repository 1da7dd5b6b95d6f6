/** Rated data sets made ready for joint training: checked, on one scale of labels, in tuples with one image of each set. */
import { readArray } from '../data.js';
import { HeddleError, checkOptions, kindOf } from '../errors.js';
import { readColumn } from '../matrix.js';

/** @import { ArrayLike2 } from '../data.js' */
/** @import { VectorLike } from '../matrix.js' */
/** @typedef {object} RatedSet @property {ArrayLike2} x features [images, features], as many features in all sets
 * @property {VectorLike} y ratings [images], on a scale of the set's own, not all alike */
/** @typedef {{ rows: number, size: number, data: Float32Array }} Features */
/** @typedef {{ lowest: number, highest: number }} Scale ratings that labels 0 and 10 stand for */
/** @typedef {Features & { ratings: Float64Array }} Samples */

/** The labels of every set begin at 0 and end here, as published. */
export const labelRange = 10;

/** @param {ArrayLike2} x @param {number} size elements of a row if they are known, else 0 @param {string} where @returns {Features} */
export function readFeatures(x, size, where) {
  const { data, shape, scale, offset } = readArray(x, size || 1, where);
  const own = shape ? shape.slice(1).reduce((a, b) => a * b, 1) : size;
  if (!own || !data.length || (shape && shape.length < 2)) {
    throw new HeddleError('shape', `${where}: expected [images, features]${shape ? `, got [${shape.join(', ')}]` : ' with its shape'}`);
  }
  if (size && own !== size) throw new HeddleError('shape', `${where}: ${own} features an image, expected ${size}`);
  const isPlain = data instanceof Float32Array && scale === 1 && offset === 0;
  const values = isPlain ? data : Float32Array.from(data, value => value * scale + offset), bad = values.findIndex(value => !Number.isFinite(value));
  if (bad >= 0) throw new HeddleError('argument', `${where}: row ${Math.floor(bad / own)}, feature ${bad % own} = ${values[bad]}, expected a finite number`);
  return { rows: values.length / own, size: own, data: values };
}

/** @param {RatedSet} set @param {number} size of the features, 0: as they are @param {string} where @returns {Samples} */
function readSet(set, size, where) {
  if (typeof set !== 'object' || set === null || !('x' in set) || !('y' in set)) throw new HeddleError('argument', `${where}: expected { x, y }, got ${kindOf(set)}`);
  checkOptions(set, ['x', 'y'], where);
  const features = readFeatures(set.x, size, `${where}.x`), y = readColumn(set.y, `${where}.y`);
  if (y.rows !== features.rows) throw new HeddleError('shape', `${where}: ${features.rows} images in x, but ${y.rows} ratings in y`);
  const ratings = Float64Array.from(y.data), bad = ratings.findIndex(value => !Number.isFinite(value));
  if (bad >= 0) throw new HeddleError('argument', `${where}.y[${bad}] = ${ratings[bad]}, expected a finite number`);
  return { ...features, ratings };
}

/** @param {readonly RatedSet[]} sets @param {number} size @param {string} where @returns {Samples[]} */
export function readSets(sets, size, where) {
  if (!Array.isArray(sets) || sets.length === 0) throw new HeddleError('argument', `${where}: expected a list of { x, y }, got ${kindOf(sets)}`);
  const read = [readSet(sets[0], size, `${where}[0]`)];
  for (let i = 1; i < sets.length; i++) read.push(readSet(sets[i], read[0].size, `${where}[${i}]`));
  return read;
}

/** @param {Samples} samples @param {string} where @returns {Scale} */
export function scaleOf({ ratings }, where) {
  const [lowest, highest] = ratings.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
  if (lowest === highest) throw new HeddleError('argument', `${where}: all ratings are ${lowest}, expected at least two different ones`);
  return { lowest, highest };
}

/** @param {Samples} samples @param {Scale} scale */
export const labelsOf = ({ ratings }, { lowest, highest }) => Float32Array.from(ratings, y => labelRange * (y - lowest) / (highest - lowest));

/** A permutation of 0..n-1 that depends on the seed only: Fisher-Yates with Marsaglia's xorshift32, seeded by MurmurHash3's mix.
 * @param {number} n @param {number} seed @param {number} epoch @param {number} set */
function permutation(n, seed, epoch, set) {
  let state = (seed % 2 ** 32) ^ Math.imul(Math.floor(seed / 2 ** 32) + 1, 0x9e3779b1) ^ Math.imul(epoch + 1, 0x85ebca6b) ^ Math.imul(set + 1, 0xc2b2ae35);
  for (const factor of [0x85ebca6b, 0xc2b2ae35]) state = Math.imul(state ^ (state >>> 16), factor);
  state ||= 1;
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const k = Math.floor((state >>> 0) / 2 ** 32 * (i + 1));
    [order[i], order[k]] = [order[k], order[i]];
  }
  return order;
}

/** Tuples of an epoch: as many as the largest set has images; shorter sets begin again. @param {readonly Samples[]} sets */
export const epochLength = sets => Math.max(...sets.map(({ rows }) => rows));

/**
 * The batches of one epoch; each set in an order of its own, new in every epoch.
 * @param {readonly Samples[]} sets
 * @param {readonly Float32Array[]} labels
 * @param {{ batchSize: number, seed: number, epoch: number }} options
 */
export function* tupleBatches(sets, labels, { batchSize, seed, epoch }) {
  const orders = sets.map(({ rows }, i) => permutation(rows, seed, epoch, i)), length = epochLength(sets), [{ size }] = sets;
  for (let first = 0; first < length; first += batchSize) {
    const n = Math.min(batchSize, length - first), x = new Float32Array(n * sets.length * size);
    const y = sets.map(() => new Float32Array(n));
    for (let t = 0; t < n; t++) {
      for (const [i, { rows, data }] of sets.entries()) {
        const row = orders[i][(first + t) % rows];
        x.set(data.subarray(row * size, (row + 1) * size), (t * sets.length + i) * size);
        y[i][t] = labels[i][row];
      }
    }
    const targets = y.map(data => ({ data, shape: [n, 1] }));
    yield { x: { data: x, shape: [n, sets.length, size] }, y: targets.length > 1 ? targets : targets[0] };
  }
}

/** Any images as tuples, the last filled up with zeros. @param {Features} features @param {number} sets */
export function packTuples({ rows, size, data }, sets) {
  const tuples = Math.ceil(rows / sets), padded = rows === tuples * sets ? data : new Float32Array(tuples * sets * size);
  if (padded !== data) padded.set(data);
  return { data: padded, shape: [tuples, sets, size] };
}
