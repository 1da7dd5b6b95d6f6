// Test pictures to look at: some to choose from, and the one that is shown large.
import { byId, element, enable, onClick } from '../page.js';
import { paintPicture } from '../picture.js';

/** @import { Part, PictureSet } from './sets.js' */

const offered = 10;

export class Samples {
  /** @type {PictureSet} */
  #set;
  /** @type {Part} */
  #part;
  /** @type {{ part: Part, row: number } | null} */
  #shown = null;
  #canvas = byId('sample');

  /** @param {(part: Part, row: number) => void} onChoose */
  constructor(onChoose) {
    this.onChoose = onChoose;
    onClick('samples-next', () => this.#mix());
  }

  /** Of the picture that is shown. */
  get row() {
    return this.#shown.row;
  }

  get label() {
    return this.#shown.part.labels[this.#shown.row];
  }

  /** @param {PictureSet} set @param {Part} part */
  offer(set, part) {
    this.#set = set;
    this.#part = part;
    this.#mix();
    this.show(part, Number(byId('samples').firstElementChild.value));
  }

  /** Other ones, of different classes as far as it goes. */
  #mix() {
    const { rows, labels } = this.#part, order = Array.from(labels.keys(), (row) => ({ row, at: Math.random() })).sort((a, b) => a.at - b.at);
    const seen = new Set(), first = order.filter(({ row }) => !seen.has(labels[row]) && seen.add(labels[row]));
    const chosen = [...new Set([...first, ...order])].slice(0, Math.min(offered, rows)).sort((a, b) => labels[a.row] - labels[b.row]);
    byId('samples').replaceChildren(...chosen.map(({ row }) => this.#button(row)));
    this.#press();
    enable('samples-next', rows > offered);
  }

  #button(row) {
    const canvas = element('canvas'), name = this.#set.classes[this.#part.labels[row]], button = element('button', '', canvas, element('span', '', name));
    paintPicture(canvas, this.#set.picture(this.#part, row), this.#set.shape);
    Object.assign(button, { type: 'button', value: String(row), title: name });
    button.setAttribute('aria-label', `Test picture ${row}: ${name}`);
    button.addEventListener('click', () => this.onChoose(this.#part, row));
    return button;
  }

  /** Shows a picture large. @param {Part} part @param {number} row */
  show(part, row) {
    this.#shown = { part, row };
    const [height, width] = this.#set.shape;
    paintPicture(this.#canvas, this.#set.picture(part, row), this.#set.shape);
    this.#canvas.setAttribute('aria-label', `Picture of class ${this.#set.classes[this.label]}, ${height} by ${width}`);
    this.#press();
  }

  #press() {
    for (const button of byId('samples').children) {
      button.setAttribute('aria-pressed', String(this.#shown?.part === this.#part && button.value === String(this.#shown.row)));
    }
  }
}
