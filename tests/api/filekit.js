/** Shared by the tests of files and stores. */
import assert from 'node:assert/strict';
import { HeddleError } from '../../bindings/errors.js';

/**
 * Asserts that `work` throws or rejects with a HeddleError of this code and message.
 * @param {() => unknown} work
 * @param {string} code
 * @param {RegExp} pattern
 */
export async function refuses(work, code, pattern) {
  let error;
  try {
    await work();
  } catch (thrown) {
    error = thrown;
  }
  assert.ok(error instanceof HeddleError, `expected a HeddleError ${pattern}, got ${error ?? 'no error'}`);
  assert.equal(error.code, code, error.message);
  assert.match(error.message, pattern);
}

/** Seeded uniform numbers in [0, 1): splitmix32. @param {number} seed */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** Whole numbers 0..n-1. @param {() => number} uniform */
export const below = uniform => (/** @type {number} */ n) => Math.floor(uniform() * n);

/** @param {string | Uint8Array} header @param {number} [dataLength] @param {number | bigint} [length] to lie about it */
export function safetensorsFile(header, dataLength = 0, length) {
  const json = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + json.length + dataLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length ?? json.length), true);
  bytes.set(json, 8);
  return bytes;
}

/** @param {string} header @param {Uint8Array} [data] @param {number} [major] */
export function npyFile(header, data = new Uint8Array(0), major = 1) {
  const text = new TextEncoder().encode(header), prefix = major === 1 ? 10 : 12;
  const bytes = new Uint8Array(prefix + text.length + data.length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, major, 0]);
  new DataView(bytes.buffer).setUint16(8, text.length, true);
  bytes.set(text, prefix);
  bytes.set(data, prefix + text.length);
  return bytes;
}
