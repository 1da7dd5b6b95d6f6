// The training that a page was left in, or that was stopped: kept in the browser while it runs, offered until it has ended.
import { HeddleError } from 'heddle';
import { checkpointInfo, loadCheckpoint, removeCheckpoint } from 'heddle/checkpoints';
import { byId, put } from './page.js';

/** @import { FitOptions, Model, TrainingLog } from 'heddle' */
/**
 * What a page must know of a training to go on with it.
 * @typedef {object} About
 * @property {any} settings as its form has them
 * @property {number} before epochs that the network had been trained for
 * @property {any} [set] what it learns from
 * @property {{ val_loss: number, val_accuracy: number }[]} [tests] by epoch, of a page that tests the network itself
 */

export class KeptTraining {
  /** Of the running training. @type {About} */
  #about;
  /** It is the one that the browser keeps; else that of another tab, or none. */
  #isKept = false;
  #isResumed = false;
  /** Ends the offer that is being made. */
  #asked = new AbortController();

  /**
   * @param {string} name of the page
   * @param {{ everySeconds: number, lacks?: (about: About) => string }} options everySeconds: how much of a training may be lost; lacks: what is
   *   missing to go on with one, as a sentence; '': nothing
   */
  constructor(name, { everySeconds, lacks = () => '' }) {
    Object.assign(this, { store: `indexeddb://${name}-training`, key: `heddle ${name} training`, everySeconds, lacks });
  }

  /** Options of the fit that is about to begin. @param {About} about a new training @returns {FitOptions} */
  options(about) {
    if (!this.#isResumed) this.#about = about;
    this.#isKept = true;
    return {
      checkpoint: { store: this.store, everySeconds: this.everySeconds, resume: this.#isResumed },
      onTrainBegin: () => this.#remember(), // the store is this fit's by now, and nothing is in it yet
      onEvent: (event) => this.#tell(event),
    };
  }

  /** To be called before the next epoch begins: its checkpoint has no results but fit's own. @param {TrainingLog} log */
  tested({ epoch, val_loss, val_accuracy }) {
    (this.#about.tests ??= [])[epoch] = { val_loss, val_accuracy };
    this.#remember();
  }

  #remember() {
    if (!this.#isKept) return;
    try {
      localStorage.setItem(this.key, JSON.stringify(this.#about));
    } catch { /* a browser that keeps nothing: nothing will be offered */ }
  }

  /** @param {import('heddle').FitEvent & { code?: string }} event code: of what kept a fit from being kept at all */
  #tell({ type, code, message }) {
    if (type === 'checkpoint') byId('unkept').hidden = true;
    if (type !== 'checkpointFailed') return;
    if (code) this.#isKept = false;
    put('unkept', `${code ? 'This' : 'The last part of this'} training is lost if the page is closed: ${code === 'state' ? 'another tab keeps its own' : message}.`);
    byId('unkept').hidden = false;
  }

  /** @param {AbortSignal} signal @returns {Promise<{ about: About, info: import('heddle/checkpoints').CheckpointInfo } | null>} */
  async #find(signal) {
    try {
      // A fit holds this lock: one in another tab is not broken off, and that of a page just left lets go of it a moment later.
      await navigator.locks?.request(`heddle checkpoint ${this.store}`, { signal }, () => {});
      const about = JSON.parse(localStorage.getItem(this.key)), info = about && await checkpointInfo(this.store);
      return info && !info.isDone ? { about, info } : null;
    } catch {
      return null; // nothing is kept, or it is damaged, or nobody wants to know any more
    }
  }

  /** Shows what there is to go on with. @param {boolean} isIdle */
  async offer(isIdle) {
    this.#asked.abort();
    const { signal } = this.#asked = new AbortController();
    if (isIdle) byId('unkept').hidden = true;
    const found = isIdle ? await this.#find(signal) : null;
    if (signal.aborted) return;
    byId('interrupted').hidden = !found;
    if (!found) return;
    const { about, info: { saved, epoch, epochs } } = found;
    put('interrupted-state', `A training of ${saved.toLocaleString()} was broken off in epoch ${Math.min(epoch + 1, epochs)} of ${epochs}. ${this.lacks(about)}`.trimEnd());
  }

  /**
   * Goes on with what is offered, as if it had not been broken off.
   * @param {(found: About & { model: Model, logs: TrainingLog[] }) => Promise<void>} work shows it and trains; logs: of the epochs before the break
   */
  async goOn(work) {
    if (this.#isResumed) return;
    this.#isResumed = true;
    try {
      const about = JSON.parse(localStorage.getItem(this.key)), lack = this.lacks(about);
      if (lack) throw new HeddleError('state', lack);
      const { model, batches, history: { epoch, history } } = await loadCheckpoint(this.store);
      this.#about = about;
      await work({ ...about, model, logs: epoch.map((number, i) => ({
        type: 'epoch', epoch: number, batch: batches - 1, batches,
        ...Object.fromEntries(Object.entries(history).map(([name, values]) => [name, values[i]])), ...about.tests?.[number],
      })) });
    } catch (cause) {
      if (cause.code !== 'argument') throw cause;
      throw new HeddleError('argument', `It can't go on here, as something has changed since it was broken off. ${cause.message}`, { cause });
    } finally {
      this.#isResumed = false;
    }
  }

  async forget() {
    await removeCheckpoint(this.store);
    void this.offer(true);
  }
}
