/**
 * The convolutional network: convolutions of the small picture's luma, the last with scale^2 filters whose outputs are the pixels of a block (Shi et
 * al., "Real-time single image and video super-resolution using an efficient sub-pixel convolutional neural network", 2016), added to the bicubic
 * enlargement. Convolutions are not padded: they see the picture around their block, mirrored beyond its border.
 */
import { initializers, layers, regularizers } from '../factories.js';
import { describeSequential } from '../graph.js';
import { chance } from '../images/patches.js';
import { build } from '../model.js';
import { orientations, part, turned } from './planes.js';

/** @import { ModelDescription } from '../graph.js' */
/** @import { Model } from '../model.js' */
/** @import { Plane } from './planes.js' */
/** @import { Enlarger, Window } from './tiles.js' */
/** @import { TrainingPair } from './training.js' */
/**
 * @typedef {object} ConvConfig
 * @property {'conv'} network its kind
 * @property {number} scale times the sides of a picture: 2, 3 or 4
 * @property {number[]} filters of the hidden convolutions
 * @property {number[]} kernelSize of all convolutions, the last included
 * @property {'relu' | 'leakyRelu' | 'tanh'} activation of the hidden convolutions; the last one has none
 */

/** Pixels that a convolution stack reaches beyond its output. @param {ConvConfig} config */
const radiusOf = ({ kernelSize }) => kernelSize.reduce((sum, size) => sum + (size - 1) / 2, 0);

/** @param {ConvConfig} config @param {number} patch side of the outputs in the small picture @param {number} weightDecay @param {number} seed @returns {ModelDescription} */
export function describeConv(config, patch, weightDecay, seed) {
  const { scale, filters, kernelSize, activation } = config, side = patch + 2 * radiusOf(config), decay = weightDecay ? { kernelRegularizer: regularizers.l2({ amount: weightDecay }) } : {};
  return describeSequential([
    layers.input({ shape: [side, side, 1], name: 'luma' }),
    ...filters.map((count, i) => layers.conv2d({
      name: `conv${i + 1}`, filters: count, kernelSize: [kernelSize[i], kernelSize[i]], activation, ...activation === 'leakyRelu' && { alpha: 0.1 }, kernelInitializer: 'he', ...decay,
    })),
    // almost nothing at first: training begins at the bicubic enlargement
    layers.conv2d({ name: `conv${filters.length + 1}`, filters: scale * scale, kernelSize: [kernelSize[filters.length], kernelSize[filters.length]],
      kernelInitializer: initializers.normal({ deviation: 1e-3 }), ...decay }),
    layers.depthToSpace({ name: 'residual', blockSize: scale }),
  ], { name: 'superResolution', seed });
}

/** @implements {Enlarger} */
export class ConvEnlarger {
  side = 128;
  /** The same network for blocks of other sizes. @type {Map<string, Promise<Model>>} */
  #sized = new Map();

  /** @param {Model} model @param {ConvConfig} config */
  constructor(model, config) {
    this.model = model;
    this.config = config;
    this.margin = radiusOf(config);
  }

  /** @param {number} height @param {number} width @returns {Promise<Model>} */
  #sizedModel(height, width) {
    const key = `${height} ${width}`, made = this.#sized.get(key) ?? this.#make(height, width);
    this.#sized.set(key, made);
    return made;
  }

  /** @param {number} height @param {number} width */
  async #make(height, width) {
    const description = this.model.description, [input, ...rest] = description.nodes;
    const { model } = await build({ ...description, nodes: [{ ...input, shape: [height, width, 1] }, ...rest] });
    await model.setWeights(await this.model.getWeights());
    return model;
  }

  /** @param {Window[]} windows @param {AbortSignal} [signal] @returns {Promise<Plane[]>} */
  async enlarge(windows, signal) {
    const { margin, config: { scale } } = this, [{ rows, cols }] = windows, height = rows + 2 * margin, width = cols + 2 * margin;
    const data = new Float32Array(windows.length * height * width), run = scale * cols;
    windows.forEach((one, i) => data.set(part(one.luma, one.height, one.width, one.top - margin, one.left - margin, height, width), i * height * width));
    const residual = (await (await this.#sizedModel(height, width)).predict({ data, shape: [windows.length, height, width, 1] }, { signal })).data;
    return windows.map(({ base, width: wide, top, left }, i) => {
      const luma = residual.slice(i * scale * rows * run, (i + 1) * scale * rows * run);
      for (let y = 0, at = 0; y < scale * rows; y++) {
        const from = (scale * top + y) * scale * wide + scale * left;
        for (let x = 0; x < run; x++, at++) luma[at] += base[from + x];
      }
      return luma;
    });
  }

  dispose() {
    for (const made of this.#sized.values()) void made.then(model => model.dispose(), () => {});
    this.#sized.clear();
  }
}

/**
 * Batches of patches at random places, all places of all pictures alike, without end: of each epoch its own.
 * @param {TrainingPair[]} pairs
 * @param {ConvConfig} config
 * @param {{ patch: number, batchSize: number, augment: boolean, seed: number }} settings
 */
export function* convBatches(pairs, config, { patch, batchSize, augment, seed }) {
  const { scale } = config, radius = radiusOf(config), side = patch + 2 * radius, large = scale * patch;
  const areas = pairs.map(({ height, width }) => (height - patch + 1) * (width - patch + 1)), all = areas.reduce((a, b) => a + b, 0);
  for (let count = 0;;) {
    const x = new Float32Array(batchSize * side * side), y = new Float32Array(batchSize * large * large);
    for (let i = 0; i < batchSize; i++, count++) {
      let place = Math.floor(chance(seed, 2 * count) * all), which = 0;
      while (place >= areas[which]) place -= areas[which++];
      const { height, width, low, high, base } = pairs[which], across = width - patch + 1, top = Math.floor(place / across), left = place % across;
      const turn = augment ? Math.floor(chance(seed, 2 * count + 1) * orientations) : 0;
      const given = part(low, height, width, top - radius, left - radius, side, side).map(v => v / 255);
      const [wanted, bicubic] = [high, base].map(plane => part(plane, scale * height, scale * width, scale * top, scale * left, large, large));
      x.set(turned(given, side, side, turn), i * side * side);
      y.set(turned(wanted.map((v, e) => v / 255 - bicubic[e]), large, large, turn), i * large * large);
    }
    yield { x: { data: x, shape: [batchSize, side, side, 1] }, y: { data: y, shape: [batchSize, large, large, 1] } };
  }
}
