import { factories } from './options.js';

/** Learning-rate schedules: an optimiser's learningRate; `schedules.cosine({ initialLearningRate: 1e-2 })` is plain data. */
export const schedules = factories('schedule');
