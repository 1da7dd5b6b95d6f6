// What can be learnt: sets of small pictures with their classes.
import { Mnist, part as digitsPart, preprocessing, side } from '../mnist.js';

/** @typedef {{ images: Uint8Array, labels: Uint8Array, rows: number }} Part pictures one after another */

/** Pictures of one shape, some to train on, some to test on. */
export class PictureSet {
  /** @param {{ name: string, shape: number[], classes: string[], preprocessing: { scale: number, offset: number } }} about shape:
   *   [height, width, channels]; preprocessing: value = byte * scale + offset */
  constructor({ name, shape, classes, preprocessing: how }) {
    Object.assign(this, { name, shape, classes, preprocessing: how, size: shape[0] * shape[1] * shape[2] });
  }

  /** Another one means other pictures. */
  get key() {
    return JSON.stringify([this.name, this.classes]);
  }

  /** What the network reads. @param {Uint8Array} images @returns {{ data: Uint8Array, shape: number[], scale: number, offset: number }} */
  input(images) {
    return { data: images, shape: [images.length / this.size, ...this.shape], ...this.preprocessing };
  }

  /** @param {Part} part @param {number} row @returns {Uint8Array} */
  picture({ images }, row) {
    return images.subarray(row * this.size, (row + 1) * this.size);
  }

  /** Rows of a part. @param {Part} part @param {number} end */
  first({ images, labels, rows }, end) {
    const count = Math.min(rows, end);
    return { images: images.subarray(0, count * this.size), labels: labels.subarray(0, count), rows: count };
  }
}

export class MnistSet extends PictureSet {
  #mnist = new Mnist();

  constructor() {
    super({ name: 'MNIST', shape: [side, side, 1], classes: Array.from('0123456789'), preprocessing });
  }

  /** @param {number} rows @param {(part: number) => void} onLoading @returns {Promise<Part>} */
  train(rows, onLoading) {
    return this.#mnist.train(rows, onLoading);
  }

  /** @param {number} rows trained on @returns {Promise<Part>} */
  test(rows) {
    return this.#mnist.test(rows);
  }

  /** Some of the test pictures, which come fast. @returns {Promise<Part>} */
  async examples() {
    return digitsPart(await this.#mnist.examples(), 0, 500);
  }
}

/** Pictures from the user's files. */
export class OwnSet extends PictureSet {
  /** @param {ConstructorParameters<typeof PictureSet>[0]} about @param {Part} train @param {Part} test */
  constructor(about, train, test) {
    super(about);
    Object.assign(this, { own: train, held: test });
  }

  get summary() {
    const [trained, tested] = [this.own.rows, this.held.rows].map((n) => n.toLocaleString('en'));
    return `${this.name}: ${this.classes.length} classes, ${trained} pictures to train on, ${tested} to test on`;
  }

  get key() {
    return JSON.stringify([this.summary, this.classes]);
  }

  /** @param {number} rows at most */
  async train(rows) {
    return this.first(this.own, rows);
  }

  /** @param {number} rows trained on: testing need not take longer than training */
  async test(rows) {
    return this.first(this.held, 2 * rows);
  }

  async examples() {
    return this.first(this.held, 500);
  }
}
