/** How far outputs are from targets, in float64. */
/** @import { TrainingData } from './samples.js' */

/** What counts as no error: 400 dB below the targets. */
const nothing = 1e-40;

/** sum |t - s|^2. @param {Float32Array} scores [rows, outputs] @param {TrainingData} data @returns {number} */
export function residual(scores, { y, outputs, classes }) {
  let sum = 0;
  for (let row = 0, at = 0; at < scores.length; row++) {
    for (let k = 0; k < outputs; k++, at++) sum += ((classes ? Number(y.data[row] === k) : y.data[at]) - scores[at]) ** 2;
  }
  return sum;
}

/** sum |t|^2. @param {TrainingData} data */
export const squares = data => residual(new Float32Array(data.rows * data.outputs), data);

/** Part of the rows whose class has the largest score. @param {Float32Array} scores @param {TrainingData} data */
export function accuracyOf(scores, { y, outputs, rows }) {
  let right = 0;
  for (let row = 0; row < rows; row++) {
    const best = scores[row * outputs + y.data[row]];
    let wins = 1;
    for (let k = 0; k < outputs; k++) {
      const score = scores[row * outputs + k];
      if (score > best || (score === best && k < y.data[row])) wins = 0;
    }
    right += wins;
  }
  return right / rows;
}

/** Normalised mean error in dB. @param {number} cost @param {number} targetSquares */
export const decibels = (cost, targetSquares) => 10 * Math.log10(Math.max(cost / targetSquares, nothing));

/** Relative gain in dB, by which the SSFN paper decides to stop growing. @param {number} old dB @param {number} now dB */
export const gain = (old, now) => (old === now ? 0 : (old - now) / Math.abs(old));

/** sum v^2. @param {Float64Array} values */
export const sumSquares = values => values.reduce((sum, v) => sum + v * v, 0);
