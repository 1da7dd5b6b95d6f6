/** New models that go on where others stand: transfer learning. */
import { HeddleError, checkOptions, kindOf, suggest } from './errors.js';
import { SymbolicTensor, apply, describeGraph } from './graph.js';
import { build } from './model.js';
import { frozenLayer } from './options.js';

/** @import { ModelDescription, ModelOptions } from './graph.js' */
/** @import { Model } from './model.js' */
/** @import { LayerSpec } from './options.js' */
/**
 * Finds the output of a node of the old model.
 * @callback NodeFinder
 * @param {string} [name] of the node; the model's single output unless told
 * @returns {SymbolicTensor} to be given to `apply`
 */
/**
 * @typedef {object} ExtendOptions
 * @property {string} [from] with a list of layers: the node that they follow; the model's single output unless told
 * @property {boolean | string} [freeze] true: training leaves all weights of the old model as they are, and its batch
 *   normalisations run as at inference; the name of a node: those up to this node, in the order of the old model's `layers`
 */

/** The nodes of a model as tensors that layers can be applied to. @param {ModelDescription} description
 * @param {(i: number) => boolean} isFrozen @returns {Map<string, SymbolicTensor>} */
function redraw({ nodes }, isFrozen) {
  /** @type {Map<string, SymbolicTensor>} */
  const tensors = new Map();
  for (const [i, { inputs = [], ...spec }] of nodes.entries()) {
    const from = inputs.map(name => /** @type {SymbolicTensor} */ (tensors.get(name)));
    tensors.set(spec.name, new SymbolicTensor(isFrozen(i) ? frozenLayer(spec) : spec, from));
  }
  return tensors;
}

/** All that outputs need, themselves included. @param {unknown} outputs @returns {Set<SymbolicTensor>} */
function reached(outputs) {
  /** @type {Set<SymbolicTensor>} */
  const seen = new Set();
  const stack = /** @type {SymbolicTensor[]} */ ([outputs].flat());
  for (const one of stack.length ? stack : [undefined]) {
    if (one instanceof SymbolicTensor) continue;
    throw new HeddleError('argument', `extend: outputs: expected what node() or apply() returned, got ${kindOf(one)}`);
  }
  for (let tensor = stack.pop(); tensor; tensor = stack.pop()) {
    if (!seen.has(tensor)) stack.push(...tensor.inputs);
    seen.add(tensor);
  }
  return seen;
}

/**
 * A new model that goes on where another one stands, with copies of its weights: transfer learning. What the new outputs do not
 * need, such as the old classifier, is left out.
 *
 *     const head = [layers.globalAveragePool2d(), layers.dense({ units: 5, activation: 'softmax' })];
 *     const net = await extend(backbone, head, { from: 'layer3', freeze: true });
 *
 * A function in place of the list draws any graph, as `model` takes it:
 *
 *     const net = await extend(backbone, node => ['layer3', 'layer4'].map(name => apply(layers.globalStdPool2d(), node(name))));
 * @param {Model} model stays as it is
 * @param {readonly LayerSpec[] | ((node: NodeFinder) => SymbolicTensor | readonly SymbolicTensor[])} layers what follows; a
 *   function returns the new outputs
 * @param {ExtendOptions & ModelOptions} [options] name, seed: the old model's unless told
 * @returns {Promise<Model>} not compiled
 * @throws {HeddleError} `argument` or `shape`, naming the node or the layer; `memory`
 */
export async function extend(model, layers, options = {}) {
  checkOptions(options, ['from', 'freeze', 'name', 'seed'], 'extend');
  const { description } = model, { from, freeze = false, name = description.name, seed = description.seed } = options;
  const names = description.nodes.map(node => node.name);
  /** @param {unknown} one @param {string} where */
  const place = (one, where) => {
    const i = names.indexOf(String(one));
    if (i < 0) throw new HeddleError('argument', `extend: ${where}: no node "${one}" in the model${suggest(String(one), names)}`);
    return i;
  };
  const end = typeof freeze === 'string' ? place(freeze, 'freeze') + 1 : freeze ? names.length : 0;
  const tensors = redraw(description, i => i < end);
  /** @type {NodeFinder} */
  const node = (one = description.outputs.length === 1 ? description.outputs[0] : undefined) => {
    if (one === undefined) {
      throw new HeddleError('argument', `extend: from is missing, the model has several outputs: ${description.outputs.join(', ')}`);
    }
    return /** @type {SymbolicTensor} */ (tensors.get(names[place(one, 'from')]));
  };
  const outputs = drawn(layers, node, from), needed = reached(outputs);
  const inputs = [...new Set([...tensors.values(), ...needed])].filter(tensor => needed.has(tensor) && tensor.spec.layer === 'input');
  const { model: extended } = await build(describeGraph({ inputs, outputs, name, seed }, 'extend'));
  try {
    const kept = Object.entries(await model.getWeights()).filter(([weight]) =>
      needed.has(/** @type {SymbolicTensor} */ (tensors.get(weight.slice(0, weight.indexOf('/'))))));
    await extended.setWeights(Object.fromEntries(kept), { partial: true });
    return extended;
  } catch (error) {
    extended.dispose();
    throw error;
  }
}

/** @param {unknown} layers @param {NodeFinder} node @param {string | undefined} from */
function drawn(layers, node, from) {
  if (typeof layers === 'function') {
    if (from !== undefined) throw new HeddleError('argument', 'extend: from is for a list of layers; a function finds its nodes itself');
    return layers(node);
  }
  if (!Array.isArray(layers)) throw new HeddleError('argument', `extend: expected an array of layers or a function, got ${kindOf(layers)}`);
  return layers.reduce((tensor, layer) => apply(layer, tensor), node(from));
}
