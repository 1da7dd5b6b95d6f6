// What two data sets are mixed from: tables of features with ratings.
import { HeddleError } from 'heddle';
import { readCsv } from 'heddle/files';

/** Rows of features and their ratings. @typedef {{ name: string, features: string[], rows: number, x: Float32Array, y: Float32Array }} Table */

const fewest = 10;

/** The mean of 6 numbers 0..1 is nearly normal. @param {() => number} random */
const normal = (random) => 2.45 * (Array.from({ length: 6 }, random).reduce((a, b) => a + b) - 3) / 1.732;

/** Two laboratories that saw pictures of one kind: features that tell of a hidden quality, rated in five steps here and in per cent there.
 * @returns {Table[]} */
export function exampleTables() {
  let state = 20200;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0; // a linear congruence suffices
    return state / 2 ** 32;
  };
  const features = ['sharpness', 'noise', 'blocking', 'contrast', 'colour', 'exposure'], weights = [0.7, -0.6, -0.5, 0.4, 0.2, 0.3];
  const scales = [
    { name: 'five-step ratings', rate: (q) => Math.min(5, Math.max(1, 3 + 1.6 * Math.tanh(q) + 0.12 * normal(random))) },
    { name: 'percent ratings', rate: (q) => Math.min(100, 12 * Math.exp(0.75 * q) + 2 * normal(random) + 8) },
  ];
  return scales.map(({ name, rate }) => {
    const rows = 240, x = Float32Array.from({ length: rows * features.length }, () => normal(random));
    const y = Float32Array.from({ length: rows }, (_, i) => rate(weights.reduce((sum, w, k) => sum + w * x[i * features.length + k], 0)));
    return { name, features, rows, x, y };
  });
}

/** @param {File} file @returns {Promise<Table>} */
export async function readTable(file) {
  const refuse = (message) => { throw new HeddleError('file', `${file.name}: ${message}`); };
  const { names, columns, rows } = await readCsv(await file.arrayBuffer()).catch((cause) => {
    throw new HeddleError(cause.code ?? 'file', `${file.name} can't be read. ${cause.message}`, { cause });
  });
  if (columns.length < 2) refuse(`it has ${columns.length} column, expected features and a rating as the last one.`);
  if (rows < fewest) refuse(`it has ${rows} rows, expected ${fewest} at least.`);
  const last = columns.length - 1, wordsIn = columns.findIndex((column) => !Array.from(column).every((value) => Number.isFinite(value)));
  if (wordsIn >= 0) refuse(`the column "${names[wordsIn]}" is not all numbers.`);
  const y = Float32Array.from(columns[last]), x = new Float32Array(rows * last);
  if (y.every((value) => value === y[0])) refuse(`all ratings ("${names[last]}") are ${y[0]}.`);
  for (let k = 0; k < last; k++) columns[k].forEach((value, row) => { x[row * last + k] = value; });
  return { name: file.name, features: names.slice(0, last), rows, x, y };
}

/** Both sets' features with mean 0 and deviation 1 over the rows of both. @param {Table[]} tables @returns {Table[]} */
export function standardized(tables) {
  const size = tables[0].features.length, all = tables.flatMap(({ x, rows }) => Array.from({ length: rows }, (_, i) => x.subarray(i * size, (i + 1) * size)));
  const of = (k, value) => all.reduce((sum, row) => sum + value(row[k]), 0) / all.length, columns = Array.from({ length: size }, (_, k) => k);
  const means = columns.map((k) => of(k, (v) => v)), deviations = columns.map((k) => Math.sqrt(of(k, (v) => (v - means[k]) ** 2)) || 1);
  return tables.map((table) => ({ ...table, x: table.x.map((v, i) => (v - means[i % size]) / deviations[i % size]) }));
}
