// The network as pictures: weights and outputs of each layer, as figures 1 and 2 of the MatNet paper show them.
import { extent, weightMap } from 'heddle/vis';
import { side } from '../mnist.js';
import { element } from '../page.js';
import { activationRange, parts } from './network.js';

/** @import { Model } from 'heddle' */

const short = (value) => value.toFixed(Math.abs(value) < 9.995 ? 2 : Math.abs(value) < 100 ? 1 : 0).replace('-', '\u2212');

/** One matrix with its name; `show` takes new values and draws them. */
class Picture {
  #canvas = element('canvas');
  #range = element('span');
  #map = null;

  /**
   * @param {string} name @param {number} rows @param {number} cols
   * @param {{ isSigned: boolean, range?: [number, number] | null, says?: string, isBare?: boolean }} options range: of the
   *   colours, that of the values unless told; says: for screen readers; isBare: the name is all of the caption
   */
  constructor(name, rows, cols, { isSigned, range = null, says = name, isBare = false }) {
    Object.assign(this, { rows, cols, isSigned, range, says });
    this.#canvas.style.setProperty('--rows', rows);
    this.#canvas.style.setProperty('--cols', cols);
    const caption = element('figcaption', '', element('b', '', name));
    if (!isBare) caption.append(` ${rows} × ${cols}`, element('br'), this.#range);
    this.figure = element('figure', '', this.#canvas, caption);
    this.#canvas.width = cols;
    this.#canvas.height = rows;
  }

  /** @param {ArrayLike<number>} data row-major */
  show(data) {
    const [low, high] = extent(data), size = Math.max(Math.abs(low), Math.abs(high)) || 1;
    const range = this.range ?? (this.isSigned ? [-size, size] : [Math.min(low, 0), Math.max(high, 1e-30)]), values = { data, shape: [this.rows, this.cols] };
    if (this.#map) this.#map.set(values, { range });
    else this.#map = weightMap(this.#canvas, values, { range, colours: this.isSigned ? 'diverging' : 'sequential', label: this.says });
    const text = `${short(low)} to ${short(high)}`;
    if (this.#range.textContent !== text) this.#range.textContent = text;
  }
}

export class Figures {
  /** @type {Map<string, Picture>} */
  #weights = new Map();
  /** @type {Map<string, Picture>} */
  #outputs = new Map();
  /** @type {Picture[]} */
  #classes = [];
  /** Names of the nodes whose outputs are shown. @type {string[]} */
  outputs = [];

  /** @param {HTMLElement} place @param {Iterable<HTMLCanvasElement>} scales of colours; `data-map` names them */
  constructor(place, scales) {
    this.place = place;
    const data = Float32Array.from({ length: 256 }, (_, i) => i);
    for (const scale of scales) weightMap(scale, { data, shape: [1, 256] }, { range: [0, 255], colours: scale.dataset.map });
  }

  /** Makes the pictures of a network. @param {Model} net */
  build(net) {
    const { hidden, last } = parts(net);
    this.#weights.clear();
    this.#outputs.clear();
    this.input = new Picture('X', side, side, { isSigned: false, range: [0, 255], says: 'The digit as the network sees it' });
    const steps = [this.#step('The digit', '28 × 28', [this.input])];
    hidden.forEach((layer, i) => steps.push(this.#hiddenStep(net, layer, i)));
    steps.push(this.#classStep(last, hidden.at(-1).outputShape));
    this.outputs = [...hidden.map(({ name }) => name), last.name];
    this.place.replaceChildren(...steps);
  }

  #step(title, detail, pictures, className = '') {
    const heading = element('h3', '', `${title} `, element('span', 'muted', detail));
    return element('div', 'step', heading, element('div', `matrices ${className}`, ...pictures.map(({ figure }) => figure)));
  }

  #hiddenStep(net, { name, weights, outputShape: [rows, cols], parameters }, index) {
    const { activation = 'linear' } = net.description.nodes.find((node) => node.name === name).options;
    const matrices = weights.map(({ name: weight, shape: [r, c] }) => {
      const letter = weight.split('/').at(-1), says = `Layer ${index + 1}: weights ${letter}`;
      const picture = new Picture(letter, r, c, { isSigned: true, says });
      this.#weights.set(weight, picture);
      return picture;
    });
    const range = activationRange(activation), isSigned = !['sigmoid', 'relu', 'softplus'].includes(activation);
    const output = new Picture('Output', rows, cols, { isSigned, range, says: `Layer ${index + 1}: output for the digit` });
    this.#outputs.set(name, output);
    const detail = `${rows} × ${cols}, ${activation}, ${parameters.toLocaleString('en')} weights`;
    return this.#step(`Layer ${index + 1}`, detail, [output, ...matrices]);
  }

  /** The rows of the dense layer's matrix, each as an image over the last hidden output. */
  #classStep({ weights: [kernel], parameters }, [rows, cols]) {
    this.#classes = Array.from({ length: 10 }, (_, k) => (
      new Picture(String(k), rows, cols, { isSigned: true, says: `Weights of class ${k}`, isBare: true })));
    this.kernel = kernel.name;
    const detail = `softmax, ${parameters.toLocaleString('en')} weights: what speaks for and against each digit`;
    return this.#step('Classes', detail, this.#classes, 'classes');
  }

  /** @param {{ [name: string]: { data: Float32Array } }} weights */
  showWeights(weights) {
    for (const [name, picture] of this.#weights) picture.show(weights[name].data);
    const { data } = weights[this.kernel], size = data.length / 10, [low, high] = extent(data), most = Math.max(-low, high);
    this.#classes.forEach((picture, k) => {
      picture.range = [-most, most];
      picture.show(data.subarray(k * size, (k + 1) * size));
    });
  }

  /** @param {Uint8Array} digit @param {{ data: Float32Array }[]} outputs of the nodes in `this.outputs` */
  showOutputs(digit, outputs) {
    this.input.show(digit);
    this.outputs.forEach((name, i) => this.#outputs.get(name)?.show(outputs[i].data));
  }
}
