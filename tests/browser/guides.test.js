// Blocks of code in README and guides that are for pages, each document's in one page, in Chromium.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tree } from '../../tools/common.mjs';
import { documents, program, readDocument } from '../api/guidekit.js';
import { withPage } from './pagekit.js';

/** Where pages find heddle and its parts. */
const imports = Object.fromEntries(Object.entries(JSON.parse(readFileSync(join(tree, 'package.json'), 'utf8')).exports)
  .filter(([, entry]) => entry.types && !entry.default.includes('/bundles/')).map(([name, entry]) => [`heddle${name.slice(1)}`, entry.default.slice(1)]));
imports.uplot = '/node_modules/uplot/dist/uPlot.esm.js';

const programs = documents.map((name) => ({ name, ...program(readDocument(name), 'js browser') })).filter(({ count }) => count);

test('there are programs for pages', () => assert.ok(programs.length >= 2));

for (const { name, code, count } of programs) {
  test(`${name}: ${count} blocks of code run in a page`, () => withPage({ path: 'tests/browser/blank.html' }, async (page) => {
    await page.evaluate((map) => { // beside the page's own map
      const { imports: own } = JSON.parse(document.querySelector('script[type=importmap]').textContent);
      const more = Object.fromEntries(Object.entries(map).filter(([key]) => !(key in own)));
      document.head.append(Object.assign(document.createElement('script'), { type: 'importmap', textContent: JSON.stringify({ imports: more }) }));
    }, imports);
    await page.addScriptTag({ type: 'module', content: `${code}\nglobalThis.guideIsDone = true;` });
    await page.waitForFunction(() => globalThis.guideIsDone === true);
  }));
}
