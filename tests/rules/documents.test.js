// README and guides: every relative link leads to a file, every anchor to a heading, no guide is left out.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { tree } from '../../tools/common.mjs';

const names = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], { cwd: tree, encoding: 'utf8' }).split('\n').filter((name) => name && existsSync(join(tree, name)));
/** Without blocks of code. @param {string} name */
const prose = (name) => readFileSync(join(tree, name), 'utf8').replace(/^```.*?^```$/gms, '');
/** As GitHub names headings. @param {string} name @returns {Set<string>} */
const anchors = (name) => new Set([...prose(name).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-')));
/** Relative links of a document: [target, path from the tree, anchor]. @param {string} name */
const links = (name) => [...prose(name).matchAll(/\]\(([^()\s]+)\)/g)].map(([, target]) => target).filter((target) => !/^https?:/.test(target)).map((target) => {
  const [path, anchor] = target.split('#');
  return [target, path ? relative(tree, join(tree, dirname(name), path)) : name, anchor];
});

test('relative links and their anchors lead somewhere', () => {
  const all = names.flatMap((name) => links(name).map((link) => [name, ...link]));
  assert.ok(all.length > 20);
  assert.deepEqual(all.filter(([, , path]) => path.startsWith('..') || !existsSync(join(tree, path))).map(([name, target]) => `${name}: ${target}`), []);
  assert.deepEqual(all.filter(([, , path, anchor]) => anchor && !(path.endsWith('.md') && anchors(path).has(anchor))).map(([name, target]) => `${name}: ${target}`), []);
});

test('README names every entry of the package', () => {
  const { exports } = JSON.parse(readFileSync(join(tree, 'package.json'), 'utf8')), readme = readFileSync(join(tree, 'README.md'), 'utf8') + readFileSync(join(tree, 'web', 'guides', 'in-a-page.md'), 'utf8');
  assert.deepEqual(Object.keys(exports).filter((name) => exports[name].types && !readme.includes(`heddle${name.slice(1)}`)), []);
});

test('README leads to every guide, and its pictures are small', () => {
  const linked = new Set(links('README.md').map(([, path]) => path));
  assert.deepEqual(names.filter((name) => name.startsWith('web/guides/') && !linked.has(name)), []);
  const pictures = [...prose('README.md').matchAll(/!\[[^\]]+\]\(([^)]+)\)/g)].map(([, path]) => path);
  assert.ok(pictures.length >= 1);
  for (const path of pictures) assert.ok(readFileSync(join(tree, path)).length < 150 * 1024, path);
});
