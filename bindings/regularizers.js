import { factories } from './options.js';

/** Penalties on weights (a layer's kernelRegularizer, biasRegularizer) and on outputs (activityRegularizer: klSparsity);
 * `regularizers.l2({ amount: 1e-4 })` is plain data. */
export const regularizers = Object.freeze({ ...factories('regularizer'), ...factories('activity') });
