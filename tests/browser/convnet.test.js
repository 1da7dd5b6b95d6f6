// The page of convolutional networks in Chromium: MNIST, CIFAR's files, folders of pictures, wrong files, saved models.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { trainsOneEpoch, withPage } from './pagekit.js';

/** @import { Page } from 'playwright-core' */

const path = 'web/convnet/', phone = { viewport: { width: 390, height: 800 } };
const file = (name, bytes) => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(bytes) });
const text = async (page, id) => (await page.textContent(`#${id}`)).trim();
const says = (page, id, pattern) => page.waitForFunction(
  ([place, source]) => new RegExp(source).test(document.getElementById(place).textContent), [id, pattern.source], { polling: 50 });

/** Opens the page and its settings. @param {Page} page */
async function ready(page) {
  await page.waitForSelector('#run[aria-disabled="false"]');
  await page.waitForSelector('#samples button');
  await page.evaluate(() => { document.getElementById('settings-box').open = true; });
}

/** Trains; gives the accuracies in the table of epochs, in per cent. @param {Page} page @param {{ [name: string]: string }} settings */
async function train(page, { rows = '1000', epochs = '3', ...fields } = {}) {
  await page.selectOption('[name="rows"]', rows);
  for (const [name, value] of Object.entries({ epochs, ...fields })) await page.fill(`[name="${name}"]`, value);
  await page.click('#run');
  await says(page, 'status', /^Trained/);
  return (await page.locator('#epochs tr td:last-child').allTextContents()).map(parseFloat).reverse();
}

/** How many colours each canvas of a place has. @param {Page} page @param {string} place */
const colours = (page, place) => page.evaluate((selector) => Array.from(document.querySelectorAll(`${selector} canvas`), (canvas) => {
  const { width, height } = canvas, copy = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  return new Set(new Uint32Array(copy.getImageData(0, 0, width, height).data.buffer)).size;
}), place);

/** Numbers of the confusion matrix, and of those on its diagonal. @param {Page} page */
async function confusion(page) {
  const counts = (await page.locator('#confusion td:not(:first-child), #confusion tbody td').allTextContents()).map(Number);
  const classes = Math.sqrt(counts.length);
  return { classes, all: counts.reduce((a, b) => a + b, 0), right: counts.reduce((sum, count, i) => sum + (i % (classes + 1) === 0 ? count : 0), 0) };
}

test('LeNet learns MNIST: curves, filters, activations, confusion matrix and mistakes follow', async () => {
  await withPage({ path }, async (page) => {
    await ready(page);
    assert.match(await text(page, 'network-facts'), /lenet: 61,706 weights/);
    assert.equal(await text(page, 'confusion-state'), 'Not tested yet.');
    await page.waitForFunction(() => /not trained yet/.test(document.getElementById('answer').textContent));
    const before = await page.evaluate(() => document.querySelector('#filters canvas').toDataURL());
    const found = await train(page, { epochs: '4' });
    assert.equal(found.length, 4);
    assert.ok(found.at(-1) > 75 && found.at(-1) > found[0], `test accuracies ${found}`);
    const { classes, all, right } = await confusion(page);
    assert.deepEqual([classes, all], [10, 2000]);
    assert.equal((100 * right / all).toFixed(1), found.at(-1).toFixed(1));
    assert.match(await text(page, 'confusion-state'), new RegExp(`^${found.at(-1).toFixed(1)} % of 2,000 test pictures right, after epoch 4`));
    await page.waitForFunction((old) => document.querySelector('#filters canvas').toDataURL() !== old, before);
    const [filters] = await colours(page, '#filters');
    assert.ok(filters > 60, `${filters} colours in 6 filters of 5 by 5`);
    const maps = await colours(page, '#layers');
    assert.equal(maps.length, 6); // two convolutions, two poolings, two dense layers
    assert.ok(maps.every((n) => n > 20), `colours ${maps}`);
    const mistake = page.locator('#mistakes button').first(), label = await mistake.getAttribute('aria-label');
    const [, said, is] = /Taken for (\d), .* but it is (\d)/.exec(label);
    await mistake.click();
    await says(page, 'answer', new RegExp(`^Says ${said}, but it is ${is}$`));
    assert.equal((await page.locator('#bars li').count()), 5);
    assert.match(await page.getAttribute('#chart-accuracy', 'aria-label'), new RegExp(`test accuracy ${found.at(-1).toFixed(1)} %`));
  });
});

test('pauses, takes another learning rate, stops, begins anew', async () => {
  await withPage({ path }, async (page) => {
    await ready(page);
    await page.selectOption('[name="rows"]', '5000');
    await page.fill('[name="epochs"]', '500');
    await page.click('#run');
    await says(page, 'fact-epoch', /^[1-9]/);
    await page.click('#run');
    await says(page, 'status', /^Paused/);
    await page.waitForTimeout(350);
    const held = await text(page, 'fact-epoch');
    await page.waitForTimeout(500);
    assert.equal(await text(page, 'fact-epoch'), held);
    assert.equal(await page.isDisabled('[name="batchSize"]'), true);
    await page.locator('#rate').fill('-3');
    assert.equal(await text(page, 'rate-value'), '0.001');
    await page.click('#run');
    await page.waitForFunction((from) => parseFloat(document.getElementById('fact-epoch').textContent) > from, Number(held));
    await page.click('#stop');
    await says(page, 'status', /^Stopped/);
    await page.selectOption('[name="network"]', 'cifarCnn');
    assert.equal(await page.isVisible('#new-network'), true);
    await page.click('#reset');
    await says(page, 'status', /^A new network/);
    assert.match(await text(page, 'network-facts'), /cifarCnn/);
    assert.equal(await page.locator('.error').count(), 0);
  });
});

/** Rows of the table of epochs, oldest first. @param {Page} page */
const rowsOf = async (page) => (await page.locator('#epochs tr').allTextContents()).reverse();

/** The model as a file. @param {Page} page */
async function modelOf(page) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save-file')]);
  return readFileSync(await download.path());
}

test('a training that the page was closed in goes on to the same figures and weights', async () => {
  await withPage({ path }, async (page) => {
    await ready(page);
    assert.equal(await page.isVisible('#interrupted'), false);
    await train(page, { epochs: '6' });
    const whole = await rowsOf(page), weights = await modelOf(page);
    assert.equal(whole.length, 6);
    assert.equal(await page.isVisible('#interrupted'), false, 'what has ended is not offered');
    await page.reload(); // the seed of a fit depends on the fits before
    await ready(page);
    await page.selectOption('[name="rows"]', '1000');
    await page.fill('[name="epochs"]', '6');
    await trainsOneEpoch(page, 'convnet');
    await page.reload();
    await ready(page);
    await page.waitForSelector('#interrupted:not([hidden])');
    assert.match(await text(page, 'interrupted-state'), /was broken off in epoch 2 of 6\.$/);
    await page.selectOption('[name="network"]', 'cifarCnn');
    await page.selectOption('[name="rows"]', '5000');
    await page.fill('[name="epochs"]', '3');
    await page.click('#go-on');
    await says(page, 'status', /^Trained/);
    assert.deepEqual(await rowsOf(page), whole);
    assert.ok(weights.equals(await modelOf(page)), 'the same weights and settings');
    assert.equal(await page.isVisible('#interrupted'), false);
    assert.equal(await page.locator('.error').count(), 0);
  });
});

test('another tab trains beside it and says that it is not kept; it is offered what the first one leaves', async () => {
  await withPage({ path }, async (page) => {
    await ready(page);
    await page.fill('[name="epochs"]', '1000');
    await page.selectOption('[name="rows"]', '1000');
    await trainsOneEpoch(page, 'convnet');
    const other = await page.context().newPage();
    await other.goto(page.url());
    await ready(other);
    await other.fill('[name="epochs"]', '1000');
    await other.selectOption('[name="rows"]', '1000');
    assert.equal(await other.isVisible('#interrupted'), false, 'what another tab trains is not broken off');
    await other.click('#run');
    await says(other, 'unkept', /^This training is lost if the page is closed: another tab keeps its own\.$/);
    await other.waitForFunction(() => document.querySelectorAll('#epochs tr').length >= 1);
    await other.click('#stop');
    await says(other, 'status', /^Stopped/);
    assert.deepEqual([await other.isVisible('#unkept'), await other.isVisible('#interrupted'), await page.isVisible('#unkept')], [false, false, false]);
    await page.close();
    await other.waitForSelector('#interrupted:not([hidden])');
    await other.click('#forget');
    await other.waitForSelector('#interrupted', { state: 'hidden' });
    await other.reload();
    await ready(other);
    assert.equal(await other.isVisible('#interrupted'), false);
    assert.equal(await other.locator('.error').count(), 0);
  });
});

test('a full disk is said, and the training goes on', async () => {
  await withPage({ path, expected: /a checkpoint could not be written, the training goes on/ }, async (page) => {
    await ready(page);
    const session = await page.context().newCDPSession(page);
    await session.send('Storage.overrideQuotaForOrigin', { origin: new URL(page.url()).origin, quotaSize: 1e5 }); // a checkpoint takes 0.8 MB
    await page.selectOption('[name="rows"]', '1000');
    await page.fill('[name="epochs"]', '1000');
    await page.click('#run');
    await says(page, 'unkept', /training is lost if the page is closed: cannot save to .*(quota|gave up).*\.$/);
    await page.waitForFunction(() => document.querySelectorAll('#epochs tr').length >= 1);
    await page.click('#stop');
    await says(page, 'status', /^Stopped/);
    assert.equal(await page.locator('.error').count(), 0);
  });
});

/** Records of CIFAR-10: noise whose brighter half, left or right, and colour are the class. @param {number} rows */
function cifar(rows) {
  const bytes = new Uint8Array(rows * 3073);
  for (let n = 0, state = 7; n < rows; n++) {
    const label = n % 10, record = bytes.subarray(n * 3073, (n + 1) * 3073);
    record[0] = label;
    for (let i = 0; i < 3072; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const plane = Math.floor(i / 1024), isBright = plane === label % 3 && (i % 32 < 16) === label > 4;
      record[1 + i] = (state >>> 25) + (isBright ? 12 * label : 0);
    }
  }
  return bytes;
}

/** Drops a file on the page, as if from the desktop. @param {Page} page @param {string} name @param {Uint8Array} bytes */
const drop = (page, name, bytes) => page.evaluate(([fileName, base64]) => {
  const data = new DataTransfer(), content = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  data.items.add(new File([content], fileName));
  document.getElementById('drop').dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: data }));
}, [name, Buffer.from(bytes).toString('base64')]);

test("CIFAR's files, dropped or chosen; broken ones are explained; a model comes back", async () => {
  await withPage({ path, context: phone }, async (page) => {
    await ready(page);
    const good = cifar(120), wrong = good.slice();
    wrong[5 * 3073] = 12;
    await page.setInputFiles('#files', file('data_batch_1.bin', good.subarray(0, 5000)));
    await says(page, 'errors', /data_batch_1\.bin can't be used\. .*5000 bytes, expected a multiple of 3073.*record 1 has 1927/);
    await page.setInputFiles('#files', file('data_batch_1.bin', wrong));
    await says(page, 'errors', /data_batch_1\.bin can't be used\. .*record 5 has the label 12/);
    await page.setInputFiles('#files', file('notes.txt.gz', 'no pictures'));
    await says(page, 'errors', /nothing to learn in notes\.txt\.gz/);
    await page.setInputFiles('#files', [file('data_batch_1.bin.gz', gzipSync(good)), file('test_batch.bin', good.subarray(0, 40 * 3073))]);
    await says(page, 'files-state', /CIFAR-10: 10 classes, 120 pictures to train on, 40 to test on/);
    assert.equal(await page.locator('.error').count(), 0);
    assert.equal(await page.inputValue('[name="network"]'), 'cifarCnn');
    await page.setInputFiles('#files', file('other.bin', good.subarray(0, 12)));
    await says(page, 'errors', /other\.bin can't be used/);
    assert.match(await text(page, 'files-state'), /120 pictures/, 'the good ones stay');
  });
  await withPage({ path, context: phone }, async (page) => {
    await ready(page);
    await drop(page, 'train.bin', cifar(120));
    await says(page, 'files-state', /CIFAR-10: 10 classes, 100 pictures to train on, 20 to test on/);
    assert.match(await text(page, 'network-facts'), /cifarCnn: 462,346 weights/);
    await page.selectOption('[name="network"]', 'lenet');
    await train(page, { epochs: '15', batchSize: '10' });
    const { classes, all, right } = await confusion(page);
    assert.ok(classes === 10 && all === 20 && right >= 10, `${right} of ${all} right`);
    assert.match(await text(page, 'confusion'), /airplane.*truck/s);
    await page.click('#save-browser');
    await says(page, 'status', /^The model is kept/);
    await page.click('#files-clear');
    await says(page, 'network-facts', /lenet: 61,706 weights/);
    await page.click('#load-browser');
    await says(page, 'errors', /10 numbers of 32 × 32 × 3; for MNIST it would have to make 10 classes of 28 × 28 × 1/);
    await drop(page, 'train.bin', cifar(120));
    await says(page, 'files-state', /CIFAR-10/);
    await page.click('#load-browser');
    await says(page, 'status', /^The model is loaded: \d/);
    await says(page, 'confusion-state', /of 20 test pictures right, now/);
    assert.deepEqual(await confusion(page), { classes, all, right });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'no sideways scrolling');
  });
});

test('a training on own pictures goes on when they are there again', async () => {
  const good = file('train.bin', cifar(120)), other = file('train.bin', cifar(60)), changed = cifar(120);
  changed[1] ^= 1;
  await withPage({ path }, async (page) => {
    await ready(page);
    await page.setInputFiles('#files', good);
    await says(page, 'files-state', /CIFAR-10/);
    await page.selectOption('[name="network"]', 'lenet');
    await page.fill('[name="batchSize"]', '10');
    await page.fill('[name="epochs"]', '1000');
    await trainsOneEpoch(page, 'convnet');
    await page.reload();
    await ready(page);
    await says(page, 'interrupted-state', /in epoch 2 of 1000\. To go on it needs its pictures: CIFAR-10: 10 classes, 100 pictures to train on, 20 to test on\./);
    for (const [given, complaint] of [[null, /it needs its pictures: CIFAR-10/], [other, /it needs its pictures: CIFAR-10/], [file('train.bin', changed), /It can't go on here.*crc32/]]) {
      if (given) await page.setInputFiles('#files', given);
      if (given) await says(page, 'status', /^Your pictures are ready/);
      await page.click('#go-on');
      await says(page, 'errors', complaint);
    }
    await page.setInputFiles('#files', good);
    await says(page, 'status', /^Your pictures are ready/);
    await says(page, 'interrupted-state', /of 1000\.$/);
    await page.click('#go-on');
    await page.waitForFunction(() => document.querySelectorAll('#epochs tr').length >= 2);
    assert.match(await text(page, 'network-facts'), /lenet/);
    await page.click('#stop');
    await says(page, 'status', /^Stopped/);
    await page.waitForSelector('#interrupted:not([hidden])');
    assert.equal(await page.locator('.error').count(), 0);
  });
});

/** Folders of pictures: red, green and blue ones. */
async function folders() {
  const root = mkdtempSync(join(tmpdir(), 'heddle-folders-'));
  for (const [k, name] of ['red', 'green', 'blue'].entries()) {
    mkdirSync(join(root, 'pets', name), { recursive: true });
    for (let i = 0; i < 12; i++) {
      const [r, g, b] = [0, 1, 2].map((c) => (c === k ? 150 + 8 * i : 20 + 3 * i));
      const picture = sharp({ create: { width: 40 + i, height: 30, channels: 3, background: { r, g, b } } });
      writeFileSync(join(root, 'pets', name, `${i}.png`), await picture.png().toBuffer());
    }
  }
  writeFileSync(join(root, 'pets', 'red', '99.jpg'), 'no picture');
  writeFileSync(join(root, 'pets', 'notes.txt'), 'left alone');
  return root;
}

test('folders of pictures are classes; what can not be read is named', async () => {
  const root = await folders();
  try {
    await withPage({ path }, async (page) => {
      await ready(page);
      await page.setInputFiles('#folder', join(root, 'pets'));
      await says(page, 'files-state', /3 folders: 3 classes, 30 pictures to train on, 6 to test on/);
      assert.match(await text(page, 'errors'), /1 files can't be read as pictures and are left out: pets\/red\/99\.jpg/);
      await train(page, { epochs: '20', batchSize: '10' });
      const { classes, all, right } = await confusion(page);
      assert.deepEqual([classes, all], [3, 6]);
      assert.ok(right >= 5, `${right} of ${all} right`);
      await page.setInputFiles('#folder', join(root, 'pets', 'green'));
      await says(page, 'errors', /All pictures are in the folder green: expected a folder for each class/);
    });
  } finally {
    rmSync(root, { recursive: true });
  }
});
