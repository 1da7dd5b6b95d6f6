// Colours, filters and patches: against their formulas written out here.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blendPatches, derivatives, filter, randomPatches, rgbToYcbcr, slidingPatches, ycbcrToRgb } from '../../bindings/images/index.js';
import { random, refuses } from './filekit.js';
import { near, noise } from './pixelkit.js';

const mirror = (/** @type {number} */ i, /** @type {number} */ n) => { const m = ((i % (2 * n)) + 2 * n) % (2 * n); return m < n ? m : 2 * n - 1 - m; };

test('BT.601: the published points, MATLAB\'s formula with its rounding, the way back within a level', async () => {
  const points = { data: Uint8Array.of(0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 255, 0, 0, 0, 255), shape: [1, 5, 3] };
  assert.deepEqual([...(await rgbToYcbcr(points)).data], [16, 128, 128, 235, 128, 128, 81, 90, 240, 145, 54, 34, 41, 240, 110]);
  assert.deepEqual([...(await rgbToYcbcr(points, { range: 'full' })).data], [0, 128, 128, 255, 128, 128, 76, 85, 255, 150, 44, 21, 29, 255, 107]);
  const image = { data: noise(64 * 64 * 4), shape: [64, 64, 4] }, ycc = await rgbToYcbcr(image);
  for (let i = 0; i < 4 * 64 * 64; i += 4) {
    const [r, g, b, alpha] = image.data.subarray(i, i + 4);
    const wanted = [16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255, 128 + (-37.797 * r - 74.203 * g + 112 * b) / 255, 128 + (112 * r - 93.786 * g - 18.214 * b) / 255];
    assert.deepEqual([...ycc.data.subarray(i, i + 4)], [...wanted.map(v => Math.floor(v + 0.5)), alpha]);
  }
  for (const range of /** @type {const} */ (['studio', 'full'])) {
    const back = await ycbcrToRgb(await rgbToYcbcr(image, { range }), { range });
    near(back.data, image.data, range === 'full' ? 1 : 2, range); // studio range has 219 levels for 255
    const floats = { data: Float32Array.from(image.data, v => v / 255), shape: [64, 64, 4] }, exact = await rgbToYcbcr(floats, { range });
    near((await ycbcrToRgb(exact, { range })).data, floats.data, 1e-6, `${range}, floats`);
    near(exact.data, Float32Array.from((await rgbToYcbcr(image, { range })).data, v => v / 255), 0.5001 / 255, `${range}, floats and bytes`);
  }
});

test('filters: the sum over the kernel, with each border; kernels larger than the picture', async () => {
  const draw = random(3);
  for (const [h, w, c, kh, kw] of [[7, 9, 2, 3, 5], [1, 1, 1, 3, 3], [2, 30, 3, 7, 1], [5, 4, 1, 11, 13]]) {
    const data = Float32Array.from({ length: h * w * c }, () => draw() - 0.5), kernel = Array.from({ length: kh }, () => Array.from({ length: kw }, () => draw() - 0.5));
    for (const border of /** @type {const} */ (['mirror', 'replicate', 'zero'])) {
      const at = (/** @type {number} */ i, /** @type {number} */ j, /** @type {number} */ k) => {
        if (border === 'zero') return i < 0 || j < 0 || i >= h || j >= w ? 0 : data[(i * w + j) * c + k];
        const [a, b] = border === 'mirror' ? [mirror(i, h), mirror(j, w)] : [Math.min(Math.max(i, 0), h - 1), Math.min(Math.max(j, 0), w - 1)];
        return data[(a * w + b) * c + k];
      };
      const wanted = Array.from(data, (_, e) => {
        const k = e % c, j = Math.floor(e / c) % w, i = Math.floor(e / c / w);
        return kernel.reduce((sum, row, u) => sum + row.reduce((s, weight, v) => s + weight * at(i + u - (kh >> 1), j + v - (kw >> 1), k), 0), 0);
      });
      const got = await filter({ data, shape: [h, w, c] }, { kernel, border });
      near(got.data, wanted, 1e-5, `${h} x ${w} x ${c}, ${kh} x ${kw}, ${border}`);
      assert.deepEqual(got.shape, [h, w, c]);
    }
  }
});

test('derivatives of a quadratic: 2 f\' and 4 f\'\' inside; the border replicated', async () => {
  const f = (/** @type {number} */ i, /** @type {number} */ j) => 3 * i + 2 * j + (i * i) / 2 + j * j, size = 9;
  const { x, y, xx, yy } = await derivatives({ data: Float32Array.from({ length: 81 }, (_, e) => f(Math.floor(e / size), e % size)), shape: [size, size] });
  for (const [i, j] of [[4, 4], [2, 6]]) near([x, y, xx, yy].map(({ data }) => data[i * size + j]), [2 * (2 + 2 * j), 2 * (3 + i), 8, 4], 1e-4, `${i} ${j}`);
  near([x.data[0], y.data[80], xx.data[0]], [f(0, 1) - f(0, 0), f(8, 8) - f(7, 8), f(0, 0) - 2 * f(0, 0) + f(0, 2)], 1e-4, 'border');
  assert.deepEqual(x.shape, [size, size]);
});

test('sliding patches: their number, places and pixels; blending them gives the picture back exactly', async () => {
  for (const [h, w, c, size, stride] of /** @type {[number, number, number, any, any][]} */ ([[31, 40, 3, 15, 1], [31, 40, 3, [4, 9], [3, 7]], [14, 14, 1, 14, 5], [1, 8, 1, [1, 3], 2]])) {
    const image = { data: Float32Array.from(noise(h * w * c), v => v / 7), shape: [h, w, c] }, { data, shape, positions } = await slidingPatches(image, { size, stride });
    const [ph, pw] = [size].flat().length === 2 ? size : [size, size], [sh, sw] = Array.isArray(stride) ? stride : [stride, stride];
    assert.deepEqual(shape, [(Math.ceil((h - ph) / sh) + 1) * (Math.ceil((w - pw) / sw) + 1), ph, pw, c]);
    const times = new Float32Array(h * w);
    for (let k = 0; k < shape[0]; k++) {
      for (let i = 0; i < ph; i++) {
        const from = ((positions[2 * k] + i) * w + positions[2 * k + 1]) * c;
        assert.deepEqual(data.subarray((k * ph + i) * pw * c, (k * ph + i + 1) * pw * c), image.data.subarray(from, from + pw * c));
        for (let j = 0; j < pw; j++) times[from / c + j]++;
      }
    }
    if (stride === 1) times.forEach((n, e) => assert.equal(n, Math.min(e / w + 1 | 0, 15, h - (e / w | 0)) * Math.min(e % w + 1, 15, w - e % w))); // h, w >= 29
    assert.ok(times.every(n => n > 0));
    assert.deepEqual(await blendPatches({ data, shape }, { height: h, width: w, positions }), { data: image.data, shape: [h, w, c] });
    near((await blendPatches({ data, shape }, { height: h, width: w, positions, window: 'triangle' })).data, image.data, 1e-5, 'triangle');
  }
  const two = { data: [1, 1, 1, 4, 4, 4], shape: [2, 1, 3, 1] }, overlap = { height: 1, width: 5, positions: [0, 0, 0, 2] };
  near((await blendPatches(two, overlap)).data, [1, 1, 2.5, 4, 4], 1e-6, 'mean');
  near((await blendPatches({ data: [1, 1, 1, 4, 4, 4], shape: [2, 1, 3, 1] }, { height: 1, width: 4, positions: [0, 0, 0, 1], window: 'triangle' })).data, [1, (2 + 4) / 3, (1 + 8) / 3, 4], 1e-6, 'triangle');
});

test('random patches: every place alike over all pictures, the same for a seed', async () => {
  const images = [[20, 30], [4, 40], [11, 12]].map(([h, w], i) => ({ data: noise(h * w).map(v => (v & 0xfc) | i), shape: [h, w, 1] }));
  const { data, shape, positions, images: owner } = await randomPatches(images, { size: [5, 6], count: 4000, seed: 9 });
  assert.deepEqual(shape, [4000, 5, 6, 1]);
  const share = [0, 1, 2].map(i => owner.filter(n => n === i).length), places = [16 * 25, 0, 7 * 7];
  near(share, places.map(n => (4000 * n) / 449), 60, 'by area');
  assert.equal(share[1], 0);
  owner.forEach((n, k) => {
    const [row, col] = positions.subarray(2 * k), from = row * images[n].shape[1] + col;
    assert.ok(row <= images[n].shape[0] - 5 && col <= images[n].shape[1] - 6);
    assert.deepEqual(data.subarray(30 * k, 30 * k + 6), images[n].data.subarray(from, from + 6));
  });
  assert.equal(new Set(owner.map((n, k) => n * 1e6 + positions[2 * k] * 1e3 + positions[2 * k + 1])).size > 440, true, 'nearly all places are met');
  assert.deepEqual((await randomPatches(images, { size: [5, 6], count: 4000, seed: 9 })).positions, positions);
  assert.notDeepEqual((await randomPatches(images, { size: [5, 6], count: 4000, seed: 2 ** 32 + 9 })).positions, positions);
});

test('mistakes are named', async () => {
  const a = { data: new Uint8Array(12), shape: [2, 2, 3] }, flat = { data: new Uint8Array(4), shape: [2, 2] }, patch = { data: [1, 2, 3, 4], shape: [1, 2, 2, 1] };
  for (const [work, code, pattern] of /** @type {[() => unknown, string, RegExp][]} */ ([
    [() => rgbToYcbcr(flat), 'shape', /rgbToYcbcr: 1 channels, expected 3 or 4/], [() => ycbcrToRgb(a, { range: /** @type {any} */ ('ful') }), 'argument', /did you mean "full"/],
    [() => filter(a, { kernel: [[1, 2]] }), 'argument', /a kernel of 1 x 2, expected odd sides/], [() => filter(a, { kernel: [[1], [1, 2], [3]] }), 'shape', /kernel\[1\]/],
    [() => filter(a, { kernel: [[NaN]] }), 'argument', /kernel\[0\]\[0\] = nan/i], [() => filter(a, /** @type {any} */ ({})), 'argument', /expected rows of numbers, got undefined/],
    [() => filter(a, { kernel: [[1]], border: /** @type {any} */ ('wrap') }), 'argument', /border = "wrap"/], [() => slidingPatches(a, { size: 3 }), 'shape', /2 x 2 pixels, less than a patch: 3 x 3/],
    [() => slidingPatches(a, { size: 1, stride: 0 }), 'argument', /stride = 0/], [() => randomPatches([a], { size: 3, count: 1 }), 'shape', /no picture is as large/],
    [() => randomPatches([a, flat], { size: 1, count: 1 }), 'shape', /picture 1 differs/], [() => randomPatches([a], { size: 1, count: 1, seed: 0.5 }), 'argument', /seed = 0\.5/],
    [() => blendPatches(patch, { height: 3, width: 2, positions: [0, 0] }), 'argument', /no patch covers row 2, column 0/],
    [() => blendPatches(patch, { height: 2, width: 2, positions: [0, 1] }), 'argument', /patch 0 begins at row 0, column 1: 2 x 2 pixels of it do not fit/],
    [() => blendPatches(patch, { height: 2, width: 2, positions: [0] }), 'shape', /1 positions/], [() => blendPatches({ ...patch, data: [1, 2, NaN, 4] }, { height: 2, width: 2, positions: [0, 0] }), 'argument', /nan/i],
  ])) await refuses(work, code, pattern);
});
