/** What estimators learn from: rows whose shape the data tell, and targets. */
import { readArray } from '../data.js';
import { HeddleError } from '../errors.js';
import { classesOf, encode, readClasses, readLabels } from './labels.js';

/** @import { Label } from './labels.js' */
/** An array as models take it. @typedef {{ data: Float32Array | Uint8Array, shape: number[], scale: number, offset: number }} Samples */
/**
 * @typedef {object} TrainingData
 * @property {number} rows
 * @property {Samples} x
 * @property {number[]} shape of one sample of x
 * @property {Samples} y class numbers [rows], or numbers [rows, outputs]
 * @property {number} outputs classes, or numbers a row
 * @property {Label[] | null} classes null for regression
 * @property {number[]} targetShape of one sample of y as it was given
 */

/** @param {readonly number[]} shape */
export const sizeOf = shape => shape.reduce((product, n) => product * n, 1);

/**
 * @param {unknown} value ArrayLike2
 * @param {number} rows that a flat typed array has; 0: one number a row
 * @param {string} where
 * @returns {Samples}
 */
export function readSamples(value, rows, where) {
  const { data, shape, scale, offset } = readArray(value, 1, where), size = rows > 0 ? Math.floor(data.length / rows) : 1;
  if (!shape && rows > 0 && data.length !== rows * size) {
    throw new HeddleError('shape', `${where}: a flat array of length ${data.length} does not divide into ${rows} rows`);
  }
  if (data.length === 0 || shape?.length === 0) throw new HeddleError('shape', `${where}: no rows`);
  return { data, shape: shape ?? [data.length / size, ...size === 1 ? [] : [size]], scale, offset };
}

/** Some rows of an array, in the order given. @param {Samples} samples @param {readonly number[]} rows @returns {Samples} */
export function takeRows({ data, shape, scale, offset }, rows) {
  const size = sizeOf(shape.slice(1)), out = data instanceof Uint8Array ? new Uint8Array(rows.length * size) : new Float32Array(rows.length * size);
  for (const [i, row] of rows.entries()) out.set(data.subarray(row * size, (row + 1) * size), i * size);
  return { data: out, shape: [rows.length, ...shape.slice(1)], scale, offset };
}

/** What an array holds, scale and offset applied. @param {Samples} samples @returns {Float32Array} */
export function valuesOf({ data, scale, offset }) {
  return data instanceof Float32Array && scale === 1 && offset === 0 ? data : Float32Array.from(data, value => value * scale + offset);
}

/** @param {Float32Array} values @param {number} size of a row @param {string} where */
function checkFinite(values, size, where) {
  const bad = values.findIndex(value => !Number.isFinite(value));
  if (bad >= 0) throw new HeddleError('argument', `${where}: row ${Math.floor(bad / size)}, element ${bad % size} = ${values[bad]}, expected a finite number`);
}

/** @typedef {{ isClassifier: boolean, classes?: unknown }} TargetOptions classes: those of y; unless told, those that are there */
/** @typedef {Pick<TrainingData, 'rows' | 'y' | 'outputs' | 'classes' | 'targetShape'>} Targets */

/**
 * @param {unknown} y labels, or numbers
 * @param {TargetOptions} options
 * @param {string} where
 * @returns {Targets}
 */
export function readTargets(y, { isClassifier, classes: given }, where) {
  if (isClassifier) {
    const labels = readLabels(y, `${where}: y`), rows = labels.length;
    const classes = given === undefined ? readClasses(classesOf(labels), `${where}: y`) : readClasses(given, `${where}: classes`);
    return { rows, y: { data: encode(labels, classes, `${where}: y`), shape: [rows], scale: 1, offset: 0 }, outputs: classes.length, classes, targetShape: [] };
  }
  const numbers = readSamples(y, 0, `${where}: y`), [rows, ...targetShape] = numbers.shape, data = valuesOf(numbers), outputs = sizeOf(targetShape);
  checkFinite(data, outputs, `${where}: y`);
  return { rows, y: { data, shape: [rows, outputs], scale: 1, offset: 0 }, outputs, classes: null, targetShape };
}

/**
 * @param {unknown} x ArrayLike2
 * @param {unknown} y
 * @param {TargetOptions & { like?: { shape: number[], targetShape: number[] } }} options like: what rows must look like
 * @param {string} where
 * @returns {TrainingData}
 */
export function readTraining(x, y, { like, ...options }, where) {
  const targets = readTargets(y, options, where), samples = readSamples(x, targets.rows, `${where}: x`);
  if (samples.shape.length === 1) samples.shape.push(1);
  const [rows, ...shape] = samples.shape;
  if (rows !== targets.rows) throw new HeddleError('shape', `${where}: x has ${rows} rows, y has ${targets.rows}`);
  for (const [name, got, wanted] of /** @type {const} */ ([['x', shape, like?.shape], ['y', targets.targetShape, like?.targetShape]])) {
    if (wanted && got.join() !== wanted.join()) {
      throw new HeddleError('shape', `${where}: ${name} has shape [${[rows, ...got].join(', ')}], expected [${['rows', ...wanted].join(', ')}] as before`);
    }
  }
  if (samples.data instanceof Float32Array) checkFinite(samples.data, sizeOf(shape), `${where}: x`);
  return { ...targets, x: samples, shape };
}
