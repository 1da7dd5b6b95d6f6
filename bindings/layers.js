import { factories, inputSpec } from './options.js';

/** @import { InputOptions } from './options.js' */
/** @typedef {import('./options.js').LayerSpec} LayerSpec */

/** The input of a model. @param {InputOptions} options @returns {LayerSpec} */
export function input(options) {
  return inputSpec(options);
}

/** Layers; `layers.dense({ units: 10 })` is plain data that `sequential` and `apply` take. */
export const layers = Object.freeze({ input, ...factories('layer') });
