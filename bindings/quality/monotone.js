/** Increasing functions of a quality score: what they are worth, and their inverse. */
import { HeddleError, checkOptions, wholeNumber } from '../errors.js';
import { recipes } from '../recipes.js';
import { readFunction } from './positive.js';

/** @import { Model } from '../model.js' */
/** @typedef {object} Range @property {number} min the smallest score, finite @property {number} max the largest, finite and above min */
/**
 * @typedef {object} Certificate
 * @property {number} minimum smallest slope dy/dq on the grid, in float64 from the float32 weights; above 0 by construction
 * @property {number} at the score where it is
 * @property {number} maximum largest slope
 * @property {[number, number]} log10 of both
 * @property {{ pairs: number, ties: number, drops: number }} float32 neighbours on the real line that the engine was run on: where its
 *   output stayed the same, and where it fell, which should never be. Where slopes are small, float32 can't tell neighbours apart: ties
 */

/**
 * An increasing function of one score as a network: dense layers with positive weights. An ordinary model: compile it, fit it with
 * scores [n] and ratings [n], predict, save. With activation 'elu', as published, it is convex whatever it is fitted to; 'mixed' can
 * have any increasing shape.
 * @param {Parameters<typeof recipes.monotonicTransformer>[0]} [options] widths, activation ('elu', 'mixed', 'tanh'), skip, parametrization,
 *   minimum, compat; name, seed
 * @returns {Promise<Model>}
 * @throws {HeddleError} `argument`
 */
export const monotonicTransformer = options => recipes.monotonicTransformer(options);

/** @param {Partial<Range> | undefined} range @param {string} where @returns {Range} */
function readRange(range, where) {
  const { min, max } = range ?? {};
  if (typeof min !== 'number' || typeof max !== 'number' || !(min < max && Number.isFinite(max - min))) {
    throw new HeddleError('argument', `${where}: min = ${String(min)}, max = ${String(max)}, expected finite numbers with min < max`);
  }
  return { min, max };
}

/** `count` float32 numbers from q on, each the next after the one before. @param {number} q @param {number} count */
function neighbours(q, count) {
  const values = Float32Array.of(q), bits = new Int32Array(values.buffer), out = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    out[i] = values[0];
    if (values[0] === 0) bits[0] = 1;
    else bits[0] += values[0] > 0 ? 1 : -1;
  }
  return out;
}

/**
 * How surely a model increases: its exact slope on a grid, and its float32 outputs for neighbouring numbers.
 * @param {Model} model one number in, one out, of layers.monotonicDense and layers.add
 * @param {Range & { points?: number, adjacent?: number }} options the range of scores; points: of the grid, 1,001 unless told;
 *   adjacent: neighbouring float32 numbers at each, 8 unless told
 * @returns {Promise<Certificate>}
 * @throws {HeddleError} `argument`, `shape`, `unsupported` for a model of other layers
 */
export async function certificate(model, options) {
  checkOptions(options, ['min', 'max', 'points', 'adjacent'], 'certificate');
  const { min, max } = readRange(options, 'certificate'), points = wholeNumber(options.points, 'certificate: points', 2, 1001);
  const adjacent = wholeNumber(options.adjacent, 'certificate: adjacent', 2, 8), f = await readFunction(model, 'certificate');
  const grid = Float64Array.from({ length: points }, (_, i) => min + (max - min) * (i / (points - 1)));
  let minimum = Infinity, at = NaN, maximum = 0;
  for (const q of grid) {
    const { slope } = f(q);
    if (slope < minimum) [minimum, at] = [slope, q];
    maximum = Math.max(maximum, slope);
  }
  const runs = new Float32Array(points * adjacent);
  grid.forEach((q, i) => runs.set(neighbours(q, adjacent), i * adjacent));
  const { data } = await model.predict(runs.sort(), { batchSize: 1024 });
  let pairs = 0, ties = 0, drops = 0;
  for (let i = 1; i < runs.length; i++) {
    if (runs[i] === runs[i - 1]) continue;
    pairs++;
    ties += Number(data[i] === data[i - 1]);
    drops += Number(!(data[i] >= data[i - 1]));
  }
  return { minimum, at, maximum, log10: [Math.log10(minimum), Math.log10(maximum)], float32: { pairs, ties, drops } };
}

/**
 * The score that a model maps to y, by bisection in float64 to the last bit.
 * @template {number | ArrayLike<number>} T
 * @param {Model} model as of `certificate`
 * @param {T} y a number or a list
 * @param {Range} range to search
 * @returns {Promise<T extends number ? number : Float64Array<ArrayBuffer>>}
 * @throws {HeddleError} `argument` for a y that the model does not take on in the range, and as `certificate`
 */
export async function invert(model, y, range) {
  checkOptions(range, ['min', 'max'], 'invert');
  const { min, max } = readRange(range, 'invert'), f = await readFunction(model, 'invert'), low = f(min).y, high = f(max).y;
  /** @param {number} value @param {number} i */
  const one = (value, i) => {
    if (!(value >= low && value <= high)) {
      throw new HeddleError('argument', `invert: y${typeof y === 'number' ? '' : `[${i}]`} = ${value}, but over ${min}..${max} the model takes on ${low}..${high}`);
    }
    let [a, b] = [min, max];
    for (let middle = (a + b) / 2; middle > a && middle < b; middle = (a + b) / 2) {
      if (f(middle).y < value) a = middle;
      else b = middle;
    }
    return f(a).y === value ? a : b;
  };
  return /** @type {any} */ (typeof y === 'number' ? one(y, 0) : Float64Array.from(/** @type {ArrayLike<number>} */ (y), one));
}
