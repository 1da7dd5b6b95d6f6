// The digits page in Chromium, used as a visitor would: isolated and not, with mouse, keyboard and own files.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { writeIdx } from '../../bindings/files/index.js';
import { serve } from '../../tools/serve.mjs';
import { barePage, trainsOneEpoch, withPage as openPage } from './pagekit.js';

const path = 'web/digits/';

/** @param {object} options @param {(page: import('playwright-core').Page) => Promise<void>} work */
const withPage = (options, work) => openPage({ path, ...options }, work);

const ready = (page) => page.waitForSelector('#run[aria-disabled="false"]');
const text = async (page, id) => (await page.textContent(`#${id}`)).trim();
const untilStatus = (page, start) => page.waitForFunction(
  (wanted) => document.getElementById('status').textContent.startsWith(wanted), start, { polling: 50 });
const epochs = async (page) => Number(await text(page, 'fact-epoch'));
const bars = async (page) => (await page.locator('#bars .value').allTextContents()).map((value) => parseFloat(value));

/** @param {import('playwright-core').Page} page @param {{ rows?: string, epochs?: number }} settings */
async function set(page, { rows = '1000', epochs: count = 6 }) {
  await page.selectOption('[name="rows"]', rows);
  await page.fill('[name="epochs"]', String(count));
}

const file = (name, bytes) => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(bytes) });

/** Test accuracies of the epochs so far, in per cent. */
async function accuracies(page) {
  const cells = await page.locator('#epochs tr td:last-child').allTextContents();
  return cells.map((cell) => parseFloat(cell)).reverse();
}

/** The pixels of the n-th picture of a name, such as U. */
const picture = (page, name, n = 0) => page.evaluate(([wanted, at]) => {
  const figures = [...document.querySelectorAll('#network figure')].filter((figure) => figure.querySelector('b').textContent === wanted);
  const canvas = figures[at].querySelector('canvas'), { width, height } = canvas;
  const copy = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  return Array.from(new Uint32Array(copy.getImageData(0, 0, width, height).data.buffer));
}, [name, n]);

/** Trains on 1,000 digits; the accuracy must rise well above chance. */
async function trains(page) {
  await ready(page);
  await set(page, {});
  await page.click('#run');
  await untilStatus(page, 'Trained');
  const found = await accuracies(page);
  assert.equal(found.length, 6);
  assert.ok(found.at(-1) > found[0] + 5 && found.at(-1) > 65, `test accuracies ${found}`);
  await page.waitForFunction((last) => parseFloat(document.getElementById('fact-accuracy').textContent) === last, found.at(-1));
}

test('trains with threads: accuracy rises, the pictures follow, an example and a drawing are read', async () => {
  await withPage({}, async (page) => {
    await ready(page);
    await page.waitForFunction(() => document.querySelector('#answer').textContent.startsWith('Not trained'));
    const before = await picture(page, 'U');
    assert.ok(new Set(before).size > 50, 'U shows its random start');
    await trains(page);
    assert.match(await text(page, 'fact-engine'), /^heddle-mt/);
    assert.equal(await text(page, 'fact-isolated'), 'yes');
    assert.equal(await page.isVisible('#isolation'), false);
    await page.waitForFunction(() => /^Reads \d, /.test(document.querySelector('#answer').textContent));
    const changed = await picture(page, 'U');
    assert.ok(changed.some((pixel, i) => pixel !== before[i]), 'U has changed');
    await page.click('[aria-label="Example of 1"]');
    // The example is any one; a few are misread.
    await page.waitForFunction(() => /^Reads (1, [\d.]+ % sure, which is right|[02-9], [\d.]+ % sure, but it is 1)$/.test(document.querySelector('#answer').textContent));
    await draws(page);
    const curves = await page.getAttribute('#chart-accuracy', 'aria-label');
    assert.match(curves, /test accuracy \d\d\.\d %/);
  });
});

/** Draws a one, off the middle and small; the network sees it centred and large. */
async function draws(page) {
  const { x, y, width } = await page.locator('#pad').boundingBox();
  await page.click('#clear');
  assert.match(await text(page, 'answer'), /^Draw a digit/);
  await page.mouse.move(x + width * 0.72, y + width * 0.1);
  await page.mouse.down();
  await page.mouse.move(x + width * 0.7, y + width * 0.45, { steps: 12 });
  await page.mouse.up();
  await page.waitForFunction(() => /^Reads \d/.test(document.querySelector('#answer').textContent));
  const chances = await bars(page), seen = await picture(page, 'X');
  assert.equal(chances.length, 10);
  assert.ok(Math.abs(chances.reduce((a, b) => a + b) - 100) < 1, `chances ${chances}`);
  assert.equal(chances.indexOf(Math.max(...chances)), 1, `reads the one; chances ${chances}`);
  const inked = seen.map((pixel, i) => (pixel === seen[0] ? -1 : i)).filter((i) => i >= 0), rows = inked.map((i) => Math.floor(i / 28));
  const tall = Math.max(...rows) - Math.min(...rows) + 1;
  assert.ok(tall >= 19 && tall <= 22, `${tall} rows of 28 are inked`);
  const middle = inked.reduce((sum, i) => sum + i % 28, 0) / inked.length;
  assert.ok(Math.abs(middle - 13.5) <= 1, `centred at column ${middle}`);
}

test('pauses, goes on with another learning rate, stops; frames keep coming', async () => {
  await withPage({}, async (page) => {
    await ready(page);
    await set(page, { rows: '10000', epochs: 1000 });
    await page.click('#run');
    await page.waitForFunction(() => parseFloat(document.getElementById('fact-epoch').textContent) >= 1);
    const gaps = await page.evaluate(() => new Promise((resolve) => {
      const times = [];
      const frame = (now) => (times.push(now) < 91 ? requestAnimationFrame(frame) : resolve(times.slice(1).map((t, i) => t - times[i])));
      requestAnimationFrame(frame);
    }));
    const median = gaps.sort((a, b) => a - b)[45];
    assert.ok(median < 100, `median frame ${median} ms, longest ${gaps.at(-1)} ms`);
    await page.click('#run');
    await untilStatus(page, 'Paused');
    assert.equal(await text(page, 'run'), 'Resume');
    await page.waitForTimeout(350);
    const held = await epochs(page);
    await page.waitForTimeout(500);
    assert.equal(await epochs(page), held);
    assert.equal(await page.isDisabled('[name="batchSize"]'), true);
    await page.locator('#rate').fill('-3');
    assert.equal(await text(page, 'rate-value'), '0.001');
    await page.click('#run');
    await page.waitForFunction((from) => parseFloat(document.getElementById('fact-epoch').textContent) > from + 1, held);
    await page.click('#stop');
    await untilStatus(page, 'Stopped');
    assert.equal(await text(page, 'run'), 'Train');
    const end = await epochs(page);
    await page.click('#run'); // goes on from there
    await page.waitForFunction((from) => parseFloat(document.getElementById('fact-epoch').textContent) > from, end);
    await page.click('#reset');
    await untilStatus(page, 'A new network');
    assert.deepEqual(await accuracies(page), []);
    assert.equal(await page.locator('.error').count(), 0);
  });
});

/** Rows of the table of epochs, oldest first. */
const rowsOf = async (page) => (await page.locator('#epochs tr').allTextContents()).reverse();

test('a training that the page was closed in goes on to what it would have come to', async () => {
  await withPage({}, async (page) => {
    await ready(page);
    assert.equal(await page.isVisible('#interrupted'), false);
    await set(page, { rows: '5000', epochs: 12 });
    await page.click('#run');
    await untilStatus(page, 'Trained');
    const whole = await rowsOf(page);
    assert.equal(whole.length, 12);
    assert.equal(await page.isVisible('#interrupted'), false, 'what has ended is not offered');
    await page.click('#reset');
    await untilStatus(page, 'A new network');
    await page.reload(); // the seed of a fit depends on the fits before
    await ready(page);
    await set(page, { rows: '5000', epochs: 12 });
    await trainsOneEpoch(page, 'digits');
    await page.reload();
    await ready(page);
    await page.waitForSelector('#interrupted:not([hidden])');
    assert.match(await text(page, 'interrupted-state'), /was broken off in epoch 2 of 12\.$/);
    await set(page, { rows: '1000', epochs: 3 });
    await page.click('#go-on');
    await untilStatus(page, 'Trained');
    assert.deepEqual(await rowsOf(page), whole);
    assert.equal(await page.inputValue('[name="epochs"]'), '12');
    await page.waitForSelector('#interrupted', { state: 'hidden' });
    assert.equal(await page.locator('.error').count(), 0);
  });
});

test('a stopped training can go on, or be forgotten; another tab trains beside it', async () => {
  await withPage({}, async (page) => {
    await ready(page);
    await set(page, { rows: '1000', epochs: 1000 });
    await page.click('#run');
    await page.waitForFunction(() => document.querySelectorAll('#epochs tr').length >= 2);
    const other = await page.context().newPage();
    await other.goto(page.url());
    await trains(other);
    await other.close();
    await page.click('#stop');
    await untilStatus(page, 'Stopped');
    await page.click('#go-on');
    const before = await page.locator('#epochs tr').count();
    await page.waitForFunction((rows) => document.querySelectorAll('#epochs tr').length > rows, before);
    await page.click('#stop');
    await untilStatus(page, 'Stopped');
    await page.click('#forget');
    await page.waitForSelector('#interrupted', { state: 'hidden' });
    await page.reload();
    await ready(page);
    assert.equal(await page.isVisible('#interrupted'), false);
    assert.equal(await page.locator('.error').count(), 0);
  });
});

test('a model comes back from the browser and from a file', async () => {
  await withPage({}, async (page) => {
    await trains(page);
    await page.click('[aria-label="Example of 3"]');
    await page.waitForFunction(() => document.querySelector('#answer').textContent.includes(' 3'));
    const learnt = await bars(page);
    await page.click('#save-browser');
    await untilStatus(page, 'The model is kept');
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save-file')]);
    assert.equal(download.suggestedFilename(), 'digits.safetensors');
    for (const way of ['browser', 'file']) {
      await page.selectOption('[name="depth"]', '1');
      await page.click('#reset');
      await untilStatus(page, 'A new network');
      await page.waitForFunction(() => document.querySelector('#answer').textContent.startsWith('Not trained'));
      assert.notDeepEqual(await bars(page), learnt);
      if (way === 'browser') await page.click('#load-browser');
      else await page.setInputFiles('#model-file', await download.path());
      await untilStatus(page, 'The model is loaded');
      await page.waitForFunction(() => document.querySelector('#answer').textContent.startsWith('Reads'));
      assert.deepEqual(await bars(page), learnt);
      assert.equal(await page.inputValue('[name="depth"]'), '2');
    }
    await page.setInputFiles('#model-file', file('x.safetensors', 'nonsense that is no model'));
    await page.waitForSelector('.error');
    assert.match(await page.innerText('.error p'), /^x\.safetensors can't be opened\. /);
    assert.deepEqual(await bars(page), learnt, 'nothing is lost');
  });
});

test('without the two headers: one thread, said in the page, and it trains', async () => {
  await withPage({ isolated: false, context: { colorScheme: 'dark', reducedMotion: 'reduce' } }, async (page) => {
    await trains(page);
    assert.equal(await text(page, 'fact-engine'), 'heddle-st-relaxed');
    assert.equal(await text(page, 'fact-threads'), '1');
    assert.equal(await text(page, 'fact-isolated'), 'no');
    assert.match(await page.innerText('#isolation'), /Cross-Origin-Opener-Policy: same-origin[^]*Cross-Origin-Embedder-Policy: require-corp/);
  });
});

/** Pictures of a bar, its place being the class. @param {number} rows @param {number} [size] */
function ownDigits(rows, size = 28) {
  const labels = Uint8Array.from({ length: rows }, (_, row) => row % 10), data = new Uint8Array(rows * size * size);
  for (let row = 0; row < rows; row++) {
    for (let i = 4; i < size - 4; i++) data[(row * size + i) * size + 4 + 2 * labels[row]] = 255 - row % 7;
  }
  return { images: writeIdx({ data, shape: [rows, size, size] }), labels: writeIdx({ data: labels, shape: [rows] }) };
}

test('own IDX files, packed or not; what is wrong with others is said', async () => {
  await withPage({ context: { viewport: { width: 360, height: 740 } } }, async (page) => {
    await ready(page);
    await page.click('#settings-box summary');
    const good = ownDigits(600), large = ownDigits(60, 32);
    const complaint = async (files, pattern) => {
      await page.setInputFiles('#files', files);
      await page.waitForFunction((source) => new RegExp(source).test(document.getElementById('errors').textContent), pattern.source);
    };
    await complaint([file('a.idx', good.images)], /There is no file of 600 labels/);
    await complaint([file('large.idx', large.images), file('l.idx', large.labels)], /large\.idx.*pictures are 32 × 32, this page takes 28 × 28/);
    await complaint([file('short.idx', good.images.subarray(0, 5000)), file('l.idx', good.labels)], /short\.idx can't be used.*cut short/);
    await page.setInputFiles('#files', [file('i.gz', gzipSync(good.images)), file('l.gz', gzipSync(good.labels))]);
    await page.waitForFunction(() => /500 digits to train on, 100 to test on/.test(document.getElementById('files-state').textContent));
    assert.equal(await page.locator('.error').count(), 0);
    await page.fill('[name="rows0"]', '0');
    await page.click('#run');
    await page.waitForFunction(() => /Layer 1: rows: expected a whole number from 1 to \d+, got 0/.test(document.getElementById('errors').textContent));
    await page.fill('[name="rows0"]', '12');
    assert.equal(await page.isVisible('#new-network'), true);
    await page.fill('[name="epochs"]', '15');
    await page.focus('#run');
    await page.keyboard.press('Enter');
    await untilStatus(page, 'Trained');
    assert.ok((await accuracies(page)).at(-1) > 95);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'no sideways scrolling');
  });
});

test('an overflow and missing data are said, and the page goes on', async () => {
  await withPage({}, async (page) => {
    await ready(page);
    await set(page, {});
    await page.selectOption('[name="activation"]', 'linear');
    await page.uncheck('[name="unitNorm"]');
    await page.selectOption('[name="optimizer"]', 'sgd');
    await page.locator('#rate').fill('0');
    await page.click('#run');
    await page.waitForFunction(() => /not finite.*last good weights/.test(document.getElementById('errors').textContent));
    assert.ok((await bars(page)).every((chance) => chance >= 0 && chance <= 100));
    await page.route('**/train-images-*', (route) => route.fulfill({ status: 200, body: 'cut' }));
    await page.selectOption('[name="rows"]', '5000');
    await page.click('#run');
    await page.waitForFunction(() => /expected at least/.test(document.getElementById('errors').textContent));
    await page.unroute('**/train-images-*');
    await page.locator('#rate').fill('-3');
    await page.click('#run');
    await untilStatus(page, 'Trained');
    assert.equal(await page.locator('.error').count(), 0);
  });
});

test('a module that is missing is said', async () => {
  const server = await serve(), page = await barePage();
  await page.route('**/uPlot.esm.js', (route) => route.fulfill({ status: 404, body: '' }));
  await page.goto(`${server.url}web/digits/`);
  assert.match(await page.innerText('[role="alert"].error'), /^This page could not be loaded\. .*uplot/);
  await page.close();
  await server.close();
});

test('the start page names the engine and what the browser offers', async () => {
  for (const isolated of [true, false]) {
    await withPage({ path: '', isolated }, async (page) => {
      await page.waitForFunction(() => /heddle-/.test(document.getElementById('facts').textContent));
      assert.match(await page.innerText('#features'), /WebAssembly SIMD[^]*yes/);
      assert.equal(await page.isVisible('#isolation'), !isolated);
      await page.click('text=Digits');
      await ready(page);
    });
  }
});
