/** Estimators in scikit-learn's shape: `heddle/estimators`. */
import { HeddleError, part, suggest } from '../errors.js';
import { load } from '../model.js';
import { restore } from './predictor.js';

export { ElmClassifier, ElmRegressor, SlfnClassifier, SlfnRegressor } from './elm.js';
export { Dkn, DknRegressor } from './dkn.js';
export { Estimator } from './estimator.js';
export { ReDense } from './redense.js';
export { Hnf, HnfRegressor } from './hnf.js';
export { Ridge, RidgeClassifier } from './ridge.js';
export { Ssfn, SsfnRegressor } from './ssfn.js';

/** @import { Source } from '../stores/index.js' */
/** @import { Predictor } from './predictor.js' */
/** @typedef {import('./predictor.js').LearnOptions} LearnOptions */
/** @typedef {import('./predictor.js').Progress} Progress */
/** @typedef {import('./labels.js').Label} Label */
/** @typedef {import('./labels.js').LabelList} LabelList */

/** Where each class is. @type {{ [kind: string]: () => Promise<typeof Predictor> }} */
const places = {
  Dkn: async () => (await part(import('./dkn.js'))).Dkn, DknRegressor: async () => (await part(import('./dkn.js'))).DknRegressor,
  ElmClassifier: async () => (await part(import('./elm.js'))).ElmClassifier, ElmRegressor: async () => (await part(import('./elm.js'))).ElmRegressor,
  ReDense: async () => (await part(import('./redense.js'))).ReDense,
  Ridge: async () => (await part(import('./ridge.js'))).Ridge, RidgeClassifier: async () => (await part(import('./ridge.js'))).RidgeClassifier,
  SlfnClassifier: async () => (await part(import('./elm.js'))).SlfnClassifier, SlfnRegressor: async () => (await part(import('./elm.js'))).SlfnRegressor,
  Ssfn: async () => (await part(import('./ssfn.js'))).Ssfn, SsfnRegressor: async () => (await part(import('./ssfn.js'))).SsfnRegressor,
  Hnf: async () => (await part(import('./hnf.js'))).Hnf, HnfRegressor: async () => (await part(import('./hnf.js'))).HnfRegressor,
};

/**
 * Loads any estimator that `save` has written.
 * @param {Source} source as for `load`
 * @param {{ signal?: AbortSignal }} [options] signal: its abort stops the reading; the call then rejects with its reason
 * @returns {Promise<Predictor>} of the class that was saved
 * @throws {HeddleError} `file` if it is no estimator
 */
export async function loadEstimator(source, options) {
  return restore(await load(source, options), kind => {
    if (!Object.hasOwn(places, kind)) throw new HeddleError('file', `loadEstimator: unknown estimator "${kind}"${suggest(kind, Object.keys(places))}`);
    return places[kind]();
  });
}
