/** Pictures as a quality model takes them: read one by one, sized as the model file says; those that can't be read are told apart. */
import { HeddleError, abortError, kindOf } from '../errors.js';
import { imageToTensor, resize } from '../images/index.js';
import { isNode, importNode } from '../platform.js';

/** @import { ImageSource } from '../images/index.js' */
/** @typedef {ImageSource | { name: string, source: ImageSource }} Picture whatever `heddle/images` takes; with a name for messages and reports */
/**
 * How pictures are made ready; stored in the model file.
 * @typedef {object} Preprocessing
 * @property {readonly [number, number]} size [height, width] that the network takes, by PIL's bilinear filter with antialiasing, on bytes
 * @property {readonly [number, number]} [first] pictures of another size are brought to this one before
 * @property {string} normalization of the network's first layer: that of the recipe's option "preprocessing"
 */
/**
 * A picture that could not be read.
 * @typedef {object} Skipped
 * @property {number} index its place in the list that was given, from 0
 * @property {string} name its own, or that of its file or address; "picture" and its index if it has none
 * @property {string} reason why, as a sentence
 * @property {string} [set] in the report of a fit: `training` or `validation`
 */
/** @typedef {{ data: Uint8Array<ArrayBuffer>, shape: number[] }} Pixels */

/** @param {any} picture @param {number} index @returns {{ name: string, source: any }} */
export function namedPicture(picture, index) {
  if (picture === null || picture === undefined || typeof picture === 'number' || typeof picture === 'boolean') {
    throw new HeddleError('argument', `picture ${index} is missing: got ${kindOf(picture)}`);
  }
  if (typeof picture === 'object' && 'source' in picture) return { name: String(picture.name ?? `picture ${index}`), source: picture.source };
  const name = typeof picture === 'string' ? picture : picture instanceof URL ? picture.href : picture.name;
  return { name: typeof name === 'string' && name ? name : `picture ${index}`, source: picture };
}

/** @param {Pixels} pixels @param {readonly [number, number]} size */
async function sized({ data, shape }, [height, width]) {
  if (shape[0] === height && shape[1] === width) return { data, shape };
  return /** @type {Promise<Pixels>} */ (resize({ data, shape }, { height, width, method: 'bilinear' }));
}

/** @param {ImageSource} source @param {Preprocessing} preprocessing @returns {Promise<Pixels>} RGB bytes, [height, width, 3] */
export async function preprocess(source, { size, first }) {
  const whole = await imageToTensor(source);
  return sized(first ? await sized(whole, first) : whole, size);
}

/**
 * Copies a part of a picture.
 * @param {Pixels} pixels @param {number} top @param {number} left @param {readonly [number, number]} size of the part @param {Uint8Array} to
 * @param {number} at where it begins there @param {boolean} [mirrored] left and right exchanged
 */
export function cut({ data, shape: [, width, channels] }, top, left, [height, wide], to, at, mirrored = false) {
  for (let y = 0; y < height; y++) {
    const begin = ((top + y) * width + left) * channels, row = at + y * wide * channels;
    if (!mirrored) to.set(data.subarray(begin, begin + wide * channels), row);
    else for (let x = 0; x < wide; x++) for (let c = 0; c < channels; c++) to[row + x * channels + c] = data[begin + (wide - 1 - x) * channels + c];
  }
}

/** The bytes that stand for a picture, to be digested and decoded; null: it has none (a canvas, a video).
 * @param {any} source @returns {Promise<Uint8Array | null>} */
export async function bytesOf(source) {
  if (source instanceof Uint8Array) return source;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (source instanceof Blob) return new Uint8Array(await source.arrayBuffer());
  if (isNode() && (typeof source === 'string' || source instanceof URL)) {
    try {
      return await (await importNode('node:fs/promises')).readFile(source);
    } catch (cause) {
      throw new HeddleError('file', `it can't be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
  }
  return null;
}

/** Errors of one picture, which others need not suffer for. @param {unknown} error @returns {error is HeddleError} */
const isOfPicture = error => error instanceof HeddleError && error.code === 'file';

/**
 * Works on pictures one by one, in order; the next is read while one is worked on.
 * @template T, U
 * @param {Iterable<Picture> | AsyncIterable<Picture>} pictures
 * @param {(source: any, name: string) => Promise<T>} read
 * @param {(value: T) => Promise<U>} work
 * @param {AbortSignal} [signal]
 * @returns {AsyncGenerator<{ index: number, name: string, value: U } | { index: number, name: string, skipped: Skipped }, void, void>}
 */
export async function* eachPicture(pictures, read, work, signal) {
  /** @param {any} picture @param {number} index */
  const begin = (picture, index) => {
    const { name, source } = namedPicture(picture, index);
    const result = read(source, name).then(value => ({ value }), error => ({ error }));
    return { index, name, result };
  };
  let count = 0, waiting = null;
  for await (const picture of pictures) {
    const next = begin(picture, count++);
    if (waiting) yield await finish(waiting);
    waiting = next;
  }
  if (waiting) yield await finish(waiting);

  /** @param {ReturnType<typeof begin>} given */
  async function finish({ index, name, result }) {
    if (signal?.aborted) throw abortError(signal);
    const done = await result;
    if ('value' in done) return { index, name, value: await work(done.value) };
    if (!isOfPicture(done.error)) throw done.error;
    return { index, name, skipped: { index, name, reason: done.error.message } };
  }
}
