// The built site in a sub-folder of a host that sends no special headers: threads by its service worker, all demos, offline, a new version.
import assert from 'node:assert/strict';
import { createReadStream, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildSite, writeWorker } from '../../tools/site/site.mjs';
import { withPage } from './pagekit.js';

/** @import { Page } from 'playwright-core' */

const host = mkdtempSync(join(tmpdir(), 'heddle-site-')), sub = 'some/folder/', site = join(host, sub);
const demos = ['digits', 'convnet', 'closed-form', 'quality', 'super-resolution', 'classify'];
const types = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.wasm': 'application/wasm', '.webp': 'image/webp', '.jpg': 'image/jpeg' };
before(async () => {
  await buildSite(site);
  writeFileSync(join(site, 'extra.txt'), 'of somebody else'); // not the site's
}, { timeout: 300_000 });
after(() => rmSync(host, { recursive: true }));

/** As plain as hosts get: files with a type; pages kept by browsers for ten minutes, as GitHub Pages has it, and the rest not at all. @param {number} port 0: any */
async function plainHost(port) {
  const asked = [], server = createServer(({ url }, response) => {
    const name = decodeURIComponent(new URL(url, 'http://host').pathname), path = join(host, name, name.endsWith('/') ? 'index.html' : ''), stat = statSync(path, { throwIfNoEntry: false });
    asked.push(name.slice(1 + sub.length));
    if (!stat?.isFile()) return response.writeHead(404).end();
    response.writeHead(200, { 'Content-Type': types[extname(path)] ?? 'application/octet-stream', 'Content-Length': stat.size, 'Cache-Control': name.endsWith('/') ? 'max-age=600' : 'no-store' });
    return createReadStream(path).pipe(response);
  });
  await new Promise((resolve) => { server.listen(port, '127.0.0.1', resolve); });
  const close = () => new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  return { asked, port: server.address().port, close };
}

const says = (page, pattern) => page.waitForFunction((source) => new RegExp(source).test(document.getElementById('status').textContent), pattern.source, { polling: 50 });
/** What its engine says where the page has it, and that the page can have threads. @param {Page} page @param {string} url @param {string} name */
async function opens(page, url, name) {
  await page.goto(`${url}${name}/`);
  await page.waitForFunction(() => globalThis.crossOriginIsolated, undefined, { polling: 50 });
  await says(page, name === 'classify' ? /^Choose a file/ : /^Ready/);
  const threads = page.locator('select[name="threads"] option');
  if (name !== 'classify') assert.ok(await threads.count() > 1, `${name}: threads`);
  assert.equal(await page.locator('.error').count(), 0, name);
}

test('a sub-folder of a plain host: all demos with threads; all of them offline, digits learns', { timeout: 240_000 }, async () => {
  const server = await plainHost(0);
  const url = `http://localhost:${server.port}/${sub}`;
  // What browsers say when a worker can't be looked for anew, offline.
  await withPage({ path: 'index.html', url, expected: /fetching the script|ERR_CONNECTION_REFUSED|ERR_INTERNET_DISCONNECTED/ }, async (page) => {
    await page.waitForFunction(() => globalThis.crossOriginIsolated && /heddle-mt/.test(document.getElementById('facts').textContent), undefined, { polling: 50 });
    assert.match(await page.innerText('#facts'), /Threads\s+[2-9] of/);
    assert.equal(await page.isVisible('#isolation'), false);
    for (const name of demos) await opens(page, url, name);
    assert.match(await (await page.goto(`${url}guides/index.html`)).text(), /<h1/);
    await page.goto(`${url}digits/`);
    await page.waitForFunction(() => document.documentElement.dataset.kept, undefined, { timeout: 60_000 });
    const other = () => page.evaluate(() => fetch('../extra.txt', { cache: 'no-store' }).then((response) => response.text(), () => 'not there'));
    assert.equal(await other(), 'of somebody else');
    assert.equal(server.asked.filter((name) => name === 'digits/digits.js').length <= 2, true, `${server.asked}`);

    await server.close();
    for (const name of [...demos].reverse()) await opens(page, url, name);
    await page.evaluate(() => { document.getElementById('settings-box')?.setAttribute('open', ''); });
    await page.goto(`${url}digits/`);
    await says(page, /^Ready/);
    await page.selectOption('[name="rows"]', '1000');
    await page.fill('[name="epochs"]', '2');
    await page.click('#run');
    await says(page, /^Trained: \d\d\.\d %/);
    await page.goto(`${url}reference/index.html`);
    assert.match(await page.innerText('main'), /heddle/);
    assert.equal(await other(), 'not there');
  });
});

test('a new version takes over when the site is opened next, and fetches only what has changed', { timeout: 120_000 }, async () => {
  const server = await plainHost(0), url = `http://localhost:${server.port}/${sub}`;
  await withPage({ path: '', url }, async (page) => {
    await page.waitForFunction(() => document.documentElement.dataset.kept, undefined, { timeout: 60_000 });
    server.asked.length = 0;
    const old = readFileSync(join(site, 'index.html'), 'utf8');
    writeFileSync(join(site, 'index.html'), old.replace('<h1>heddle</h1>', '<h1>heddle, the next</h1>'));
    rmSync(join(site, 'extra.txt'));
    const { version } = writeWorker(site);
    await page.goto(url);
    assert.equal(await page.innerText('h1'), 'heddle');
    await page.evaluate(async () => {
      const registration = await navigator.serviceWorker.ready;
      await registration.update();
      while (!registration.waiting) await new Promise((resolve) => { setTimeout(resolve, 50); });
    });
    const fetched = server.asked.filter((name) => name && name !== 'sw.js');
    assert.deepEqual(fetched.filter((name) => name !== 'index.html'), [], 'what did not change is taken over');
    const isNext = () => page.waitForFunction(() => document.querySelector('h1')?.textContent === 'heddle, the next', undefined, { polling: 50, timeout: 6000 }).then(() => true, () => false);
    for (let opened = 0, next = false; !next; opened++) { // while the page before has not gone yet, on a slow machine, the old version stays
      assert.ok(opened < 4, 'the new version has not begun');
      await page.reload().catch(() => {}); // the page itself loads once more
      next = await isNext();
    }
    await page.waitForFunction(() => globalThis.crossOriginIsolated && /heddle-mt/.test(document.getElementById('facts')?.textContent), undefined, { polling: 50 });
    assert.deepEqual((await page.evaluate(() => caches.keys())).map((name) => name.split(' ').at(-1)), [version], "the old version's files are gone");
  });
  await server.close();
});
