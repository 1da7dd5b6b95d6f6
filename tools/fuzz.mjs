#!/usr/bin/env node
// Fuzzing: of the C library by the libFuzzer programs of tests/fuzz/, with address and undefined-behaviour sanitizers; of the readers of files by
// fast-check (NAME readers); and a soak of 100 models a second (NAME soak).
//   npm run fuzz                            replays the kept inputs, then half a minute of new ones each
//   npm run fuzz -- [NAME...] --minutes 60  so long in all, from a new seed; finds go to build/fuzz/
//   npm run fuzz -- [NAME...] --keep        puts inputs found so far that reach more code into tests/fuzz/corpus/NAME.txt: base64, one a line
//   npm run fuzz -- NAME FILE               runs one input, such as a find
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildPreset, ensureTools } from './build.mjs';
import { fail, installClang, say, tree } from './common.mjs';

const PRESET = 'native-asan';
const folder = join(tree, 'tests', 'fuzz'), work = join(tree, 'build', 'fuzz');

/** The programs: tests/fuzz/NAME.c. */
export const programs = readdirSync(folder).filter((name) => name.endsWith('.c')).map((name) => basename(name, '.c'));

const corpus = (name) => join(folder, 'corpus', `${name}.txt`);
/** The kept inputs as files; inputs of earlier runs on this machine, not in the tree. */
const kept = (name) => join(work, name, 'kept'), found = (name) => join(work, name, 'found');

/** @param {string} name */
function unpack(name) {
  rmSync(kept(name), { recursive: true, force: true });
  for (const one of [kept(name), found(name)]) mkdirSync(one, { recursive: true });
  const lines = readFileSync(corpus(name), 'utf8').trim().split('\n');
  lines.forEach((line, i) => writeFileSync(join(kept(name), String(i)), Buffer.from(line, 'base64')));
}

/** Runs a program; ok: no promise was broken, no limit passed. An input may take a second (here, on a busy machine), and 2 GiB. */
function run(name, args, seconds = 600) {
  const result = spawnSync(join(tree, 'build', PRESET, `fuzz_${name}`), ['-max_len=400', '-len_control=0', '-entropic=0', '-timeout=20',
    '-rss_limit_mb=2048', '-malloc_limit_mb=0', `-artifact_prefix=${work}/${name}-`, ...args], {
    encoding: 'utf8', maxBuffer: 1 << 28, timeout: (seconds + 120) * 1000, env: { ...process.env, UBSAN_OPTIONS: 'print_stacktrace=1' },
  });
  const output = `${result.stdout}${result.stderr}${result.error?.message ?? ''}`;
  const runs = Number(/Done (\d+) runs/.exec(output)?.[1] ?? /#(\d+)\s+DONE/.exec(output)?.[1] ?? 0);
  return { ok: result.status === 0, output: tell(output), runs };
}

/** What matters of a report: from the first sign of the find to its stack, and where the input lies. */
function tell(output) {
  const lines = output.split('\n').filter((line) => !/^#\d+\t|NEW_FUNC|WARNING: AddressSanitizer failed to allocate|fuzzer::/.test(line));
  const first = lines.findIndex((line) => /broken:|runtime error|ERROR:/.test(line));
  const file = /Test unit written to (\S+)/.exec(output)?.[1];
  const again = file ? [`again: npm run fuzz -- ${basename(file).split('-')[0]} ${relative(tree, file)}`] : [];
  return [...lines.slice(Math.max(first, 0), Math.max(first, 0) + 25), ...again].join('\n');
}

const prepare = () => programs.forEach((name) => { buildPreset(PRESET, `fuzz_${name}`); unpack(name); });

/** Runs all kept inputs of a program. */
const replay = (name) => run(name, ['-runs=0', kept(name)]);

/** Tries new inputs for some seconds. The seed is the same unless one is given, 0: another each time. */
const explore = (name, seconds, seed = 1) => run(name, [`-seed=${seed}`, `-max_total_time=${seconds}`, found(name), kept(name)], seconds);

/** Tries as many new inputs as a test has time for: the same everywhere, so that the tests of a tree end alike. */
function sample(name) {
  const fresh = mkdtempSync(join(work, 'sample-'));
  try {
    return run(name, ['-seed=1', '-runs=12000', fresh, kept(name)]);
  } finally {
    rmSync(fresh, { recursive: true });
  }
}

/** Replays, then tries new inputs. Counts for tools/test.mjs.
 * @param {string[]} names @param {number} [seconds] unless told a fixed number of inputs @param {number} [seed] */
export function fuzz(names, seconds, seed) {
  prepare();
  const result = { ok: true, output: '', passed: 0, failed: 0, skipped: 0 };
  for (const name of names) {
    for (const part of [() => replay(name), () => (seconds ? explore(name, seconds / names.length, seed) : sample(name))]) {
      const { ok, output } = part();
      result[ok ? 'passed' : 'failed']++;
      if (ok) continue;
      result.ok = false;
      result.output += `fuzz_${name}:\n${output}\n`;
      break;
    }
  }
  return result;
}

/** The fewest inputs, kept and found, that reach all that they reach together. */
function keep(name) {
  const fresh = mkdtempSync(join(work, 'keep-'));
  const { ok, output } = run(name, ['-set_cover_merge=1', '-use_counters=0', fresh, kept(name), found(name)]);
  if (!ok) fail(output);
  const lines = readdirSync(fresh).map((file) => readFileSync(join(fresh, file)).toString('base64'));
  writeFileSync(corpus(name), lines.sort((a, b) => a.length - b.length || (a < b ? -1 : 1)).map((line) => `${line}\n`).join(''));
  say(`${name}: ${lines.length} inputs kept`);
}

/** Runs a file of tests/fuzz/ for longer than its test does. @param {string} name @param {Record<string, number>} settings */
function script(name, settings) {
  const env = { ...process.env, ...Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, String(value)])) };
  if (spawnSync(process.execPath, ['--test', '--test-reporter=spec', join(folder, `${name}.test.js`)], { stdio: 'inherit', env }).status) process.exitCode = 1;
}

const scripts = {
  readers: (seconds) => script('readers', { HEDDLE_FUZZ_SECONDS: seconds, HEDDLE_FUZZ_SEED: Date.now() % 2 ** 31 }),
  soak: (seconds) => script('soak', { HEDDLE_SOAK_MODELS: Math.ceil(100 * seconds) }),
};

function main(args) {
  const at = args.indexOf('--minutes'), minutes = at < 0 ? 0.5 * programs.length : Number(args.splice(at, 2)[1]);
  const keeps = args.indexOf('--keep');
  if (keeps >= 0) args.splice(keeps, 1);
  const file = args.length === 2 && existsSync(args[1]) ? args.pop() : null;
  const wrong = args.find((name) => !programs.includes(name) && !(name in scripts));
  if (wrong || !(minutes > 0)) fail(`${wrong ? `no fuzz program "${wrong}"` : 'minutes must be a number above 0'}; there are: ${[...programs, ...Object.keys(scripts)].join(', ')}`);
  ensureTools();
  if (args.some((name) => name in scripts)) return args.forEach((name) => scripts[name](minutes * 60));
  installClang();
  const names = args.length ? args : programs;
  if (keeps >= 0 || file) prepare();
  if (keeps >= 0) return names.forEach(keep);
  const result = file ? run(args[0], [file]) : fuzz(names, minutes * 60, at < 0 ? 1 : 0);
  console.log(result.ok ? 'nothing found' : result.output);
  process.exitCode = result.ok ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) main(process.argv.slice(2));
