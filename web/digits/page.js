// The bars of the answer and the example digits.
import { colours, paint } from '../heatmap.js';
import { side } from '../mnist.js';
import { byId, percent, put } from '../page.js';
import { digit } from './data.js';

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

/** One button for each class; it shows a random digit of that class. */
export class Examples {
  #buttons = [];
  /** @type {import('./data.js').Digits | null} */
  #digits = null;

  /** @param {(digit: Uint8Array, label: number) => void} onChoose */
  constructor(onChoose) {
    this.onChoose = onChoose;
    for (let label = 0; label < 10; label++) {
      const button = document.createElement('button'), canvas = document.createElement('canvas');
      button.type = 'button';
      button.disabled = true;
      button.setAttribute('aria-label', `Example of ${label}`);
      button.setAttribute('aria-pressed', 'false');
      canvas.width = canvas.height = side;
      button.append(canvas, String(label));
      button.addEventListener('click', () => this.choose(label));
      this.#buttons.push({ button, canvas, row: -1, shown: new Uint8Array(side * side) });
    }
    byId('examples').replaceChildren(...this.#buttons.map(({ button }) => button));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#buttons.forEach((one) => this.#paint(one)));
  }

  /** @param {import('./data.js').Digits} digits */
  offer(digits) {
    this.#digits = digits;
    this.#buttons.forEach((_, label) => this.#next(label));
  }

  #paint({ canvas, shown }) {
    paint(canvas, { data: shown, rows: side, cols: side, range: [0, 255], map: colours().sequential });
  }

  /** Another digit of this class, if there is one. @param {number} label */
  #next(label) {
    const digits = this.#digits, one = this.#buttons[label];
    const rows = Array.from(digits.labels.keys()).filter((row) => digits.labels[row] === label && row !== one.row);
    if (rows.length > 0) one.row = rows[Math.floor(Math.random() * rows.length)];
    else if (digits.labels[one.row] !== label) one.row = -1;
    one.button.disabled = one.row < 0;
    if (one.row < 0) return;
    one.shown = digit(digits, one.row);
    this.#paint(one);
  }

  /** @param {number} label */
  choose(label) {
    const one = this.#buttons[label], wasPressed = one.button.getAttribute('aria-pressed') === 'true';
    if (one.button.disabled) return;
    if (wasPressed) this.#next(label);
    this.release();
    one.button.setAttribute('aria-pressed', 'true');
    this.onChoose(one.shown, label);
  }

  /** None is chosen any more. */
  release() {
    for (const { button } of this.#buttons) button.setAttribute('aria-pressed', 'false');
  }
}
