// The rules of src/ that a compiler does not check: who may include whom, and what the objects may hold and ask for.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tree } from '../../tools/common.mjs';

/** Folders of src from the lowest up; a folder includes headers of its own and of lower lines, not of its neighbours. */
const LEVELS = [['base'], ['kern'], ['linalg'], ['layer', 'loss', 'optim', 'solve', 'metric', 'image', 'weight'], ['recipe'], ['model'], ['api']];

/** Headers of the C library; those with a list only for these files. */
const LIBRARY = {
  'stddef.h': null, 'stdint.h': null, 'stdbool.h': null, 'string.h': null, 'limits.h': null, 'float.h': null, 'math.h': null,
  'stdarg.h': ['base/context.c', 'base/context.h', 'base/format.c', 'base/format.h'],
  'stdlib.h': ['base/context.c', 'api/context.c'], 'pthread.h': ['base/pool.c'], 'stdatomic.h': ['base/pool.c'],
  'wasm_simd128.h': ['kern/vec.h'], 'simde/wasm/simd128.h': ['kern/vec.h'], 'simde/wasm/relaxed-simd.h': ['kern/vec.h'],
};

/** What the library may ask of the platform. No stdio, no clock, no exit; of libm only what rounds alike everywhere. */
const PLATFORM = new Set(['malloc', 'calloc', 'realloc', 'free', 'memcpy', 'memset', 'memmove', 'memcmp', 'strcmp', 'strncmp', 'strlen',
  'strchr', 'sqrt', 'sqrtf', 'fabs', 'fabsf', 'floor', 'floorf', 'ceil', 'ceilf', 'rint', 'rintf', '_GLOBAL_OFFSET_TABLE_', '__stack_chk_fail']);

const sources = readdirSync(join(tree, 'src'), { recursive: true }).filter((name) => /\.[ch]$/.test(name));
const includes = sources.flatMap((file) => [...readFileSync(join(tree, 'src', file), 'utf8')
  .matchAll(/^[ \t]*#[ \t]*include[ \t]+(?:"([^"]+)"|<([^>]+)>)/gm)].map(([, own, library]) => ({ file, own, library })));

const levelOf = (folder) => LEVELS.findIndex((level) => level.includes(folder));

test('a folder of src includes only its own headers and those of folders below it', () => {
  const wrong = includes.filter(({ own }) => own && own !== 'heddle.h').filter(({ file, own }) => {
    const [from, to] = [file.split('/')[0], own.split('/')[0]];
    return levelOf(from) < 0 || levelOf(to) < 0 || (from !== to && levelOf(to) >= levelOf(from));
  }).map(({ file, own }) => `${file} includes ${own}`);
  assert.deepEqual(wrong, []);
  assert.ok(includes.length > 100, 'the pattern finds the includes');
});

test('src includes of the platform only what it is known to need', () => {
  const wrong = includes.filter(({ library }) => library)
    .filter(({ file, library }) => !(library in LIBRARY) || !(LIBRARY[library]?.includes(file) ?? true));
  assert.deepEqual(wrong.map(({ file, library }) => `${file} includes <${library}>`), []);
});

/** Symbols of the native library: { name, kind, section }. The build that runs before the rules makes it. */
const symbols = execFileSync('nm', ['--format=sysv', join(tree, 'build', 'native-gcc', 'libheddle.a')], { encoding: 'utf8', maxBuffer: 1 << 26 })
  .split('\n').map((line) => line.split('|').map((part) => part.trim())).filter((parts) => parts.length === 7)
  .map(([name, , kind, , , , section]) => ({ name, kind, section }));

test('global symbols start with hd_', () => {
  const globals = symbols.filter(({ kind }) => /^[A-TV-Z]$/.test(kind)).map(({ name }) => name);
  assert.ok(globals.length > 100);
  assert.deepEqual(globals.filter((name) => !name.startsWith('hd_')), []);
});

test('no variable that can be written outlives a call', () => {
  assert.deepEqual(symbols.filter(({ section }) => /^(\.data|\.bss|\.tdata|\.tbss|\*COM\*)$/.test(section)), []);
});

test('the objects ask the platform for memory, strings, threads and square roots only', () => {
  const asked = new Set(symbols.filter(({ kind }) => kind === 'U').map(({ name }) => name));
  assert.ok(asked.has('sqrt') && asked.has('pthread_create'), 'nm lists them');
  assert.deepEqual([...asked].filter((name) => !/^(hd_|pthread_)/.test(name) && !PLATFORM.has(name)), []);
});
