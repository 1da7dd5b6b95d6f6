/** Estimators in scikit-learn's shape: `heddle/estimators`. */
import { HeddleError, suggest } from '../errors.js';
import { load } from '../model.js';
import { restore } from './estimator.js';

export { Estimator } from './estimator.js';

/** @import { Source } from '../stores/index.js' */
/** @import { Estimator } from './estimator.js' */
/** @typedef {import('./estimator.js').LearnOptions} LearnOptions */
/** @typedef {import('./estimator.js').Progress} Progress */
/** @typedef {import('./labels.js').Label} Label */
/** @typedef {import('./labels.js').LabelList} LabelList */

/** Where each class is. @type {{ [kind: string]: () => Promise<typeof Estimator> }} */
const places = {};

/**
 * Loads any estimator that `save` has written.
 * @param {Source} source as for `load`
 * @param {{ signal?: AbortSignal }} [options]
 * @returns {Promise<Estimator>} of the class that was saved
 * @throws {HeddleError} `file` if it is no estimator
 */
export async function loadEstimator(source, options) {
  return restore(await load(source, options), kind => {
    if (!Object.hasOwn(places, kind)) throw new HeddleError('file', `loadEstimator: unknown estimator "${kind}"${suggest(kind, Object.keys(places))}`);
    return places[kind]();
  });
}
