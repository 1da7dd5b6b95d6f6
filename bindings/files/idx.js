/** The IDX format of the MNIST files: two zero bytes, type code, rank, u32 sizes, data; all numbers big-endian. */
import { HeddleError, kindOf } from '../errors.js';
import { allocate, elementCount, elements, swapped, toBytes } from './bytes.js';
import { gunzipAs, isGzip } from './gzip.js';

/** @import { NumberArrayType } from './bytes.js' */
/** @typedef {Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array} IdxData an array for each type of the format */

/** @type {ReadonlyMap<number, NumberArrayType<IdxData>>} */
const types = new Map(/** @type {[number, NumberArrayType<IdxData>][]} */ ([
  [0x08, Uint8Array], [0x09, Int8Array], [0x0b, Int16Array], [0x0c, Int32Array], [0x0d, Float32Array], [0x0e, Float64Array],
]));

/** @param {number} n */
const hex = n => `0x${n.toString(16).padStart(2, '0')}`;

/** @param {string} message @returns {never} */
function refuse(message) {
  throw new HeddleError('file', `idx: ${message}`);
}

/** @param {Uint8Array} bytes at least the header, which has up to 1024 of them */
function readHeader(bytes) {
  if (bytes.length < 4) refuse(`the file has ${bytes.length} bytes, expected at least the 4 of the magic number`);
  const [zero0, zero1, code, rank] = bytes;
  if (zero0 || zero1) refuse(`the file begins with ${hex(zero0)} ${hex(zero1)}, expected two zero bytes`);
  const Type = types.get(code);
  if (!Type) return refuse(`unknown type code ${hex(code)}, expected one of ${[...types.keys()].map(hex).join(', ')}`);
  if (rank === 0) refuse('the file says it has 0 dimensions, expected at least 1');
  const start = 4 + 4 * rank;
  if (bytes.length < start) refuse(`the file ends within the ${rank} dimension sizes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const count = shape.reduce((product, size) => product * size, 1);
  return { Type, shape, count, start, expected: count * Type.BYTES_PER_ELEMENT };
}

/**
 * Reads an IDX file, packed with gzip or not.
 * @param {Uint8Array | ArrayBuffer} input the whole file
 * @param {{ maxBytes?: number }} [options] of `gunzip`, for packed files
 * @returns {Promise<{ data: IdxData, shape: number[] }>} data may be a view into `input`
 * @throws {HeddleError} `file` if it is malformed, with too few or too many bytes
 */
export async function readIdx(input, options) {
  let bytes = toBytes(input, 'readIdx');
  if (isGzip(bytes)) {
    bytes = await gunzipAs(bytes, options, head => {
      const { start, expected } = readHeader(head);
      return start + expected;
    });
  }
  const { Type, shape, count, start, expected } = readHeader(bytes), found = bytes.length - start;
  if (found !== expected) {
    refuse(`[${shape}] of ${Type.name} takes ${expected} bytes, but ${found} follow the header: `
      + (found < expected ? 'the file is cut short' : 'the file has extra bytes'));
  }
  const width = Type.BYTES_PER_ELEMENT;
  const body = width === 1 ? bytes.subarray(start) : swapped(bytes.subarray(start), width, 'readIdx');
  return { data: elements(Type, body, 0, count), shape };
}

/**
 * Writes an IDX file, not packed.
 * @param {{ data: IdxData, shape: number[] }} array of rank 1..255, each size below 2^32
 * @returns {Uint8Array<ArrayBuffer>}
 * @throws {HeddleError} `argument` or `shape`
 */
export function writeIdx({ data, shape }) {
  const code = [...types].find(([, Type]) => Type.name === data?.constructor.name)?.[0];
  if (code === undefined) {
    const known = [...types.values()].map(Type => Type.name).join(', ');
    throw new HeddleError('argument', `writeIdx: data must be one of ${known}, got ${kindOf(data)}`);
  }
  const count = elementCount(shape, 'writeIdx');
  if (count !== data.length) {
    throw new HeddleError('shape', `writeIdx: shape [${shape}] holds ${count} elements, data has ${data.length}`);
  }
  if (shape.length < 1 || shape.length > 255 || shape.some(size => size >= 2 ** 32)) {
    throw new HeddleError('shape', `writeIdx: shape [${shape}] needs 1 to 255 sizes below 2^32`);
  }
  const start = 4 + 4 * shape.length;
  const out = allocate(start + data.byteLength, 'writeIdx');
  out.set([0, 0, code, shape.length]);
  const view = new DataView(out.buffer);
  shape.forEach((size, axis) => view.setUint32(4 + 4 * axis, size));
  out.set(swapped(toBytes(data, 'writeIdx'), data.BYTES_PER_ELEMENT, 'writeIdx'), start);
  return out;
}
