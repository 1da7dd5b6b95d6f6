/** Descriptions of named networks, as the engine gives them. */
import { HeddleError, checkOptions, kindOf } from './errors.js';
import { describeNode } from './graph.js';
import { layers as factories } from './factories.js';
import { asSpec, decodeOptions, encodeOptions, isBias } from './options.js';
import { checkSeed, connect, defaultSeed } from './session.js';
import { tables } from './tables.js';

/** @import { Item, RecipeNode } from './engine.js' */
/** @import { ModelDescription, ModelOptions } from './graph.js' */
/** @import { Kind, LayerExtras, LayerSpec, WeightExtras } from './options.js' */
/** Beside a recipe's own options: name and seed as of every model; layers: what hangs on layers and their weights, by layer name, as
 * layers.dense() takes it: `{ fc1: { kernelConstraint: 'maxNorm' } }`.
 * @typedef {ModelOptions & { layers?: { readonly [layer: string]: Pick<LayerExtras, 'activityRegularizer'> & WeightExtras } }} RecipeExtras */

const own = ['trainable', 'learningRateFactor', 'activityRegularizer', ...['kernel', 'bias'].flatMap(group => ['Initializer', 'Regularizer', 'Constraint']
  .map(kind => group + kind))];

/** What C hung on a node, as layers have it. @template {Kind} K @param {K} kind @param {Item} item @returns {Record<string, unknown>} */
const hung = (kind, { kind: name, options }) => (name ? { [kind]: { [kind]: name, options: decodeOptions(kind, name, options) } } : {});

/** @param {RecipeNode} node @param {readonly RecipeNode[]} nodes @param {Record<string, unknown>} extras for this layer, as layers take them */
function decodeNode({ name, kind, inputs, options, shape, weights, activity }, nodes, extras) {
  if (kind === 'input') return describeNode(name, asSpec('layer', { layer: kind, shape }), []);
  /** @type {Record<string, Record<string, unknown>>} */
  const groups = {};
  for (const { weight, initializer, regularizer } of weights) {
    const items = { ...hung('initializer', initializer), ...hung('regularizer', regularizer) };
    if (Object.keys(items).length) groups[isBias(weight) ? 'bias' : 'kernel'] = items;
  }
  const make = /** @type {Record<string, (options: object) => LayerSpec>} */ (/** @type {unknown} */ (factories))[kind];
  const { weights: given = {}, ...spec } = make({ ...decodeOptions('layer', kind, options), ...extras });
  for (const [group, items] of Object.entries(given)) groups[group] = { ...groups[group], ...items };
  const all = { ...hung('activity', activity), ...spec, ...Object.keys(groups).length && { weights: groups } };
  return describeNode(name, asSpec('layer', all), inputs.map(i => nodes[i].name));
}

/** @param {Record<string, Record<string, unknown>>} extras @param {readonly RecipeNode[]} nodes @param {string} where */
function checkExtras(extras, nodes, where) {
  checkOptions(extras, nodes.filter(({ kind }) => kind !== 'input').map(({ name }) => name), `${where}: layers`);
  for (const [name, given] of Object.entries(extras)) checkOptions(given, own, `${where}: layers.${name}`);
}

/** A recipe's model without its weights, for modules of this library.
 * @param {string} recipe @param {Record<string, unknown>} [options] @returns {Promise<ModelDescription>} */
export async function describe(recipe, options = {}) {
  checkOptions(options, ['name', 'seed', 'layers', ...Object.keys(tables.recipe[recipe].options)], `recipes.${recipe}`);
  const { name = recipe, seed = defaultSeed(), layers = {}, ...rest } = options;
  if (typeof name !== 'string') throw new HeddleError('argument', `recipes.${recipe}: name must be a string, got ${kindOf(name)}`);
  checkSeed(seed, `recipes.${recipe}`);
  const values = encodeOptions('recipe', recipe, rest), client = await connect();
  /** @type {{ nodes: RecipeNode[], outputs: number[] }} */
  const { nodes, outputs } = await client.call('describeRecipe', [recipe, values]);
  const extras = /** @type {Record<string, Record<string, unknown>>} */ (layers);
  checkExtras(extras, nodes, `recipes.${recipe}`);
  return { name, seed: Number(seed), nodes: nodes.map(node => decodeNode(node, nodes, extras[node.name])), outputs: outputs.map(i => nodes[i].name) };
}
