// Hostile files in Chromium: pictures cut, changed, mislabelled, of odd sizes, and models' files: an answer or heddle's own error for each, and a model
// made before gives the same bits. And many models one after the other: the engine's memory stays as it is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import sharp from 'sharp';
import { hugePng } from '../api/formatkit.js';
import { classifier, fresh } from '../api/modelkit.js';
import { edits, mutated } from '../fuzz/mutations.js';
import { withPage } from './pagekit.js';

const path = 'tests/browser/blank.html';

const picture = (/** @type {number} */ width, /** @type {number} */ height) => sharp({ create: { width, height, channels: 3, background: { r: 200, g: 10, b: 60 } } });
/** The same changes each time. @param {Uint8Array} bytes @param {number} count */
const changed = (bytes, count) => fc.sample(edits, { seed: 1, numRuns: count }).map((list) => mutated(bytes, list));
const cuts = (/** @type {Uint8Array} */ bytes, /** @type {number} */ count) => Array.from({ length: count }, (_, i) => bytes.slice(0, Math.floor(i * bytes.length / count)));

/** In the page: an answer for each file, and what a model gives before and after them. */
async function answers({ files, kind }) {
  const { init, info, layers, load, sequential } = await import('/bindings/index.js');
  const { imageToTensor } = await import('/bindings/images/index.js');
  await init({ deterministic: true, threads: 1 });
  const net = await sequential([layers.input({ shape: [4] }), layers.dense({ units: 3, activation: 'tanh' })], { seed: 3 }), x = [[1, 2, 3, 4]];
  const before = [...(await net.predict(x)).data], { used } = info().memory, found = [];
  for (const [type, text] of files) {
    const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
    const reading = kind === 'model' ? load(bytes).then((made) => (made.dispose(), 'read')) : imageToTensor(new Blob([bytes], { type })).then(({ data, shape }) => `${shape.join()} ${data.length}`);
    found.push(await reading.catch((error) => `${error.name} ${error.code}: ${error.message}`));
  }
  const after = [...(await net.predict(x)).data];
  return { found, before, after, left: info().memory.used - used };
}

/** @param {string} kind @param {[string, Uint8Array][]} files type, bytes */
async function told(kind, files) {
  let found = [];
  await withPage({ path }, async (page) => {
    const given = { kind, files: files.map(([type, bytes]) => [type, Buffer.from(bytes).toString('base64')]) };
    const all = await page.evaluate(answers, /** @type {any} */ (given));
    assert.deepEqual(all.after, all.before);
    assert.ok(Math.abs(all.left) < 1000, `${all.left} bytes are left in the engine`);
    found = all.found;
  });
  return found;
}

test('pictures that are cut or changed are read or refused', { timeout: 120_000 }, async () => {
  const formats = ['png', 'jpeg', 'webp', 'gif'], files = /** @type {[string, Uint8Array][]} */ ([]);
  for (const format of formats) {
    const bytes = new Uint8Array(await picture(9, 7).toFormat(/** @type {any} */ (format)).toBuffer());
    for (const one of [...cuts(bytes, 40), ...changed(bytes, 60)]) files.push([`image/${format}`, one]);
  }
  const found = await told('picture', files);
  for (const answer of found) assert.match(answer, /^(\d+),(\d+),3 \d+$|^HeddleError (file|unsupported|memory): imageToTensor: /);
  for (const [at, answer] of found.entries()) {
    const [height, width, length] = (/^(\d+),(\d+),3 (\d+)$/.exec(answer) ?? []).slice(1).map(Number);
    if (length !== undefined) assert.equal(length, height * width * 3, `file ${at}`);
  }
  assert.ok(found.filter((answer) => answer.startsWith('Heddle')).length > 100, 'most are refused');
});

test('a wrong type, no picture at all, a pixel wide and very long, sides that lie, an animation cut short', { timeout: 60_000 }, async () => {
  const png = new Uint8Array(await picture(3, 2).png().toBuffer()), gif = new Uint8Array(await sharp(Buffer.concat([1, 2, 3].map((v) => Buffer.alloc(48, v * 60))), { raw: { width: 4, height: 12, channels: 3, pageHeight: 4 } }).gif().toBuffer());
  const [labelled, page, empty, tall, wide, huge, cut, bomb] = await told('picture', [
    ['image/jpeg', png], ['image/png', new TextEncoder().encode('<!doctype html><title>404</title>')], ['image/png', new Uint8Array(0)],
    ['image/png', new Uint8Array(await picture(1, 20_000).png().toBuffer())], ['image/png', new Uint8Array(await picture(20_000, 1).png().toBuffer())],
    ['image/png', hugePng(1, 2_000_000_000, 10)], ['image/gif', gif.slice(0, gif.length - 30)], ['image/png', hugePng(40_000, 40_000, 10)]]);
  const refused = /^HeddleError (file|unsupported|memory): imageToTensor: /;
  assert.equal(labelled, '2,3,3 18', 'what a file is counts, not what it is called');
  for (const answer of [page, empty, huge, bomb]) assert.match(answer, refused);
  assert.match(tall, /^20000,1,3 60000$/);
  assert.match(wide, /^1,20000,3 60000$/);
  assert.match(cut, /^4,4,3 48$|^HeddleError file/);
});

test("models' files that are cut or changed are refused, or read", { timeout: 120_000 }, async () => {
  await fresh();
  const net = await classifier(), bytes = await net.save('bytes', { includeOptimizer: true });
  net.dispose();
  const found = await told('model', [...cuts(bytes, 100), ...changed(bytes, 200)].map((one) => ['', one]));
  for (const answer of found) assert.match(answer, /^read$|^HeddleError (file|unsupported|memory): /);
  assert.ok(found.includes('read') && found.slice(0, 100).every((answer) => answer !== 'read'));
});

test('sixty models one after the other leave nothing behind', { timeout: 120_000 }, async () => {
  await withPage({ path }, async (page) => {
    const memory = await page.evaluate(async () => {
      const { init, info, layers, load, sequential } = await import('/bindings/index.js');
      const { connect } = await import('/bindings/session.js');
      await init({ deterministic: true, threads: 1 });
      const held = async () => { await (await connect()).call('status', []); return { ...info().memory }; };
      const x = new Float32Array(16 * 36).map((_, i) => Math.sin(i)), y = new Uint8Array(16).map((_, i) => i % 3), seen = [await held()];
      for (let i = 0; i < 60; i++) {
        const net = await sequential([layers.input({ shape: [6, 6, 1] }), layers.conv2d({ filters: 4, kernelSize: 3 }), layers.batchNorm(), layers.flatten(), layers.dense({ units: 3, activation: 'softmax' })]);
        await net.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' });
        await net.fit({ data: x, shape: [16, 6, 6, 1] }, y, { epochs: 2, batchSize: 8 });
        const again = await load(await net.save('bytes'));
        await again.predict({ data: x, shape: [16, 6, 6, 1] });
        net.dispose();
        again.dispose();
        if (i === 19 || i === 59) seen.push(await held());
      }
      return seen;
    });
    const [begin, early, late] = memory;
    assert.deepEqual([early.used, late.used], [begin.used, begin.used]);
    assert.equal(late.heap, early.heap);
  });
});
