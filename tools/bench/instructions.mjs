#!/usr/bin/env node
// Instructions of the hot kernels' native build, counted by valgrind, beside those on record: unlike times they do not depend on what else the machine does.
//   node tools/bench/instructions.mjs [--record]     --record: writes tests/golden/instructions.json anew
// Counts hold for one compiler; with another one there is nothing to compare, and the program says so.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildPreset } from '../build.mjs';
import { aptInstall, fail, tree } from '../common.mjs';

const record = join(tree, 'tests', 'golden', 'instructions.json'), program = join(tree, 'build', 'bench', 'instructions');
/** More than this part above the record is a slowdown. */
export const tolerance = 0.02;

/** @param {string} command @param {string[]} args @returns {string} both outputs */
function run(command, ...args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: tree, encoding: 'utf8', timeout: 300_000 });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
  return stdout + stderr;
}

/** What the counts depend on beside the sources. */
export const compiler = () => `${run('gcc', '-dumpfullversion').trim()} ${process.arch}`;

/** @param {string} work @param {number} rounds */
function counted(work, rounds) {
  const [, count] = /Collected : (\d+)/.exec(run('valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null', program, work, String(rounds))) ?? [];
  return Number(count);
}

/** Instructions of one round of each work: what three take beyond one, halved. @returns {Record<string, number>} */
export function count() {
  aptInstall({ valgrind: '/usr/bin/valgrind' });
  buildPreset('native-gcc', 'heddle');
  mkdirSync(join(tree, 'build', 'bench'), { recursive: true });
  run('gcc', '-std=c11', '-O2', '-Isrc', join('tools', 'bench', 'native', 'instructions.c'), join('build', 'native-gcc', 'libheddle.a'), '-lpthread', '-lm', '-o', program);
  return Object.fromEntries(run(program).trim().split('\n').map((work) => [work, Math.round((counted(work, 3) - counted(work, 1)) / 2)]));
}

/** @returns {{ compiler: string, counts: Record<string, number> } | null} */
export const recorded = () => (existsSync(record) ? JSON.parse(readFileSync(record, 'utf8')) : null);

function main() {
  const found = count(), old = recorded();
  if (process.argv.includes('--record')) {
    writeFileSync(record, `${JSON.stringify({ compiler: compiler(), counts: found }, null, 2)}\n`);
    return;
  }
  const isSame = old?.compiler === compiler();
  if (!isSame) console.log(`The record is of gcc ${old?.compiler}, this is ${compiler()}: nothing to compare.`);
  for (const [work, n] of Object.entries(found)) {
    const before = isSame ? old.counts[work] : undefined;
    console.log(`${work.padEnd(36)} ${n.toLocaleString('en').padStart(14)} ${before === undefined ? '' : `${((n / before - 1) * 100).toFixed(2).padStart(7)} %`}`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    main();
  } catch (error) {
    fail(error.message);
  }
}
