import { factories } from './options.js';

/** Initialisers of weights: a layer's kernelInitializer, biasInitializer; `initializers.glorot()` is plain data. */
export const initializers = factories('initializer');
