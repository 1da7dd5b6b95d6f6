// The part that rates: pictures in, scores out, sorted; and where a picture is good or bad.
import { HeddleError, saveTo } from 'heddle';
import { extent } from 'heddle/vis';
import { onChosen } from '../dropped.js';
import { byId, element, enable, onClick, put, say } from '../page.js';
import { attempt, isIdle, onWork, progress, run } from '../work.js';
import { examplePictures } from './example.js';
import { judge, onJudge, open } from './judge.js';
import { LocalMap } from './local.js';
import { Thumbnails, baseName, csvOf, draw, picturesOf } from './pictures.js';

/** @typedef {import('./pictures.js').Picture} Picture */
/** score: null until it is scored, NaN if the picture can't be read. @typedef {{ picture: Picture, score: number | null, item: HTMLLIElement,
 *   button: HTMLButtonElement, label: HTMLElement }} Shot */

const isModel = ({ path }) => /\.safetensors$/i.test(path), inOrder = new Intl.Collator('en', { numeric: true }).compare;
const digits = (score) => score.toFixed(Math.abs(score) < 10 ? 2 : 1);
/** What has no score comes last in each order. @type {{ [order: string]: (a: Shot, b: Shot) => number }} */
const orders = {
  worst: (a, b) => known(b) - known(a) || (known(a) ? a.score - b.score : 0) || orders.name(a, b),
  best: (a, b) => known(b) - known(a) || (known(a) ? b.score - a.score : 0) || orders.name(a, b),
  name: (a, b) => inOrder(a.picture.name, b.picture.name),
};
const known = ({ score }) => Number(score !== null && !Number.isNaN(score));

export class Rate {
  /** @type {Shot[]} */
  #shots = [];
  #thumbnails = new Thumbnails();
  /** @type {Shot | null} */
  #chosen = null;
  #map = new LocalMap();

  constructor() {
    for (const id of ['rate-files', 'rate-folder', 'rate-model']) onChosen(id, (files) => attempt(() => this.take(files)));
    onClick('score', () => this.#score());
    onClick('rate-clear', () => this.#clear());
    onClick('rate-csv', () => attempt(() => this.#save()));
    onClick('rate-example', () => this.#takeExample());
    onClick('look', () => this.#look());
    byId('order').addEventListener('change', () => this.#sort());
    onWork(() => this.#refresh());
    onJudge(() => {
      for (const shot of this.#shots) this.#mark(shot, null); // of another judge
      this.#map.clear();
      this.#refresh();
    });
    this.#refresh();
  }

  /** @param {import('../dropped.js').Found[]} files pictures, and the file of a judge */
  async take(files) {
    const model = files.find(isModel), pictures = picturesOf(files);
    if (!model && pictures.length === 0) {
      throw new HeddleError('file', `There are no pictures in ${files.length === 1 ? files[0].path : `these ${files.length} files`}: expected JPEG, PNG, WebP, GIF, AVIF or BMP.`);
    }
    this.#add(pictures);
    if (!model) return;
    await run(`Opening ${model.path}`, async () => {
      await open(model.file);
      return 'The judge is here';
    });
  }

  /** @param {Picture[]} pictures */
  #add(pictures) {
    const have = new Set(this.#shots.map(({ picture }) => picture.name));
    const added = pictures.filter(({ name }) => !have.has(name)).map((picture) => this.#shot(picture));
    this.#shots.push(...added);
    this.#sort();
    if (pictures.length) say(`${this.#shots.length.toLocaleString('en')} pictures`);
    this.#refresh();
  }

  /** @param {Picture} picture @returns {Shot} */
  #shot(picture) {
    const canvas = element('canvas'), label = element('strong'), button = element('button', '', canvas, label, element('span', '', baseName(picture.name)));
    const shot = { picture, score: null, item: element('li', '', button), button, label };
    Object.assign(button, { type: 'button', title: picture.name });
    button.addEventListener('click', () => attempt(() => this.#show(shot)));
    this.#thumbnails.add(canvas, picture);
    this.#mark(shot, null);
    return shot;
  }

  /** @param {Shot} shot @param {number | null} score */
  #mark(shot, score) {
    shot.score = score;
    shot.label.textContent = score === null ? '–' : Number.isNaN(score) ? 'not readable' : digits(score);
    shot.button.setAttribute('aria-label', `${shot.picture.name}: ${score === null ? 'not scored' : shot.label.textContent}`);
    shot.button.setAttribute('aria-pressed', String(shot === this.#chosen));
  }

  #sort() {
    this.#shots.sort(orders[byId('order').value]);
    byId('gallery').replaceChildren(...this.#shots.map(({ item }) => item));
  }

  async #score() {
    const shots = [...this.#shots];
    await run('Scoring', async (signal) => {
      const start = performance.now();
      let done = 0;
      const scores = await judge().model.score(shots.map(({ picture }) => picture), {
        signal, onScore: (index, score) => {
          this.#mark(shots[index], score);
          done++;
          progress(done / shots.length, `Scored ${done} of ${shots.length}`);
        },
      });
      shots.forEach((shot, i) => this.#mark(shot, scores[i]));
      const unread = shots.filter(({ score }) => Number.isNaN(score)).length, seconds = ((performance.now() - start) / 1000).toFixed(1);
      return `${shots.length - unread} pictures scored in ${seconds} s${unread ? `; ${unread} can't be read` : ''}`;
    });
    this.#sort();
    this.#refresh();
  }

  /** Shows a picture large. @param {Shot} shot */
  async #show(shot) {
    this.#chosen = shot;
    for (const one of this.#shots) one.button.setAttribute('aria-pressed', String(one === shot));
    byId('sight-box').hidden = false;
    this.#map.clear();
    this.#refresh();
    const { name } = shot.picture, { score } = shot;
    byId('sight').setAttribute('aria-label', name);
    put('sight-text', `${name}${score === null ? '' : Number.isNaN(score) ? ': not readable' : `: ${digits(score)}`}`);
    await draw(byId('sight'), shot.picture, 900);
    byId('sight-title').scrollIntoView({ block: 'nearest' });
  }

  async #look() {
    const shot = this.#chosen;
    await run('Looking at each part', async (signal) => {
      const text = await this.#map.show(judge().model, shot.picture, Number(byId('patch').value), signal);
      put('sight-text', `${shot.picture.name}: ${text}`);
      return 'The map is drawn';
    });
  }

  async #takeExample() {
    await run('Making example pictures', async (signal) => {
      const side = judge() ? Math.min(224, ...judge().model.preprocessing.size) : 128; // as it sees them: pixels show how bad a picture is
      const { pictures } = await examplePictures({ count: 24, side, seed: 11, signal, onProgress: (part) => progress(part, 'Making example pictures') });
      this.#add(pictures);
      return `${pictures.length} example pictures`;
    });
  }

  #clear() {
    this.#shots = [];
    this.#chosen = null;
    this.#thumbnails.clear();
    this.#map.clear();
    byId('sight-box').hidden = true;
    this.#sort();
    this.#refresh();
    say('No pictures');
  }

  async #save() {
    const rows = [...this.#shots].sort(orders.name).map(({ picture, score }) => [picture.name, known({ score }) ? score : '']);
    await saveTo('download://scores.csv', csvOf([['image', 'score'], ...rows]), { type: 'text/csv' });
  }

  #refresh() {
    const unread = this.#shots.filter(({ score }) => Number.isNaN(score)), scored = this.#shots.filter(known);
    byId('gallery-empty').hidden = this.#shots.length > 0;
    byId('unread-box').hidden = unread.length === 0;
    byId('unread').replaceChildren(...unread.map(({ picture }) => element('li', '', picture.name)));
    enable('score', isIdle() && judge() !== null && this.#shots.length > 0);
    enable('rate-csv', scored.length > 0);
    enable('rate-clear', isIdle() && this.#shots.length > 0);
    enable('rate-example', isIdle());
    enable('look', isIdle() && judge() !== null && this.#chosen !== null && !Number.isNaN(this.#chosen.score));
    const range = extent(scored.map(({ score }) => score));
    put('gallery-title', scored.length ? `Pictures: ${digits(range[0])} to ${digits(range[1])}` : 'Pictures');
    if (judge()) put('rate-judge', `Judge: ${judge().about}.`);
  }
}
