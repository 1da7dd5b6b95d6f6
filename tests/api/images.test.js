import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { folderOfImages, imageToTensor, imagesToTensor } from '../../bindings/images/index.js';
import { refuses } from './filekit.js';

const folder = mkdtempSync(join(tmpdir(), 'heddle-images-'));
after(() => rmSync(folder, { recursive: true }));

/** 2 rows of 3 pixels, RGBA: red, green, blue; white, half transparent black, transparent. */
const rgba = Uint8Array.from([255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 255, 255, 255, 255, 0, 0, 0, 128, 9, 9, 9, 0]);
const encoded = await sharp(rgba, { raw: { width: 3, height: 2, channels: 4 } }).png().toBuffer();
const onWhite = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 127, 127, 127, 255, 255, 255];

const near = (/** @type {Uint8Array} */ got, /** @type {number[]} */ wanted) => {
  assert.equal(got.length, wanted.length);
  wanted.forEach((value, i) => assert.ok(Math.abs(got[i] - value) <= 1, `element ${i}: ${got[i]}, expected ${value}`));
};

test('paths, URLs, bytes, Blobs and raw pixels give the same RGB bytes, transparent ones on white', async () => {
  const path = join(folder, 'a.png');
  writeFileSync(path, encoded);
  const sources = [path, pathToFileURL(path), new Uint8Array(encoded), encoded.buffer.slice(encoded.byteOffset, encoded.byteOffset + encoded.length),
    new Blob([encoded]), { data: rgba, width: 3, height: 2 }];
  for (const source of sources) {
    const { data, shape } = await imageToTensor(source);
    assert.deepEqual(shape, [2, 3, 3]);
    near(data, onWhite);
  }
  near((await imageToTensor(path, { background: [0, 0, 0] })).data.subarray(12), [0, 0, 0, 0, 0, 0]);
});

test('grey is BT.601; sizes and fits', async () => {
  near((await imageToTensor(encoded, { channels: 1 })).data, [76, 150, 29, 255, 127, 255]);
  const flat = (/** @type {number} */ width, /** @type {number} */ height) => ({ data: new Uint8Array(3 * width * height).fill(100), width, height });
  for (const fit of /** @type {const} */ (['fill', 'cover', 'contain'])) {
    const { data, shape } = await imageToTensor(flat(40, 20), { width: 10, height: 10, fit, background: [7, 8, 9] });
    assert.deepEqual(shape, [10, 10, 3]);
    assert.deepEqual([...data.subarray(0, 3)], fit === 'contain' ? [7, 8, 9] : [100, 100, 100]);
    assert.equal(data[(5 * 10 + 5) * 3], 100);
  }
  const { data, shape } = await imageToTensor(await sharp(Buffer.alloc(4, 50), { raw: { width: 2, height: 2, channels: 1 } }).png().toBuffer());
  assert.deepEqual([shape, [...data]], [[2, 2, 3], Array(12).fill(50)]);
});

test('four channels: alpha, and the colours under it; opaque pictures get 255; background only around', async () => {
  assert.deepEqual(await imageToTensor(encoded, { channels: 4 }), { data: rgba, shape: [2, 3, 4] });
  assert.deepEqual((await imageToTensor({ data: Uint8Array.of(1, 2, 3), width: 1, height: 1 }, { channels: 4 })).data, Uint8Array.of(1, 2, 3, 255));
  const grey = await sharp(Uint8Array.of(50, 7, 60, 255), { raw: { width: 2, height: 1, channels: 2 } }).toColourspace('b-w').png().toBuffer();
  assert.equal((await sharp(grey).metadata()).channels, 2);
  assert.deepEqual((await imageToTensor(grey, { channels: 4 })).data, Uint8Array.of(50, 50, 50, 7, 60, 60, 60, 255));
  const clear = { data: new Uint8Array(4 * 4 * 2), width: 4, height: 2 }, { data } = await imageToTensor(clear, { width: 4, height: 4, fit: 'contain', channels: 4, background: [7, 8, 9] });
  assert.deepEqual([[...data.subarray(0, 4)], data[4 * 5 + 3]], [[7, 8, 9, 255], 0]);
});

test('the orientation mark of cameras is respected', async () => {
  const turned = await sharp(rgba, { raw: { width: 3, height: 2, channels: 4 } }).removeAlpha().withMetadata({ orientation: 6 }).png().toBuffer();
  const { shape, data } = await imageToTensor(turned);
  assert.deepEqual(shape, [3, 2, 3]); // turned clockwise by 90 degrees: the upper left was the lower left
  near(data.subarray(3, 6), [255, 0, 0]);
});

test('16 bits, CMYK and JPEG: 8 bits of RGB; cut JPEG files are refused', async () => {
  const deep = await sharp(Uint16Array.from([65535, 0, 32768]), { raw: { width: 1, height: 1, channels: 3 } }).toColourspace('rgb16').png().toBuffer();
  assert.equal((await sharp(deep).metadata()).depth, 'ushort');
  near((await imageToTensor(deep)).data, [255, 0, 128]);
  const grey = sharp({ create: { width: 8, height: 8, channels: 3, background: { r: 90, g: 90, b: 90 } } });
  const cmyk = await grey.clone().toColourspace('cmyk').jpeg().toBuffer();
  assert.equal((await sharp(cmyk).metadata()).space, 'cmyk');
  for (const [file, tolerance] of /** @type {const} */ ([[cmyk, 16], [await grey.clone().jpeg().toBuffer(), 1]])) { // profiles of inks are coarse
    const { data, shape } = await imageToTensor(file);
    assert.deepEqual(shape, [8, 8, 3]);
    assert.ok(data.every(value => Math.abs(value - 90) <= tolerance), String(data.subarray(0, 6)));
  }
  const noise = Uint8Array.from({ length: 3 * 64 * 64 }, (_, i) => (i * i * 7) % 251);
  const whole = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } }).jpeg().toBuffer();
  await refuses(() => imageToTensor(whole.subarray(0, whole.length / 2)), 'file', /can't be decoded: .*premature end/);
});

test('without the package sharp the error says how to get it', () => {
  const copy = join(folder, 'alone');
  for (const name of ['errors.js', 'platform.js', 'images']) cpSync(new URL(`../../bindings/${name}`, import.meta.url), join(copy, name), { recursive: true });
  writeFileSync(join(copy, 'package.json'), '{ "type": "module" }');
  const ask = () => spawnSync(process.execPath, ['--input-type=module', '-e', `
    const { imageToTensor } = await import(${JSON.stringify(pathToFileURL(join(copy, 'images', 'index.js')).href)});
    await imageToTensor('a.png').catch(({ name, code, message }) => console.log(name, code, message));`], { cwd: copy, encoding: 'utf8' });
  assert.match(ask().stdout, /^HeddleError unsupported pictures in Node need the package sharp: npm install sharp\n$/);
  mkdirSync(join(copy, 'node_modules', 'sharp'), { recursive: true });
  writeFileSync(join(copy, 'node_modules', 'sharp', 'index.js'), 'throw new Error("no libvips for this system");');
  assert.match(ask().stdout, /^HeddleError unsupported .*does not load: no libvips for this system/);
});

test('many pictures, progress, abort', async () => {
  /** @type {number[]} */
  const seen = [];
  const { data, shape } = await imagesToTensor([encoded, encoded], { width: 3, height: 2, onProgress: done => seen.push(done) });
  assert.deepEqual([shape, seen], [[2, 2, 3, 3], [1, 2]]);
  near(data.subarray(18), onWhite);
  const controller = new AbortController();
  await assert.rejects(imagesToTensor([encoded, encoded, encoded], { width: 3, height: 2, signal: controller.signal, onProgress: () => controller.abort() }), { name: 'AbortError' });
});

test('folders are classes', async () => {
  const root = join(folder, 'classes');
  for (const name of ['cats', 'dogs', 'none']) mkdirSync(join(root, name), { recursive: true });
  for (const name of ['dogs/b.png', 'cats/2.PNG', 'cats/1.png', 'cats/notes.txt', 'cats/._1.png']) {
    writeFileSync(join(root, name), encoded);
  }
  mkdirSync(join(root, '.cache'));
  writeFileSync(join(root, '.cache', 'a.png'), encoded);
  const { files, labels, classes } = await folderOfImages(root);
  assert.deepEqual(files.map(file => file.slice(root.length + 1)), ['cats/1.png', 'cats/2.PNG', 'dogs/b.png']);
  assert.deepEqual([[...labels], classes], [[0, 0, 1], ['cats', 'dogs']]);
  symlinkSync(join(root, 'cats'), join(root, 'linked'));
  assert.deepEqual((await folderOfImages(root)).classes, ['cats', 'dogs', 'linked']);
  await refuses(() => folderOfImages(join(root, 'none')), 'file', /none" has no folders with pictures/);
  await refuses(() => folderOfImages(join(root, 'missing')), 'file', /can't read the folder .*missing/);
});

test('what is no picture is refused by name', async () => {
  const text = join(folder, 'text.png');
  writeFileSync(text, 'no picture');
  await refuses(() => imageToTensor(text), 'file', /imageToTensor: picture ".*text\.png": it can't be decoded/);
  await refuses(() => imageToTensor(join(folder, 'missing.png')), 'file', /missing\.png/);
  await refuses(() => imageToTensor(encoded.subarray(0, encoded.length - 20)), 'file', /picture: it can't be decoded/);
  await refuses(() => imagesToTensor([encoded, new Uint8Array(5)], { width: 2, height: 2 }), 'file', /picture 1: it can't be decoded/);
  await refuses(() => imagesToTensor([], { width: 2, height: 2 }), 'argument', /no pictures/);
  for (const [source, options, pattern] of /** @type {[any, any, RegExp][]} */ ([
    [null, {}, /expected a picture, got null/], [5, {}, /got number/], [{ data: rgba, width: 5, height: 2 }, {}, /raw pixels need .*5 x 2 and 24 bytes/],
    [{ data: new Uint8Array(9), width: 1.5, height: 2 }, {}, /raw pixels need .*1\.5 x 2/], [{ data: new Uint16Array(12), width: 2, height: 2 }, {}, /raw pixels/],
    [{ data: new Uint8Array(0), width: 0, height: 0 }, {}, /0 x 0/], [encoded, { width: 3 }, /together/], [encoded, { width: 0, height: 2 }, /width = 0/], [encoded, { width: 2, height: 2, fit: 'crop' }, /fit = "crop"/],
    [encoded, { channels: 2 }, /channels = 2/], [encoded, { background: [1, 2] }, /background/], [encoded, { hieght: 3 }, /unknown option "hieght"/],
    [new URL('https://example.org/a.png'), {}, /fetch others/],
  ])) await refuses(() => imageToTensor(source, options), 'argument', pattern);
});
