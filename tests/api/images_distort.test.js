// distort: PSNR falls with the level, what each kind is, seeds; JPEG against PIL's, blur against a float64 sum over the plane.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distort, distortions, psnr } from '../../bindings/images/index.js';
import { refuses } from './filekit.js';
import { bytes, golden, near, noise } from './pixelkit.js';

const file = golden('distort.json'), [H, W] = file.shape, levels = /** @type {const} */ ([1, 2, 3, 4, 5]);
/** The picture of distort.py, of any size and number of channels: blocks of all colours with a ramp on them. */
const blocks = noise(4000), scene = (/** @type {number} */ h, /** @type {number} */ w, /** @type {number} */ c) => ({ shape: [h, w, c], data: Uint8Array.from({ length: h * w * c }, (_, e) => {
  const k = e % c, j = Math.floor(e / c) % w, i = Math.floor(e / c / w);
  return 30 + Math.floor((blocks[(Math.floor(i / 7) * 40 + Math.floor(j / 7)) * 4 + k] * 3) / 4) + ((i + 2 * j) % 32);
}) });

test('PSNR falls from level to level, on bytes and on floats, whatever the seed', async () => {
  assert.equal(distortions.length, 8);
  for (const image of [scene(90, 120, 3), scene(40, 33, 3)]) {
    for (const kind of distortions) {
      for (const seed of [0, 1, 2 ** 40]) {
        const values = await Promise.all(levels.map(async level => psnr(await distort(image, { kind, level, seed }), image)));
        values.forEach((value, i) => assert.ok(value < (values[i - 1] ?? 45) - 0.1 && value > 4, `${kind}: ${values}`));
        const floats = { ...image, data: Float32Array.from(image.data, v => v / 255) }, y = await distort(floats, { kind, level: 3, seed });
        near([await psnr(y, floats)], [values[2]], 0.05, `${kind} of floats`);
        assert.ok(y.data instanceof Float32Array && y.data.every(v => v >= 0 && v <= 1), kind);
      }
    }
  }
});

test('jpegBlocking is JPEG at those qualities; gaussianBlur is the Gaussian of two dimensions', async () => {
  const colour = scene(H, W, 3), grey = { data: colour.data.filter((_, i) => i % 3 === 0), shape: [H, W] };
  for (const level of levels) {
    for (const [image, wanted] of /** @type {const} */ ([[colour, file.colour], [grey, file.grey]])) {
      const { data } = await distort(image, { kind: 'jpegBlocking', level }), other = bytes(wanted[level - 1]);
      assert.ok(await psnr({ ...image, data }, { ...image, data: other }) > 43, `level ${level}`); // transforms round, and a tie moves a block
    }
    near((await distort(colour, { kind: 'gaussianBlur', level })).data, bytes(file.blur[level - 1]), 1, `blur ${level}`);
  }
});

test('what the kinds are: noise of its deviation and share, contrast and colour by their factors, a line of light', async () => {
  const flat = { data: new Uint8Array(300 * 300).fill(128), shape: [300, 300] };
  for (const [i, level] of levels.entries()) {
    const { data } = await distort(flat, { kind: 'whiteNoise', level, seed: 3 }), mean = data.reduce((a, b) => a + b) / data.length;
    if (level < 5) near([Math.sqrt(data.reduce((a, b) => a + (b - mean) ** 2, 0) / data.length) / [5, 10, 20, 35][i], mean / 128], [1, 1], 0.02, 'deviation and mean');
    const struck = (await distort(flat, { kind: 'impulseNoise', level, seed: 3 })).data.filter(v => v !== 128), share = [0.005, 0.02, 0.05, 0.1, 0.2][i];
    near([struck.length / 9e4 / share, struck.filter(v => v === 255).length / struck.length], [1, 0.5], 0.12, 'share, half of it white');
    assert.ok(struck.every(v => v === 0 || v === 255));
  }
  const pixel = { data: Uint8Array.of(200, 100, 50, 77), shape: [1, 1, 4] }, luma = 0.299 * 200 + 0.587 * 100 + 0.114 * 50;
  near((await distort(pixel, { kind: 'colour', level: 2 })).data, [200, 100, 50].map(v => Math.round(luma + 0.5 * (v - luma))).concat(77), 0, 'colour');
  near((await distort({ data: Uint8Array.of(0, 200), shape: [1, 2] }, { kind: 'contrast', level: 2 })).data, [40, 160], 0, 'contrast');
  const point = { data: new Float32Array(61 * 61), shape: [61, 61] };
  point.data[30 * 61 + 30] = 1;
  const line = (await distort(point, { kind: 'motionBlur', level: 5, seed: 4 })).data, lit = [...line.keys()].filter(i => line[i] > 0.01);
  near([line.reduce((a, b) => a + b)], [1], 1e-5, 'light stays');
  const far = Math.max(...lit.map(i => Math.hypot(Math.floor(i / 61) - 30, i % 61 - 30)));
  assert.ok(far > 11 && far < 14 && lit.length < 70 && line[30 * 61 + 30] > 0.02, `${far} ${lit.length}`);
});

test('the seed decides what is drawn, and only that; alpha stays; 1 x 1 works', async () => {
  const image = scene(30, 30, 4), drawn = ['motionBlur', 'whiteNoise', 'impulseNoise'];
  for (const kind of distortions) {
    const [a, b, c] = await Promise.all([7, 7, 8].map(seed => distort(image, { kind, level: 4, seed })));
    assert.deepEqual(a, b);
    assert.equal(a.data.some((v, i) => v !== c.data[i]), drawn.includes(kind), kind);
    assert.deepEqual(a.data.filter((_, i) => i % 4 === 3), image.data.filter((_, i) => i % 4 === 3), kind);
    for (const shape of [[1, 1, 3], [1, 9, 3], [9, 1, 3]]) assert.deepEqual((await distort({ data: noise(shape[0] * shape[1] * 3), shape }, { kind, level: 5 })).shape, shape);
  }
});

test('what can not be distorted is refused', async () => {
  const grey = { data: new Uint8Array(4), shape: [2, 2] };
  for (const [options, code, pattern] of /** @type {[any, string, RegExp][]} */ ([
    [{ kind: 'colour', level: 1 }, 'shape', /colour of 1 channels/], [{ kind: 'gausianBlur', level: 1 }, 'argument', /did you mean "gaussianBlur"/], [{ kind: 'contrast' }, 'argument', /level = undefined/],
    [{ kind: 'contrast', level: 6 }, 'argument', /level = 6, expected 1, 2, 3, 4 or 5/], [{ kind: 'contrast', level: 1, seed: -1 }, 'argument', /seed = -1/],
    [{ kind: 'contrast', level: 1, seed: 0.5 }, 'argument', /seed = 0\.5/], [{ kind: 'contrast', levle: 1 }, 'argument', /unknown option "levle"/],
  ])) await refuses(() => distort(grey, options), code, pattern);
});
