// The part that trains a network of one's own, on dropped pictures or the example's photographs.
import { HeddleError, info, init, listStore } from 'heddle';
import { resize } from 'heddle/images';
import { SuperResolver } from 'heddle/super-resolution';
import { lossChart } from 'heddle/vis';
import { isPicture, onChosen } from '../dropped.js';
import { byId, enable, onClick, put } from '../page.js';
import { duration, tell } from '../progress.js';
import { attempt, isIdle, onWork, progress, run } from '../work.js';
import { Controls } from './controls.js';
import { kinds } from './networks.js';
import { examples, readExample, readPicture } from './pictures.js';
import { Weights, stepsOf } from './weights.js';

/** @import { Found } from '../dropped.js' */

const decibels = (value) => `${value.toFixed(2)} dB`;
const [psnrChart, lossCurve] = await Promise.all([
  lossChart(byId('chart-psnr'), { metric: 'psnr', label: 'PSNR', legend: false, names: { validation: 'held back' }, y: { format: decibels, size: 62 } }),
  lossChart(byId('chart-loss'), { label: 'Loss', legend: false, y: { format: (value) => value.toPrecision(2), size: 62 } }),
]);
const kept = 'super-resolution', isModel = ({ path }) => /\.safetensors$/i.test(path);

export class Train {
  /** @type {Found[]} */
  #files = [];
  #controls = new Controls();
  #weights = new Weights(byId('weights'));
  #lastWeights = 0;
  /** @type {SuperResolver | null} the one that is saved */
  #resolver = null;

  /** @param {import('./networks.js').Networks} networks */
  constructor(networks) {
    this.networks = networks;
    for (const id of ['train-files', 'train-folder']) onChosen(id, (files) => attempt(() => this.take(files)));
    onChosen('model-file', ([found]) => { if (found) void this.#open(found.file); });
    const on = (id, work) => onClick(id, () => attempt(work));
    on('run', () => this.#train());
    on('forget', () => {
      this.#files = [];
      this.#refresh();
    });
    on('save-browser', () => this.#save(`indexeddb://${kept}`));
    on('save-file', () => this.#save(`download://${kept}.safetensors`));
    on('load-browser', () => this.#open(`indexeddb://${kept}`));
    on('load-file', () => byId('model-file').click());
    onWork(() => this.#refresh());
    networks.onChange(() => {
      this.#resolver = networks.newest;
      void attempt(() => this.#look(this.#resolver.model));
    });
    this.#refresh();
  }

  /** For requestAnimationFrame. */
  draw() {
    this.#weights.draw();
  }

  /** @param {Found[]} files pictures, or a network */
  async take(files) {
    const model = files.find(isModel), pictures = files.filter(isPicture), have = new Set(this.#files.map(({ path }) => path));
    if (model) return this.#open(model.file);
    if (pictures.length === 0) throw new HeddleError('file', `${files[0]?.path ?? 'This'} is no picture: expected JPEG, PNG, WebP, GIF, AVIF or BMP.`);
    this.#files.push(...pictures.filter(({ path }) => !have.has(path)));
    return this.#refresh();
  }

  /** Pictures one by one; those that can't be read are named. @param {boolean} isHalved @param {string[]} unread */
  async *#pictures(isHalved, unread) {
    const readers = this.#files.length ? this.#files.map(({ path, file }) => [path, () => readPicture(file, path)]) : Object.keys(examples).map((name) => [name, () => readExample(name)]);
    for (const [name, read] of readers) {
      const picture = await read().catch((error) => {
        if (error.code !== 'file' || !this.#files.length) throw error;
        unread.push(name);
        return null;
      });
      if (!picture) continue;
      const [height, width] = picture.shape.map((side) => Math.max(1, side >> 1));
      yield isHalved ? await resize(picture, { height, width, method: 'area' }) : { data: picture.data, shape: picture.shape };
    }
    if (unread.length === readers.length) throw new HeddleError('file', `None of the ${readers.length} files can be read as a picture.`);
  }

  async #train() {
    const { kind, isHalved, threads, options } = this.#controls.read(), unread = [], resolver = new SuperResolver();
    await run('Reading pictures', async (signal) => {
      if (info().threadsAsked !== threads) await init({ threads });
      for (const chart of [psnrChart, lossCurve]) chart.clear();
      psnrChart.compare(null);
      put('fact-bicubic', '–');
      try {
        await resolver.fit(this.#pictures(isHalved, unread), { ...options, signal, onProgress: (at) => this.#progress(at), onEpochEnd: (epoch, log, now) => this.#epoch(epoch, log, now) });
      } catch (error) {
        if (error.name === 'AbortError' && resolver.model) this.networks.adopt(resolver, 'stopped early');
        throw error;
      }
      this.networks.adopt(resolver, 'trained here');
      const { psnr } = resolver.report.epochs[resolver.report.bestEpoch];
      return `${kinds[kind].name} is trained: ${psnr.toFixed(2)} dB on what was held back, bicubic ${resolver.report.bicubic.toFixed(2)} dB${unread.length ? `; not readable: ${unread.join(', ')}` : ''}`;
    });
  }

  /** @param {import('heddle/super-resolution').FitProgress} at */
  #progress(at) {
    if (at.phase === 'pictures') {
      progress(0, `Read ${at.done} picture${at.done === 1 ? '' : 's'}`);
      return;
    }
    const { epoch, epochs, batch, batches, loss, secondsLeft } = at;
    put('fact-loss', loss.toPrecision(3));
    put('fact-left', secondsLeft === undefined ? '–' : duration(secondsLeft));
    progress((epoch + batch / batches) / epochs, `Epoch ${epoch + 1} of ${epochs}`);
  }

  /** @param {number} epoch @param {import('heddle/super-resolution').EpochReport} log @param {{ model: import('heddle').Model, bicubic: number | null }} now */
  async #epoch(epoch, { loss, psnr }, { model, bicubic }) {
    lossCurve.add(epoch, { loss });
    if (psnr !== undefined) psnrChart.add(epoch, { val_psnr: psnr });
    put('fact-epoch', String(epoch + 1));
    if (psnr !== undefined) put('fact-psnr', decibels(psnr));
    if (bicubic !== null) {
      put('fact-bicubic', decibels(bicubic));
      psnrChart.compare({ name: 'bicubic', value: bicubic });
    }
    if (performance.now() - this.#lastWeights < 400) return;
    await this.#look(model);
    this.#lastWeights = performance.now();
  }

  /** @param {import('heddle').Model} model */
  async #look(model) {
    const steps = stepsOf(model, await model.getWeights());
    byId('weights-empty').hidden = true;
    this.#weights.show(steps);
  }

  /** @param {string} target */
  async #save(target) {
    await this.#resolver.save(target);
    tell(target.startsWith('indexeddb') ? 'The network is kept in this browser' : 'The network has been downloaded');
    this.#refresh();
  }

  /** @param {string | File} from */
  #open(from) {
    return run('Opening the network', async () => {
      await this.networks.open(from);
      tell('The network is here: see the part Enlarge');
      return 'The network is here';
    });
  }

  #refresh() {
    const count = this.#files.length, resolver = this.#resolver;
    put('train-state', count === 0 ? `The example's ${Object.keys(examples).length} photographs, in the public domain.` : `${count} picture${count === 1 ? '' : 's'} of your own.`);
    byId('forget').hidden = count === 0;
    for (const id of ['run', 'load-file', 'forget']) enable(id, isIdle());
    for (const id of ['save-browser', 'save-file']) enable(id, isIdle() && resolver !== null);
    if (resolver) put('network-about', `${resolver.model.parameters.toLocaleString('en')} weights, enlarges by ${resolver.scale}. It is offered in the part Enlarge.`);
    this.#controls.lock(!isIdle());
    void this.#offerKept();
  }

  async #offerKept() {
    try {
      const has = (await listStore('indexeddb://')).some(({ name }) => name === kept);
      enable('load-browser', has && isIdle());
    } catch {
      for (const id of ['load-browser', 'save-browser']) enable(id, false); // some private windows have no IndexedDB
    }
  }
}
