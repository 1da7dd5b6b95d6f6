import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFileSync } from 'node:fs';
import { gunzip, gzip } from '../../bindings/files/gzip.js';
import { readIdx, writeIdx } from '../../bindings/files/idx.js';
import { readNpy, writeNpy } from '../../bindings/files/npy.js';
import { below, npyFile, random, refuses } from './filekit.js';

const bytesOf = (/** @type {ArrayBufferView} */ view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

// ---- gzip

test('gzip and gunzip are inverse, and a shared or shifted view works', async () => {
  const shared = new Uint8Array(new SharedArrayBuffer(1000)).map((_, i) => i % 7);
  const packed = await gzip(shared);
  assert.ok(packed.length < 200);
  const shifted = new Uint8Array(packed.length + 3);
  shifted.set(packed, 3);
  assert.deepEqual(await gunzip(shifted.subarray(3)), new Uint8Array(shared));
  assert.equal((await gunzip(await gzip(new Uint8Array(0)))).length, 0);
});

test('gunzip refuses damaged, cut, followed and oversized files', async () => {
  const packed = await gzip(Uint8Array.from({ length: 5000 }, (_, i) => (i * i) >> 3));
  await refuses(() => gunzip(new Uint8Array(30)), 'file', /does not begin with the bytes 1f 8b/);
  await refuses(() => gunzip(packed.subarray(0, 10)), 'file', /too few/);
  await refuses(() => gunzip(packed.subarray(0, packed.length - 9)), 'file', /damaged|cut short/);
  await refuses(() => gunzip(packed.subarray(0, packed.length - 2)), 'file', /damaged|cut short/);
  const flipped = packed.slice();
  flipped[flipped.length - 6] ^= 1; // in the checksum
  await refuses(() => gunzip(flipped), 'file', /damaged/);
  await refuses(() => gunzip(new Uint8Array([...packed, 1, 2, 3, 4])), 'file', /damaged/);
  const second = await gzip(new Uint8Array(9));
  await refuses(() => gunzip(new Uint8Array([...packed, ...second])), 'file', /damaged/);
  await refuses(() => gunzip(packed, { maxBytes: 4999 }), 'file', /more than maxBytes = 4999/);
  assert.equal((await gunzip(packed, { maxBytes: 5000 })).length, 5000);
  await refuses(() => gunzip(packed, { maxBytes: NaN }), 'argument', /maxBytes = NaN/);
  // @ts-expect-error misspelt
  await refuses(() => gunzip(packed, { maxByte: 1 }), 'argument', /did you mean "maxBytes"/);
});

// ---- IDX

test('readIdx reads every type, big-endian, at any alignment (bytes made by hand)', async () => {
  /** @type {[number, number[], ArrayBufferView & ArrayLike<number>][]} */
  const cases = [
    [0x08, [0, 255], new Uint8Array([0, 255])],
    [0x09, [0x80, 1], new Int8Array([-128, 1])],
    [0x0b, [0xff, 0xfe, 0x12, 0x34], new Int16Array([-2, 0x1234])],
    [0x0c, [0xff, 0xff, 0xff, 0xfd, 0x12, 0x34, 0x56, 0x78], new Int32Array([-3, 0x12345678])],
    [0x0d, [0xc0, 0x20, 0, 0, 0x3f, 0x80, 0, 0], new Float32Array([-2.5, 1])],
    [0x0e, [0xc0, 0x04, 0, 0, 0, 0, 0, 0, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0], new Float64Array([-2.5, 1])],
  ];
  for (const [code, body, want] of cases) {
    const file = new Uint8Array([9, 0, 0, code, 2, 0, 0, 0, 1, 0, 0, 0, 2, ...body]).subarray(1);
    assert.deepEqual(await readIdx(file), { data: want, shape: [1, 2] });
    assert.deepEqual(await readIdx(await gzip(file)), { data: want, shape: [1, 2] });
    assert.deepEqual(writeIdx({ data: /** @type {Uint8Array} */ (want), shape: [1, 2] }), file.slice());
  }
});

test('readIdx refuses malformed files', async () => {
  const good = writeIdx({ data: new Int16Array(6), shape: [2, 3] });
  const edit = (/** @type {number} */ at, /** @type {number} */ value) => good.map((byte, i) => (i === at ? value : byte));
  await refuses(() => readIdx(good.subarray(0, 3)), 'file', /has 3 bytes/);
  await refuses(() => readIdx(new Uint8Array(0)), 'file', /has 0 bytes/);
  await refuses(() => readIdx(edit(0, 1)), 'file', /begins with 0x01 0x00, expected two zero bytes/);
  await refuses(() => readIdx(edit(2, 0x0a)), 'file', /unknown type code 0x0a, expected one of 0x08, 0x09/);
  await refuses(() => readIdx(edit(3, 0)), 'file', /0 dimensions/);
  await refuses(() => readIdx(edit(3, 200)), 'file', /ends within the 200 dimension sizes/);
  await refuses(() => readIdx(good.subarray(0, good.length - 1)), 'file', /takes 12 bytes, but 11 follow the header: the file is cut short/);
  await refuses(() => readIdx(new Uint8Array([...good, 0])), 'file', /takes 12 bytes, but 13 .*extra bytes/);
  await refuses(() => readIdx(new Uint8Array([0, 0, 8, 40, ...new Uint8Array(160).fill(255)])), 'file', /cut short/);
  // @ts-expect-error not bytes
  await refuses(() => readIdx('train-images'), 'argument', /readIdx: expected a Uint8Array or an ArrayBuffer, got string/);
  await refuses(() => writeIdx({ data: new Int16Array(6), shape: [2, 2] }), 'shape', /holds 4 elements, data has 6/);
  await refuses(() => writeIdx({ data: new Int16Array(1), shape: [] }), 'shape', /1 to 255 sizes/);
  // @ts-expect-error no such type in the format
  await refuses(() => writeIdx({ data: new Uint32Array(1), shape: [1] }), 'argument', /got Uint32Array/);
});

test('an IDX file with no elements is fine', async () => {
  const empty = { data: new Float32Array(0), shape: [0, 28] };
  assert.deepEqual(await readIdx(writeIdx(empty)), empty);
});

// ---- npy

const golden = JSON.parse(readFileSync(new URL('../golden/npy.json', import.meta.url), 'utf8'));

test('readNpy reads what NumPy wrote; writeNpy writes it byte for byte', () => {
  assert.ok(golden.cases.length > 30);
  for (const { name, shape, values, file, rewrites } of golden.cases) {
    const bytes = new Uint8Array(Buffer.from(file, 'base64'));
    for (const shift of [0, 1]) {
      const moved = new Uint8Array(bytes.length + shift);
      moved.set(bytes, shift);
      const array = readNpy(moved.subarray(shift));
      assert.deepEqual(array.shape, shape, name);
      assert.equal(array.data.length, values.length, name);
      const isText = typeof values[0] === 'string';
      array.data.forEach((/** @type {number | bigint} */ v, /** @type {number} */ i) =>
        assert.ok(Object.is(isText ? String(v) : Number(v), values[i]), `${name}[${i}]: ${v}, expected ${values[i]}`));
      if (rewrites) assert.deepEqual(writeNpy(array), bytes, name);
    }
  }
  assert.ok(golden.cases.filter((/** @type {{ rewrites: boolean }} */ c) => c.rewrites).length > 12);
});

test('readNpy reads headers as Python may write them', () => {
  const data = bytesOf(new Float32Array([1, 2, 3, 4, 5, 6]));
  for (const header of [
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n",
    '{"shape":(2,3,),"descr":"<f4","fortran_order":False}',
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L)}   \n",
    " { 'fortran_order' : False , 'shape' : ( 2 , 3 ) , 'descr' : 'f4' } ",
  ]) {
    assert.deepEqual(readNpy(npyFile(header, data)), { data: new Float32Array([1, 2, 3, 4, 5, 6]), shape: [2, 3] });
  }
});

test('readNpy refuses malformed headers and what it does not support', async () => {
  const header = (/** @type {string} */ descr, shape = '(2,)', fortran = 'False') =>
    npyFile(`{'descr': ${descr}, 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`, new Uint8Array(8));
  const good = header("'<f4'");
  readNpy(good);
  /** @type {[Uint8Array, string, RegExp][]} */
  const cases = [
    [new Uint8Array(20), 'file', /magic bytes/],
    [good.subarray(0, 5), 'file', /magic bytes/],
    [good.subarray(0, 9), 'file', /ends within its preamble, after 9 bytes/],
    [good.subarray(0, 40), 'file', /header length \d+ runs past the end of the file \(40 bytes\)/],
    [good.subarray(0, good.length - 1), 'file', /takes 8 bytes, but 7 follow the header: the file is cut short/],
    [new Uint8Array([...good, 0]), 'file', /takes 8 bytes, but 9 .*extra bytes/],
    [good.map((byte, i) => (i === 6 ? 4 : byte)), 'file', /version 4\.0, expected 1\.0, 2\.0 or 3\.0/],
    [good.map((byte, i) => (i === 7 ? 1 : byte)), 'file', /version 1\.1/],
    [npyFile(''), 'file', /cannot read the header at character 0/],
    [npyFile("{'descr': __import__('os').exit(1)}"), 'file', /cannot read the header at character 9: " __import/],
    [npyFile("{'descr': '<f4'"), 'file', /cannot read the header/],
    [npyFile("{'descr': '<f4' 'shape': (2,)}"), 'file', /cannot read the header at character 15/],
    [npyFile("{'descr': '<f4',, }"), 'file', /cannot read the header/],
    [npyFile("{'a': 1} x"), 'file', /cannot read the header at character 8: " x"/],
    [npyFile(`{'shape': ${'('.repeat(5000)}`), 'file', /cannot read the header/],
    [npyFile("{'descr': '<f4', 'descr': '<f8'}"), 'file', /key 'descr' twice/],
    [npyFile("{'descr': '<f4', 'shape': (2,)}"), 'file', /keys descr, shape, expected descr, fortran_order, shape/],
    [npyFile('{}'), 'file', /keys \(none\)/],
    [header("'<f4'", '(2,)', '1'), 'file', /fortran_order must be True or False/],
    [header("'<f4'", '2'), 'file', /shape must be a tuple of whole numbers, found 2/],
    [header("'<f4'", "('2',)"), 'file', /shape must be a tuple/],
    [header("'<f4'", '(-2,)'), 'file', /cannot read the header/],
    [header("'<f4'", '(2.0,)'), 'file', /cannot read the header|shape must be/],
    [header("'<f4'", '(9007199254740993,)'), 'file', /shape must be a tuple of whole numbers/],
    [header("'<f4'", '(9007199254740991, 9007199254740991)'), 'file', /cut short/],
    [header("'|f4'"), 'file', /'\|f4' has no byte order/],
    [header("'|O'"), 'unsupported', /dtype "\|O" is not supported, expected one of f4, f8/],
    [header("'<c8'"), 'unsupported', /dtype "<c8"/],
    [header("'<U5'"), 'unsupported', /dtype "<U5"/],
    [header("[('a', '<f4')]"), 'unsupported', /dtype \[\["a","<f4"\]\]/],
    [npyFile('\xff', new Uint8Array(4), 3).map((byte, i) => (i === 12 ? 0xff : byte)), 'file', /not valid UTF-8/],
  ];
  for (const [bytes, code, pattern] of cases) await refuses(() => readNpy(bytes), code, pattern);
  await refuses(() => writeNpy({ data: new Float32Array(3), shape: [2] }), 'shape', /holds 2 elements, data has 3/);
  await refuses(() => writeNpy({ data: new Float32Array(1), shape: Array(33).fill(1) }), 'shape', /at most 32/);
  // @ts-expect-error no typed array
  await refuses(() => writeNpy({ data: [1], shape: [1] }), 'argument', /must be a typed array, got array/);
});

test('npy: random arrays survive a round trip; a damaged byte never throws anything but a HeddleError', async () => {
  const int = below(random(11));
  const Types = [Float32Array, Float64Array, Int8Array, Uint8Array, Int16Array, Uint16Array, Int32Array, Uint32Array];
  for (let round = 0; round < 200; round++) {
    const shape = Array.from({ length: int(5) }, () => int(5)), Type = Types[int(Types.length)];
    const data = new Type(shape.reduce((a, b) => a * b, 1)).map(() => int(256));
    const bytes = writeNpy({ data, shape });
    assert.equal((bytes.length - data.byteLength) % 64, 0);
    assert.deepEqual(readNpy(bytes), { data, shape });
    bytes[int(bytes.length)] = int(256);
    try {
      readNpy(bytes.subarray(0, bytes.length - int(2)));
    } catch (error) {
      await refuses(() => { throw error; }, /** @type {any} */ (error).code === 'unsupported' ? 'unsupported' : 'file', /^npy: /);
    }
  }
});
