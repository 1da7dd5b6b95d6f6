/** A training that can be gone on with: one file, replaced after each epoch, with the model, its optimiser's state and the best weights. */
import { HeddleError } from '../errors.js';
import { readSafetensors, writeSafetensors } from '../files/safetensors.js';
import { load } from '../model.js';
import { loadFrom, saveTo } from '../stores/index.js';

/** @import { Model } from '../model.js' */
/** @import { TrainingState } from './train.js' */
/** @typedef {{ [name: string]: string | number | boolean | null }} Terms what must be the same when a training goes on */

const key = 'heddle-training';

/** @param {Uint8Array} data */
const asTensor = data => ({ data, shape: [data.length] });

/** @param {string | URL} target @param {Model} trainee @param {TrainingState} state @param {Terms} terms */
export async function saveCheckpoint(target, trainee, { epochs, best }, terms) {
  const parts = new Map([['model', asTensor(await trainee.save('bytes', { includeOptimizer: true }))]]);
  if (best) parts.set('best', asTensor(writeSafetensors(new Map(Object.entries(best.weights)))));
  if (best) parts.set('scores', asTensor(new Uint8Array(best.scores.buffer, best.scores.byteOffset, best.scores.byteLength)));
  await saveTo(target, writeSafetensors(parts, { [key]: JSON.stringify({ epochs, best: best && best.epoch, terms }) }));
}

/** There is no such file or entry yet. @param {unknown} error */
const isMissing = error => error instanceof HeddleError && error.code === 'storage'
  && (/no such entry/.test(error.message) || /** @type {NodeJS.ErrnoException} */ (error.cause)?.code === 'ENOENT');

/**
 * @param {string | URL} source
 * @param {Terms} terms
 * @returns {Promise<{ trainee: Model, state: TrainingState } | null>} null: nothing has been saved there
 * @throws {HeddleError} `argument` if the training was another one, `file`
 */
export async function loadCheckpoint(source, terms) {
  const bytes = await loadFrom(source).catch(error => {
    if (isMissing(error)) return null;
    throw error;
  });
  if (!bytes) return null;
  const { tensors, metadata } = readSafetensors(bytes), text = metadata[key], model = tensors.get('model');
  if (!text || !model) throw new HeddleError('file', `fit: resume: "${source}" is no checkpoint of a quality model`);
  const { epochs, best, terms: old } = JSON.parse(text);
  for (const [name, value] of Object.entries(terms)) {
    if (old[name] !== value) throw new HeddleError('argument', `fit: resume: the checkpoint was made with ${name} = ${old[name]}, this training has ${value}`);
  }
  const bytesOf = (/** @type {string} */ name) => /** @type {Uint8Array} */ (tensors.get(name)?.data);
  const weights = best === null ? null : Object.fromEntries([...readSafetensors(bytesOf('best')).tensors].map(([name, { data, shape }]) => [name, { data, shape }]));
  const state = { epochs, best: weights && { epoch: best, weights: /** @type {any} */ (weights), scores: new Float64Array(bytesOf('scores').slice().buffer) } };
  return { trainee: await load(/** @type {Uint8Array} */ (model.data)), state };
}
