// Less usual files through sharp: read, or refused with the reason.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { imageToTensor } from '../../bindings/images/index.js';
import { refuses } from './filekit.js';
import { hugePng, quarters, readable, truncatedJpeg, truncatedPng } from './formatkit.js';
import { near } from './pixelkit.js';

test('palettes, 16 bits, animations, CMYK and progressive files give 8 bits of RGB', async () => {
  const files = await readable();
  assert.equal(files[0].file[25], 3, 'colour type: palette');
  const kinds = await Promise.all(['PNG of 16 bits', 'grey PNG of 16 bits', 'CMYK JPEG', 'animated GIF, its first frame'].map(name => sharp(files.find(file => file.name === name)?.file).metadata()));
  assert.deepEqual([kinds[0].depth, kinds[1].depth, kinds[2].space, kinds[3].pages], ['ushort', 'ushort', 'cmyk', 2]);
  for (const { name, file, shape, pixels, tolerance } of files) {
    const tensor = await imageToTensor(new Uint8Array(file));
    assert.deepEqual(tensor.shape, shape, name);
    near(tensor.data, pixels, tolerance, name);
  }
  assert.equal(quarters.length, 72);
});

test('cut and huge files are refused; a large one is shrunk on the way', { timeout: 60_000 }, async () => {
  await refuses(async () => imageToTensor(await truncatedJpeg()), 'file', /imageToTensor: picture: it can't be decoded: .*premature end/);
  await refuses(() => imageToTensor(truncatedPng()), 'file', /imageToTensor: picture: it can't be decoded: /);
  await refuses(() => imageToTensor(hugePng(40_000, 40_000)), 'file', /it can't be decoded: .*exceeds pixel limit/i);
  const { data, shape } = await imageToTensor(hugePng(5000, 4000), { width: 5, height: 4 });
  assert.deepEqual([shape, [...data]], [[4, 5, 3], Array(60).fill(0)]);
});
