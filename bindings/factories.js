/** Everything that is plain data: factories made from the option tables of C. They need no engine. */
import { factories, inputSpec } from './options.js';

/** @import { InputOptions } from './options.js' */
/** @typedef {import('./options.js').LayerSpec} LayerSpec */

/** The input of a model. @param {InputOptions} options @returns {LayerSpec} */
export function input(options) {
  return inputSpec(options);
}

/** Layers; `layers.dense({ units: 10 })` is plain data that `sequential` and `apply` take. */
export const layers = Object.freeze({ input, ...factories('layer') });

/** Losses, for `compile`; `losses.huber({ delta: 2 })` is plain data. */
export const losses = factories('loss');

/** Metrics, for `compile`; `metrics.topK({ k: 3 })` is plain data. */
export const metrics = factories('metric');

/** Optimisers, for `compile`; `optimizers.adam({ learningRate: 1e-3 })` is plain data. */
export const optimizers = factories('optimizer');

/** Learning-rate schedules: an optimiser's learningRate; `schedules.cosine({ initialLearningRate: 1e-2 })` is plain data. */
export const schedules = factories('schedule');

/** Initialisers of weights: a layer's kernelInitializer, biasInitializer; `initializers.glorot()` is plain data. */
export const initializers = factories('initializer');

/** Penalties on weights (a layer's kernelRegularizer, biasRegularizer) and on outputs (activityRegularizer: klSparsity);
 * `regularizers.l2({ amount: 1e-4 })` is plain data. */
export const regularizers = Object.freeze({ ...factories('regularizer'), ...factories('activity') });

/** Constraints on weights: a layer's kernelConstraint, biasConstraint; `constraints.unitNorm({ axis: 'row' })` is plain data. */
export const constraints = factories('constraint');
