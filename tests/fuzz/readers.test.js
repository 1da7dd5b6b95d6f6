// Hostile files: every reader answers to any of them with a valid result or with its own error, soon, and with memory in proportion to the file. Good files
// are mutated by fast-check: the same way each time, unless HEDDLE_FUZZ_SEED says otherwise, for HEDDLE_FUZZ_SECONDS in all (npm run fuzz -- readers).
import { counted } from './counted.js'; // first: it sees what the others make
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { edits, mutated, rewritten, textEdits } from './mutations.js';

const { readSafetensors, writeSafetensors } = await import('../../bindings/files/index.js');
const { info } = await import('../../bindings/index.js');
const { HeddleError } = await import('../../bindings/errors.js');
const { classifier, fresh, numbers } = await import('../api/modelkit.js');
const { makeReaders } = await import('./readers.js');

const seconds = Number(process.env.HEDDLE_FUZZ_SECONDS ?? 30), seed = Number(process.env.HEDDLE_FUZZ_SEED ?? 1);
const kept = new URL('./corpus/readers.txt', import.meta.url), finds = new URL('../../build/fuzz/readers/', import.meta.url);

await fresh({ worker: false });
const readers = await makeReaders(), bystander = await classifier(), x = numbers(40);
const before = (await bystander.predict(x)).data, { used, heap } = info().memory;

/** Reads a file that may be anything; what it is refused for. One that breaks a promise is left in build/fuzz/readers/ (the smallest that fast-check finds). */
async function answers(name, bytes) {
  const { read, codes, cost } = readers[name];
  let error;
  const made = await counted(async () => {
    try {
      await read(bytes);
    } catch (thrown) {
      error = thrown;
    }
  });
  try {
    if (error) assert.ok(error instanceof HeddleError && codes.includes(error.code), `${name}: ${error?.code} ${error?.stack}`);
    if (error) assert.ok(error.message.length > 10 && error.message.length < 2100, `${name}: a message of ${error.message.length} characters`);
    assert.ok(made <= cost * bytes.length + 2 ** 20, `${name}: ${made} elements for a file of ${bytes.length} bytes`);
    assert.equal(info().memory.used, used, `${name}: memory of the engine`);
  } catch (broken) {
    mkdirSync(finds, { recursive: true });
    writeFileSync(new URL(name.replace(/\W/g, '-'), finds), bytes);
    throw broken;
  }
  return error?.message ?? '';
}

/** Texts within a file: the whole, the header of safetensors, or the description in it. @param {Uint8Array} bytes @param {boolean} [isText] @param {number} depth */
function retyped(bytes, isText, depth, list) {
  if (isText) return new TextEncoder().encode(rewritten(new TextDecoder().decode(bytes), list));
  const end = 8 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (depth === 0) {
    const header = new TextEncoder().encode(rewritten(new TextDecoder().decode(bytes.subarray(8, end)), list)), out = new Uint8Array(8 + header.length + bytes.length - end);
    new DataView(out.buffer).setUint32(0, header.length, true);
    out.set(header, 8);
    out.set(bytes.subarray(end), 8 + header.length);
    return out;
  }
  const { tensors, metadata } = readSafetensors(bytes);
  return writeSafetensors(tensors, Object.fromEntries(Object.entries(metadata).map(([key, text]) => [key, rewritten(text, list).replace(/\p{Surrogate}/gu, '')])));
}

for (const [i, [name, { files, isEngine, text }]] of Object.entries(readers).entries()) {
  test(`${name}: what is cut short is refused or read`, async () => {
    for (const file of files) {
      assert.equal(await answers(name, file), '', 'the whole file is good');
      const step = Math.max(1, Math.floor(file.length / (isEngine ? 300 : 2000)));
      for (let length = 0; length < file.length; length += step) await answers(name, file.slice(0, length));
    }
  });

  if (!text && name !== 'image') { // what follows a picture does not count
    test(`${name}: what goes on after its end is refused`, async () => {
      for (const file of files) {
        for (const more of [1, 8]) assert.notEqual(await answers(name, Uint8Array.of(...file, ...new Uint8Array(more))), '');
      }
    });
  }

  test(`${name}: whatever is changed`, async () => {
    const options = { seed: seed + i, numRuns: 1e9, interruptAfterTimeLimit: 1000 * seconds / Object.keys(readers).length, markInterruptAsFailure: false, includeErrorInReport: true };
    const changed = fc.tuple(fc.nat(files.length - 1), fc.oneof(edits, ...(isEngine || text || name === 'safetensors' ? [textEdits] : [])), fc.nat(isEngine ? 2 : 0));
    await fc.assert(fc.asyncProperty(changed, async ([which, list, depth]) => {
      const isTyped = list.every(one => 'with' in one);
      await answers(name, isTyped ? retyped(files[which], text, depth, list) : mutated(files[which], list));
    }), options);
  });
}

test('kept finds', async () => {
  for (const line of readFileSync(kept, 'utf8').trim().split('\n')) { // reader, base64
    const [reader, text] = line.split(' '), name = Object.keys(readers).find(one => one.replace(/\W/g, '-') === reader);
    await answers(name ?? assert.fail(line), new Uint8Array(Buffer.from(text, 'base64')));
  }
});

test('a model made before gives the same bits, and the engine has hardly grown', async () => {
  assert.deepEqual((await bystander.predict(x)).data, before);
  assert.ok(info().memory.heap <= heap + 2 ** 26, `${heap} bytes, then ${info().memory.heap}`);
  bystander.dispose();
});
