// The small training run of tests/native/bits_test.c through the JavaScript API: the same bits as native, in this thread and in
// a worker, for any number of threads.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { info, init } from '../../bindings/index.js';
import { bitsRun } from '../browser/bits.js';

const golden = await readFile(new URL('../native/bits_golden.h', import.meta.url), 'utf8');
const digest = Number(/DIGEST 0x([0-9a-f]+)u/.exec(golden)?.[1].replace(/^/, '0x')), loss = Number(/LOSS ([0-9.]+)/.exec(golden)?.[1]);

const here = [
  { engine: 'heddle-st', threads: 1, worker: false }, { engine: 'heddle-mt', threads: 1, worker: false },
  { engine: 'heddle-mt', threads: 2, worker: false }, { engine: 'heddle-mt', threads: 4, worker: false },
  { engine: 'heddle-st', threads: 1, worker: true }, { engine: 'heddle-mt', threads: 2, worker: true },
];

for (const { engine, threads, worker } of here) {
  test(`the native bits: ${engine}, ${threads} threads, ${worker ? 'worker' : 'this thread'}`, { timeout: 60_000 }, async () => {
    await init({ engine: /** @type {any} */ (engine), threads, worker });
    assert.deepEqual(await bitsRun(), { digest, loss });
    const { engine: used, threads: running, worker: inWorker, relaxed } = info();
    assert.deepEqual({ used, running, inWorker, relaxed }, { used: engine, running: threads, inWorker: worker, relaxed: false });
  });
}

test('deterministic: true declines relaxed SIMD, and gives the same bits', { timeout: 60_000 }, async () => {
  await init({ deterministic: true });
  assert.equal(info().relaxed, false);
  assert.deepEqual(await bitsRun(), { digest, loss });
});

test('relaxed SIMD, where it is, differs in the last bits only', { timeout: 60_000 }, async (t) => {
  const { relaxed } = await init();
  if (!relaxed) {
    t.skip('relaxed SIMD needs Node 22; npm test runs this in Node 24 too');
    return;
  }
  const other = await bitsRun();
  assert.ok(Math.abs(other.loss - loss) < 1e-5, `loss ${other.loss}`);
});
