/** Tables of ratings as rows of texts, each with the place it came from: CSV, TSV, JSON or MAT-files. */
import { HeddleError } from '../errors.js';
import { likelySeparator, records, textOf } from '../files/csv.js';
import { parseStrictJson } from '../files/json.js';
import { isMat, readMat } from '../files/mat.js';

/** @import { MatValue } from '../files/mat.js' */

/** @typedef {{ place: string, fields: string[] }} Row place: "line 3" or "entry 3", for messages */
/** @typedef {{ names: string[], rows: Row[] }} Table */

/** As programs write decimal numbers: no hexadecimal, no Infinity. */
export const decimal = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** @param {string} message @returns {never} */
function refuse(message) {
  throw new HeddleError('file', `ratings: ${message}`);
}

/** @param {string} text @param {string} separator @returns {Table} */
function fromCsv(text, separator) {
  /** @type {string[] | undefined} */
  let names;
  const rows = [];
  for (const { line, fields } of records(text, separator)) {
    const trimmed = fields.map(field => field.trim());
    if (!names) {
      const isHeader = !trimmed.some(field => decimal.test(field)); // every row of ratings has a number in it
      names = trimmed.map((field, i) => (isHeader && field) || `column ${i + 1}`);
      if (isHeader) continue;
    }
    if (trimmed.length !== names.length) {
      refuse(`line ${line} has ${trimmed.length} field${trimmed.length === 1 ? '' : 's'}, expected ${names.length} as in the first line; `
        + `fields are separated by "${separator === '\t' ? 'tab' : separator}"`);
    }
    rows.push({ place: `line ${line}`, fields: trimmed });
  }
  return names ? { names, rows } : refuse('the file is empty');
}

/** @param {unknown} value @param {string} place @param {string} name of the column @returns {string} */
function textOfValue(value, place, name) {
  if (typeof value === 'string') return value.trim();
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (value === null || value === undefined) return '';
  const kind = value instanceof Map ? 'an object' : Array.isArray(value) ? 'an array' : typeof value;
  return refuse(`${place}: "${name}": expected a text or a number, got ${kind}`);
}

/** Objects of one entry each. @param {unknown[]} list @returns {Table} */
function fromEntries(list) {
  const names = [...new Set(list.flatMap((entry, i) => (entry instanceof Map ? [...entry.keys()]
    : refuse(`entry ${i + 1} is no object, expected such as { "image": "a.jpg", "mos": 3.5 }`))))];
  const given = list.reduce((/** @type {number} */ sum, entry) => sum + /** @type {Map<string, unknown>} */ (entry).size, 0);
  if (names.length * list.length > 16 * given + 1e6) { // a table of them would be larger than memory
    refuse(`${list.length} entries with ${names.length} different names in them, expected about the same names in each`);
  }
  const rows = list.map((entry, i) => {
    const place = `entry ${i + 1}`;
    return { place, fields: names.map(name => textOfValue(/** @type {Map<string, unknown>} */ (entry).get(name), place, name)) };
  });
  return { names, rows };
}

/** { "image": [...], "mos": [...] }. @param {Map<string, unknown>} columns @returns {Table} */
function fromColumns(columns) {
  const names = [...columns.keys()], lists = names.map(name => {
    const list = columns.get(name);
    return Array.isArray(list) ? list : refuse(`"${name}" is no array, as the other columns are`);
  });
  const odd = lists.findIndex(list => list.length !== lists[0].length);
  if (odd > 0) refuse(`column "${names[odd]}" has ${lists[odd].length} entries, "${names[0]}" has ${lists[0].length}`);
  const rows = Array.from(lists[0], (_, i) => {
    const place = `entry ${i + 1}`;
    return { place, fields: lists.map((list, k) => textOfValue(list[i], place, names[k])) };
  });
  return { names, rows };
}

/** @param {string} text @returns {Table} */
function fromJson(text) {
  const root = parseStrictJson(text, 'ratings');
  if (Array.isArray(root)) return fromEntries(root);
  if (!(root instanceof Map)) return refuse('the JSON is neither an array nor an object');
  if ([...root.values()].some(Array.isArray)) return fromColumns(root);
  return { names: ['image', 'score'], rows: [...root].map(([name, score], i) => { // { "a.jpg": 3.5, ... }
    const place = `entry ${i + 1}`;
    return { place, fields: [name.trim(), textOfValue(score, place, name)] };
  }) };
}

/** A variable of a MAT-file as a column of texts; undefined if it is no list of numbers or texts.
 * @param {MatValue} value @returns {string[] | undefined} */
function listOf({ shape, data }) {
  if (shape.length > 2 || Math.min(...shape) > 1 || data.length < 1) return undefined;
  const texts = Array.from(/** @type {ArrayLike<number | string | MatValue>} */ (data), one => {
    let inner = one;
    while (typeof inner === 'object' && inner.data.length === 1) [inner] = inner.data; // a cell within a cell
    return typeof inner === 'object' ? undefined : String(inner).trim();
  });
  return texts.every(one => one !== undefined) ? texts : undefined;
}

/** Variables that are lists; the longest are the table's columns. @param {Uint8Array[]} files @returns {Promise<Table>} */
async function fromMat(files) {
  const columns = /** @type {[string, string[]][]} */ ([]);
  for (const file of files) {
    for (const [name, value] of await readMat(file)) {
      const list = listOf(value);
      if (list) columns.push([name, list]);
    }
  }
  if (!columns.length) return refuse('no variable of the MAT-file is a list of numbers or names');
  const rows = Math.max(...columns.map(([, list]) => list.length)), fitting = columns.filter(([, list]) => list.length === rows);
  const row = (/** @type {number} */ i) => ({ place: `entry ${i + 1}`, fields: fitting.map(([, list]) => list[i]) });
  return { names: fitting.map(([name]) => name), rows: Array.from({ length: rows }, (_, i) => row(i)) };
}

/**
 * @param {(string | Uint8Array)[]} inputs texts, or UTF-8, packed with gzip or not: one, or MAT-files that hold a column or more each
 * @param {'csv' | 'tsv' | 'json' | undefined} format undefined: JSON if the first character is { or [, else CSV by its likely separator
 * @returns {Promise<Table>} fields without the white space around them; without a header, names are "column 1", "column 2" ...
 * @throws {HeddleError} `file`
 */
export async function readRows(inputs, format) {
  const binary = inputs.filter(input => typeof input !== 'string').filter(isMat);
  if (binary.length && binary.length === inputs.length && !format) return fromMat(binary);
  if (inputs.length !== 1) throw new HeddleError('argument', `readRatings: ${inputs.length} sources, expected one, or several MAT-files`);
  const [input] = inputs;
  const text = await textOf(input, 'ratings');
  if (format === 'json' || (!format && /^\s*[[{]/.test(text))) return fromJson(text);
  return fromCsv(text, format === 'tsv' ? '\t' : likelySeparator(text));
}
