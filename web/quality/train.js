// The part that trains: one judge, or one with each loss, side by side.
import { info, init, listStore } from 'heddle';
import { onChosen } from '../dropped.js';
import { byId, element, enable, onClick, put } from '../page.js';
import { tell } from '../progress.js';
import { attempt, isIdle, onWork, progress, run } from '../work.js';
import { Race, makeScatter } from './charts.js';
import { Controls } from './controls.js';
import { examplePictures } from './example.js';
import { adopt, judge, onJudge, open } from './judge.js';
import { contestants, examine, partsOf, trainJudge } from './losses.js';
import { OwnPictures } from './own.js';
import { Rating } from './rating.js';

const kept = 'quality', isTrunk = ({ path }) => /\.safetensors$/i.test(path), round = (value) => (Number.isFinite(value) ? value.toFixed(3) : '–');

const race = await Race.make(contestants), drawScatter = await makeScatter(byId('chart-scatter'));

export class Train {
  #own = new OwnPictures();
  #rating = new Rating(this.#own, () => this.#refresh());
  #controls = new Controls(() => this.#showSource());
  /** The example's pictures, for their settings. */
  #example = { key: '', set: null };

  constructor() {
    for (const id of ['train-files', 'train-folder']) onChosen(id, (files) => attempt(() => this.take(files)));
    onChosen('model-file', ([found]) => { if (found) void this.#open(found.file); });
    const on = (id, work) => onClick(id, () => attempt(work));
    on('run', () => this.#train(contestants.filter(({ id }) => id === this.#controls.read().loss)));
    on('race', () => this.#train(contestants));
    on('save-browser', () => this.#save(`indexeddb://${kept}`));
    on('save-file', () => this.#save(`download://${kept}.safetensors`));
    on('load-browser', () => this.#open(`indexeddb://${kept}`));
    on('load-file', () => byId('model-file').click());
    onWork(() => this.#refresh());
    onJudge(() => {
      put('judge-about', `In use: ${judge().about}.`);
      this.#refresh();
    });
    this.#showRuns();
    this.#showSource();
  }

  /** @param {import('../dropped.js').Found[]} files pictures, ratings, weights of the trunk */
  async take(files) {
    const trunk = files.find(isTrunk), rest = files.filter((found) => !isTrunk(found));
    if (trunk) {
      this.#controls.takeTrunk(trunk.file);
      tell(`${trunk.path} is there: choose the network that it is for`);
    }
    if (rest.length === 0) return;
    await this.#own.take(rest);
    this.#controls.chooseSource('own');
    this.#showSource();
  }

  #showSource() {
    put('train-state', this.#own.describe());
    if (this.#controls.form.elements.source.value === 'own') this.#rating.show();
    else byId('rating').hidden = true;
  }

  /** @returns {import('./controls.js').Settings} */
  settings() {
    return this.#controls.read();
  }

  /** The user's pictures with their ratings, for other parts. @returns {import('./example.js').RatedSet} */
  rated() {
    return this.#own.set();
  }

  /** What is learnt from. @param {import('./controls.js').Settings} settings @param {AbortSignal} signal */
  async #set({ source, count, size, seed }, signal) {
    if (source === 'own') return this.#own.set();
    const side = Math.min(...size), key = [count, side, seed].join();
    if (this.#example.key !== key) {
      const onProgress = (part) => progress(part, `Making example pictures: ${Math.round(part * 100)} %`);
      this.#example = { key, set: await examplePictures({ count, side, seed, signal, onProgress }) };
    }
    return this.#example.set;
  }

  /** Trains with one loss after the other; the one that judges best is used from then on. @param {typeof contestants} chosen */
  async #train(chosen) {
    const settings = this.#controls.read();
    let best = null;
    await run('Getting the pictures ready', async (signal) => {
      const set = await this.#set(settings, signal), parts = partsOf(set, settings);
      if (info().threadsAsked !== settings.threads) await init({ threads: settings.threads });
      if (chosen.length > 1) race.clear();
      for (const [i, contestant] of chosen.entries()) {
        const one = await this.#one(contestant, { set, parts, settings, signal, begin: i / chosen.length, span: 1 / chosen.length, isAlone: chosen.length === 1 });
        if (one === null || (best && !(one.srocc > best.srocc))) {
          one?.model.dispose();
          if (best) this.#showBest(best);
          continue;
        }
        best = one;
        adopt(one.model, `${contestant.name} on ${set.name}, SROCC ${round(one.srocc)} on ${parts.held.length} pictures held back`);
        this.#showBest(one);
      }
      if (best === null) return 'All of them diverged: a lower learning rate may help';
      return `${chosen.length > 1 ? `${best.name} is ahead` : `Trained with ${best.name}`}: SROCC ${round(best.srocc)}, PLCC ${round(best.plcc)} on the pictures held back`;
    });
  }

  /** @param {typeof contestants[0]} contestant @param {any} task @returns {Promise<any>} null if it diverged, which ends no race */
  async #one(contestant, { begin, span, settings, isAlone, ...task }) {
    const { id, name } = contestant, start = performance.now(), line = this.#line(contestant), logs = [];
    race.begin(id);
    progress(begin, `${name}: preparing`);
    try {
      const model = await trainJudge(contestant, {
        ...task, settings, onPrepared: (part) => progress(begin, `${name}: reading pictures, ${Math.round(part * 100)} %`),
        onStopped: (model) => adopt(model, `${name} on ${task.set.name}, stopped after epoch ${logs.length}`),
        onEpoch: async (log, points) => {
          logs.push(log);
          race.add(id, log);
          put('fact-epoch', `${log.epoch} of ${settings.epochs}`);
          put('fact-loss', round(log.loss));
          this.#write(line, contestant, logs, start);
          progress(begin + span * log.epoch / settings.epochs, `${name}, epoch ${log.epoch} of ${settings.epochs}: SROCC ${round(log.srocc)}, PLCC ${round(log.plcc)}`);
          const found = await points();
          this.#showScatter(found, `${name} after epoch ${log.epoch}, ${found.held.length} pictures held back: SROCC ${round(log.srocc)}, PLCC ${round(log.plcc)}.`);
        },
      });
      return { name, model, ...await examine(model, task.set, task.parts, task.signal) };
    } catch (error) {
      if (isAlone || error.code !== 'diverged') throw error;
      return null;
    } finally {
      if (logs.length === 0) line.remove();
      if (byId('runs').rows.length === 0) this.#showRuns();
    }
  }

  /** The newest run of a loss takes the place of the one before. @param {typeof contestants[0]} contestant */
  #line({ id }) {
    byId('runs').querySelector('.muted')?.remove();
    byId(`run-${id}`)?.remove();
    return Object.assign(byId('runs').insertRow(), { id: `run-${id}` });
  }

  #write(line, { name }, logs, start) {
    const best = logs.reduce((most, log) => (log.srocc > most.srocc || !Number.isFinite(most.srocc) ? log : most)), head = element('th', '', name);
    head.scope = 'row';
    const cells = [round(best.srocc), round(best.plcc), `${best.epoch} of ${logs.length}`, `${((performance.now() - start) / 1000).toFixed(1)} s`];
    line.replaceChildren(head, ...cells.map((text) => element('td', '', text)));
  }

  #showRuns() {
    byId('runs').replaceChildren(element('tr', 'muted', Object.assign(element('td', '', 'Nothing trained yet.'), { colSpan: 5 })));
  }

  /** @param {import('./losses.js').Points} points @param {string} text */
  #showScatter(points, text) {
    drawScatter(points, text);
    put('scatter-text', text);
  }

  /** Of a judge that is trained. */
  #showBest({ name, srocc, plcc, rmse, intervals, ...points }) {
    const between = (range) => (range.every(Number.isFinite) ? ` (${round(range[0])} to ${round(range[1])})` : '');
    this.#showScatter(points, `${name}, ${points.held.length} pictures held back: SROCC ${round(srocc)}${between(intervals.srocc)}, PLCC ${round(plcc)}${between(intervals.plcc)}, `
      + `RMSE ${rmse.toFixed(2)}; in brackets 95 % intervals. The curve is a logistic mapping of four parameters.`);
  }

  /** @param {string} target */
  async #save(target) {
    await judge().model.save(target);
    tell(target.startsWith('indexeddb') ? 'The judge is kept in this browser' : 'The judge has been downloaded');
    this.#refresh();
  }

  /** @param {string | File} from */
  #open(from) {
    return run('Opening the judge', async () => {
      await open(from);
      tell('The judge is loaded');
      return 'The judge is loaded';
    });
  }

  #refresh() {
    for (const id of ['run', 'race', 'load-file']) enable(id, isIdle());
    for (const id of ['save-browser', 'save-file']) enable(id, isIdle() && judge() !== null);
    this.#controls.lock(!isIdle());
    put('train-state', this.#own.describe());
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
