/** Weights and outputs as pictures: matrices, filters of convolutions, maps of features. */
import { HeddleError, checkOptions, kindOf } from '../errors.js';
import { colourTable, extent } from './colours.js';
import { addStyle, checkElement, forget, setTheme, watchTheme } from './theme.js';

/** @import { Colours } from './colours.js' */
/** @import { Theme } from './theme.js' */
/** @typedef {object} Values as getWeights and predict give them @property {ArrayLike<number>} data all elements, the last axis running fastest
 * @property {readonly number[]} shape its product is the length of data */
/**
 * @typedef {object} MapOptions
 * @property {readonly [number, number]} [range] values of the first and the last colour; unless told the largest on both sides of 0, or from 0 on if
 *   none is negative
 * @property {Colours} [colours] diverging if there are values below 0, else sequential, unless told
 * @property {number} [cell] CSS pixels of one element; CSS may also give the canvas a width
 * @property {number} [columns] maps beside each other; as many as the canvas' parent has room for, unless told
 * @property {number} [most] maps to show, the first ones; 64 unless told
 * @property {string} [label] what it is, for screen readers; an aria-label of the canvas stays unless told
 * @property {Theme} [theme] of the element, put into its style; as it is unless told
 */
/** What is drawn: `count` maps of rows x cols, of which `at` gives one; `isColour`: as RGB. */
/** @typedef {{ count: number, rows: number, cols: number, isColour: boolean, at: (k: number) => ArrayLike<number> }} Maps */

const optionNames = ['range', 'colours', 'cell', 'columns', 'most', 'label', 'theme'], lineLength = 32;
/** Grey, half transparent: R, G, B, A in the bytes of a pixel. */
const frameColour = new Uint32Array(Uint8Array.of(128, 128, 128, 90).buffer)[0];

/** @param {unknown} given @param {string} what @returns {Values} */
function readValues(given, what) {
  const { data, shape } = /** @type {Values} */ (given ?? {});
  if (typeof data?.length !== 'number' || !Array.isArray(shape)) throw new HeddleError('argument', `${what}: expected { data, shape }, got ${kindOf(given)}`);
  const size = shape.reduce((a, b) => a * b, 1);
  if (data.length !== size || size === 0) throw new HeddleError('shape', `${what}: ${data.length} numbers, expected ${size} of shape ${shape.join(' x ')}, not 0`);
  return { data, shape };
}

/** A matrix [rows, cols], or kernels [filters, rows, cols, channels]: of 3 channels as colours, of others the sum of their channels.
 * @param {Values} values @param {string} what @returns {Maps} */
function weightMaps({ data, shape }, what) {
  if (shape.length === 2) return { count: 1, rows: shape[0], cols: shape[1], isColour: false, at: () => data };
  if (shape.length !== 4) throw new HeddleError('shape', `${what}: shape ${shape.join(' x ')}, expected a matrix [rows, cols] or kernels [filters, rows, cols, channels]`);
  const [count, rows, cols, channels] = shape, size = rows * cols * channels, isColour = channels === 3;
  return {
    count, rows, cols, isColour,
    at: k => Array.from({ length: isColour ? size : rows * cols }, (_, i) => {
      if (isColour) return data[k * size + i];
      let sum = 0;
      for (let c = 0; c < channels; c++) sum += data[k * size + i * channels + c];
      return sum;
    }),
  };
}

/** Maps [rows, cols, maps], or a vector, folded into lines of 32. @param {Values} values @param {string} what @returns {Maps} */
function outputMaps({ data, shape: given }, what) {
  const shape = given.length > 1 && given[0] === 1 ? given.slice(1) : given; // a batch of one
  if (shape.length === 1) {
    const cols = Math.min(lineLength, shape[0]), rows = Math.ceil(shape[0] / cols);
    return { count: 1, rows, cols, isColour: false, at: () => data };
  }
  if (shape.length === 2) return { count: 1, rows: shape[0], cols: shape[1], isColour: false, at: () => data };
  if (shape.length !== 3) throw new HeddleError('shape', `${what}: shape ${given.join(' x ')}, expected one sample's output: [rows, cols, maps], [rows, cols] or [units]`);
  const [rows, cols, count] = shape;
  return { count, rows, cols, isColour: false, at: k => Array.from({ length: rows * cols }, (_, i) => data[i * count + k]) };
}

/** What is drawn on each canvas. @type {WeakMap<HTMLCanvasElement, ValueMap>} */
const known = new WeakMap();

/** A canvas that shows numbers, made by `weightMap` and `featureMaps`. */
export class ValueMap {
  #canvas;
  #read;
  #options;
  #what;
  /** @type {Maps} */
  #maps;
  /** @type {readonly [number, number]} */
  #range = [0, 1];
  #columns = 0;
  #isSigned = false;
  /** The page has said what the canvas shows. */
  #isLabelled = false;
  #observer = new ResizeObserver(() => { if (this.#fitting() !== this.#columns) this.redraw(); });

  /** @param {HTMLCanvasElement} canvas @param {Values} values @param {MapOptions} options @param {(values: Values, what: string) => Maps} read @param {string} what */
  constructor(canvas, values, options, read, what) {
    const before = known.get(canvas);
    before?.destroy();
    known.set(canvas, this);
    this.#isLabelled = options.label === undefined && canvas.hasAttribute('aria-label') && !(before && !before.#isLabelled);
    this.#canvas = canvas;
    this.#read = read;
    this.#options = options;
    this.#what = what;
    this.#maps = read(values, what);
    addStyle(canvas, 'heddle-map');
    canvas.setAttribute('role', 'img');
    if (this.#maps.count > 1 && canvas.parentElement) this.#observer.observe(canvas.parentElement);
    watchTheme(this);
    this.set(values);
  }

  get #count() {
    return Math.min(this.#maps.count, this.#options.most ?? 64);
  }

  /** CSS pixels of an element. */
  get #cell() {
    const { rows, cols, count } = this.#maps, wanted = count > 1 ? 56 : 240;
    return this.#options.cell ?? Math.min(12, Math.max(1, Math.floor(wanted / Math.max(rows, cols))));
  }

  /** Canvas pixels of an element, between maps, and of the frame around each of several. */
  get #grain() {
    const { cols, count } = this.#maps, pixels = count === 1 ? 1 : cols > 64 ? 1 : cols > 16 ? 2 : 4;
    return { pixels, gap: Math.max(3, Math.round(pixels * 6 / this.#cell)), frame: count > 1 ? 1 : 0 };
  }

  /** Maps beside each other. */
  #fitting() {
    const { cols } = this.#maps, { pixels, gap } = this.#grain, count = this.#count, room = this.#canvas.parentElement?.clientWidth;
    const wanted = this.#options.columns ?? (room ? Math.floor((room / this.#cell + gap / pixels) / (cols + gap / pixels)) : Math.ceil(Math.sqrt(count)));
    return Math.min(count, Math.max(1, wanted));
  }

  /**
   * Shows other values, of the same kind.
   * @param {Values} values of any size
   * @param {{ range?: readonly [number, number] }} [options] range: values of the first and the last colour; that of the map's own options unless told
   */
  set(values, { range = this.#options.range } = {}) {
    const { data, shape } = readValues(values, this.#what), [low, high] = extent(data), most = Math.max(-low, high) || 1, { label } = this.#options;
    this.#maps = this.#read({ data, shape }, this.#what);
    this.#isSigned = this.#options.colours === 'diverging' || (low < 0 && this.#options.colours === undefined);
    this.#range = range ?? (this.#isSigned || this.#maps.isColour ? [-most, most] : [Math.min(low, 0), high]);
    const { rows, cols, count } = this.#maps, size = count > 1 ? `${this.#count} of ${rows} by ${cols}` : `${rows} by ${cols}`;
    if (!this.#isLabelled) this.#canvas.setAttribute('aria-label', `${label ? `${label}, ` : ''}${size}, as an image: ${low.toPrecision(3)} to ${high.toPrecision(3)}`);
    this.redraw();
  }

  /** Draws anew, with the colours that the page has now. */
  redraw() {
    const canvas = this.#canvas, { rows, cols } = this.#maps, { pixels, gap, frame } = this.#grain, count = this.#count;
    this.#columns = this.#fitting();
    const lines = Math.ceil(count / this.#columns), width = this.#columns * (cols * pixels + gap) - gap + 2 * frame, height = lines * (rows * pixels + gap) - gap + 2 * frame;
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    for (const [name, value] of [['--cols', width / pixels], ['--rows', height / pixels], ['--heddle-cell', `${this.#cell}px`]]) canvas.style.setProperty(String(name), String(value));
    const image = new Uint32Array(width * height);
    for (let k = 0; k < count; k++) {
      const top = Math.floor(k / this.#columns) * (rows * pixels + gap) + frame, left = k % this.#columns * (cols * pixels + gap) + frame, colours = this.#colours(k);
      for (let i = -frame; i < rows * pixels + frame; i++) {
        for (let j = -frame; j < cols * pixels + frame; j++) {
          const isInside = i >= 0 && i < rows * pixels && j >= 0 && j < cols * pixels;
          image[(top + i) * width + left + j] = isInside ? colours[Math.floor(i / pixels) * cols + Math.floor(j / pixels)] : frameColour;
        }
      }
    }
    /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d')).putImageData(new ImageData(new Uint8ClampedArray(image.buffer), width, height), 0, 0);
  }

  /** One map as pixels. @param {number} k */
  #colours(k) {
    const { rows, cols, isColour, at } = this.#maps, values = at(k), [low, high] = this.#range, factor = high > low ? 255 / (high - low) : 0;
    const out = new Uint32Array(rows * cols), step = (/** @type {number} */ v) => Math.min(255, Math.max(0, Math.round((v - low) * factor)));
    if (isColour) {
      const bytes = new Uint8ClampedArray(out.buffer).fill(255);
      for (let i = 0; i < out.length; i++) for (let c = 0; c < 3; c++) bytes[4 * i + c] = step(values[3 * i + c]);
      return out;
    }
    const table = colourTable(this.#canvas, this.#options.colours ?? (this.#isSigned ? 'diverging' : 'sequential'));
    for (let i = 0; i < Math.min(values.length, out.length); i++) out[i] = table[step(values[i])];
    return out;
  }

  /** Forgets the canvas; what is drawn stays. */
  destroy() {
    this.#observer.disconnect();
    forget(this);
    known.delete(this.#canvas);
  }
}

/** @param {HTMLCanvasElement} canvas @param {Values} values @param {MapOptions} options @param {(values: Values, what: string) => Maps} read @param {string} what */
function draw(canvas, values, options, read, what) {
  if (!(checkElement(canvas, what) instanceof HTMLCanvasElement)) throw new HeddleError('argument', `${what}: expected a canvas, got ${kindOf(canvas)}`);
  checkOptions(options, optionNames, what);
  const { colours, range } = options;
  if (colours !== undefined && !['diverging', 'sequential'].includes(/** @type {string} */ (colours)) && !(colours instanceof Uint32Array && colours.length === 256)) {
    throw new HeddleError('argument', `${what}: colours must be diverging, sequential or 256 pixels in a Uint32Array`);
  }
  if (range !== undefined && !(range[1] > range[0])) throw new HeddleError('argument', `${what}: range = ${String(range)}, expected [low, high], low below high`);
  setTheme(canvas, options.theme, what);
  return new ValueMap(canvas, readValues(values, what), options, read, what);
}

/**
 * Draws weights: a matrix, or the filters of a convolution in rows; with 3 channels in colours (grey is 0), with others the sum over them.
 * A second call with the same canvas takes the place of the first.
 * @example
 * const weights = await net.getWeights();
 * const map = weightMap(document.querySelector('canvas'), weights['dense1/kernel'], { label: 'Weights of the first layer' });
 * await net.fit(x, y, { onEpochEnd: async () => map.set((await net.getWeights())['dense1/kernel']) });
 * @param {HTMLCanvasElement} canvas which gets the size of the picture @param {Values} tensor [rows, cols] or [filters, rows, cols, channels] @param {MapOptions} [options]
 * @returns {ValueMap}
 * @throws {HeddleError} `argument`, `shape`, `unsupported` without a document
 */
export const weightMap = (canvas, tensor, options = {}) => draw(canvas, tensor, options, weightMaps, 'weightMap');

/**
 * Draws what a layer makes of one sample: each map [rows, cols, maps] as a picture, or a vector in lines of 32.
 * @example
 * const output = await net.predict(picture, { output: 'conv1' });       // { data, shape: [1, 24, 24, 6] }
 * featureMaps(document.querySelector('canvas'), output, { label: 'conv1' });
 * @param {HTMLCanvasElement} canvas which gets the size of the picture @param {Values} tensor of one sample, perhaps with a batch of 1 in front @param {MapOptions} [options]
 * @returns {ValueMap}
 * @throws {HeddleError} `argument`, `shape`, `unsupported` without a document
 */
export const featureMaps = (canvas, tensor, options = {}) => draw(canvas, tensor, options, outputMaps, 'featureMaps');
