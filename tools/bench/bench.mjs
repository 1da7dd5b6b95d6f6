#!/usr/bin/env node
// npm run bench [-- GROUP...]: speed and size of what users get, beside others on the same work in the same minutes, and beside what is asked of it. About 20 minutes for all.
// Writes build/bench/report.md and report.json. Best on an idle machine.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { ENGINES, buildPreset, ensureTools, writeGenerated } from '../build.mjs';
import { fail, node24, npmCi, say, tree } from '../common.mjs';
import { ensureEmcc } from '../toolchain.mjs';
import { groups as WORK_GROUPS, quick as quickly, works } from './catalog.mjs';
import { addRatios, compare, figure, intoReadme, judge, markdown, statistics } from './report.mjs';

const here = join(tree, 'tools', 'bench'), reportPath = join(tree, 'build', 'bench', 'report.json');
const GROUPS = [...WORK_GROUPS, 'size', 'curves'];
const USAGE = `usage: npm run bench -- [GROUP...] [--no-peers] [--no-build] [--quick] [--out FILE.json]
  groups: ${GROUPS.join(', ')}; all but curves without any
  --no-peers  without others' JavaScript libraries     --no-build  with what was built last     --quick  a smoke run: small sizes, one round
  --out FILE  the report there (and beside it as .md) instead of build/bench/report.json; curves/ lies beside it
npm run bench -- --readme             the last report's table into README.md, the last curves into web/pictures/curves
npm run bench -- --compare OLD.json   what became slower between that report and the last one`;

const output = (command, ...args) => spawnSync(command, args, { cwd: tree, encoding: 'utf8' }).stdout?.trim() ?? '';

function osName() {
  try {
    return `${/^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? process.platform}, ${process.platform} ${release()}`;
  } catch {
    return `${process.platform} ${release()}`;
  }
}

const load = () => Number(loadavg()[0].toFixed(2));

function machine() {
  const [{ model, speed }] = cpus();
  return { cpu: model.trim(), cores: cpus().length, mhz: speed, memory: Math.round(totalmem() / 2 ** 30), os: osName(), load: { before: load(), after: 0 } };
}

function versions(more) {
  const { version } = JSON.parse(readFileSync(join(tree, 'package.json'), 'utf8')), { dependencies } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'));
  return { heddle: version, node: output(node24, '--version').slice(1), gcc: output('gcc', '-dumpfullversion'), emcc: ensureEmcc().version, ...more, ...dependencies };
}

/** Tells on the terminal what is measured now, and about how long the rest takes. @param {number} total expected seconds of all */
function progress(total) {
  let done = 0;
  const begin = performance.now(), isTerminal = process.stderr.isTTY;
  return {
    now(text) {
      const pace = done > 10 ? (performance.now() - begin) / 1000 / done : 1, minutes = (total - done) * pace / 60;
      const line = `${text}; about ${minutes < 1 ? 'a minute' : `${Math.ceil(minutes)} min`} left`;
      process.stderr.write(isTerminal ? `\r\x1b[K${line}` : '');
    },
    did(seconds) { done += seconds; },
    line(text) { process.stderr.write(`${isTerminal ? '\r\x1b[K' : ''}${text}\n`); },
  };
}

/** Measures the columns of a work by turns: a failure is a column's own. @returns {Promise<import('./report.mjs').Measured[]>} */
async function measureWork(work, columns, bench, teller) {
  const measured = columns.map(({ key, title, beside }) => ({ key, title, ...beside && { beside }, samples: [], seconds: 0, load: 0 }));
  for (let pass = 0; pass < work.passes; pass++) {
    for (const [i, column] of columns.entries()) {
      const one = measured[i];
      if (column.once && pass > 0) continue;
      teller.now(`${work.group}: ${work.title}, ${column.title}`);
      const start = performance.now();
      try {
        if (!one.failed) {
          const result = await bench.measure(column);
          one.samples.push(...work.sample(result));
          for (const key of ['memory', 'growth']) if (result[key] !== undefined) one[key] = result[key];
        }
      } catch (error) {
        one.failed = String(error.message).split('\n')[0].slice(0, 300);
      }
      one.seconds += (performance.now() - start) / 1000;
      one.load = Math.max(one.load, load());
      teller.did(column.cost);
    }
  }
  return measured.map(({ samples, ...one }) => {
    try {
      return one.failed ? one : { ...one, ...statistics(samples), samples: samples.map((value) => Number(value.toPrecision(6))) };
    } catch (error) {
      return { ...one, failed: error.message };
    }
  });
}

function tell({ title, unit, columns, asked }) {
  const figures = columns.map((column) => `${column.title} ${column.failed ? `FAILED (${column.failed})` : figure(column.median)}`);
  return `${title}, ${unit}: ${figures.join('; ')}${asked.map(({ what, value, limit, met }) => `\n    ${met ? 'ok    ' : 'MISSED'} ${what}: ${figure(value)}, asked ${limit}`).join('')}`;
}

/** Sizes beside their limits, or why there are none. */
async function sizeReport() {
  try {
    const { LIMITS, sizes } = await import('./sizes.mjs');
    return { sizes: Object.fromEntries(Object.entries(await sizes()).map(([group, list]) => [group, Object.fromEntries(Object.entries(list).map(([name, found]) => [name, { ...found, limit: LIMITS[group][name] }]))])) };
  } catch (error) {
    return { sizesFailed: error.message };
  }
}

function save(report, out, begin) {
  report.machine.load.after = load();
  report.seconds = Math.round((performance.now() - begin) / 1000);
  writeFileSync(out, `${JSON.stringify(report, null, 1)}\n`);
  writeFileSync(out.replace(/\.json$/, '.md'), markdown(report));
}

/** @param {string[]} groups @param {{ quick: boolean, peers: boolean, out: string }} options @returns {Promise<boolean>} nothing failed */
async function measureAll(groups, { quick, peers, out }) {
  const { prepare } = await import('./runners.mjs'), begin = performance.now(); // its packages are there by now
  const chosen = (quick ? quickly(works) : works).filter(({ group }) => groups.includes(group));
  const bench = await prepare(chosen.flatMap(({ columns }) => columns), { quick, peers });
  bench.skipped.forEach((line) => say(`left out: ${line}`));
  const report = { format: 1, quick, date: new Date().toISOString().slice(0, 16).replace('T', ' '), commit: output('git', 'describe', '--always', '--dirty'), machine: machine(),
    versions: versions(bench.versions), skipped: bench.skipped, seconds: 0, works: [] };
  const kept = chosen.map((work) => ({ work, columns: work.columns.filter(bench.isThere) })).filter(({ columns }) => columns.length);
  const teller = progress(kept.reduce((sum, { work, columns }) => sum + columns.reduce((part, { cost, once }) => part + cost * (once ? 1 : work.passes), 0), 0));
  for (const { work, columns } of kept) {
    const measured = await measureWork(work, columns, bench, teller);
    addRatios(work, measured);
    const { id, group, title, unit, isRate, readme, cannot } = work, entry = { id, group, title, unit, isRate, readme, ...cannot && { cannot }, columns: measured, asked: quick ? [] : judge(work, measured) };
    report.works.push(entry);
    teller.line(tell(entry));
    save(report, out, begin); // what is there is kept, whatever comes
  }
  await bench.close();
  if (groups.includes('size')) Object.assign(report, await sizeReport());
  save(report, out, begin);
  const failed = report.works.flatMap(({ columns }) => columns).filter((column) => column.failed).length + (report.sizesFailed ? 1 : 0), missed = report.works.flatMap(({ asked }) => asked).filter(({ met }) => !met).length;
  console.log(`${out.replace(`${tree}/`, '')} and .md: ${report.works.length} works, ${failed} measurements failed${quick ? '' : `, ${missed} limits missed`}, ${(report.seconds / 60).toFixed(1)} minutes`);
  return failed === 0;
}

const readReport = (path) => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    return fail(`${path}: ${error.message}; make one: npm run bench`);
  }
};

function tellChanges(old) {
  const changes = compare(readReport(old), readReport(reportPath));
  for (const { title, before, after, ratio } of changes) console.log(`${ratio > 1 ? 'slower' : 'faster'}  ${title}: ${figure(before)} -> ${figure(after)} (${figure(ratio)} times the time)`);
  if (!changes.length) console.log('nothing became slower or faster beyond its spread');
  return !changes.some(({ ratio }) => ratio > 1);
}

function setUp(peers) {
  ensureTools();
  writeGenerated();
  ensureEmcc();
  for (const preset of ENGINES) buildPreset(preset, 'engine');
  if (peers) npmCi(here);
}

function publish() {
  const path = join(tree, 'README.md'), drawn = join(dirname(reportPath), 'curves');
  writeFileSync(path, intoReadme(readFileSync(path, 'utf8'), readReport(reportPath)));
  if (existsSync(drawn)) cpSync(drawn, join(tree, 'web', 'pictures', 'curves'), { recursive: true });
}

async function main() {
  let given;
  try {
    given = parseArgs({ allowPositionals: true, options: { peers: { type: 'boolean', default: true }, build: { type: 'boolean', default: true }, quick: { type: 'boolean', default: false }, readme: { type: 'boolean' }, compare: { type: 'string' },
      out: { type: 'string', default: reportPath } }, allowNegative: true });
  } catch (error) {
    fail(`${error.message}\n${USAGE}`);
  }
  const { values: { build, quick, readme, compare: old, out }, positionals } = given, groups = positionals.length ? positionals : GROUPS.filter((name) => name !== 'curves');
  const unknown = groups.find((name) => !GROUPS.includes(name)), peers = given.values.peers && !quick;
  if (unknown) fail(`unknown group "${unknown}"\n${USAGE}`);
  if (!out.endsWith('.json')) fail(`--out ${out}: expected a name that ends in .json`);
  if (old) {
    process.exitCode = tellChanges(old) ? 0 : 1;
  } else if (readme) {
    publish();
  } else {
    if (build && !quick) setUp(peers);
    mkdirSync(join(tree, 'build', 'bench'), { recursive: true });
    const isWhole = groups.some((name) => name !== 'curves') ? await measureAll(groups, { quick, peers, out }) : true;
    if (groups.includes('curves')) await (await import('./curves.mjs')).drawCurves({ quick, folder: join(dirname(out), 'curves') });
    if (!isWhole) process.exitCode = 1;
  }
}

process.once('SIGTERM', () => process.exit(143)); // else Playwright closes the browser alone, and what needs it fails to the end
try {
  await main();
} catch (error) {
  fail(error.stack);
}
