// How the network does on test pictures: which classes it confuses, and which pictures it gets wrong.
import { byId, element, percent } from '../page.js';
import { paintPicture } from '../picture.js';

/** @import { Part, PictureSet } from './sets.js' */
/** @typedef {{ row: number, truth: number, says: number, chance: number }} Mistake */
/** @typedef {{ loss: number, accuracy: number, counts: Uint32Array, mistakes: Mistake[], rows: number }} Verdict counts: [true class,
 *   said class]; mistakes: the surest first */

const mostMistakes = 36;

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
