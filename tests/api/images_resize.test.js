// resize against PIL's and imresize's numbers, on the deterministic engine and on the fastest.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { init } from '../../bindings/index.js';
import { psnr, resize, resizeReach, resizeRows, rgbToYcbcr } from '../../bindings/images/index.js';
import { dataPath, readPng, without } from './datakit.js';
import { refuses } from './filekit.js';
import { bytes, floats, golden, near, noise } from './pixelkit.js';

const { pil, imresize } = golden('resize.json');
/** @param {number[]} shape */
const picture = shape => ({ data: noise(shape.reduce((a, b) => a * b)), shape });

for (const deterministic of [true, false]) {
  test(`bilinear is PIL's to the bit${deterministic ? ', deterministic' : ''}`, async () => {
    await init({ deterministic });
    for (const { from, to: [height, width, c], bytes: wanted } of pil.cases) {
      const { data, shape } = await resize(picture(from), { width, height });
      assert.deepEqual([shape, [...data]], [[height, width, c], [...bytes(wanted)]], String(from));
    }
    for (const { from, to: [height, width], sha256 } of pil.large) {
      const { data } = await resize(picture(from), { width, height, method: 'bilinear' });
      assert.equal(createHash('sha256').update(data).digest('hex'), sha256, String(from));
    }
    for (const { from, to: [height, width], floats: wanted } of pil.floats) {
      const { data } = await resize({ data: Float32Array.from(picture(from).data, v => v / 255), shape: from }, { width, height });
      assert.ok(data instanceof Float32Array);
      assert.deepEqual(data, floats(wanted));
    }
  });
}

test('bicubic is imresize with antialiasing: ramps, constants, a delta, noise; bytes to the bit', async () => {
  const [h, w] = imresize[0].from, at = (/** @type {(i: number, j: number) => number} */ f) => Uint8Array.from({ length: h * w }, (_, i) => f(Math.floor(i / w), i % w));
  /** @type {Record<string, Uint8Array>} */
  const pictures = { ramp: at((i, j) => 10 * i + 7 * j), constant: at(() => 77), delta: at((i, j) => (i === 3 && j === 4 ? 255 : 0)), noise: noise(h * w) };
  assert.equal(imresize.length, 24);
  for (const { name, scale, to, bytes: wanted, floats: exact } of imresize) {
    const byte = await resize({ data: pictures[name], shape: [h, w, 1] }, { scale, method: 'bicubic' });
    assert.deepEqual([byte.shape, [...byte.data]], [to, [...bytes(wanted)]], `${name} ${scale}`);
    near((await resize({ data: Float32Array.from(pictures[name]), shape: [h, w, 1] }, { scale, method: 'bicubic' })).data, floats(exact), 1e-4, `${name} ${scale}`);
  }
});

test('constants stay, ramps stay in the middle, a size of its own changes nothing; any channels, clamped and raw pixels', async () => {
  for (const method of /** @type {const} */ (['nearest', 'area', 'bilinear', 'bicubic'])) {
    for (const [h, w, height, width] of [[1, 1, 5, 3], [1, 7, 2, 3], [14, 14, 3, 40], [40, 3, 7, 7]]) {
      const flat = await resize({ data: new Uint8ClampedArray(h * w * 5).fill(200), shape: [h, w, 5] }, { width, height, method });
      assert.deepEqual(flat, { data: new Uint8Array(height * width * 5).fill(200), shape: [height, width, 5] }, method);
    }
    const raw = { data: noise(6 * 4 * 4), width: 6, height: 4 };
    assert.deepEqual((await resize(raw, { width: 6, height: 4, method })).data, raw.data);
    const ramp = await resize({ data: Float32Array.from({ length: 60 }, (_, i) => 2 * i), shape: [1, 60] }, { width: 20, height: 1, method });
    assert.deepEqual(ramp.shape, [1, 20]);
    for (let i = 3; i < 17; i++) near([ramp.data[i]], [6 * i + 2], 1e-4, `${method} ${i}`);
  }
  const mean = await resize({ data: [0, 10, 20, 30, 40, 50, 60, 70, 80, 90], shape: [1, 10] }, { width: 4, height: 1, method: 'area' });
  near(mean.data, [(0 + 10 + 20 / 2) / 2.5, (20 / 2 + 30 + 40) / 2.5, (50 + 60 + 70 / 2) / 2.5, (70 / 2 + 80 + 90) / 2.5], 1e-4, 'area');
  assert.deepEqual((await resize({ data: [1, 2, 3], shape: [1, 3] }, { width: 6, height: 1, method: 'nearest' })).data, Float32Array.of(1, 1, 2, 2, 3, 3));
});

const lenna = 'super-resolution/Set14/lenna.png', butterfly = 'super-resolution/Set5/butterfly.png';
test('bicubic on photographs: PSNR of luma shrunk to half and enlarged again, every pixel', { skip: without(lenna, butterfly) }, async () => {
  await init({ deterministic: true });
  // wanted: imresize of tests/golden/resize.py on the same bytes (the 256 x 256 crop that the literature gives 32.80 dB for is another picture)
  for (const [name, wanted] of /** @type {const} */ ([[lenna, 34.70703], [butterfly, 27.46130]])) {
    const { data: rgb, shape: [, h, w] } = readPng(dataPath(name)), { data } = await rgbToYcbcr({ data: rgb, shape: [h, w, 3] }), luma = { data: Uint8Array.from({ length: h * w }, (_, i) => data[3 * i]), shape: [h, w, 1] };
    const value = await psnr(await resize(await resize(luma, { scale: 0.5, method: 'bicubic' }), { scale: 2, method: 'bicubic' }), luma);
    assert.ok(Math.abs(value - wanted) <= 2e-4, `${name}: ${value} dB`); // a byte on the edge of rounding may differ
  }
});

test('bands of rows have the bits of the whole, from the rows that they need', async () => {
  const image = picture([41, 23, 3]), row = 23 * 3;
  for (const method of /** @type {const} */ (['nearest', 'area', 'bilinear', 'bicubic'])) {
    for (const sizes of [{ scale: 2 }, { scale: 0.37 }, { width: 50, height: 19 }]) {
      const { data, shape: [height, width] } = await resize(image, { ...sizes, method });
      for (let from = 0; from < height; from += 9) {
        const to = Math.min(from + 9, height), { first, end } = await resizeReach({ height: 41, width: 23 }, { ...sizes, method, from, to });
        const given = { data: image.data.subarray(first * row, end * row), shape: [end - first, 23, 3] };
        assert.deepEqual(await resizeRows(given, { ...sizes, method, of: 41, first, from, to }), { data: data.slice(from * width * 3, to * width * 3), shape: [to - from, width, 3] });
      }
    }
  }
  for (const [options, pattern] of /** @type {[any, RegExp][]} */ ([[{ scale: 2, of: 82, from: 0, to: 100 }, /rows 0\.\.40 of the picture are given, expected 0\.\.50 at least, of 82/],
    [{ scale: 2, of: 41, from: 5, to: 5 }, /rows 5\.\.4/], [{ scale: 2, of: 41, from: 80, to: 83 }, /rows 80\.\.82, expected at least one of 0\.\.81/],
    [{ scale: 2, of: 41, from: 0.5, to: 5 }, /from = 0\.5/], [{ scale: 2, from: 0, to: 5 }, /of = undefined/], [{ of: 41, from: 0, to: 5 }, /width and height, or scale/]])) {
    await refuses(() => resizeRows(image, options), 'argument', pattern);
  }
});

test('what can not be resized is refused', async () => {
  const good = picture([2, 3, 3]);
  for (const [image, options, code, pattern] of /** @type {[any, any, string, RegExp][]} */ ([
    [null, { width: 1, height: 1 }, 'argument', /resize: expected \{ data, shape/], [{ data: new Uint8Array(5), shape: [2, 3] }, { width: 1, height: 1 }, 'shape', /holds 6 elements, data has 5/],
    [{ data: new Uint8Array(5), width: 2, height: 2 }, { width: 1, height: 1 }, 'shape', /1\.25/], [good, { width: 2 }, 'argument', /width and height, or scale/],
    [good, { width: 2, height: 2, scale: 2 }, 'argument', /width and height, or scale/], [good, { scale: -1 }, 'argument', /scale = -1/], [good, { scale: 1e-9 }, 'argument', /scale = 1e-9, .* from 1\/65536/], [good, { scale: NaN }, 'argument', /scale = NaN/],
    [good, { width: 0, height: 2 }, 'argument', /width = 0/], [good, { width: 65536, height: 1 }, 'argument', /65536 x 1 pixels is too large/], [good, { scale: 1e5 }, 'argument', /too large/],
    [good, { width: 40000, height: 40000 }, 'argument', /too large/], [good, { width: 1, height: 1, method: 'bicubik' }, 'argument', /did you mean "bicubic"/],
    [{ data: [1, NaN, 3], shape: [1, 1, 3] }, { width: 1, height: 1 }, 'argument', /row 0, column 0, channel 1 = nan/i], [good, { size: 3 }, 'argument', /unknown option "size"/],
    [{ data: new Uint8Array(65), shape: [1, 1, 65] }, { width: 1, height: 1 }, 'argument', /channels = 65, expected 1\.\.64/],
  ])) await refuses(() => resize(image, options), /** @type {any} */ (code), pattern);
});
