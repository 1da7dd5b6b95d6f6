// What goes wrong around a page: files that do not come, policies that forbid, no network, an engine that hangs; and what no page may do.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withPage } from './pagekit.js';
import { watchOut } from './watch.js';

const blank = { path: 'tests/browser/blank.html', isolated: true };

/** init in the page: null, or its error as text. @param {import('playwright-core').Page} page @param {object} [options] */
const start = (page, options = {}) => page.evaluate(async (given) => {
  const { init } = await import('/bindings/index.js');
  return init({ threads: 1, ...given }).then(() => null, (error) => `${error.name} ${error.code}: ${error.message}`);
}, options);

/** A tiny fit and what it predicts. @param {import('playwright-core').Page} page */
const works = (page) => page.evaluate(async () => {
  const { layers, sequential } = await import('/bindings/index.js');
  const net = await sequential([layers.input({ shape: [2] }), layers.dense({ units: 1 })], { seed: 1 });
  await net.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  await net.fit([[1, 2], [3, 4]], [[1], [2]], { epochs: 3 });
  const { data } = await net.predict([[1, 2]]);
  net.dispose();
  return data.length;
});

test('files of the engine that are missing, cut, of other bytes, late: a clear error, and the next init works', async () => {
  await withPage({ ...blank, expected: /Failed to load resource|net::ERR|MIME type|wasm streaming compile failed|can't be loaded|^404 / }, async (page) => {
    const cases = [
      ['**/heddle-*.wasm', { status: 404, body: 'no' }, {}, /^HeddleError storage: the engine heddle-[a-z-]+ can't be loaded: .*answered 404/],
      ['**/heddle-*.wasm', { status: 200, contentType: 'application/wasm', body: '<!doctype html>' }, {}, /storage: the engine .* can't be loaded: .*magic/],
      ['**/heddle-*.wasm', { status: 200, contentType: 'text/html', body: '<!doctype html>' }, {}, /storage: the engine .* can't be loaded: .*magic/],
      ['**/heddle-*.wasm', 'cut', {}, /storage: the engine .* can't be loaded: /],
      ['**/heddle-*.wasm', 'internetdisconnected', {}, /storage: the engine .* can't be loaded: /],
      ['**/heddle-*.wasm', 'never', { timeout: 1 }, /timeout: heddle-[a-z-]+ did not load within 1 s/],
      ['**/heddle-*.mjs', { status: 404, body: 'no' }, {}, /storage: the engine .* can't be loaded: /],
      ['**/bindings/worker.js', { status: 404, body: 'no' }, {}, /storage: the worker's script can't be loaded/],
      ['**/bindings/worker.js', { status: 200, contentType: 'text/html', body: '<!doctype html>' }, {}, /storage: the worker's script can't be loaded/],
      ['**/bindings/worker.js', 'never', { timeout: 1 }, /timeout: the worker's script did not load within 1 s/],
    ];
    for (const [files, fault, options, expected] of cases) {
      await page.route(files, async (route) => {
        if (fault === 'never') return;
        if (fault === 'cut') {
          const response = await route.fetch(), body = await response.body();
          await route.fulfill({ response, body: body.subarray(0, body.length >> 1) });
        } else if (typeof fault === 'string') await route.abort(fault);
        else await route.fulfill(fault);
      });
      assert.match(String(await start(page, options)), expected, `${files} ${JSON.stringify(fault)}`);
      await page.unrouteAll({ behavior: 'ignoreErrors' });
      assert.equal(await start(page), null, `after ${files} ${JSON.stringify(fault)}`);
    }
    await page.route('**/heddle-*.wasm', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, headers: { ...response.headers(), 'content-type': 'application/octet-stream' } });
    });
    assert.equal(await start(page), null, 'the right bytes under a wrong type are good enough');
    assert.equal(await works(page), 1);
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  });
});

test('a policy that forbids WebAssembly, or workers', async () => {
  const script = "script-src 'self' 'unsafe-inline'";
  for (const [policy, expected] of [
    [`default-src 'self'; ${script}`, /HeddleError (storage|unsupported): .*(Content Security Policy|wasm|WebAssembly)/],
    [`default-src 'self'; ${script} 'wasm-unsafe-eval'; worker-src 'none'`, /HeddleError storage: .*worker/],
  ]) {
    await withPage({ ...blank, headers: { 'Content-Security-Policy': policy }, expected: /Content Security Policy|violates|Refused/ }, async (page) => {
      assert.match(String(await start(page)), expected);
    });
  }
});

test('offline after loading: a page trains, predicts, saves and loads; what needs the network says so', async () => {
  await withPage({ ...blank, expected: /ERR_INTERNET_DISCONNECTED|Failed to load resource/ }, async (page) => {
    assert.equal(await start(page), null);
    assert.equal(await works(page), 1);
    await page.evaluate(() => import('/bindings/index.js').then(async ({ layers, load, sequential }) => { // the modules that saving imports
      const net = await sequential([layers.input({ shape: [2] }), layers.dense({ units: 1 })]);
      await net.save('indexeddb://before');
      (await load('indexeddb://before')).dispose();
      net.dispose();
    }));
    await page.context().setOffline(true);
    assert.equal(await works(page), 1);
    const told = await page.evaluate(async () => {
      const { layers, load, sequential } = await import('/bindings/index.js');
      const net = await sequential([layers.input({ shape: [2] }), layers.dense({ units: 1 })], { seed: 2 }), { data: [p] } = await net.predict([[1, 2]]);
      await net.save('indexeddb://offline');
      const back = await load('indexeddb://offline'), { data: [q] } = await back.predict([[1, 2]]);
      const error = await load(new URL('/no-such-model.safetensors', location.href)).then(() => null, (reason) => `${reason.name} ${reason.code}: ${reason.message}`);
      return { same: p === q, error };
    });
    assert.equal(told.same, true);
    assert.match(told.error, /^HeddleError storage: .+/);
    await page.context().setOffline(false);
  });
});

test('an engine that hangs in a page is ended, in its threads, too; the next call works', async () => {
  await withPage(blank, async (page) => {
    const told = await page.evaluate(async () => {
      const { info, init, layers, sequential } = await import('/bindings/index.js');
      const script = `import ${JSON.stringify(new URL('/bindings/worker.js', location.href).href)};
        import { Heap } from ${JSON.stringify(new URL('/bindings/heap.js', location.href).href)};
        const { call } = Heap.prototype;
        Heap.prototype.call = function (name, ...args) {
          if (name === 'hd_predict_nodes') for (;;);
          return call.call(this, name, ...args);
        };`;
      await init({ threads: 2, watchdog: 4, workerUrl: URL.createObjectURL(new Blob([script], { type: 'text/javascript' })) });
      const net = await sequential([layers.input({ shape: [2] }), layers.dense({ units: 1 })], { seed: 2 });
      const error = await net.predict([[1, 2]]).then(() => null, (reason) => `${reason.code}: ${reason.message}`);
      await init({ threads: 2 });
      return { error, length: (await net.predict([[1, 2]])).data.length, worker: info().worker };
    });
    assert.match(told.error, /^timeout: the engine has given no sign of life for 4 s/);
    assert.deepEqual([told.length, told.worker], [1, true]);
  });
});

test('the watch on what leaves a page sees requests, beacons, WebSockets and WebRTC, of pages and of workers', async () => {
  await withPage({ ...blank, expected: /./ }, async (page) => {
    const seen = [], context = await page.context().browser().newContext(), elsewhere = 'http://127.0.0.1:9';
    await watchOut(context, new URL('/', page.url()).href, (complaint) => seen.push(complaint));
    const other = await context.newPage();
    await other.goto(page.url());
    await other.evaluate(async (url) => {
      await fetch(`${url}/fetch`).catch(() => {});
      navigator.sendBeacon(`${url}/beacon`, 'x');
      new Image().src = `${url}/image`;
      const events = new EventSource(`${url}/events`);
      events.onerror = () => events.close();
      new WebSocket(url.replace('http', 'ws')).onerror = () => {};
      new RTCPeerConnection().close();
      const worker = new Worker(URL.createObjectURL(new Blob([`fetch('${url}/worker').catch(() => {}).then(() => postMessage(1))`])));
      await new Promise((resolve) => { worker.onmessage = resolve; });
      await new Promise((resolve) => { setTimeout(resolve, 300); });
    }, elsewhere);
    for (const what of ['/fetch', '/beacon', '/image', '/events', '/worker']) assert.ok(seen.includes(`fetched ${elsewhere}${what}`), `${what}: ${seen.join(', ')}`);
    assert.ok(seen.some((text) => /^opened ws:/.test(text)) && seen.includes('made a WebRTC connection'), seen.join(', '));
    await context.close();
  });
});
