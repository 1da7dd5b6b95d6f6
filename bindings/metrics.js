import { factories } from './options.js';

/** Metrics, for `compile`; `metrics.topK({ k: 3 })` is plain data. */
export const metrics = factories('metric');
