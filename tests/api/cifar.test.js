import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cifar100Classes, cifar100CoarseClasses, cifar10Classes, gzip, readCifar10, readCifar100 } from '../../bindings/files/index.js';
import { refuses } from './filekit.js';

/** Records whose pixel p of channel c in image n is (n + 7 c + p) mod 256. */
function file(count, labels) {
  const size = labels.length + 3072, bytes = new Uint8Array(count * size);
  for (let n = 0; n < count; n++) {
    labels.forEach((label, i) => { bytes[n * size + i] = label(n); });
    for (let c = 0; c < 3; c++) for (let p = 0; p < 1024; p++) bytes[n * size + labels.length + c * 1024 + p] = n + 7 * c + p;
  }
  return bytes;
}

function checkPixels({ data, shape }, count) {
  assert.deepEqual(shape, [count, 32, 32, 3]);
  for (const [n, p, c] of [[0, 0, 0], [1, 33, 2], [count - 1, 1023, 1]]) {
    assert.equal(data[(n * 1024 + p) * 3 + c], (n + 7 * c + p) % 256);
  }
}

test('CIFAR-10 and CIFAR-100 records become NHWC bytes and labels, packed or not', async () => {
  const ten = file(3, [(n) => 9 - n]), hundred = file(4, [(n) => 19 - n, (n) => 96 + n]);
  for (const bytes of [ten, ten.buffer, await gzip(ten)]) {
    const { images, labels } = await readCifar10(bytes);
    checkPixels(images, 3);
    assert.deepEqual([...labels], [9, 8, 7]);
  }
  const { images, labels, coarseLabels } = await readCifar100(hundred);
  checkPixels(images, 4);
  assert.deepEqual([[...labels], [...coarseLabels]], [[96, 97, 98, 99], [19, 18, 17, 16]]);
});

test('names of the classes: in alphabetical order, as the sets have them', () => {
  for (const [names, count] of /** @type {const} */ ([[cifar10Classes, 10], [cifar100Classes, 100], [cifar100CoarseClasses, 20]])) {
    assert.equal(new Set(names).size, count);
  }
  for (const names of [cifar100Classes, cifar100CoarseClasses]) assert.deepEqual([...names].sort(), [...names]);
  const known = /** @type {const} */ ([[0, 'apple'], [23, 'cloud'], [49, 'mountain'], [71, 'sea'], [82, 'sunflower'], [99, 'worm']]);
  for (const [label, name] of known) assert.equal(cifar100Classes[label], name);
});

test('cut, empty and foreign files are refused with the record', async () => {
  const bytes = file(3, [() => 1]);
  await refuses(() => readCifar10(bytes.subarray(0, 7000)), 'file', /7000 bytes, expected a multiple of 3073 .*record 2 has 854/);
  await refuses(() => readCifar10(new Uint8Array(0)), 'file', /no whole record/);
  await refuses(() => readCifar100(bytes), 'file', /multiple of 3074/);
  bytes[2 * 3073] = 10;
  await refuses(() => readCifar10(bytes), 'file', /record 2 has the label 10, expected 0\.\.9/);
  await refuses(() => readCifar100(file(2, [() => 20, () => 0])), 'file', /record 0 has the coarse label 20/);
  // @ts-expect-error not bytes
  await refuses(() => readCifar10('file'), 'argument', /readCifar10/);
});

test('the first records of the real data', async (t) => {
  const path = join(process.env.HEDDLE_DATA ?? '', 'cifar10', 'train_lossless_first4000.bin.gz');
  if (!process.env.HEDDLE_DATA || !existsSync(path)) return t.skip('no CIFAR-10: set HEDDLE_DATA to a folder with cifar10/train_lossless_first4000.bin.gz');
  const { images: { data, shape }, labels } = await readCifar10(readFileSync(path));
  assert.deepEqual(shape, [4000, 32, 32, 3]);
  assert.deepEqual([data[0], data[3], data[6], data[9]], [59, 43, 50, 68]); // as published
  assert.equal(cifar10Classes[labels[0]], 'frog');
});
