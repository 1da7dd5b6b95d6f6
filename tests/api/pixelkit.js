// What the tests of pictures share: bytes from a formula that tests/golden/hashed.py has too, and comparison.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

/** n bytes of noise: lowbias32 (C. Wellons) of the element's number. @param {number} n */
export const noise = n => Uint8Array.from({ length: n }, (_, i) => {
  let x = Math.imul(i ^ (i >>> 16), 0x7FEB352D);
  x = Math.imul(x ^ (x >>> 15), 0x846CA68B);
  return (x ^ (x >>> 16)) >>> 24;
});

/** @param {string} name of a file in tests/golden */
export const golden = name => JSON.parse(readFileSync(new URL(`../golden/${name}`, import.meta.url), 'utf8'));

/** The bytes behind base64, as an array of another type too. @param {string} text */
export const bytes = text => Uint8Array.from(Buffer.from(text, 'base64'));
/** @param {string} text */
export const floats = text => new Float32Array(bytes(text).buffer);

/** @param {ArrayLike<number>} got @param {ArrayLike<number>} wanted @param {number} tolerance @param {string} where */
export function near(got, wanted, tolerance, where) {
  assert.equal(got.length, wanted.length, where);
  for (let i = 0; i < wanted.length; i++) assert.ok(Math.abs(got[i] - wanted[i]) <= tolerance, `${where}, element ${i}: ${got[i]}, expected ${wanted[i]}`);
}
