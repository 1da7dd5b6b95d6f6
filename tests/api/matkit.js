/** Writes MAT-files of level 5 for tests, by "MAT-File Format" of The MathWorks. */
import { deflateSync } from 'node:zlib';

const [matrix, compressed] = [14, 15];
const writers = { 2: [1, 'setUint8'], 4: [2, 'setUint16'], 5: [4, 'setInt32'], 6: [4, 'setUint32'], 9: [8, 'setFloat64'] };

const padded = (bytes) => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 7)]);

function u32(values, little) {
  const out = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => new DataView(out.buffer, out.byteOffset).setUint32(4 * i, value, little));
  return out;
}

/** In the short form where it fits and `isSmall`. */
function element(type, body, little, isSmall = false) {
  if (isSmall && body.length > 0 && body.length <= 4) return Buffer.concat([u32([(body.length << 16) | type], little), body, Buffer.alloc(4 - body.length)]);
  return Buffer.concat([u32([type, body.length], little), type === compressed ? body : padded(body)]);
}

function numbersOf(type, values, little) {
  const [width, method] = writers[type], out = Buffer.alloc(width * values.length), view = new DataView(out.buffer, out.byteOffset);
  values.forEach((value, i) => view[method](width * i, value, little));
  return out;
}

/** A matrix element. @param {string} name @param {{ shape: number[], numbers?: number[], text?: string, cells?: object[], kind?: number, storage?: number, flags?: number }} value */
export function matVariable(name, { shape, numbers, text, cells, kind, storage = 9, flags = 0 }, { little = true } = {}) {
  const shapeBytes = numbersOf(5, shape, little), head = [
    element(6, u32([(kind ?? (cells ? 1 : text === undefined ? 6 : 4)) | flags, 0], little), little), element(5, shapeBytes, little), element(1, Buffer.from(name), little, true),
  ];
  const body = cells ? cells.map((one) => matVariable('', one, { little }))
    : [text === undefined ? element(storage, numbersOf(storage, numbers, little), little, true) : element(4, numbersOf(4, [...text].map((c) => c.charCodeAt(0)), little), little, true)];
  return element(matrix, Buffer.concat([...head, ...body]), little);
}

/** @param {Buffer[]} variables @param {{ little?: boolean, packed?: boolean }} [options] @returns {Uint8Array} */
export function matFile(variables, { little = true, packed = false } = {}) {
  const header = Buffer.alloc(128, ' ');
  header.write('MATLAB 5.0 MAT-file, made by a test');
  header.fill(0, 116, 124);
  header.set(little ? [0, 1, 0x49, 0x4d] : [1, 0, 0x4d, 0x49], 124);
  const parts = variables.map((one) => (packed ? element(compressed, deflateSync(one), little) : one));
  return new Uint8Array(Buffer.concat([header, ...parts]));
}
