/** Keeps the checkpoints of one fit: when they are due, where they go, and whose run they are of. */
import { HeddleError, checkOptions, wholeNumber } from '../errors.js';
import { decode, encode } from './format.js';
import { lockStore } from './lock.js';
import { Generations, checkStore } from './store.js';

/** @import { Core } from '../core.js' */
/** @import { FitEvent } from '../fit_options.js' */
/** @import { Limits, Refusal, Snapshot } from '../trainer.js' */
/** @import { RunState, Saved } from './format.js' */
/**
 * @typedef {object} CheckpointOptions
 * @property {string | URL} store a path (Node), file:, indexeddb://name, opfs://path/name, or 'memory', which only helps against crashes of
 *   the engine. Two generations are written in turn, to names that end in .a and .b
 * @property {number} [everySeconds] since the one before, looked at after each batch; 0: by batches and epochs alone. 30 unless told, but 0 if
 *   those are given
 * @property {number} [everyBatches] a checkpoint after each so many batches, at least 1, counted through all epochs of the fit; none unless told
 * @property {number} [everyEpochs] one after each so many epochs, at least 1, counted from epoch 0; none unless told
 * @property {boolean} [resume] go on with the unfinished run that the store holds; true unless told. false: begin anew, and remove what is there
 * @property {boolean} [keep] leave the checkpoint there, of the end, when the fit has ended; false unless told
 * @property {number} [restarts] how often an engine that crashed during the fit is replaced; 3 unless told
 */

const names = ['store', 'everySeconds', 'everyBatches', 'everyEpochs', 'resume', 'keep', 'restarts'];

/** @param {unknown} given of fit: options, a store, or undefined */
function readOptions(given) {
  const options = /** @type {CheckpointOptions} */ (typeof given === 'string' || given instanceof URL ? { store: given } : given);
  checkOptions(options, names, 'fit: checkpoint');
  const { everyBatches, everyEpochs, resume = true, keep = false } = options;
  const everySeconds = options.everySeconds ?? (everyBatches === undefined && everyEpochs === undefined ? 30 : 0);
  if (!(everySeconds >= 0 && everySeconds < Infinity)) throw new HeddleError('argument', `fit: checkpoint: everySeconds = ${everySeconds}, expected a finite number >= 0`);
  return {
    store: checkStore(options.store), everyMs: everySeconds * 1000, resume, keep,
    everyBatches: wholeNumber(everyBatches, 'fit: checkpoint: everyBatches', 1, 0), everyEpochs: wholeNumber(everyEpochs, 'fit: checkpoint: everyEpochs', 1, 0),
    restarts: wholeNumber(options.restarts, 'fit: checkpoint: restarts', 0, 3),
  };
}

/** The first difference of two values of plain JSON. @param {any} a @param {any} b @param {string} path @returns {[string, unknown, unknown] | null} */
function difference(a, b, path) {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b ? null : [path, a, b];
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const found = difference(a[name], b[name], path === '' ? name : `${path}.${name}`);
    if (found) return found;
  }
  return null;
}

/** @param {unknown} value */
const short = value => (value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 60));

export class Keeper {
  #options;
  #generations;
  #release;
  /** The write that is under way. @type {Promise<void>} */
  #writing = Promise.resolve();
  #begun = performance.now();
  #hasFailed = false;
  /** Since the last one was written. */
  #rollbacks = 0;
  /** One is to be made after the running batch: the page may be going. */
  isWanted = false;
  #unwatch = () => {};

  /** @param {ReturnType<typeof readOptions>} options @param {Generations} generations @param {() => Promise<void>} release
   * @param {(event: Partial<FitEvent> & { type: FitEvent['type'], error?: unknown }) => void} report */
  constructor(options, generations, release, report) {
    this.#options = options;
    this.#generations = generations;
    this.#release = release;
    this.report = report;
  }

  /**
   * Locks the store and reads it.
   * @param {unknown} given
   * @param {Keeper['report']} report
   * @returns {Promise<{ keeper: Keeper, found: Saved | null }>}
   * @throws {HeddleError} `argument`; `state` if another run has it; `file` if what it holds is damaged; `storage`
   */
  static async open(given, report) {
    const options = readOptions(given), { store, resume } = options, release = await lockStore(store);
    try {
      const generations = new Generations(store);
      if (!resume) await generations.remove();
      const found = await generations.read();
      return { keeper: new Keeper(options, generations, release, report), found: found && decode(found.payload) };
    } catch (error) {
      await release();
      throw error;
    }
  }

  get store() {
    return this.#options.store;
  }

  get keeps() {
    return this.#options.keep;
  }

  get restarts() {
    return this.#options.restarts;
  }

  /** @param {Saved} found @param {RunState['terms']} terms @param {number} epochs @throws {HeddleError} `argument` if it is of another run */
  checkTerms({ run, at }, terms, epochs) {
    const isBehind = at.epoch > epochs, found = isBehind ? ['epochs done', at.epoch, epochs] : difference(run.terms, terms, '');
    if (!found) return;
    throw new HeddleError('argument', `fit: checkpoint: "${this.store}" holds another run: ${found[0]} is ${short(found[1])} there, ${short(found[2])} here; give another store, or resume: false to begin anew`);
  }

  /** How long an epoch may run now. Which batches are written after depends on their number alone, not on breaks. @param {number} steps batches
   * of the fit so far @returns {Limits} */
  limits(steps) {
    const { everyMs, everyBatches } = this.#options;
    if (this.isWanted) return { batches: 1, ms: 0 };
    return { batches: everyBatches && everyBatches - steps % everyBatches, ms: everyMs && Math.max(1, everyMs - (performance.now() - this.#begun)) };
  }

  /** @param {number} steps @param {number} [epochs] done, at the end of one */
  isDue(steps, epochs) {
    const { everyMs, everyBatches, everyEpochs } = this.#options;
    return this.isWanted || (everyBatches > 0 && steps % everyBatches === 0) || (epochs !== undefined && everyEpochs > 0 && epochs % everyEpochs === 0)
      || (everyMs > 0 && performance.now() - this.#begun >= everyMs);
  }

  /**
   * Writes a checkpoint, once the one before is written. The first must succeed; later ones that fail are reported, and the ones before stay.
   * @param {Core} core
   * @param {Snapshot | Refusal} snapshot
   * @param {RunState} run
   * @param {boolean} [isFirst]
   */
  async save(core, snapshot, run, isFirst = false) {
    await this.#writing;
    [this.#begun, this.isWanted] = [performance.now(), false];
    const write = async () => {
      if (!('at' in snapshot)) throw new HeddleError(snapshot.code, snapshot.message);
      await this.#generations.write(encode(core, snapshot, run));
      this.#rollbacks = 0;
      const { epoch, batch, isEnding } = snapshot.at;
      this.report({ type: 'checkpoint', bytes: this.#generations.bytes, epoch: isEnding ? epoch - 1 : epoch, batch });
    };
    if (isFirst) await write();
    else this.#writing = write().catch(error => this.#fail(error));
  }

  /** @param {unknown} error */
  #fail(error) {
    if (!this.#hasFailed) console.warn(`heddle: a checkpoint could not be written, the training goes on: ${error instanceof Error ? error.message : String(error)}`);
    this.#hasFailed = true;
    this.report({ type: 'checkpointFailed', error });
  }

  /** The newest that is whole; to roll back to a second time the one before, as the newest may hold what diverges. @param {boolean} [isRollback]
   * @returns {Promise<Saved>} */
  async latest(isRollback = false) {
    await this.#writing;
    const found = await this.#generations.read(isRollback && this.#rollbacks++ > 0);
    if (!found) throw new HeddleError('storage', `fit: checkpoint: "${this.store}" has been removed by somebody else`);
    return decode(found.payload);
  }

  /** Calls back when the page is hidden, frozen or left: the moment to write. @param {() => void} onHidden */
  watch(onHidden) {
    const { document } = globalThis;
    if (typeof document !== 'object') return;
    const want = () => {
      this.isWanted = true;
      onHidden();
    };
    const onChange = () => void (document.visibilityState === 'hidden' && want());
    /** @type {[EventTarget, string, () => void][]} */
    const listeners = [[document, 'visibilitychange', onChange], [document, 'freeze', want], [globalThis, 'pagehide', want]];
    for (const [target, name, listener] of listeners) target.addEventListener(name, listener);
    this.#unwatch = () => {
      for (const [target, name, listener] of listeners) target.removeEventListener(name, listener);
    };
  }

  /** @param {boolean} removes the fit has ended, and nobody wants its checkpoint */
  async end(removes) {
    this.#unwatch();
    await this.#writing;
    try {
      if (removes) await this.#generations.remove();
    } catch (error) {
      this.#fail(error);
    } finally {
      await this.#release();
    }
  }
}
