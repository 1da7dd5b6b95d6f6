// The tool to rate pictures: one by one with a slider, or "which of the two is better?".
import { saveTo } from 'heddle';
import { byId, enable, onClick, put } from '../page.js';
import { attempt } from '../work.js';
import { csvOf, draw } from './pictures.js';

/** @typedef {import('./pictures.js').Picture} Picture */

export class Rating {
  #at = 0;
  /** @type {Picture[]} the two that are compared */
  #pair = [];

  /** @param {import('./own.js').OwnPictures} own @param {() => void} onChange */
  constructor(own, onChange) {
    this.own = own;
    this.onChange = onChange;
    for (const radio of document.querySelectorAll('[name="tool"]')) {
      radio.addEventListener('change', () => {
        own.tool = radio.value;
        this.show();
      });
    }
    byId('rating-score').addEventListener('input', ({ target }) => put('rating-value', target.value));
    const on = (id, work) => onClick(id, () => attempt(work));
    on('rating-next', () => this.#rate());
    on('rating-back', () => this.#go(-1));
    on('left', () => this.#choose(0));
    on('right', () => this.#choose(1));
    on('tie', () => this.#choose(null));
    on('undo', () => this.#undo());
    on('rating-csv', () => this.#save());
    byId('rating-score').addEventListener('keydown', ({ key }) => { if (key === 'Enter') byId('rating-next').click(); });
    byId('tool-pairs').addEventListener('keydown', (event) => {
      const id = { ArrowLeft: 'left', ArrowRight: 'right', 0: 'tie' }[event.key];
      if (!id) return;
      event.preventDefault();
      byId(id).click();
    });
  }

  /** Other pictures, or another tool. */
  show() {
    const { pictures, tool, file } = this.own;
    byId('rating').hidden = pictures.length < 2 || file !== null;
    byId('tool-slider').hidden = tool !== 'slider';
    byId('tool-pairs').hidden = tool !== 'pairs';
    if (byId('rating').hidden) return;
    this.#pair = [];
    void attempt(() => (tool === 'slider' ? this.#go(0) : this.#nextPair()));
  }

  /** @param {number} by */
  async #go(by) {
    const { pictures, scores } = this.own;
    this.#at = (this.#at + by + pictures.length) % pictures.length;
    const picture = pictures[this.#at], score = scores.get(picture.name) ?? 50;
    byId('rating-score').value = String(score);
    put('rating-value', String(score));
    this.#count();
    byId('rating-picture').setAttribute('aria-label', picture.name);
    await draw(byId('rating-picture'), picture, 640);
  }

  async #rate() {
    const { pictures, scores } = this.own;
    scores.set(pictures[this.#at].name, Number(byId('rating-score').value));
    const next = pictures.findIndex(({ name }, i) => i > this.#at && !scores.has(name));
    await this.#go(next < 0 ? 1 : next - this.#at);
  }

  async #nextPair() {
    this.#pair = this.own.pair();
    this.#count();
    await Promise.all(['left', 'right'].map(async (id, i) => {
      const canvas = byId(id).querySelector('canvas');
      canvas.setAttribute('aria-label', this.#pair[i].name);
      await draw(canvas, this.#pair[i], 480);
    }));
  }

  /** @param {0 | 1 | null} which null: none is better */
  async #choose(which) {
    const [left, right] = this.#pair.map(({ name }) => name);
    this.own.choices.push(which === null ? { better: left, worse: right, tie: true } : which === 0 ? { better: left, worse: right } : { better: right, worse: left });
    await this.#nextPair();
  }

  async #undo() {
    this.own.choices.pop();
    await this.#nextPair();
  }

  #count() {
    const { pictures, scores, choices, tool } = this.own, compared = new Set(choices.flatMap(({ better, worse }) => [better, worse])).size;
    const last = choices.at(-1), note = last ? ` Last: ${last.tie ? `${last.better} as good as ${last.worse}` : `${last.better} better than ${last.worse}`}.` : '';
    put('rating-state', tool === 'slider' ? `${scores.size} of ${pictures.length} pictures rated; this is ${pictures[this.#at].name}`
      : `${choices.length} comparison${choices.length === 1 ? '' : 's'}, ${compared} of ${pictures.length} pictures compared.${note}`);
    enable('undo', choices.length > 0);
    enable('rating-csv', (tool === 'slider' ? scores.size : choices.length) > 0);
    this.onChange();
  }

  async #save() {
    const { images, scores } = this.own.given();
    await saveTo('download://ratings.csv', csvOf([['image', 'score'], ...images.map((name, i) => [name, scores[i]])]), { type: 'text/csv' });
  }
}
