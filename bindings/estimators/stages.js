/** Networks that grow from below, stage by stage. */
import { layers } from '../factories.js';
import { apply, input } from '../graph.js';
import { model } from '../model.js';

/** @import { Coefficients } from '../admm.js' */
/** @import { SymbolicTensor } from '../graph.js' */
/** @import { Model } from '../model.js' */
/** @import { InitializerSpec } from '../options.js' */
/** Layers on top of those before, and their weights by name; size: elements that they give a row.
 * @typedef {{ draw: (below: SymbolicTensor) => SymbolicTensor, weights: { [name: string]: { data: Float32Array | Float64Array, shape: number[] } },
 *   size: number }} Stage */

/**
 * The network of some stages.
 * @param {number[]} shape of a row of its input
 * @param {readonly Stage[]} stages
 * @param {{ name?: string, seed?: number }} [options]
 * @returns {Promise<Model>} whose output is that of the last stage
 */
export async function assemble(shape, stages, options) {
  const x = input({ shape, name: 'x' }), outputs = stages.reduce((below, stage) => stage.draw(below), x);
  const net = await model({ inputs: x, outputs, seed: 0, ...options });
  try {
    await net.setWeights(Object.assign({}, ...stages.map(({ weights }) => weights)));
    return net;
  } catch (error) {
    net.dispose();
    throw error;
  }
}

/** Rows as vectors, with a 1 at their end if asked for. @param {number} size of a row @param {boolean} bias @returns {Stage} */
export function entrance(size, bias) {
  /** @param {SymbolicTensor} x */
  const flat = x => apply(layers.flatten({ name: 'flat' }), x);
  return { draw: x => (bias ? apply(layers.appendConstant({ name: 'features_0' }), flat(x)) : flat(x)), weights: {}, size: size + Number(bias) };
}

/** A linear layer without bias. @param {string} name @param {Coefficients} coef @returns {Stage} */
export function linear(name, { data, shape }) {
  const layer = layers.dense({ units: shape[0], useBias: false, name });
  return { draw: below => apply(layer, below), weights: { [`${name}/kernel`]: { data, shape } }, size: shape[0] };
}

/** The seed of layer `layer` of a network. @param {number} seed @param {number} layer */
export const layerSeed = (seed, layer) => (seed % 2 ** 52 + layer * 2654435761) % 2 ** 53;

/** What an initialiser gives. @param {InitializerSpec} kernelInitializer @param {number} rows @param {number} columns @param {number} seed
 * @returns {Promise<Float32Array>} [rows, columns] */
export async function drawMatrix(kernelInitializer, rows, columns, seed) {
  const x = input({ shape: [columns] }), dense = layers.dense({ units: rows, useBias: false, kernelInitializer, name: 'drawn' });
  const net = await model({ inputs: x, outputs: apply(dense, x), seed });
  try {
    return (await net.getWeights())['drawn/kernel'].data;
  } finally {
    net.dispose();
  }
}
