// A bundler for browsers takes the package as it is: no Node module in sight, the parts found, and each part's size within its budget.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { build } from 'esbuild';
import { LIMITS, sizes } from '../../tools/bench/sizes.mjs';
import { tree } from '../../tools/common.mjs';

const { exports: entries } = JSON.parse(readFileSync(join(tree, 'package.json'), 'utf8'));

test('esbuild bundles the page side and the worker for browsers without a word', async () => {
  const modules = Object.values(entries).map((entry) => entry.default ?? entry).filter((path) => path.endsWith('.js') && !path.includes('/bundles/'));
  assert.ok(modules.includes('./bindings/index.js') && modules.includes('./bindings/worker.js') && modules.length > 12);
  for (const path of modules) {
    const { warnings, outputFiles } = await build({
      entryPoints: [join(tree, path)], bundle: true, minify: true, splitting: true, format: 'esm', platform: 'browser', write: false, outdir: 'out',
    });
    assert.deepEqual(warnings, []);
    assert.ok(outputFiles.length > 0);
  }
});

test('every entry, worker, engine and bundle stays within its budget, gzipped, and what a first page fetches in all', async () => {
  const found = await sizes();
  for (const [group, limits] of Object.entries(LIMITS)) {
    assert.deepEqual(Object.keys(found[group]).sort(), Object.keys(limits).sort(), `${group}: a limit in tools/bench/sizes.mjs for each`);
    for (const [name, { size }] of Object.entries(found[group])) {
      assert.ok(size > 0.5 && size <= limits[name], `${name}: ${size.toFixed(1)} KiB, at most ${limits[name]} (tools/bench/sizes.mjs)`);
    }
  }
});
