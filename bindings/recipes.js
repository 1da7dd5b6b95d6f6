/** Named networks, the weights that others have trained for them, and networks built on top of them: `heddle/recipes`. */
import { build } from './model.js';
import { describe } from './recipe_description.js';
import { tables } from './tables.js';

export { extend } from './extend.js';
export { loadWeights } from './weights/index.js';

/** @import { Model } from './model.js' */
/** @import { RecipeFactories } from './tables.js' */

/** @param {string} recipe @param {Record<string, unknown>} [options] @returns {Promise<Model>} */
async function create(recipe, options) {
  return (await build(await describe(recipe, options))).model;
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
