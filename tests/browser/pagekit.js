/** Shared by the tests of pages in Chromium. */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { chromium } from 'playwright-core';
import { serve } from '../../tools/serve.mjs';
import { watchOut } from './watch.js';

const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--use-fake-device-for-media-stream'];
export const patience = 20_000;

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args });
});
after(() => browser?.close());

/** A page without any watch on it. */
export const barePage = () => browser.newPage();

/**
 * Opens a page of its own server and browser context. Whatever the page complains about fails the test, and so does a
 * request to anywhere else.
 * @param {{ path: string, isolated?: boolean, context?: object, expected?: RegExp, folder?: string, headers?: Record<string, string>, url?: string, named?: RegExp }} options
 *   expected: complaints that are none; named: addresses elsewhere that the page was told to use; folder, headers: of the server; url: of a server that runs already
 * @param {(page: import('playwright-core').Page) => Promise<void>} work
 */
export async function withPage({ path, isolated = true, context = {}, expected = /^$/, folder, headers, url, named }, work) {
  const server = url ? { url, close: async () => {} } : await serve({ isolated, folder, headers }), own = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...context });
  const complaints = [], complain = (text) => { if (!expected.test(text)) complaints.push(text); };
  await watchOut(own, server.url, complain, named);
  const page = await own.newPage();
  page.setDefaultTimeout(patience);
  page.on('console', (message) => { if (['error', 'warning'].includes(message.type())) complain(message.text()); });
  page.on('pageerror', (error) => complain(String(error.stack)));
  page.on('response', (response) => { if (response.status() >= 400) complain(`${response.status()} ${response.url()}`); });
  try {
    await page.goto(server.url + path);
    await work(page).catch((cause) => {
      throw complaints.length ? new Error(`${cause.message}\n${complaints.join('\n')}`, { cause }) : cause;
    });
    assert.deepEqual(complaints, []);
  } finally {
    await own.close();
    await server.close();
  }
}

/** Presses Train; when the first epoch has ended, however soon that is, the page is hidden, so that it writes, and paused.
 * @param {import('playwright-core').Page} page @param {string} name of the page */
export async function trainsOneEpoch(page, name) {
  await page.evaluate(async (store) => {
    const { checkpointInfo } = await import('/bindings/checkpoints/index.js'), run = document.getElementById('run');
    new MutationObserver(async (_, observer) => {
      observer.disconnect();
      Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
      delete document.visibilityState;
      run.click();
      while (run.textContent !== 'Resume' || (await checkpointInfo(store))?.epoch !== 1) await new Promise((resolve) => { setTimeout(resolve, 20); });
      document.documentElement.dataset.written = store;
    }).observe(document.getElementById('epochs'), { childList: true });
  }, `indexeddb://${name}-training`);
  await page.click('#run');
  await page.waitForSelector('html[data-written]');
}
