// The benchmark measures every work of its catalogue and writes what it found; a smoke run, whose figures mean nothing.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { groups, works } from '../../tools/bench/catalog.mjs';
import { addRatios, compare, intoReadme, judge, markdown, readmeTable, statistics } from '../../tools/bench/report.mjs';
import { tree } from '../../tools/common.mjs';

const program = join(tree, 'tools', 'bench', 'bench.mjs');
const run = (/** @type {string[]} */ args, /** @type {NodeJS.ProcessEnv} */ env = process.env) => spawnSync(process.execPath, [program, ...args], { cwd: tree, encoding: 'utf8', timeout: 300_000, env });
const bench = (/** @type {string[]} */ ...args) => run(args);

test('a smoke run has figures of every work, as JSON and as Markdown, and draws the curves', () => {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-bench-')), out = join(folder, 'report.json');
  try {
    const { status, stdout, stderr } = bench('--quick', '--out', out, ...groups, 'curves');
    assert.equal(status, 0, stdout + stderr);
    const report = JSON.parse(readFileSync(out, 'utf8')), text = readFileSync(out.replace('.json', '.md'), 'utf8');
    const chromium = existsSync(process.env.CHROMIUM ?? '/usr/bin/chromium');
    assert.deepEqual(report.works.map((/** @type {any} */ { id }) => id), works.filter(({ id }) => chromium || id !== 'page').map(({ id }) => id));
    for (const { id, title, columns } of report.works) {
      assert.ok(columns.length > 0 && columns.every((/** @type {any} */ { median, min, max, samples }) => min > 0 && min <= median && median <= max && samples.length > 0), id);
      assert.ok(text.includes(`| ${title} |`), title);
    }
    for (const group of groups) assert.ok(text.includes(`## ${group}\n`), group);
    assert.equal(chromium, report.works.some((/** @type {any} */ { columns }) => columns.some((/** @type {any} */ { key }) => key === 'chromium2')));
    assert.ok(report.machine.cpu && report.machine.load.after >= 0 && report.versions.node && report.versions['@tensorflow/tfjs'] && report.commit);
    assert.throws(() => intoReadme('', report), /smoke run/);
    const charts = readdirSync(join(folder, 'curves'));
    assert.ok(charts.length >= 12 && charts.includes('batch-time.svg') && charts.includes('ridge-features-time.svg'), String(charts));
    for (const name of charts) {
      const svg = readFileSync(join(folder, 'curves', name), 'utf8');
      assert.ok(svg.length < 10_000 && !/NaN|Infinity|undefined/.test(svg) && (svg.match(/<circle/g) ?? []).length >= 2, name);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('what fails is reported with its reason, the rest is measured, and the exit code tells', () => {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-bench-')), out = join(folder, 'report.json');
  try {
    const { status } = run(['--quick', '--out', out, 'first'], { ...process.env, CHROMIUM: '/bin/false' }); // a browser that ends at once
    assert.equal(status, 1);
    const [first, page] = JSON.parse(readFileSync(out, 'utf8')).works;
    assert.ok(first.columns[0].median > 0);
    for (const { failed } of page.columns) assert.match(failed, /^could not be prepared: browserType\.launch/);
    assert.match(readFileSync(out.replace('.json', '.md'), 'utf8'), /^## Failed\n\n- page opened to first result/m);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a wrong group, a wrong option and a missing report are told with the usage', () => {
  for (const args of [['nothing'], ['--nothing'], ['--compare', 'none.json'], ['--out', 'report.txt']]) {
    const { status, stderr } = bench(...args);
    assert.equal(status, 1);
    assert.match(stderr, /usage: npm run bench|npm run bench$|ends in \.json/m, args.join(' '));
  }
});

/** An entry with one column. */
const entry = (/** @type {number[]} */ samples, isRate = false) => ({ id: 'a', group: 'g', title: 'work', unit: 'ms', isRate, readme: true, asked: [], columns: [{ key: 'node1', title: 'Node, 1 thread', samples, ...statistics(samples), seconds: 1, load: 0 }] });
const report = (/** @type {any[]} */ ...list) => /** @type {any} */ ({ format: 1, quick: false, date: 'today', commit: 'c', machine: { cpu: 'cpu', cores: 2, mhz: 1, memory: 1, os: 'os', load: { before: 0, after: 0 } }, versions: { node: '24' }, skipped: [], seconds: 1, works: list });

test('quartiles, ratios and limits', () => {
  assert.deepEqual(statistics([4, 1, 2, 3, 5]), { median: 3, min: 1, max: 5, q1: 2, q3: 4, rounds: 5 });
  assert.equal(statistics([1, 2]).median, 1.5);
  assert.throws(() => statistics([]), /no figures/);
  assert.throws(() => statistics([1, NaN]), /no figures/);
  const columns = /** @type {any} */ ([{ key: 'node1', title: 'one', median: 10, growth: 3 }, { key: 'node2', title: 'two', median: 4 }, { key: 'torch', title: 'torch', failed: 'gone' }]);
  const work = (/** @type {any} */ more) => /** @type {any} */ ({ unit: 'ms', isRate: false, ...more });
  addRatios(work({}), columns);
  assert.equal(columns[1].ratio, 0.4);
  const asked = judge(work({ asked: [{ of: 'node1', most: 9 }, { of: 'speedup', least: 2.5 }, { of: 'growth', most: 0, unit: 'bytes' }, { of: 'torch', most: 1 }, { of: 'node2', most: 'node1' }] }), columns);
  assert.deepEqual(asked.map(({ value, met }) => [value, met]), [[10, false], [2.5, true], [3, false], [4, true]]);
  addRatios(work({ isRate: true }), columns);
  assert.equal(columns[1].ratio, 2.5);
  const beside = /** @type {any} */ ([...columns.slice(0, 2), { key: 'gcc2', beside: 'node2', median: 6 }, { key: 'torch2', beside: 'chromium2', median: 8 }]);
  addRatios(work({}), beside);
  assert.deepEqual(beside.map((/** @type {any} */ { ratio }) => ratio), [undefined, 0.4, 1.5, undefined], 'beside its own column, if that is there');
});

test('only what moved beyond the spread of both runs counts as slower or faster, for times and for rates', () => {
  const before = report(entry([10, 11, 12])), rate = (/** @type {number[]} */ samples) => report(entry(samples, true));
  assert.deepEqual(compare(before, report(entry([11, 12, 13]))), []);
  assert.deepEqual(compare(before, before), []);
  assert.equal(compare(before, report(entry([20, 22, 24])))[0].ratio, 2);
  assert.equal(compare(before, report(entry([5, 5.5, 6])))[0].ratio, 0.5);
  assert.equal(compare(rate([10, 11, 12]), rate([20, 22, 24]))[0].ratio, 0.5);
  assert.deepEqual(compare(report(entry([10])), report(entry([11]))), [], 'one round has no spread');
  assert.equal(compare(report(entry([10])), report(entry([12])))[0].ratio, 1.2);
  const peer = (/** @type {number} */ ms) => ({ ...entry([ms]), columns: entry([ms, ms, ms]).columns.map((column) => ({ ...column, key: 'torch' })) });
  assert.deepEqual(compare(report(peer(10)), report(peer(20))), [], "others' speed is not ours");
  for (const [key, count] of /** @type {[string, number][]} */ ([['tfjs@chromium1', 0], ['numpy2', 0], ['gcc2', 1], ['chromium2', 1]])) {
    const [one, two] = [[10], [20]].map((samples) => report({ ...entry(samples), columns: entry(samples).columns.map((column) => ({ ...column, key })) }));
    assert.equal(compare(one, two).length, count, key);
  }
  assert.deepEqual(compare(report(), before), [], 'a new work has nothing to be compared with');
});

test("README's table goes between its marks, and only there", () => {
  const found = report(entry([1, 2, 3])), readme = 'before\n<!-- bench: begin -->\nold\n<!-- bench: end -->\nafter\n', text = intoReadme(readme, found);
  assert.equal(text, `before\n<!-- bench: begin -->\n${readmeTable(found)}\n<!-- bench: end -->\nafter\n`);
  assert.match(text, /^\| work, ms \| 2 \| - \| - \| - \|$/m);
  assert.equal(intoReadme(text, found), text);
  assert.throws(() => intoReadme('no marks', found), /no place/);
  found.works[0].columns.push(...['chromium1', 'chromium2', 'jax@chromium1', 'jax@chromium2', 'tfjs@chromium1'].map((key, i) => ({ ...found.works[0].columns[0], key, title: key, median: 3 + i })));
  found.works[0].cannot = { ort: 'predicts only', tfjs: 'measured is something else' };
  const beside = readmeTable(found).split('In Chromium beside others')[1] ?? '';
  assert.match(beside, /^\| work, ms \| 3 \/ 4 \| 7 \| 5 \/ 6 \| predicts only \| - \| - \|$/m);
  assert.equal(intoReadme(intoReadme(text, found), found), intoReadme(text, found));
  assert.match(markdown(found), /^In Chromium, beside others:\n\n\| work \| unit \| chromium1 \| chromium2 \| jax@chromium1 \|/m);
  assert.match(markdown(found), /^- work, ONNX Runtime Web wasm: predicts only$/m);
  found.works[0].columns[0].failed = 'it stopped';
  assert.match(markdown(found), /## Failed\n\n- work, Node, 1 thread: it stopped/);
});
