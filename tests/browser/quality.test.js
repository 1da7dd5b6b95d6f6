// The page of picture quality in Chromium: the race of losses, pictures of one's own, ratings given here, a folder that is scored, two sets mixed.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import sharp from 'sharp';
import { readSafetensors } from '../../bindings/files/index.js';
import { srocc } from '../../bindings/quality/index.js';
import { withPage } from './pagekit.js';

/** @import { Page } from 'playwright-core' */

const path = 'web/quality/', phone = { viewport: { width: 360, height: 740 }, colorScheme: /** @type {const} */ ('dark') };
const file = (name, content, mimeType = '') => ({ name, mimeType, buffer: Buffer.from(content) });
const text = async (page, id) => (await page.textContent(`#${id}`)).trim();
const says = (page, id, pattern) => page.waitForFunction(
  ([place, source]) => new RegExp(source).test(document.getElementById(place).textContent), [id, pattern.source], { polling: 50, timeout: 60_000 });
const ready = (page) => page.waitForSelector('#run[aria-disabled="false"]');
const csv = (content) => content.toString('utf8').trim().split('\r\n').map((line) => line.split(','));

/** Settings, opened if they are closed. @param {Page} page @param {{ [name: string]: string }} fields */
async function set(page, fields) {
  await page.evaluate(() => { document.getElementById('settings-box').open = true; });
  for (const [name, value] of Object.entries(fields)) {
    const field = page.locator(`[name="${name}"]`);
    if (await field.evaluate(({ tagName }) => tagName === 'SELECT')) await field.selectOption(value);
    else await field.fill(value);
  }
}

/** @param {Page} page @param {string} id of a button */
async function download(page, id) {
  const [saved] = await Promise.all([page.waitForEvent('download'), page.click(`#${id}`)]);
  return { name: saved.suggestedFilename(), path: await saved.path() };
}

/** A picture of waves under noise: the more of it, the worse. @param {number} i @param {number} noise 0..1 */
async function picture(i, noise) {
  const side = 64, data = new Uint8Array(side * side * 3);
  let state = i + 1;
  for (let at = 0; at < data.length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const x = Math.floor(at / 3) % side, y = Math.floor(at / 3 / side);
    data[at] = Math.min(255, Math.max(0, 128 + 60 * Math.sin(x / (5 + i % 3)) * Math.cos(y / 7) + 200 * noise * (state / 2 ** 32 - 0.5)));
  }
  return file(`${String(i).padStart(2, '0')}.png`, await sharp(data, { raw: { width: side, height: side, channels: 3 } }).png().toBuffer(), 'image/png');
}

const noises = Array.from({ length: 24 }, (_, i) => (i * 7 % 24) / 24);
const pictures = () => Promise.all(noises.map((noise, i) => picture(i, noise)));
const ratings = () => file('mos.csv', ['image_name,MOS', ...noises.map((noise, i) => `${String(i).padStart(2, '0')}.png,${(90 - 80 * noise).toFixed(2)}`)].join('\n'), 'text/csv');

test('the example: four losses race, the best judges; it is kept, and scores pictures, whole and in parts', async () => {
  await withPage({ path }, async (page) => {
    await ready(page);
    await set(page, { count: '180', epochs: '8' });
    await page.click('#race');
    await says(page, 'scatter-text', /^Norm-in-Norm after epoch [1-7], 4\d pictures held back: SROCC/);
    await says(page, 'status', /^(Norm-in-Norm|bnMSE|MSE|MAE) is ahead: SROCC 0\.\d+, PLCC 0\.\d+/);
    const runs = await page.locator('#runs tr').evaluateAll((rows) => rows.map((row) => Array.from(row.cells, ({ textContent }) => textContent)));
    assert.deepEqual(runs.map(([name]) => name), ['Norm-in-Norm', 'bnMSE', 'MSE', 'MAE']);
    for (const [name, order, , best] of runs) assert.ok(Number(order) > -1 && Number(order) <= 1 && /^\d of 8$/.test(best), `${name}: ${order}, ${best}`);
    const best = Math.max(...runs.map(([, order]) => Number(order)));
    assert.ok(best > 0.6, `best SROCC ${best}`);
    assert.match(await page.getAttribute('#chart-srocc', 'aria-label'), /Norm-in-Norm -?0\.\d+ after epoch 8; bnMSE .*; MSE .*; MAE /);
    assert.match(await page.getAttribute('#chart-scatter', 'aria-label'), /4\d pictures held back: SROCC 0\.\d+ \(-?0\.\d+ to 0\.\d+\)/);
    assert.match(await text(page, 'judge-about'), /^In use: .* on distorted photographs, SROCC 0\.\d+ on 4\d pictures held back\.$/);
    await page.click('#save-browser');
    await says(page, 'model-state', /kept in this browser/);
    const saved = await download(page, 'save-file');
    assert.equal(saved.name, 'quality.safetensors');
    assert.ok(readSafetensors(readFileSync(saved.path)).tensors.size > 10);

    await page.click('#tab-rate');
    await page.click('#rate-example');
    await says(page, 'status', /^24 example pictures/);
    await page.setInputFiles('#rate-files', file('broken.jpg', 'no picture at all'));
    await page.click('#score');
    await says(page, 'status', /^24 pictures scored in .*; 1 can't be read$/);
    assert.equal(await text(page, 'unread'), 'broken.jpg');
    const shown = async () => (await page.locator('#gallery strong').allTextContents()).slice(0, 24).map(Number), worst = await shown();
    assert.deepEqual(worst, worst.toSorted((a, b) => a - b));
    await page.selectOption('#order', 'best');
    assert.deepEqual(await shown(), worst.toReversed());
    const table = csv(readFileSync((await download(page, 'rate-csv')).path)).slice(1), read = table.filter(([, score]) => score !== '');
    assert.deepEqual(table.filter(([, score]) => score === ''), [['broken.jpg', '']]);
    const level = ([name]) => -Number(/-(\d)\.png$/.exec(name)?.[1] ?? 0);
    assert.ok(await srocc(read.map(([, score]) => Number(score)), read.map(level)) > 0.4, 'pictures that it has not seen');
    await page.locator('#gallery button').first().click();
    await page.click('#look');
    await says(page, 'sight-text', /: (\d+) x \1 parts, worst -?\d.* at the .*, best /);
    assert.equal(await page.isVisible('#map'), true);

    await page.click('#rate-clear');
    await page.click('#rate-example');
    await says(page, 'status', /^24 example pictures/);
    await page.setInputFiles('#rate-model', file('mine.safetensors', readFileSync(saved.path)));
    await says(page, 'rate-judge', /^Judge: mine\.safetensors, opened\.$/);
    await page.click('#score');
    await says(page, 'status', /^24 pictures scored/);
    assert.deepEqual(csv(readFileSync((await download(page, 'rate-csv')).path)).slice(1), read, 'the judge of the file gives the same scores');
    await page.setInputFiles('#rate-model', file('x.safetensors', 'nonsense that is no model'));
    await says(page, 'errors', /x\.safetensors can't be opened\. /);
    await page.setInputFiles('#rate-files', file('notes.txt', 'text'));
    await says(page, 'errors', /There are no pictures in notes\.txt: expected JPEG/);
  });
});

test('pictures and ratings of one\'s own: what fits and what does not; training is stopped, the judge stays', async () => {
  await withPage({ path, isolated: false, context: phone }, async (page) => {
    await ready(page);
    assert.equal(await page.isVisible('#isolation'), true);
    await set(page, { source: 'own', size: '48,48', epochs: '4' });
    await page.click('#run');
    await says(page, 'errors', /There are no pictures of your own yet/);
    const all = await pictures(), spoilt = file('24.png', 'nothing');
    await page.setInputFiles('#train-files', [...all, spoilt]);
    await says(page, 'train-state', /^25 pictures; rate them here, or add a file of ratings/);
    await page.setInputFiles('#train-files', file('bad.csv', 'image,MOS\n00.png,1\n00.png,2\n'));
    await says(page, 'errors', /bad\.csv can't be used\. .*00\.png/);
    await page.setInputFiles('#train-files', file('same.csv', 'image,MOS\n00.png,1\n01.png,1\n'));
    await says(page, 'errors', /same\.csv can't be used\. .*there is nothing to learn/);
    await page.setInputFiles('#train-files', file('mos.csv', `${ratings().buffer}\n24.png,50\n99.png,30`));
    await says(page, 'train-state', /^25 pictures, 25 of them rated by mos\.csv\. No picture for 1 rating: 99\.png\.$/);
    assert.equal(await page.isVisible('#rating'), false);
    await page.click('#run');
    await says(page, 'status', /^Trained with Norm-in-Norm: SROCC /);
    assert.match(await text(page, 'judge-about'), /on mos\.csv, SROCC /);
    await set(page, { epochs: '400', loss: 'mse' });
    await page.click('#run');
    await says(page, 'status', /^MSE, epoch \d+ of 400/);
    await page.click('#stop');
    await says(page, 'status', /^Stopped$/);
    assert.match(await text(page, 'judge-about'), /^In use: MSE on mos\.csv, stopped after epoch \d+\.$/);
    await set(page, { epochs: '0' });
    await page.click('#run');
    await says(page, 'errors', /Epochs: expected a whole number from 1 to 500, got 0/);
    await set(page, { epochs: '2', backbone: 'resnet18' });
    await page.click('#run');
    await says(page, 'errors', /ResNet-18 from a file: choose its file of weights first/);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing sticks out of a phone');
  });
});

test('rating them oneself: slider, then pairs by keyboard; what was rated is learnt and downloaded', async () => {
  await withPage({ path, context: phone }, async (page) => {
    await ready(page);
    await set(page, { size: '48,48', epochs: '3' });
    await page.setInputFiles('#train-files', (await pictures()).slice(0, 10));
    await page.waitForSelector('#rating:not([hidden])');
    for (let i = 0; i < 3; i++) {
      await says(page, 'rating-state', new RegExp(`^${i} of 10 pictures rated; this is 0${i}\\.png$`));
      await page.fill('#rating-score', String(80 - 20 * i));
      await page.click('#rating-next');
    }
    await page.click('#run');
    await says(page, 'errors', /3 pictures have a rating, expected 8 at least: rate more of them/);
    assert.deepEqual(csv(readFileSync((await download(page, 'rating-csv')).path)), [['image', 'score'], ['00.png', '80'], ['01.png', '60'], ['02.png', '40']]);
    await page.click('#rating-back');
    await page.check('[name="tool"][value="pairs"]');
    await page.focus('#left');
    for (let i = 0; i < 30; i++) { // as noise says
      await says(page, 'rating-state', new RegExp(`^${i} comparisons?, `));
      const [left, right] = await page.locator('#tool-pairs canvas').evaluateAll((both) => both.map((one) => one.getAttribute('aria-label')));
      await page.keyboard.press(noises[parseInt(left, 10)] < noises[parseInt(right, 10)] ? 'ArrowLeft' : 'ArrowRight');
    }
    await page.keyboard.press('0');
    await says(page, 'rating-state', /^31 comparisons, 10 of 10 pictures compared\. Last: .* as good as /);
    await page.click('#undo');
    await says(page, 'rating-state', /^30 comparisons/);
    const rated = csv(readFileSync((await download(page, 'rating-csv')).path)).slice(1);
    assert.ok(await srocc(rated.map(([, score]) => Number(score)), rated.map(([name]) => -noises[parseInt(name, 10)])) > 0.85, 'the choices give the order');
    await page.click('#run');
    await says(page, 'status', /^Trained with Norm-in-Norm: SROCC /);
    assert.match(await text(page, 'judge-about'), /on your ratings, /);
    await page.click('#tab-mix');
    await page.selectOption('#mix-source', 'pictures');
    await page.selectOption('#mix-seen', 'judge');
    await page.click('#mix-train-0');
    await says(page, 'mix-state-0', /^10 pictures of the part Train, rated by your ratings\.$/);
    await page.setInputFiles('#mix-files-1', [...await pictures(), ratings()]);
    await says(page, 'mix-state-1', /^24 pictures, 24 of them rated by mos\.csv/);
    await page.click('#mix-run');
    await says(page, 'mix-text', /^your ratings: SROCC .*; mos\.csv: SROCC /);
  });
});

test('two sets with scales of their own: two rising curves; tables that do not fit; tabs by keyboard', async () => {
  await withPage({ path: `${path}#mix`, context: phone }, async (page) => {
    await page.waitForSelector('#mix-run[aria-disabled="false"]');
    await page.fill('#mix-epochs', '20');
    await page.click('#mix-run');
    await says(page, 'status', /^Both sets are fitted/);
    const told = await text(page, 'mix-text'), numbers = [...told.matchAll(/SROCC (\S+), the curve rises by (\S+) at least/g)].map((found) => found.slice(1).map(Number));
    assert.equal(numbers.length, 2, told);
    for (const [order, slope] of numbers) assert.ok(order > 0.8 && slope > 0, told);
    const table = (names, rate) => file('t.csv', [names, ...Array.from({ length: 40 }, (_, i) => `${(i * 37 % 40) / 40},${(i * 11 % 40) / 40},${rate((i * 37 % 40) / 40)}`)].join('\n'));
    await page.selectOption('#mix-source', 'own');
    await page.setInputFiles('#mix-first', { ...table('a,b,mos', (q) => 1 + 4 * q), name: 'one.csv' });
    await says(page, 'mix-state', /^First: one\.csv: 40 rows, 2 features\. Second: not chosen/);
    await page.click('#mix-run');
    await says(page, 'errors', /Choose both tables first/);
    await page.setInputFiles('#mix-second', { ...table('a,c,dmos', (q) => 100 * q ** 3), name: 'other.csv' });
    await says(page, 'mix-state', /Second: other\.csv: 40 rows/);
    await page.click('#mix-run');
    await says(page, 'errors', /The tables differ in their features: one\.csv has a, b; other\.csv has a, c/);
    await page.setInputFiles('#mix-second', file('words.csv', `a,b,mos\n${'1,x,2\n'.repeat(12)}`));
    await says(page, 'errors', /words\.csv: the column "b" is not all numbers/);
    await page.setInputFiles('#mix-second', { ...table('a,b,dmos', (q) => 100 * q ** 3), name: 'two.csv' });
    await says(page, 'mix-state', /Second: two\.csv/);
    await page.click('#mix-run');
    await says(page, 'mix-text', /one\.csv: SROCC .*two\.csv: SROCC /);
    await page.selectOption('#mix-source', 'example-pictures');
    await page.fill('#mix-epochs', '25');
    await page.click('#mix-run');
    await says(page, 'mix-text', /^five-step ratings: SROCC (0\.[4-9]\d|1\.0).*; percent ratings: SROCC (0\.[4-9]\d|1\.0).*rises by \d/);
    await page.selectOption('#mix-source', 'pictures');
    await page.click('#mix-run');
    await says(page, 'errors', /First set: There are no pictures of your own yet/);
    const all = await pictures(), rows = (scale) => ['image,mos', ...noises.map((noise, i) => `${String(i).padStart(2, '0')}.png,${scale(1 - noise)}`)].join('\n');
    await page.setInputFiles('#mix-files-0', [...all.slice(0, 12), file('first.csv', rows((q) => 1 + 4 * q), 'text/csv')]);
    await says(page, 'mix-state-0', /^12 pictures, 12 of them rated by first\.csv/);
    await page.setInputFiles('#mix-files-1', all.slice(12));
    await says(page, 'mix-state-1', /^12 pictures; add the file of their ratings/);
    await page.setInputFiles('#mix-files-1', file('second.csv', rows((q) => 100 * q * q), 'text/csv'));
    await page.setInputFiles('#mix-files-1', file('broken.png', 'nothing', 'image/png'));
    await says(page, 'mix-state-1', /^13 pictures, 12 of them rated by second\.csv.*Without rating: broken\.png/);
    await page.click('#mix-run');
    await says(page, 'mix-text', /^first\.csv: SROCC .*; second\.csv: SROCC /);
    await page.click('#mix-train-1');
    await says(page, 'errors', /There are no pictures of your own yet: drop some/);
    assert.equal(await page.locator('#mix-seen option[value="judge"]').evaluate(({ disabled }) => disabled), true);
    await page.focus('#tab-mix');
    await page.keyboard.press('ArrowRight');
    assert.equal(await page.getAttribute('#tab-train', 'aria-selected'), 'true');
    assert.equal(await page.isVisible('#part-mix'), false);
    await page.keyboard.press('ArrowRight');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'tab-rate');
    assert.match(await text(page, 'rate-judge'), /^No judge yet/);
    assert.equal(await page.getAttribute('#score', 'aria-disabled'), 'true');
  });
});
