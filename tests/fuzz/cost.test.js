// Files that are right, or nearly, but made to cost: work and memory grow with a file's length, not with its square, nor with what it says of itself. Times
// of the processor are compared with each other: 8 times the file may take 32 times as long, where the square would take 64.
import { counted } from './counted.js'; // first: it sees what the others make
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

const { gunzip, readCsv, readIdx, readMat, readNpy, readSafetensors } = await import('../../bindings/files/index.js');
const { readRatings } = await import('../../bindings/quality/index.js');
const { load } = await import('../../bindings/index.js');
const { fresh, refuses } = await import('../api/modelkit.js');
const { matFile, matVariable } = await import('../api/matkit.js');
const { npyFile, safetensorsFile } = await import('../api/filekit.js');

const quietly = async (/** @type {() => unknown} */ work) => { try { await work(); } catch (error) { assert.equal(/** @type {any} */ (error).name, 'HeddleError', /** @type {any} */ (error).stack); } };

/** Of the processor, in ms: the least of a few. @param {() => unknown} work */
async function time(work) {
  let least = Infinity;
  for (let i = 0; i < 3; i++) {
    const start = process.cpuUsage();
    await quietly(work);
    least = Math.min(least, process.cpuUsage(start).user / 1000);
  }
  return least;
}

/** @type {{ [what: string]: [(n: number) => any, (file: any) => unknown, number] }} file of n parts, reader, least n */
const costly = {
  'csv: a quoted field, then many': [n => `"a"${',b'.repeat(n)}\n`, readCsv, 50_000],
  'csv: lines with a quote, no separator': [n => 'b"c\n'.repeat(n), readCsv, 20_000],
  'csv: quotes that never end': [n => 'a,"b\n'.repeat(n), readCsv, 50_000],
  'csv: quotes in quotes': [n => `"${'""'.repeat(n)}"\n1\n`, readCsv, 100_000],
  'json: backslashes': [n => `[{"image":"${'\\\\'.repeat(n)}","mos":1}]`, text => readRatings(new TextEncoder().encode(text)), 100_000],
  'json: arrays in arrays': [n => `${'['.repeat(n)}${']'.repeat(n)}`, text => readRatings(new TextEncoder().encode(text)), 50_000],
  'json: other names in each entry': [n => `[${Array.from({ length: n }, (_, i) => `{"k${i}":1}`).join()}]`, text => readRatings(new TextEncoder().encode(text)), 5000],
  'mat: a column of characters': [n => matFile([matVariable('t', { shape: [n, 1], text: 'x'.repeat(n) })]), readMat, 20_000],
  'mat: one long text': [n => matFile([matVariable('t', { shape: [1, n], text: 'x'.repeat(n) })]), readMat, 50_000],
  'safetensors: white space': [n => safetensorsFile(`{${' '.repeat(n)}}`), readSafetensors, 200_000],
  'safetensors: many empty tensors': [n => safetensorsFile(`{${Array.from({ length: n }, (_, i) => `"${i}":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`).join()}}`), readSafetensors, 5000],
  'safetensors: long numbers': [n => safetensorsFile(`{"a":{"dtype":"F32","shape":[${'9'.repeat(n)}],"data_offsets":[0,0]}}`), readSafetensors, 100_000],
  'npy: white space': [n => npyFile(`{${' '.repeat(Math.min(n, 60_000))}`), readNpy, 7000],
};

for (const [what, [make, read, least]] of Object.entries(costly)) {
  test(`${what}: no more than in proportion`, { timeout: 120_000 }, async () => {
    const [small, large] = [make(least), make(8 * least)], few = await time(() => read(small)), many = await time(() => read(large));
    assert.ok(many <= 32 * Math.max(few, 4), `${few} ms, then ${many} ms for 8 times as much`);
  });
}

test('a small file that says it is large makes no large array', async () => {
  const idx = (code, ...sizes) => { const out = new Uint8Array(100); out.set([0, 0, code, sizes.length]); sizes.forEach((n, i) => new DataView(out.buffer).setUint32(4 + 4 * i, n)); return out; };
  const files = [[readIdx, idx(8, 2 ** 20, 2 ** 20)], [readIdx, idx(14, 2 ** 32 - 1)], [readNpy, npyFile("{'descr': '<f8', 'fortran_order': True, 'shape': (1099511627776,)}\n")],
    [readSafetensors, safetensorsFile('{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}')],
    [readSafetensors, safetensorsFile('{}', 0, 2 ** 40)], [readMat, matFile([matVariable('x', { shape: [2 ** 30, 2 ** 30], numbers: [1] })])],
    [readMat, matFile([matVariable('x', { shape: [2 ** 30, 1], cells: [] })])]];
  for (const [read, file] of files) {
    const made = await counted(async () => refuses(() => read(file), 'file', /./));
    assert.ok(made < 10_000, `${made} elements`);
  }
});

test('what is packed ends where its header says', async () => {
  const header = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 4), bomb = gzipSync(Buffer.concat([header, Buffer.alloc(2 ** 27)]));
  const made = await counted(async () => refuses(() => readIdx(bomb), 'file', /goes on after the 12 bytes that it says it has/));
  assert.ok(made < 2 ** 22, `${made} elements made for ${bomb.length} bytes`);
  await refuses(() => gunzip(bomb, { maxBytes: 1e6 }), 'file', /unpacks to more than maxBytes = 1000000/);
  await refuses(() => readIdx(gzipSync(Buffer.concat([Uint8Array.of(9, 9), Buffer.alloc(2 ** 27)]))), 'file', /begins with 0x09 0x09/);
});

test('a small file of a large model is refused before it takes memory', async () => {
  await fresh({ worker: false });
  const nodes = [{ name: 'x', layer: 'input', shape: [20000] }, { name: 'd', layer: 'dense', options: { units: 20000 }, inputs: ['x'] }];
  const model = { name: 'm', seed: 1, nodes, outputs: ['d'] }, text = JSON.stringify(JSON.stringify({ version: 1, model, compile: null }));
  const { info } = await import('../../bindings/index.js'), { heap } = info().memory;
  await refuses(() => load(safetensorsFile(`{"__metadata__":{"heddle":${text}}}`)), 'file', /the layers want 400020000 weights, there are 1048576/);
  assert.ok(info().memory.heap <= heap + 2 ** 24);
});
