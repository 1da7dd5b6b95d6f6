/** The package as npm packs it, installed in an empty folder, for the tests here. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { pathToFileURL } from 'node:url';
import { writeBundles } from '../../tools/bundles.mjs';
import { tree } from '../../tools/common.mjs';
import { withPage } from '../browser/pagekit.js';

/** Its node_modules: bundlers, checkers, and the programs that files are exchanged with. */
export const toolFolder = join(tree, 'tests', 'package');
const fromBundlers = createRequire(join(toolFolder, 'package.json'));

/** One of these packages. @param {string} name @returns {Promise<any>} */
export const tool = (name) => import(pathToFileURL(fromBundlers.resolve(name)).href);

/** Before the tests of a file: `folder` with heddle installed, and the consumer's program; `packed`: files of the tarball. */
export function installed() {
  const place = { folder: '', tarball: '', packed: /** @type {string[]} */ ([]) };
  before(async () => {
    place.folder = mkdtempSync(join(tmpdir(), 'heddle-consumer-'));
    await writeBundles();
    execFileSync(process.execPath, [join(tree, 'node_modules', 'typescript', 'bin', 'tsc'), '--project', 'tsconfig.json', '--noEmit', 'false',
      '--declaration', '--emitDeclarationOnly', '--outDir', 'bindings/types'], { cwd: tree });
    const [{ filename, files }] = JSON.parse(execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', place.folder], { cwd: tree, encoding: 'utf8' }));
    place.tarball = join(place.folder, filename);
    place.packed = files.map((/** @type {{ path: string }} */ { path }) => path);
    writeFileSync(join(place.folder, 'package.json'), '{ "private": true, "type": "module" }');
    const { status, stderr } = spawnSync('npm', ['install', '--offline', '--no-audit', '--no-fund', '--legacy-peer-deps', place.tarball],
      { cwd: place.folder, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    copyFileSync(join(tree, 'tests', 'package', 'consumer.js'), join(place.folder, 'app.js'));
    writeFileSync(join(place.folder, 'index.html'), page('/app.js'));
  });
  after(() => rmSync(place.folder, { recursive: true, force: true }));
  return place;
}

/** A page with one script. @param {string} script @param {string} [attributes] */
export const page = (script, attributes = 'type="module"') => `<!doctype html><html lang="en"><meta charset="utf-8"><title>consumer</title>
<link rel="icon" href="data:,"><script ${attributes} src="${script}"></script></html>`;

/** Opens the consumer's page and checks what it says it has seen: that it learned, and on how many threads of which engine.
 * @param {object} where as withPage takes it @param {boolean} isolated @param {string} [only] the one engine that there is */
export async function trains(where, isolated, only) {
  await withPage({ path: '', isolated, expected: /^heddle: this page is not cross-origin isolated/, ...where }, async (tab) => {
    let result, tries = 0;
    while (!(result = /** @type {any} */ (await tab.evaluate('globalThis.result'))) && tries++ < 300) await tab.waitForTimeout(100); // no eval in the page
    assert.ok(result, 'no result after 30 s');
    const { first, last, r2, engine, worker, threadsAsked } = result;
    assert.ok(last < first / 2, `loss ${first} -> ${last}`);
    assert.ok(r2 > 0.999, `r2 ${r2}`);
    assert.equal(worker, true);
    assert.equal(engine, only ?? (isolated && threadsAsked > 1 ? 'heddle-mt-relaxed' : 'heddle-st-relaxed'));
  });
}
