// What can be fitted here. Each run tells of points - one for each width, layer or epoch - and gives what it has fitted.
import { ElmClassifier, RidgeClassifier, SlfnClassifier } from 'heddle/estimators';
import { trainMlp } from './mlp.js';

/** @import { Model } from 'heddle' */
/** @import { Parts } from './sets.js' */
/** @import { Settings } from './controls.js' */
/**
 * Something that was fitted. `classes`: numbers of the set's classes in the order of the model's outputs.
 * @typedef {{ model: Model, classes: number[], estimator: import('heddle/estimators').Estimator | null, dispose: () => void }} Fitted
 */
/** One point: x on the model's axis; seconds of fitting alone. @typedef {{ x: number, accuracy: number, seconds: number, setting: string }} Point */
/**
 * @typedef {object} Job
 * @property {Parts} parts
 * @property {number} outputs classes
 * @property {Settings} settings
 * @property {AbortSignal} signal
 * @property {(text: string, part: number) => void} onProgress part: 0..1 of the whole run
 * @property {(point: Point) => void} onPoint
 * @property {(fitted: Fitted, point: Point) => void} onFitted takes what was fitted, and its point
 * @property {(control: { setLearningRate: (rate: number) => Promise<void> } | null) => void} onControl the run's learning rate can be changed
 */
/** `axis`: what it grows along; '' if it does not. @typedef {{ id: string, name: string, label: string, about: string,
 *   axis: 'rho' | 'layers' | 'epochs' | '', run: (job: Job) => Promise<void> }} Method */

const ratios = [0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64];

/** @param {Model} model */
export function weightsOf({ layers }) {
  const random = layers.reduce((sum, { frozenParameters }) => sum + frozenParameters, 0);
  return { random, learnt: layers.reduce((sum, { parameters }) => sum + parameters, 0) - random };
}

/** @param {import('heddle/estimators').Estimator} estimator @returns {Fitted} */
export const fittedBy = (estimator) => ({
  model: estimator.model, classes: estimator.classes.map(Number), estimator, dispose: () => estimator.dispose(),
});

/**
 * Fits one estimator and tests it.
 * @param {import('heddle/estimators').Estimator} estimator
 * @param {Job} job
 * @param {{ x: number, setting: string, begin: number, span: number }} place begin, span: parts of the whole run
 */
async function fitOne(estimator, { parts: { train, test }, signal, onProgress, onPoint, onFitted }, { x, setting, begin, span }) {
  const start = performance.now();
  try {
    await estimator.fit(train.x, train.y, {
      signal, onProgress: ({ done, total }) => onProgress(setting, begin + span * done / Math.max(total, 1)),
    });
    const seconds = (performance.now() - start) / 1000, accuracy = await estimator.score(test.x, test.y, { signal });
    const point = { x, accuracy, seconds, setting };
    onPoint(point);
    onFitted(fittedBy(estimator), point);
  } catch (error) {
    estimator.dispose();
    throw error;
  }
}

/** How ridge regression is penalised: the setting is of each row. @param {Settings} settings @param {number} rows */
const penalty = ({ alpha, seed }, rows) => ({ ...alpha === 'auto' ? { alphas: 'auto' } : { alpha: Number(alpha) * rows }, seed });

/** One fit for each ratio of features to inputs. @param {typeof ElmClassifier | typeof SlfnClassifier} Type @param {Job} job */
async function sweep(Type, job) {
  const { top, distribution } = job.settings, chosen = ratios.filter((ratio) => ratio <= top), all = chosen.reduce((sum, ratio) => sum + ratio, 0);
  let done = 0;
  for (const ratio of chosen) {
    const estimator = new Type({ ratio, distribution, ...penalty(job.settings, job.parts.train.rows) });
    await fitOne(estimator, job, { x: ratio, setting: `ρ = ${ratio}`, begin: done / all, span: ratio / all });
    done += ratio;
  }
}

/** @type {Method[]} */
export const methods = [
  {
    id: 'ridge', name: 'Ridge', axis: '', label: 'Ridge: the inputs themselves',
    about: 'No hidden layer: the least squares that all others here build on, with a penalty on the weights.',
    run: (job) => fitOne(new RidgeClassifier(penalty(job.settings, job.parts.train.rows)), job, { x: 0, setting: 'on the inputs', begin: 0, span: 1 }),
  },
  {
    id: 'elm', name: 'ELM', axis: 'rho', label: 'ELM: random features',
    about: 'Extreme learning machine: a hidden layer of random weights and rectifiers, then least squares. One fit for each width.',
    run: (job) => sweep(ElmClassifier, job),
  },
  {
    id: 'slfn', name: 'SLFN', axis: 'rho', label: 'SLFN: random features in pairs',
    about: 'Each random feature comes with its negative, so that from ρ = 2 on nothing of the input is lost. One fit for each width.',
    run: (job) => sweep(SlfnClassifier, job),
  },
  {
    id: 'mlp', name: 'MLP', axis: 'epochs', label: 'MLP by backpropagation',
    about: 'What the others are compared with: one hidden layer, all weights learnt by gradients (Adam), epoch after epoch.',
    run: trainMlp,
  },
];

/** @param {string} id */
export const methodOf = (id) => methods.find((method) => method.id === id);
