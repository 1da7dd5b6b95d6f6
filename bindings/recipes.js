/** Named networks, the weights that others have trained for them, and networks built on top of them: `heddle/recipes`. */
import { HeddleError, checkOptions, kindOf } from './errors.js';
import { describeNode } from './graph.js';
import { build } from './model.js';
import { asSpec, decodeOptions, encodeOptions } from './options.js';
import { checkSeed, connect, defaultSeed } from './session.js';
import { tables } from './tables.js';

export { extend } from './extend.js';
export { loadWeights } from './weights/index.js';

/** @import { RecipeNode } from './engine.js' */
/** @import { Model } from './model.js' */
/** @import { RecipeFactories } from './tables.js' */

/** @param {RecipeNode} node @param {readonly RecipeNode[]} nodes */
function decodeNode({ name, kind, inputs, options, shape }, nodes) {
  if (kind === 'input') return describeNode(name, asSpec('layer', { layer: kind, shape }), []);
  return describeNode(name, asSpec('layer', { layer: kind, options: decodeOptions('layer', kind, options) }), inputs.map(i => nodes[i].name));
}

/** @param {string} recipe @param {Record<string, unknown>} [options] @returns {Promise<Model>} */
async function create(recipe, options = {}) {
  checkOptions(options, ['name', 'seed', ...Object.keys(tables.recipe[recipe].options)], `recipes.${recipe}`);
  const { name = recipe, seed = defaultSeed(), ...own } = options;
  if (typeof name !== 'string') throw new HeddleError('argument', `recipes.${recipe}: name must be a string, got ${kindOf(name)}`);
  checkSeed(seed, `recipes.${recipe}`);
  const values = encodeOptions('recipe', recipe, own), client = await connect();
  /** @type {{ nodes: RecipeNode[], outputs: number[] }} */
  const { nodes, outputs } = await client.call('describeRecipe', [recipe, values]);
  const description = { name, seed: Number(seed), nodes: nodes.map(node => decodeNode(node, nodes)), outputs: outputs.map(i => nodes[i].name) };
  return (await build(description)).model;
}

/**
 * Named networks with fresh weights: `await recipes.resnet18({ classes: 0 })` is an ordinary model. Nodes have the names that
 * torchvision gives their parameters ("layer1.0.conv1"); the output of a stage is the node "layer1" to "layer4", that of a
 * block within it "layer1.0": `predict(x, { output: 'layer3' })`. Each throws a HeddleError: `argument` or `shape` for wrong
 * options, `memory`.
 * @type {Readonly<RecipeFactories>}
 */
export const recipes = Object.freeze(/** @type {any} */ (Object.fromEntries(Object.keys(tables.recipe).map(name =>
  [name, (/** @type {Record<string, unknown>} */ options) => create(name, options)]))));
