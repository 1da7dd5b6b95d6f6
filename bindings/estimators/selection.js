/** How the penalty of ridge regression is chosen, by primal and dual alike. */
import { HeddleError } from '../errors.js';
import { list, number, oneOf, orNull, seed } from './params.js';

/** @import { ParamTable, Param } from './params.js' */
/**
 * @typedef {object} RidgeParams
 * @property {number} [alpha] penalty on the squared weights, beside the sum (not the mean) of squared errors; >= 0
 * @property {readonly number[] | 'auto' | null} [alphas] penalties to choose from instead; auto: trace(G) / features times
 *   10^-8, 10^-7, ... 10^2, whatever the scale of the features; null: alpha is taken
 * @property {'holdout' | 'gcv'} [selection] by the squared error on rows held out, which then join the others, or by generalised
 *   cross-validation (Golub, Heath & Wahba 1979)
 * @property {number} [validationFraction] part of the rows that is held out, if there is no validationData; 0.1 unless told
 * @property {'auto' | 'primal' | 'dual'} [solver] primal: sums over rows, features^2 numbers, streamed; dual: inner products of
 *   rows, rows^2 numbers; auto: the smaller
 * @property {number | null} [seed] of all that is random
 */
/**
 * @typedef {object} Choice
 * @property {readonly number[] | 'auto' | null} alphas
 * @property {number} alpha
 * @property {'holdout' | 'gcv'} selection
 * @property {number} validationFraction
 * @property {'auto' | 'primal' | 'dual'} solver
 */
/** Errors of the penalties that were tried: mean squared error of a held-out row, or the criterion of GCV.
 * @typedef {{ alphas: number[], errors: number[] }} Path */

/** @type {Param} */
const penalty = number(1, { min: 0 });
const several = list([], penalty);

/** @param {number} alpha its default @returns {ParamTable} */
export const ridgeParams = alpha => ({
  alpha: number(alpha, { min: 0 }),
  alphas: orNull({ ...several, allows: value => value === 'auto' || several.allows(value), expected: `${several.expected}, or "auto"` }, 'alpha is taken'),
  selection: oneOf('holdout', 'gcv'),
  validationFraction: number(0.1, { above: 0, below: 1 }),
  solver: oneOf('auto', 'primal', 'dual'),
  seed,
});

/** @param {Choice} choice @param {number} scale trace(G) / features @returns {number[] | null} null: no choice */
export function candidates({ alphas }, scale) {
  if (alphas === 'auto') return Array.from({ length: 11 }, (_, i) => scale * 10 ** (i - 8));
  return alphas && [...alphas];
}

/** GCV: J |T - O Y|^2 / (J - df)^2. @param {number} rows @param {number} cost @param {number} freedom degrees of freedom */
export const gcv = (rows, cost, freedom) => (rows > freedom ? rows * cost / (rows - freedom) ** 2 : Infinity);

/** @param {Path} path @param {string} where @returns {number} the best penalty; the larger on a tie, as it is the smoother */
export function best({ alphas, errors }, where) {
  const fewest = errors.reduce((least, error) => Math.min(least, error), Infinity);
  const equal = alphas.filter((_, i) => errors[i] === fewest);
  if (!Number.isFinite(fewest)) throw new HeddleError('argument', `${where}: too few rows to choose between ${alphas.length} alphas`);
  return Math.max(...equal);
}

/** A number in [0, 1) for each row, the same for the same seed wherever the stream is cut: 32 bits mixed twice as in MurmurHash3.
 * @param {number} key @param {number} row */
function chance(key, row) {
  let h = (key ^ Math.imul(row + 1, 0x9e3779b1)) >>> 0;
  for (const factor of [0x85ebca6b, 0xc2b2ae35]) h = Math.imul(h ^ (h >>> 16), factor) >>> 0;
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}

/** Which rows train, and which are held out. @param {number} rows @param {number} first number of the first row in the stream
 * @param {number} fraction @param {number} key */
export function split(rows, first, fraction, key) {
  /** @type {[number[], number[]]} */
  const [train, held] = [[], []];
  for (let i = 0; i < rows; i++) (chance(key, first + i) < fraction ? held : train).push(i);
  return { train, held };
}
