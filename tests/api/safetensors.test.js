import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSafetensors, toFloat32, writeSafetensors } from '../../bindings/files/safetensors.js';
import { below, random, refuses, safetensorsFile } from './filekit.js';

/** @import { Dtype, TensorInput } from '../../bindings/files/safetensors.js' */

const text = (/** @type {Uint8Array} */ bytes) => new TextDecoder().decode(bytes);

test('writeSafetensors gives the bytes the format text asks for', () => {
  const file = writeSafetensors({ w: { data: new Float32Array([1, -2]), shape: [2, 1] } }, { b: 'ü', a: 'x' });
  const json = '{"__metadata__":{"a":"x","b":"ü"},"w":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}';
  const header = new TextEncoder().encode(json), length = 96; // 90 bytes and 6 spaces
  assert.equal(header.length, 90);
  assert.deepEqual([...file.subarray(0, 8)], [length, 0, 0, 0, 0, 0, 0, 0]);
  assert.equal(text(file.subarray(8, 8 + length)), json + ' '.repeat(6));
  assert.deepEqual([...file.subarray(8 + length)], [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]);
  assert.deepEqual([...writeSafetensors({})], [8, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d, 32, 32, 32, 32, 32, 32]);
});

test('tensors are ordered by alignment of dtype, then by name in code points, whatever the order given', () => {
  const one = (/** @type {TensorInput['data']} */ data, /** @type {Dtype} */ dtype) => ({ data, dtype, shape: [1] });
  /** @type {[string, TensorInput][]} */
  const pairs = [
    ['bool', one(new Uint8Array(1), 'BOOL')], ['u8', one(new Uint8Array(1), 'U8')], ['i8', one(new Int8Array(1), 'I8')],
    ['i16', one(new Int16Array(1), 'I16')], ['u16', one(new Uint16Array(1), 'U16')], ['f16', one(new Uint16Array(1), 'F16')],
    ['bf16', one(new Uint16Array(1), 'BF16')], ['i32', one(new Int32Array(1), 'I32')], ['u32', one(new Uint32Array(1), 'U32')],
    ['a', one(new Float32Array(1), 'F32')], ['a/b', one(new Float32Array(1), 'F32')], ['\uffee', one(new Float32Array(1), 'F32')],
    ['\u{1f600}', one(new Float32Array(1), 'F32')], ['f64', one(new Float64Array(1), 'F64')],
    ['i64', one(new BigInt64Array(1), 'I64')], ['u64', one(new BigUint64Array(1), 'U64')],
  ];
  const want = ['u64', 'i64', 'f64', 'a', 'a/b', '\uffee', '\u{1f600}', 'u32', 'i32', 'bf16', 'f16', 'u16', 'i16', 'i8', 'u8', 'bool'];
  const file = writeSafetensors(new Map(pairs));
  assert.deepEqual([...readSafetensors(file).tensors.keys()], want);
  assert.deepEqual(writeSafetensors(new Map(pairs.reverse())), file);
  assert.deepEqual(writeSafetensors(Object.fromEntries(pairs)), file);
});

test('random files survive a round trip, at any alignment of the input', () => {
  const uniform = random(7), int = below(uniform);
  const Types = [Float32Array, Float64Array, Int8Array, Uint8Array, Int16Array, Uint16Array, Int32Array, Uint32Array, BigInt64Array];
  for (let round = 0; round < 100; round++) {
    /** @type {Map<string, TensorInput>} */
    const tensors = new Map(), metadata = /** @type {Record<string, string>} */ (Object.create(null));
    for (let i = int(6); i > 0; i--) {
      const shape = Array.from({ length: int(4) }, () => int(4)), Type = Types[int(Types.length)];
      const data = /** @type {TensorInput['data']} */ (new Type(shape.reduce((a, b) => a * b, 1)));
      new Uint8Array(data.buffer).forEach((_, k, bytes) => { bytes[k] = int(256); });
      tensors.set(String.fromCodePoint(34 + int(200), 0x4e00 + int(99), 0x1f600 + int(9)) + i, { data, shape });
      metadata[`k"\\\n${int(9)}`] = String.fromCharCode(int(60), 92, 34);
    }
    const file = writeSafetensors(tensors, metadata), moved = new Uint8Array(file.length + 8);
    assert.equal((new DataView(file.buffer).getUint32(0, true) + 8) % 8, 0);
    for (const shift of [0, 1, 4]) {
      moved.set(file, shift);
      const read = readSafetensors(moved.subarray(shift, shift + file.length));
      assert.deepEqual({ ...read.metadata }, { ...metadata });
      assert.equal(read.tensors.size, tensors.size);
      for (const [name, { data, shape }] of tensors) {
        const tensor = read.tensors.get(name);
        assert.deepEqual(tensor?.shape, shape);
        assert.equal(tensor?.data.constructor, data.constructor);
        assert.deepEqual(new Uint8Array(tensor.data.slice().buffer), new Uint8Array(data.buffer));
      }
    }
  }
});

test('"__proto__" and "constructor" are names like any other', () => {
  const tensors = new Map(['__proto__', 'constructor'].map(name => [name, { data: new Int8Array([7]), shape: [] }]));
  const metadata = Object.create(null);
  metadata.__proto__ = 'polluted';
  const read = readSafetensors(writeSafetensors(tensors, metadata));
  assert.deepEqual([...read.tensors.keys()], ['__proto__', 'constructor']);
  assert.equal(Object.getPrototypeOf(read.metadata), null);
  assert.equal(read.metadata['__proto__'], 'polluted');
  assert.equal(/** @type {any} */ ({}).dtype, undefined);
});

test('what the reference accepts is accepted', () => {
  const info = (/** @type {number} */ a, /** @type {number} */ b) => `{"dtype":"U8","shape":[${b - a}],"data_offsets":[${a},${b}]}`;
  const names = (/** @type {Uint8Array} */ file) => [...readSafetensors(file).tensors.keys()];
  assert.deepEqual(names(safetensorsFile('{}')), []);
  assert.deepEqual(names(safetensorsFile(`{"b":${info(2, 5)},"a":${info(0, 2)}}   `, 5)), ['b', 'a'], 'any order, padding');
  assert.deepEqual(names(safetensorsFile(`{"z":${info(2, 2)},"a":${info(0, 2)},"y":${info(0, 0)}}`, 2)), ['z', 'a', 'y'], 'empty ones');
  assert.deepEqual(names(safetensorsFile('{"__metadata__":null}')), []);
  assert.deepEqual(names(safetensorsFile('{ "a" : {"x":[1.5,{"y":"\\\\\\""}], "dtype":"U8", "shape":[],"data_offsets":[0,1]} }', 1)), ['a']);
  const buffer = safetensorsFile(`{"a":${info(0, 3)}}`, 3).buffer;
  assert.equal(readSafetensors(buffer).tensors.get('a')?.data.length, 3);
  const shared = new Uint8Array(new SharedArrayBuffer(buffer.byteLength));
  shared.set(new Uint8Array(buffer));
  assert.equal(readSafetensors(shared).tensors.get('a')?.data.length, 3);
});

test('every malformed file is refused with its own sentence', async () => {
  const one = (/** @type {Record<string, unknown>} */ change) =>
    JSON.stringify({ w: { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...change } });
  const two = (/** @type {number[]} */ a, /** @type {number[]} */ b) => JSON.stringify({
    a: { dtype: 'U8', shape: [a[1] - a[0]], data_offsets: a }, b: { dtype: 'U8', shape: [b[1] - b[0]], data_offsets: b } });
  readSafetensors(safetensorsFile(one({}), 8));
  /** @type {[Uint8Array, RegExp][]} */
  const cases = [
    [new Uint8Array(0), /has 0 bytes, expected at least the 8 of the header length/],
    [new Uint8Array(7), /has 7 bytes/],
    [safetensorsFile('{}', 0, 100_000_001), /header length 100000001 is above the limit/],
    [safetensorsFile('{}', 0, 2n ** 64n - 1n), /header length 18446744073709551615 is above the limit/],
    [safetensorsFile('{}', 0, 3), /header length 3 runs past the end of the file \(10 bytes\)/],
    [safetensorsFile(''), /must begin with "\{", found ""/],
    [safetensorsFile(' {}'), /must begin with "\{", found " "/],
    [safetensorsFile('\ufeff{}'), /must begin with "\{"/],
    [safetensorsFile('[]'), /must begin with "\{", found "\["/],
    [safetensorsFile(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d])), /not valid UTF-8/],
    [safetensorsFile('{"a":}'), /header: not valid JSON/],
    [safetensorsFile('{}x'), /not valid JSON/],
    [safetensorsFile('{}\0\0'), /not valid JSON/],
    [safetensorsFile('{"a":1,}'), /not valid JSON/],
    [safetensorsFile('{"w":1,"w":2}'), /key "w" appears twice$/],
    [safetensorsFile('{"w":1,"\\u0077":2}'), /key "w" appears twice$/],
    [safetensorsFile('{"w":{"dtype":"U8","shape":[],"shape":[],"data_offsets":[0,1]}}', 1), /key "shape" appears twice in "w"/],
    [safetensorsFile('{"__metadata__":{"a":"x","a":"y"}}'), /key "a" appears twice in "__metadata__"/],
    [safetensorsFile('{"\\ud800":1}'), /not valid Unicode/],
    [safetensorsFile(`{"a":${'['.repeat(50000)}${']'.repeat(50000)}}`), /nested deeper than 128 levels/],
    [safetensorsFile('{"__metadata__":[]}'), /__metadata__ must be an object of strings, found array/],
    [safetensorsFile('{"__metadata__":{"a":1}}'), /__metadata__ "a" must be a string, found bigint/],
    [safetensorsFile('{"w":[]}'), /tensor "w" must be an object, found array/],
    [safetensorsFile('{"w":null}'), /tensor "w" must be an object, found null/],
    [safetensorsFile(one({ dtype: undefined }), 8), /tensor "w" has no "dtype"/],
    [safetensorsFile(one({ shape: undefined }), 8), /tensor "w" has no "shape"/],
    [safetensorsFile(one({ data_offsets: undefined }), 8), /tensor "w" has no "data_offsets"/],
    [safetensorsFile(one({ dtype: 'F33' }), 8), /tensor "w": unknown dtype "F33", expected one of BOOL/],
    [safetensorsFile(one({ dtype: 'f32' }), 8), /unknown dtype "f32"/],
    [safetensorsFile(one({ dtype: 3 }), 8), /unknown dtype bigint/],
    [safetensorsFile(one({ dtype: '__proto__' }), 8), /unknown dtype "__proto__"/],
    [safetensorsFile(one({ shape: 2 }), 8), /shape must be an array, found bigint/],
    [safetensorsFile(one({ shape: [-2] }), 8), /shape\[0\] must be an integer from 0 to 2\^64 - 1, found -2/],
    [safetensorsFile(one({ shape: [1, 2.5] }), 8), /shape\[1\] must be an integer .*found 2\.5/],
    [safetensorsFile(one({}).replace('[2]', '[2.0]'), 8), /shape\[0\] must be an integer/],
    [safetensorsFile(one({ shape: ['2'] }), 8), /shape\[0\] must be an integer .*found string/],
    [safetensorsFile(one({}).replace('[2]', `[${'9'.repeat(30)}]`), 8), /shape\[0\] must be an integer/],
    [safetensorsFile(one({}).replace('[2]', '[18446744073709551616]'), 8), /shape\[0\] must be an integer .*18446744073709551616/],
    [safetensorsFile(one({ shape: [2 ** 40, 2 ** 40] }), 8), /size of shape \[1099511627776,1099511627776\] overflows 64 bits/],
    [safetensorsFile(one({}).replace('[2]', '[4611686018427387904]'), 8), /overflows 64 bits/],
    [safetensorsFile(one({ data_offsets: [0] }), 8), /data_offsets must be \[begin, end\], found 1 numbers/],
    [safetensorsFile(one({ data_offsets: [0, 8, 8] }), 8), /found 3 numbers/],
    [safetensorsFile(one({ data_offsets: [-1, 7] }), 8), /data_offsets\[0\] must be an integer/],
    [safetensorsFile(one({ data_offsets: [8, 0] }), 8), /data_offsets begin at 8, after their end at 0/],
    [safetensorsFile(one({}), 7), /data_offsets end at 8, past the 7 bytes of data/],
    [safetensorsFile(one({ data_offsets: [0, 2 ** 53] }), 8), /past the 8 bytes of data/],
    [safetensorsFile(one({ shape: [3] }), 8), /F32 \[3\] takes 12 bytes, but data_offsets span 8/],
    [safetensorsFile(one({ dtype: 'F64' }), 8), /F64 \[2\] takes 16 bytes, but data_offsets span 8/],
    [safetensorsFile(one({ shape: [] }), 8), /F32 \[\] takes 4 bytes/],
    [safetensorsFile(one({}), 9), /1 bytes after tensor "w" belong to no tensor/],
    [safetensorsFile('{}', 4), /4 bytes after the header belong to no tensor/],
    [safetensorsFile(one({ data_offsets: [1, 9] }), 9), /1 bytes between the header and tensor "w" belong to no tensor/],
    [safetensorsFile(two([0, 4], [6, 8]), 8), /2 bytes between tensor "a" and tensor "b" belong to no tensor/],
    [safetensorsFile(two([0, 5], [4, 8]), 8), /tensor "b" begins at 4 and overlaps tensor "a", which ends at 5/],
    [safetensorsFile(two([0, 8], [0, 8]), 8), /overlaps/],
    [safetensorsFile(two([0, 8], [2, 4]), 8), /tensor "b" begins at 2 and overlaps tensor "a"/],
  ];
  for (const [file, pattern] of cases) {
    await refuses(() => readSafetensors(file), 'file', new RegExp(`^safetensors: .*${pattern.source}`, 's'));
  }
  // @ts-expect-error not bytes
  await refuses(() => readSafetensors('model.safetensors'), 'argument', /readSafetensors: expected a Uint8Array .*got string/);
});

test('a file with changed or missing bytes is read or refused with code "file", never anything else', async () => {
  const uniform = random(5), int = below(uniform);
  const good = writeSafetensors({ a: { data: new Float32Array(3), shape: [3] }, b: { data: new Int8Array(2), shape: [1, 2] } }, { note: 'x' });
  const counts = { read: 0, refused: 0 };
  for (let round = 0; round < 3000; round++) {
    const bad = good.slice(0, int(4) ? good.length : int(good.length));
    for (let i = 1 + int(3); i > 0 && bad.length; i--) bad[int(bad.length)] = int(3) ? 32 + int(95) : int(256);
    let thrown;
    try {
      readSafetensors(bad);
      counts.read++;
    } catch (error) {
      thrown = error;
      counts.refused++;
    }
    if (thrown) await refuses(() => { throw thrown; }, 'file', /^safetensors: /);
  }
  assert.ok(counts.read > 50 && counts.refused > 1000, JSON.stringify(counts));
});

test('a large header of hostile text is read in linear time', { timeout: 60_000 }, async () => {
  const slashes = '\\\\'.repeat(2e6);
  assert.equal(readSafetensors(safetensorsFile(`{"__metadata__":{"a":"${slashes}"}}`)).metadata.a.length, 2e6);
  const many = Array.from({ length: 2e5 }, (_, i) => `"k${i}":""`).join(',');
  assert.equal(Object.keys(readSafetensors(safetensorsFile(`{"__metadata__":{${many}}}`)).metadata).length, 2e5);
  const digits = `{"w":{"dtype":"U8","shape":[${'9'.repeat(2e6)}],"data_offsets":[0,0]}}`;
  await refuses(() => readSafetensors(safetensorsFile(digits)), 'file', /must be an integer/);
});

test('writeSafetensors refuses what a reader would refuse', async () => {
  const w = { data: new Float32Array(2), shape: [2] };
  const write = (/** @type {any} */ tensors, /** @type {any} */ metadata = undefined) => () => writeSafetensors(tensors, metadata);
  await refuses(write({ __metadata__: w }), 'argument', /tensor "__metadata__": this name is reserved/);
  await refuses(write({ '\ud800': w }), 'argument', /not valid Unicode/);
  await refuses(write({ w: { data: [1, 2], shape: [2] } }), 'argument', /tensor "w": data must be a typed array, got array/);
  await refuses(write({ w: undefined }), 'argument', /data must be a typed array, got undefined/);
  await refuses(write({ w: { data: new Uint8ClampedArray(1), shape: [1] } }), 'argument', /got Uint8ClampedArray/);
  await refuses(write({ w: { ...w, dtype: 'F3' } }), 'argument', /unknown dtype "F3", did you mean "F32"\?/);
  await refuses(write({ w: { ...w, dtype: 'F16' } }), 'argument', /dtype F16 needs a Uint16Array, got Float32Array/);
  await refuses(write({ w: { ...w, shape: [3] } }), 'shape', /tensor "w": shape \[3\] holds 3 elements, data has 2/);
  await refuses(write({ w: { ...w, shape: [-2] } }), 'shape', /shape\[0\] = -2, expected a whole number >= 0/);
  await refuses(write({ w: { ...w, shape: [NaN] } }), 'shape', /shape\[0\] = NaN/);
  await refuses(write({ w: { ...w, shape: [2 ** 30, 2 ** 30] } }), 'shape', /more than 2\^53/);
  await refuses(write({ w: { ...w, shape: '2' } }), 'shape', /expected a shape such as \[28, 28\], got string/);
  await refuses(write({}, { a: 1 }), 'argument', /metadata "a" must be a string, got number/);
});

test('toFloat32: every half and every bfloat16, BOOL and integers', () => {
  const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const half = toFloat32({ dtype: 'F16', data: bits, shape: [65536] });
  const bfloat = toFloat32({ dtype: 'BF16', data: bits, shape: [65536] });
  for (let i = 0; i < 65536; i++) { // IEEE 754: (-1)^s 2^(e - bias) (1 + f), subnormal without the 1
    const value = (/** @type {number} */ exponentBits, /** @type {number} */ fractionBits) => {
      const top = 2 ** exponentBits - 1, bias = top >> 1, e = (i >> fractionBits) & top, f = (i % 2 ** fractionBits) / 2 ** fractionBits;
      const size = e === top ? (f ? NaN : Infinity) : e ? 2 ** (e - bias) * (1 + f) : 2 ** (1 - bias) * f;
      return i & 0x8000 ? -size : size;
    };
    assert.ok(Object.is(half[i], value(5, 10)), `half ${i}: ${half[i]}`);
    assert.ok(Object.is(bfloat[i], value(8, 7)), `bfloat16 ${i}: ${bfloat[i]}`);
  }
  assert.deepEqual(toFloat32({ dtype: 'BOOL', data: new Uint8Array([0, 1, 9]), shape: [3] }), new Float32Array([0, 1, 1]));
  assert.deepEqual(toFloat32({ dtype: 'I64', data: new BigInt64Array([-5n]), shape: [1] }), new Float32Array([-5]));
  assert.deepEqual(toFloat32({ dtype: 'F64', data: new Float64Array([0.1, 1e300]), shape: [2] }), new Float32Array([0.1, Infinity]));
  const same = new Float32Array(2);
  assert.equal(toFloat32({ dtype: 'F32', data: same, shape: [2] }), same);
});
