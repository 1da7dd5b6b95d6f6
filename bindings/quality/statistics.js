/** How well scores agree with human ratings, in float64. Scores and ratings are lists of numbers, or `{ data, shape: [n] or [n, 1] }` as of
 * `predict`, of at least two. Errors are HeddleErrors: `argument` for numbers that are not finite, `shape` for lists of unequal length. */
import { HeddleError, checkOptions, wholeNumber } from '../errors.js';
import { computeFloat64, readColumn } from '../matrix.js';
import { checkSeed } from '../session.js';

/** @import { Given, VectorLike } from '../matrix.js' */
/**
 * @typedef {object} StatisticsOptions
 * @property {VectorLike} [std] standard deviation of each rating, for outlierRatio
 * @property {number} [confidence] of the intervals, between 0 and 1; 0.95 unless told
 * @property {number} [resamples] bootstrap resamples for the intervals, 1 to 100,000, or 0 for none; 1,000 unless told
 * @property {number} [seed] of the resamples; 0 unless told
 */
/**
 * @typedef {object} Statistics
 * @property {number} plcc Pearson's linear correlation; correlations with a list that does not vary are NaN
 * @property {number} srocc Spearman's rank correlation, ties at the mean of their ranks
 * @property {number} krocc Kendall's tau-b
 * @property {number} rmse root of the mean square of score - rating
 * @property {number} mae mean of |score - rating|
 * @property {number} [outlierRatio] part of the scores further than two standard deviations from their ratings, if std was given
 * @property {{ [name: string]: [number, number] }} [intervals] of each, by its name: percentiles of bootstrap resamples
 */

/** In the order of HD_STATISTIC_... of heddle.h. */
const names = /** @type {const} */ (['plcc', 'srocc', 'krocc', 'rmse', 'mae', 'outlierRatio']);
const mostResamples = 100_000;

/** @param {Given} given @param {Given} scores @param {string} where */
function checkLength(given, scores, where) {
  if (given.rows !== scores.rows) throw new HeddleError('shape', `${where}: has ${given.rows} numbers, expected ${scores.rows} as there are scores`);
}

/** @param {unknown} q @param {unknown} y @param {unknown} std @param {string} name @returns {(number | Given)[]} what C takes first */
function read(q, y, std, name) {
  const scores = readColumn(q, `${name}: q`), ratings = readColumn(y, `${name}: y`), spread = std === undefined ? 0 : readColumn(std, `${name}: std`);
  checkLength(ratings, scores, `${name}: y`);
  if (spread) checkLength(spread, scores, `${name}: std`);
  return [scores.rows, scores, ratings, spread];
}

/** @param {typeof names[number]} name @param {VectorLike} q @param {VectorLike} y @param {VectorLike} [std] @returns {Promise<number>} */
async function one(name, q, y, std) {
  const [values] = await computeFloat64('statistics', [...read(q, y, std, name), { out: names.length }]);
  return values[names.indexOf(name)];
}

/** Pearson's linear correlation. @param {VectorLike} q scores @param {VectorLike} y ratings @returns {Promise<number>} -1 to 1; NaN if a list does not vary */
export const plcc = (q, y) => one('plcc', q, y);

/** Spearman's rank correlation; ties share the mean of their ranks.
 * @param {VectorLike} q scores @param {VectorLike} y ratings @returns {Promise<number>} -1 to 1; NaN if a list does not vary */
export const srocc = (q, y) => one('srocc', q, y);

/** Kendall's rank correlation tau-b. @param {VectorLike} q scores @param {VectorLike} y ratings @returns {Promise<number>} -1 to 1; NaN if a list does not vary */
export const krocc = (q, y) => one('krocc', q, y);

/** Root mean square error of scores as they are: map them first if they are on another scale than the ratings.
 * @param {VectorLike} q scores @param {VectorLike} y ratings @returns {Promise<number>} in the ratings' unit */
export const rmse = (q, y) => one('rmse', q, y);

/** Mean absolute error. @param {VectorLike} q scores @param {VectorLike} y ratings @returns {Promise<number>} in the ratings' unit */
export const mae = (q, y) => one('mae', q, y);

/** Part of the scores that are further than two standard deviations from their ratings.
 * @param {VectorLike} q scores @param {VectorLike} y ratings @param {VectorLike} std of each rating @returns {Promise<number>} 0 to 1 */
export async function outlierRatio(q, y, std) {
  if (std === undefined) throw new HeddleError('argument', 'outlierRatio: std is missing: the standard deviation of each rating');
  return one('outlierRatio', q, y, std);
}

/** The single statistics by their names. */
export const metrics = Object.freeze({ plcc, srocc, krocc, rmse, mae, outlierRatio });

/**
 * All of them, with bootstrap intervals.
 * @param {VectorLike} q scores
 * @param {VectorLike} y ratings
 * @param {StatisticsOptions} [options]
 * @returns {Promise<Statistics>}
 */
export async function statistics(q, y, options = {}) {
  checkOptions(options, ['std', 'confidence', 'resamples', 'seed'], 'statistics');
  const { std, confidence = 0.95 } = options, resamples = wholeNumber(options.resamples, 'statistics: resamples', 0, 1000);
  if (!(confidence > 0 && confidence < 1)) throw new HeddleError('argument', `statistics: confidence = ${String(confidence)}, expected a number between 0 and 1`);
  if (resamples > mostResamples) throw new HeddleError('argument', `statistics: resamples = ${resamples}, expected at most ${mostResamples}`);
  const seed = options.seed === undefined ? 0 : checkSeed(options.seed, 'statistics');
  const pairs = read(q, y, std, 'statistics'), wanted = std === undefined ? names.slice(0, -1) : names;
  const [values] = await computeFloat64('statistics', [...pairs, { out: names.length }]);
  const result = /** @type {any} */ (Object.fromEntries(wanted.map((name, i) => [name, values[i]])));
  if (resamples === 0) return result;
  const [low, high] = await computeFloat64('statistics_intervals', [...pairs, resamples, confidence, seed, { out: names.length }, { out: names.length }]);
  return { ...result, intervals: Object.fromEntries(wanted.map((name, i) => [name, [low[i], high[i]]])) };
}
