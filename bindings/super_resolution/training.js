/** Training of an upscaler: pictures, their held-out part, the loop, and what stays of it. */
import { HeddleError, abortError } from '../errors.js';
import { psnr, resize } from '../images/index.js';
import { chance } from '../images/patches.js';
import { build } from '../model.js';
import { ConvEnlarger, convBatches, describeConv } from './conv.js';
import { MatnetEnlarger, describeMatnet, matnetPatches } from './matnet.js';
import { asTensor, cropped, readPairs } from './pictures.js';
import { cosineStart } from './start.js';
import { enlargeInBands } from './tiles.js';

/** @import { Model, NamedTensors } from '../model.js' */
/** @import { FitOptions, NetworkConfig, Settings } from './options.js' */
/** @import { Bytes, Pair, TrainingImage } from './pictures.js' */
/** @import { Plane } from './planes.js' */
/** @import { Enlarger } from './tiles.js' */
/** @typedef {{ height: number, width: number, low: Uint8Array, high: Uint8Array, base: Plane }} TrainingPair sides of the small picture; its luma and the
 *   original's as bytes, and in 0..1 the bicubic enlargement */
/**
 * @typedef {object} EpochReport
 * @property {number} epoch from 0; with L-BFGS its iterations
 * @property {number} loss mean over the epoch, penalties included
 * @property {number} [psnr] dB, mean over what was held out, if it was measured after this epoch
 */
/**
 * @typedef {object} FitReport
 * @property {EpochReport[]} epochs in order, as far as the fit came
 * @property {number} bestEpoch by PSNR, whose weights stay; -1 if nothing was held out: then the last ones stay
 * @property {number | null} bicubic PSNR of the bicubic enlargement of what was held out
 * @property {number} pictures that were given
 * @property {number} heldOut pictures, or parts of pictures, that were not trained on
 * @property {number} tooSmall pictures that were left out of the training because they are smaller than a patch
 * @property {number} parameters of the network
 * @property {number} seconds of training steps; 0 if the fit ended early
 */
/** @typedef {{ model: Model, config: NetworkConfig }} Network */

/** Held-out pictures are measured on their middle, of at most so many pixels a side. */
const measured = 256;

/** @param {Model} model @param {NetworkConfig} config @returns {Enlarger & { dispose: () => void }} */
export const enlargerOf = (model, config) => (config.network === 'conv' ? new ConvEnlarger(model, config) : new MatnetEnlarger(model, config));

/** The luma of a small picture enlarged. @param {Bytes} low of one channel @param {Enlarger} enlarger @param {number} scale
 * @param {{ selfEnsemble?: boolean, tile?: number, signal?: AbortSignal }} options @returns {Promise<Bytes>} */
export async function enlargeLuma(low, enlarger, scale, options) {
  const height = scale * low.height, width = scale * low.width, data = new Uint8Array(height * width);
  for await (const band of enlargeInBands(low, enlarger, scale, options)) data.set(band.data, band.row * width);
  return { data, height, width, channels: 1 };
}

/** By the bicubic filter, as bytes. @param {Bytes} low @param {number} scale @returns {Promise<Bytes>} */
export async function bicubicOf(low, scale) {
  const [height, width] = [scale * low.height, scale * low.width];
  return { ...low, height, width, data: /** @type {any} */ ((await resize(asTensor(low), { height, width, method: 'bicubic' })).data) };
}

/** Numbers of the pictures that are held out, by the seed. @param {number} count @param {number} part @param {number} seed */
function chosen(count, part, seed) {
  const wanted = Math.min(Math.max(1, Math.round(part * count)), count - 1), order = Array.from({ length: count }, (_, i) => i);
  return new Set(order.sort((a, b) => chance(seed, a) - chance(seed, b)).slice(0, wanted));
}

/** The upper rows of a pair and the lower ones. @param {Pair} pair @param {number} rows of the small picture in the lower part @param {number} scale @returns {[Pair, Pair]} */
function halved({ low, high }, rows, scale) {
  const top = low.height - rows, cut = (/** @type {number} */ from, /** @type {number} */ count) => (
    { low: cropped(low, count, low.width, from), high: cropped(high, scale * count, high.width, scale * from) });
  return [cut(0, top), cut(top, rows)];
}

/** @param {Pair[]} pairs @param {Settings} settings @returns {{ training: Pair[], heldOut: Pair[] }} */
function split(pairs, { validationSplit, seed, config: { scale } }) {
  if (validationSplit === 0) return { training: pairs, heldOut: [] };
  if (pairs.length >= 4) {
    const held = chosen(pairs.length, validationSplit, seed);
    return { training: pairs.filter((_, i) => !held.has(i)), heldOut: pairs.filter((_, i) => held.has(i)) };
  }
  const parts = pairs.map(pair => {
    const rows = Math.floor(validationSplit * pair.low.height);
    return rows ? halved(pair, rows, scale) : [pair];
  });
  return { training: parts.map(([training]) => training), heldOut: parts.flatMap(([, held]) => held ?? []) };
}

/** @param {Pair} pair @param {number} scale @returns {Pair} */
function middle({ low, high }, scale) {
  const most = Math.floor(measured / scale), [height, width] = [Math.min(low.height, most), Math.min(low.width, most)];
  const top = (low.height - height) >> 1, left = (low.width - width) >> 1;
  return { low: cropped(low, height, width, top, left), high: cropped(high, scale * height, scale * width, scale * top, scale * left) };
}

/** @param {Pair} pair @returns {Promise<TrainingPair>} */
async function prepared({ low, high }) {
  const data = Float32Array.from(low.data, v => v / 255), { height, width } = low;
  const { data: base } = await resize({ data, shape: [height, width, 1] }, { height: high.height, width: high.width, method: 'bicubic' });
  return { height, width, low: low.data, high: high.data, base: /** @type {Plane} */ (base) };
}

/** Pairs to train on, each large enough for a patch. @param {Pair[]} pairs @param {Settings} settings @returns {Promise<TrainingPair[]>} */
async function usable(pairs, { config: { network, scale }, patch }) {
  const fits = pairs.filter(({ low: { height, width } }) => Math.min(height, width) * (network === 'conv' ? 1 : scale) >= patch), side = network === 'conv' ? scale * patch : patch;
  if (!fits.length) throw new HeddleError('shape', `fit: no picture is as large as a patch, ${side} x ${side} pixels${pairs.length < 4 ? ' (without the part that is held out)' : ''}`);
  return Promise.all(fits.map(prepared));
}

/** Mean PSNR over pictures. @param {Pair[]} pairs @param {(low: Bytes) => Promise<Bytes>} enlarge */
async function meanPsnr(pairs, enlarge) {
  let sum = 0;
  for (const { low, high } of pairs) sum += await psnr(asTensor(await enlarge(low)), asTensor(high));
  return sum / pairs.length;
}

/** A model that learns, with the weights of the seed or those of the one before. @param {Settings} settings @param {Network | null} before */
async function makeTrainee(settings, before) {
  const { config, patch, weightDecay, sparsity, seed, warmStart, start, optimizer, loss } = settings;
  if (warmStart && JSON.stringify(before?.config) !== JSON.stringify(config)) {
    throw new HeddleError('argument', `fit: warmStart: this resolver has ${before ? `the network ${JSON.stringify(before.config)}` : 'no network yet'}, asked for is ${JSON.stringify(config)}`);
  }
  const { model } = await build(config.network === 'conv' ? describeConv(config, patch, weightDecay, seed) : await describeMatnet(config, { weightDecay, sparsity }, seed));
  try {
    if (warmStart && before) await model.setWeights(await before.model.getWeights());
    else if (config.network === 'matnet' && start === 'cosine') await model.setWeights(cosineStart(await model.getWeights(), config));
    await model.compile({ optimizer, loss });
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** What `model.fit` takes beside its options. @param {Model} model @param {TrainingPair[]} pairs @param {Settings} settings @returns {Promise<[any, any, object]>} */
async function dataFor(model, pairs, settings) {
  const { config, patches, batchSize } = settings;
  if (config.network === 'conv') return [convBatches(pairs, config, settings), undefined, { stepsPerEpoch: Math.max(1, Math.round(patches / batchSize)) }];
  const { x, y } = await matnetPatches(pairs, config, settings);
  return [await model.dataset(x, y), undefined, {}];
}

/** One fit: its state, and what it leaves. */
class Training {
  /** @type {NamedTensors | null} */
  #best = null;
  #bestPsnr = -Infinity;
  #measuredEpoch = -1;

  /** @param {Model} model @param {Settings} settings @param {Pair[]} heldOut @param {FitReport} report @param {FitOptions} options */
  constructor(model, settings, heldOut, report, options) {
    this.model = model;
    this.settings = settings;
    this.heldOut = heldOut;
    this.report = report;
    this.options = options;
  }

  /** PSNR of the present weights; the best ones are kept. @param {number} epoch @returns {Promise<{ psnr?: number }>} */
  async #measure(epoch) {
    const { model, settings: { config }, heldOut, report } = this;
    if (!heldOut.length) return {};
    const enlarger = enlargerOf(model, config), found = await meanPsnr(heldOut, low => enlargeLuma(low, enlarger, config.scale, { signal: this.options.signal })).finally(() => enlarger.dispose());
    this.#measuredEpoch = epoch;
    if (found > this.#bestPsnr) {
      [this.#bestPsnr, report.bestEpoch] = [found, epoch];
      this.#best = await model.getWeights();
    }
    return { psnr: found };
  }

  /** @param {TrainingPair[]} pairs */
  async run(pairs) {
    const { model, settings, report, options: { signal, onProgress, onEpochEnd } } = this, { epochs, batchSize, seed, validationFrequency } = settings;
    const [x, y, extra] = await dataFor(model, pairs, settings);
    try {
      const history = await model.fit(x, y, {
        epochs, batchSize, seed, signal, ...extra,
        ...onProgress && { onBatchEnd: (/** @type {number} */ batch, /** @type {any} */ { epoch, batches, loss, secondsLeft }) => onProgress({
          phase: 'training', epoch, epochs, batch: Math.min(batch + 1, batches || 1), batches: batches || 1, loss, secondsLeft, // L-BFGS: all patches, perhaps more than once
        }) },
        onEpochEnd: async (/** @type {number} */ epoch, /** @type {any} */ { loss }) => {
          const isDue = (epoch + 1) % validationFrequency === 0 || epoch + 1 === epochs, one = { epoch, loss, ...isDue && await this.#measure(epoch) };
          report.epochs.push(one);
          await onEpochEnd?.(epoch, one, { model, bicubic: report.bicubic });
        },
      });
      report.seconds = history.seconds;
      const last = report.epochs[report.epochs.length - 1]; // L-BFGS may end between two measurements
      if (last.epoch !== this.#measuredEpoch) Object.assign(last, await this.#measure(last.epoch));
    } finally {
      if (settings.config.network === 'matnet') x.dispose();
      if (this.#best) await model.setWeights(this.#best);
    }
  }
}

/**
 * Trains a network.
 * @param {Iterable<TrainingImage> | AsyncIterable<TrainingImage>} images
 * @param {Settings} settings
 * @param {Network | null} before
 * @param {FitOptions} options
 * @param {(network: Network, report: FitReport) => void} done called with the trained network, also if the fit was stopped or diverged after an epoch
 */
export async function trainUpscaler(images, settings, before, options, done) {
  const { config, config: { scale } } = settings, { signal, onProgress } = options, pairs = [];
  for await (const pair of readPairs(images, scale, 'fit', { signal, onRead: onProgress && (count => onProgress({ phase: 'pictures', done: count })) })) pairs.push(pair);
  const { training, heldOut } = split(pairs, settings), prepares = await usable(training, settings), held = heldOut.map(pair => middle(pair, scale));
  if (signal?.aborted) throw abortError(signal);
  const model = await makeTrainee(settings, before);
  /** @type {FitReport} */
  const report = {
    epochs: [], bestEpoch: -1, bicubic: held.length ? await meanPsnr(held, low => bicubicOf(low, scale)) : null, pictures: pairs.length, heldOut: held.length,
    tooSmall: training.length - prepares.length, parameters: model.parameters, seconds: 0,
  };
  try {
    await new Training(model, settings, held, report, options).run(prepares);
  } catch (error) {
    if (report.epochs.length) done({ model, config }, report);
    else model.dispose();
    throw error;
  }
  done({ model, config }, report);
}
