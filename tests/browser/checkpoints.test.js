// Trainings in tabs that are closed, hidden, frozen, opened twice, and on full disks. Functions given to page.evaluate run in the page.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withPage } from './pagekit.js';

const path = 'tests/browser/blank.html';

/** Loads into the page what trains: globalThis.train(options) gives the history and a digest of the weights. @param {import('playwright-core').Page} page */
const prepare = page => page.evaluate(async () => {
  const { init, layers, sequential } = await import('/bindings/index.js'), checkpoints = await import('/bindings/checkpoints/index.js');
  await init({ deterministic: true, threads: 1 });
  const x = Float32Array.from({ length: 600 * 8 }, (_, i) => Math.sin(i * 0.7)), y = Float32Array.from({ length: 600 }, (_, i) => (i * 7) % 3);
  const events = [], logs = [];
  Object.assign(globalThis, {
    checkpoints, events, logs,
    train: async ({ slow = 0, units = 24, ...options }) => { // slow: ms between epochs
      const net = await sequential([layers.input({ shape: [8] }), layers.dense({ units, activation: 'tanh' }), layers.dropout({ rate: 0.2 }), layers.dense({ units: 3, activation: 'softmax' })], { seed: 4 });
      await net.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' });
      const history = await net.fit(x, y, { epochs: 12, batchSize: 16, onEvent: event => events.push(event), onBatchEnd: (_, log) => { logs.push(log); }, onEpochEnd: () => new Promise(resolve => { setTimeout(resolve, slow); }), ...options });
      const all = Object.values(await net.getWeights()).map(({ data }) => data), bytes = new Uint8Array(await new Blob(all).arrayBuffer());
      net.dispose();
      return { history: history.history, events: history.events, digest: [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))].join() };
    },
  });
});

/** Begins a training whose end nobody waits for; its error is kept. */
const begin = (page, options) => page.evaluate(options => void globalThis.train(options).then(result => { globalThis.result = result; }, error => { globalThis.failure = error; }), options);

for (const scheme of ['opfs', 'indexeddb']) {
  test(`${scheme}: a page that is closed in the middle, again and again: the next one goes on, to the bits of a whole run`, async () => {
    await withPage({ path }, async page => {
      const checkpoint = { store: `${scheme}://runs/one`, everyBatches: 9 };
      await prepare(page);
      const whole = await page.evaluate(() => globalThis.train({}));
      let current = page;
      for (let i = 0; i < 2; i++) {
        if (i > 0) await prepare(current);
        await begin(current, { checkpoint, slow: 300 });
        await current.waitForFunction(() => globalThis.events.filter(({ type }) => type === 'checkpoint').length >= 5);
        const next = await page.context().newPage();
        await current.close();
        await next.goto(page.url());
        current = next;
      }
      await prepare(current);
      const found = await current.evaluate(store => globalThis.checkpoints.checkpointInfo(store), checkpoint.store);
      assert.ok(found.epoch >= 1 && found.epochs === 12 && found.batches === 38 && found.bytes > 3000, JSON.stringify(found));
      const result = await current.evaluate(checkpoint => globalThis.train({ checkpoint }), checkpoint);
      assert.deepEqual(result.events.map(({ type }) => type), ['resumed', 'resumed']);
      assert.deepEqual([result.history, result.digest], [whole.history, whole.digest]);
      assert.equal(await current.evaluate(store => globalThis.checkpoints.checkpointInfo(store), checkpoint.store), null);
    });
  });
}

test('two tabs on one run: the second is told, goes its way when the first has ended', async () => {
  await withPage({ path }, async page => {
    const checkpoint = 'indexeddb://shared', other = await page.context().newPage();
    await other.goto(page.url());
    await Promise.all([prepare(page), prepare(other)]);
    await begin(page, { checkpoint, epochs: 100_000 });
    await page.waitForFunction(() => globalThis.logs.length > 3);
    const second = () => other.evaluate(checkpoint => globalThis.train({ checkpoint }).then(() => null, ({ name, code, message }) => ({ name, code, message })), checkpoint);
    const { name, code, message } = await second();
    assert.deepEqual([name, code], ['HeddleError', 'state']);
    assert.match(message, /"indexeddb:\/\/shared" is in use by another fit, in another tab/);
    await page.close();
    await other.evaluate(() => globalThis.checkpoints.removeCheckpoint('indexeddb://shared'));
    assert.equal(await second(), null);
  });
});

test('a tab that is hidden, or left, writes at its next batch; a frozen one goes on when it thaws', async () => {
  await withPage({ path }, async page => {
    await prepare(page);
    const whole = await page.evaluate(() => globalThis.train({ epochs: 60 })), written = () => page.evaluate(() => globalThis.events.filter(({ type }) => type === 'checkpoint').length);
    await page.evaluate(() => { globalThis.logs.length = 0; });
    await begin(page, { epochs: 60, slow: 50, checkpoint: { store: 'opfs://hidden', everySeconds: 1000 } });
    await page.waitForFunction(() => globalThis.logs.length > 10);
    assert.equal(await written(), 1); // the first
    await page.evaluate(() => {
      Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    });
    await page.waitForFunction(() => globalThis.events.length === 2);
    assert.ok(await page.evaluate(() => globalThis.events[1].batch + 38 * globalThis.events[1].epoch >= 10));
    const session = await page.context().newCDPSession(page);
    assert.equal(await page.evaluate(() => globalThis.result), undefined);
    await session.send('Page.setWebLifecycleState', { state: 'frozen' });
    await new Promise(resolve => { setTimeout(resolve, 500); });
    await session.send('Page.setWebLifecycleState', { state: 'active' });
    await page.waitForFunction(() => globalThis.result ?? globalThis.failure);
    assert.deepEqual(await page.evaluate(() => [globalThis.result?.history, globalThis.result?.digest]), [whole.history, whole.digest]);
  });
});

test('a full disk: the training goes on and says so, once; what was written before is there', async () => {
  await withPage({ path, expected: /a checkpoint could not be written, the training goes on/ }, async page => {
    await prepare(page);
    const options = { units: 40_000, epochs: 1 }; // a checkpoint takes 6 MB
    const whole = await page.evaluate(options => globalThis.train(options), options), session = await page.context().newCDPSession(page), warnings = [];
    page.on('console', message => { if (message.type() === 'warning') warnings.push(message.text()); });
    await session.send('Storage.overrideQuotaForOrigin', { origin: new URL(page.url()).origin, quotaSize: 9e6 });
    for (const scheme of ['opfs', 'indexeddb']) {
      const store = `${scheme}://full`, result = await page.evaluate(options => globalThis.train(options), { ...options, checkpoint: { store, everyBatches: 10, keep: true } });
      assert.deepEqual([result.history, result.digest], [whole.history, whole.digest], scheme);
      assert.ok(result.events.length >= 2 && result.events.every(({ type, message }) => type === 'checkpointFailed' && /quota|gave up/i.test(message)), JSON.stringify(result.events));
      assert.equal(warnings.splice(0).length, 1);
      const found = await page.evaluate(store => globalThis.checkpoints.checkpointInfo(store), store);
      assert.ok(found && found.epoch === 0 && found.batch <= 10 && !found.isDone, scheme); // IndexedDB reckons later than it writes
      await page.evaluate(store => globalThis.checkpoints.removeCheckpoint(store), store);
    }
  });
});
