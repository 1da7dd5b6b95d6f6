#!/usr/bin/env node
// npm test: sets up what is missing, builds everything, runs every kind of test, ends with one line of counts.
//   node tools/test.mjs [--quick]    --quick (npm run test:quick): static rules, native C tests, API tests in this Node
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ENGINES, buildPreset, ensureTools, writeGenerated } from './build.mjs';
import { aptInstall, fail, installClang, node24, npmCi, ownNode, say, tree } from './common.mjs';
import { fuzz, programs } from './fuzz.mjs';
import { ensureEmcc } from './toolchain.mjs';

const STAGE_LIMIT = 15 * 60_000; // ms
const reports = join(tree, 'build', 'reports');

/** Runs a command; its output comes back, with `ok` false if it failed, hung or could not start. */
function run(command, args, options = {}) {
  const result = spawnSync(command, args, {
    cwd: tree, encoding: 'utf8', maxBuffer: 1 << 28, timeout: STAGE_LIMIT, stdio: ['ignore', 'pipe', 'pipe'], ...options,
  });
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}${result.error ? `\n${result.error.message}` : ''}`;
  return { ok: result.status === 0, output };
}

const filesIn = (folder, ending) => (existsSync(join(tree, folder)) ? readdirSync(join(tree, folder), { recursive: true }) : [])
  .filter((name) => name.endsWith(ending) && !name.split('/').includes('node_modules')).sort().map((name) => join(folder, name));

/** The C tests of one CMake preset, built and run by ctest. */
function ctest(preset) {
  buildPreset(preset);
  const report = join(reports, `${preset}.xml`);
  rmSync(report, { force: true });
  const { ok, output } = run('ctest', ['--test-dir', join('build', preset), '--output-on-failure', '-j2', '--no-tests=error',
    '--output-junit', report]);
  const suite = existsSync(report) ? /<testsuite\b[^>]*>/.exec(readFileSync(report, 'utf8'))?.[0] ?? '' : '';
  const count = (name) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(suite)?.[1] ?? 0);
  const [failed, skipped] = [count('failures'), count('skipped') + count('disabled')];
  return { ok, output, passed: count('tests') - failed - skipped, failed, skipped };
}

/** The tests of one folder under node --test, so many files at a time. */
function nodeTest(folder, node = ownNode, atOnce = 2, but = /^$/) {
  const report = join(reports, `${folder.replaceAll('/', '-')}.tap`);
  rmSync(report, { force: true });
  const names = filesIn(folder, '.test.js').filter((name) => !but.test(name));
  if (names.length === 0) return { ok: false, output: `no tests in ${folder}`, passed: 0, failed: 0, skipped: 0 };
  const { ok, output } = run(node, ['--test', `--test-concurrency=${atOnce}`, '--test-reporter=spec', '--test-reporter-destination=stdout',
    '--test-reporter=tap', `--test-reporter-destination=${report}`, ...names], { env: { ...process.env, FORCE_COLOR: '0' } });
  const tap = existsSync(report) ? readFileSync(report, 'utf8') : '';
  const count = (name) => Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(tap)?.[1] ?? 0);
  return { ok, output, passed: count('pass'), failed: count('fail') + count('cancelled'), skipped: count('skipped') + count('todo') };
}

function build(presets) {
  writeGenerated();
  for (const preset of presets) buildPreset(preset, 'engine');
  return { ok: true, output: '', passed: 0, failed: 0, skipped: 0 };
}

const ownVersion = run(ownNode, ['--version']).output.trim().slice(1);

const QUICK = {
  'build engines': () => build(['wasm-st', 'wasm-mt']),
  'static rules': () => nodeTest('tests/rules'),
  'C, native gcc': () => ctest('native-gcc'),
  [`API, Node ${ownVersion}`]: () => nodeTest('tests/api', ownNode, 2, /(guides|examples)\.test\.js$/), // these run many programs
};

const FULL = {
  'build engines': () => build(ENGINES),
  'static rules': () => nodeTest('tests/rules'),
  'C, native gcc': () => ctest('native-gcc'),
  'instruction counts': () => nodeTest('tests/speed', ownNode, 1),
  'C, native clang': () => ctest('native-clang'),
  'C, native sanitized': () => ctest('native-asan'),
  'C, fuzzing': () => fuzz(programs), // built with the tests above
  'C, native float64': () => ctest('native-f64'),
  'C, WASM one thread': () => ctest('wasm-st'),
  'C, WASM threads': () => ctest('wasm-mt'),
  'C, WASM relaxed SIMD': () => ctest('wasm-mt-relaxed'),
  [`API, Node ${ownVersion}`]: () => nodeTest('tests/api'),
  'API, Node 24': () => nodeTest('tests/api', node24),
  [`faults, Node ${ownVersion}`]: () => nodeTest('tests/faults'),
  'faults, Node 24': () => nodeTest('tests/faults', node24),
  'files, fuzzing and soak': () => nodeTest('tests/fuzz', ownNode, 1),
  'browser, Chromium': () => nodeTest('tests/browser'),
  'package, bundlers': () => nodeTest('tests/package', ownNode, 1), // each packs the tree
};

function setUp(quick) {
  ensureTools();
  if (!quick) {
    for (const folder of [join('tests', 'package'), join('tools', 'site')]) npmCi(join(tree, folder));
    aptInstall({ chromium: '/usr/bin/chromium', 'nats-server': '/usr/sbin/nats-server' });
    installClang();
  }
  say(`emcc ${ensureEmcc().version}`);
}

/** Runs one stage; an error in it, tests or not, makes at least one failure. */
function runStage(name, stage) {
  const start = performance.now();
  let result;
  try {
    result = stage();
  } catch (error) {
    result = { ok: false, output: error.message, passed: 0, failed: 0, skipped: 0 };
  }
  if (!result.ok && result.failed === 0) result.failed = 1;
  if (result.failed) console.log(`\n--- ${name}\n${result.output.trimEnd()}\n---`);
  const counts = result.passed + result.failed ? `${result.passed} passed, ${result.failed} failed` : 'done';
  console.log(`${name.padEnd(26)} ${counts}${result.skipped ? `, ${result.skipped} skipped` : ''}, ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return result;
}

function main(args) {
  const unknown = args.find((arg) => arg !== '--quick');
  if (unknown) fail(`unknown option ${unknown}; usage: node tools/test.mjs [--quick]`);
  const quick = args.includes('--quick');
  const start = performance.now();
  setUp(quick);
  mkdirSync(reports, { recursive: true });
  const results = Object.entries(quick ? QUICK : FULL).map(([name, stage]) => runStage(name, stage));
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  console.log(`${((performance.now() - start) / 60_000).toFixed(1)} minutes`);
  const skipped = sum('skipped');
  console.log(`${sum('passed')} passed, ${sum('failed')} failed${skipped ? `, ${skipped} skipped` : ''}`);
  process.exitCode = sum('failed') ? 1 : 0;
}

main(process.argv.slice(2));
