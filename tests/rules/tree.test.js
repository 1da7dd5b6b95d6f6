// Rules of the whole tree: what lies where, how long files are, what must not be in them, and that what README says works.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tree } from '../../tools/common.mjs';

const TOP = new Set(['src', 'web', 'bindings', 'tests', 'examples', 'tools', 'CMakeLists.txt', 'CMakePresets.json', 'package.json',
  'package-lock.json', 'README.md', 'LICENSE', 'tsconfig.json']);
const CODE = /\.(c|h|js|mjs|mts|sh|py|css|html|cmake)$/;

const read = (name) => readFileSync(join(tree, name), 'utf8');
/** Files of the project: tracked, or new and not ignored. */
const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: tree, encoding: 'utf8' }).split('\n')
  .filter((name) => name && existsSync(join(tree, name)));

test('the top level holds only what it should', () => {
  const names = [...new Set(files.map((name) => name.split('/')[0]))];
  assert.deepEqual(names.filter((name) => !name.startsWith('.') && !TOP.has(name)), []);
});

test('files of code stay under 500 lines', () => {
  const code = files.filter((name) => CODE.test(name));
  assert.ok(code.length > 50);
  assert.deepEqual(code.map((name) => [name, read(name).split('\n').length - 1]).filter(([, lines]) => !(lines < 500)), []);
});

test('no path of one machine and no address of one registry', () => {
  const path = new RegExp(['/root', '/work', '/home/\\w+', '/Users/\\w+'].map((start) => `(?<![\\w.}"])${start}/`).join('|'));
  assert.deepEqual(files.filter((name) => !/\.(png|jpg|gz|npy|safetensors)$/.test(name) && path.test(read(name))), []);
  assert.doesNotMatch(read('package-lock.json'), /"resolved"/);
});

test('the type checker accepts bindings', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(tree, 'node_modules', 'typescript', 'bin', 'tsc')], { cwd: tree, encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
});

test('no engine or binding needs eval, which a strict Content-Security-Policy refuses', () => {
  const engines = readdirSync(join(tree, 'bindings', 'engines')).filter((name) => name.endsWith('.mjs')).map((name) => `bindings/engines/${name}`);
  assert.ok(engines.length >= 2);
  const bindings = files.filter((name) => /^bindings\/.*\.js$/.test(name));
  assert.deepEqual([...engines, ...bindings].filter((name) => /\beval\(|\bnew Function\b|\bFunction\(/.test(read(name))), []);
});

test("every npm command of README is one of package.json's, and npm's scripts have their files", () => {
  const { scripts } = JSON.parse(read('package.json'));
  const named = [...read('README.md').matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)].map(([, run, short]) => run ?? short);
  assert.ok(named.includes('start') && named.includes('test'));
  assert.deepEqual(named.filter((name) => !(name in scripts)), []);
  const programs = Object.values(scripts).flatMap((line) => [...line.matchAll(/\bnode (\S+)/g)].map(([, path]) => path));
  assert.deepEqual(programs.filter((path) => !existsSync(join(tree, path))), []);
});
