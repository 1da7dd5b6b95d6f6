// How the network does on test pictures: which classes it confuses, and which pictures it gets wrong.
import { colours, paint } from '../heatmap.js';
import { byId, element, percent } from '../page.js';
import { paintPicture } from '../picture.js';

/** @import { Part, PictureSet } from './sets.js' */
/** @typedef {{ row: number, truth: number, says: number, chance: number }} Mistake */
/** @typedef {{ loss: number, accuracy: number, counts: Uint32Array, mistakes: Mistake[], rows: number }} Verdict counts: [true class,
 *   said class]; mistakes: the surest first */

const mostCells = 20, mostMistakes = 36;
const dark = matchMedia('(prefers-color-scheme: dark)');

/** @param {{ data: Float32Array, shape: number[] }} chances [rows, classes] @param {Uint8Array} labels @returns {Verdict} */
export function judge({ data, shape: [rows, classes] }, labels) {
  const counts = new Uint32Array(classes * classes), mistakes = [];
  let loss = 0;
  for (let row = 0; row < rows; row++) {
    const chances = data.subarray(row * classes, (row + 1) * classes), truth = labels[row], says = chances.indexOf(Math.max(...chances));
    loss -= Math.log(Math.max(chances[truth], 1e-7)); // as Keras bounds it
    if (says < 0) continue; // not a number: the network overflows
    counts[truth * classes + says]++;
    if (says !== truth) mistakes.push({ row, truth, says, chance: chances[says] });
  }
  const right = Array.from({ length: classes }, (_, k) => counts[k * classes + k]).reduce((a, b) => a + b, 0);
  mistakes.sort((a, b) => b.chance - a.chance || a.row - b.row);
  return { loss: loss / rows, accuracy: right / rows, counts, mistakes, rows };
}

/** True classes down, what the network says across: a table, or a picture if there are many classes. */
export class Confusion {
  #place = byId('confusion');
  #cells = [];
  #canvas = null;
  /** @type {string[]} */
  #classes = [];
  /** @type {Verdict | null} */
  #last = null;

  constructor() {
    dark.addEventListener('change', () => { if (this.#canvas && this.#last) this.show(this.#last); });
  }

  /** @param {string[]} classes */
  build(classes) {
    this.#classes = classes;
    this.#cells = [];
    this.#canvas = this.#last = null;
    this.#place.replaceChildren(classes.length <= mostCells ? this.#table() : this.#picture());
  }

  #table() {
    const head = element('tr', '', element('td')), body = element('tbody'), table = element('table', `confusion${this.#classes.some((name) => name.length > 3) ? ' tall' : ''}`, element('thead', '', head), body);
    for (const name of this.#classes) head.append(this.#heading(name, 'col'));
    for (const name of this.#classes) {
      const cells = this.#classes.map(() => element('td'));
      this.#cells.push(...cells);
      body.append(element('tr', '', this.#heading(name, 'row'), ...cells));
    }
    return table;
  }

  #heading(name, scope) {
    const heading = element('th', '', element('span', '', name));
    heading.scope = scope;
    heading.title = name;
    return heading;
  }

  #picture() {
    this.#canvas = element('canvas', 'confusion');
    this.#canvas.width = this.#canvas.height = this.#classes.length;
    this.#canvas.setAttribute('role', 'img');
    return this.#canvas;
  }

  /** @param {Verdict} verdict */
  show(verdict) {
    this.#last = verdict;
    const { counts, accuracy, rows } = verdict, classes = this.#classes.length;
    const totals = Array.from({ length: classes }, (_, k) => counts.subarray(k * classes, (k + 1) * classes).reduce((a, b) => a + b, 0));
    const parts = Float32Array.from(counts, (count, i) => count / Math.max(totals[Math.floor(i / classes)], 1));
    if (this.#canvas) {
      paint(this.#canvas, { data: parts, rows: classes, cols: classes, range: [0, 1], map: colours().sequential });
      this.#canvas.setAttribute('aria-label', `Confusion matrix of ${classes} classes: ${percent(accuracy)} of ${rows} test pictures on its diagonal`);
    }
    this.#cells.forEach((cell, i) => {
      const text = counts[i] ? String(counts[i]) : '';
      if (cell.textContent !== text) cell.textContent = text;
      const isRight = i % (classes + 1) === 0, strength = isRight ? parts[i] : Math.sqrt(parts[i]); // few mistakes show, too
      cell.style.setProperty('--part', strength.toFixed(3));
      cell.className = `${isRight ? 'right' : 'wrong'}${strength > 0.6 ? ' much' : ''}`;
    });
  }
}

/** Test pictures that are read wrongly, each a button. */
export class Mistakes {
  #place = byId('mistakes');

  /** @param {(part: Part, row: number) => void} onChoose */
  constructor(onChoose) {
    this.onChoose = onChoose;
  }

  clear() {
    this.#place.replaceChildren();
  }

  /** @param {PictureSet} set @param {Part} part @param {Verdict} verdict */
  show(set, part, { mistakes }) {
    const focused = Array.from(this.#place.children).indexOf(document.activeElement);
    this.#place.replaceChildren(...mistakes.slice(0, mostMistakes).map((mistake) => this.#button(set, part, mistake)));
    this.#place.children[Math.min(focused, this.#place.children.length - 1)]?.focus({ preventScroll: true });
  }

  #button(set, part, { row, truth, says, chance }) {
    const canvas = element('canvas'), is = set.classes[truth], said = set.classes[says];
    paintPicture(canvas, set.picture(part, row), set.shape);
    const button = element('button', 'mistake', canvas, element('span', 'said', said), element('span', 'is', `is ${is}`));
    button.type = 'button';
    button.title = `${said}, ${percent(chance)} sure; it is ${is}`;
    button.setAttribute('aria-label', `Taken for ${said}, ${percent(chance)} sure, but it is ${is}: look at it`);
    button.addEventListener('click', () => this.onChoose(part, row));
    return button;
  }
}
