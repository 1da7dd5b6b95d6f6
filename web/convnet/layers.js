// The network as pictures: the filters of its first convolution, and what each layer makes of one picture.
import { featureMaps, weightMap } from 'heddle/vis';
import { byId, element } from '../page.js';
import { partsOf } from './network.js';

/** @import { Model } from 'heddle' */

const names = { conv2d: 'convolution', maxPool2d: 'max pooling', avgPool2d: 'average pooling', dense: 'dense', batchNorm: 'batch normalisation' };
const most = 64;
const narrow = matchMedia('(max-width: 34rem)');
/** CSS pixels of an element, in a map of so many columns. @param {number} cols */
const cellOf = (cols) => (narrow.matches ? Math.min(46, Math.max(34, cols * 1.5)) : Math.min(66, Math.max(40, cols * 2.2))) / cols;

/** A canvas that takes values again and again. */
class Picture {
  canvas = element('canvas');
  #map = null;

  /** @param {typeof featureMaps} draw @param {import('heddle/vis').MapOptions} options */
  constructor(draw, options) {
    Object.assign(this, { draw, options });
  }

  /** @param {{ data: Float32Array, shape: readonly number[] }} values */
  show(values) {
    if (this.#map) this.#map.set(values);
    else this.#map = this.draw(this.canvas, values, { ...this.options, most });
  }
}

/** What a layer makes of a picture: maps, or one row of numbers folded into lines. @param {import('heddle').LayerInfo} layer */
function step({ name, kind, outputShape, parameters }) {
  const isMap = outputShape.length === 3, count = isMap ? outputShape[2] : 1, what = names[kind] ?? kind;
  const picture = new Picture(featureMaps, { cell: isMap ? cellOf(outputShape[1]) : 16, label: `${name}, ${what}: ${isMap ? 'maps' : 'values'} for the picture` });
  const detail = `${what}, ${outputShape.join(' × ')}${parameters ? `, ${parameters.toLocaleString('en')} weights` : ''}${most < count ? `; the first ${most} maps` : ''}`;
  const section = element('div', 'step', element('h3', '', `${name} `, element('span', 'muted', detail)), element('div', 'maps', picture.canvas));
  return { section, show: ({ data }) => picture.show({ data, shape: outputShape }) };
}

export class Layers {
  /** Of the first convolution. @type {{ weight: string, show: (data: Float32Array) => void } | null} */
  filters = null;
  /** @type {ReturnType<typeof step>[]} */
  #steps = [];
  /** Names of the nodes whose outputs are shown, the network's own last. @type {string[]} */
  outputs = [];

  /** Makes the pictures of a network. @param {Model} net */
  build(net) {
    const { filters, first, steps, last } = partsOf(net), place = byId('filters');
    place.replaceChildren();
    this.filters = null;
    if (filters) {
      const { name, shape } = filters, picture = new Picture(weightMap, { cell: (narrow.matches ? 34 : 48) / shape[2], label: 'Filters' });
      place.append(picture.canvas);
      this.filters = { weight: name, show: (data) => picture.show({ data, shape }) };
    }
    byId('filters-title').textContent = filters ? `Filters of ${first.name}, ${filters.shape.slice(1, 3).join(' × ')}` : 'No convolution';
    this.#steps = steps.map(step);
    byId('layers').replaceChildren(...this.#steps.map(({ section }) => section));
    this.outputs = [...steps.map(({ name }) => name), last.name];
  }

  /** @param {{ data: Float32Array }[]} outputs of the nodes in `this.outputs` */
  showOutputs(outputs) {
    this.#steps.forEach((one, i) => one.show(outputs[i]));
  }
}
