import { factories } from './options.js';

/** Optimisers, for `compile`; `optimizers.adam({ learningRate: 1e-3 })` is plain data. */
export const optimizers = factories('optimizer');
