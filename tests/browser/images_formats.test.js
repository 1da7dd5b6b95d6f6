// Less usual files in Chromium: read as in Node, or refused with the reason; and what the engine does with pixels, in a page.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hugePng, readable, truncatedJpeg } from '../api/formatkit.js';
import { withPage } from './pagekit.js';

const path = 'tests/browser/blank.html';

test('palettes, 16 bits, animations, CMYK and progressive files give 8 bits of RGB', async () => {
  const files = await readable();
  await withPage({ path }, async (page) => {
    const found = await page.evaluate(async (given) => {
      const { imageToTensor } = await import('/bindings/images/index.js');
      const tensors = [];
      for (const bytes of given) {
        const { data, shape } = await imageToTensor(new Blob([Uint8Array.from(bytes)]));
        tensors.push({ data: [...data], shape });
      }
      return tensors;
    }, files.map(({ file }) => [...file]));
    files.forEach(({ name, shape, pixels, tolerance }, i) => {
      assert.deepEqual(found[i].shape, shape, name);
      pixels.forEach((value, e) => assert.ok(Math.abs(found[i].data[e] - value) <= tolerance, `${name}, element ${e}: ${found[i].data[e]}, expected ${value}`));
    });
  });
});

test('cut and huge files are refused, never zeros; a large one is shrunk on the way', { timeout: 120_000 }, async () => {
  const files = [await truncatedJpeg(), hugePng(40_000, 30_000), hugePng(70_000, 10), hugePng(70_000, 10), hugePng(5000, 4000)].map((file) => [...file]);
  await withPage({ path }, async (page) => {
    const told = await page.evaluate(async (given) => {
      const { imageToTensor } = await import('/bindings/images/index.js');
      const answers = [];
      for (const [i, bytes] of given.entries()) {
        const options = i >= 3 ? { width: 5, height: 4 } : {};
        answers.push(await imageToTensor(new File([Uint8Array.from(bytes)], `${i}.png`), options)
          .then(({ data, shape }) => `${shape} ${data.every((v) => v === 0)}`, (error) => `${error.name} ${error.code}: ${error.message}`));
      }
      return answers;
    }, files);
    const refused = /^HeddleError (file|unsupported): imageToTensor: picture "\d\.png": (the browser can't decode it|\d+ x \d+ pixels are more than a canvas)/;
    for (const answer of told.slice(0, 3)) assert.match(answer, refused);
    assert.match(told[3], /^4,5,3 true$|^HeddleError/); // some decoders take no side of 70,000
    assert.equal(told[4], '4,5,3 true');
  });
});

test('resize, ssim and distort in a page: the worker of the engine gives the bytes of Node', { timeout: 60_000 }, async () => {
  const work = async () => {
    const { init } = await import('/bindings/index.js');
    const { distort, resize, ssim } = await import('/bindings/images/index.js');
    await init({ deterministic: true });
    const image = { data: Uint8Array.from({ length: 40 * 30 * 3 }, (_, i) => (i * i * 7) % 251), shape: [40, 30, 3] };
    const small = await resize(image, { width: 17, height: 23 }), bad = await distort(small, { kind: 'whiteNoise', level: 3, seed: 5 });
    return { small: [...small.data], bad: [...bad.data], ssim: await ssim(bad, small) };
  };
  const { init } = await import('../../bindings/index.js'), images = await import('../../bindings/images/index.js');
  await init({ deterministic: true });
  const image = { data: Uint8Array.from({ length: 40 * 30 * 3 }, (_, i) => (i * i * 7) % 251), shape: [40, 30, 3] };
  const small = await images.resize(image, { width: 17, height: 23 }), bad = await images.distort(small, { kind: 'whiteNoise', level: 3, seed: 5 });
  await withPage({ path }, async (page) => {
    assert.deepEqual(await page.evaluate(work), { small: [...small.data], bad: [...bad.data], ssim: await images.ssim(bad, small) });
  });
});
