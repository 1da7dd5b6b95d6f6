/** Models of other libraries' files. */
import { blame } from './archive.js';
import { describeGraph } from './graph.js';
import { build } from './model.js';

/** @import { Model } from './model.js' */
/** @import { ModelOptions, SymbolicTensor } from './graph.js' */

/**
 * A model with the weights of a file. Whatever does not fit is the file's fault.
 * @param {{ inputs: SymbolicTensor | readonly SymbolicTensor[], outputs: SymbolicTensor | readonly SymbolicTensor[] } & ModelOptions} graph
 * @param {{ [name: string]: Float32Array }} weights those of layers that lead to no output are left out
 * @param {number} most elements of all weights, as many as the file has
 * @param {string} where
 * @returns {Promise<Model>}
 */
export async function filled(graph, weights, most, where) {
  /** @type {Model | undefined} */
  let made;
  try {
    const { model } = await build(describeGraph(graph), {}, most), used = new Set(model.layers.map(layer => layer.name));
    made = model;
    await model.setWeights(Object.fromEntries(Object.entries(weights).filter(([name]) => used.has(name.split('/')[0]))), { partial: true });
    return model;
  } catch (cause) {
    made?.dispose();
    return blame(cause, where);
  }
}
