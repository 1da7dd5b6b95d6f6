// MNIST's digits as bytes, from the files that come with the pages.
import { mnistRows } from './sample_files.js';

export const side = 28, pixels = side * side;
/** Mean and standard deviation of a pixel over MNIST's training digits, in units of white. */
const mean = 0.1307, deviation = 0.3081;
/** What makes a network's input of pixels 0..255: value = pixel * scale + offset. */
export const preprocessing = { scale: 1 / (255 * deviation), offset: -mean / deviation };

/** @typedef {{ images: Uint8Array, labels: Uint8Array, rows: number }} Digits */

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
      known = { ...await mnistRows(set, rows, onProgress), rows };
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
