/** MAT-files of level 5 (MATLAB's save -v6 and -v7; "MAT-File Format", The MathWorks): tagged elements, some packed by zlib, padded to 8 bytes. */
import { HeddleError } from '../errors.js';
import { toBytes } from './bytes.js';
import { unpack } from './gzip.js';

/**
 * A variable, or an element of a cell array.
 * @typedef {object} MatValue
 * @property {number[]} shape two or more sizes, rows first; of text [rows, characters]
 * @property {Float64Array | string[] | MatValue[]} data numbers in column-major order, whatever type they were; a text for each row of characters; or
 *   the elements of a cell array, in column-major order
 */
/** @typedef {{ type: number, bytes: Uint8Array, next: number }} Element next: where the following one begins */

const [matrix, compressed] = [14, 15], [cell, text, firstNumber] = [1, 4, 6];
/** Names of classes that are not read. @type {{ [type: number]: string }} */
const unread = { 2: 'a struct', 3: 'an object', 5: 'a sparse matrix', 14: 'an int64', 15: 'a uint64', 16: 'a function', 17: 'an object' };
/** Bytes of a number of each storage type, and how to read it.
 * @type {{ [type: number]: [number, (view: DataView, at: number, little: boolean) => number] }} */
const readers = {
  1: [1, (view, at) => view.getInt8(at)], 2: [1, (view, at) => view.getUint8(at)],
  3: [2, (view, at, little) => view.getInt16(at, little)], 4: [2, (view, at, little) => view.getUint16(at, little)],
  5: [4, (view, at, little) => view.getInt32(at, little)], 6: [4, (view, at, little) => view.getUint32(at, little)],
  7: [4, (view, at, little) => view.getFloat32(at, little)], 9: [8, (view, at, little) => view.getFloat64(at, little)],
  16: [1, (view, at) => view.getUint8(at)], 17: [2, (view, at, little) => view.getUint16(at, little)],
};
const deepest = 32;

/** @param {string} message @returns {never} */
function refuse(message) {
  throw new HeddleError('file', `mat: ${message}`);
}

const viewOf = (/** @type {Uint8Array} */ bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** One element, whose tag takes 8 bytes, or 4 with up to 4 bytes of data behind it.
 * @param {Uint8Array} bytes @param {number} at @param {boolean} little @returns {Element} */
function readElement(bytes, at, little) {
  if (at + 8 > bytes.length) refuse(`the file is cut short: an element begins ${bytes.length - at} bytes before its end`);
  const view = viewOf(bytes), first = view.getUint32(at, little), small = first >>> 16;
  const [type, length, begin] = small ? [first & 0xffff, small, at + 4] : [first, view.getUint32(at + 4, little), at + 8];
  if (small > 4 || begin + length > bytes.length) refuse(`an element says it has ${length} bytes, ${bytes.length - begin} are left`);
  const end = begin + length;
  return { type, bytes: bytes.subarray(begin, end), next: small ? at + 8 : type === compressed ? end : end + (-length & 7) };
}

/** @param {Element} element @param {boolean} little @param {string} name */
function numbers({ type, bytes }, little, name) {
  if (!Object.hasOwn(readers, type)) return refuse(`"${name}": numbers are stored as unknown type ${type}`);
  const [width, read] = readers[type], view = viewOf(bytes);
  if (bytes.length % width) refuse(`"${name}": ${bytes.length} bytes are no whole number of elements of ${width}`);
  return Float64Array.from({ length: bytes.length / width }, (_, i) => read(view, i * width, little));
}

/** Rows of a column-major array of characters. @param {Element} element @param {number[]} shape @param {boolean} little @param {string} name */
function texts(element, shape, little, name) {
  const rows = shape[0], codes = element.type === 16 // UTF-8, where a character may take several bytes
    ? Array.from(new TextDecoder().decode(element.bytes.slice()), char => /** @type {number} */ (char.codePointAt(0)))
    : Array.from(numbers(element, little, name));
  const count = shape.reduce((product, size) => product * size, 1);
  if (codes.length !== count) refuse(`"${name}": ${codes.length} characters for a shape of [${shape}]`);
  const wrong = codes.find(code => !(Number.isInteger(code) && code >= 0 && code <= 0x10ffff));
  if (wrong !== undefined) refuse(`"${name}": ${wrong} is no character`);
  const lines = Array.from({ length: count ? rows : 0 }, () => /** @type {string[]} */ ([]));
  codes.forEach((code, i) => lines[i % rows].push(String.fromCodePoint(code)));
  return lines.map(line => line.join(''));
}

/** A matrix element: flags, shape, name, and what its class holds. @param {Uint8Array} bytes @param {boolean} little @param {number} depth
 * @returns {{ name: string, value: MatValue }} */
function readMatrix(bytes, little, depth) {
  if (depth > deepest) refuse(`cells are nested deeper than ${deepest} levels`);
  if (bytes.length === 0) return { name: '', value: { shape: [0, 0], data: new Float64Array(0) } }; // an empty cell
  const flags = readElement(bytes, 0, little), sizes = readElement(bytes, flags.next, little), label = readElement(bytes, sizes.next, little);
  if (flags.bytes.length < 8) refuse('a variable has no flags');
  const word = viewOf(flags.bytes).getUint32(0, little), kind = word & 0xff, name = String.fromCharCode(...label.bytes.subarray(0, 63));
  const shape = [...numbers(sizes, little, name)], count = shape.reduce((product, size) => product * size, 1);
  if (shape.length < 2 || shape.some(size => !(Number.isInteger(size) && size >= 0)) || !Number.isSafeInteger(count)) refuse(`"${name}": impossible shape [${shape}]`);
  if (kind === cell) {
    const data = /** @type {MatValue[]} */ ([]);
    for (let at = label.next; data.length < count;) {
      const part = readElement(bytes, at, little);
      if (part.type !== matrix) refuse(`"${name}": a cell holds type ${part.type}, expected a matrix`);
      data.push(readMatrix(part.bytes, little, depth + 1).value);
      at = part.next;
    }
    return { name, value: { shape, data } };
  }
  if (kind in unread || kind < 1 || kind > 17) {
    throw new HeddleError('unsupported', `mat: "${name}" is ${unread[kind] ?? `of class ${kind}`}, expected numbers, text or a cell array`);
  }
  const part = readElement(bytes, label.next, little);
  if (kind === text) return { name, value: { shape, data: texts(part, shape, little, name) } };
  if (kind < firstNumber || word & 0x800) throw new HeddleError('unsupported', `mat: "${name}" has complex numbers, expected real ones`);
  const data = numbers(part, little, name);
  if (data.length !== count) refuse(`"${name}": ${data.length} numbers for a shape of [${shape}]`);
  return { name, value: { shape, data } };
}

/** Little-endian? @param {Uint8Array} bytes */
function byteOrder(bytes) {
  if (bytes.length >= 128 && bytes[126] === 0x49 && bytes[127] === 0x4d) return true;
  if (bytes.length >= 128 && bytes[126] === 0x4d && bytes[127] === 0x49) return false;
  return refuse('this is no MAT-file of level 5: its header is missing');
}

/**
 * Reads the variables of a MAT-file: real numbers, characters and cell arrays.
 * @param {Uint8Array | ArrayBuffer} input the whole file
 * @param {{ maxBytes?: number }} [options] maxBytes: refuse a variable that unpacks to more, 1 GiB unless told
 * @returns {Promise<Map<string, MatValue>>} by name
 * @throws {HeddleError} `file` if it is damaged, cut short or another format; `unsupported` for structs, sparse and complex matrices, and
 *   files of version 7.3
 */
export async function readMat(input, { maxBytes = 2 ** 30 } = {}) {
  const bytes = toBytes(input, 'readMat');
  const is73 = String.fromCharCode(...bytes.subarray(0, 10)) === 'MATLAB 7.3';
  if (is73) throw new HeddleError('unsupported', 'mat: the file is of version 7.3; save it with -v7');
  const little = byteOrder(bytes), variables = new Map();
  for (let at = 128; at < bytes.length;) {
    const element = readElement(bytes, at, little);
    const inner = element.type === compressed ? readElement(await unpack(element.bytes, 'deflate', maxBytes), 0, little) : element;
    if (inner.type !== matrix) refuse(`an element of type ${inner.type} where a variable should begin`);
    const { name, value } = readMatrix(inner.bytes, little, 0);
    variables.set(name, value);
    at = element.next;
  }
  return variables;
}

/** @param {Uint8Array} bytes */
export const isMat = bytes => String.fromCharCode(...bytes.subarray(0, 6)) === 'MATLAB';
