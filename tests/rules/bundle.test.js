// A bundler for browsers takes the package as it is: no Node module in sight, the parts found, and the size within its budget.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { tree } from '../../tools/common.mjs';

const bindings = join(tree, 'bindings');
/** @param {string} entry @param {string[]} external what is left out */
const bundle = (entry, external = []) => build({
  entryPoints: [join(bindings, entry)], bundle: true, minify: true, splitting: true, format: 'esm', platform: 'browser', write: false, outdir: 'out', external,
});

test('esbuild bundles the page side and the worker for browsers without a word', async () => {
  for (const entry of ['index.js', 'recipes.js', 'estimators/index.js', 'images/index.js', 'quality/index.js', 'super_resolution/index.js', 'linalg.js', 'solvers.js', 'consensus/index.js', 'nats.js', 'onnx/index.js', 'keras/index.js', 'worker.js']) {
    const { warnings, outputFiles } = await bundle(entry);
    assert.deepEqual(warnings, []);
    assert.ok(outputFiles.length > 0);
  }
});

test('all JS and the largest engine, gzipped, stay within 260 KiB', async () => {
  const both = [];
  for (const entry of ['index.js', 'worker.js']) both.push(...(await bundle(entry, ['./engines/*'])).outputFiles);
  const engine = ['mjs', 'wasm'].map((ending) => readFileSync(join(bindings, 'engines', `heddle-mt-relaxed.${ending}`)));
  const kib = [...both.map(({ contents }) => contents), ...engine].reduce((sum, bytes) => sum + gzipSync(bytes, { level: 9 }).length, 0) / 1024;
  assert.ok(kib <= 260, `${kib.toFixed(1)} KiB`);
});
