/** Class labels - numbers, strings or booleans - and the class numbers 0, 1, ... that networks know. */
import { HeddleError, kindOf, suggest } from '../errors.js';

/** @typedef {number | string | boolean} Label of a class; all labels of a fit are of one type, numbers finite */
/** @typedef {readonly Label[] | Int8Array | Uint8Array | Uint8ClampedArray | Int16Array | Uint16Array | Int32Array | Uint32Array
 *   | Float32Array | Float64Array | { data: LabelList, shape: readonly number[] }} LabelList one label a row */

/**
 * One label a row, as a plain list or a typed array.
 * @param {unknown} value LabelList
 * @param {string} where
 * @returns {ArrayLike<Label>}
 */
export function readLabels(value, where) {
  if (typeof value === 'object' && value !== null && 'data' in value && 'shape' in value) {
    const { data, shape } = value;
    if (!Array.isArray(shape) || shape.slice(1).some(n => n !== 1)) {
      throw new HeddleError('shape', `${where}: shape ${JSON.stringify(shape)}, expected [rows]: one label a row`);
    }
    return readLabels(data, where);
  }
  if (!Array.isArray(value) && !(ArrayBuffer.isView(value) && 'length' in value && !('getBigInt64' in value))) {
    throw new HeddleError('argument', `${where}: expected an array of labels, got ${kindOf(value)}`);
  }
  const labels = /** @type {ArrayLike<any>} */ (value), type = typeof labels[0];
  if (labels.length === 0) throw new HeddleError('shape', `${where}: no rows`);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i], isLabel = ['string', 'boolean'].includes(typeof label) || Number.isFinite(label);
    if (isLabel && typeof label === type) continue;
    const wanted = isLabel ? `a ${type} as before` : 'a number, a string or a boolean: one label a row';
    throw new HeddleError('argument', `${where}[${i}]: expected ${wanted}, got ${Number.isNaN(label) ? 'NaN' : kindOf(label)}`);
  }
  return labels;
}

/** Different labels in their order: numbers by size, strings by code units, false before true. @param {ArrayLike<Label>} labels @returns {Label[]} */
export function classesOf(labels) {
  return [...new Set(Array.from(labels))].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Checks classes that a caller names. @param {unknown} given @param {string} where @returns {Label[]} in the given order */
export function readClasses(given, where) {
  const classes = Array.from(readLabels(given, where));
  if (new Set(classes).size !== classes.length) throw new HeddleError('argument', `${where}: a class appears twice`);
  if (classes.length < 2) throw new HeddleError('argument', `${where}: one class only (${JSON.stringify(classes[0])}), expected at least 2`);
  return classes;
}

/**
 * Class numbers of labels.
 * @param {ArrayLike<Label>} labels
 * @param {readonly Label[]} classes
 * @param {string} where
 * @returns {Uint8Array | Float32Array} bytes for up to 256 classes
 */
export function encode(labels, classes, where) {
  const places = new Map(classes.map((label, i) => [label, i]));
  const out = classes.length <= 256 ? new Uint8Array(labels.length) : new Float32Array(labels.length);
  for (let i = 0; i < labels.length; i++) {
    const place = places.get(labels[i]);
    if (place === undefined) {
      const names = classes.slice(0, 20).map(String);
      throw new HeddleError('argument', `${where}[${i}]: ${JSON.stringify(labels[i])} is no class${suggest(String(labels[i]), names)}`);
    }
    out[i] = place;
  }
  return out;
}

/** The place of the largest of each row's scores. @param {ArrayLike<number>} scores @param {number} classes @returns {number[]} */
export function argmax(scores, classes) {
  return Array.from({ length: scores.length / classes }, (_, row) => {
    let best = 0;
    for (let k = 1; k < classes; k++) if (scores[row * classes + k] > scores[row * classes + best]) best = k;
    return best;
  });
}

/** Rows with a 1 at the class of each. @param {ArrayLike<number>} numbers @param {number} classes */
export function oneHot(numbers, classes) {
  const data = new Float32Array(numbers.length * classes);
  for (let i = 0; i < numbers.length; i++) data[i * classes + numbers[i]] = 1;
  return { data, shape: [numbers.length, classes] };
}
