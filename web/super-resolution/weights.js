// The weights of a network as pictures: U_j, V_j of the modalities and R_j, S_j of the outputs (figure 3 of the MatNet paper), or first filters.
import { weightMap } from 'heddle/vis';
import { element } from '../page.js';

/** @import { Model } from 'heddle' */
/** @typedef {{ name: string, data: Float32Array, rows: number, cols: number }} Matrix */
/** @typedef {{ title: string, about: string, matrices: Matrix[] }} Step */

const modalities = ['luma', 'derivative along x', 'derivative along y', 'second derivative along x', 'second derivative along y'];
const subscript = (letter, j) => `${letter}${String.fromCharCode(0x2080 + j)}`;

/** @param {{ shape: number[], data: Float32Array }} weight @param {string} name @returns {Matrix} */
const matrix = ({ shape: [rows, cols], data }, name) => ({ name, data, rows, cols });

/** Kernels [filters, kh, kw, 1] one by one. @param {{ shape: number[], data: Float32Array }} kernel @returns {Matrix[]} */
function filters({ shape: [count, rows, cols, channels], data }) {
  const size = rows * cols * channels;
  return Array.from({ length: count }, (_, k) => ({
    name: String(k + 1), rows, cols, data: Float32Array.from({ length: rows * cols }, (_, i) => data[k * size + i * channels]),
  }));
}

/** What there is to see of a network. @param {Model} model @param {{ [name: string]: { shape: number[], data: Float32Array } }} weights @returns {Step[]} */
export function stepsOf(model, weights) {
  const steps = [], bilinear = model.layers.filter(({ weights: own }) => own.some(({ name }) => name.endsWith('/U')));
  for (const { name } of bilinear) {
    const [, side, number] = /^(encoder|decoder)(\d+)$/.exec(name) ?? [], j = Number(number), isOut = side === 'decoder', what = modalities[j - 1];
    const [u, v] = side ? (isOut ? ['R', 'S'] : ['U', 'V']).map((letter) => subscript(letter, j)) : ['U', 'V'];
    steps.push({
      title: side ? `${isOut ? 'To' : 'From'} the ${what}` : name, about: side ? `${u} ${isOut ? 'H' : subscript('X', j)} ${v}\u1d40` : '',
      matrices: [matrix(weights[`${name}/U`], u), matrix(weights[`${name}/V`], v)],
    });
  }
  const first = Object.entries(weights).find(([name, { shape }]) => name.endsWith('/kernel') && shape.length === 4);
  if (first) steps.push({ title: 'First convolution', about: `${first[1].shape[0]} filters`, matrices: filters(first[1]) });
  return steps;
}

export class Weights {
  /** @type {Step[]} */
  #steps = [];
  #shape = '';
  #isStale = false;
  /** @type {{ canvas: HTMLCanvasElement, label: string }[]} */
  #canvases = [];

  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
  }

  /** @param {Step[]} steps */
  show(steps) {
    this.#steps = steps;
    this.#isStale = true;
  }

  #build() {
    this.#canvases = [];
    this.place.replaceChildren(...this.#steps.map(({ title, about, matrices }) => {
      const figures = matrices.map(({ name, rows, cols }) => {
        const canvas = element('canvas');
        canvas.style.setProperty('--rows', rows);
        canvas.style.setProperty('--cols', cols);
        this.#canvases.push({ canvas, label: `${title}: ${name}` });
        return element('figure', '', canvas, ...matrices.length > 2 ? [] : [element('figcaption', '', element('b', '', name), ` ${rows} × ${cols}`)]);
      });
      return element('div', 'step', element('h3', '', `${title} `, element('span', 'muted', about)), element('div', `matrices${matrices.length > 2 ? ' filters' : ''}`, ...figures));
    }));
  }

  /** Draws what is new; for requestAnimationFrame. */
  draw() {
    if (!this.#isStale) return;
    this.#isStale = false;
    const all = this.#steps.flatMap(({ matrices }) => matrices), shape = this.#steps.map(({ title, matrices }) => title + matrices.map(({ rows, cols }) => `${rows} ${cols}`)).join();
    if (shape !== this.#shape) this.#build();
    this.#shape = shape;
    all.forEach(({ data, rows, cols }, i) => {
      const { canvas, label } = this.#canvases[i];
      weightMap(canvas, { data, shape: [rows, cols] }, { colours: 'diverging', label });
    });
  }
}
