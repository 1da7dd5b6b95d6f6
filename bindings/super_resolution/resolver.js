/** Enlarging pictures by networks that are trained here. */
import { blame } from '../archive.js';
import { HeddleError, abortError, checkOptions, kindOf, wholeNumber } from '../errors.js';
import { psnr, ssim } from '../images/index.js';
import { load } from '../model.js';
import { readFit, readStored } from './options.js';
import { asTensor, cropped, readImage, readPairs } from './pictures.js';
import { pretrainedUrl } from './pretrained.js';
import { enlargeInBands } from './tiles.js';
import { bicubicOf, enlargeLuma, enlargerOf, trainUpscaler } from './training.js';

/** @import { Model } from '../model.js' */
/** @import { Source } from '../stores/index.js' */
/** @import { FitOptions, NetworkConfig } from './options.js' */
/** @import { AnyImage, Bytes, TrainingImage } from './pictures.js' */
/** @import { PretrainedOptions } from './pretrained.js' */
/** @import { Band, TileOptions } from './tiles.js' */
/** @import { FitReport } from './training.js' */
/**
 * @typedef {object} UpscaleOptions
 * @property {boolean} [selfEnsemble] the mean of the results for the picture in its eight orientations: eight times the work for a little quality;
 *   false unless told
 * @property {number} [tile] pixels of the small picture that are computed at a time, as the side of a square; a block of the network (`tileSide`) unless
 *   told, and at least. Memory grows with it, the result does not depend on it
 * @property {AbortSignal} [signal] looked at between tiles
 * @property {(progress: { done: number, total: number }) => void} [onProgress] blocks
 */
/** @typedef {object} Quality @property {number} psnr dB; Infinity for pictures that are the same @property {number} ssim at most 1; NaN for pictures with
 *   sides below 11 */
/** @typedef {Quality & { bicubic: Quality }} Comparison beside it the bicubic filter */
/**
 * @typedef {object} EvaluateOptions
 * @property {number} [crop] pixels of the large picture that are left out along each side; 0 unless told
 * @property {boolean} [selfEnsemble] as of UpscaleOptions; false unless told
 * @property {AbortSignal} [signal] looked at between pictures and tiles; `evaluate` then rejects with its reason
 * @property {(progress: { done: number }) => void} [onProgress] called after each picture, with how many are done
 */
/**
 * What is stored beside the network.
 * @typedef {object} Description
 * @property {number} version
 * @property {NetworkConfig} config
 * @property {FitReport} report
 * @property {import('../archive.js').Json} [training] of the network: the options of its fit, and what `save` was told of the data
 */

const version = 1, upscaleNames = ['selfEnsemble', 'tile', 'signal', 'onProgress'];

/** @param {UpscaleOptions} options @param {string} where @returns {TileOptions} */
function readUpscale(options, where) {
  checkOptions(options, upscaleNames, where);
  const { selfEnsemble = false, signal, onProgress } = options, tile = wholeNumber(options.tile, `${where}: tile`, 1, 1);
  if (typeof selfEnsemble !== 'boolean') throw new HeddleError('argument', `${where}: selfEnsemble must be a boolean, got ${kindOf(selfEnsemble)}`);
  return { selfEnsemble, tile, signal, onProgress };
}

/** @param {Bytes} image @param {number} crop @returns {Bytes} */
function inner(image, crop) {
  const [height, width] = [image.height, image.width].map(side => side - 2 * crop);
  if (height < 1 || width < 1) throw new HeddleError('argument', `evaluate: crop = ${crop} leaves nothing of a picture of ${image.height} x ${image.width} pixels`);
  return crop ? cropped(image, height, width, crop, crop) : image;
}

/** @param {Bytes} image @param {Bytes} reference @returns {Promise<Quality>} */
async function compared(image, reference) {
  const [x, y] = [asTensor(image), asTensor(reference)], isTiny = Math.min(image.height, image.width) < 11;
  return { psnr: await psnr(x, y), ssim: isTiny ? NaN : await ssim(x, y, { on: 'channels' }) };
}

/** @param {number} height @param {number} width @param {number} channels */
function room(height, width, channels) {
  try {
    return new Uint8Array(height * width * channels);
  } catch (cause) {
    throw new HeddleError('memory', `upscale: there is no room for a picture of ${width} x ${height} pixels as a whole: take upscaleBands`, { cause });
  }
}

/** @param {number[]} values */
const mean = values => values.reduce((a, b) => a + b, 0) / values.length;

/**
 * Enlarges pictures: the luma (BT.601, studio range) by a network, colours and alpha by the bicubic filter.
 *
 * Pictures of any size are enlarged in blocks with what is around them, so that memory beside the picture itself stays small; those smaller than
 * a block or a window of the network are seen continued by mirror images.
 */
export class SuperResolver {
  /** @type {Model | null} */
  #model = null;
  /** @type {NetworkConfig | null} */
  #config = null;
  /** @type {FitReport | null} */
  #report = null;
  /** @type {any} */
  #training = null;
  #isFitting = false;

  /** The trained network; null before a training. @returns {Model | null} */
  get model() {
    return this.#model;
  }

  /** Its kind; null before a training. @returns {'conv' | 'matnet' | null} */
  get network() {
    return this.#config?.network ?? null;
  }

  /** Times the sides of a picture; null before a training. @returns {number | null} */
  get scale() {
    return this.#config?.scale ?? null;
  }

  /** What makes the network: all that its weights do not say. @returns {NetworkConfig | null} */
  get config() {
    return structuredClone(this.#config);
  }

  /** Of the last training. @returns {FitReport | null} */
  get report() {
    return structuredClone(this.#report);
  }

  /** How the network was trained: options of `fit`, and what `save` was told. @returns {any} */
  get training() {
    return structuredClone(this.#training);
  }

  /**
   * Trains a new network on pictures, which are shrunk (bicubic with antialiasing, rounded to bytes) to learn from.
   * @param {Iterable<TrainingImage> | AsyncIterable<TrainingImage>} images originals; or { low, high }: small pictures with their originals
   * @param {FitOptions} [options]
   * @returns {Promise<FitReport>}
   * @throws {HeddleError} `argument` or `shape` for wrong options and pictures, `file`, `memory`, `diverged`; AbortError. If the fit ends early, the best
   *   weights of its epochs stay; before the end of the first one, the network from before
   */
  async fit(images, options = {}) {
    if (this.#isFitting) throw new HeddleError('state', 'fit: this resolver is being fitted; wait for that, or stop it with its signal');
    const settings = readFit(options), { signal, onProgress, onEpochEnd, ...plain } = options;
    const before = this.#model && this.#config && { model: this.#model, config: this.#config };
    this.#isFitting = true;
    try {
      await trainUpscaler(images, settings, before, options, ({ model, config }, report) => {
        this.#model?.dispose();
        [this.#model, this.#config, this.#report] = [model, config, report];
        this.#training = JSON.parse(JSON.stringify({ options: { ...plain, seed: settings.seed } }));
      });
    } finally {
      this.#isFitting = false;
    }
    return /** @type {FitReport} */ (this.report);
  }

  /** @param {string} where */
  #opened(where) {
    if (!this.#model || !this.#config) throw new HeddleError('state', `${where}: this resolver has no network yet: fit it, or load one`);
    return { model: this.#model, config: this.#config, scale: this.#config.scale };
  }

  /**
   * An enlarged picture.
   * @param {AnyImage} image grey, RGB or RGBA; files are decoded to RGB, or RGBA if they have transparent pixels
   * @param {UpscaleOptions} [options]
   * @returns {Promise<{ data: Uint8Array<ArrayBuffer>, shape: number[] }>} [scale height, scale width, channels]
   * @throws {HeddleError} `state` before a training, `argument`, `shape`, `file`, `memory`; AbortError
   */
  async upscale(image, options = {}) {
    const bands = this.upscaleBands(image, options);
    let whole = null;
    for await (const { data, shape: [, width, channels], row, rows } of bands) {
      whole ??= { data: room(rows, width, channels), shape: [rows, width, channels] };
      whole.data.set(data, row * width * channels);
    }
    return /** @type {{ data: Uint8Array<ArrayBuffer>, shape: number[] }} */ (whole);
  }

  /**
   * The same from the top down, some rows at a time, for pictures whose enlargement should never be in memory as a whole.
   * @param {AnyImage} image as of `upscale`
   * @param {UpscaleOptions} [options]
   * @returns {AsyncGenerator<Band, void, void>} data [height, width, channels]; row: where it begins in the enlarged picture, which has `rows` rows
   */
  async *upscaleBands(image, options = {}) {
    const { model, config, scale } = this.#opened('upscale'), read = readUpscale(options, 'upscale');
    if (read.signal?.aborted) throw abortError(read.signal);
    const pixels = await readImage(image, 'upscale'), enlarger = enlargerOf(model, config);
    try {
      yield* enlargeInBands(pixels, enlarger, scale, read);
    } finally {
      enlarger.dispose();
    }
  }

  /**
   * How near enlarged pictures come to their originals: PSNR and SSIM of luma rounded to bytes, over every pixel, beside those of the bicubic filter.
   * @param {Iterable<TrainingImage> | AsyncIterable<TrainingImage>} pairs originals, which are cut to multiples of the scale and shrunk; or { low, high }
   * @param {EvaluateOptions} [options]
   * @returns {Promise<Comparison & { images: Comparison[] }>} means over the pictures, and each of them
   */
  async evaluate(pairs, options = {}) {
    checkOptions(options, ['crop', 'selfEnsemble', 'signal', 'onProgress'], 'evaluate');
    const { model, config, scale } = this.#opened('evaluate'), { signal, selfEnsemble = false, onProgress } = options, crop = wholeNumber(options.crop, 'evaluate: crop', 0, 0);
    const enlarger = enlargerOf(model, config), images = [];
    try {
      for await (const { low, high } of readPairs(pairs, scale, 'evaluate', { signal })) {
        const reference = inner(high, crop), quality = async (/** @type {Bytes} */ image) => compared(inner(image, crop), reference);
        images.push({ ...await quality(await enlargeLuma(low, enlarger, scale, { selfEnsemble, signal })), bicubic: await quality(await bicubicOf(low, scale)) });
        onProgress?.({ done: images.length });
      }
    } finally {
      enlarger.dispose();
    }
    const means = (/** @type {Quality[]} */ list) => ({ psnr: mean(list.map(one => one.psnr)), ssim: mean(list.map(one => one.ssim)) });
    return { ...means(images), bicubic: means(images.map(({ bicubic }) => bicubic)), images };
  }

  /**
   * Saves the network with all that it takes to use it in one safetensors file.
   * @param {string | URL} target as of `model.save`
   * @param {{ about?: import('../archive.js').Json, signal?: AbortSignal }} [options] about: what the network was trained on, for whoever loads it
   * @returns {Promise<any>} bytes or a Blob for the targets 'bytes' and 'blob'
   */
  async save(target, options) {
    checkOptions(options, ['about', 'signal'], 'save');
    const { model, config } = this.#opened('save'), training = { ...this.#training, ...options?.about !== undefined && { about: options.about } };
    const report = JSON.parse(JSON.stringify(this.#report), (_, value) => (typeof value === 'number' ? Number(value.toPrecision(6)) : value)); // of many epochs
    const metadata = JSON.parse(JSON.stringify({ superResolution: { version, config, report, training } }));
    return model.save(target, { metadata, signal: options?.signal });
  }

  /**
   * Loads what `save` has written.
   * @param {Source} source as of `load`
   * @param {{ signal?: AbortSignal }} [options] signal: its abort stops the reading; the call then rejects with its reason
   * @returns {Promise<SuperResolver>}
   * @throws {HeddleError} `file` if it is none, `unsupported` if it is of a later version, `storage`
   */
  static async load(source, options) {
    const model = await load(source, options), found = /** @type {any} */ (model.metadata)?.superResolution;
    if (!found?.config || !(found.version >= 1 && found.version <= version)) {
      model.dispose();
      if (found?.version > version) throw new HeddleError('unsupported', `SuperResolver.load: the file is of version ${found.version}, this library knows ${version}`);
      throw new HeddleError('file', 'SuperResolver.load: the file holds a model, but no super-resolver: it was not written by SuperResolver.save');
    }
    const resolver = new SuperResolver();
    try {
      [resolver.#model, resolver.#config, resolver.#report, resolver.#training] = [model, readStored(found.config), found.report, found.training];
    } catch (cause) {
      model.dispose();
      blame(cause, 'SuperResolver.load');
    }
    return resolver;
  }

  /**
   * A network that comes with heddle, fetched or read from beside this module.
   * @param {PretrainedOptions} [options]
   * @returns {Promise<SuperResolver>}
   * @throws {HeddleError} `unsupported` if there is none of this kind, `storage`; AbortError
   */
  static async pretrained(options = {}) {
    return SuperResolver.load(pretrainedUrl(options), { signal: options.signal });
  }

  /** Frees the engine's memory; the resolver is then as before a training. More calls do nothing. */
  dispose() {
    this.#model?.dispose();
    this.#model = this.#config = null;
  }
}

if (Symbol.dispose) Object.defineProperty(SuperResolver.prototype, Symbol.dispose, { value: SuperResolver.prototype.dispose, configurable: true, writable: true });
