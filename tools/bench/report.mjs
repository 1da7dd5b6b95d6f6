// From samples to what is read: statistics, what was asked, ratios, Markdown, the README's table, and what became slower since another report.
import { OTHERS, PLACES, SCRIPTS, inPage } from './catalog.mjs';

/** @typedef {{ key: string, title: string, beside?: string, samples?: number[], median?: number, min?: number, max?: number, q1?: number, q3?: number, rounds?: number, ratio?: number, memory?: any, growth?: number,
 *   failed?: string, seconds: number, load: number }} Measured
 * @typedef {{ id: string, group: string, title: string, unit: string, isRate: boolean, readme: boolean, cannot?: Record<string, string>, columns: Measured[], asked: { what: string, value: number, limit: string, met: boolean }[] }} Entry
 * @typedef {{ format: 1, quick: boolean, date: string, commit: string, machine: Record<string, any>, versions: Record<string, string>, skipped: string[], seconds: number, works: Entry[],
 *   sizes?: Record<string, Record<string, { size: number, later: number, limit: number }>>, sizesFailed?: string }} Report */

/** Not heddle's. @param {string} key of a column */
const isOther = (key) => !key.startsWith('gcc') && key.replace(/2$|@.*$/, '') in OTHERS;

/** The value below which a part of the sorted values lies, between neighbours by proportion. @param {number[]} sorted @param {number} part */
function quantile(sorted, part) {
  const at = part * (sorted.length - 1), below = Math.floor(at), above = Math.ceil(at);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

/** @param {number[]} samples */
export function statistics(samples) {
  const sorted = [...samples].sort((a, b) => a - b);
  if (!sorted.length || !sorted.every(Number.isFinite)) throw new Error(`no figures: ${samples.slice(0, 5)}`);
  return { median: quantile(sorted, 0.5), min: sorted[0], max: sorted.at(-1), q1: quantile(sorted, 0.25), q3: quantile(sorted, 0.75), rounds: sorted.length };
}

/** Three or four digits; thousands with commas. */
export const figure = (value) => (Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3))));

/** How many times the time of the first column another one takes, or of the column that it is put beside. @param {import('./catalog.mjs').Work} work @param {Measured[]} columns */
export function addRatios({ isRate }, columns) {
  for (const column of columns.slice(1)) {
    const own = (column.beside ? columns.find(({ key }) => key === column.beside) : columns[0])?.median;
    if (own > 0 && column.median > 0) column.ratio = isRate ? own / column.median : column.median / own;
  }
}

/** What is asked of a work, beside what is. @param {import('./catalog.mjs').Work} work @param {Measured[]} columns */
export function judge({ asked, unit, isRate }, columns) {
  const at = (key) => columns.find((column) => column.key === key && column.median !== undefined);
  const value = (of) => {
    if (of === 'speedup') return at('node1') && at('node2') ? (isRate ? at('node2').median / at('node1').median : at('node1').median / at('node2').median) : undefined;
    return of === 'growth' ? columns[0].growth : at(of)?.median;
  };
  return asked.flatMap(({ of, most, least, unit: own = of === 'speedup' ? 'x' : unit }) => {
    const found = value(of), limit = typeof most === 'string' ? at(most)?.median : most ?? least;
    if (found === undefined || limit === undefined) return [];
    const what = of === 'speedup' ? 'two threads over one' : of === 'growth' ? 'memory grown since epoch 2' : columns.find(({ key }) => key === of).title;
    return [{ what, value: found, limit: `${least === undefined ? '<=' : '>='} ${figure(limit)} ${own}`.trim(), met: least === undefined ? found <= limit : found >= limit }];
  });
}

const cell = (column) => {
  if (!column) return '-';
  if (column.failed) return 'failed';
  const spread = column.rounds > 1 ? ` [${figure(column.q1)}, ${figure(column.q3)}]` : '';
  return `${figure(column.median)}${spread}${column.ratio === undefined ? '' : ` ${figure(column.ratio)}x`}`;
};

/** @param {string[]} head @param {string[][]} rows */
export const table = (head, rows) => [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

/** @param {Entry[]} works of a group @param {(key: string) => boolean} isColumn */
function groupTable(works, isColumn) {
  const keys = [...new Map(works.flatMap(({ columns }) => columns.map(({ key, title }) => [key, title])))].filter(([key]) => isColumn(key));
  return table(['work', 'unit', ...keys.map(([, title]) => title)], works.map(({ title, unit, columns }) => [title, unit || '-', ...keys.map(([key]) => cell(columns.find((one) => one.key === key)))]));
}

const others = Object.keys(SCRIPTS), isInPage = (key) => key.includes('@'), hasPeersInPages = ({ columns }) => columns.some(({ key }) => isInPage(key));

/** All of a group; what others do in pages beside heddle there in a table of its own. @param {Entry[]} works */
function groupTables(works) {
  const beside = works.filter(hasPeersInPages), all = groupTable(works, (key) => !isInPage(key));
  return beside.length ? `${all}\n\nIn Chromium, beside others:\n\n${groupTable(beside, (key) => isInPage(key) || PLACES[key]?.where === 'chromium')}` : all;
}

const machineLine = ({ cpu, cores, mhz, memory, os, load }) => `${cpu}, ${cores} cores${mhz ? ` at ${mhz} MHz` : ''}, ${memory} GiB, ${os}; load average ${load.before} before, ${load.after} after`;

/** @param {Report} report */
export function markdown(report) {
  const { works, machine, versions, skipped, sizes } = report, groups = [...new Set(works.map(({ group }) => group))];
  const asked = works.flatMap(({ title, asked: list }) => list.map(({ what, value, limit, met }) => [title, what, figure(value), limit, met ? 'yes' : '**no**']));
  const cannot = works.flatMap(({ title, cannot: list = {} }) => Object.entries(list).map(([key, why]) => `- ${title}, ${OTHERS[key]}: ${why}`));
  const failed = works.flatMap(({ title, columns }) => columns.filter((column) => column.failed).map((column) => `- ${title}, ${column.title}: ${column.failed}`)).concat(report.sizesFailed ? [`- sizes: ${report.sizesFailed}`] : []);
  const sections = groups.map((group) => `## ${group}\n\n${groupTables(works.filter((one) => one.group === group))}`);
  return [
    `# heddle: benchmark of ${report.date}${report.quick ? ' (a smoke run: small sizes, one round; figures mean nothing)' : ''}`,
    `${machineLine(machine)}. Commit ${report.commit}; ${Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', ')}. ${Math.round(report.seconds / 60)} minutes.`,
    'Medians with quartiles; `2.5x`: so many times the time of the first column; of others and natively: of heddle with as many threads. Float32, one thread unless said; all columns of a line were measured within the same minutes.',
    ...skipped.map((line) => `Left out: ${line}.`),
    ...(failed.length ? [`## Failed\n\n${failed.join('\n')}`] : []),
    ...(asked.length ? [`## Asked\n\n${table(['work', 'of', 'is', 'asked', 'met'], asked)}`] : []),
    ...sections,
    ...(cannot.length ? [`## What others cannot do\n\n${cannot.join('\n')}\n- all in Chromium, ${OTHERS.tfjs}: one thread; of its threads, which it starts, it uses none (tensorflow/tfjs, issue 8513)`] : []),
    ...(sizes ? [`## sizes, KiB of gzip\n\n${table(['part', 'is', 'on demand', 'at most'], Object.values(sizes).flatMap((list) => Object.entries(list).map(([name, { size, later, limit }]) => [name, size.toFixed(1), later.toFixed(1), String(limit)])))}`] : []),
  ].join('\n\n').concat('\n');
}

const at = (columns, key) => columns.find((column) => column.key === key && column.median !== undefined), value = (column) => (column ? figure(column.median) : '-');
/** Of one and of two threads. @param {Measured[]} columns @param {string} one @param {string} two */
const pair = (columns, one, two) => (at(columns, one) ? `${value(at(columns, one))}${at(columns, two) ? ` / ${value(at(columns, two))}` : ''}` : '-');

/** What others do in a page, or why not, beside heddle there; '' where none was measured. @param {Entry[]} works */
function besideInChromium(works) {
  const rows = works.filter((one) => one.readme && hasPeersInPages(one)).map(({ title, unit, columns, cannot = {} }) => [`${title}, ${unit}`, pair(columns, 'chromium1', 'chromium2'), ...others.map((key) => {
    const found = pair(columns, ...['chromium1', 'chromium2'].map((place) => inPage(key, place)));
    return found === '-' && key in cannot ? cannot[key] : found;
  })]);
  return rows.length ? table(['work', 'heddle', ...others.map((key) => OTHERS[key])], rows) : '';
}

/** The README's table: one line for each work that a reader asks for. @param {Report} report */
export function readmeTable({ works, machine, versions, date }) {
  const rows = works.filter(({ readme }) => readme).map(({ title, unit, columns }) => {
    const scripts = columns.filter((column) => others.includes(column.key) && column.median !== undefined).sort((a, b) => a.ratio - b.ratio)[0];
    const native = ['torch', 'numpy'].filter((key) => at(columns, key)).map((key) => `${pair(columns, key, `${key}2`)} (${OTHERS[key]})`).join(', ');
    if (at(columns, 'page-cold')) return [`${title}, ${unit}: cold / from the cache`, '-', pair(columns, 'page-cold', 'page-warm'), '-', '-'];
    return [`${title}, ${unit}`, pair(columns, 'node1', 'node2'), pair(columns, 'chromium1', 'chromium2'), scripts ? `${value(scripts)} (${OTHERS[scripts.key]})` : '-', native || '-'];
  });
  const names = ['node', 'chromium', 'numpy', 'torch', '@tensorflow/tfjs', '@jax-js/jax', 'onnxruntime-web'].filter((name) => versions[name]).map((name) => `${name} ${versions[name]}`);
  const beside = besideInChromium(works);
  return `${table(['work (float32 unless said)', 'Node, 1 / 2 threads', 'Chromium, 1 / 2 threads', 'best other in Node, 1 thread', 'native, 1 / 2 threads'], rows)}\n${beside && `
In Chromium beside others, with 1 / 2 threads where they have two (-: not measured):

${beside}\n`}
Medians of ${date}, ${machine.cpu}, ${machine.cores} cores; ${names.join(', ')}.`;
}

/** README with the table between its marks. @param {string} readme @param {Report} report */
export function intoReadme(readme, report) {
  if (report.quick) throw new Error('the last run was a smoke run (--quick): its figures mean nothing');
  const marks = /(<!-- bench: begin -->\n)[\s\S]*?(<!-- bench: end -->)/;
  if (!marks.test(readme)) throw new Error('README.md has no place for the table: <!-- bench: begin --> and <!-- bench: end -->, a line each');
  return readme.replace(marks, (_, start, end) => `${start}${readmeTable(report)}\n${end}`);
}

/** What of heddle's own became slower, or faster, beyond the spread of both runs: the quartiles lie apart, and the medians by more than 3 %; by 15 % where one or two rounds know no spread.
 * @param {Report} before @param {Report} after @returns {{ title: string, before: number, after: number, ratio: number }[]} ratio of times, above 1: slower; largest first */
export function compare(before, after) {
  const found = [];
  for (const { id, title, isRate, columns } of after.works) {
    for (const now of columns) {
      const old = before.works.find((work) => work.id === id)?.columns.find(({ key }) => key === now.key);
      if (old?.median === undefined || now.median === undefined || isOther(now.key)) continue;
      const ratio = isRate ? old.median / now.median : now.median / old.median, isApart = now.q1 > old.q3 || now.q3 < old.q1;
      if (isApart && Math.abs(ratio - 1) > (Math.min(old.rounds, now.rounds) < 3 ? 0.15 : 0.03)) found.push({ title: `${title}, ${now.title}`, before: old.median, after: now.median, ratio });
    }
  }
  return found.sort((a, b) => b.ratio - a.ratio);
}
