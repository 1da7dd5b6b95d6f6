/** Parameters of estimators: their defaults and what they may be. */
import { HeddleError, checkOptions, kindOf, suggest } from '../errors.js';

/** @typedef {{ fallback: unknown, allows: (value: unknown) => boolean, expected: string, names?: readonly string[] }} Param */
/** @typedef {{ readonly [name: string]: Param }} ParamTable */
/** @typedef {{ min?: number, above?: number, max?: number, below?: number }} Range */

/** @param {Range} range */
const rangeText = ({ min, above, max, below }) => [
  ...min !== undefined ? [`>= ${min}`] : [], ...above !== undefined ? [`> ${above}`] : [],
  ...max !== undefined ? [`<= ${max}`] : [], ...below !== undefined ? [`< ${below}`] : [],
].join(' and ');

/** @param {unknown} value @param {Range} range @returns {value is number} */
function isWithin(value, { min = -Infinity, above = -Infinity, max = Infinity, below = Infinity }) {
  return typeof value === 'number' && Number.isFinite(value) && value >= min && value > above && value <= max && value < below;
}

/** A finite number. @param {number} fallback @param {Range} [range] @returns {Param} */
export function number(fallback, range = {}) {
  return { fallback, allows: value => isWithin(value, range), expected: `a finite number ${rangeText(range)}`.trim() };
}

/** A whole number. @param {number} fallback @param {number} min @param {number} [max] @returns {Param} */
export function whole(fallback, min, max = 2 ** 31 - 1) {
  return { fallback, allows: value => Number.isInteger(value) && isWithin(value, { min, max }), expected: `a whole number from ${min} to ${max}` };
}

/** @param {boolean} fallback @returns {Param} */
export function bool(fallback) {
  return { fallback, allows: value => typeof value === 'boolean', expected: 'true or false' };
}

/** One of some names; the first is the default. @param {...string} names @returns {Param} */
export function oneOf(...names) {
  return { fallback: names[0], allows: value => names.includes(/** @type {string} */ (value)), expected: `one of ${names.join(', ')}`, names };
}

/** A non-empty list of what another parameter would take. @param {readonly unknown[]} fallback @param {Param} one @returns {Param} */
export function list(fallback, one) {
  return { fallback, allows: value => Array.isArray(value) && value.length > 0 && value.every(one.allows), expected: `a non-empty array, each ${one.expected}` };
}

/** The same or null, which is the default. @param {Param} param @param {string} meaning of null @returns {Param} */
export function orNull(param, meaning) {
  return { ...param, fallback: null, allows: value => value === null || param.allows(value), expected: `${param.expected}, or null: ${meaning}` };
}

/** The seed of all that is random. */
export const seed = orNull({ fallback: null, allows: value => Number.isSafeInteger(value) && Number(value) >= 0, expected: 'a whole number from 0 to 2^53 - 1' },
  'that of init, or a random one');

/**
 * All parameters, the given ones checked.
 * @param {ParamTable} table
 * @param {unknown} given
 * @param {Record<string, unknown>} old values of those that are not given
 * @param {string} where
 * @returns {Record<string, unknown>}
 */
export function readParams(table, given, old, where) {
  checkOptions(given, Object.keys(table), where);
  const values = { ...old };
  for (const [name, value] of Object.entries(given ?? {})) {
    const { allows, expected, names } = table[name];
    if (value === undefined) continue;
    if (!allows(value)) {
      const shown = ['object', 'function'].includes(typeof value) && !Array.isArray(value) ? kindOf(value) : JSON.stringify(value);
      throw new HeddleError('argument', `${where}: ${name} = ${shown ?? String(value)}${names && typeof value === 'string' ? suggest(value, names) : `, expected ${expected}`}`);
    }
    values[name] = structuredClone(value);
  }
  return values;
}

/** @param {ParamTable} table @returns {Record<string, unknown>} */
export const defaultParams = table => Object.fromEntries(Object.entries(table).map(([name, { fallback }]) => [name, fallback]));
