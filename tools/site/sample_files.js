// Where the sample data of the pages are, on the site: photographs, and MNIST in gzipped blocks of 10,000 digits, of which only those needed are fetched.
import { HeddleError } from 'heddle';
import { readIdx } from 'heddle/files';

const data = new URL('data/', import.meta.url), blockRows = 10_000;

/** A photograph in the public domain. @param {string} name @returns {URL} */
export const photograph = (name) => new URL(`${name}.jpg`, data);

/** @param {string} name @returns {Promise<Uint8Array>} the elements of an IDX file */
async function fetchBlock(name) {
  let response;
  try {
    response = await fetch(new URL(name, data));
  } catch (cause) {
    throw new HeddleError('storage', `The digits could not be fetched (${cause.message}). Offline there are only those that were fetched before.`, { cause });
  }
  if (!response.ok) throw new HeddleError('storage', `The file ${name} could not be fetched: the server answered ${response.status}.`);
  return (await readIdx(await response.arrayBuffer())).data;
}

/** The first rows of MNIST. @param {'train' | 't10k'} set @param {number} rows @param {(part: number) => void} [onProgress] 0..1 of the pictures are here
 * @returns {Promise<{ images: Uint8Array, labels: Uint8Array }>} */
export async function mnistRows(set, rows, onProgress) {
  const images = new Uint8Array(rows * 28 * 28), labels = fetchBlock(`${set}-labels.idx.gz`);
  labels.catch(() => {}); // is told below, after the pictures
  for (let block = 0; block * blockRows < rows; block++) {
    const part = await fetchBlock(`${set}-images-${block}.idx.gz`), begin = block * blockRows * 28 * 28;
    images.set(part.subarray(0, images.length - begin), begin);
    onProgress?.(Math.min(1, (block + 1) * blockRows / rows));
  }
  return { images, labels: (await labels).subarray(0, rows) };
}
