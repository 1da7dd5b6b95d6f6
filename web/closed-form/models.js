// What can be fitted here. Each run tells of points - one for each width, layer or epoch - and gives what it has fitted.
import { Dkn, ElmClassifier, Hnf, ReDense, RidgeClassifier, SlfnClassifier, Ssfn } from 'heddle/estimators';
import { trainMlp, trainNetwork } from './mlp.js';

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
 *   axis: 'rho' | 'layers' | 'epochs' | '', mostRows?: number, run: (job: Job) => Promise<void> }} Method */

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

/**
 * Fits a network that grows layer by layer; the test rows are only watched. Stopped, it keeps its whole layers.
 * @param {Ssfn | Hnf | Dkn} estimator
 * @param {Job} job
 */
async function grow(estimator, { parts: { train, test }, signal, onProgress, onPoint, onFitted }) {
  const points = new Map();
  try {
    await estimator.fit(train.x, train.y, {
      signal, validationData: [test.x, test.y],
      onProgress({ phase, done, total, nodes, seconds, validationAccuracy }) {
        if (phase !== 'layer' || points.has(done)) return;
        const point = { x: done, accuracy: validationAccuracy, seconds, setting: done === 0 ? 'layer 0: linear' : `layer ${done}${nodes ? `, ${nodes} random nodes` : ''}` };
        points.set(done, point);
        onPoint(point);
        onProgress(`layer ${done}`, (done + 1) / (total + 1));
      },
    });
  } finally {
    if (estimator.isFitted) onFitted(fittedBy(estimator), points.get(estimator.report.layers.at(-1).layer));
    else estimator.dispose();
  }
}

/** The MLP, and a random layer in place of its last one. @param {Job} job */
async function redense(job) {
  const { parts: { train, test }, settings: { seed }, signal, outputs, onProgress, onPoint, onFitted } = job;
  let base = null;
  const net = await trainNetwork(job, ({ epoch, val_accuracy: accuracy, samplesPerSecond }) => {
    base = { x: 0, accuracy, seconds: (epoch + 1) * train.rows / samplesPerSecond, setting: `the MLP before, epoch ${epoch + 1}` };
    onProgress(`the MLP before, epoch ${epoch + 1}`, 0.5 * (epoch + 1) / job.settings.epochs);
  }), estimator = new ReDense({ seed }), begin = performance.now();
  onPoint(base);
  try {
    await estimator.fit(net, train.x, train.y, {
      signal, classes: Array.from({ length: outputs }, (_, k) => k), onProgress: ({ done, total }) => onProgress(`step ${done} of ${total}`, 0.5 + 0.5 * done / total),
    });
    const seconds = base.seconds + (performance.now() - begin) / 1000;
    const point = { x: 0, accuracy: await estimator.score(test.x, test.y, { signal }), seconds, setting: 'on the MLP, its time included' };
    onPoint(point);
    onFitted(fittedBy(estimator), point);
  } catch (error) { // stopped, it has learnt a part
    estimator.dispose();
    throw error;
  } finally {
    net.dispose();
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
    id: 'redense', name: 'ReDense', axis: '', label: 'ReDense: on a trained MLP',
    about: 'First trains the MLP, then puts a layer of random weights in place of its last one. That starts without loss; only the new outputs learn.',
    run: redense,
  },
  {
    id: 'ssfn', name: 'SSFN', axis: 'layers', label: 'SSFN: grows layer by layer',
    about: 'Each layer passes on the outputs of the one before, with random nodes beside them, and solves for new ones, until a layer gains too little.',
    run: (job) => grow(new Ssfn({ nodes: job.settings.nodes, maxLayers: job.settings.layers, seed: job.settings.seed }), job),
  },
  {
    id: 'hnf', name: 'HNF', axis: 'layers', label: 'HNF: grows layer by layer, ever wider',
    about: 'Each layer transforms all features of the one before, rectified in pairs, which doubles them; the training cost never rises.',
    run: (job) => grow(new Hnf({ transform: job.settings.transform, maxLayers: job.settings.layers, solver: 'admm', seed: job.settings.seed }), job),
  },
  {
    id: 'dkn', name: 'DKN', axis: 'layers', mostRows: 2000, label: 'DKN: kernels, layer by layer',
    about: 'Kernel ridge regression on the rows and on what the layers before made of them; layers are added while the error on the test rows falls. Takes up to 2,000 rows.',
    // Rows of a table differ in length, too; pictures in what they show.
    run: (job) => grow(new Dkn({ kernel: job.settings.kernel, maxLayers: job.settings.layers, normalize: job.parts.train.x.data instanceof Uint8Array }), job),
  },
  {
    id: 'mlp', name: 'MLP', axis: 'epochs', label: 'MLP by backpropagation',
    about: 'What the others are compared with: one hidden layer, all weights learnt by gradients (Adam), epoch after epoch.',
    run: trainMlp,
  },
];

/** @param {string} id */
export const methodOf = (id) => methods.find((method) => method.id === id);
