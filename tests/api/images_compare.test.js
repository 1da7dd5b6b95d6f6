// psnr, ssim and msSsim against float64 numbers of tests/golden/compare.py, and their properties.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { msSsim, psnr, resize, ssim } from '../../bindings/images/index.js';
import { refuses } from './filekit.js';
import { golden, near, noise } from './pixelkit.js';

const measures = { psnr, ssim, msSsim };

/** The pictures of compare.py. @param {number[]} shape */
function pictures([h, w, c]) {
  const bytes = noise(h * w * c), x = new Uint8Array(bytes.length), y = new Uint8Array(bytes.length);
  bytes.forEach((value, e) => {
    const k = e % c, j = Math.floor(e / c) % w, i = Math.floor(e / c / w), ramp = (i * 2 + j * 3 + 40 * k) % 256;
    x[e] = Math.floor((ramp + value) / 2);
    y[e] = Math.floor((ramp * 3 + value) / 4);
  });
  return [x, y].map(data => ({ data, shape: [h, w, c] }));
}

test('the numbers of the definitions in float64, on luma and on channels; floats of 0..1 give the same', async () => {
  for (const { shape, ...values } of golden('compare.json')) {
    const [x, y] = pictures(shape), [fx, fy] = [x, y].map(p => ({ ...p, data: Float32Array.from(p.data, v => v / 255) }));
    for (const [name, wanted] of Object.entries(values)) {
      const measure = measures[/** @type {'ssim'} */ (name)];
      for (const on of /** @type {const} */ (['luma', 'channels'])) {
        near([await measure(x, y, { on })], [wanted[on]], 1e-10 * wanted[on], `${name} of ${on}, ${shape}`);
        near([await measure(fx, fy, { on })], [wanted[on]], 1e-5, `${name} of ${on}, ${shape}, floats`);
      }
      assert.equal(await measure(x, y), await measure(x, y, { on: name === 'psnr' ? 'channels' : 'luma' }));
    }
  }
});

test('equal pictures, symmetry, falling with blur', async () => {
  const [x, y] = pictures([180, 200, 3]), black = { data: new Uint8Array(180 * 200), shape: [180, 200] };
  for (const picture of [x, black]) assert.deepEqual(await Promise.all([psnr(picture, picture), ssim(picture, picture), msSsim(picture, picture)]), [Infinity, 1, 1]);
  for (const measure of [psnr, ssim, msSsim]) {
    assert.equal(await measure(x, y), await measure(y, x));
    let last = await measure(x, x);
    for (const factor of [2, 4, 8]) {
      const value = await measure(await resize(await resize(x, { width: 200 / factor, height: 180 / factor >> 0, method: 'area' }), { width: 200, height: 180 }), x);
      assert.ok(value < last && value > 0, `${measure.name} ${factor}: ${value} after ${last}`);
      last = value;
    }
  }
  near([await psnr({ data: new Uint8Array(4).fill(10), shape: [2, 2] }, { data: new Uint8Array(4).fill(12), shape: [2, 2] })], [10 * Math.log10(255 ** 2 / 4)], 1e-10, 'PSNR');
  near([await psnr({ data: [0], shape: [1, 1] }, { data: [0.5], shape: [1, 1] }, { peak: 2 })], [10 * Math.log10(16)], 1e-10, 'peak');
});

test('what can not be compared is refused', async () => {
  const a = { data: new Uint8Array(300), shape: [10, 10, 3] }, large = { data: new Uint8Array(175 * 200), shape: [175, 200] };
  for (const [work, code, pattern] of /** @type {[() => unknown, string, RegExp][]} */ ([
    [() => ssim(a, a), 'shape', /ssim: 10 x 10 pixels, expected at least 11/], [() => msSsim(large, large), 'shape', /msSsim: 200 x 175 pixels, expected at least 176/],
    [() => psnr(a, { data: new Uint8Array(300), shape: [10, 30] }), 'shape', /10 x 10 x 3, the reference 10 x 30 x 1/],
    [() => psnr(a, { data: new Float32Array(300), shape: [10, 10, 3] }), 'argument', /one picture is of bytes/], [() => psnr(a, a, { peak: 0 }), 'argument', /peak = 0/],
    [() => psnr(a, a, { on: /** @type {any} */ ('lumma') }), 'argument', /psnr: on = "lumma", did you mean "luma"/],
    [() => psnr({ data: new Uint8Array(2), shape: [1, 1, 2] }, { data: new Uint8Array(2), shape: [1, 1, 2] }, { on: 'luma' }), 'shape', /luma of 2 channels/],
    [() => psnr({ data: [Infinity], shape: [1, 1] }, { data: [0], shape: [1, 1] }), 'argument', /row 0, column 0, channel 0 = inf/i],
  ])) await refuses(work, code, pattern);
});
