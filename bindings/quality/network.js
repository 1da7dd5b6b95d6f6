/** The networks of a quality model: the whole one, from picture to scores, and those that training uses. */
import { HeddleError, suggest } from '../errors.js';
import { build } from '../model.js';
import { describe } from '../recipe_description.js';
import { loadWeights } from '../weights/index.js';
import { describeTrunk, levelName, tuned } from './backbones.js';

/** @import { ModelDescription } from '../graph.js' */
/** @import { Model } from '../model.js' */
/** @import { Source } from '../stores/index.js' */
/** @import { TrunkOptions } from './backbones.js' */
/**
 * @typedef {object} HeadOptions
 * @property {readonly number[]} encoder units of the dense layers of each level
 * @property {boolean} reluEach
 * @property {boolean} normalizeEnd
 */

/** @param {readonly number[]} sizes features of each level @param {HeadOptions} options @param {number} seed @returns {Promise<ModelDescription>} */
export const describeHeads = (sizes, options, seed) => describe('qualityHeads', { levels: sizes, ...options, name: 'heads', seed });

/** The heads of a whole model by themselves: their inputs are the levels. @param {ModelDescription} whole @param {readonly number[]} sizes @returns {ModelDescription} */
export function headsOf(whole, sizes) {
  const last = whole.nodes.findIndex(node => node.name === levelName(sizes.length - 1));
  const inputs = sizes.map((size, i) => ({ name: levelName(i), layer: 'input', shape: [size] }));
  return { ...whole, nodes: [...inputs, ...whole.nodes.slice(last + 1)] };
}

/** The whole model with another rate on what stands before the levels. @param {ModelDescription} whole @param {number} levels how many
 * @param {{ rate: number, fixed: boolean, from?: string }} how fixed: statistics of batch normalisations stay; from: all before this node or stage is
 *   frozen @returns {ModelDescription} */
export function tunedModel(whole, levels, { rate, fixed, from }) {
  const { nodes } = whole, names = nodes.map(({ name }) => name), last = names.indexOf(levelName(levels - 1));
  const first = from === undefined ? 0 : names.findIndex(name => name === from || name.startsWith(`${from}.`));
  if (first < 0 || first > last) throw new HeddleError('argument', `fit: fineTunedFrom: no node "${from}" in the backbone${suggest(String(from), names.slice(0, last))}`);
  return { ...whole, nodes: nodes.map((node, i) => (i > last ? node : i < first ? tuned(node, 0, true) : tuned(node, rate, fixed))) };
}

/** The same network for pictures of another size. @param {ModelDescription} whole @param {readonly number[]} size @returns {ModelDescription} */
export const resized = (whole, size) => ({ ...whole, nodes: whole.nodes.map((node, i) => (i ? node : { ...node, shape: [...size, 3] })) });

/**
 * @param {TrunkOptions} trunk
 * @param {HeadOptions} heads
 * @returns {Promise<{ net: Model, sizes: number[] }>} sizes: features of each level
 */
export async function buildWhole(trunk, heads) {
  const front = await describeTrunk(trunk), probe = (await build(front)).model;
  const sizes = probe.outputs.map(({ shape }) => shape[0]);
  probe.dispose();
  const { nodes, outputs } = await describeHeads(sizes, heads, trunk.seed);
  const whole = { name: 'quality', seed: trunk.seed, nodes: [...front.nodes, ...nodes.filter(node => node.layer !== 'input')], outputs };
  return { net: (await build(whole)).model, sizes };
}

/** Weights of another training for all that stands before the heads. @param {Model} net @param {Source} source @param {AbortSignal} [signal] */
export async function loadTrunk(net, source, signal) {
  const { missing } = await loadWeights(net, source, { partial: true, signal });
  const lacking = missing.filter(name => !/^(level\d+\.|aux\d|main)/.test(name));
  if (!lacking.length) return;
  throw new HeddleError('file', `qualityModel: weights: the file lacks ${lacking.length} of the backbone's weights (${lacking.slice(0, 3).join(', ')}${lacking.length > 3 ? ' ...' : ''}); `
    + 'choose levels that it reaches');
}

/** Batch normalisations of the backbone whose statistics went into the convolutions: training must leave them alone.
 * @param {Model} net @param {number} levels how many */
export async function isFolded(net, levels) {
  const names = net.layers.map(({ name }) => name), front = new Set(names.slice(0, names.indexOf(levelName(levels - 1))));
  const norms = net.layers.filter(({ kind, name }) => kind === 'batchNorm' && front.has(name));
  const weights = norms.length ? await net.getWeights() : {};
  return norms.some(({ name }) => {
    const variance = weights[`${name}/runningVariance`].data;
    return variance.every(value => value === variance[0] && value < 1 && value > 0.9);
  });
}

/** Copies the weights that both have. @param {Model} from @param {Model} to */
export async function copyWeights(from, to) {
  const weights = await from.getWeights(), names = new Set(to.layers.flatMap(layer => layer.weights.map(({ name }) => name)));
  await to.setWeights(Object.fromEntries(Object.entries(weights).filter(([name]) => names.has(name))), { partial: true });
}
