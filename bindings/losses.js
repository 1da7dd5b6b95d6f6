import { factories } from './options.js';

/** Losses, for `compile`; `losses.huber({ delta: 2 })` is plain data. */
export const losses = factories('loss');
