// The installed package in plain Node, as ESM and from CommonJS; under a strict policy; on servers that render pages; for TypeScript; for the checkers of packages.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { node24, tree } from '../../tools/common.mjs';
import { installed, page, tool, toolFolder, trains } from './packed.js';

const place = installed();
const versions = { 20: process.execPath, 22: join(toolFolder, 'node_modules', 'node22', 'bin', 'node'), 24: node24 };

/** @param {string} node @param {string[]} args @returns {string} what it printed */
function run(node, ...args) {
  const { status, stdout, stderr } = spawnSync(node, args, { cwd: place.folder, encoding: 'utf8', timeout: 120_000 });
  assert.equal(status, 0, stderr);
  assert.equal(stderr.replace(/^\(node:\d+\) ExperimentalWarning.*\n.*\n/gm, ''), '');
  return stdout.trim();
}

for (const [version, node] of Object.entries(versions)) {
  test(`Node ${version}: import, and require and import() from CommonJS`, () => {
    assert.equal(run(node, '-p', 'process.versions.node.split(".")[0]'), version);
    writeFileSync(join(place.folder, 'show.js'), "import './app.js';\nconst { first, last, r2 } = globalThis.result;\nconsole.log(last < first / 2, r2 > 0.999);\n");
    assert.equal(run(node, 'show.js'), 'true true');
    writeFileSync(join(place.folder, 'plain.cjs'), `
      const { sequential, layers } = require('heddle');
      const { plcc } = require('heddle/quality');
      (async () => {
        const same = (await import('heddle')).sequential === sequential;
        const net = await sequential([layers.input({ shape: [2] }), layers.dense({ units: 1, kernelInitializer: 'ones' })]);
        console.log(same, (await net.predict([[1, 2]])).data[0], await plcc([1, 2, 3], [1, 2, 3]));
      })();`);
    assert.equal(run(node, 'plain.cjs'), 'true 3 1');
  });
}

test('the engine given as bytes, or compiled, is not fetched; its name is asked for', () => {
  const program = `import { readFile } from 'node:fs/promises';
    import { init, info, layers, sequential } from 'heddle';
    const bytes = await readFile(new URL(import.meta.resolve('heddle/engines/heddle-st.wasm')));
    globalThis.fetch = () => { throw new Error('fetched'); };
    for (const wasmBinary of [new Uint8Array(bytes), await WebAssembly.compile(bytes)]) {
      for (const worker of [false, true]) {
        await init({ engine: 'heddle-st', wasmBinary, worker, wasmUrl: 'https://example.invalid/' });
        const net = await sequential([layers.input({ shape: [2] }), layers.dense({ units: 1, kernelInitializer: 'ones' })]);
        console.log((await net.predict([[1, 2]])).data[0], info().engine, info().worker);
      }
    }
    for (const wrong of [{ wasmBinary: bytes }, { engine: 'heddle-st', wasmBinary: 'x' }, { workerUrl: 'no url' }]) await init(wrong).catch((error) => console.log(error.code, error.message));`;
  writeFileSync(join(place.folder, 'binary.js'), program);
  assert.deepEqual(run(versions[24], 'binary.js').split('\n'), [
    ...['false', 'true', 'false', 'true'].map((worker) => `3 heddle-st ${worker}`),
    'argument init: wasmBinary needs engine, the one it is of: heddle-st, heddle-st-relaxed, heddle-mt, heddle-mt-relaxed',
    'argument init: wasmBinary must be an ArrayBuffer, a Uint8Array or a WebAssembly.Module, got string',
    'argument init: workerUrl = "no url", expected a URL',
  ]);
});

test('a server that renders pages may import every entry: no name of a browser is touched', () => {
  const { exports: entries } = JSON.parse(readFileSync(join(tree, 'package.json'), 'utf8'));
  const names = Object.keys(entries).filter((name) => !/json$|\*|script|worker/.test(name)).map((name) => `heddle${name.slice(1)}`);
  assert.ok(names.length >= 10);
  const program = `for (const name of ['window', 'document', 'navigator', 'location', 'self', 'Worker', 'indexedDB', 'localStorage', 'OffscreenCanvas', 'createImageBitmap']) {
      Object.defineProperty(globalThis, name, { configurable: true, get() { throw new Error('touched ' + name); } });
    }
    for (const name of ${JSON.stringify(names)}) await import(name);
    console.log('untouched');`;
  assert.equal(run(versions[24], '--input-type=module', '--eval', program), 'untouched');
});

test('a page whose policy allows own scripts and WebAssembly and nothing else', async () => {
  writeFileSync(join(place.folder, 'strict.html'), page('/strict.js').replace('<link rel="icon" href="data:,">', ''));
  writeFileSync(join(place.folder, 'favicon.ico'), '');
  const modules = '/node_modules/heddle/bindings';
  const { build } = await import('esbuild');
  writeFileSync(join(place.folder, 'strict-source.js'), `import { init } from 'heddle';\nawait init({ workerUrl: '${modules}/worker.js' });\nawait import('./app.js');`);
  await build({ entryPoints: [join(place.folder, 'strict-source.js')], bundle: true, format: 'esm', platform: 'browser', outfile: join(place.folder, 'strict.js'), external: ['./engines/*'] });
  const policy = "default-src 'none'; connect-src 'self'; img-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'";
  for (const isolated of [true, false]) {
    await trains({ path: 'strict.html', folder: place.folder, headers: { 'Content-Security-Policy': policy } }, isolated);
  }
});

test("publint and 'are the types wrong' have nothing to say", async () => {
  const { publint } = await tool('publint');
  const { messages } = await publint({ pkgDir: join(place.folder, 'node_modules', 'heddle'), strict: true, pack: false });
  assert.deepEqual(messages, []);
  const attw = join(toolFolder, 'node_modules', '@arethetypeswrong', 'cli', 'dist', 'index.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [attw, place.tarball, '--profile', 'esm-only', '--format', 'json', '--exclude-entrypoints', './script', './worker', './engines/*'], { encoding: 'utf8', timeout: 300_000, maxBuffer: 1 << 28 });
  assert.equal(status, 0, stdout + stderr);
});

test('a strict TypeScript program reads the types of the installed package', () => {
  writeFileSync(join(place.folder, 'typed.ts'), `
    import { type History, layers, sequential } from 'heddle';
    import { Ridge } from 'heddle/estimators';
    import { imageToTensor, psnr } from 'heddle/images';
    import { qualityModel } from 'heddle/quality';
    const net = await sequential([layers.input({ shape: [2] }), layers.dense({ units: 1 })]);
    const history: History = await net.fit([[1, 2]], [1], { epochs: 1 });
    const loss: number = history.history.loss[0];
    // @ts-expect-error no such layer
    layers.dens({ units: 1 });
    // @ts-expect-error units is a number
    layers.dense({ units: '1' });
    export { Ridge, imageToTensor, loss, psnr, qualityModel };`);
  for (const [module, resolution] of [['nodenext', 'nodenext'], ['esnext', 'bundler']]) {
    const { status, stdout } = spawnSync(process.execPath, [join(tree, 'node_modules', 'typescript', 'bin', 'tsc'), '--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2023,esnext.disposable,dom,dom.iterable,dom.asynciterable',
      '--types', '', '--module', module, '--moduleResolution', resolution, 'typed.ts'], { cwd: place.folder, encoding: 'utf8' });
    assert.equal(status, 0, stdout);
  }
});

