// The part that mixes: two data sets with scales of their own, one quality for both.
import { HeddleError } from 'heddle';
import { certificate, mixedDatasetModel, srocc } from 'heddle/quality';
import { extent } from 'heddle/vis';
import { isPicture, onChosen } from '../dropped.js';
import { byId, enable, onClick, put } from '../page.js';
import { attempt, isIdle, onWork, progress, run } from '../work.js';
import { makeMixChart } from './charts.js';
import { judge, onJudge } from './judge.js';
import { newJudge } from './losses.js';
import { PictureSets, exampleSets, tableOf } from './picture_sets.js';
import { exampleTables, readTable, standardized } from './tables.js';

/** @import { Table } from './tables.js' */

const showMix = await makeMixChart(byId('chart-mix'));

export class Mix {
  /** @type {(Table | null)[]} */
  #own = [null, null];
  #pictures = new PictureSets();
  #model = null;

  /** @param {import('./train.js').Train} train whose pictures, ratings and settings can be taken */
  constructor(train) {
    this.train = train;
    for (const [which, id] of ['mix-first', 'mix-second'].entries()) onChosen(id, ([found]) => { if (found) void attempt(() => this.#take(found.file, which)); });
    for (const which of [0, 1]) {
      for (const kind of ['files', 'folder']) onChosen(`mix-${kind}-${which}`, (files) => attempt(() => this.#takePictures(files, which)));
      onClick(`mix-train-${which}`, () => attempt(() => {
        this.#pictures.adopt(train.rated(), which);
        this.#refresh();
      }));
    }
    byId('mix-source').addEventListener('change', () => this.#refresh());
    byId('mix-settings').addEventListener('submit', (event) => event.preventDefault());
    onClick('mix-run', () => attempt(() => this.#fit()));
    onWork(() => this.#refresh());
    onJudge(() => this.#refresh());
    this.#refresh();
  }

  /** @param {import('../dropped.js').Found[]} files tables, in order, or pictures with their ratings */
  async take(files) {
    if (byId('mix-source').value === 'pictures' || files.some(isPicture)) return this.#takePictures(files);
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

  /** @param {import('../dropped.js').Found[]} files @param {number} [which] */
  async #takePictures(files, which) {
    await this.#pictures.take(files, which);
    byId('mix-source').value = 'pictures';
    this.#refresh();
  }

  #refresh() {
    const source = byId('mix-source').value, tell = (table) => (table ? `${table.name}: ${table.rows.toLocaleString('en')} rows, ${table.features.length} features` : 'not chosen');
    byId('mix-drop').hidden = source !== 'own';
    byId('mix-pictures').hidden = source !== 'pictures';
    byId('mix-eyes').hidden = !source.endsWith('pictures');
    put('mix-state', `First: ${tell(this.#own[0])}. Second: ${tell(this.#own[1])}.`);
    for (const which of [0, 1]) put(`mix-state-${which}`, this.#pictures.describe(which));
    byId('mix-seen').options[1].disabled = judge() === null;
    enable('mix-run', isIdle());
  }

  /** @param {string} source @param {AbortSignal} signal @returns {Promise<Table[]>} */
  async #tables(source, signal) {
    if (source === 'example') return exampleTables();
    if (source.endsWith('pictures')) return this.#pictureTables(source, signal);
    const [first, second] = this.#own;
    if (!first || !second) throw new HeddleError('state', 'Choose both tables first.');
    if (first.features.join('\n') !== second.features.join('\n')) {
      throw new HeddleError('file', `The tables differ in their features: ${first.name} has ${first.features.join(', ')}; ${second.name} has ${second.features.join(', ')}.`);
    }
    return [first, second];
  }

  /** Features of both sets' pictures, by the judge in use or the network of the settings. @param {string} source @param {AbortSignal} signal */
  async #pictureTables(source, signal) {
    const own = source === 'pictures' ? this.#pictures.sets() : null, isJudge = byId('mix-seen').value === 'judge' && judge() !== null;
    const eyes = isJudge ? judge().model : await newJudge(this.train.settings()), making = (part) => progress(part / 4, 'Making example pictures');
    try {
      const sets = own ?? await exampleSets(Math.min(224, ...eyes.preprocessing.size), signal, making);
      const count = sets[0].pictures.length + sets[1].pictures.length, tables = [];
      for (const [i, set] of sets.entries()) {
        const before = i ? sets[0].pictures.length : 0;
        tables.push(await tableOf(eyes, set, signal, (done) => progress(0.5 * (before + done) / count, `Looking at picture ${before + done} of ${count}`)));
      }
      return tables;
    } finally {
      if (!isJudge) eyes.dispose();
    }
  }

  async #fit() {
    const source = byId('mix-source').value, field = byId('mix-epochs'), epochs = Number(field.value);
    if (!field.checkValidity()) throw new HeddleError('argument', `Epochs: expected a whole number from 1 to ${field.max}, got ${field.value || 'nothing'}.`);
    await run('Fitting both', async (signal) => {
      const tables = standardized(await this.#tables(source, signal)), features = tables[0].features.length, sets = tables.map(({ x, y, rows }) => ({ x: { data: x, shape: [rows, features] }, y }));
      const model = mixedDatasetModel({ hidden: [64, 32], activation: 'mixed', seed: 7 }); // ELU alone makes convex curves only
      try {
        await model.fit(sets, {
          epochs, learningRate: 1e-2, signal, onEpochEnd: (epoch) => progress(0.5 + 0.5 * (epoch + 1) / epochs, `Epoch ${epoch + 1} of ${epochs}`),
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
    showMix({ points, curves }, `Ratings over the common quality. ${words.join('; ')}.`);
    const unread = tables.flatMap((table) => table.unread ?? []);
    put('mix-text', `${words.join('; ')} for each step of 1 in quality.${unread.length ? ` Not readable: ${unread.join(', ')}.` : ''}`);
    return 'Both sets are fitted';
  }
}
