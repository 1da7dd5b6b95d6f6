// How a row of a table becomes numbers: columns of numbers are standardised, of words one-hot.
import { HeddleError } from 'heddle';

/** @typedef {import('heddle/files').CsvTable} CsvTable */
/** @typedef {{ name: string, mean: number, scale: number } | { name: string, values: string[] }} Code of a column: numbers, or words */

const mostWords = 32, mostClasses = 64;
/** @param {string} message */
const refuse = (message) => new HeddleError('file', message);
/** A field as text. @param {number | string} field */
export const textOf = (field) => (typeof field === 'number' ? (Number.isNaN(field) ? '' : String(field)) : field.trim());
const inOrder = new Intl.Collator('en', { numeric: true }).compare;

/** Different texts of a column, without none, in order. @param {Float64Array | string[]} column @param {Iterable<number>} rows */
export function wordsOf(column, rows) {
  const words = new Set();
  for (const row of rows) words.add(textOf(column[row]));
  words.delete('');
  return [...words].sort(inOrder);
}

/** The classes that a column names. @param {CsvTable} table @param {string} target */
export function classesOf({ names, columns, rows }, target) {
  const column = columns[names.indexOf(target)], classes = wordsOf(column, Array(rows).keys());
  if (classes.length < 2) throw refuse(`Column "${target}" holds ${classes.length === 1 ? `"${classes[0]}" only` : 'nothing'}: expected 2 classes or more.`);
  if (classes.length > mostClasses) {
    throw refuse(`Column "${target}" holds ${classes.length.toLocaleString('en')} different values. It can't be what to predict: expected 2 to ${mostClasses} classes. `
      + 'Choose another column.');
  }
  return classes;
}

/** @param {CsvTable} table @param {number} i @param {number[]} rows @returns {Code | null} null: too many words, or all rows the same */
function codeOf({ names, columns }, i, rows) {
  const column = columns[i], name = names[i];
  if (Array.isArray(column)) {
    const values = wordsOf(column, rows);
    return values.length > 1 && values.length <= mostWords ? { name, values } : null;
  }
  let count = 0, sum = 0, squares = 0;
  for (const row of rows) {
    if (Number.isNaN(column[row])) continue;
    count++;
    sum += column[row];
  }
  const mean = sum / count;
  for (const row of rows) if (!Number.isNaN(column[row])) squares += (column[row] - mean) ** 2;
  const deviation = Math.sqrt(squares / count);
  return deviation > 1e-12 * Math.abs(mean) && Number.isFinite(deviation) ? { name, mean, scale: 1 / deviation } : null;
}

export class Encoder {
  /** @param {{ target: string, classes: string[], codes: Code[] }} about as toJSON gives it */
  constructor({ target, classes, codes }) {
    const isCode = (code) => typeof code?.name === 'string' && (Array.isArray(code.values) || (Number.isFinite(code.mean) && Number.isFinite(code.scale)));
    if (typeof target !== 'string' || !Array.isArray(classes) || !Array.isArray(codes) || !codes.every(isCode)) {
      throw refuse('The description of its columns is damaged.');
    }
    Object.assign(this, { target, classes, codes, features: codes.reduce((sum, { values }) => sum + (values?.length ?? 1), 0) });
  }

  /** Learns means and words. @param {CsvTable} table @param {string} target @param {number[]} rows to learn from */
  static of(table, target, rows) {
    const codes = table.names.map((name, i) => (name === target ? null : codeOf(table, i, rows))).filter(Boolean);
    if (codes.length === 0) throw refuse(`No column but "${target}" says anything: expected numbers, or words of which there are at most ${mostWords}.`);
    return new Encoder({ target, classes: classesOf(table, target), codes });
  }

  toJSON() {
    return { target: this.target, classes: this.classes, codes: this.codes };
  }

  /** Names of the columns that count. */
  get names() {
    return this.codes.map(({ name }) => name);
  }

  /**
   * Writes one row. What is missing is the mean of numbers, and no word.
   * @param {(number | string)[]} fields in the order of names
   * @param {Float32Array} out [features]
   */
  encode(fields, out) {
    let at = 0;
    for (const [i, { name, mean, scale, values }] of this.codes.entries()) {
      const text = textOf(fields[i]);
      if (!values) {
        const number = text === '' ? mean : Number(text);
        if (!Number.isFinite(number)) throw refuse(`${name}: expected a number, got "${text}".`);
        out[at++] = (number - mean) * scale;
        continue;
      }
      const place = values.indexOf(text);
      if (text !== '' && place < 0) throw refuse(`${name}: "${text}" is new here; expected ${values.slice(0, 8).join(', ')}${values.length > 8 ? ' ...' : ''}.`);
      out.fill(0, at, at + values.length);
      if (place >= 0) out[at + place] = 1;
      at += values.length;
    }
  }
}
