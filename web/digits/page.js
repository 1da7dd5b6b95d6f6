// The bars of the answer.
import { byId, percent, put } from '../page.js';

/** The ten probabilities, and the answer in words. */
export class Answer {
  #rows;
  #spoken = 0;
  #text = '';

  constructor() {
    this.#rows = Array.from({ length: 10 }, (_, k) => {
      const row = document.createElement('li'), track = document.createElement('div'), bar = document.createElement('div');
      const value = document.createElement('span'), name = document.createElement('span');
      name.textContent = String(k);
      track.className = 'track';
      track.setAttribute('aria-hidden', 'true');
      bar.className = 'bar';
      value.className = 'value';
      track.append(bar);
      row.append(name, track, value);
      return { row, bar, value };
    });
    byId('bars').replaceChildren(...this.#rows.map(({ row }) => row));
  }

  /** @param {Float32Array} chances @param {{ isTrained: boolean, label: number | null }} about */
  show(chances, { isTrained, label }) {
    const best = chances.indexOf(Math.max(...chances));
    this.#rows.forEach(({ row, bar, value }, k) => {
      bar.style.transform = `scaleX(${best < 0 ? 0 : chances[k]})`;
      value.textContent = best < 0 ? '' : percent(chances[k]);
      row.classList.toggle('best', k === best && isTrained);
    });
    const truth = label === null ? '' : label === best ? ', which is right' : `, but it is ${label}`;
    if (best < 0) this.#text = 'The network overflows: its weights are too large';
    else this.#text = isTrained ? `Reads ${best}, ${percent(chances[best])} sure${truth}` : 'Not trained yet: this is a blind guess';
    put('answer', this.#text);
  }

  /** Nothing to read. */
  clear() {
    this.#text = 'Draw a digit, or choose one';
    put('answer', this.#text);
    for (const { row, bar, value } of this.#rows) {
      bar.style.transform = 'scaleX(0)';
      value.textContent = '';
      row.classList.remove('best');
    }
  }

  /** Reads the answer aloud once the user has paused; not whenever the network learns something. */
  speakSoon() {
    clearTimeout(this.#spoken);
    this.#spoken = setTimeout(() => put('answer-spoken', this.#text), 700);
  }
}
