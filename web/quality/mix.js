// The part that mixes: two data sets with scales of their own, one quality for both.
import { HeddleError } from 'heddle';
import { readCsv } from 'heddle/files';
import { certificate, mixedDatasetModel, srocc } from 'heddle/quality';
import { extent } from '../heatmap.js';
import { byId, enable, onClick, put } from '../page.js';
import { MixChart } from './charts.js';
import { attempt, isIdle, onWork, progress, run } from './work.js';

/** Rows of features and their ratings. @typedef {{ name: string, features: string[], rows: number, x: Float32Array, y: Float32Array }} Table */

const fewest = 10;

/** The mean of 6 numbers 0..1 is nearly normal. @param {() => number} random */
const normal = (random) => 2.45 * (Array.from({ length: 6 }, random).reduce((a, b) => a + b) - 3) / 1.732;

/** Two laboratories that saw pictures of one kind: features that tell of a hidden quality, rated in five steps here and in per cent there.
 * @returns {Table[]} */
function example() {
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
async function readTable(file) {
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

export class Mix {
  /** @type {(Table | null)[]} */
  #own = [null, null];
  #chart = new MixChart(byId('chart-mix'));
  #model = null;

  constructor() {
    ['mix-first', 'mix-second'].forEach((id, which) => byId(id).addEventListener('change', ({ target }) => {
      const [file] = target.files;
      target.value = '';
      if (file) void attempt(() => this.#take(file, which));
    }));
    byId('mix-source').addEventListener('change', () => this.#refresh());
    byId('mix-settings').addEventListener('submit', (event) => event.preventDefault());
    onClick('mix-run', () => attempt(() => this.#fit()));
    onWork(() => this.#refresh());
    this.#refresh();
  }

  /** @param {import('../dropped.js').Found[]} files tables, in order */
  async take(files) {
    const tables = files.filter(({ path }) => /\.(csv|tsv|txt)$/i.test(path));
    if (tables.length === 0) throw new HeddleError('file', `${files[0]?.path ?? 'This'} is no table: expected CSV files.`);
    const first = tables.length > 1 || !this.#own[0] ? 0 : 1;
    for (const [i, { file }] of tables.slice(0, 2).entries()) await this.#take(file, first + i);
  }

  /** @param {File} file @param {number} which */
  async #take(file, which) {
    this.#own[which] = await readTable(file);
    byId('mix-source').value = 'own';
    this.#refresh();
  }

  #refresh() {
    const isOwn = byId('mix-source').value === 'own', tell = (table) => (table ? `${table.name}: ${table.rows.toLocaleString('en')} rows, ${table.features.length} features` : 'not chosen');
    byId('mix-drop').hidden = !isOwn;
    put('mix-state', `First: ${tell(this.#own[0])}. Second: ${tell(this.#own[1])}.`);
    enable('mix-run', isIdle());
  }

  /** @returns {Table[]} */
  #tables() {
    if (byId('mix-source').value === 'example') return example();
    const [first, second] = this.#own;
    if (!first || !second) throw new HeddleError('state', 'Choose both tables first.');
    if (first.features.join('\n') !== second.features.join('\n')) {
      throw new HeddleError('file', `The tables differ in their features: ${first.name} has ${first.features.join(', ')}; ${second.name} has ${second.features.join(', ')}.`);
    }
    return [first, second];
  }

  async #fit() {
    const tables = this.#tables(), field = byId('mix-epochs'), epochs = Number(field.value);
    if (!field.checkValidity()) throw new HeddleError('argument', `Epochs: expected a whole number from 1 to ${field.max}, got ${field.value || 'nothing'}.`);
    await run('Fitting both', async (signal) => {
      const features = tables[0].features.length, sets = tables.map(({ x, y, rows }) => ({ x: { data: x, shape: [rows, features] }, y }));
      const model = mixedDatasetModel({ hidden: [64, 32], activation: 'mixed', seed: 7 }); // ELU alone makes convex curves only
      try {
        await model.fit(sets, {
          epochs, learningRate: 1e-2, signal, onEpochEnd: (epoch) => progress((epoch + 1) / epochs, `Epoch ${epoch + 1} of ${epochs}`),
        });
      } catch (error) {
        model.dispose();
        throw error;
      }
      this.#model?.dispose();
      this.#model = model;
      return this.#show(tables, sets);
    });
  }

  /** Each set's ratings and curve over the common quality. @param {Table[]} tables @param {{ x: object, y: Float32Array }[]} sets */
  async #show(tables, sets) {
    const qualities = await Promise.all(sets.map(async ({ x }) => (await this.#model.predict(x)).data)), words = [], curves = [];
    const [low, high] = extent(qualities.flatMap((list) => Array.from(list)));
    const grid = Float32Array.from({ length: 121 }, (_, i) => low + (high - low) * i / 120);
    for (const [k, { y }] of sets.entries()) {
      const transformer = await this.#model.transformer(k), { data } = await transformer.predict(grid), { minimum } = await certificate(transformer, { min: low, max: high, points: 1000 });
      curves.push(Array.from(data, (rating, i) => [grid[i], rating]));
      words.push(`${tables[k].name}: SROCC ${(await srocc(qualities[k], y)).toFixed(3)}, the curve rises by ${minimum.toPrecision(2)} at least`);
      put(`mix-name-${k}`, tables[k].name);
    }
    const points = qualities.map((quality, k) => Array.from(quality, (q, i) => [q, sets[k].y[i]]));
    this.#chart.show({ points, curves }, `Ratings over the common quality. ${words.join('; ')}.`);
    put('mix-text', `${words.join('; ')} for each step of 1 in quality.`);
    return 'Both sets are fitted';
  }
}
