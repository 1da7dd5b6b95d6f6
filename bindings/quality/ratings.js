/** Files of ratings: which picture has which mean opinion score (MOS). */
import { HeddleError, checkOptions, kindOf, suggest } from '../errors.js';
import { loadFrom } from '../stores/index.js';
import { decimal, readRows } from './table.js';

/** @import { Source } from '../stores/index.js' */
/** @import { Row, Table } from './table.js' */
/**
 * @typedef {object} RatingsOptions
 * @property {'csv' | 'tsv' | 'json'} [format] by the file's first characters, unless told
 * @property {string} [image] the column of picture names, where it has no usual name; columns of a file without names are "column 1", "column 2" ...
 * @property {string} [score] the column of scores
 * @property {string | null} [std] the column of standard deviations; null: none is read, though one may be there
 * @property {string | null} [reference] the column that says which original a distorted picture was made from
 * @property {string | null} [split] the column that says what a picture is for: training, validation or test
 * @property {AbortSignal} [signal] stops the reading of the sources; `readRatings` then rejects with its reason
 */
/**
 * @typedef {object} Ratings
 * @property {string[]} images names as in the file
 * @property {Float64Array<ArrayBuffer>} scores in the file's own scale and direction
 * @property {Float64Array<ArrayBuffer>} [std] standard deviation of each score
 * @property {string[]} [references] the original that each picture was made from, if there is such a column
 * @property {string[]} [splits] as in the file
 * @property {'csv' | 'koniq-10k' | 'clive'} known the published file it was recognised as; csv: none
 * @property {{ [role: string]: string }} columns that were read, such as { image: 'image_name', score: 'MOS' }
 * @property {string[]} omitted pictures of the file that are no part of the ratings (CLIVE: the seven its raters were trained on)
 */

const roles = /** @type {const} */ (['image', 'score', 'std', 'reference', 'split']);
/** Usual names, the likelier ones first; upper case and what is no letter or digit do not count. */
const usual = {
  image: ['image', 'imagename', 'imagefile', 'imagepath', 'img', 'imgname', 'imgpath', 'distimg', 'distortedimage', 'filename', 'file', 'path',
    'picture', 'photo', 'name', 'allimagesrelease'],
  score: ['moszscore', 'mos', 'meanopinionscore', 'dmos', 'score', 'meanscore', 'rating', 'meanrating', 'quality', 'subjectivescore',
    'allmosrelease'],
  std: ['mosstd', 'std', 'sd', 'stddev', 'mossd', 'dmosstd', 'standarddeviation', 'sigma', 'allstddevrelease'],
  reference: ['reference', 'referenceid', 'referenceimage', 'refimage', 'refimg', 'refname', 'refid', 'ref'],
  split: ['split', 'set', 'subset', 'partition'],
};
const plain = (/** @type {string} */ name) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

/** @param {string} message @returns {never} */
function refuse(message) {
  throw new HeddleError('file', `ratings: ${message}`);
}

/** What a published file has of its own. KonIQ-10k (Hosu, Lin, Sziranyi, Saupe 2020) counts votes 1..5; CLIVE (Ghadiyaram, Bovik 2016)
 * has pictures for training its raters among the others. @param {string[]} names @returns {Ratings['known']} */
function recognise(names) {
  const has = new Set(names.map(plain));
  if (['imagename', 'c1', 'c2', 'c3', 'c4', 'c5', 'ctotal', 'mos', 'sd'].every(name => has.has(name))) return 'koniq-10k';
  const isClive = [['allimagesrelease', 'allmosrelease'], ['releasefile', 'role', 'mos', 'mosstd']].some(set => set.every(name => has.has(name)));
  return isClive ? 'clive' : 'csv';
}

/** @param {string[]} names @param {string} name @returns {number} */
function only(names, name) {
  const at = names.indexOf(name);
  if (names.indexOf(name, at + 1) >= 0) refuse(`two columns have the name "${name}"`);
  return at;
}

/** The place of a role's column, -1 if there is none. @param {Table} table @param {typeof roles[number]} role @param {unknown} asked */
function findColumn({ names, rows }, role, asked) {
  if (asked === null && role !== 'image' && role !== 'score') return -1;
  if (asked !== undefined) {
    if (typeof asked !== 'string') throw new HeddleError('argument', `readRatings: ${role}: expected the name of a column, got ${kindOf(asked)}`);
    if (names.includes(asked)) return only(names, asked);
    throw new HeddleError('argument', `readRatings: ${role} = "${asked}": there is no such column${suggest(asked, names)}`);
  }
  const short = names.map(plain), found = usual[role].find(name => short.includes(name));
  if (found !== undefined) return only(names, names[short.indexOf(found)]);
  if (names.every((name, i) => name === `column ${i + 1}`) && names.length === 2 && rows.length) { // picture and score, in either order
    const score = rows[0].fields.findIndex(field => decimal.test(field));
    if (score >= 0 && role === 'score') return score;
    if (score >= 0 && role === 'image') return 1 - score;
  }
  return -1;
}

/** @param {Table} table @param {RatingsOptions} options @param {Ratings['known']} known @returns {Record<typeof roles[number], number>} */
function findColumns(table, options, known) {
  const at = /** @type {Record<typeof roles[number], number>} */ (Object.fromEntries(roles.map(role => [role, findColumn(table, role, options[role])])));
  for (const [role, what] of /** @type {const} */ ([['image', 'picture names'], ['score', 'scores']])) {
    if (at[role] >= 0) continue;
    refuse(`no column of ${what} among ${table.names.map(name => `"${name}"`).join(', ')}: expected one of ${usual[role].join(', ')}; `
      + `name yours by the option ${role}`);
  }
  const taken = roles.filter(role => at[role] >= 0), twice = taken.find((role, i) => taken.slice(0, i).some(other => at[other] === at[role]));
  if (twice) throw new HeddleError('argument', `readRatings: ${twice} = "${table.names[at[twice]]}": the column is taken for something else already`);
  // KonIQ's SD is of votes 1..5, and so is its MOS only where MOS_zscore stands beside it: the scores of 1..100 have no deviation of theirs
  const inVotes = plain(table.names[at.score]) === 'mos' && table.names.some(name => plain(name) === 'moszscore');
  if (known === 'koniq-10k' && options.std === undefined && !inVotes) at.std = -1;
  return at;
}

/** @param {string} field @param {string} where @returns {number} finite in float32, which models are trained in */
function finite(field, where) {
  const value = decimal.test(field) ? Number(field) : NaN;
  if (Number.isFinite(Math.fround(value))) return value;
  const hint = /^[+-]?\d+,\d+$/.test(field) ? ' with a point, not a comma' : '';
  return refuse(`${where} is ${field === '' ? 'missing' : `"${field.slice(0, 40)}"`}, expected a finite number${hint}`);
}

/** @param {Row[]} rows @param {number} at @returns {string[]} */
function readNames(rows, at) {
  /** @type {Map<string, string>} */
  const places = new Map();
  return rows.map(({ place, fields }) => {
    const name = fields[at], key = name.normalize(); // file systems differ in how they write accents
    if (name === '') refuse(`${place}: the picture's name is empty`);
    const before = places.get(key);
    if (before) refuse(`${place}: "${name}" is rated a second time, first in ${before}`);
    places.set(key, place);
    return name;
  });
}

/** @param {Row[]} rows @param {number} at @param {string[]} images */
function readStd(rows, at, images) {
  return Float64Array.from(rows, ({ place, fields }, i) => {
    const where = `${place}: the standard deviation of "${images[i]}"`, value = finite(fields[at], where);
    return value >= 0 ? value : refuse(`${where} is ${value}, expected at least 0`);
  });
}

/** @param {Row[]} rows @param {number} at @param {string} what */
const readTexts = (rows, at, what) => rows.map(({ place, fields }) => fields[at] || refuse(`${place}: the ${what} is empty`));

/** @param {Table} table @param {RatingsOptions} options @returns {Ratings} */
function toRatings(table, options) {
  const known = recognise(table.names), at = findColumns(table, options, known);
  const isOmitted = (/** @type {Row} */ { fields }) => known === 'clive' && /^t[1-7]\.\w+$/.test(fields[at.image]);
  const rows = table.rows.filter(row => !isOmitted(row));
  if (rows.length < 2) refuse(`${rows.length} row${rows.length === 1 ? '' : 's'}, expected at least two rated pictures`);
  const images = readNames(rows, at.image);
  const scores = Float64Array.from(rows, ({ place, fields }, i) => finite(fields[at.score], `${place}: the score of "${images[i]}"`));
  if (scores.every(score => Math.fround(score) === Math.fround(scores[0]))) {
    refuse(`all ${scores.length} scores are ${scores[0]}: there is nothing to learn from ratings that do not differ`);
  }
  return {
    images, scores, known,
    ...at.std >= 0 && { std: readStd(rows, at.std, images) },
    ...at.reference >= 0 && { references: readTexts(rows, at.reference, 'reference') },
    ...at.split >= 0 && { splits: readTexts(rows, at.split, `value of "${table.names[at.split]}"`) },
    columns: Object.fromEntries(roles.filter(name => at[name] >= 0).map(name => [name, table.names[at[name]]])),
    omitted: table.rows.filter(isOmitted).map(({ fields }) => fields[at.image]),
  };
}

/**
 * Reads ratings: CSV, TSV, JSON (an array of objects, an object of arrays, or { "a.jpg": 3.5 }), packed with gzip or not, or MAT-files.
 * Columns are found by usual names (image, file, image_name ...; MOS_zscore, mos, dmos, score ...; std, SD ...; reference; set, split ...), or
 * named by options. The published tables of KonIQ-10k (scores_and_distributions, distributions_sets) and of CLIVE (a table, or the three
 * MAT-files of its release) are recognised.
 * @param {Source | readonly Source[]} source as for `load`; a string with a line end in it is the text itself; several MAT-files are one table
 * @param {RatingsOptions} [options]
 * @returns {Promise<Ratings>}
 * @throws {HeddleError} `file`, with the line: a column that is missing, a name that is empty or comes twice, a score that is no finite number, fewer
 *   than two rows, scores that are all the same; `argument` for options that do not fit; `storage` if the source cannot be read
 */
export async function readRatings(source, options = {}) {
  checkOptions(options, ['format', 'signal', ...roles], 'readRatings');
  const { format, signal } = options, formats = ['csv', 'tsv', 'json'];
  if (format !== undefined && !formats.includes(format)) {
    throw new HeddleError('argument', `readRatings: format = ${JSON.stringify(format)}, expected one of ${formats.join(', ')}`);
  }
  const load = async (/** @type {Source} */ one) => (typeof one === 'string' && /[\r\n]/.test(one) ? one : loadFrom(one, { signal }));
  return toRatings(await readRows(await Promise.all((Array.isArray(source) ? source : [source]).map(load)), format), options);
}
