import { HeddleError, kindOf } from '../errors.js';

/** @typedef {Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | BigInt64Array
 *   | BigUint64Array | Float32Array | Float64Array} NumberArray typed arrays that files hold */

/** @template {NumberArray} [T=NumberArray]
 * @typedef {{ new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): T,
 *   readonly BYTES_PER_ELEMENT: number, readonly name: string }} NumberArrayType */

/**
 * The bytes of a buffer or of any view, without a copy.
 * @param {unknown} input
 * @param {string} where
 * @returns {Uint8Array}
 */
export function toBytes(input, where) {
  if (input instanceof Uint8Array) return input;
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  const tag = Object.prototype.toString.call(input);
  if (tag === '[object ArrayBuffer]' || tag === '[object SharedArrayBuffer]') {
    return new Uint8Array(/** @type {ArrayBufferLike} */ (input));
  }
  throw new HeddleError('argument', `${where}: expected a Uint8Array or an ArrayBuffer, got ${kindOf(input)}`);
}

/**
 * The same bytes outside shared memory, which TextDecoder, Blob, IndexedDB and OPFS refuse to read.
 * @param {Uint8Array} bytes
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function unshared(bytes) {
  const isPlain = bytes.buffer instanceof ArrayBuffer;
  return /** @type {Uint8Array<ArrayBuffer>} */ (isPlain ? bytes : new Uint8Array(bytes));
}

/**
 * Allocates `length` zero bytes.
 * @param {number} length
 * @param {string} where
 */
export function allocate(length, where) {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new HeddleError('memory', `${where}: no memory for ${length} bytes`, { cause });
  }
}

/**
 * The number of elements of a shape that a caller gave; a scalar's [] holds 1.
 * @param {unknown} shape
 * @param {string} where
 */
export function elementCount(shape, where) {
  if (!Array.isArray(shape)) {
    throw new HeddleError('shape', `${where}: expected a shape such as [28, 28], got ${kindOf(shape)}`);
  }
  let count = 1;
  for (const [axis, size] of shape.entries()) {
    if (!Number.isSafeInteger(size) || size < 0) {
      throw new HeddleError('shape', `${where}: shape[${axis}] = ${String(size)}, expected a whole number >= 0`);
    }
    count *= size;
    if (!Number.isSafeInteger(count)) {
      throw new HeddleError('shape', `${where}: shape [${shape}] has more than 2^53 elements`);
    }
  }
  return count;
}

/**
 * Elements of `Type` that begin at `offset`: a view where alignment allows one, else a copy. All platforms of
 * JavaScript are little-endian today, and WebAssembly requires it, so little-endian data need no swap.
 * @template {NumberArray} T
 * @param {NumberArrayType<T>} Type
 * @param {Uint8Array} bytes
 * @param {number} offset in bytes
 * @param {number} count in elements
 */
export function elements(Type, bytes, offset, count) {
  const begin = bytes.byteOffset + offset;
  if (begin % Type.BYTES_PER_ELEMENT === 0) return new Type(bytes.buffer, begin, count);
  const copy = bytes.slice(offset, offset + count * Type.BYTES_PER_ELEMENT);
  return new Type(copy.buffer, 0, count);
}

/**
 * A copy with the bytes of every element reversed: big-endian to little-endian and back.
 * @param {Uint8Array} bytes
 * @param {number} width bytes per element
 * @param {string} where
 */
export function swapped(bytes, width, where) {
  const out = allocate(bytes.length, where);
  for (let i = 0; i < bytes.length; i += width) {
    for (let j = 0; j < width; j++) out[i + j] = bytes[i + width - 1 - j];
  }
  return out;
}

/**
 * IEEE 754 half precision (bits in a Uint16Array) to float32, exactly; NaN payloads are kept.
 * @param {Uint16Array} bits
 */
export function halfToFloat32(bits) {
  const out = new Float32Array(bits.length);
  const raw = new Uint32Array(out.buffer);
  for (let i = 0; i < bits.length; i++) {
    const sign = (bits[i] & 0x8000) << 16, exponent = (bits[i] >> 10) & 31, fraction = bits[i] & 1023;
    if (exponent === 0) out[i] = (sign ? -1 : 1) * fraction * 2 ** -24;
    else raw[i] = sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (fraction << 13);
  }
  return out;
}
