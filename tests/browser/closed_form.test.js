// The page of closed-form networks in Chromium: a table, digits, sweeps, the MLP beside them, wrong files, saved models.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { serve } from '../../tools/serve.mjs';
import { barePage, withPage } from './pagekit.js';

/** @import { Page } from 'playwright-core' */

const path = 'web/closed-form/', phone = { viewport: { width: 360, height: 740 } };
const file = (name, content) => ({ name, mimeType: 'text/csv', buffer: Buffer.from(content) });
const text = async (page, id) => (await page.textContent(`#${id}`)).trim();
const says = (page, id, pattern) => page.waitForFunction(
  ([place, source]) => new RegExp(source).test(document.getElementById(place).textContent), [id, pattern.source], { polling: 50 });

/** Opens the page and its settings. @param {Page} page */
async function ready(page) {
  await page.waitForSelector('#run[aria-disabled="false"]');
  await page.waitForSelector('#examples button:enabled');
  await page.evaluate(() => { document.getElementById('settings-box').open = true; });
}

/** Fits a model; gives its accuracies, the first one first, in per cent. @param {Page} page @param {string} method @param {{ [name: string]: string }} [fields] */
async function fit(page, method, fields = {}) {
  await page.selectOption('#method', method);
  for (const [name, value] of Object.entries(fields)) {
    const field = page.locator(`[name="${name}"]`);
    if (await field.evaluate(({ tagName }) => tagName === 'SELECT')) await field.selectOption(value);
    else await field.fill(value);
  }
  const before = await page.locator('#points tr').count();
  await page.click('#run');
  await page.waitForFunction((count) => document.querySelectorAll('#points tr').length > count && /fitted: /.test(document.getElementById('status').textContent)
    && document.getElementById('run').getAttribute('aria-disabled') === 'false', before, { polling: 50 });
  const cells = await page.locator('#points tr td:nth-of-type(1)').allTextContents();
  return cells.slice(0, cells.length - before).map(parseFloat).reverse();
}

/** The line of the newest run. @param {Page} page */
const line = async (page) => (await page.locator('#runs tr').first().locator('th, td').allTextContents()).map((cell) => cell.trim());

test('spirals: no line parts them, random features do; all points, the MLP beside them, a row that is typed', async () => {
  await withPage({ path }, async (page) => {
    await ready(page);
    await page.selectOption('[name="source"]', 'spirals');
    const [ridge] = await fit(page, 'ridge');
    assert.ok(ridge < 70, `ridge ${ridge} %`);
    assert.deepEqual((await line(page)).slice(0, 2), ['Ridgeon the inputs, 1,000 rows of Spirals', `${ridge.toFixed(1)} %`]);
    const slfn = await fit(page, 'slfn', { top: '64' });
    assert.equal(slfn.length, 17);
    assert.ok(slfn.at(-1) > 90 && slfn[0] < 70, `SLFN ${slfn}`);
    assert.match((await line(page))[0], /^SLFNρ = \d+, 1,000 rows of Spirals$/);
    assert.equal((await line(page))[1], `${Math.max(...slfn).toFixed(1)} %`);
    assert.match(await page.getAttribute('#chart-growth', 'aria-label'), /the ratio ρ.*Ridge \d.*SLFN \d+\.\d % at ρ = /);
    const elm = await fit(page, 'elm', { top: '16' });
    assert.equal(elm.length, 13);
    await says(page, 'fact-model', /^ELM$/); // drawn with the next figures
    await says(page, 'answer', /^Says (red|green|blue)(, which is right|, but it is (red|green|blue))$/);
    await page.fill('#row', '0.9,0.5');
    await page.focus('#row');
    await page.keyboard.press('Enter');
    await says(page, 'answer', /^Says (red|green|blue)$/);
    assert.match(await text(page, 'answer-kind'), /least squares/);
    await page.fill('[name="epochs"]', '3');
    await page.click('#compare');
    await says(page, 'status', /^MLP fitted/);
    assert.match((await line(page))[0], /^MLPepoch 3, 128 units/);
    assert.equal((await line(page))[3], String(2 * 128 + 128 + 128 * 3 + 3));
    assert.match(await page.getAttribute('#chart-time', 'aria-label'), /Ridge .*ELM .*SLFN .*MLP \d+\.\d % in \d/);
    await says(page, 'answer-kind', /^Probabilities/);
    await page.fill('#row', '1,two');
    await page.click('#row-form button');
    await says(page, 'errors', /y: expected a number, got "two"/);
    await page.fill('#row', '1');
    await page.click('#row-form button');
    await says(page, 'errors', /The row has 1 fields, expected 2: x, y/);
    await page.click('#reset');
    assert.match(await text(page, 'runs'), /Nothing fitted yet/);
  });
});

test('digits: a sweep is stopped half-way, a drawing is read, the model comes back from the browser and from a file', async () => {
  await withPage({ path }, async (page) => {
    await ready(page);
    await page.selectOption('[name="rows"]', '1000');
    const sweep = await fit(page, 'slfn', { top: '1', alpha: '1' });
    assert.equal(sweep.length, 4);
    assert.ok(sweep.at(-1) > 78 && sweep.at(-1) > sweep[0], `SLFN ${sweep}`);
    assert.match((await line(page))[3], /^[\d,]+ \+ [\d,]+ random$/);
    await page.click('[aria-label="Example of 1"]');
    await says(page, 'answer', /^Says (1, which is right|[02-9], but it is 1)$/); // the example is any one; a few are misread
    const answer = () => page.locator('#bars .value').allTextContents(), learnt = await answer();
    await page.click('#save-browser');
    await says(page, 'status', /^The model is kept/);
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save-file')]);
    assert.equal(download.suggestedFilename(), 'closed-form.safetensors');
    await fit(page, 'ridge');
    await says(page, 'fact-model', /^Ridge$/);
    for (const way of ['browser', 'file']) {
      if (way === 'browser') await page.click('#load-browser');
      else await page.setInputFiles('#model-file', await download.path());
      await says(page, 'status', /^The model is loaded: \d/);
      await says(page, 'fact-model', /^SLFN$/);
      await page.waitForFunction((wanted) => Array.from(document.querySelectorAll('#bars .value'), (value) => value.textContent).join() === wanted, learnt.join());
      if (way === 'browser') await fit(page, 'ridge');
    }
    await page.click('#clear');
    assert.match(await text(page, 'answer'), /^Draw a digit/);
    await page.locator('#pad').scrollIntoViewIfNeeded();
    const { x, y, width } = await page.locator('#pad').boundingBox();
    await page.mouse.move(x + width / 2, y + width * 0.1);
    await page.mouse.down();
    await page.mouse.move(x + width / 2, y + width * 0.8, { steps: 9 });
    await page.mouse.up();
    await says(page, 'answer', /^Says \d$/);
    await page.selectOption('[name="rows"]', '5000');
    await page.selectOption('[name="top"]', '4');
    await page.selectOption('#method', 'elm');
    const before = await page.locator('#points tr').count();
    await page.click('#run');
    await page.waitForFunction((count) => document.querySelectorAll('#points tr').length > count + 1, before, { polling: 20 });
    assert.equal(await page.isDisabled('[name="alpha"]'), true);
    await page.click('#stop');
    await says(page, 'status', /^Stopped: \d/);
    assert.ok(await page.locator('#points tr').count() < before + 9, 'the sweep was not finished');
    await says(page, 'fact-model', /^ELM$/);
    await page.setInputFiles('#model-file', { name: 'x.safetensors', mimeType: '', buffer: Buffer.from('nonsense that is no model') });
    await says(page, 'errors', /x\.safetensors can't be opened\. /);
    assert.equal(await text(page, 'fact-model'), 'ELM', 'nothing is lost');
  });
});

/** A table of flowers: two numbers, a word, and the class, which follows from them. @param {number} rows */
function flowers(rows) {
  const lines = ['"length, cm";width;colour;garden;kind'];
  for (let i = 0, state = 7; i < rows; i++) {
    const next = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
    const k = i % 3, colour = ['white', 'yellow'][Number(next() < (k === 0 ? 0.1 : 0.9))];
    lines.push([(3 + k + next()).toFixed(2), i % 10 === 9 ? '' : (2 - 0.4 * k + 0.3 * next()).toFixed(2), colour, 'Kew', `"${['rose', 'tulip', 'lily'][k]}"`].join(';'));
  }
  return `${lines.join('\r\n')}\r\n`;
}

test('a CSV file: its columns, another target, wrong files; a model without its table still takes rows', async () => {
  await withPage({ path, context: phone }, async (page) => {
    await ready(page);
    const wrong = async (name, content, pattern) => {
      await page.setInputFiles('#files', file(name, content));
      await says(page, 'errors', pattern);
    };
    await wrong('cut.csv', 'a,b\n1,2\n3\n', /cut\.csv can't be used\. csv: line 3 has 1 field, expected 2/);
    await wrong('open.csv', 'a,b\n1,"2\n3,4\n', /open\.csv can't be used\. .*line 2: the quote of field 2 is never closed/);
    await wrong('zip.csv', 'PK\x03\x04\0\0', /zip\.csv can't be used\. .*no text/);
    await wrong('few.csv', 'a,b\n1,x\n2,y\n', /few\.csv has 2 rows that say their class: expected 12 or more/);
    await wrong('many.csv', `a,b\n${Array.from({ length: 99 }, (_, i) => `${i % 5},${i}`).join('\n')}\n`, /Column "b" holds 99 different values.*Choose another column/);
    await wrong('same.csv', `a,b\n${'1,x\n'.repeat(20)}`, /Column "b" holds "x" only/);
    assert.equal(await page.locator('#target-box').isVisible(), false, 'the digits stay');
    await page.setInputFiles('#files', file('flowers.csv.gz', gzipSync(flowers(120))));
    await says(page, 'files-state', /flowers\.csv\.gz: 100 rows to train on, 20 to test on, 4 inputs, 3 classes\. Left out, .*: garden\./);
    assert.equal(await page.locator('.error').count(), 0);
    assert.equal(await page.inputValue('[name="target"]'), 'kind');
    const found = await fit(page, 'elm', { top: '16' });
    assert.ok(Math.max(...found) > 90, `ELM ${found}`);
    await page.fill('#row', '3.4,1.9,white');
    await page.click('#row-form button');
    await says(page, 'answer', /^Says rose$/);
    await page.fill('#row', '3.4,1.9,black');
    await page.click('#row-form button');
    await says(page, 'errors', /colour: "black" is new here; expected white, yellow/);
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save-file')]), saved = await download.path();
    await page.selectOption('[name="target"]', 'colour');
    await says(page, 'files-state', /5 inputs, 2 classes/);
    await says(page, 'fact-model', /^–$/);
    await fit(page, 'ridge');
    await page.selectOption('[name="target"]', 'length, cm');
    await says(page, 'errors', /Column "length, cm" holds \d+ different values/);
    assert.equal(await page.inputValue('[name="target"]'), 'colour');
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'no sideways scrolling');
    await page.reload();
    await ready(page);
    await page.setInputFiles('#model-file', saved);
    await says(page, 'status', /^The model is loaded: \d/);
    assert.equal(await page.getAttribute('#run', 'aria-disabled'), 'true', 'there is nothing to learn from');
    await page.fill('#row', '5.4,1.3,yellow');
    await page.click('#row-form button');
    await says(page, 'answer', /^Says lily$/);
    await page.selectOption('[name="source"]', 'digits');
    assert.equal(await page.getAttribute('#run', 'aria-disabled'), 'false');
  });
});

test('without the two headers: one thread, said in the page; settings are checked, keys suffice', async () => {
  await withPage({ path, isolated: false, context: { ...phone, colorScheme: 'dark', reducedMotion: 'reduce' } }, async (page) => {
    await ready(page);
    assert.match(await page.innerText('#isolation'), /Cross-Origin-Opener-Policy: same-origin/);
    await page.selectOption('[name="source"]', 'spirals');
    await page.fill('[name="seed"]', '-1');
    await page.focus('#run');
    await page.keyboard.press('Enter');
    await says(page, 'errors', /Seed: expected a whole number from 0 to 999999, got -1/);
    await page.fill('[name="seed"]', '3');
    const found = await fit(page, 'slfn', { top: '16' });
    assert.ok(Math.max(...found) > 70, `SLFN ${found}`);
    await says(page, 'fact-engine', /^heddle-st/);
    assert.equal(await text(page, 'fact-isolated'), 'no');
    assert.equal(await page.locator('.error').count(), 0);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'no sideways scrolling');
  });
});

test('networks grow layer by layer, and can be stopped; ReDense betters the MLP', async () => {
  await withPage({ path }, async (page) => {
    await ready(page);
    await page.selectOption('[name="source"]', 'spirals');
    for (const [method, fields, least] of [['ssfn', { layers: '3', nodes: '100' }, 75], ['hnf', { layers: '2' }, 50], ['dkn', { layers: '2' }, 90]]) {
      const found = await fit(page, method, fields);
      assert.ok(found.length >= 2 && found.length <= 4 && found.at(-1) > least, `${method} ${found}`);
      assert.match((await line(page))[0], new RegExp(`^${method.toUpperCase()}layer \\d`));
      assert.match((await line(page))[3], /^[\d,]+ \+ [\d,]+ random$/);
    }
    assert.match(await page.getAttribute('#chart-growth', 'aria-label'), /against the number of layers: SSFN .*HNF .*DKN /);
    const [before, after] = await fit(page, 'redense', { epochs: '20' });
    assert.ok(after >= before - 1, `MLP ${before}, ReDense ${after}`);
    await says(page, 'answer-kind', /^Probabilities/);
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save-file')]);
    await page.setInputFiles('#model-file', await download.path());
    await says(page, 'status', /^The model is loaded: \d/);
    await says(page, 'fact-model', /^ReDense$/);
    await page.selectOption('#method', 'ssfn');
    await page.fill('[name="layers"]', '12');
    await page.fill('[name="nodes"]', '2000');
    const points = await page.locator('#points tr').count();
    await page.click('#run');
    await page.waitForFunction((count) => document.querySelectorAll('#points tr').length > count + 1, points, { polling: 20 });
    await page.click('#stop');
    await says(page, 'status', /^Stopped: \d/);
    await says(page, 'fact-model', /^SSFN$/); // whole layers are kept
  });
});

test('two tabs find one solution, better than that of either; who waits in vain can stop', async () => {
  await withPage({ path }, async (page) => {
    const other = await page.context().newPage(), pages = [page, other];
    await other.goto(page.url());
    for (const one of pages) await ready(one);
    for (const travel of ['gram', 'admm']) {
      for (const one of pages) {
        await one.selectOption('[name="source"]', 'spirals');
        await one.selectOption('[name="top"]', '64');
        await one.selectOption('[name="travel"]', travel);
        await one.click('#join');
      }
      for (const one of pages) await says(one, 'together-state', /^(Done|That came)/);
      const [first, second] = await Promise.all(pages.map((one) => text(one, 'together-state')));
      for (const told of [first, second]) assert.match(told, travel === 'gram' ? /^Done: 2 tabs, 1 round; sent \d.*received \d/ : /^Done: 2 tabs, \d+ rounds; sent \d.*received \d/);
      const lines = await Promise.all(pages.map(line));
      assert.deepEqual(lines[0].slice(0, 2), lines[1].slice(0, 2), 'the same solution');
      assert.ok(parseFloat(lines[0][1]) > 80, lines[0][1]);
      assert.match(await text(page, 'points'), /this tab alone, 500 rows/);
    }
    await says(page, 'answer', /^Says (red|green|blue)/);
    await page.click('#join');
    await says(page, 'together-state', /^Waiting for 1 more/);
    await page.click('#stop');
    await says(page, 'together-state', /^This tab has left/);
    await says(page, 'status', /^Stopped/);
    await page.fill('[name="members"]', '9');
    await page.click('#join');
    await says(page, 'errors', /Tabs: expected a whole number from 2 to 8, got 9/);
    await other.close();
  });
});

test('what could not be fetched is said', async () => {
  const server = await serve(), page = await barePage();
  await page.route('**/csv_worker.js', (route) => route.fulfill({ status: 404, body: '' }));
  await page.goto(`${server.url}${path}`);
  await ready(page);
  await page.setInputFiles('#files', file('flowers.csv', flowers(60)));
  await says(page, 'errors', /flowers\.csv can't be read: the reader did not start/);
  await page.route('**/train-images-*', (route) => route.fulfill({ status: 404, body: '' }));
  await page.click('#run');
  await says(page, 'errors', /train-images-idx3-ubyte could not be fetched: the server answered 404/);
  assert.equal(await page.getAttribute('#run', 'aria-disabled'), 'false');
  await page.close();
  await server.close();
});
