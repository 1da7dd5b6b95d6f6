// npm run bench -- curves: what training and closed-form fits cost, in time and memory, against batch, width, depth, rows, features and threads, as SVG in build/bench/curves/.
// Dashed: predicted from two rates alone, multiplications a second and bytes of weights a second, both measured here (see `rates`).
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { curves } from '../../examples/curve.js';
import { say } from '../common.mjs';
import { measureInNode } from './runners.mjs';
import { statistics } from './report.mjs';

const FAMILIES = { dense: { title: 'dense', width: 256 }, conv: { title: '3x3 conv', width: 32 }, bilinear: { title: 'bilinear', width: 32 } };
const BASE = { batch: 64, depth: 2, threads: 1 };
const powers = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => 2 ** (from + i));

/** What is varied: its name on the axis, and its values for a kind of layer. */
const VARIED = {
  batch: { label: 'batch (rows)', values: () => powers(0, 9) },
  width: { label: 'width (units, channels, rows of the matrix)', values: (family) => ({ dense: powers(5, 11), conv: powers(2, 7), bilinear: powers(3, 7) })[family] },
  depth: { label: 'depth (layers)', values: () => powers(0, 4) },
  threads: { label: 'threads', values: () => Array.from({ length: Math.min(availableParallelism(), 8) }, (_, i) => i + 1) },
};

const MICROSECONDS = { label: 'microseconds a sample, least of nine', log: 10 }, MEGABYTES = { label: 'memory of the engine beside the data, MB, peak', log: 10 };

/** Least ms of a point's rounds, and the rest of its result: of a short work the least says what it costs, the others what else ran. @param {any} given @param {boolean} quick */
async function point(given, quick) {
  const result = await measureInNode({ module: 'works/cost.mjs', given: { engine: 'heddle-mt-relaxed', threads: 1, ...given }, rounds: quick ? 1 : 9, seconds: quick ? 0 : 0.4 });
  return { ...result, ms: statistics(result.ms).min };
}

/** Multiplications with a sample take 3 times the forward ones in a step of training; Adam reads and writes weights, gradients and moments, and so do both passes: about 10 times 4 bytes a weight.
 * The rates: of a dense layer with so large a batch that weights do not count, and with a batch of one. @param {boolean} quick */
async function rates(quick) {
  const width = quick ? 64 : 1024, layer = { kind: 'training', family: 'dense', width, depth: 1 }, large = await point({ ...layer, batch: 512 }, quick), small = await point({ ...layer, batch: 1 }, quick);
  const products = 3 * large.products / large.ms, bytes = 40 * small.weights / Math.max(small.ms - 3 * small.products / products, 1e-6); // a millisecond
  return { products, bytes };
}

const predicted = ({ products, weights }, batch, rate) => 1000 * (3 * products / rate.products + 40 * weights / rate.bytes / batch);

/** Two charts, of time and of memory, against one of VARIED. */
async function trainingCharts(name, rate, quick) {
  const { label, values } = VARIED[name], times = [], memory = [];
  for (const [family, { title, width }] of Object.entries(FAMILIES)) {
    const points = [];
    for (const value of values(family)) {
      if (quick && value > values(family)[1]) break;
      const given = { kind: 'training', family, width, ...BASE, [name]: value };
      points.push({ value, given, result: await point(given, quick) });
    }
    const ideal = ({ value, given, result }) => (name === 'threads' ? 1000 * points[0].result.ms / value : predicted(result, given.batch, rate));
    times.push({ name: title, points: points.map(({ value, result }) => [value, 1000 * result.ms]) }, { name: '', dashed: true, points: points.map((one) => [one.value, ideal(one)]) });
    memory.push({ name: title, points: points.map(({ value, result }) => [value, result.own / 1e6]) });
  }
  const x = { label, log: 2 }, dashes = name === 'threads' ? 'as many times faster' : 'predicted';
  const time = [`${name}-time`, curves({ title: `A training step against ${name} (dashed: ${dashes})`, x, y: MICROSECONDS, series: times })];
  return name === 'threads' ? [time] : [time, [`${name}-memory`, curves({ title: `Memory of training against ${name}`, x, y: MEGABYTES, series: memory })]];
}

async function rowsChart(quick) {
  const series = [];
  for (const [title, isFloat] of [['numbers', true], ['bytes', false]]) {
    const points = [];
    for (const rows of quick ? [256, 512] : powers(8, 16)) points.push([rows, (await point({ kind: 'data', rows, isFloat }, true)).own / 1e6]);
    series.push({ name: title, points }, { name: '', dashed: true, points: points.map(([rows]) => [rows, rows * 784 * (isFloat ? 4 : 1) / 1e6]) });
  }
  return ['rows-memory', curves({ title: 'Memory of a fit against rows of 784 pixels (dashed: the rows alone)', x: { label: 'rows', log: 2 }, y: { label: 'memory of the engine, MB, peak', log: 10 }, series })];
}

/** Ridge regression against rows or features, with the other one fixed. */
async function closedCharts(name, label, values, fixed, rate, quick) {
  const points = [];
  for (const value of quick ? values.slice(0, 2) : values) points.push([value, await point({ kind: 'closed', ...fixed, [name]: value }, quick)]);
  const time = [{ name: 'ridge', points: points.map(([value, { ms }]) => [value, ms]) }, { name: 'predicted', dashed: true, points: points.map(([value, { products }]) => [value, products / rate.products]) }];
  const [[other, count]] = Object.entries(fixed), x = { label, log: 2 };
  return [[`ridge-${name}-time`, curves({ title: `Ridge regression, ${count.toLocaleString('en')} ${other}`, x, y: { label: 'milliseconds, least of nine', log: 10 }, series: time })],
    [`ridge-${name}-memory`, curves({ title: `Memory of ridge regression, ${count.toLocaleString('en')} ${other}`, x, y: { label: 'memory of the engine, MB, peak', log: 10 },
      series: [{ name: 'ridge', points: points.map(([value, { own }]) => [value, own / 1e6]) }] })]];
}

/** Writes all charts. @param {{ quick: boolean, folder: string }} options quick: two points of each line */
export async function drawCurves({ quick, folder }) {
  const begin = performance.now(), rate = await rates(quick);
  mkdirSync(folder, { recursive: true });
  say(`rates: ${(2 * rate.products / 1e6).toFixed(1)} GFLOP/s, ${(rate.bytes / 1e6).toFixed(1)} GB/s`);
  const makers = [...Object.keys(VARIED).map((name) => () => trainingCharts(name, rate, quick)), async () => [await rowsChart(quick)],
    () => closedCharts('rows', 'rows', powers(9, 16), { features: 256 }, rate, quick), () => closedCharts('features', 'features', powers(6, 11), { rows: 4096 }, rate, quick)];
  for (const make of makers) {
    for (const [name, svg] of await make()) {
      writeFileSync(join(folder, `${name}.svg`), svg);
      say(`${name}.svg`);
    }
  }
  say(`curves in ${folder}: ${((performance.now() - begin) / 1000).toFixed(0)} s`);
}
