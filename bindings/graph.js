/** Model descriptions - plain JSON - from lists and graphs of layers, and the plans that engines build from them. */
import { HeddleError, checkOptions, kindOf, suggest } from './errors.js';
import { input as inputLayer } from './factories.js';
import { asSpec, encodeOptions } from './options.js';
import { checkSeed, defaultSeed } from './session.js';

/** @import { Item, ModelPlan } from './engine.js' */
/** @import { LayerSpec } from './factories.js' */
/** @import { Kind } from './options.js' */
/**
 * A node of a model, as it is saved. An input has a shape, a layer has inputs: the names of nodes before it.
 * @typedef {LayerSpec & { name: string, inputs?: string[] }} NodeDescription
 */
/**
 * A whole model without its weights; plain JSON. The same description and seed give the same initial weights.
 * @typedef {object} ModelDescription
 * @property {string} name for summaries and files
 * @property {number} seed of the initial weights, 0 to 2^53 - 1
 * @property {NodeDescription[]} nodes inputs and layers, each after those that it reads
 * @property {string[]} outputs names of the nodes whose values the model gives, in order
 */
/**
 * @typedef {object} ModelOptions
 * @property {string} [name] for summaries and files; "model" unless told
 * @property {number} [seed] of the initial weights, and by default of shuffling and dropout: a whole number 0 to 2^53 - 1; a random one unless told or
 *   set by `init`
 */

/** The output of a layer or an input while a graph is being drawn; made by `input` and `apply`. */
export class SymbolicTensor {
  /** @param {LayerSpec} spec @param {readonly SymbolicTensor[]} inputs */
  constructor(spec, inputs) {
    /** The layer that gives it, or the input that it is. @readonly @type {LayerSpec} */
    this.spec = spec;
    /** What the layer reads, in order; empty for an input. @readonly */
    this.inputs = Object.freeze([...inputs]);
    Object.freeze(this);
  }
}

/**
 * An input of a graph.
 * @param {{ shape: number[], name?: string }} options shape of one sample, without the batch
 */
export function input(options) {
  return new SymbolicTensor(inputLayer(options), []);
}

/**
 * A layer applied to the output of others.
 * @param {LayerSpec} layer such as layers.dense({ units: 8 })
 * @param {SymbolicTensor | readonly SymbolicTensor[]} inputs what `input` or `apply` gave; several in a list, for layers that join them
 */
export function apply(layer, inputs) {
  const list = Array.isArray(inputs) ? inputs : [inputs];
  checkLayer(layer, 'apply');
  if (layer.layer === 'input') throw new HeddleError('argument', 'apply: an input can\'t be applied; call input({ shape })');
  for (const [i, tensor] of list.entries()) {
    if (!(tensor instanceof SymbolicTensor)) {
      throw new HeddleError('argument', `apply(${layer.layer}): input ${i}: expected what input() or apply() returned, got ${kindOf(tensor)}`);
    }
  }
  if (list.length === 0) throw new HeddleError('argument', `apply(${layer.layer}): no inputs`);
  return new SymbolicTensor(layer, list);
}

/** @param {unknown} layer @param {string} where @returns {asserts layer is LayerSpec} */
function checkLayer(layer, where) {
  if (typeof layer !== 'object' || layer === null || typeof /** @type {LayerSpec} */ (layer).layer !== 'string') {
    throw new HeddleError('argument', `${where}: expected a layer such as layers.dense({ units: 10 }), got ${kindOf(layer)}`);
  }
}

/**
 * @param {readonly LayerSpec[]} layers
 * @param {ModelOptions} [options]
 * @returns {ModelDescription}
 */
export function describeSequential(layers, options) {
  if (!Array.isArray(layers)) throw new HeddleError('argument', `sequential: expected an array of layers, got ${kindOf(layers)}`);
  for (const [i, layer] of layers.entries()) checkLayer(layer, `sequential: layer ${i}`);
  const [first, ...rest] = layers[0]?.inputShape ? [inputLayer({ shape: layers[0].inputShape }), ...layers] : layers;
  if (first?.layer !== 'input') {
    throw new HeddleError('argument', 'sequential: the first layer must be layers.input({ shape }), or have an inputShape');
  }
  let tensor = new SymbolicTensor(first, []);
  const [begin] = [tensor];
  for (const layer of rest) tensor = apply(layer, tensor);
  return describeGraph({ inputs: begin, outputs: tensor, ...readModelOptions(options, 'sequential') }, 'sequential');
}

/** @param {unknown} options @param {string} where @returns {ModelOptions} */
function readModelOptions(options, where) {
  checkOptions(options, ['name', 'seed'], where);
  return options ?? {};
}

/**
 * @param {{ inputs: SymbolicTensor | readonly SymbolicTensor[], outputs: SymbolicTensor | readonly SymbolicTensor[] }
 *   & ModelOptions} options
 * @param {string} [where]
 * @returns {ModelDescription}
 */
export function describeGraph(options, where = 'model') {
  checkOptions(options, ['inputs', 'outputs', 'name', 'seed'], where);
  const { name = 'model', seed = defaultSeed() } = options;
  if (typeof name !== 'string') throw new HeddleError('argument', `${where}: name must be a string, got ${kindOf(name)}`);
  checkSeed(seed, where);
  const inputs = tensorList(options.inputs, `${where}: inputs`), outputs = tensorList(options.outputs, `${where}: outputs`);
  const order = sorted(inputs, outputs, where), names = uniqueNames(order, where);
  /** @param {SymbolicTensor} tensor */
  const nameOf = tensor => /** @type {string} */ (names.get(tensor));
  const nodes = order.map(tensor => describeNode(nameOf(tensor), tensor.spec, tensor.inputs.map(nameOf)));
  return { name, seed, nodes, outputs: outputs.map(nameOf) };
}

/** @param {string} name @param {LayerSpec} spec @param {string[]} inputs names @returns {NodeDescription} */
export function describeNode(name, { name: _, ...spec }, inputs) {
  return { name, ...spec, ...inputs.length && { inputs } }; // in one order always: the same model gives the same file
}

/** @param {unknown} value @param {string} where @returns {SymbolicTensor[]} */
function tensorList(value, where) {
  const list = Array.isArray(value) ? value : [value];
  for (const tensor of list) {
    if (!(tensor instanceof SymbolicTensor)) {
      throw new HeddleError('argument', `${where}: expected what input() or apply() returned, got ${kindOf(tensor)}`);
    }
  }
  if (list.length === 0 || new Set(list).size !== list.length) {
    throw new HeddleError('argument', `${where}: expected at least one, each once`);
  }
  return list;
}

/** All tensors that the outputs need, each after its inputs; the model's inputs first, in their order.
 * @param {SymbolicTensor[]} inputs @param {SymbolicTensor[]} outputs @param {string} where */
function sorted(inputs, outputs, where) {
  for (const [i, tensor] of inputs.entries()) {
    if (tensor.inputs.length) throw new HeddleError('argument', `${where}: inputs[${i}] is the output of a layer, expected an input()`);
  }
  const done = new Set(inputs), used = new Set();
  const stack = [...outputs].reverse(); // no recursion: graphs may be deep
  while (stack.length) {
    const tensor = /** @type {SymbolicTensor} */ (stack[stack.length - 1]);
    const open = tensor.inputs.filter(one => !done.has(one));
    if (!tensor.inputs.length) {
      if (!done.has(tensor)) throw new HeddleError('argument', `${where}: an input that the outputs need is not among the inputs`);
      used.add(tensor);
    }
    for (const one of tensor.inputs) used.add(one);
    if (open.length) stack.push(...open.reverse());
    else done.add(/** @type {SymbolicTensor} */ (stack.pop()));
  }
  const idle = inputs.findIndex(tensor => !used.has(tensor));
  if (idle >= 0) throw new HeddleError('argument', `${where}: no output needs inputs[${idle}]`);
  return [...done];
}

/** The given names; for others the layer's, numbered from the second on, as in Keras: dense, dense_1, ...
 * @param {SymbolicTensor[]} tensors @param {string} where @returns {Map<SymbolicTensor, string>} */
function uniqueNames(tensors, where) {
  const taken = new Set();
  for (const { spec: { name } } of tensors) {
    if (name === undefined) continue;
    if (taken.has(name)) throw new HeddleError('argument', `${where}: two layers have the name "${name}"`);
    taken.add(name);
  }
  return new Map(tensors.map(tensor => {
    let { name } = tensor.spec;
    for (let i = 0; name === undefined; i++) {
      const candidate = i ? `${tensor.spec.layer}_${i}` : tensor.spec.layer;
      if (!taken.has(candidate)) taken.add(name = candidate);
    }
    return [tensor, name];
  }));
}

/**
 * @param {Kind} kind
 * @param {unknown} value a spec or its name
 * @param {string} where
 * @returns {Item}
 */
export function toItem(kind, value, where) {
  const spec = /** @type {Record<string, any>} */ (asSpec(kind, value, where));
  return { kind: spec[kind], options: encodeOptions(kind, spec[kind], spec.options, where) };
}

/** What hangs on weights. @param {Record<string, any> | undefined} given @param {string} where @returns {Item[]} */
function weightItems(given, where) {
  const { initializer, regularizer, constraint, learningRateFactor, frozen } = given ?? {};
  const items = [];
  if (initializer) items.push(toItem('initializer', initializer, where));
  for (const one of regularizer ? [regularizer].flat() : []) items.push(toItem('regularizer', one, where));
  if (constraint) items.push(toItem('constraint', constraint, where));
  if (learningRateFactor !== undefined) items.push({ kind: 'learningRateFactor', options: [learningRateFactor] });
  if (frozen) items.push({ kind: 'frozen', options: [1] });
  return items;
}

/**
 * @param {ModelDescription} description
 * @returns {ModelPlan}
 */
export function planModel({ seed, nodes, outputs }) {
  /** @type {Map<string, number>} */
  const numbers = new Map();
  /** @param {string} name @param {string} where */
  const find = (name, where) => {
    const number = numbers.get(name);
    if (number === undefined) throw new HeddleError('argument', `${where}: no node "${name}" before it${suggest(String(name), [...numbers.keys()])}`);
    return number;
  };
  const planned = nodes.map((node, i) => {
    const { name, layer: kind, inputs = [], options, weights, activity } = node, where = `layer "${name}"`;
    numbers.set(name, i);
    if (kind === 'input') return { name, shape: [...node.shape ?? []] };
    return {
      name, kind, inputs: inputs.map(one => find(one, where)), options: encodeOptions('layer', kind, options ?? {}),
      kernel: weightItems(weights?.kernel, where), bias: weightItems(weights?.bias, where),
      ...activity && { activity: toItem('activity', activity, where) },
    };
  });
  return { nodes: planned, outputs: outputs.map(name => find(name, 'outputs')), seed };
}
