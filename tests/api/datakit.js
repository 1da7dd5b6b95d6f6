/** Real data for tests: its folder is told by HEDDLE_DATA. Tests that need it say so and skip without it. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';

const folder = process.env.HEDDLE_DATA;

/** @param {string[]} parts */
export const dataPath = (...parts) => join(folder ?? '', ...parts);

/** For a test's `skip`: false if all the files are there, else what is missing. @param {string[]} files */
export function without(...files) {
  if (!folder) return 'HEDDLE_DATA is not set to the folder of the real data';
  const missing = files.find((file) => !existsSync(dataPath(file)));
  return missing ? `${missing} is not in the folder HEDDLE_DATA` : false;
}

/** PNG's predictor of a byte from those to the left, above, and above left. */
function paeth(a, b, c) {
  const p = a + b - c, [da, db, dc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)];
  return da <= db && da <= dc ? a : db <= dc ? b : c;
}

/** An RGB image of 8 bits, not interlaced (PNG specification, sections 4.5.4 and 9). @returns {{ data: Uint8Array, shape: number[] }} */
export function readPng(path) {
  const bytes = readFileSync(path), parts = [], [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  assert.deepEqual([...bytes.subarray(24, 29)], [8, 2, 0, 0, 0], `${path}: expected RGB of 8 bits, not interlaced`);
  for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    if (bytes.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at)));
  }
  const raw = inflateSync(Buffer.concat(parts)), row = width * 3, data = new Uint8Array(height * row);
  assert.equal(raw.length, height * (row + 1));
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (row + 1)];
    for (let x = 0; x < row; x++) {
      const a = x < 3 ? 0 : data[y * row + x - 3], b = y ? data[(y - 1) * row + x] : 0, c = x < 3 || !y ? 0 : data[(y - 1) * row + x - 3];
      data[y * row + x] = raw[y * (row + 1) + 1 + x] + [0, a, b, (a + b) >> 1, paeth(a, b, c)][filter];
    }
  }
  return { data, shape: [1, height, width, 3] };
}
