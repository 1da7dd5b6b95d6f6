/** Two generations of a checkpoint, written in turn: whatever happens to the newer one, the older is there. */
import { HeddleError, kindOf, part } from '../errors.js';
import { isNode } from '../platform.js';
import { loadFrom, removeFrom, saveTo } from '../stores/index.js';
import { open, seal } from './format.js';

const places = 'a path (Node), file:, indexeddb://name, opfs://path/name or "memory"';

/** There is no such file or entry. @param {unknown} error */
const isMissing = error => error instanceof HeddleError && error.code === 'storage'
  && (/no such entry/.test(error.message) || /** @type {NodeJS.ErrnoException} */ (error.cause)?.code === 'ENOENT');

/** @param {unknown} store @returns {string} */
export function checkStore(store) {
  const text = store instanceof URL ? store.href : store;
  if (typeof text !== 'string' || text === '') throw new HeddleError('argument', `checkpoint: store: expected ${places}, got ${text === '' ? 'an empty string' : kindOf(store)}`);
  const [, scheme] = /^([a-z][a-z0-9+.-]+):/i.exec(text) ?? [];
  if (scheme && !['file', 'indexeddb', 'opfs'].includes(scheme.toLowerCase())) {
    throw new HeddleError('argument', `checkpoint: store: "${text.slice(0, 100)}", expected ${places}`);
  }
  if (!scheme && text !== 'memory' && !isNode()) throw new HeddleError('unsupported', `checkpoint: store: "${text}": file paths work in Node only, expected indexeddb://name or opfs://path/name`);
  return text;
}

/** The store is a path or file: URL. @param {string} store */
export const isPath = store => store !== 'memory' && !/^(indexeddb|opfs):/i.test(store);

export class Generations {
  #names;
  /** What memory holds. @type {(Uint8Array | undefined)[]} */
  #memory = [];
  #serial = 0;
  /** To be written to next. */
  #next = 0;
  /** Bytes of the last one written or read. */
  bytes = 0;

  /** @param {string} store checked */
  constructor(store) {
    this.store = store;
    this.#names = [`${store}.a`, `${store}.b`];
  }

  /** @param {number} i @returns {Promise<Uint8Array | undefined>} */
  async #load(i) {
    if (this.store === 'memory') return this.#memory[i];
    return loadFrom(this.#names[i]).catch(error => {
      if (isMissing(error)) return undefined;
      throw error;
    });
  }

  /**
   * The newest generation that is whole, or the one before it; what is written next replaces the other one.
   * @param {boolean} [older] if there is one
   * @returns {Promise<{ payload: Uint8Array, damaged: string[] } | null>} damaged: what was passed over; null: there is none at all
   * @throws {HeddleError} `file` if none is whole; `storage`
   */
  async read(older = false) {
    /** @type {{ serial: number, payload: Uint8Array, i: number }[]} */
    const whole = [];
    const damaged = [];
    for (const i of [0, 1]) {
      const bytes = await this.#load(i), found = bytes && await open(bytes);
      if (typeof found === 'string') damaged.push(`"${this.#names[i]}": ${found}`);
      else if (found) whole.push({ ...found, i });
    }
    const [newest, before = newest] = whole.sort((a, b) => b.serial - a.serial), taken = older ? before : newest;
    if (!taken && damaged.length) {
      throw new HeddleError('file', `checkpoint: no generation is whole: ${damaged.join('; ')}. To begin anew give resume: false, or call removeCheckpoint`);
    }
    if (!taken) return null;
    [this.#serial, this.#next, this.bytes] = [newest.serial, 1 - taken.i, taken.payload.length];
    return { payload: taken.payload, damaged };
  }

  /** Replaces the older one. @param {Uint8Array} payload @throws {HeddleError} `storage`; both are as they were */
  async write(payload) {
    const bytes = await seal(this.#serial + 1, payload);
    if (this.store === 'memory') this.#memory[this.#next] = bytes;
    else await saveTo(this.#names[this.#next], bytes);
    this.#serial++;
    this.#next = 1 - this.#next;
    this.bytes = bytes.length;
  }

  /** Removes both, and what is damaged. */
  async remove() {
    this.#memory = [];
    for (const name of this.store === 'memory' ? [] : this.#names) {
      if (isPath(name)) await (await part(import('../stores/path.js'))).removePath(name);
      else await removeFrom(name).catch(error => { if (!isMissing(error)) throw error; });
    }
    [this.#serial, this.#next] = [0, 0];
  }
}
