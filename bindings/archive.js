/** Models as files: safetensors with all weights, and in its metadata the description, what it is compiled for, and more. */
import { HeddleError, kindOf } from './errors.js';
import { readSafetensors, toFloat32, writeSafetensors } from './files/safetensors.js';
import { describeNode } from './graph.js';
import { asSpec } from './options.js';

/** @import { CompileConfig } from './compile.js' */
/** @import { WeightFacts } from './engine.js' */
/** @import { ModelDescription } from './graph.js' */
/** @typedef {string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }} Json */
/**
 * @typedef {object} Archive
 * @property {ModelDescription} description
 * @property {CompileConfig | null} config
 * @property {Json} [preprocessing]
 * @property {Json} [metadata]
 */

/** The key in the metadata of the file, and the version of what is written there. */
const key = 'heddle', version = 1;

/** @param {string} message @param {unknown} [cause] @returns {never} */
function refuse(message, cause) {
  throw new HeddleError('file', `load: ${message}`, { cause });
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
 * @param {readonly WeightFacts[]} facts
 * @param {readonly Float32Array[]} weights in the same order
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function writeArchive({ description, config, preprocessing, metadata }, facts, weights) {
  const tensors = new Map(facts.map(({ name, shape }, i) => [name, { shape, data: weights[i] }]));
  const text = JSON.stringify({ version, model: description, compile: config, preprocessing, metadata });
  return writeSafetensors(tensors, { [key]: text });
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

/**
 * @param {Uint8Array} bytes
 * @returns {Archive & { weights: Map<string, { shape: number[], data: Float32Array }> }}
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
    return {
      description: readDescription(content.model), config: readConfig(content.compile),
      preprocessing: /** @type {Json | undefined} */ (content.preprocessing), metadata: /** @type {Json | undefined} */ (content.metadata),
      weights: new Map([...tensors].map(([name, tensor]) => [name, { shape: tensor.shape, data: toFloat32(tensor) }])),
    };
  } catch (error) { // what is a wrong argument elsewhere is a damaged file here
    if (error instanceof HeddleError && error.code !== 'argument') throw error;
    return refuse(`the description is damaged: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}
