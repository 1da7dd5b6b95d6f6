// What a page's panel of the model does: keeps it in this browser, downloads it, opens it again.
import { HeddleError, listStore } from 'heddle';
import { onChosen } from './dropped.js';
import { attempt, byId, clearErrors, enable, onClick } from './page.js';
import { tell } from './progress.js';

export class ModelFiles {
  #canOpen = false;

  /**
   * @param {string} name of the kept model and of the downloaded file
   * @param {{ save: (target: string) => Promise<unknown>, open: (from: string | File) => Promise<void> }} page
   */
  constructor(name, page) {
    Object.assign(this, { name, page });
    const kept = `indexeddb://${name}`, on = (id, work) => onClick(id, () => attempt(work));
    on('save-browser', () => this.#save(kept, 'The model is kept in this browser'));
    on('save-file', () => this.#save(`download://${name}.safetensors`, 'The model has been downloaded'));
    on('load-browser', () => this.#open(kept));
    on('load-file', () => byId('model-file').click());
    onChosen('model-file', ([found]) => attempt(() => found && this.#open(found.file)));
  }

  /** What can be done now. @param {{ canSave: boolean, canOpen: boolean }} can */
  async refresh({ canSave, canOpen }) {
    this.#canOpen = canOpen;
    for (const id of ['save-browser', 'save-file']) enable(id, canSave);
    enable('load-file', canOpen);
    await this.#offer();
  }

  async #offer() {
    try {
      const has = (await listStore('indexeddb://')).some(({ name }) => name === this.name);
      enable('load-browser', has && this.#canOpen);
    } catch {
      for (const id of ['load-browser', 'save-browser']) enable(id, false); // some private windows have no IndexedDB
    }
  }

  /** @param {string} target @param {string} text to say then */
  async #save(target, text) {
    await this.page.save(target);
    tell(text);
    await this.#offer();
  }

  /** @param {string | File} from */
  async #open(from) {
    clearErrors();
    await this.page.open(from);
  }
}

/** The kept model, or the file, in words. @param {string | File} from */
export const titleOf = (from) => from.name ?? 'The kept model';

/** @template T @param {Promise<T>} model that is being read @param {string | File} from @returns {Promise<T>} */
export const opened = (model, from) => model.catch((cause) => {
  throw new HeddleError(cause.code, `${titleOf(from)} can't be opened. ${cause.message}`, { cause });
});
