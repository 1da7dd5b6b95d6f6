/** Models as files: safetensors with all weights, and in its metadata the description, what it is compiled for, and more. */
import { HeddleError, kindOf } from './errors.js';
import { readSafetensors, toFloat32, writeSafetensors } from './files/safetensors.js';
import { describeNode } from './graph.js';
import { asSpec } from './options.js';

/** @import { CompileConfig } from './compile.js' */
/** @import { ModelFacts } from './engine.js' */
/** @import { ModelDescription } from './graph.js' */
/** @import { OptimizerState } from './trainer.js' */
/** @typedef {string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }} Json what JSON can hold */
/**
 * @typedef {object} Archive
 * @property {ModelDescription} description
 * @property {CompileConfig | null} config
 * @property {Json} [preprocessing]
 * @property {Json} [metadata]
 */

/** The key in the metadata of the file, and the version of what is written there. */
const key = 'heddle', version = 1;
/** Names of the optimiser's tensors: "optimizer/0/dense/kernel", "optimizer/mean/hidden". Those of weights have one slash. */
const prefix = 'optimizer/';

/** @typedef {{ step: number, slots: number, tensors: Map<string, { shape: number[], data: Float32Array }> }} SavedOptimizer */
/** @param {string} name */
const isOptimizers = name => name.startsWith(prefix) && name.indexOf('/', prefix.length) > 0;
/** @param {number} slot @param {string} weight */
const slotName = (slot, weight) => `${prefix}${slot}/${weight}`;
/** @param {string} node */
const meanName = node => `${prefix}mean/${node}`;

/** @param {string} message @param {unknown} [cause] @returns {never} */
function refuse(message, cause) {
  throw new HeddleError('file', `load: ${message}`, { cause });
}

/** Elements that the weights of a model may have before they are compared, one by one, with those of its file: a few more, for better messages.
 * @param {Iterable<{ data: { length: number } }>} weights */
export const room = weights => [...weights].reduce((sum, { data }) => sum + data.length, 2 ** 20);

/** What a file led to is the file's fault. @param {unknown} cause @param {string} where @returns {never} */
export function blame(cause, where) {
  if (!(cause instanceof HeddleError) || !['argument', 'shape', 'state'].includes(cause.code)) throw cause;
  throw new HeddleError('file', `${where}: the file does not describe a model: ${cause.message}`, { cause });
}

/** @param {unknown} value @param {string} where @returns {Json | undefined} */
export function checkJson(value, where) {
  if (value === undefined) return undefined;
  const isPlain = (/** @type {unknown} */ one) => one === null || ['string', 'boolean'].includes(typeof one) || Number.isFinite(one);
  /** @param {unknown} one @param {string} path */
  const visit = (one, path) => {
    const prototype = typeof one === 'object' && one !== null && Object.getPrototypeOf(one);
    if (prototype === Object.prototype || prototype === null || Array.isArray(one)) {
      for (const [name, part] of Object.entries(/** @type {object} */ (one))) visit(part, `${path}.${name}`);
    } else if (!isPlain(one)) {
      throw new HeddleError('argument', `${path}: expected plain JSON, got ${typeof one === 'number' ? one : kindOf(one)}`);
    }
  };
  visit(value, where);
  return /** @type {Json} */ (value);
}

/**
 * @param {Archive} archive
 * @param {ModelFacts} facts
 * @param {readonly Float32Array[]} weights in the order of the facts
 * @param {OptimizerState | null} state
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function writeArchive({ description, config, preprocessing, metadata }, facts, weights, state) {
  /** @type {Map<string, { shape: number[], data: Float32Array }>} */
  const tensors = new Map(facts.weights.map(({ name, shape }, i) => [name, { shape, data: weights[i] }]));
  state?.slots.forEach((slot, k) => slot.forEach((data, i) => data && tensors.set(slotName(k, facts.weights[i].name), { shape: facts.weights[i].shape, data })));
  state?.means.forEach((data, i) => data && tensors.set(meanName(facts.nodes[i].name), { shape: facts.nodes[i].shape, data }));
  const optimizer = state ? { step: state.step, slots: state.slots.length } : undefined;
  const text = JSON.stringify({ version, model: description, compile: config, optimizer, preprocessing, metadata });
  return writeSafetensors(tensors, { [key]: text });
}

/**
 * The state in a file, for the model that was made from it.
 * @param {ModelFacts} facts
 * @param {SavedOptimizer} saved
 * @returns {OptimizerState}
 */
export function readState({ weights, nodes }, { step, slots, tensors }) {
  /** @param {string} name @param {number[]} shape */
  const part = (name, shape) => {
    const tensor = tensors.get(name);
    if (tensor && tensor.shape.join() !== shape.join()) refuse(`"${name}" has shape [${tensor.shape.join(', ')}], expected [${shape.join(', ')}]`);
    return tensor?.data ?? null;
  };
  return {
    step, means: nodes.map(({ name, shape }) => part(meanName(name), shape)),
    slots: Array.from({ length: slots }, (_, k) => weights.map(({ name, shape, frozen }) =>
      (frozen ? null : part(slotName(k, name), shape) ?? refuse(`the optimiser's state has no "${slotName(k, name)}"`)))),
  };
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
const isObject = value => typeof value === 'object' && value !== null && !Array.isArray(value);
/** @param {unknown} value @returns {value is string[]} */
const isNames = value => Array.isArray(value) && value.every(name => typeof name === 'string');

/** @param {unknown} model @returns {ModelDescription} */
function readDescription(model) {
  if (!isObject(model)) return refuse('the description of the model is missing');
  const { name, seed, nodes, outputs } = model;
  if (typeof name !== 'string') refuse('the name of the model must be a string');
  if (!Number.isSafeInteger(seed) || Number(seed) < 0) refuse('the seed of the model must be a whole number');
  if (!Array.isArray(nodes) || nodes.length === 0) return refuse('the model has no nodes');
  if (!isNames(outputs) || outputs.length === 0) return refuse('the outputs of the model must be a list of names');
  const checked = nodes.map((node, i) => {
    if (!isObject(node) || typeof node.name !== 'string') return refuse(`node ${i} has no name`);
    const { inputs, ...spec } = node, isInput = node.layer === 'input';
    if (isInput ? inputs !== undefined : !isNames(inputs)) refuse(`node "${node.name}": inputs must be a list of names, and inputs have none`);
    return describeNode(node.name, asSpec('layer', spec, `node "${node.name}"`), isInput ? [] : /** @type {string[]} */ (inputs));
  });
  return { name, seed: Number(seed), nodes: checked, outputs };
}

/** @param {unknown} config @returns {CompileConfig | null} */
function readConfig(config) {
  if (config === null || config === undefined) return null;
  if (!isObject(config) || !Array.isArray(config.losses) || !Array.isArray(config.metrics)) return refuse('what the model is compiled for is damaged');
  /** @template {'loss' | 'metric'} K @param {K} kind @param {unknown[]} list */
  const entries = (kind, list) => list.map(entry => {
    if (!isObject(entry) || typeof entry.output !== 'string') return refuse(`a ${kind} has no output`);
    return { output: entry.output, weight: Number(entry.weight ?? 1), spec: asSpec(kind, entry.spec, kind) };
  });
  return {
    optimizer: asSpec('optimizer', config.optimizer, 'optimizer'),
    losses: entries('loss', config.losses), metrics: entries('metric', config.metrics).map(({ output, spec }) => ({ output, spec })),
  };
}

/** @param {unknown} optimizer @param {SavedOptimizer['tensors']} tensors @returns {SavedOptimizer | null} */
function readOptimizer(optimizer, tensors) {
  if (optimizer === undefined) return null;
  if (!isObject(optimizer) || !Number.isSafeInteger(optimizer.step) || ![0, 1, 2].includes(Number(optimizer.slots))) return refuse("the optimiser's state is damaged");
  return { step: Number(optimizer.step), slots: Number(optimizer.slots), tensors };
}

/**
 * @param {Uint8Array} bytes
 * @returns {Archive & { optimizer: SavedOptimizer | null, weights: Map<string, { shape: number[], data: Float32Array }> }}
 * @throws {HeddleError} `file`, or `unsupported` for a file of a later version
 */
export function readArchive(bytes) {
  const { tensors, metadata } = readSafetensors(bytes);
  if (metadata[key] === undefined) refuse('the file holds tensors, but no description of a heddle model; read it with readSafetensors and setWeights');
  try {
    const content = JSON.parse(metadata[key]);
    if (!isObject(content)) return refuse('the description is no object');
    if (content.version !== version) {
      throw new HeddleError('unsupported', `load: the file has version ${String(content.version)}, this heddle reads version ${version}`);
    }
    const all = [...tensors].map(([name, tensor]) => /** @type {const} */ ([name, { shape: tensor.shape, data: toFloat32(tensor) }]));
    return {
      description: readDescription(content.model), config: readConfig(content.compile),
      optimizer: readOptimizer(content.optimizer, new Map(all.filter(([name]) => isOptimizers(name)))),
      preprocessing: /** @type {Json | undefined} */ (content.preprocessing), metadata: /** @type {Json | undefined} */ (content.metadata),
      weights: new Map(all.filter(([name]) => !isOptimizers(name))),
    };
  } catch (error) { // what is a wrong argument elsewhere is a damaged file here
    if (error instanceof HeddleError && error.code !== 'argument') throw error;
    return refuse(`the description is damaged: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}
