// MAT-files of level 5, written here by their specification: numbers, texts and cells, packed or not, in both byte orders.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError } from '../../bindings/index.js';
import { readMat } from '../../bindings/files/index.js';
import { readRatings } from '../../bindings/quality/index.js';
import { matFile, matVariable as variable } from './matkit.js';
import { below, random, refuses } from './filekit.js';

const names = (list) => ({ shape: [list.length, 1], cells: list.map((text) => ({ shape: [1, text.length], text })) });

test('readMat: all numeric classes, texts of several rows, cells; packed or not, in both byte orders', async () => {
  for (const little of [true, false]) {
    for (const packed of [false, true]) {
      const file = matFile([
        variable('x', { shape: [2, 2], numbers: [1, -2.5, 3, 1e300] }, { little }),
        variable('b', { shape: [1, 3], numbers: [1, 2, 255], storage: 2 }, { little }), // doubles that were stored as bytes
        variable('i', { shape: [1, 2], numbers: [-7, 9], storage: 5, kind: 12 }, { little }),
        variable('t', { shape: [2, 2], text: 'acbd' }, { little }),
        variable('c', { shape: [1, 2], cells: [{ shape: [1, 5], text: 'a.jpg' }, { shape: [1, 1], cells: [{ shape: [1, 1], numbers: [4] }] }] }, { little }),
        variable('e', { shape: [0, 0], numbers: [] }, { little }),
      ], { little, packed });
      const found = await readMat(file);
      assert.deepEqual([...found.keys()], ['x', 'b', 'i', 't', 'c', 'e']);
      assert.deepEqual(found.get('x'), { shape: [2, 2], data: Float64Array.of(1, -2.5, 3, 1e300) });
      assert.deepEqual([found.get('b').data, found.get('i').data], [Float64Array.of(1, 2, 255), Float64Array.of(-7, 9)]);
      assert.deepEqual(found.get('t').data, ['ab', 'cd']);
      assert.deepEqual(found.get('c').data, [{ shape: [1, 5], data: ['a.jpg'] }, { shape: [1, 1], data: [{ shape: [1, 1], data: Float64Array.of(4) }] }]);
      assert.deepEqual(found.get('e'), { shape: [0, 0], data: new Float64Array(0) });
    }
  }
});

test('readMat refuses other formats, and classes it does not read, by name', async () => {
  await refuses(() => readMat(new Uint8Array(200)), 'file', /no MAT-file of level 5/);
  await refuses(() => readMat(new TextEncoder().encode(`MATLAB 7.3 MAT-file${' '.repeat(200)}`)), 'unsupported', /version 7\.3; save it with -v7/);
  await refuses(() => readMat(matFile([variable('s', { shape: [1, 1], numbers: [1], kind: 2 })])), 'unsupported', /"s" is a struct/);
  await refuses(() => readMat(matFile([variable('z', { shape: [1, 1], numbers: [1], flags: 0x800 })])), 'unsupported', /"z" has complex numbers/);
  await refuses(() => readMat(matFile([variable('n', { shape: [2, 2], numbers: [1] })])), 'file', /"n": 1 numbers for a shape of \[2,2\]/);
  await refuses(() => readMat(matFile([variable('x', { shape: [1, 999], numbers: new Array(999).fill(0) })], { packed: true }), { maxBytes: 99 }), 'file', /unpacks to more/);
});

test('readMat of damaged bytes: variables or a HeddleError', async () => {
  const int = below(random(4)), make = (packed) => matFile([variable('x', { shape: [1, 3], numbers: [1, 2, 3] }), variable('c', names(['a', 'bc']))], { packed });
  let refused = 0;
  for (let round = 0; round < 1500; round++) {
    const bytes = make(round % 2 === 0), cut = int(4) ? bytes : bytes.subarray(0, int(bytes.length));
    for (let change = int(4); change >= 0 && cut.length; change--) cut[128 * int(2) + int(Math.max(1, cut.length - 128))] = int(256);
    try {
      await readMat(cut);
    } catch (error) {
      assert.ok(error instanceof HeddleError, error?.stack);
      refused++;
    }
  }
  assert.ok(refused > 500);
});

test("readRatings: the three files of CLIVE's release are one table, without the pictures that trained the raters", async () => {
  const images = names(['t1.bmp', 't7.bmp', '3.bmp', '4.JPG']), row = (numbers) => ({ shape: [1, 4], numbers });
  const files = [variable('AllImages_release', images), variable('AllMOS_release', row([63.9, 25, 33.5, 50.25])), variable('AllStdDev_release', row([18, 13, 17.5, 16]))]
    .map((one, i) => matFile([one], { packed: i !== 1 }));
  const want = { images: ['3.bmp', '4.JPG'], scores: Float64Array.of(33.5, 50.25), known: 'clive', std: Float64Array.of(17.5, 16),
    columns: { image: 'AllImages_release', score: 'AllMOS_release', std: 'AllStdDev_release' }, omitted: ['t1.bmp', 't7.bmp'] };
  assert.deepEqual(await readRatings(files), want);
  assert.deepEqual(await readRatings(files.map((bytes) => new Blob([bytes])).toReversed()), want);
  await refuses(() => readRatings(files.slice(1)), 'file', /no column of picture names among "AllMOS_release", "AllStdDev_release"/);
  await refuses(() => readRatings(['image,mos\nx,1\ny,2\n', 'a,b\n']), 'argument', /2 sources, expected one, or several MAT-files/);
  const mine = matFile([variable('files', names(['a', 'b'])), variable('q', { shape: [2, 1], numbers: [1, 2] }), variable('n', { shape: [1, 1], numbers: [2] })]);
  assert.deepEqual((await readRatings(mine, { image: 'files', score: 'q' })).scores, Float64Array.of(1, 2));
});
