// The installed package through the bundlers that people use, for production and in their development servers, in pages with and without isolation.
import assert from 'node:assert/strict';
import { copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { installed, page, tool, trains } from './packed.js';

const place = installed();
const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/** @returns {Promise<number>} */
async function freePort() {
  const server = createServer();
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(undefined)); });
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  await new Promise((resolve) => { server.close(resolve); });
  return port;
}

/** @param {string} name of a folder for a bundler's output, with the page beside */
function outFolder(name, script = '/app.js') {
  const folder = join(place.folder, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'index.html'), page(script));
  return folder;
}

/** For bundlers that know no workers: a copy of the package's modules beside the bundle, and a program that says where. @param {string} folder */
function copyModules(folder) {
  cpSync(join(place.folder, 'node_modules', 'heddle', 'bindings'), join(folder, 'heddle'), { recursive: true });
  const program = readFileSync(join(place.folder, 'app.js'), 'utf8');
  const entry = join(place.folder, 'located.js');
  writeFileSync(join(place.folder, 'locate.js'), "import { init } from 'heddle';\nawait init({ workerUrl: '/heddle/worker.js' });\n");
  writeFileSync(entry, `import './locate.js';\n${program}`);
  return entry;
}

test('Vite, production', async () => {
  const { build } = await tool('vite');
  await build({ root: place.folder, configFile: false, logLevel: 'error', build: { outDir: 'vite', target: 'es2022' }, worker: { format: 'es' } });
  for (const isolated of [true, false]) await trains({ folder: join(place.folder, 'vite') }, isolated);
});

test('Vite, development', async () => {
  const vite = await tool('vite');
  for (const isolated of [true, false]) {
    const server = await vite.createServer({
      root: place.folder, configFile: false, logLevel: 'error', optimizeDeps: { exclude: ['heddle'] }, worker: { format: 'es' },
      server: { port: await freePort(), host: '127.0.0.1', watch: null, headers: isolated ? isolation : {} },
    });
    try {
      await server.listen();
      await trains({ url: server.resolvedUrls.local[0] }, isolated);
    } finally {
      await server.close();
    }
  }
});

for (const mode of ['production', 'development']) {
  test(`webpack, ${mode}`, async () => {
    const { default: webpack } = await tool('webpack'), folder = outFolder(`webpack-${mode}`, '/main.js');
    const stats = await new Promise((resolve, reject) => {
      webpack({ mode, context: place.folder, entry: './app.js', output: { path: folder }, performance: { hints: false }, devtool: mode === 'development' ? 'source-map' : false },
        (/** @type {unknown} */ error, /** @type {any} */ done) => (error ? reject(error) : resolve(done)));
    });
    const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true });
    assert.deepEqual(errors, []);
    // the script of the threads starts itself again as a worker
    assert.deepEqual(warnings.filter((/** @type {any} */ { message }) => !/^Circular dependency between chunks with runtime \(.*em-pthread/.test(message)), []);
    for (const isolated of [true, false]) await trains({ folder }, isolated);
  });
}

test('Rollup', async () => {
  const { rollup } = await tool('@rollup/wasm-node'), { default: resolve } = await tool('@rollup/plugin-node-resolve'), folder = outFolder('rollup');
  const bundle = await rollup({ input: copyModules(folder), plugins: [resolve({ browser: true })], onwarn: (/** @type {any} */ warning) => { throw new Error(warning.message); } });
  after(() => bundle.close());
  await bundle.write({ dir: folder, format: 'es', entryFileNames: 'app.js' });
  for (const isolated of [true, false]) await trains({ folder }, isolated);
});

test('esbuild', async () => {
  const { build } = await import('esbuild'), folder = outFolder('esbuild');
  const { warnings } = await build({ entryPoints: [copyModules(folder)], bundle: true, minify: true, splitting: true, format: 'esm', platform: 'browser', outdir: folder, entryNames: 'app', external: ['./engines/*'] });
  assert.deepEqual(warnings, []);
  for (const isolated of [true, false]) await trains({ folder }, isolated);
});

test('the single file, through a bundler that knows nothing of workers and WebAssembly', async () => {
  const { build } = await import('esbuild'), folder = outFolder('single'), entry = join(place.folder, 'single-app.js');
  const program = readFileSync(join(place.folder, 'app.js'), 'utf8').replace("'heddle'", "'heddle/single'").replace("import { Ridge } from 'heddle/estimators'", "import { estimators } from 'heddle/single'").replace('new Ridge', 'new estimators.Ridge');
  writeFileSync(entry, program);
  await build({ entryPoints: [entry], bundle: true, format: 'esm', platform: 'browser', outfile: join(folder, 'app.js') });
  for (const isolated of [true, false]) await trains({ folder }, isolated, 'heddle-st');
});

test('a script tag', async () => {
  const folder = outFolder('script', '/own.js');
  cpSync(join(place.folder, 'node_modules', 'heddle', 'bindings'), join(folder, 'heddle'), { recursive: true });
  writeFileSync(join(folder, 'index.html'), page('/heddle/bundles/heddle.js', '').replace('</html>', '<script src="/own.js"></script></html>'));
  const program = readFileSync(join(place.folder, 'app.js'), 'utf8').replace(/^import .*$/gm, '');
  writeFileSync(join(folder, 'own.js'), `(async () => { const { info, layers, optimizers, sequential, estimators: { Ridge } } = heddle;\n${program}\n})();`);
  copyFileSync(join(place.folder, 'app.js'), join(folder, 'app.js'));
  for (const isolated of [true, false]) await trains({ folder }, isolated);
});
