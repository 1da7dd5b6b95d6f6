import { factories } from './options.js';

/** Constraints on weights: a layer's kernelConstraint, biasConstraint; `constraints.unitNorm({ axis: 'row' })` is plain data. */
export const constraints = factories('constraint');
