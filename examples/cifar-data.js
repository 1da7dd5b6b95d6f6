// CIFAR-10 from a folder that the user gives, in one of the forms it comes in. Pixels stay bytes; the net divides by 255.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HeddleError, loadFrom } from 'heddle';
import { readCifar10 } from 'heddle/files';
import { imageToTensor } from 'heddle/images';

/** @typedef {{ x: { data: Uint8Array, shape: number[], scale: number }, y: Uint8Array }} Part */

const pixels = 32 * 32 * 3;

/** @param {Uint8Array} data @param {Uint8Array} y @returns {Part} */
const part = (data, y) => ({ x: { data, shape: [y.length, 32, 32, 3], scale: 1 / 255 }, y });

/** The first `count` rows, or those from `begin` on. @param {Part} of @param {number} begin @param {number} [end] */
export const rows = ({ x, y }, begin, end = y.length) => part(x.data.subarray(begin * pixels, end * pixels), y.subarray(begin, end));

/** @param {Part[]} parts */
function joined(parts) {
  const data = new Uint8Array(parts.reduce((sum, { x }) => sum + x.data.length, 0)), y = new Uint8Array(data.length / pixels);
  let at = 0;
  for (const one of parts) {
    data.set(one.x.data, at * pixels);
    y.set(one.y, at);
    at += one.y.length;
  }
  return part(data, y);
}

/** @param {string} path of a binary file */
async function binary(path) {
  const { images, labels } = await readCifar10(await loadFrom(path));
  return part(images.data, labels);
}

/** 10,000 pictures as tiles of one: 100 x 100, row by row. @param {string} path @param {Uint8Array} y */
async function sprite(path, y) {
  const { data: sheet, shape: [height, width] } = await imageToTensor(path), across = width / 32, data = new Uint8Array(y.length * pixels);
  if (width % 32 || across * (height / 32) < y.length) throw new HeddleError('file', `${path}: ${width} x ${height} pixels hold no ${y.length} tiles of 32 x 32`);
  for (let i = 0; i < y.length; i++) {
    const top = Math.floor(i / across) * 32, left = (i % across) * 32;
    for (let row = 0; row < 32; row++) {
      const from = ((top + row) * width + left) * 3;
      data.set(sheet.subarray(from, from + 96), i * pixels + row * 96);
    }
  }
  return part(data, y);
}

const sets = {
  /** The official binary files. */
  async official(/** @type {string} */ folder) {
    const batches = [];
    for (let i = 1; i <= 5; i++) batches.push(await binary(join(folder, `data_batch_${i}.bin`)));
    return { train: joined(batches), test: await binary(join(folder, 'test_batch.bin')) };
  },
  /** The first 4,000 records alone: 3,000 to train, 1,000 to test. */
  async clean(/** @type {string} */ folder) {
    const all = await binary(join(folder, 'train_lossless_first4000.bin.gz'));
    return { train: rows(all, 0, 3000), test: rows(all, 3000) };
  },
  /** All 60,000 pictures, but through JPEG: sheets of tiles, labels beside them. */
  async jpeg(/** @type {string} */ folder) {
    const labels = await loadFrom(join(folder, 'train_labels.bin')), sheets = [];
    for (let i = 0; i < 5; i++) sheets.push(await sprite(join(folder, `train_sprite_${i + 1}.jpg`), labels.subarray(i * 10000, (i + 1) * 10000)));
    return { train: joined(sheets), test: await sprite(join(folder, 'test_sprite.jpg'), await loadFrom(join(folder, 'test_labels.bin'))) };
  },
};
const marks = { official: 'data_batch_1.bin', jpeg: 'train_sprite_1.jpg', clean: 'train_lossless_first4000.bin.gz' };

/**
 * @param {string | undefined} path folder of the data, or one that has a folder cifar10 or cifar-10-batches-bin
 * @param {string} [set] official, jpeg or clean; the first of them that is there
 * @returns {Promise<{ set: string, train: Part, test: Part }>}
 */
export async function cifar10(path, set) {
  if (set !== undefined && !(set in sets)) throw new HeddleError('argument', `--set ${set}: expected one of ${Object.keys(sets).join(', ')}`);
  const folders = path ? ['', 'cifar10', 'cifar-10-batches-bin'].map((name) => join(path, name)) : [];
  for (const name of set ? [set] : ['official', 'jpeg', 'clean']) {
    const folder = folders.find((one) => existsSync(join(one, marks[name])));
    if (folder) return { set: name, ...await sets[name](folder) };
  }
  throw new HeddleError('file', `no CIFAR-10 ${path ? `in ${path}` : 'given'}: --data PATH or HEDDLE_DATA must be a folder with ${set ? marks[set] : Object.values(marks).join(', or ')} `
    + '(the binary version is at https://www.cs.toronto.edu/~kriz/cifar.html)');
}
