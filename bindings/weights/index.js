/** Weights that were trained elsewhere: safetensors files with PyTorch's names and layouts, put into models of this library. */
import { HeddleError, checkOptions, kindOf } from '../errors.js';
import { readSafetensors, toFloat32 } from '../files/safetensors.js';
import { loadFrom } from '../stores/index.js';
import { findPlace, isCounter } from './names.js';

/** @import { Tensor } from '../files/safetensors.js' */
/** @import { LayerInfo, Model } from '../model.js' */
/** @import { OptionValues } from '../options.js' */
/** @import { Source } from '../stores/index.js' */
/** @import { Values } from './permuted.js' */
/**
 * @typedef {object} LoadWeightsOptions
 * @property {boolean} [partial] take what fits: the file may lack weights, which then stay, and may hold others; false unless told
 * @property {string} [prefix] that tensors of this model begin with in the file, such as "backbone."; others are unexpected.
 *   "module." and "model." are found without it
 * @property {(name: string) => string | null} [map] gives a tensor another name (after `prefix` is gone); null leaves it out
 * @property {AbortSignal} [signal] stops the reading of the source: the call rejects with its reason, the model is as before
 */
/**
 * @typedef {object} LoadWeightsReport
 * @property {string[]} loaded weights of the model that were set: "conv1/kernel"
 * @property {string[]} missing weights of the model that the file does not have; they are as before
 * @property {string[]} unexpected tensors of the file that belong nowhere in the model
 */

/** What is gathered from a file before the model is touched.
 * @typedef {{ values: Map<string, Values>, biases: [norm: LayerInfo, values: Values, tensor: string][], unexpected: string[],
 *   misfits: string[], from: Map<string, string> }} Harvest */

/** Some of a list in a sentence. @param {readonly string[]} list */
function some(list, most = 5) {
  return list.slice(0, most).join(', ') + (list.length > most ? ` and ${list.length - most} more` : '');
}

/** @param {string} name @param {LoadWeightsOptions} options @returns {string | null | undefined} undefined: without the prefix */
function rename(name, { prefix = '', map }) {
  if (!name.startsWith(prefix)) return undefined;
  const given = name.slice(prefix.length), renamed = map ? map(given) : given;
  if (typeof renamed === 'string' || renamed === null) return renamed;
  throw new HeddleError('argument', `loadWeights: map must return a string or null, got ${kindOf(renamed)} for ${JSON.stringify(given)}`);
}

/** @param {Map<string, Tensor>} tensors @param {ReadonlyMap<string, LayerInfo>} layers @param {LoadWeightsOptions} options
 * @returns {Harvest} */
function gather(tensors, layers, options) {
  /** @type {Harvest} */
  const harvest = { values: new Map(), biases: [], unexpected: [], misfits: [], from: new Map() };
  for (const [tensor, content] of tensors) {
    const name = rename(tensor, options), place = name && !isCounter(name) ? findPlace(name, layers) : null;
    if (name === null || (name && isCounter(name))) continue;
    if (!place) harvest.unexpected.push(tensor);
    else if ('biasOf' in place) harvest.biases.push([place.layer, { shape: content.shape, data: toFloat32(content) }, tensor]);
    else take(harvest, tensor, content, place, layers);
  }
  return harvest;
}

/** @param {Harvest} harvest @param {string} tensor @param {Tensor} content
 * @param {Extract<ReturnType<typeof findPlace>, { weight: string }>} place @param {ReadonlyMap<string, LayerInfo>} layers */
function take({ values, from, misfits }, tensor, content, { layer, weight, convert }, layers) {
  const wanted = layer.weights.find(({ name }) => name === weight)?.shape ?? [];
  const given = convert({ shape: content.shape, data: toFloat32(content) }, layer, layers);
  if (String(given.shape) !== String(wanted)) {
    const turned = String(given.shape) === String(content.shape) ? '' : ` = [${given.shape.join(', ')}] here`;
    misfits.push(`${tensor} is [${content.shape.join(', ')}]${turned}, ${weight} is [${wanted.join(', ')}]`);
  } else if (values.has(weight)) {
    misfits.push(`${tensor} and ${from.get(weight)} both stand for ${weight}`);
  }
  values.set(weight, given);
  from.set(weight, tensor);
}

/** Of a batch normalisation: 0 stands for its convention's. @param {OptionValues | undefined} options */
const epsilonOf = options => Number(options?.epsilon) || (options?.convention === 'pytorch' ? 1e-5 : 1e-3);

/**
 * Biases of convolutions that have none here, since a batch normalisation follows. Without values of its own in the file, it
 * was folded into the convolution, and gets those that only add the bias. Else gamma (x + b - mean) / deviation + beta: the
 * bias goes into the mean.
 * @param {Harvest} harvest @param {Map<string, number>} epsilons of batch normalisations
 */
function placeBiases({ values, biases, misfits, unexpected }, epsilons) {
  for (const [{ name, weights }, { shape, data }, tensor] of biases) {
    const has = (/** @type {string} */ key) => weights.some(weight => weight.name === `${name}/${key}`);
    const size = weights[0]?.shape[0];
    if (shape.length !== 1 || shape[0] !== size) {
      misfits.push(`${tensor} is [${shape.join(', ')}], ${name} has ${size} channels`);
      continue;
    }
    /** @param {string} key @param {Float32Array} content */
    const put = (key, content) => has(key) && values.set(`${name}/${key}`, { shape, data: content });
    const all = (/** @type {number} */ value) => new Float32Array(size).fill(value);
    const mean = values.get(`${name}/runningMean`)?.data;
    if (mean) {
      put('runningMean', mean.map((value, i) => value - data[i]));
    } else if (!weights.some(weight => values.has(weight.name))) {
      put('gamma', all(1));
      put('runningVariance', all(1 - (epsilons.get(name) ?? 0)));
      put('runningMean', has('beta') ? all(0) : data.map(value => -value));
      put('beta', data);
    } else {
      unexpected.push(tensor); // there is no mean that could take it
    }
  }
}

/** @param {Harvest} harvest @param {string[]} missing @param {number} expected weights of the model @param {boolean} partial */
function check({ values, unexpected, misfits }, missing, expected, partial) {
  const problems = [];
  if (misfits.length) problems.push(`${misfits.length} of the tensors do not fit: ${some(misfits)}`);
  if (!values.size) problems.push(`no tensor of the file belongs to this model${unexpected.length ? `: it has ${some(unexpected)}` : ''}`);
  else if (!partial && missing.length) problems.push(`${missing.length} of ${expected} weights are missing: ${some(missing)}`);
  if (!partial && values.size && unexpected.length) problems.push(`${unexpected.length} tensors belong nowhere: ${some(unexpected)}`);
  if (!problems.length) return;
  const hint = misfits.length || !values.size || partial ? '' : '; partial: true takes what fits';
  throw new HeddleError(misfits.length ? 'shape' : 'file', `loadWeights: ${problems.join('; ')}${hint}`);
}

/**
 * Sets the weights of a model from a safetensors file that PyTorch made (torchvision, timm), by their names there:
 * "layer1.0.conv1.weight" goes to the node "layer1.0.conv1", its layout turned to this library's; "bn1.running_mean",
 * "fc.bias" and so on alike. Files of `model.save` are taken too. F32, F16, BF16 and F64 are read. Batch normalisation may be
 * folded into the convolutions of the file (weight and bias, no bn), or follow convolutions with biases of their own.
 *
 * All or nothing: after an error the model has its old weights.
 * @param {Model} model whose weights are set; its nodes' names say where from
 * @param {Source} source bytes, a Blob or File, a Response, a URL, a path (Node), indexeddb://name or opfs://path/name
 * @param {LoadWeightsOptions} [options]
 * @returns {Promise<LoadWeightsReport>} without `partial`, missing and unexpected are empty
 * @throws {HeddleError} `file` if the file is malformed, or lacks weights or holds others (without `partial`), or none of the
 *   model's; `shape` if shapes differ, `storage` if it can't be read, `state` during a fit
 */
export async function loadWeights(model, source, options = {}) {
  checkOptions(options, ['partial', 'prefix', 'map', 'signal'], 'loadWeights');
  const { tensors } = readSafetensors(await loadFrom(source, { signal: options.signal }));
  const layers = new Map(model.layers.map(layer => [layer.name, layer]));
  const harvest = gather(tensors, layers, options);
  placeBiases(harvest, new Map(model.description.nodes.map(({ name, options: own }) => [name, epsilonOf(own)])));
  const names = [...layers.values()].flatMap(({ weights }) => weights.map(({ name }) => name));
  const missing = names.filter(name => !harvest.values.has(name));
  check(harvest, missing, names.length, options.partial ?? false);
  try {
    await model.setWeights(Object.fromEntries(harvest.values), { partial: true });
  } catch (cause) {
    if (!(cause instanceof HeddleError) || cause.code !== 'argument') throw cause;
    throw new HeddleError('file', `loadWeights: ${cause.message}`, { cause });
  }
  return { loaded: names.filter(name => harvest.values.has(name)), missing, unexpected: harvest.unexpected };
}
