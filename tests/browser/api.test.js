// The JavaScript API in Chromium pages: isolated, not isolated, and under a strict Content-Security-Policy; stores, downloads, full
// disks; a worker that dies. Functions given to page.evaluate run in the page.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { load } from '../../bindings/index.js';
import { serve } from '../../tools/serve.mjs';
import { watchOut } from './watch.js';

const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];
const golden = await readFile(new URL('../native/bits_golden.h', import.meta.url), 'utf8');
const native = { digest: Number(/DIGEST (0x[0-9a-f]+)u/.exec(golden)?.[1]), loss: Number(/LOSS ([0-9.]+)/.exec(golden)?.[1]) };
/** The page's only inline script, its import map, is allowed by its hash. */
const importMap = />(\{.*\})</.exec(await readFile(new URL('blank.html', import.meta.url), 'utf8'))?.[1] ?? '';
const hash = createHash('sha256').update(importMap).digest('base64');
const policy = `default-src 'self'; script-src 'self' 'sha256-${hash}' 'wasm-unsafe-eval'; worker-src 'self'; object-src 'none'; base-uri 'none'`;

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args });
});
after(() => browser?.close());

/** The server of the demo pages behind one that adds a header. @param {string} url @param {Record<string, string>} headers */
async function serveWith(url, headers) {
  const server = createServer(async (request, response) => {
    const answer = await fetch(new URL(request.url ?? '/', url)), body = Buffer.from(await answer.arrayBuffer());
    const kept = Object.fromEntries([...answer.headers].filter(([name]) => /^(content-type|cross-origin-.*)$/.test(name)));
    response.writeHead(answer.status, { ...kept, ...headers }).end(body);
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(undefined)); });
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return { url: `http://localhost:${port}/`, close: () => { server.closeAllConnections(); server.close(); } };
}

/**
 * A blank page of its own server and profile. What it complains about, but what is expected, fails the test.
 * @param {{ isolated?: boolean, headers?: Record<string, string>, expected?: RegExp }} options
 * @param {(page: import('playwright-core').Page, notes: string[]) => Promise<void>} work notes: console.info
 */
async function withPage({ isolated = true, headers, expected }, work) {
  const inner = await serve({ isolated }), outer = headers && await serveWith(inner.url, headers);
  const context = await browser.newContext();
  /** @type {string[]} */
  const complaints = [], /** @type {string[]} */ notes = [];
  await watchOut(context, (outer ?? inner).url, (complaint) => complaints.push(complaint));
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(`${message.text()} ${message.location().url}`);
    if (message.type() === 'info') notes.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error.stack)));
  try {
    const answer = await page.goto(`${(outer ?? inner).url}tests/browser/blank.html`);
    assert.equal(answer?.status(), 200);
    await work(page, notes);
    assert.deepEqual(complaints.filter((text) => !text.includes('favicon.ico') && !expected?.test(text)), []);
  } finally {
    await context.close();
    outer?.close();
    await inner.close();
  }
}

/** Trains as tests/native/bits_test.c does. @param {import('playwright-core').Page} page @param {object} options of init */
const train = (page, options) => page.evaluate(async (given) => {
  const { info, init } = await import('/bindings/index.js'), { bitsRun } = await import('/tests/browser/bits.js');
  await init(given);
  const result = await bitsRun(), { engine, threads, threadsAsked, isolated, worker, relaxed } = info();
  return { result, facts: { engine, threads, threadsAsked, isolated, worker, relaxed } };
}, options);

test('isolated: the native bits in a worker, on one thread and on more', async () => {
  await withPage({}, async (page, notes) => {
    for (const threads of [1, 2, 4]) {
      const { result, facts } = await train(page, { threads, deterministic: true });
      assert.deepEqual(result, native);
      const engine = threads === 1 ? 'heddle-st' : 'heddle-mt';
      assert.deepEqual(facts, { engine, threads, threadsAsked: threads, isolated: true, worker: true, relaxed: false });
    }
    assert.deepEqual(notes, []);
  });
});

test('isolated: relaxed SIMD is the default, and differs in the last bits only', async () => {
  await withPage({}, async (page) => {
    const { result, facts } = await train(page, { threads: 2 });
    assert.deepEqual([facts.engine, facts.relaxed, facts.threads], ['heddle-mt-relaxed', true, 2]);
    assert.ok(Math.abs(result.loss - native.loss) < 1e-5, `loss ${result.loss}`);
  });
});

test('not isolated: the same bits on one thread, and one note that names the two headers', async () => {
  await withPage({ isolated: false }, async (page, notes) => {
    const { result, facts } = await train(page, { threads: 4, deterministic: true });
    assert.deepEqual(result, native);
    assert.deepEqual(facts, { engine: 'heddle-st', threads: 1, threadsAsked: 4, isolated: false, worker: true, relaxed: false });
    assert.equal(notes.length, 1, notes.join('\n'));
    assert.match(notes[0], /Cross-Origin-Opener-Policy: same-origin.*Cross-Origin-Embedder-Policy: require-corp/);
    const error = await page.evaluate(async () => {
      const { init } = await import('/bindings/index.js');
      return init({ engine: 'heddle-mt' }).then(() => null, ({ code, message }) => ({ code, message }));
    });
    assert.equal(error?.code, 'unsupported');
    assert.match(error?.message ?? '', /no shared memory without cross-origin isolation/);
  });
});

for (const isolated of [true, false]) {
  test(`a Content-Security-Policy without eval, ${isolated ? 'isolated' : 'not isolated'}`, async () => {
    const options = { isolated, headers: { 'Content-Security-Policy': policy }, expected: /inline script/ };
    await withPage(options, async (page) => {
      const { result, facts } = await train(page, { threads: 2, deterministic: true });
      assert.deepEqual(result, native);
      assert.equal(facts.threads, isolated ? 2 : 1);
      const inForce = await page.evaluate(() => new Promise((resolve) => {
        document.addEventListener('securitypolicyviolation', () => resolve(true));
        setTimeout(resolve, 5000, false);
        document.head.append(Object.assign(document.createElement('script'), { textContent: 'void 0' }));
      }));
      assert.equal(inForce, true);
    });
  });
}

test('IndexedDB and OPFS keep a model over a reload; they list, replace and remove it', async () => {
  await withPage({}, async (page) => {
    const stores = ['indexeddb://', 'opfs://'], url = (/** @type {string} */ store) => `${store}${store === 'opfs://' ? 'runs/' : ''}net`;
    const saved = await page.evaluate(async (urls) => {
      const { layers, sequential } = await import('/bindings/index.js');
      const net = await sequential([layers.input({ shape: [5] }), layers.dense({ units: 3 })], { seed: 3 });
      for (const target of [...urls, ...urls]) await net.save(target, { metadata: { target } }); // twice: replaced
      return Array.from((await net.predict([[1, 2, 3, 4, 5]])).data);
    }, stores.map(url));
    await page.reload();
    const loaded = await page.evaluate(async (urls) => {
      const { listStore, load, removeFrom } = await import('/bindings/index.js'), found = [];
      for (const source of urls) {
        const net = await load(source);
        found.push({ p: Array.from((await net.predict([[1, 2, 3, 4, 5]])).data), metadata: net.metadata });
      }
      const before = [await listStore('indexeddb://'), await listStore('opfs://')];
      for (const source of urls) await removeFrom(source);
      const missing = await Promise.all(urls.map((source) => load(source).then(() => null, ({ code, message }) => ({ code, message }))));
      return { found, before, after: [await listStore('indexeddb://'), await listStore('opfs://')], missing };
    }, stores.map(url));
    assert.deepEqual(loaded.found, stores.map((store) => ({ p: saved, metadata: { target: url(store) } })));
    assert.deepEqual(loaded.before.map((names) => JSON.stringify(names).includes('net')), [true, true]);
    assert.deepEqual(loaded.after.map((names) => JSON.stringify(names).includes('net')), [false, false]);
    for (const error of loaded.missing) assert.deepEqual([error?.code, /no such entry/.test(error?.message ?? '')], ['storage', true]);
  });
});

test('a download is the whole file: Node loads it, and predicts the same', async () => {
  await withPage({ isolated: false }, async (page) => {
    const waiting = page.waitForEvent('download');
    const p = await page.evaluate(async () => {
      const { layers, sequential } = await import('/bindings/index.js');
      const net = await sequential([layers.input({ shape: [5] }), layers.dense({ units: 3, activation: 'tanh' })], { seed: 3 });
      await net.save('download://net.safetensors');
      return Array.from((await net.predict([[1, 2, 3, 4, 5]])).data);
    });
    const download = await waiting;
    assert.equal(download.suggestedFilename(), 'net.safetensors');
    const net = await load(await readFile(await download.path()));
    const { data } = await net.predict([[1, 2, 3, 4, 5]]);
    assert.ok(data.every((v, i) => Math.abs(v - p[i]) < 1e-6), `${data} and ${p}`);
    net.dispose();
  });
});

test('a full disk is a storage error, and what was saved before stays whole', async () => {
  await withPage({}, async (page) => {
    const session = await page.context().newCDPSession(page), origin = new URL(page.url()).origin;
    for (const store of ['opfs://a', 'indexeddb://a']) {
      await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 30e6 });
      const result = await page.evaluate(async (target) => {
        const { loadFrom, saveTo } = await import('/bindings/index.js');
        await saveTo(target, new Uint8Array(1000).fill(7));
        const error = await saveTo(target, new Uint8Array(64e6)).then(() => null, ({ code, message }) => ({ code, message }));
        const kept = await loadFrom(target);
        return { error, kept: kept.length === 1000 && kept.every((byte) => byte === 7) };
      }, store);
      assert.deepEqual([result.error?.code, result.kept], ['storage', true], JSON.stringify(result));
    }
  });
});

/** How a worker may die. @type {[string, (page: import('playwright-core').Page) => Promise<unknown>][]} */
const deaths = [
  ['a trap', (page) => page.evaluate(async () => {
    const { connect } = await import('/bindings/session.js');
    await (await connect()).call('trap', []).catch(() => {});
  })],
  ['an uncaught error', (page) => page.workers()[0].evaluate(() => { setTimeout(() => { throw new Error('lost'); }); })],
];
for (const [name, kill] of deaths) {
  test(`a worker ended by ${name}: what is pending rejects with "crashed", the next call works on the last weights`, async () => {
    await withPage({ expected: /Uncaught Error: lost/ }, async (page) => {
      await page.evaluate(async () => {
        const { init, trainingControl } = await import('/bindings/index.js');
        const { bitsData, bitsModel, digestOf } = await import('/tests/browser/bits.js');
        await init({ threads: 2 });
        const net = await bitsModel(), { x, y } = bitsData(), control = trainingControl();
        await net.fit(x, y, { batchSize: 256 });
        const before = digestOf(await net.getWeights());
        await new Promise((resolve) => { // until the second fit stands still in its first epoch
          const onBatchEnd = () => { control.pause().then(resolve, () => {}); }; // it goes down with its engine
          const fit = net.fit(x, y, { batchSize: 1, control, onBatchEnd }).then(() => null, ({ code }) => code);
          Object.assign(globalThis, { scene: { net, x, y, before, fit, digestOf } });
        });
      });
      await kill(page);
      const { code, before, after, loss } = await page.evaluate(async () => {
        const { net, x, y, before: kept, fit, digestOf } = /** @type {any} */ (globalThis).scene;
        const failure = await fit, now = digestOf(await net.getWeights()), { history } = await net.fit(x, y, { batchSize: 256 });
        return { code: failure, before: kept, after: now, loss: history.loss[0] };
      });
      assert.deepEqual([code, after], ['crashed', before]);
      assert.ok(loss < 2.3, `it goes on where it was: loss ${loss}`);
    });
  });
}

test('abort stops a fit with the standard AbortError and the weights of a whole step; the page stays alive', async () => {
  for (const isolated of [true, false]) {
    await withPage({ isolated }, async (page) => {
      const result = await page.evaluate(async () => {
        const { bitsData, bitsModel, digestOf } = await import('/tests/browser/bits.js');
        const net = await bitsModel(), { x, y } = bitsData(), stop = new AbortController();
        let batches = 0, frames = 0, running = true;
        const frame = () => { frames++; if (running) requestAnimationFrame(frame); };
        requestAnimationFrame(frame);
        const error = await net.fit(x, y, { epochs: 1e6, batchSize: 32, signal: stop.signal, onBatchEnd: () => { if (++batches === 100) stop.abort(); } })
          .then(() => null, (/** @type {any} */ thrown) => ({ name: thrown.name, standard: thrown instanceof DOMException }));
        running = false;
        const once = digestOf(await net.getWeights()), twice = digestOf(await net.getWeights());
        await net.fit(x, y);
        return { error, frames, still: once === twice };
      });
      assert.deepEqual([result.error, result.still], [{ name: 'AbortError', standard: true }, true]);
      assert.ok(result.frames > 1, `${result.frames} frames`);
    });
  }
});
