#!/usr/bin/env node
// Bundles of the package for pages without a bundler, in bindings/bundles (not in git): heddle.js for a script tag, and single.js, all in one file.
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { tree } from './common.mjs';

const here = join(tree, 'tools', 'bundles'), out = join(tree, 'bindings', 'bundles');
const common = { bundle: true, minify: true, sourcemap: true, platform: /** @type {const} */ ('browser'), target: 'es2022', legalComments: /** @type {const} */ ('none') };

/** Engines other than heddle-st are refused with a sentence, not missed as files. */
const oneEngine = {
  name: 'one-engine',
  setup(build) {
    build.onResolve({ filter: /^\.\/engines\/heddle-.+\.mjs$/ }, ({ path }) => (path.endsWith('/heddle-st.mjs') ? undefined : { path, namespace: 'left-out' }));
    build.onLoad({ filter: /.*/, namespace: 'left-out' }, ({ path }) => ({
      contents: `export default () => { throw new Error('the single file has the engine heddle-st alone, not ${path.slice(10, -4)}'); };`,
    }));
  },
};

/** Engines stay files, beside the bundle's folder. */
const enginesOutside = {
  name: 'engines-outside',
  setup(build) {
    build.onResolve({ filter: /^\.\/engines\/heddle-.+\.mjs$/ }, ({ path }) => ({ path: `.${path}`, external: true }));
  },
};

/** The worker's script as a text. */
const workerText = {
  name: 'worker-text',
  setup(build) {
    build.onResolve({ filter: /^worker-text$/ }, () => ({ path: join(tree, 'bindings', 'worker.js'), namespace: 'worker-text' }));
    build.onLoad({ filter: /.*/, namespace: 'worker-text' }, async ({ path }) => ({ contents: await bundledWorker(path), loader: 'text' }));
  },
};

/** @param {string} path @returns {Promise<string>} */
async function bundledWorker(path) {
  const { outputFiles } = await build({ ...common, entryPoints: [path], sourcemap: false, format: 'esm', write: false, plugins: [oneEngine] });
  return outputFiles[0].text;
}

/** Both bundles; the engines must be there. @param {boolean} [write] to bindings/bundles; otherwise they are only given back, without source maps */
export async function writeBundles(write = true) {
  const kept = { ...common, write, sourcemap: write };
  const script = build({
    ...kept, entryPoints: [join(here, 'script.js')], outfile: join(out, 'heddle.js'), format: 'iife', globalName: 'heddle',
    define: { 'import.meta.url': 'scriptUrl' }, inject: [join(here, 'script-url.js')], plugins: [enginesOutside],
  });
  const single = build({
    ...kept, entryPoints: [join(here, 'single.js')], outfile: join(out, 'single.js'), format: 'esm', loader: { '.wasm': 'binary' }, plugins: [oneEngine, workerText],
  });
  return Object.fromEntries((await Promise.all([script, single])).flatMap(({ outputFiles = [] }) => outputFiles.map(({ path, contents }) => [basename(path), contents])));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await writeBundles();
