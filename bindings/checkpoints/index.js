/** Checkpoints of fits, apart from the fits: what a store holds, as a model or in figures. `fit({ checkpoint })` makes them and goes on from them. */
import { HeddleError } from '../errors.js';
import { load } from '../model.js';
import { decode, modelOf } from './format.js';
import { lockStore } from './lock.js';
import { Generations, checkStore } from './store.js';

/** @import { History } from '../fit_options.js' */
/** @import { Model } from '../model.js' */
/** @import { Saved } from './format.js' */
/** @typedef {import('./keeper.js').CheckpointOptions} CheckpointOptions */
/** @typedef {import('../fit_options.js').FitEvent} FitEvent */
/**
 * @typedef {object} CheckpointInfo
 * @property {number} epoch whole epochs done, from 0
 * @property {number} batch batches done of the running one
 * @property {number} batches in an epoch; 0: a generator has not said
 * @property {number} epochs the fit ends before this one
 * @property {boolean} isDone the fit has ended, and its checkpoint was kept
 * @property {Date} saved when
 * @property {number} bytes of this generation
 * @property {number} seed of the fit
 * @property {History} history of the epochs so far
 * @property {string[]} damaged generations that were passed over, and what is wrong with them
 */

/** @param {string} store checked @returns {Promise<(Saved & { info: CheckpointInfo }) | null>} */
async function read(store) {
  if (store === 'memory') throw new HeddleError('argument', 'checkpoint: store: "memory" ends with its fit');
  const generations = new Generations(store), found = await generations.read();
  if (!found) return null;
  const saved = decode(found.payload), { at, run } = saved, { batches, epochs, isDone, seed, history, epoch, events } = run;
  return {
    ...saved, info: {
      epoch: at.isEnding ? at.epoch - 1 : at.epoch, batch: at.batch, batches, epochs, isDone, seed, saved: new Date(run.saved), bytes: generations.bytes,
      history: { history, epoch, stopped: /** @type {History['stopped']} */ (run.stopped), seconds: at.seconds, events }, damaged: found.damaged,
    },
  };
}

/**
 * What a store holds: to offer to go on with an interrupted training, for instance.
 * @param {string | URL} store as of fit's `checkpoint`
 * @returns {Promise<CheckpointInfo | null>} null: nothing
 * @throws {HeddleError} `argument`; `file` if all it holds is damaged; `unsupported` or `storage` if it can't be read
 */
export async function checkpointInfo(store) {
  return (await read(checkStore(store)))?.info ?? null;
}

/**
 * The model of a checkpoint, compiled and with the optimiser's state, for when the program that made it is gone. To go on with the
 * fit itself, fit the model that this returns with the same data, settings and `checkpoint`.
 * @param {string | URL} store as of fit's `checkpoint`
 * @returns {Promise<CheckpointInfo & { model: Model }>}
 * @throws {HeddleError} `storage` if there is none; `file` if it is damaged; `argument`, `unsupported`
 */
export async function loadCheckpoint(store) {
  const text = checkStore(store), saved = await read(text);
  if (!saved) throw new HeddleError('storage', `loadCheckpoint: "${text}" holds no checkpoint`);
  return { ...saved.info, model: await load(modelOf(saved)) };
}

/**
 * Removes what a store holds, damaged or not.
 * @param {string | URL} store as of fit's `checkpoint`
 * @throws {HeddleError} `state` while a fit uses it; `storage`
 */
export async function removeCheckpoint(store) {
  const text = checkStore(store), release = await lockStore(text);
  try {
    await new Generations(text).remove();
  } finally {
    await release();
  }
}
