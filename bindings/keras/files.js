/** The files of a Keras model in TensorFlow.js's layers format: model.json and the weights beside it, checked. */
import { HeddleError, kindOf } from '../errors.js';
import { toFloat32 } from '../files/safetensors.js';
import { loadFrom } from '../stores/index.js';

/** @typedef {{ data: Float32Array, shape: number[] }} Weight */
/**
 * @typedef {string | URL | readonly File[]} KerasSource the address or path of model.json, whose weights lie beside it; or all files, as
 *   dropped on a page
 */
/** Bytes of an element. @type {{ [dtype: string]: number }} */
const sizes = { float32: 4, float16: 2, uint8: 1, uint16: 2, int32: 4, bool: 1 };

/** @param {string} message @returns {never} */
export function refuse(message) {
  throw new HeddleError('file', `importKeras: ${message}`);
}

/**
 * Reads a file by the name it has in the model.
 * @param {KerasSource} source
 * @param {AbortSignal} [signal]
 * @returns {(name?: string) => Promise<Uint8Array>} without a name: model.json
 */
function opener(source, signal) {
  if (typeof source === 'string' || source instanceof URL) {
    const text = String(source), folder = text.replace(/[?#].*$/, '').replace(/[^/\\]*$/, '');
    return name => loadFrom(name === undefined ? source : `${folder}${name.split('/').pop()}`, { signal });
  }
  const files = /** @type {readonly File[]} */ (source);
  if (!Array.isArray(source) || !files.every(file => file instanceof Blob && 'name' in file)) {
    throw new HeddleError('argument', `importKeras: expected the address of model.json, or a list of Files, got ${kindOf(source)}`);
  }
  return async name => {
    const file = files.find(one => (name === undefined ? one.name.endsWith('.json') : one.name === name.split('/').pop()));
    if (!file) {
      throw new HeddleError('argument', `importKeras: the files have no ${name ?? 'model.json'}: ${files.map(one => one.name).join(', ')}`);
    }
    return loadFrom(file, { signal });
  };
}

/** Stored values as floats. @param {any} spec @param {Uint8Array} bytes @returns {Float32Array} */
function decoded({ dtype, quantization: q }, bytes) {
  const type = q?.dtype ?? dtype, { buffer } = bytes.slice(); // aligned
  if (type === 'float32') return new Float32Array(buffer);
  if (type === 'float16') return toFloat32({ dtype: 'F16', data: new Uint16Array(buffer), shape: [] });
  const whole = type === 'uint16' ? new Uint16Array(buffer) : type === 'int32' ? new Int32Array(buffer) : new Uint8Array(buffer), { scale = 1, min = 0 } = q ?? {};
  return Float32Array.from(whole, value => value * scale + min);
}

/** @param {any} group of the manifest @param {(name?: string) => Promise<Uint8Array>} open @param {Map<string, Weight>} weights */
async function readGroup({ paths, weights: specs }, open, weights) {
  const shards = [];
  for (const path of paths) shards.push(await open(String(path)));
  const bytes = new Uint8Array(shards.reduce((sum, { length }) => sum + length, 0));
  shards.reduce((at, shard) => (bytes.set(shard, at), at + shard.length), 0);
  let at = 0;
  for (const spec of specs) {
    const { name, shape } = spec, type = spec.quantization?.dtype ?? spec.dtype;
    const isShape = Array.isArray(shape) && shape.every((/** @type {unknown} */ n) => Number.isSafeInteger(n) && Number(n) >= 0);
    if (typeof name !== 'string' || !isShape || !Object.hasOwn(sizes, type)) {
      refuse(`the weight ${JSON.stringify(name)} of type ${type}, shape ${JSON.stringify(shape)}`);
    }
    const size = shape.reduce((/** @type {number} */ a, /** @type {number} */ b) => a * b, 1) * sizes[type];
    if (!(at + size <= bytes.length)) {
      refuse(`"${name}" needs bytes ${at} to ${at + size} of the weights' files, which have ${bytes.length}`);
    }
    weights.set(name.replace(/:0$/, ''), { data: decoded(spec, bytes.subarray(at, at + size)), shape });
    at += size;
  }
  if (at !== bytes.length) refuse(`the weights' files have ${bytes.length} bytes, of which ${at} are spoken for`);
}

/**
 * @param {KerasSource} source
 * @param {AbortSignal} [signal]
 * @returns {Promise<{ topology: any, weights: Map<string, Weight> }>} topology: class_name and config
 */
export async function readFiles(source, signal) {
  const open = opener(source, signal), text = new TextDecoder().decode(await open());
  let file;
  try {
    file = JSON.parse(text);
  } catch (cause) {
    return refuse(`model.json is no JSON: ${/** @type {Error} */ (cause).message}`);
  }
  const topology = file?.modelTopology?.model_config ?? file?.modelTopology, manifest = file?.weightsManifest;
  if (file?.format === 'graph-model') refuse('this is a graph model; only layers models (format "layers-model") say what their layers are');
  if (typeof topology?.class_name !== 'string' || !Array.isArray(manifest)) refuse('model.json has no modelTopology and weightsManifest');
  const weights = new Map();
  for (const group of manifest) {
    if (!Array.isArray(group?.paths) || !Array.isArray(group?.weights)) refuse('a group of the weightsManifest has no paths and weights');
    await readGroup(group, open, weights);
  }
  return { topology, weights };
}
