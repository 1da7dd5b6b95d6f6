// The training that the page was left in, or that was stopped: kept in the browser while it runs, offered until it has ended.
import { checkpointInfo, removeCheckpoint } from 'heddle/checkpoints';
import { byId, put } from '../page.js';

/** @import { CheckpointInfo } from 'heddle/checkpoints' */
/** @import { Settings } from './controls.js' */
/** @typedef {{ settings: Settings, before: number, info: CheckpointInfo }} Interrupted before: epochs that the network had been trained for */

const store = 'indexeddb://digits-training', key = 'heddle digits training';

/** Fit's `checkpoint`. @param {boolean} resume go on with what is kept; else it is replaced */
export const keptTraining = (resume) => ({ store, everySeconds: 1, resume });

/** What the page must know of a training that is kept. @param {Settings} settings @param {number} before */
export function remember(settings, before) {
  try {
    localStorage.setItem(key, JSON.stringify({ settings, before }));
  } catch { /* a browser that keeps nothing: nothing will be offered */ }
}

/** @returns {Promise<Interrupted | null>} */
async function find() {
  try {
    const about = JSON.parse(localStorage.getItem(key)), info = about && await checkpointInfo(store);
    return info && !info.isDone ? { ...about, info } : null;
  } catch {
    return null; // nothing is kept, or it is damaged
  }
}

/** Shows what there is to go on with. @param {boolean} isIdle @returns {Promise<Interrupted | null>} */
export async function offerInterrupted(isIdle) {
  const found = isIdle ? await find() : null;
  byId('interrupted').hidden = !found;
  if (found) put('interrupted-state', `A training of ${found.info.saved.toLocaleString()} was broken off in epoch ${Math.min(found.info.epoch + 1, found.info.epochs)} of ${found.info.epochs}.`);
  return found;
}

/** Logs of the epochs before the break. @param {Interrupted} interrupted */
export const logsOf = ({ info: { history: { epoch, history }, batches } }) => epoch.map((number, i) => (
  { type: 'epoch', epoch: number, batch: batches - 1, batches, ...Object.fromEntries(Object.entries(history).map(([name, values]) => [name, values[i]])) }));

export const forget = () => removeCheckpoint(store);
