/** A network of positive weights as a function in float64: values and exact slopes, from the float32 weights of a model. */
import { HeddleError } from '../errors.js';
import { coreOf } from '../model.js';
import { tables } from '../tables.js';

/** @import { NodeDescription } from '../graph.js' */
/** @import { Model, NamedTensors } from '../model.js' */
/** Value and slope in one direction. @typedef {{ y: number, slope: number }} Point */
/** What a layer does to the values before it and to their slopes. @typedef {(inputs: readonly Vector[]) => Vector} Step */
/** @typedef {{ values: Float64Array, slopes: Float64Array }} Vector */
/** @typedef {[value: (x: number) => number, slope: (x: number) => number]} Activation */

const sigmoid = (/** @type {number} */ x) => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)));
const softplus = (/** @type {number} */ x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** W as a function of what the file holds, and the inverse; see `parametrization` of layers.monotonicDense.
 * @type {{ [name: string]: { weight: (v: number, minimum: number) => number, raw: (w: number, minimum: number) => number } }} */
const parametrizations = {
  softplus: { weight: (v, minimum) => softplus(v) + minimum, raw: (w, minimum) => w - minimum + Math.log(-Math.expm1(minimum - w)) },
  exp: { weight: (v, minimum) => Math.exp(Math.min(Math.max(v, -30), 10)) + minimum, raw: (w, minimum) => Math.log(w - minimum) },
  square: { weight: (v, minimum) => v * v + minimum, raw: (w, minimum) => Math.sqrt(w - minimum) },
  abs: { weight: (v, minimum) => Math.abs(v) + minimum, raw: (w, minimum) => w - minimum },
  projection: { weight: Math.max, raw: Math.max },
};

/** @param {string} name @param {number} alpha @returns {Activation} */
function activationOf(name, alpha) {
  const leak = alpha || 0.3, factor = alpha || 1;
  /** @type {{ [name: string]: Activation }} */
  const activations = {
    linear: [x => x, () => 1],
    sigmoid: [sigmoid, x => sigmoid(x) * sigmoid(-x)],
    tanh: [Math.tanh, x => 4 * sigmoid(2 * x) * sigmoid(-2 * x)],
    relu: [x => Math.max(x, 0), x => Number(x > 0)],
    leakyRelu: [x => (x > 0 ? x : leak * x), x => (x > 0 ? 1 : leak)],
    elu: [x => (x > 0 ? x : factor * Math.expm1(x)), x => (x > 0 ? 1 : factor * Math.exp(x))],
    softplus: [softplus, sigmoid],
    relu6: [x => Math.min(Math.max(x, 0), 6), x => Number(x > 0 && x < 6)],
  };
  return activations[name];
}

/** Options of a layer with their defaults. @param {NodeDescription} node @returns {Record<string, any>} */
function optionsOf({ layer, options = {} }) {
  return Object.fromEntries(Object.entries(tables.layer[layer].options).map(([name, option]) => [name, options[name] ?? option.default]));
}

/** Positive weights of a layer. @param {NodeDescription} node @param {ArrayLike<number>} raw */
export function weightsOf(node, raw) {
  const { parametrization, minimum } = optionsOf(node), { weight } = parametrizations[parametrization];
  return Float64Array.from(raw, v => weight(v, minimum));
}

/** What makes these positive weights; weights at the layer's floor or below become slightly larger.
 * @param {NodeDescription} node @param {ArrayLike<number>} weights */
export function rawOf(node, weights) {
  const { parametrization, minimum } = optionsOf(node), { raw } = parametrizations[parametrization];
  return Float32Array.from(weights, w => raw(Math.max(w, minimum + 1e-12), minimum));
}

/** @param {NodeDescription} node @param {NamedTensors} weights @returns {Step} */
function denseStep(node, weights) {
  const { activation, alpha } = optionsOf(node), { shape: [units, inputs], data } = weights[`${node.name}/kernel`];
  const w = weightsOf(node, data), bias = weights[`${node.name}/bias`]?.data, isMixed = activation === 'mixed';
  const [value, slope] = activationOf(isMixed ? 'elu' : activation, alpha);
  return ([{ values, slopes }]) => {
    const out = { values: new Float64Array(units), slopes: new Float64Array(units) };
    for (let u = 0; u < units; u++) {
      const sign = isMixed && u % 2 ? -1 : 1;
      let z = bias?.[u] ?? 0, d = 0;
      for (let k = 0; k < inputs; k++) {
        z += w[u * inputs + k] * values[k];
        d += w[u * inputs + k] * slopes[k];
      }
      out.values[u] = sign * value(sign * z);
      out.slopes[u] = slope(sign * z) * d;
    }
    return out;
  };
}

/** @type {Step} */
const add = inputs => ({
  values: inputs[0].values.map((_, i) => inputs.reduce((sum, { values }) => sum + values[i], 0)),
  slopes: inputs[0].values.map((_, i) => inputs.reduce((sum, { slopes }) => sum + slopes[i], 0)),
});

/**
 * A model of one number in and one out, made of layers.monotonicDense and layers.add, as a function.
 * @param {Model} model
 * @param {string} where for messages
 * @returns {Promise<(q: number) => Point>} value and exact slope (forward mode) in float64
 * @throws {HeddleError} `unsupported` for other layers, `shape` for other inputs and outputs
 */
export async function readFunction(model, where) {
  coreOf(model, where);
  const { inputs, outputs, description: { nodes } } = model, sizes = [...inputs, ...outputs].map(({ shape }) => shape.reduce((a, b) => a * b, 1));
  if (sizes.length !== 2 || sizes.some(size => size !== 1)) {
    throw new HeddleError('shape', `${where}: the model has inputs and outputs of ${sizes.join(', ')} numbers, expected one number in and one out`);
  }
  const weights = await model.getWeights(), numbers = new Map(nodes.map(({ name }, i) => [name, i]));
  const steps = nodes.map(node => {
    const isLinear = node.layer === 'add' && optionsOf(node).activation === 'linear';
    if (node.layer !== 'input' && node.layer !== 'monotonicDense' && !isLinear) {
      throw new HeddleError('unsupported', `${where}: layer "${node.name}" (${node.layer}), expected monotonicDense or add without activation only`);
    }
    const from = (node.inputs ?? []).map(name => /** @type {number} */ (numbers.get(name)));
    return { from, step: node.layer === 'input' ? null : isLinear ? add : denseStep(node, weights) };
  });
  const last = /** @type {number} */ (numbers.get(outputs[0].name));
  return q => {
    /** @type {Vector[]} */
    const vectors = [];
    for (const { from, step } of steps) vectors.push(step ? step(from.map(i => vectors[i])) : { values: Float64Array.of(q), slopes: Float64Array.of(1) });
    return { y: vectors[last].values[0], slope: vectors[last].slopes[0] };
  };
}
