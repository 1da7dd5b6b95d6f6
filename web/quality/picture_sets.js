// Two sets of rated pictures, each with a scale of its own, and their features.
import { HeddleError } from 'heddle';
import { isPicture } from '../dropped.js';
import { examplePictures } from './example.js';
import { OwnPictures } from './own.js';

/** @import { Found } from '../dropped.js' */
/** @import { RatedSet } from './example.js' */
/** @import { Table } from './tables.js' */

/** Files of two folders that were dropped together, one list for each; otherwise one list. @param {Found[]} files */
export function folders(files) {
  const of = ({ path }) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : ''), names = [...new Set(files.map(of))];
  return names.length === 2 && !names.includes('') ? names.map((name) => files.filter((file) => of(file) === name)) : [files];
}

export class PictureSets {
  #own = [new OwnPictures(), new OwnPictures()];
  /** Sets with ratings that were given in the page. @type {(RatedSet | null)[]} */
  #taken = [null, null];

  /** Pictures and ratings. @param {Found[]} files @param {number} [which] unless told: two folders for both, else the first set that lacks some */
  async take(files, which) {
    const lists = which === undefined ? folders(files) : [files];
    if (lists.length === 2) this.#own = [new OwnPictures(), new OwnPictures()];
    for (const [i, list] of lists.entries()) {
      const at = which ?? (lists.length === 2 ? i : this.#lacking(list.some(isPicture)));
      await this.#own[at].take(list);
      this.#taken[at] = null;
    }
  }

  /** @param {boolean} hasPictures */
  #lacking(hasPictures) {
    const at = this.#own.findIndex(({ pictures, file }, i) => !this.#taken[i] && (hasPictures ? pictures.length === 0 : file === null));
    return at < 0 ? 1 : at;
  }

  /** @param {RatedSet} set @param {number} which */
  adopt(set, which) {
    this.#taken[which] = set;
  }

  /** What is there, in words. @param {number} which */
  describe(which) {
    const taken = this.#taken[which], { pictures, file } = this.#own[which];
    if (taken) return `${taken.pictures.length} pictures of the part Train, rated by ${taken.name}.`;
    if (pictures.length > 0 && !file) return `${pictures.length} pictures; add the file of their ratings.`;
    return this.#own[which].describe();
  }

  /** @returns {RatedSet[]} @throws {HeddleError} `state` if there is too little to learn from */
  sets() {
    return this.#own.map((own, i) => {
      if (this.#taken[i]) return this.#taken[i];
      try {
        return own.set();
      } catch (cause) {
        throw new HeddleError(cause.code ?? 'state', `${i ? 'Second' : 'First'} set: ${cause.message}`, { cause });
      }
    });
  }
}

/** Parts of photographs that were made worse, some rated in five steps and others in per cent. @param {number} side pixels @param {AbortSignal} signal
 * @param {(part: number) => void} onProgress @returns {Promise<RatedSet[]>} */
export async function exampleSets(side, signal, onProgress) {
  const make = (seed, begin) => examplePictures({ count: 120, side, seed, signal, onProgress: (part) => onProgress(begin + part / 2) });
  const [first, second] = [await make(21, 0), await make(22, 0.5)], rated = (set, name, rate) => ({ ...set, name, scores: set.scores.map(rate) });
  return [rated(first, 'five-step ratings', (score) => 1 + 4 * Math.sqrt(score / 100)), rated(second, 'percent ratings', (score) => 100 * (score / 100) ** 2)];
}

/** The features of a set's pictures. @param {import('heddle/quality').QualityModel} judge @param {RatedSet} set @param {AbortSignal} signal
 * @param {(done: number) => void} onDone @returns {Promise<Table & { unread: string[] }>} */
export async function tableOf(judge, { name, pictures, images, scores }, signal, onDone) {
  const { data, shape: [rows, size], rows: read } = await judge.features(pictures, { signal, onDone });
  if (rows < 2) throw new HeddleError('file', `${name}: ${rows === 0 ? 'none' : 'only one'} of the ${pictures.length} pictures could be read.`);
  const isRead = new Set(read), unread = images.filter((_, i) => !isRead.has(i));
  return { name, features: Array.from({ length: size }, (_, k) => `feature ${k + 1}`), rows, x: data, y: Float32Array.from(read, (row) => scores[row]), unread };
}
