// Example digits to choose from.
import { featureMaps } from 'heddle/vis';
import { digit, side } from './mnist.js';
import { byId } from './page.js';

/** One button for each class; it shows a random digit of that class. */
export class Examples {
  #buttons = [];
  /** @type {import('./mnist.js').Digits | null} */
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
  }

  /** @param {import('./mnist.js').Digits} digits */
  offer(digits) {
    this.#digits = digits;
    this.#buttons.forEach((_, label) => this.#next(label));
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
    featureMaps(one.canvas, { data: one.shown, shape: [side, side] }, { range: [0, 255] });
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
