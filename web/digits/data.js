// What the network reads, and the user's own digits: files in the IDX format.
import { HeddleError } from 'heddle';
import { readIdx } from 'heddle/files';
import { part, pixels, preprocessing, side } from '../mnist.js';

/** @typedef {import('../mnist.js').Digits} Digits */

/** The network's input: bytes stay bytes, standardised by scale and offset. @param {Uint8Array} images */
export const asInput = (images) => ({
  data: images, shape: [images.length / pixels, side, side], ...preprocessing,
});

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
