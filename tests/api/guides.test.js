// README and guides keep their word: every block of code in them runs, in order, as a reader would run it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { tree } from '../../tools/common.mjs';
import { blocks, documents, givenNames, linkModules, prepare, program, readDocument } from './guidekit.js';

const command = join(tree, 'bindings', 'cli', 'heddle.js');

/** What it prints is something: a name that is not there would show as undefined. @param {string} folder @param {string} program @param {string[]} args */
function run(folder, program, ...args) {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: folder, encoding: 'utf8', timeout: 120_000, env: { ...process.env, PATH: `${join(folder, 'bin')}${delimiter}${process.env.PATH}` },
  });
  assert.equal(status, 0, `${args.join(' ')}\n${stdout}${stderr}`);
  assert.doesNotMatch(stdout, /\b(undefined|NaN)\b/, args.join(' '));
}

/** In place of npx: this Node and the command of this tree. @param {string} folder */
function putNpx(folder) {
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin', 'npx'), `#!/bin/sh\nshift\nexec '${process.execPath}' '${command}' "$@"\n`, { mode: 0o755 });
}

/** Commands of a document, a line that ends with a backslash and the next as one. @param {string} text */
const commands = (text) => blocks(text).filter(({ info }) => info === 'sh').flatMap(({ code }) => code.replaceAll('\\\n', ' ').split('\n')).filter((line) => line.startsWith('npx heddle '));

for (const name of documents) {
  const text = readDocument(name), { code, count } = program(text, 'js'), lines = commands(text);
  if (count + lines.length === 0) continue;
  test(`${name}: ${count} blocks of code and ${lines.length} commands run`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'heddle-guide-'));
    try {
      linkModules(folder, (from, to) => symlinkSync(from, to));
      const file = join(folder, `${name.replace(/\W/g, '-')}.mjs`);
      writeFileSync(file, `${await prepare(text, folder)}${code}`);
      if (count) run(folder, process.execPath, file);
      putNpx(folder);
      for (const line of lines) run(folder, 'sh', '-c', line);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

test('there are guides, and a program of one fails as it should', () => {
  assert.ok(documents.length > 3);
  const text = '# A\n\nGiven:\n\n- `x`, `y`: numbers\n- `photos/`: pictures\n\n```js\nimport { noSuchName } from \'heddle\';\n```\n';
  assert.deepEqual(givenNames(text), ['x', 'y', 'photos/']);
  assert.deepEqual(program(text, 'js', '1;'), { code: '1;\n\n\n\n\n\n\n\nimport { noSuchName } from \'heddle\';\n\n', count: 1 });
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program(text, 'js').code], { cwd: tree, encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(stderr, /does not provide an export named 'noSuchName'/);
});

test('fences say what happens to their blocks, and a part of a file is in that file', () => {
  for (const name of documents) {
    for (const { info, code, line } of blocks(readDocument(name))) {
      const [kind, file] = info.split(' ');
      assert.match(info, /^(js|js browser|sh|text|html|nginx|c src\/\S+\.c)$/, `${name}, line ${line}`);
      if (kind === 'c') assert.ok(readFileSync(join(tree, file), 'utf8').includes(code), `${name}, line ${line}: not in ${file}`);
    }
  }
});
