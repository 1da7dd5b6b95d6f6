/** Scores of parts of a picture. */
import { HeddleError, checkOptions, wholeNumber } from '../errors.js';
import { build } from '../model.js';
import { copyWeights, resized } from './network.js';
import { cut, namedPicture, preprocess } from './pictures.js';

/** @import { Model } from '../model.js' */
/** @import { Picture, Preprocessing } from './pictures.js' */
/**
 * @typedef {object} LocalOptions
 * @property {number} [patch] height and width of a part in pixels of the picture that the network sees; at least 16; 224 unless told, at most the picture
 * @property {number} [stride] from one part to the next, at most (they are spread evenly); half of the patch unless told
 * @property {AbortSignal} [signal] stops between parts; the call then rejects with its reason
 */

/** Patches that are scored at a time. */
const atOnce = 4;

/** Where patches begin, the last at the end. @param {number} length @param {number} patch @param {number} stride */
function positions(length, patch, stride) {
  const count = Math.ceil((length - patch) / stride) + 1;
  return Array.from({ length: count }, (_, i) => (count === 1 ? 0 : Math.round(i * (length - patch) / (count - 1))));
}

/**
 * @param {Model} net @param {Preprocessing} preprocessing @param {Picture} image @param {LocalOptions} options
 * @returns {Promise<{ data: Float64Array<ArrayBuffer>, shape: [number, number], rows: number[], columns: number[], patch: [number, number], size: [number, number] }>}
 */
export async function localScores(net, preprocessing, image, options) {
  checkOptions(options, ['patch', 'stride', 'signal'], 'localScores');
  const [height, width] = preprocessing.size, side = wholeNumber(options.patch, 'localScores: patch', 16, Math.min(224, height, width));
  if (side > Math.max(height, width)) throw new HeddleError('argument', `localScores: patch = ${side}, expected at most ${Math.max(height, width)}`);
  /** @type {[number, number]} */
  const patch = [Math.min(side, height), Math.min(side, width)], stride = wholeNumber(options.stride, 'localScores: stride', 1, Math.ceil(side / 2));
  const rows = positions(height, patch[0], stride), columns = positions(width, patch[1], stride);
  const pixels = await preprocess(namedPicture(image, 0).source, preprocessing), { model } = await build(resized(net.description, patch));
  try {
    await copyWeights(net, model);
    const places = rows.flatMap(top => columns.map(left => [top, left])), data = new Float64Array(places.length), size = patch[0] * patch[1] * 3;
    for (let at = 0; at < places.length; at += atOnce) {
      const some = places.slice(at, at + atOnce), x = new Uint8Array(some.length * size);
      some.forEach(([top, left], i) => cut(pixels, top, left, patch, x, i * size));
      data.set((await model.predict({ data: x, shape: [some.length, ...patch, 3] }, { output: 'main', batchSize: atOnce, signal: options.signal })).data, at);
    }
    return { data, shape: [rows.length, columns.length], rows, columns, patch, size: [height, width] };
  } finally {
    model.dispose();
  }
}
