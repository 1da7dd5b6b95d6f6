/** Tables as CSV (RFC 4180): fields between separators, in double quotes where they hold separators, quotes or line ends. */
import { HeddleError, checkOptions, kindOf } from '../errors.js';
import { toBytes, unshared } from './bytes.js';
import { gunzip, isGzip } from './gzip.js';

/**
 * @typedef {object} CsvTable
 * @property {string[]} names of the columns: as in the file, else "column 1", "column 2" ...
 * @property {(Float64Array | string[])[]} columns in the order of names: numbers where all its fields are numbers or empty
 *   (empty ones are NaN) and one is not empty, else the texts
 * @property {number} rows length of each column, the header not counted
 */
/** @typedef {{ line: number, fields: string[] }} CsvRecord line: where it begins, from 1 */

const separators = [',', ';', '\t', '|'];
/** As decimal numbers are written by programs; Number() takes more, such as 0x1f or Infinity. */
const number = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** @param {string} message @returns {never} */
function refuse(message) {
  throw new HeddleError('file', `csv: ${message}`);
}

/** @param {Uint8Array} bytes @returns {string} */
function decoded(bytes) {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) refuse('the text is UTF-16, expected UTF-8');
  if (bytes.subarray(0, 4096).includes(0)) refuse('this is no text: there are zero bytes in it');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(unshared(bytes));
  } catch (cause) {
    throw new HeddleError('file', 'csv: the text is not valid UTF-8', { cause });
  }
}

/** The index of the first line end at or after `from`, or the length. @param {string} text @param {number} from */
function lineEnd(text, from) {
  const feed = text.indexOf('\n', from), end = feed < 0 ? text.length : feed;
  return end > from && text[end - 1] === '\r' ? end - 1 : end;
}

/**
 * One record whose fields have quotes.
 * @param {string} text
 * @param {number} begin of the record
 * @param {{ separator: string, line: number }} about
 * @returns {{ fields: string[], end: number }} end: where its line ends
 */
function quotedRecord(text, begin, { separator, line }) {
  const fields = [];
  let from = begin, row = text.slice(from, lineEnd(text, from)); // the line that `at` is in, searched for itself: the rest may be long
  for (let at = begin; ;) {
    let value = '';
    if (text[at] === '"') {
      const parts = [];
      for (let next = at + 1; ;) {
        const close = text.indexOf('"', next);
        if (close < 0) refuse(`line ${line + lines(text, begin, at)}: the quote of field ${fields.length + 1} is never closed`);
        parts.push(text.slice(next, close));
        next = at = close + 1;
        if (text[close + 1] !== '"') break;
        next++; // "" in quotes is one quote
      }
      value = parts.join('"');
    } else {
      const stop = row.indexOf(separator, at - from);
      value = row.slice(at - from, stop < 0 ? row.length : stop);
      at += value.length;
    }
    if (at > from + row.length) [from, row] = [at, text.slice(at, lineEnd(text, at))]; // there were line ends in quotes
    fields.push(value);
    if (text[at] === separator) at++;
    else if (at === from + row.length) return { fields, end: at };
    else refuse(`line ${line + lines(text, begin, at)}: after the closing quote of field ${fields.length} comes "${text[at]}", expected "${separator}"`);
  }
}

/** Line feeds between two places. @param {string} text @param {number} begin @param {number} end */
const lines = (text, begin, end) => text.slice(begin, end).split('\n').length - 1;

/** The records of a text; empty lines are none. @param {string} text @param {string} separator @returns {Generator<CsvRecord>} */
export function* records(text, separator) {
  for (let begin = 0, line = 1; begin < text.length;) {
    const plain = text.slice(begin, lineEnd(text, begin)), isPlain = !plain.includes('"');
    const { fields, end } = isPlain ? { fields: plain.split(separator), end: begin + plain.length }
      : quotedRecord(text, begin, { separator, line });
    if (plain !== '') yield { line, fields };
    line += isPlain ? 1 : 1 + lines(text, begin, end);
    begin = end + (text[end] === '\r' ? 2 : 1);
  }
}

/** What the first line has most of, outside quotes. @param {string} text */
export function likelySeparator(text) {
  const first = text.slice(0, lineEnd(text, 0)).replace(/"[^"]*"?/g, '');
  const counts = separators.map(one => first.split(one).length);
  return separators[counts.indexOf(Math.max(...counts))];
}

/**
 * Counts rows and says which columns are numbers.
 * @param {string} text
 * @param {string} separator
 * @param {boolean | undefined} asked
 */
function survey(text, separator, asked) {
  /** @type {string[] | null} */
  let names = null;
  let width = 0, rows = 0, hasHeader = asked, isNumber = /** @type {boolean[]} */ ([]), isEmpty = /** @type {boolean[]} */ ([]);
  for (const { line, fields } of records(text, separator)) {
    if (width === 0) {
      width = fields.length;
      hasHeader ??= !fields.every(field => number.test(field.trim()));
      [isNumber, isEmpty] = [Array(width).fill(true), Array(width).fill(true)];
      names = fields.map((field, i) => (hasHeader && field.trim()) || `column ${i + 1}`);
      if (hasHeader) continue;
    }
    if (fields.length !== width) {
      refuse(`line ${line} has ${fields.length} field${fields.length === 1 ? '' : 's'}, expected ${width} as in the first line; `
        + `fields are separated by "${separator === '\t' ? 'tab' : separator}"`);
    }
    for (let i = 0; i < width; i++) {
      const field = fields[i].trim();
      if (field === '') continue;
      isEmpty[i] = false;
      isNumber[i] &&= number.test(field);
    }
    rows++;
  }
  if (!names) return refuse('the file is empty');
  if (rows === 0) refuse('there is a header, but no row below it');
  return { names, rows, hasHeader, isNumber: isNumber.map((is, i) => is && !isEmpty[i]) };
}

/**
 * The text of a file, with line feeds, without a byte order mark.
 * @param {string | Uint8Array | ArrayBuffer} input
 * @param {string} where
 */
export async function textOf(input, where) {
  let text = input;
  if (typeof text !== 'string') {
    const bytes = toBytes(text, where);
    text = decoded(isGzip(bytes) ? await gunzip(bytes) : bytes);
  }
  if (text.startsWith('\ufeff')) text = text.slice(1);
  return text.includes('\n') ? text : text.replaceAll('\r', '\n'); // as old Macs wrote
}

/**
 * Reads a table. Columns of numbers come as numbers.
 * @param {string | Uint8Array | ArrayBuffer} input the whole file: UTF-8, packed with gzip or not; or its text
 * @param {{ separator?: string, header?: boolean }} [options] separator: one character; unless told, the one of , ; tab | that the first line
 *   has most of. header: whether the first line holds names; unless told, it does if not all of it are numbers
 * @returns {Promise<CsvTable>}
 * @throws {HeddleError} `file` if it is not text, empty, cut short within quotes, or a line has more or fewer fields than the first one
 */
export async function readCsv(input, options) {
  checkOptions(options, ['separator', 'header'], 'readCsv');
  const { separator: given, header } = options ?? {};
  if (given !== undefined && (typeof given !== 'string' || given.length !== 1 || /["\r\n]/.test(given))) {
    throw new HeddleError('argument', `readCsv: separator = ${JSON.stringify(given)}, expected one character, no quote or line end`);
  }
  if (header !== undefined && typeof header !== 'boolean') {
    throw new HeddleError('argument', `readCsv: header: expected true or false, got ${kindOf(header)}`);
  }
  const text = await textOf(input, 'readCsv');
  const separator = given ?? likelySeparator(text), { names, rows, hasHeader, isNumber } = survey(text, separator, header);
  const columns = isNumber.map(is => (is ? new Float64Array(rows) : /** @type {string[]} */ (Array(rows))));
  let row = hasHeader ? -1 : 0;
  for (const { fields } of records(text, separator)) {
    if (row >= 0) columns.forEach((column, i) => { column[row] = isNumber[i] ? toNumber(fields[i]) : fields[i]; });
    row++;
  }
  return { names, columns, rows };
}

/** @param {string} field */
function toNumber(field) {
  const trimmed = field.trim();
  return trimmed === '' ? NaN : Number(trimmed);
}
