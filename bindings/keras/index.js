/** Models of Keras, as `heddle/keras`: TensorFlow.js's layers format, model.json with its weights. */
import { blame, room } from '../archive.js';
import { checkOptions } from '../errors.js';
import { input } from '../graph.js';
import { filled } from '../imported.js';
import { readFiles, refuse } from './files.js';
import { readers } from './layers.js';

/** @import { SymbolicTensor } from '../graph.js' */
/** @import { Model } from '../model.js' */
/** @import { KerasSource, Weight } from './files.js' */
/**
 * A layer as a file of Keras has it.
 * @typedef {object} KerasLayer
 * @property {string} name in the file
 * @property {string} kind its class in Keras, such as Conv2D
 * @property {any} config its options, by Keras' names
 * @property {string[] | null} inputs names of the layers that it reads; null: the layer before
 */

/**
 * Names of the layers that a layer reads, as Keras 2 and TensorFlow.js write them, or as Keras 3.
 * @param {any} nodes
 * @param {string} name
 * @returns {string[]}
 */
function inboundOf(nodes, name) {
  if (!Array.isArray(nodes) || nodes.length === 0) return [];
  if (nodes.length > 1) refuse(`layer "${name}" is used ${nodes.length} times, expected once`);
  if (Array.isArray(nodes[0])) return nodes[0].map(one => String(one[0]));
  return [nodes[0].args].flat(3).map(one => String(one?.config?.keras_history?.[0]));
}

/** Names in a list of inputs or outputs: [[name, 0, 0], ...], or of Keras 3 one such triple. @param {any} list @returns {string[]} */
const endsOf = list => Array.isArray(list?.[0]) ? list.map((/** @type {any} */ one) => String(one[0])) : [String(list?.[0])];

/**
 * @param {any} topology
 * @returns {{ layers: KerasLayer[], ends: { inputs: string[], outputs: string[] } | null }} ends: null: the first layer and the last
 */
function plan({ class_name: kind, config }) {
  const list = Array.isArray(config) ? config : config?.layers;
  if (!['Sequential', 'Model', 'Functional'].includes(kind) || !Array.isArray(list) || !list.length) {
    return refuse(`a model of class ${JSON.stringify(kind)}, expected Sequential, Model or Functional with layers`);
  }
  const layers = list.map((layer, i) => {
    if (typeof layer?.class_name !== 'string' || typeof layer.config !== 'object' || layer.config === null) {
      return refuse(`layer ${i} has no class_name and config`);
    }
    const name = String(layer.config.name ?? layer.name ?? `${layer.class_name}${i}`);
    return { name, kind: layer.class_name, config: layer.config, inputs: kind === 'Sequential' ? null : inboundOf(layer.inbound_nodes, name) };
  });
  return { layers, ends: kind === 'Sequential' ? null : { inputs: endsOf(config.input_layers), outputs: endsOf(config.output_layers) } };
}

/** Axes of a sample that come out of a layer. @param {KerasLayer} layer @param {number} rank of what goes in */
function rankAfter({ kind, config }, rank) {
  if (kind === 'Flatten' || kind.startsWith('Global')) return 1;
  return kind === 'Reshape' ? config.target_shape.length : rank;
}

/** A model in the making. */
class Reading {
  /** @type {Map<string, SymbolicTensor>} */
  tensors = new Map();
  /** @type {Map<SymbolicTensor, number>} axes of a sample */
  #ranks = new Map();
  /** The first input. @type {SymbolicTensor | null} */
  input = null;
  /** @type {{ [name: string]: Float32Array }} */
  weights = {};
  /** @type {SymbolicTensor | null} */
  #last = null;
  #stored;

  /** @param {Map<string, Weight>} stored */
  constructor(stored) {
    this.#stored = stored;
  }

  /** @param {string} layer @param {string} part @returns {Weight} */
  #weight(layer, part) {
    const ending = `${layer}/${part}`, exact = this.#stored.get(ending);
    if (exact) return exact;
    const found = [...this.#stored.keys()].filter(name => name.endsWith(`/${ending}`));
    return found.length === 1 ? /** @type {Weight} */ (this.#stored.get(found[0])) : refuse(`layer "${layer}": ${found.length} weights end with "${ending}", expected one`);
  }

  /** @param {string} name @param {any} config */
  #input(name, { batch_input_shape: old, batch_shape: given = old }) {
    const shape = Array.isArray(given) ? given.slice(1) : [];
    if (!shape.length || !shape.every(n => Number.isInteger(n) && n >= 1)) {
      refuse(`input "${name}": shape ${JSON.stringify(given)}, expected [null, ...] with every other size given`);
    }
    const tensor = input({ shape, name });
    this.#ranks.set(tensor, shape.length);
    this.input ??= tensor;
    return tensor;
  }

  /** @param {KerasLayer} layer */
  add(layer) {
    const { name, kind, config, inputs } = layer;
    const own = name.replaceAll('/', '.').slice(0, 50);
    if (kind === 'InputLayer') {
      this.#last = this.#input(own, config);
    } else {
      if (!Object.hasOwn(readers, kind)) refuse(`layer "${name}" is of class ${kind}, which has no counterpart here`);
      if (inputs === null && !this.#last) this.#last = this.#input(`${own}.input`.slice(0, 60), config);
      const from = inputs === null ? [/** @type {SymbolicTensor} */ (this.#last)]
        : inputs.map(one => this.tensors.get(one) ?? refuse(`layer "${name}" reads "${one}", which is not before it`));
      if (!from.length) refuse(`layer "${name}" reads no layer`);
      const rank = this.#ranks.get(from[0]) ?? 0;
      this.#last = readers[kind](config, from, {
        name: own, rank, weight: part => this.#weight(name, part),
        keep: (node, values) => { for (const [weight, data] of Object.entries(values)) this.weights[`${node}/${weight}`] = data; },
      });
      this.#ranks.set(this.#last, rankAfter(layer, rank));
    }
    this.tensors.set(name, this.#last);
  }

  /** @param {{ inputs: string[], outputs: string[] } | null} ends */
  ends(ends) {
    const named = (/** @type {string} */ name) => this.tensors.get(name) ?? refuse(`"${name}" is named as an input or output, and is no layer`);
    if (ends) return { inputs: ends.inputs.map(named), outputs: ends.outputs.map(named) };
    return { inputs: [/** @type {SymbolicTensor} */ (this.input)], outputs: [/** @type {SymbolicTensor} */ (this.#last)] };
  }
}

/**
 * A Keras model saved for TensorFlow.js (`tensorflowjs_converter`, or `model.save` of TensorFlow.js) as a model of this library, with its weights: to
 * be run, trained on, or given another head (`extend`). Layers have Keras' names. Weights that were quantised to float16, uint16 or uint8 are read too.
 * @param {KerasSource} source the address or path of model.json, beside which its weights lie; or all files, as they were dropped on a page
 * @param {{ signal?: AbortSignal }} [options] signal: its abort stops the reading; the call then rejects with its reason
 * @returns {Promise<Model>}
 * @throws {HeddleError} `file` for what is no such model, for a layer without a counterpart here and for files that are cut; `storage` if they can't be read; `argument`
 */
export async function importKeras(source, options = {}) {
  checkOptions(options, ['signal'], 'importKeras');
  const { topology, weights } = await readFiles(source, options.signal);
  try {
    const { layers, ends } = plan(topology), reading = new Reading(weights);
    for (const layer of layers) reading.add(layer);
    return await filled(reading.ends(ends), reading.weights, room(weights.values()), 'importKeras');
  } catch (cause) {
    return blame(cause, 'importKeras');
  }
}
