import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { chmod, lstat, mkdtemp, mkdir, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { listStore, loadFrom, removeFrom, saveTo } from '../../bindings/stores/index.js';
import { refuses } from './filekit.js';

const modules = new URL('../../bindings/stores/index.js', import.meta.url).href;
const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i);
const posix = { skip: process.platform === 'win32' && 'needs POSIX' };
/** @type {string} */
let folder;

before(async () => { folder = await mkdtemp(join(tmpdir(), 'heddle-')); });
after(() => rm(folder, { recursive: true }));

/** @param {string} name */
async function subfolder(name) {
  await mkdir(join(folder, name));
  return join(folder, name);
}

test('bytes and blob round trips, from shared memory too', async () => {
  const shared = new Uint8Array(new SharedArrayBuffer(1000));
  shared.set(bytes);
  assert.deepEqual(await saveTo('bytes', bytes.buffer), bytes);
  for (const source of [bytes, shared]) {
    const blob = await saveTo('blob', source, { type: 'model/x' });
    assert.equal(blob.type, 'model/x');
    assert.deepEqual(await loadFrom(blob), bytes);
  }
  assert.deepEqual(await loadFrom(bytes), bytes);
  assert.deepEqual(await loadFrom(bytes.buffer), bytes);
  assert.deepEqual(await loadFrom(new Response(bytes)), bytes);
  assert.deepEqual(await loadFrom('data:application/octet-stream;base64,AQID'), new Uint8Array([1, 2, 3]));
});

test('a path: new file, replaced file, file: URL, no temporary file left', async () => {
  const directory = await subfolder('path'), path = join(directory, 'a.safetensors');
  await saveTo(path, bytes);
  assert.deepEqual(await loadFrom(path), bytes);
  await saveTo(pathToFileURL(path), bytes.subarray(1, 5));
  assert.deepEqual(await loadFrom(pathToFileURL(path)), new Uint8Array([1, 2, 3, 4]));
  assert.deepEqual(await loadFrom(pathToFileURL(path).href), new Uint8Array([1, 2, 3, 4]));
  assert.deepEqual(await readdir(directory), ['a.safetensors']);
});

test('a path keeps its permissions, and a link stays a link', posix, async () => {
  const directory = await subfolder('link'), path = join(directory, 'real'), link = join(directory, 'link');
  await writeFile(path, 'old');
  await chmod(path, 0o640);
  await symlink(path, link);
  await saveTo(link, bytes);
  assert.ok((await lstat(link)).isSymbolicLink());
  assert.equal((await stat(path)).mode & 0o777, 0o640);
  assert.deepEqual(new Uint8Array(await readFile(path)), bytes);
});

test('a failed save says why, keeps the old file and leaves no temporary file', async () => {
  const directory = await subfolder('failed'), path = join(directory, 'a');
  await writeFile(path, 'old');
  await refuses(() => saveTo(join(directory, 'none', 'a'), bytes), 'storage', /cannot save to ".*none.a": ENOENT/);
  await refuses(() => saveTo(directory, bytes), 'storage', /cannot save to ".*failed": it is not a regular file/);
  await refuses(() => loadFrom(join(directory, 'b')), 'storage', /cannot load ".*b": ENOENT/);
  await refuses(() => loadFrom(directory), 'storage', /cannot load ".*failed": EISDIR/);
  assert.deepEqual(await readdir(directory), ['a']);
});

test('a full disk (a file size limit) in the middle of a save', posix, async () => {
  const directory = await subfolder('full'), path = join(directory, 'a');
  await writeFile(path, 'old');
  const code = `import { saveTo } from ${JSON.stringify(modules)};
    await saveTo(${JSON.stringify(path)}, new Uint8Array(1 << 20)).then(() => console.log('saved'), e => console.log(e.code, e.message));`;
  const { stdout } = await promisify(execFile)('sh', ['-c', 'ulimit -f 64; exec "$0" --input-type=module -e "$1"', process.execPath, code]);
  assert.match(stdout, /^storage cannot save to ".*a": EFBIG/);
  assert.equal(await readFile(path, 'utf8'), 'old');
  assert.deepEqual(await readdir(directory), ['a']);
});

test('a process killed while it saves leaves a whole file, old or new', posix, async () => {
  const directory = await subfolder('killed'), path = join(directory, 'a'), size = 1 << 22;
  await writeFile(path, new Uint8Array(size));
  const code = `import { saveTo } from ${JSON.stringify(modules)}; console.log('go');
    for (let i = 1; ; i = i % 255 + 1) await saveTo(${JSON.stringify(path)}, new Uint8Array(${size}).fill(i));`;
  for (let round = 0; round < 4; round++) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise(resolve => { child.stdout.once('data', resolve); });
    await new Promise(resolve => { setTimeout(resolve, 20 + 37 * round); });
    child.kill('SIGKILL');
    await new Promise(resolve => { child.once('close', resolve); });
    const found = await readFile(path);
    assert.equal(found.length, size);
    assert.ok(found.equals(Buffer.alloc(size, found[0])), 'a mixture of two saves');
  }
});

test('http: success, 404, broken answer, no server', async () => {
  const server = createServer((request, response) => {
    if (request.url === '/a') response.end(bytes);
    else if (request.url === '/cut') response.writeHead(200, { 'content-length': 99 }).write('x', () => response.destroy());
    else if (request.url !== '/slow') response.writeHead(404).end();
  });
  await new Promise(resolve => { server.listen(0, '127.0.0.1', () => resolve(undefined)); });
  const url = `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`;
  try {
    assert.deepEqual(await loadFrom(`${url}/a`), bytes);
    assert.deepEqual(await loadFrom(new URL(`${url}/a`)), bytes);
    await refuses(() => loadFrom(`${url}/b`), 'storage', /\/b: the server answered 404 Not Found$/);
    await refuses(() => loadFrom(`${url}/cut`), 'storage', /cannot read http.*\/cut/);
    const response = await fetch(`${url}/a`), abort = new AbortController();
    await response.arrayBuffer();
    await refuses(() => loadFrom(response), 'argument', /was read before; pass response\.clone\(\)/);
    setTimeout(() => abort.abort(), 20);
    await assert.rejects(loadFrom(`${url}/slow`, { signal: abort.signal }), { name: 'AbortError' });
  } finally {
    server.closeAllConnections();
    await new Promise(resolve => { server.close(resolve); });
  }
  await refuses(() => loadFrom(`${url}/a`), 'storage', /cannot fetch http/);
});

test('an aborted signal stops a save before the file is replaced', async () => {
  const path = join(await subfolder('aborted'), 'a');
  await writeFile(path, 'old');
  await assert.rejects(saveTo(path, bytes, { signal: AbortSignal.abort() }), { name: 'AbortError' });
  const abort = new AbortController(), saving = saveTo(path, new Uint8Array(1 << 23), { signal: abort.signal });
  abort.abort();
  await assert.rejects(saving, { name: 'AbortError' });
  await assert.rejects(loadFrom(path, { signal: AbortSignal.abort() }), { name: 'AbortError' });
  assert.equal(await readFile(path, 'utf8'), 'old');
  assert.deepEqual(await readdir(join(folder, 'aborted')), ['a']);
});

test('wrong targets and sources name what is accepted', async () => {
  const any = (/** @type {unknown} */ value) => /** @type {any} */ (value);
  await refuses(() => saveTo('indexdb://a', bytes), 'argument', /unknown scheme "indexdb:" in "indexdb:\/\/a", did you mean "indexeddb"\?/);
  await refuses(() => saveTo('s3://a', bytes), 'argument', /unknown scheme "s3:".*; accepted are "bytes", "blob", a path.*indexeddb.*opfs.*download/);
  await refuses(() => saveTo('https://a/b', bytes), 'argument', /saveTo: unknown scheme "https:"/);
  await refuses(() => loadFrom('download://a'), 'argument', /loadFrom: unknown scheme "download:".*http:/);
  await refuses(() => loadFrom('run:1'), 'argument', /for a file of this name write "\.\/run:1"/);
  await refuses(() => saveTo('', bytes), 'argument', /saveTo: expected one of .*; got an empty string/);
  await refuses(() => saveTo(any(3), bytes), 'argument', /got number/);
  await refuses(() => saveTo('blob', any('text')), 'argument', /expected a Uint8Array or an ArrayBuffer, got string/);
  await refuses(() => loadFrom(any(null)), 'argument', /got null/);
  await refuses(() => loadFrom(''), 'argument', /got an empty string/);
  await refuses(() => saveTo('indexeddb://', bytes), 'argument', /names no entry, expected indexeddb:\/\/name/);
  await refuses(() => loadFrom('opfs:a'), 'argument', /"opfs:a" names no entry, expected opfs:\/\/name/);
  await refuses(() => saveTo('blob', bytes, any({ typ: 'x' })), 'argument', /did you mean "type"/);
  await refuses(() => loadFrom(bytes, any({ signals: 1 })), 'argument', /did you mean "signal"/);
  await refuses(() => listStore(any('opfs')), 'argument', /expected "indexeddb:\/\/" or "opfs:\/\/", got "opfs"/);
  await refuses(() => removeFrom('/tmp/a'), 'argument', /removeFrom: expected indexeddb/);
  await refuses(() => saveTo('download://a/b', bytes), 'argument', /without folders/);
  for (const name of ['../a', 'a//b', './a', 'a/..', '/a']) {
    await refuses(() => saveTo(`opfs://${name}`, bytes), 'argument', /every part of the path must be a name/);
  }
});

test('the browser\'s stores are refused in Node with a hint', async () => {
  for (const work of [
    () => saveTo('indexeddb://a', bytes), () => loadFrom('indexeddb://a'), () => listStore('indexeddb://'),
    () => removeFrom('indexeddb://a'), () => saveTo('opfs://a', bytes), () => loadFrom('opfs://a/b'),
    () => listStore('opfs://'), () => removeFrom('opfs://a'),
  ]) await refuses(work, 'unsupported', /in Node save to a path/);
  await refuses(() => saveTo('download://a', bytes), 'unsupported', /main thread only/);
});
