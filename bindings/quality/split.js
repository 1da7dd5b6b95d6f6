/** Parts of rated pictures for training, validation and test. */
import { HeddleError, checkOptions, suggest } from '../errors.js';
import { checkSeed } from '../session.js';

/** @import { Ratings } from './ratings.js' */
/**
 * @typedef {object} SplitOptions
 * @property {number} [train] part of the pictures (by reference: of the references), above 0 and at most 1; 0.8 unless told
 * @property {number} [validation] 0 unless told; the rest is the test part
 * @property {'random' | 'reference' | 'column'} [by] `reference`: all pictures of one reference come into one part; `column`: as the column of the
 *   file says (train or training; val, valid, validation or dev; test or testing), without seed and fractions. `random` unless told
 * @property {number} [seed] whole number; 0 unless told
 */
/**
 * Numbers of rows, from 0, rising; each row is in one part.
 * @typedef {object} Parts
 * @property {Int32Array<ArrayBuffer>} train rows to learn from
 * @property {Int32Array<ArrayBuffer>} validation rows to choose by; may be empty
 * @property {Int32Array<ArrayBuffer>} test the others; may be empty
 */

const parts = /** @type {const} */ (['train', 'validation', 'test']);
/** @type {{ [word: string]: typeof parts[number] }} */
const words = {
  train: 'train', training: 'train', val: 'validation', valid: 'validation', validation: 'validation', dev: 'validation', test: 'test', testing: 'test',
};

/** @param {string} message @returns {never} */
function refuse(message) {
  throw new HeddleError('argument', `split: ${message}`);
}

/** 53 bits that look random: two lanes of FNV-1a, each mixed as in MurmurHash3. @param {string} text @param {number} seed */
function chance(text, seed) {
  const lanes = [0x811c9dc5 ^ seed, 0xc9dc5118 ^ Math.floor(seed / 2 ** 32)].map((start, lane) => {
    let h = start;
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ (text.charCodeAt(i) + lane), 0x01000193);
    for (const factor of [0x85ebca6b, 0xc2b2ae35]) h = Math.imul(h ^ (h >>> 16), factor);
    return (h ^ (h >>> 16)) >>> 0;
  });
  return lanes[0] * 2 ** 21 + (lanes[1] >>> 11);
}

/** How many of n go where: rounded, but a part that was asked for gets at least one.
 * @param {number} n @param {[number, number, number]} fractions @param {string} what */
function counts(n, fractions, what) {
  const wanted = fractions.filter(fraction => fraction > 0).length;
  if (n < wanted) refuse(`${n} ${what} are too few for ${wanted} parts`);
  const sizes = fractions.map(fraction => (fraction > 0 ? Math.max(1, Math.round(fraction * n)) : 0));
  for (let excess = sizes[0] + sizes[1] + sizes[2] - n; excess !== 0; excess -= Math.sign(excess)) { // the largest part takes what rounding leaves
    sizes[sizes.indexOf(Math.max(...sizes))] -= Math.sign(excess);
  }
  return sizes;
}

/** @param {SplitOptions} options @returns {[number, number, number]} */
function fractionsOf({ train = 0.8, validation = 0 }) {
  if (typeof train !== 'number' || !(train > 0 && train <= 1)) refuse(`train = ${String(train)}, expected a number above 0 and at most 1`);
  if (typeof validation !== 'number' || !(validation >= 0 && validation < 1)) {
    refuse(`validation = ${String(validation)}, expected a number from 0 to below 1`);
  }
  const test = 1 - train - validation;
  if (test < -1e-9) refuse(`train + validation = ${train + validation}, expected at most 1`);
  return [train, validation, test > 1e-9 ? test : 0];
}

/** @param {string[]} splits @param {string[]} images */
function byColumn(splits, images) {
  return splits.map((value, row) => {
    const word = value.toLowerCase();
    if (!Object.hasOwn(words, word)) refuse(`"${images[row]}" is for "${value}"${suggest(word, Object.keys(words))}`);
    return parts.indexOf(words[word]);
  });
}

/**
 * Splits rated pictures. A part depends on the seed and the pictures' names (or references) only: neither on the order of the file nor on
 * the platform.
 * @param {Pick<Ratings, 'images' | 'references' | 'splits'>} ratings as of `readRatings`
 * @param {SplitOptions} [options]
 * @returns {Parts}
 * @throws {HeddleError} `argument`: fractions that do not fit, too few pictures, by reference or column without that column
 */
export function split(ratings, options = {}) {
  checkOptions(options, ['train', 'validation', 'seed', 'by'], 'split');
  const { by = 'random' } = options, seed = options.seed === undefined ? 0 : checkSeed(options.seed, 'split'), fractions = fractionsOf(options);
  if (!['random', 'reference', 'column'].includes(by)) refuse(`by = ${JSON.stringify(by)}, expected one of random, reference, column`);
  const { images } = ratings, column = by === 'reference' ? ratings.references : by === 'column' ? ratings.splits : images;
  if (!column) refuse(`by = "${by}", but the ratings have no column of ${by === 'reference' ? 'references' : 'splits'}`);
  let place;
  if (by === 'column') {
    const isTold = [options.train, options.validation, options.seed].some(value => value !== undefined);
    if (isTold) refuse('by = "column" takes no train, validation or seed: the column says it all');
    place = byColumn(column, images);
    if (!place.includes(0)) refuse('no picture is for training');
  } else {
    const groups = [...new Set(column)].map(name => ({ name, key: chance(name.normalize(), seed) }));
    groups.sort((a, b) => a.key - b.key || (a.name < b.name ? -1 : 1));
    const [train, validation] = counts(groups.length, fractions, by === 'reference' ? 'references' : 'pictures');
    const partOf = new Map(groups.map(({ name }, i) => [name, i < train ? 0 : i < train + validation ? 1 : 2]));
    place = column.map(name => /** @type {number} */ (partOf.get(name)));
  }
  const [train, validation, test] = parts.map((_, part) => Int32Array.from(images.keys()).filter(row => place[row] === part));
  return { train, validation, test };
}
