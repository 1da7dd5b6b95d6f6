/** Named networks as C builds them, read back node by node. */

/** @import { Engine, RecipeNode } from './engine.js' */

/** Inputs of a node, and values of its options or of an initialiser's, at most. */
const mostInputs = 16, mostOptions = 80;

/** @param {Engine} engine @param {string} name @param {number[]} options @returns {{ nodes: RecipeNode[], outputs: number[] }} */
export function readRecipe(engine, name, options) {
  const { heap } = engine, model = engine.made(heap.call('hd_model_new', engine.context));
  try {
    engine.check(heap.call('hd_recipe', model, name, Float64Array.from(options), options.length));
    const { nodes, outputs, weights } = engine.readFacts(model);
    /** @param {string} read name of the C function that gives a class; `${read}_options` gives its options @param {number} i */
    const item = (read, i) => ({ kind: heap.text(read, model, i), options: heap.list(Float64Array, mostOptions, `${read}_options`, model, i) });
    const attached = weights.map(({ name, node }, i) => ({
      node, weight: name.slice(name.indexOf('/') + 1),
      initializer: item('hd_weight_initializer', i), regularizer: item('hd_weight_regularizer', i),
    }));
    return {
      outputs,
      nodes: nodes.map((node, i) => ({
        ...node, inputs: heap.list(Int32Array, mostInputs, 'hd_node_inputs', model, i),
        options: heap.list(Float64Array, mostOptions, 'hd_node_options', model, i),
        weights: attached.filter(one => one.node === i), activity: item('hd_node_activity', i),
      })),
    };
  } finally {
    heap.call('hd_model_free', model);
  }
}
