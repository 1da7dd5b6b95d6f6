// What npm packs is enough: installed from the tarball, without this tree, the command and every entry of the package work.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { tree } from '../../tools/common.mjs';

const { version, bin, exports: entries } = JSON.parse(readFileSync(join(tree, 'package.json'), 'utf8'));
let folder = '', packed = /** @type {string[]} */ ([]);

/** @param {string} command @param {string[]} args */
const inFolder = (command, ...args) => spawnSync(command, args, { cwd: folder, encoding: 'utf8', timeout: 120_000 });

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-package-'));
  const [{ filename, files }] = JSON.parse(execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], { cwd: tree, encoding: 'utf8' }));
  packed = files.map(({ path }) => path);
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  mkdirSync(join(folder, 'photos'));
  writeFileSync(join(folder, 'photos', 'a.png'), 'no picture');
  // its one dependency comes from this tree, so that no registry is asked
  const { status, stderr } = inFolder('npm', 'install', '--offline', '--no-audit', '--no-fund', '--legacy-peer-deps', join(folder, filename), join(tree, 'node_modules', 'wasm-feature-detect'));
  assert.equal(status, 0, stderr);
});
after(() => rmSync(folder, { recursive: true }));

test('the tarball has the command, the engines and every entry, and nothing of the tests', () => {
  const wanted = [bin.heddle, 'bindings/tables.js', 'bindings/engines/heddle-mt-relaxed.wasm', ...Object.values(entries).map((entry) => (entry.default ?? entry).slice(2))];
  assert.deepEqual(wanted.filter((name) => !packed.includes(name)), []);
  assert.deepEqual(packed.filter((name) => !/^(bindings\/|package\.json$|README\.md$|LICENSE$)/.test(name)), []);
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
  const names = Object.keys(entries).filter((name) => !name.endsWith('.json')).map((name) => `heddle${name.slice(1)}`);
  const program = `for (const name of ${JSON.stringify(names)}) if (!Object.keys(await import(name)).length) throw new Error(name);
    const { plcc } = await import('heddle/quality');
    console.log(await plcc([1, 2, 3], [2, 4, 6]));`;
  const { status, stdout, stderr } = inFolder(process.execPath, '--input-type=module', '--eval', program);
  assert.equal(status, 0, stderr);
  assert.equal(stdout.trim(), '1');
});
