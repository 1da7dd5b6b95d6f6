/** Self size-estimating feed-forward networks. */
import { layers, initializers } from '../factories.js';
import { apply } from '../graph.js';
import { Growing, growingParams } from './growing.js';
import { bool, number, whole } from './params.js';
import { drawMatrix, layerSeed, linear } from './stages.js';

/** @import { SymbolicTensor } from '../graph.js' */
/** @import { Layer, Network } from './growing.js' */
/** @import { Param } from './params.js' */
/** @import { Stage } from './stages.js' */
/**
 * Parameters of Ssfn; all are optional.
 * @typedef {object} SsfnParams
 * @property {number} nodes random nodes a layer; 1000 unless told
 * @property {number} maxLayers 20 unless told
 * @property {number} layerThreshold a layer is kept, and another tried, if it lowers the error in dB by at least this part; 0.1 unless
 *   told, 0: always
 * @property {number} alpha at least 1: ||O||_F <= alpha sqrt(2 q), q outputs; 10 unless told
 * @property {number} ridge penalty of the linear layer 0; 1 unless told
 * @property {'secular' | 'admm' | 'compat'} solver of the layers: exact; ADMM with penalty trace(G) / n, which returns the feasible Z; or ADMM
 *   as in the published program, with penalty 1 / mu, which returns O, bounded or not, and has no safeguard. 'secular' unless told
 * @property {number} mu for 'compat'; 1e5 unless told
 * @property {number} iterations of ADMM; 100 unless told
 * @property {false | { step: number, threshold: number }} growNodes grows each layer from its lossless nodes alone by `step` random nodes at
 *   a time, up to `nodes`, while that lowers the error in dB by at least the part `threshold` (0: always); false unless told
 * @property {boolean} bias appends a 1 to the input; false unless told
 * @property {number | null} seed of the random weights
 * @property {number} cacheLimit MiB: features of two layers (three while nodes grow) are held in the engine while those of two take no more,
 *   else computed anew from the last ones held; 1024 unless told
 */

/** @type {Param} */
const growNodes = {
  fallback: false, expected: 'false or { step: a whole number >= 1, threshold: a finite number >= 0 }',
  allows: value => value === false || (typeof value === 'object' && value !== null && Object.keys(value).sort().join() === 'step,threshold'
    && whole(1, 1).allows(/** @type {any} */ (value).step) && number(0, { min: 0 }).allows(/** @type {any} */ (value).threshold)),
};

/**
 * SSFN, a classifier (Chatterjee, Javid, Sadeghi, Mitra and Skoglund, "SSFN - Self Size-estimating Feed-forward Network with Low
 * Complexity", 2019). Layer l has the features y_l = [relu(V s); relu(R y_{l-1} / ||R y_{l-1}||)], V = [I; -I], s the outputs of the layer
 * before and R random, and outputs O_l y_l of least squared error with ||O_l||_F <= alpha sqrt(2 q). O_l = [I, -I, 0] would repeat s: the
 * cost never rises. `model` is an ordinary network; `report` tells of each layer.
 */
export class Ssfn extends Growing {
  static kind = 'Ssfn';
  static isClassifier = true;
  static params = { nodes: whole(1000, 1, 16000), alpha: number(10, { min: 1 }), growNodes, bias: bool(false), ...growingParams };

  /** @param {Partial<SsfnParams>} [params] */
  constructor(params) {
    super(params);
  }

  get hasBias() {
    return this.getParams().bias;
  }

  nodeCounts() {
    const { nodes, growNodes: { step } } = this.getParams();
    if (!step) return [nodes];
    return Array.from({ length: Math.ceil(nodes / step) + 1 }, (_, i) => Math.min(i * step, nodes));
  }

  /** @param {Network} below @param {number} nodes @param {number} seed @returns {Promise<Layer>} */
  async layer({ stages, coef, entry }, nodes, seed) {
    const [q] = coef.shape, { size } = stages[stages.length - 1], level = entry.layer + 1;
    const most = this.getParams().nodes, all = nodes ? await drawMatrix(rows, most, size, layerSeed(seed, level)) : null;
    return {
      stage: hidden(level, linear(`output_${entry.layer}`, coef), all && { data: all.subarray(0, nodes * size), shape: [nodes, size] }),
      nodes, radius: this.getParams().alpha * Math.sqrt(2 * q), feasible: () => lossless(q, 2 * q + nodes),
    };
  }
}

/** SSFN for numbers. */
export class SsfnRegressor extends Ssfn {
  static kind = 'SsfnRegressor';
  static isClassifier = false;
}

/** Rows of R. */
const rows = initializers.uniform({ min: -1, max: 1 });

/** y_l from y_{l-1}. @param {number} level l @param {Stage} output O_{l-1} @param {{ data: Float32Array, shape: number[] } | null} random R
 * @returns {Stage} */
export function hidden(level, output, random) {
  /** @param {SymbolicTensor} y */
  const draw = y => {
    const kept = apply(layers.crelu({ name: `lossless_${level}` }), output.draw(y));
    if (!random) return kept;
    const dense = layers.dense({ units: random.shape[0], useBias: false, trainable: false, kernelInitializer: rows, name: `random_${level}` });
    const unit = apply(layers.unitNormalization({ name: `unit_${level}` }), apply(dense, y));
    return apply(layers.concat({ name: `features_${level}` }), [kept, apply(layers.activation({ activation: 'relu', name: `relu_${level}` }), unit)]);
  };
  return {
    draw, weights: { ...output.weights, ...random && { [`random_${level}/kernel`]: random } }, size: 2 * output.size + (random?.shape[0] ?? 0),
  };
}

/** [I, -I, 0]. @param {number} q rows @param {number} n columns */
export function lossless(q, n) {
  const o = new Float64Array(q * n);
  for (let k = 0; k < q; k++) {
    o[k * n + k] = 1;
    o[k * n + q + k] = -1;
  }
  return o;
}
