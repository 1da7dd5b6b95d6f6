// What npm packs is enough: installed from the tarball, without this tree, the command and every entry of the package work.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { tree } from '../../tools/common.mjs';
import { installed } from './packed.js';

const { version, bin, exports: entries, ...rest } = JSON.parse(readFileSync(join(tree, 'package.json'), 'utf8'));
const place = installed();
before(() => {
  mkdirSync(join(place.folder, 'photos'));
  writeFileSync(join(place.folder, 'photos', 'a.png'), 'no picture');
});

/** @param {string} command @param {string[]} args */
const inFolder = (command, ...args) => spawnSync(command, args, { cwd: place.folder, encoding: 'utf8', timeout: 120_000 });

test('the tarball has the command, the engines and every entry, and nothing of the tests', () => {
  const wanted = [bin.heddle, 'bindings/tables.js', 'bindings/engines/heddle-mt-relaxed.wasm', ...Object.values(entries).map((entry) => (entry.default ?? entry).slice(2)).filter((name) => !name.includes('*'))];
  assert.deepEqual(wanted.filter((name) => !place.packed.includes(name)), []);
  assert.deepEqual(place.packed.filter((name) => !/^(bindings\/|package\.json$|README\.md$|LICENSE$)/.test(name)), []);
});

test('who installs heddle gets one package, and no script of it runs', () => {
  assert.deepEqual(Object.keys(rest).filter((name) => /^(dependencies|optionalDependencies|bundleDependencies)$/.test(name)), []);
  assert.deepEqual(Object.keys(rest.scripts).filter((name) => /^(pre|post)?install$|^prepare$/.test(name)), []);
  assert.ok(place.packed.includes('bindings/features.license.txt'), 'the licence of what is made of another package');
});

test('bundles come with source maps that hold their sources, each file is of a kind that a user needs, and none is there twice', () => {
  for (const name of ['heddle.js', 'single.js'].map((one) => `bindings/bundles/${one}`)) {
    assert.ok(place.packed.includes(`${name}.map`), `${name}.map`);
    const text = readFileSync(join(tree, name), 'utf8'), { sources, sourcesContent } = JSON.parse(readFileSync(join(tree, `${name}.map`), 'utf8'));
    assert.ok(text.trimEnd().endsWith(`//# sourceMappingURL=${name.split('/').at(-1)}.map`), name);
    const at = sources.findIndex((/** @type {string} */ path) => path === '../session.js');
    assert.equal(sourcesContent[at], readFileSync(join(tree, 'bindings', 'session.js'), 'utf8'));
  }
  const kinds = /^bindings\/(?:[\w/-]+\.(?:js|safetensors)|bundles\/\w+\.js\.map|engines\/heddle-[\w-]+\.(?:mjs|d\.mts|wasm)|types\/[\w/]+\.d\.ts)$|^(?:bindings\/features\.license\.txt|package\.json|README\.md|LICENSE)$/;
  assert.deepEqual(place.packed.filter((name) => !kinds.test(name)), []);
  assert.equal(new Set(place.packed).size, place.packed.length);
  const mib = statSync(place.tarball).size / 2 ** 20;
  assert.ok(mib <= 3.2, `the package is ${mib.toFixed(2)} MiB, at most 3.2`);
});

test('npx heddle runs from the installed tarball, and says what it lacks', () => {
  const told = inFolder('npx', '--offline', '--no', '--', 'heddle', '--version');
  assert.equal(told.stdout.trim(), version, told.stderr);
  const help = inFolder('npx', '--offline', '--no', '--', 'heddle', '--help');
  assert.equal(help.status, 0);
  assert.match(help.stdout, /npx heddle train-quality ratings\.csv --images photos/);
  const bare = inFolder('npx', '--offline', '--no', '--', 'heddle', 'score', 'photos', '--model', 'none');
  assert.equal(bare.status, 1);
  assert.match(bare.stderr, /^heddle score: pictures in Node need the package sharp: npm install sharp$/m);
  assert.equal(inFolder('npx', '--offline', '--no', '--', 'heddle', 'score').status, 2);
});

test('every entry can be imported, and computes', () => {
  const names = Object.keys(entries).filter((name) => !/json$|\*|script|worker/.test(name)).map((name) => `heddle${name.slice(1)}`);
  const program = `for (const name of ${JSON.stringify(names)}) if (!Object.keys(await import(name)).length) throw new Error(name);
    const { plcc } = await import('heddle/quality');
    console.log(await plcc([1, 2, 3], [2, 4, 6]));`;
  const { status, stdout, stderr } = inFolder(process.execPath, '--input-type=module', '--eval', program);
  assert.equal(status, 0, stderr);
  assert.equal(stdout.trim(), '1');
});
