// The network as pictures: the filters of its first convolution, and what each layer makes of one picture.
import { colours, extent, paint } from '../heatmap.js';
import { byId, element } from '../page.js';
import { partsOf } from './network.js';

/** @import { Model } from 'heddle' */

const mostMaps = 64;
const dark = matchMedia('(prefers-color-scheme: dark)');
const names = { conv2d: 'convolution', maxPool2d: 'max pooling', avgPool2d: 'average pooling', dense: 'dense', batchNorm: 'batch normalisation' };

/** Every `step`-th element from `begin` on: one map of [rows, cols, maps]. */
function strided(data, begin, step, count) {
  const out = new Float32Array(count);
  for (let i = 0; i < count; i++) out[i] = data[begin + i * step];
  return out;
}

/** A row of canvases that are one picture to screen readers. @param {string} says @param {number} count @param {number} rows @param {number} cols */
function gallery(says, count, rows, cols) {
  const canvases = Array.from({ length: count }, () => Object.assign(element('canvas'), { width: cols, height: rows }));
  const place = element('div', 'maps', ...canvases);
  place.setAttribute('role', 'img');
  place.setAttribute('aria-label', says);
  place.style.setProperty('--cols', cols);
  place.style.setProperty('--rows', rows);
  return { place, canvases };
}

/** What a layer makes of a picture: maps, or one row of numbers folded into lines. */
class Step {
  #last = null;

  /** @param {import('heddle').LayerInfo} layer */
  constructor({ name, kind, outputShape, parameters }) {
    const isMap = outputShape.length === 3, [rows, cols, count] = isMap ? outputShape : [Math.ceil(outputShape[0] / 32), 32, 1];
    const shown = Math.min(count, mostMaps), what = names[kind] ?? kind;
    Object.assign(this, { name, isMap, rows, cols, count, length: outputShape.reduce((a, b) => a * b, 1) });
    const { place, canvases } = gallery(`${name}, ${what}: ${isMap ? `${shown} maps` : 'values'} for the picture`, shown, rows, cols);
    this.canvases = canvases;
    const detail = `${what}, ${outputShape.join(' × ')}${parameters ? `, ${parameters.toLocaleString('en')} weights` : ''}`
      + `${shown < count ? `; the first ${shown} maps` : ''}`;
    this.section = element('div', `step ${isMap ? '' : 'line'}`, element('h3', '', `${name} `, element('span', 'muted', detail)), place);
  }

  /** @param {Float32Array} data */
  show(data) {
    this.#last = data;
    const [low, high] = extent(data), isSigned = low < 0, most = Math.max(-low, high, 1e-30);
    const look = { rows: this.rows, cols: this.cols, range: [isSigned ? -most : 0, most], map: isSigned ? colours().diverging : colours().sequential };
    this.canvases.forEach((canvas, k) => {
      const values = this.isMap ? strided(data, k, this.count, this.rows * this.cols) : new Float32Array(this.rows * this.cols);
      if (!this.isMap) values.set(data);
      paint(canvas, { data: values, ...look });
    });
  }

  repaint() {
    if (this.#last) this.show(this.#last);
  }
}

/** The filters of the first convolution: of 3 channels as colours, grey being 0, of others the sum of their channels. */
class Filters {
  #last = null;

  /** @param {{ name: string, shape: readonly number[] }} weight [filters, rows, cols, channels] */
  constructor({ name, shape: [count, rows, cols, channels] }) {
    Object.assign(this, { weight: name, count: Math.min(count, mostMaps), rows, cols, channels });
    const { place, canvases } = gallery(`${this.count} filters of ${rows} by ${cols}`, this.count, rows, cols);
    this.canvases = canvases;
    this.place = place;
  }

  /** @param {Float32Array} data */
  show(data) {
    this.#last = data;
    const size = this.rows * this.cols * this.channels, [low, high] = extent(data), most = Math.max(-low, high, 1e-30);
    this.canvases.forEach((canvas, k) => {
      const filter = data.subarray(k * size, (k + 1) * size);
      if (this.channels === 3) this.#paintColours(canvas, filter, most);
      else paint(canvas, { data: this.#sums(filter), rows: this.rows, cols: this.cols, range: [-most, most], map: colours().diverging });
    });
  }

  #sums(filter) {
    return Float32Array.from({ length: this.rows * this.cols }, (_, i) => (
      filter.subarray(i * this.channels, (i + 1) * this.channels).reduce((a, b) => a + b, 0)));
  }

  #paintColours(canvas, filter, most) {
    const image = new ImageData(this.cols, this.rows);
    for (let i = 0; i < this.rows * this.cols; i++) {
      for (let c = 0; c < 3; c++) image.data[4 * i + c] = Math.round(127.5 * (1 + filter[3 * i + c] / most));
      image.data[4 * i + 3] = 255;
    }
    canvas.getContext('2d').putImageData(image, 0, 0);
  }

  repaint() {
    if (this.#last) this.show(this.#last);
  }
}

export class Layers {
  /** @type {Filters | null} */
  filters = null;
  /** @type {Step[]} */
  #steps = [];
  /** Names of the nodes whose outputs are shown, the network's own last. @type {string[]} */
  outputs = [];

  constructor() {
    dark.addEventListener('change', () => [this.filters, ...this.#steps].forEach((one) => one?.repaint()));
  }

  /** Makes the pictures of a network. @param {Model} net */
  build(net) {
    const { filters, first, steps, last } = partsOf(net);
    this.filters = filters ? new Filters(filters) : null;
    byId('filters').replaceChildren(...this.filters ? [this.filters.place] : []);
    byId('filters-title').textContent = this.filters ? `Filters of ${first.name}, ${filters.shape.slice(1, 3).join(' × ')}` : 'No convolution';
    this.#steps = steps.map((layer) => new Step(layer));
    byId('layers').replaceChildren(...this.#steps.map(({ section }) => section));
    this.outputs = [...steps.map(({ name }) => name), last.name];
  }

  /** @param {{ data: Float32Array }[]} outputs of the nodes in `this.outputs` */
  showOutputs(outputs) {
    this.#steps.forEach((step, i) => step.show(outputs[i].data));
  }
}
