// The user's own pictures, and their ratings: of a file, or given here.
import { HeddleError } from 'heddle';
import { matchImages, nextPair, pairwiseScores, readRatings } from 'heddle/quality';
import { picturesOf } from './pictures.js';

/** @import { Picture } from './pictures.js' */
/** @import { RatedSet } from './example.js' */
/** @typedef {{ better: string, worse: string, tie?: boolean }} Choice */

/** Fewer can't be learnt from, and others be held back. */
export const fewest = 8;
const isTable = ({ path }) => /\.(csv|tsv|json)(\.gz)?$/i.test(path), count = (n, what) => `${n.toLocaleString('en')} ${what}${n === 1 ? '' : 's'}`;

export class OwnPictures {
  /** @type {Picture[]} */
  pictures = [];
  /** Of a file. @type {{ name: string, ratings: import('heddle/quality').Ratings } | null} */
  file = null;
  /** Given one by one, by the picture's name. @type {Map<string, number>} */
  scores = new Map();
  /** @type {Choice[]} */
  choices = [];
  /** How pictures are rated here. @type {'slider' | 'pairs'} */
  tool = 'slider';

  /** @param {import('../dropped.js').Found[]} files */
  async take(files) {
    const tables = files.filter(isTable), pictures = picturesOf(files);
    if (tables.length > 1) throw new HeddleError('file', `There are ${tables.length} files of ratings (${tables[0].path}, ${tables[1].path}), expected one.`);
    if (tables.length + pictures.length === 0) throw new HeddleError('file', `${files[0]?.path ?? 'This'} is neither a picture nor a file of ratings (CSV, TSV, JSON).`);
    const have = new Set(this.pictures.map(({ name }) => name)), next = [...this.pictures, ...pictures.filter(({ name }) => !have.has(name))];
    const file = tables.length ? { name: tables[0].path, ratings: await this.#read(tables[0].file) } : this.file;
    if (file && next.length) matchImages(file.ratings, next); // refuses what is ambiguous
    this.pictures = next;
    this.file = file;
  }

  /** @param {File} file */
  async #read(file) {
    try {
      return await readRatings(file);
    } catch (cause) {
      throw new HeddleError(cause.code ?? 'file', `${file.name} can't be used. ${cause.message}`, { cause });
    }
  }

  /** Two pictures to be compared next. @returns {Picture[]} */
  pair() {
    const names = nextPair(this.pictures.map(({ name }) => name), this.choices);
    return names.map((name) => this.pictures.find((picture) => picture.name === name));
  }

  /** Ratings that were given here. @returns {{ images: string[], scores: Float64Array }} */
  given() {
    if (this.tool === 'slider') return { images: [...this.scores.keys()], scores: Float64Array.from(this.scores.values()) };
    if (this.choices.length === 0) return { images: [], scores: new Float64Array() };
    const { images, scores } = pairwiseScores(this.choices);
    return { images, scores };
  }

  /** @returns {RatedSet} @throws {HeddleError} `state` if there is too little to learn from */
  set() {
    if (this.pictures.length === 0) throw new HeddleError('state', 'There are no pictures of your own yet: drop some on this page.');
    const ratings = this.file?.ratings ?? this.given(), { rows, files } = matchImages(ratings, this.pictures), at = Array.from(rows);
    const scores = Float64Array.from(at, (row) => ratings.scores[row]);
    if (rows.length < fewest) {
      throw new HeddleError('state', `${count(rows.length, 'picture')} ${rows.length === 1 ? 'has' : 'have'} a rating, expected ${fewest} at least${this.file ? '' : ': rate more of them'}.`);
    }
    if (scores.every((score) => score === scores[0])) throw new HeddleError('state', 'All ratings are the same: there is nothing to learn from them.');
    const { references, splits } = ratings, pick = (column) => column && at.map((row) => column[row]);
    return { name: this.file?.name ?? 'your ratings', pictures: files, images: files.map(({ name }) => name), scores, references: pick(references), splits: pick(splits) };
  }

  /** What is there, in words. */
  describe() {
    const pictures = count(this.pictures.length, 'picture');
    if (!this.file) return this.pictures.length === 0 ? 'No pictures yet.' : `${pictures}; rate them here, or add a file of ratings.`;
    const ratings = count(this.file.ratings.images.length, 'rating');
    if (this.pictures.length === 0) return `${this.file.name}: ${ratings}. Now add the pictures.`;
    const { rows, missing, unrated } = matchImages(this.file.ratings, this.pictures);
    const some = (list) => `${list.slice(0, 3).join(', ')}${list.length > 3 ? ' and others' : ''}`;
    return `${pictures}, ${count(rows.length, 'of them rated').replace(/s$/, '')} by ${this.file.name}.`
      + (missing.length ? ` No picture for ${count(missing.length, 'rating')}: ${some(missing)}.` : '')
      + (unrated.length ? ` Without rating: ${some(unrated.map(({ name }) => name))}.` : '');
  }
}
