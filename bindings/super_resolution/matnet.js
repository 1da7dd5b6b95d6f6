/**
 * The multimodal matrix autoencoder (Gao, Guo & Wang, "Matrix neural networks", 2016): windows of the bicubic enlargement and of its derivatives are the
 * modalities, mapped by bilinear layers into one hidden matrix and from there to windows of the large picture; each of its pixels is the mean over all
 * windows that cover it.
 */
import { blendPatches, derivatives, randomPatches, slidingPatches } from '../images/index.js';
import { describe } from '../recipe_description.js';
import { part } from './planes.js';
import { windowWeights, windowsOf } from './windows.js';

/** @import { ModelDescription } from '../graph.js' */
/** @import { Model } from '../model.js' */
/** @import { Plane } from './planes.js' */
/** @import { Enlarger, Window } from './tiles.js' */
/** @import { TrainingPair } from './training.js' */
/** @import { WindowNetwork } from './windows.js' */
/** @typedef {'luma' | 'x' | 'y' | 'xx' | 'yy'} Modality the picture, and its first and second differences across (x) and down (y) */
/**
 * @typedef {object} MatnetConfig
 * @property {'matnet'} network its kind
 * @property {number} scale times the sides of a picture: 2, 3 or 4
 * @property {'denoise' | 'residual' | 'literal'} mode what is mapped to what: see FitOptions
 * @property {number} patch side of the windows
 * @property {[number, number][]} hidden rows and columns of the hidden matrices
 * @property {Modality[]} modalities what is seen of the picture, luma first, each once
 * @property {'luma' | 'all'} targets what is learnt: the luma alone, or all modalities
 * @property {'linear' | 'sigmoid'} outputActivation sigmoid for the mode literal, else linear
 */

/** @type {readonly Modality[]} */
export const modalityNames = ['luma', 'x', 'y', 'xx', 'yy'];
/** Largest values of the modalities of pictures in 0..1. */
const largest = { luma: 1, x: 1, y: 1, xx: 2, yy: 2 };
/** A second difference reads so many pixels to each side. */
const reach = 2;

/**
 * @param {MatnetConfig} config
 * @param {{ weightDecay: number, sparsity: { rho: number, beta: number } }} penalties
 * @param {number} seed
 * @returns {Promise<ModelDescription>}
 */
export const describeMatnet = ({ patch, hidden, modalities, targets, outputActivation }, { weightDecay, sparsity }, seed) => describe('multimodalAutoencoder', {
  modalities: modalities.map(() => [patch, patch]), hidden, ...targets === 'luma' && { outputs: [1] }, outputActivation, weightDecay, ...sparsity, name: 'superResolution', seed,
});

/** The modalities of a plane, as the network takes them. @param {Plane} luma 0..1 @param {number} height @param {number} width @param {MatnetConfig} config
 * @returns {Promise<Plane[]>} in their order */
async function modalitiesOf(luma, height, width, { modalities, mode }) {
  const planes = /** @type {any} */ (modalities.length > 1 ? await derivatives({ data: luma, shape: [height, width] }) : {});
  return modalities.map(name => {
    const plane = /** @type {Plane} */ (name === 'luma' ? luma : planes[name].data);
    return mode === 'literal' && name !== 'luma' ? plane.map(v => 0.5 + 0.5 * v / largest[name]) : plane; // sigmoid outputs are in (0, 1)
  });
}

/** @implements {Enlarger} */
export class MatnetEnlarger {
  /** @type {Promise<WindowNetwork> | null} */
  #shared = null;

  /** @param {Model} model @param {MatnetConfig} config */
  constructor(model, config) {
    this.model = model;
    this.config = config;
    this.isShared = config.hidden.length === 1; // windows that share their work take little memory; else each is a sample of its own
    this.side = Math.floor((this.isShared ? 512 : 64) / config.scale);
    this.margin = Math.ceil((config.patch - 1 + reach) / config.scale) + 3; // and what the bicubic filter reads
  }

  /** @param {Window[]} windows @param {AbortSignal} [signal] @returns {Promise<Plane[]>} */
  async enlarge(windows, signal) {
    const planes = [];
    for (const window of windows) planes.push(await this.#enlargeOne(window, signal));
    return planes;
  }

  /** @param {Window} window @param {AbortSignal} [signal] @returns {Promise<Plane>} */
  async #enlargeOne({ base, rows, cols, ...window }, signal) {
    const { config, config: { scale, patch, mode } } = this, [tall, wide, top, left] = [window.height, window.width, window.top, window.left].map(v => scale * v);
    // whole windows over the block, inside the picture; differences read a little further; a picture smaller than a window goes on mirrored
    const [down, across] = [[top, scale * rows, tall], [left, scale * cols, wide]].map(([at, length, end]) => {
      const from = Math.max(at - patch + 1, 0), to = Math.min(at + length + patch - 1, end), low = Math.max(from - reach, 0);
      return { from, size: Math.max(to - from, patch), low, length: Math.min(to + reach, end) - low };
    });
    const luma = part(base, tall, wide, down.low, across.low, down.length, across.length), planes = await modalitiesOf(luma, down.length, across.length, config);
    const size = down.size * across.size, inner = new Float32Array(planes.length * size);
    planes.forEach((plane, k) => part(plane, down.length, across.length, down.from - down.low, across.from - across.low, down.size, across.size, inner.subarray(k * size, (k + 1) * size)));
    const from = top - down.from, blended = await (this.isShared ? this.#together(inner, down.size, across.size, from, scale * rows) : this.#eachAlone(inner, down.size, across.size, from, scale * rows, signal));
    const out = part(blended, scale * rows, across.size, 0, left - across.from, scale * rows, scale * cols);
    if (mode === 'residual') part(base, tall, wide, top, left, scale * rows, scale * cols).forEach((v, i) => { out[i] += v; });
    return out;
  }

  /** Means over all windows at each pixel. @param {Plane} planes modalities [modalities, height, width] @param {number} height @param {number} width
   * @param {number} from the first of the rows that are wanted @param {number} rows @returns {Promise<Plane>} [rows, width] */
  async #together(planes, height, width, from, rows) {
    this.#shared ??= windowWeights(this.model);
    return windowsOf(await this.#shared, { planes, width, height, from, to: from + rows });
  }

  /** The same for networks with several hidden matrices. @param {Plane} planes @param {number} height @param {number} width @param {number} from
   * @param {number} rows @param {AbortSignal} [signal] @returns {Promise<Plane>} */
  async #eachAlone(planes, height, width, from, rows, signal) {
    const { patch, modalities } = this.config, size = height * width;
    const cut = await Promise.all(modalities.map((_, k) => slidingPatches({ data: planes.subarray(k * size, (k + 1) * size), shape: [height, width, 1] }, { size: patch })));
    const [{ positions, shape: [count] }] = cut, x = cut.map(({ data }) => ({ data, shape: [count, patch, patch] }));
    const { data } = await this.model.predict(x.length > 1 ? x : x[0], { output: 'decoder1', batchSize: 512, signal });
    const whole = await blendPatches({ data, shape: [count, patch, patch, 1] }, { height, width, positions });
    return /** @type {Plane} */ (whole.data).subarray(from * width, (from + rows) * width);
  }

  dispose() {}
}

/**
 * Windows of the pictures at random places, for all modalities.
 * @param {TrainingPair[]} pairs
 * @param {MatnetConfig} config
 * @param {{ patches: number, seed: number }} settings
 */
export async function matnetPatches(pairs, config, { patches, seed }) {
  const { scale, patch, mode, targets, modalities } = config, images = [];
  for (const { base, high: bytes, height, width } of pairs) {
    const [tall, wide] = [scale * height, scale * width], high = Float32Array.from(bytes, v => v / 255);
    const [luma, ...features] = await modalitiesOf(base, tall, wide, config), goal = mode === 'residual' ? high.map((v, i) => v - base[i]) : high;
    const given = [mode === 'literal' ? high : luma, ...features], goals = targets === 'all' ? [goal, ...features] : [goal];
    const planes = [...given, ...goals], data = new Float32Array(planes.length * tall * wide);
    planes.forEach((plane, k) => plane.forEach((v, i) => { data[i * planes.length + k] = v; }));
    images.push({ data, shape: [tall, wide, planes.length] });
  }
  const { data, shape: [count, , , channels] } = await randomPatches(images, { size: patch, count: patches, seed });
  const plane = (/** @type {number} */ k) => ({ data: Float32Array.from({ length: data.length / channels }, (_, i) => data[i * channels + k]), shape: [count, patch, patch] });
  const planes = Array.from({ length: channels }, (_, k) => plane(k));
  const x = planes.slice(0, modalities.length), y = planes.slice(modalities.length), only = (/** @type {any[]} */ list) => (list.length > 1 ? list : list[0]);
  return { x: only(x), y: only(y) };
}
