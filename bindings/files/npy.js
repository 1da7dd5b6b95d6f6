/** NumPy's .npy format, versions 1 to 3: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
import { HeddleError, kindOf } from '../errors.js';
import { allocate, elementCount, elements, halfToFloat32, swapped, toBytes, unshared } from './bytes.js';

/** @import { NumberArray, NumberArrayType } from './bytes.js' */
/** @typedef {string | boolean | number | Literal[]} Literal a tuple is an array here */

/** NumPy's kind and width to our array type; f2 is widened to Float32Array afterwards.
 * @type {ReadonlyMap<string, NumberArrayType>} */
const types = new Map(/** @type {[string, NumberArrayType][]} */ ([
  ['f4', Float32Array], ['f8', Float64Array], ['i1', Int8Array], ['u1', Uint8Array], ['i2', Int16Array],
  ['u2', Uint16Array], ['i4', Int32Array], ['u4', Uint32Array], ['i8', BigInt64Array], ['u8', BigUint64Array],
  ['b1', Uint8Array], ['f2', Uint16Array],
]));

/** @param {string} message @returns {never} */
function refuse(message) {
  throw new HeddleError('file', `npy: ${message}`);
}

/** @param {Uint8Array} bytes @returns {{ header: string, start: number }} */
function readPreamble(bytes) {
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
  if (!magic.every((byte, i) => bytes[i] === byte)) refuse('the file does not begin with the magic bytes \\x93NUMPY');
  const major = bytes[6], minor = bytes[7], lengthBytes = major === 1 ? 2 : 4, begin = 8 + lengthBytes;
  if (bytes.length < begin) refuse(`the file ends within its preamble, after ${bytes.length} bytes`);
  if (major < 1 || major > 3 || minor !== 0) refuse(`version ${major}.${minor}, expected 1.0, 2.0 or 3.0`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (begin + length > bytes.length) {
    refuse(`header length ${length} runs past the end of the file (${bytes.length} bytes)`);
  }
  const decoder = new TextDecoder(major === 3 ? 'utf-8' : 'latin1', { fatal: true });
  try {
    return { header: decoder.decode(unshared(bytes.subarray(begin, begin + length))), start: begin + length };
  } catch {
    return refuse('the header is not valid UTF-8');
  }
}

/** Reads the few Python literals a header may hold; nothing is evaluated. */
class LiteralReader {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  /** @returns {never} */
  fail() {
    return refuse(`cannot read the header at character ${this.at}: ${JSON.stringify(this.text.slice(this.at, this.at + 24))}`);
  }

  /** @param {RegExp} pattern sticky @returns {string | undefined} */
  take(pattern) {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (!match) return undefined;
    this.at = pattern.lastIndex;
    return match[0].trim();
  }

  /** @param {number} depth @returns {Literal} */
  value(depth = 0) {
    const string = this.take(/\s*(?:'[^'\\\n]*'|"[^"\\\n]*")/y);
    if (string !== undefined) return string.slice(1, -1);
    const word = this.take(/\s*(?:True|False)\b/y);
    if (word) return word === 'True';
    const digits = this.take(/\s*\d+L?\b/y); // Python 2 wrote long integers as 3L
    if (digits) return Number(digits.replace('L', ''));
    const open = this.take(/\s*[([]/y);
    if (!open || depth > 8) return this.fail();
    return this.sequence(open === '(' ? /\s*\)/y : /\s*\]/y, () => this.value(depth + 1));
  }

  /** Items separated by commas, a last comma allowed. @template T @param {RegExp} close @param {() => T} item */
  sequence(close, item) {
    const items = [];
    for (let more = true; !this.take(close); more = this.take(/\s*,/y) !== undefined) {
      if (!more) this.fail();
      items.push(item());
    }
    return items;
  }

  /** @returns {Map<string, Literal>} */
  dictionary() {
    if (!this.take(/\s*\{/y)) this.fail();
    const map = new Map();
    this.sequence(/\s*\}/y, () => {
      const key = this.value();
      if (typeof key !== 'string' || !this.take(/\s*:/y)) return this.fail();
      if (map.has(key)) refuse(`the header has the key '${key}' twice`);
      map.set(key, this.value());
    });
    if (this.text.slice(this.at).trim() !== '') this.fail();
    return map;
  }
}

/** @param {string} header */
function readFields(header) {
  const fields = new LiteralReader(header).dictionary();
  const found = [...fields.keys()].sort().join(', ');
  if (found !== 'descr, fortran_order, shape') {
    refuse(`the header has the keys ${found || '(none)'}, expected descr, fortran_order, shape`);
  }
  const descr = fields.get('descr'), fortran = fields.get('fortran_order'), shape = fields.get('shape');
  if (typeof fortran !== 'boolean') return refuse('fortran_order must be True or False');
  if (!Array.isArray(shape) || !shape.every(size => Number.isSafeInteger(size))) {
    return refuse(`shape must be a tuple of whole numbers, found ${JSON.stringify(shape)}`);
  }
  const [, order, code] = (typeof descr === 'string' && /^([<>|=]?)([a-zA-Z]\d+)$/.exec(descr)) || [];
  const Type = types.get(code);
  if (!Type) {
    const known = [...types.keys()].join(', ');
    throw new HeddleError('unsupported', `npy: dtype ${JSON.stringify(descr)} is not supported, expected one of ${known}`);
  }
  return { order, code, Type, fortran, shape: /** @type {number[]} */ (shape) };
}

/**
 * Column-major to row-major order.
 * @template {NumberArray} T
 * @param {T} data
 * @param {number[]} shape
 * @returns {T}
 */
function rowMajor(data, shape) {
  const out = data.slice(), index = shape.map(() => 0), strides = /** @type {number[]} */ ([]);
  shape.reduce((stride, size) => (strides.push(stride), stride * size), 1);
  for (let i = 0, from = 0; i < data.length; i++) {
    out[i] = data[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) { // an odometer over the row-major index
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return /** @type {T} */ (out);
}

/**
 * Reads a .npy file of plain numbers or booleans, of either byte order; Fortran order is changed to C order.
 * @param {Uint8Array | ArrayBuffer} input the whole file
 * @returns {{ data: NumberArray, shape: number[] }} row-major; float16 as Float32Array, booleans as Uint8Array, 64-bit
 *   integers as BigInt arrays. data may be a view into `input`
 * @throws {HeddleError} `file` if it is malformed, `unsupported` for strings, objects, complex numbers, records
 */
export function readNpy(input) {
  const bytes = toBytes(input, 'readNpy');
  const { header, start } = readPreamble(bytes);
  const { order, code, Type, fortran, shape } = readFields(header);
  const width = Type.BYTES_PER_ELEMENT;
  if (width > 1 && order === '|') refuse(`dtype '|${code}' has no byte order, expected '<' or '>'`);
  const count = shape.reduce((product, size) => product * size, 1);
  const expected = count * width, found = bytes.length - start;
  if (found !== expected) {
    refuse(`(${shape}) of ${code} takes ${expected} bytes, but ${found} follow the header: `
      + (found < expected ? 'the file is cut short' : 'the file has extra bytes'));
  }
  const body = order === '>' ? swapped(bytes.subarray(start), width, 'readNpy') : bytes.subarray(start);
  const stored = elements(Type, body, 0, count);
  const values = code === 'f2' ? halfToFloat32(/** @type {Uint16Array} */ (stored)) : stored;
  return { data: fortran ? rowMajor(values, shape) : values, shape };
}

/**
 * Writes a .npy file, version 1.0, byte for byte as numpy.save does.
 * @param {{ data: NumberArray, shape: number[] }} array row-major
 * @returns {Uint8Array<ArrayBuffer>}
 * @throws {HeddleError} `argument` or `shape`
 */
export function writeNpy({ data, shape }) {
  const code = [...types].find(([, Type]) => Type.name === data?.constructor.name)?.[0];
  if (!code) throw new HeddleError('argument', `writeNpy: data must be a typed array, got ${kindOf(data)}`);
  const count = elementCount(shape, 'writeNpy');
  if (count !== data.length) {
    throw new HeddleError('shape', `writeNpy: shape [${shape}] holds ${count} elements, data has ${data.length}`);
  }
  if (shape.length > 32) throw new HeddleError('shape', `writeNpy: NumPy takes at most 32 dimensions, got ${shape.length}`);
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const order = data.BYTES_PER_ELEMENT === 1 ? '|' : '<';
  // NumPy leaves room for the first size to grow to 21 digits, then pads to a multiple of 64 with a line feed at the end
  const spare = shape.length ? 21 - String(shape[0]).length : 0;
  const header = `{'descr': '${order}${code}', 'fortran_order': False, 'shape': ${tuple}, }${' '.repeat(spare)}`;
  const start = Math.ceil((10 + header.length + 1) / 64) * 64;
  const out = allocate(start + data.byteLength, 'writeNpy');
  out.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, (start - 10) & 255, (start - 10) >> 8]);
  out.set(new TextEncoder().encode(`${header.padEnd(start - 11)}\n`), 10);
  out.set(toBytes(data, 'writeNpy'), start);
  return out;
}
