/** A training that can be gone on with: after each epoch the model, its optimiser's state and the best weights, in two generations. */
import { lockStore } from '../checkpoints/lock.js';
import { Generations, checkStore } from '../checkpoints/store.js';
import { HeddleError } from '../errors.js';
import { readSafetensors, writeSafetensors } from '../files/safetensors.js';
import { load } from '../model.js';

/** @import { Model } from '../model.js' */
/** @import { TrainingState } from './train.js' */
/** @typedef {{ [name: string]: string | number | boolean | null }} Terms what must be the same when a training goes on */

const key = 'heddle-training';

/** @param {Uint8Array} data */
const asTensor = data => ({ data, shape: [data.length] });

/** @param {Model} trainee @param {TrainingState} state @param {Terms} terms */
async function encode(trainee, { epochs, best }, terms) {
  const parts = new Map([['model', asTensor(await trainee.save('bytes', { includeOptimizer: true }))]]);
  if (best) parts.set('best', asTensor(writeSafetensors(new Map(Object.entries(best.weights)))));
  if (best) parts.set('scores', asTensor(new Uint8Array(best.scores.buffer, best.scores.byteOffset, best.scores.byteLength)));
  return writeSafetensors(parts, { [key]: JSON.stringify({ epochs, best: best && best.epoch, terms }) });
}

/** @param {Uint8Array} payload @param {string} store @param {Terms} terms @returns {Promise<{ trainee: Model, state: TrainingState }>} */
async function decode(payload, store, terms) {
  const { tensors, metadata } = readSafetensors(payload), text = metadata[key], model = tensors.get('model');
  if (!text || !model) throw new HeddleError('file', `fit: resume: "${store}" is no checkpoint of a quality model`);
  const { epochs, best, terms: old } = JSON.parse(text);
  for (const [name, value] of Object.entries(terms)) {
    if (old[name] !== value) throw new HeddleError('argument', `fit: resume: the checkpoint was made with ${name} = ${old[name]}, this training has ${value}`);
  }
  const bytesOf = (/** @type {string} */ name) => /** @type {Uint8Array} */ (tensors.get(name)?.data);
  const weights = best === null ? null : Object.fromEntries([...readSafetensors(bytesOf('best')).tensors].map(([name, { data, shape }]) => [name, { data, shape }]));
  const state = { epochs, best: weights && { epoch: best, weights: /** @type {any} */ (weights), scores: new Float64Array(bytesOf('scores').slice().buffer) } };
  return { trainee: await load(/** @type {Uint8Array} */ (model.data)), state };
}

/**
 * Locks a store for a training, and reads it.
 * @param {string | URL} target
 * @param {Terms} terms
 * @param {boolean} resume false: what is there is removed
 * @returns {Promise<{ old: { trainee: Model, state: TrainingState } | null, save: (trainee: Model, state: TrainingState) => Promise<void>, close: () => Promise<void> }>}
 * @throws {HeddleError} `argument` if the training there is another one; `state` if another one uses the store; `file`, `storage`
 */
export async function openCheckpoint(target, terms, resume) {
  const store = checkStore(target), close = await lockStore(store), generations = new Generations(store);
  try {
    if (!resume) await generations.remove();
    const found = await generations.read(), old = found && await decode(found.payload, store, terms);
    return { old, save: async (trainee, state) => generations.write(await encode(trainee, state, terms)), close };
  } catch (error) {
    await close();
    throw error;
  }
}
