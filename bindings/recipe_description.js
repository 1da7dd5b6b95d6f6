/** Descriptions of named networks, as the engine gives them. */
import { HeddleError, checkOptions, kindOf } from './errors.js';
import { describeNode } from './graph.js';
import { asSpec, decodeOptions, encodeOptions, isBias } from './options.js';
import { checkSeed, connect, defaultSeed } from './session.js';
import { tables } from './tables.js';

/** @import { RecipeNode } from './engine.js' */
/** @import { ModelDescription } from './graph.js' */

/** @param {RecipeNode} node @param {readonly RecipeNode[]} nodes */
function decodeNode({ name, kind, inputs, options, shape, initializers }, nodes) {
  if (kind === 'input') return describeNode(name, asSpec('layer', { layer: kind, shape }), []);
  const weights = Object.fromEntries(initializers.map(one => [isBias(one.weight) ? 'bias' : 'kernel',
    { initializer: { initializer: one.kind, options: decodeOptions('initializer', one.kind, one.options) } }]));
  const spec = { layer: kind, options: decodeOptions('layer', kind, options), ...initializers.length && { weights } };
  return describeNode(name, asSpec('layer', spec), inputs.map(i => nodes[i].name));
}

/** A recipe's model without its weights, for modules of this library.
 * @param {string} recipe @param {Record<string, unknown>} [options] @returns {Promise<ModelDescription>} */
export async function describe(recipe, options = {}) {
  checkOptions(options, ['name', 'seed', ...Object.keys(tables.recipe[recipe].options)], `recipes.${recipe}`);
  const { name = recipe, seed = defaultSeed(), ...own } = options;
  if (typeof name !== 'string') throw new HeddleError('argument', `recipes.${recipe}: name must be a string, got ${kindOf(name)}`);
  checkSeed(seed, `recipes.${recipe}`);
  const values = encodeOptions('recipe', recipe, own), client = await connect();
  /** @type {{ nodes: RecipeNode[], outputs: number[] }} */
  const { nodes, outputs } = await client.call('describeRecipe', [recipe, values]);
  return { name, seed: Number(seed), nodes: nodes.map(node => decodeNode(node, nodes)), outputs: outputs.map(i => nodes[i].name) };
}
