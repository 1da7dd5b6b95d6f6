/** High-dimensional neural features. */
import { HeddleError } from '../errors.js';
import { initializers, layers } from '../factories.js';
import { apply } from '../graph.js';
import { gemm } from '../linalg.js';
import { Growing, growingParams, wholeOrNull } from './growing.js';
import { factor, leastNorm } from './inverse.js';
import { oneOf, whole } from './params.js';
import { sumSquares } from './residuals.js';
import { drawMatrix, layerSeed } from './stages.js';

/** @import { Coefficients } from '../admm.js' */
/** @import { SymbolicTensor } from '../graph.js' */
/** @import { Layer, Network } from './growing.js' */
/**
 * Parameters of Hnf; all are optional.
 * @typedef {object} HnfParams
 * @property {'orthogonal' | 'random' | 'dct' | 'haar' | 'walshHadamard'} transform R of the layers, all but 'random' with orthonormal columns; Haar's
 *   and Walsh and Hadamard's need a power of two rows: the next one is taken. 'orthogonal' unless told
 * @property {number | null} nodes rows of R in layer 1, at least the features of a row and a 1; null: as many. Further layers have as many as
 *   they have inputs: twice those of the layer before
 * @property {number} maxLayers 2 unless told
 * @property {number} layerThreshold a layer is kept, and another tried, if it lowers the error in dB by at least this part; 0 (always) unless
 *   told
 * @property {number} ridge penalty of the linear layer 0; 1 unless told
 * @property {'secular' | 'admm' | 'compat'} solver as for Ssfn
 * @property {number} mu for 'compat'; 1e-7 unless told
 * @property {number} iterations of ADMM; 100 unless told
 * @property {number | null} seed of the random transforms
 * @property {number} cacheLimit as for Ssfn
 */

/** Transforms of the initialisers' names. @type {{ [name: string]: () => import('../options.js').InitializerSpec }} */
const transforms = {
  random: () => initializers.uniform({ min: -1, max: 1 }), orthogonal: () => initializers.orthogonal(), dct: () => initializers.dct(),
  haar: () => initializers.haar(), walshHadamard: () => initializers.walshHadamard(),
};

/**
 * HNF, a classifier (Javid, Venkitaraman, Skoglund and Chatterjee, "High-dimensional Neural Feature Design for Layer-wise Reduction of
 * Training Cost", 2020). Layer l has the features y_l = [relu(R y_{l-1}); relu(-R y_{l-1}); 1], and outputs O_l y_l of least squared error
 * with ||O_l||_F <= sqrt(2) ||O_{l-1} R^+||_F, the norm of the point [O_{l-1} R^+, -O_{l-1} R^+, 0] that repeats the layer before: the cost
 * never rises. `model` is an ordinary network; `report` tells of each layer.
 */
export class Hnf extends Growing {
  static kind = 'Hnf';
  static isClassifier = true;
  static params = {
    ...growingParams, transform: oneOf('orthogonal', 'random', 'dct', 'haar', 'walshHadamard'), nodes: wholeOrNull(1, 'as many as a row has features'),
    maxLayers: whole(2, 0, 20), layerThreshold: { ...growingParams.layerThreshold, fallback: 0 }, mu: { ...growingParams.mu, fallback: 1e-7 },
  };

  /** @param {Partial<HnfParams>} [params] those that are not to be as by default; wrong ones are refused (`argument`) */
  constructor(params) {
    super(params);
  }

  get hasBias() {
    return true;
  }

  /** @param {Network} below */
  nodeCounts({ stages, entry }) {
    const { nodes, transform } = this.getParams(), p = stages[stages.length - 1].size, m = entry.layer === 0 ? nodes ?? p : p;
    if (m < p) throw new HeddleError('argument', `${this.type.kind}.fit: nodes = ${m}, expected at least ${p}: the features of a row and a 1`);
    return [transform === 'haar' || transform === 'walshHadamard' ? 2 ** Math.ceil(Math.log2(m)) : m];
  }

  /** @param {Network} below @param {number} m @param {number} seed @returns {Promise<Layer>} */
  async layer({ stages, coef, entry }, m, seed) {
    const { transform } = this.getParams(), { size: p } = stages[stages.length - 1], level = entry.layer + 1, [q] = coef.shape;
    const initializer = transforms[transform](), r = { data: await drawMatrix(initializer, m, p, layerSeed(seed, level)), shape: [m, p] };
    const through = await backwards(coef, r, transform !== 'random');
    /** @param {SymbolicTensor} y */
    const draw = y => {
      const dense = layers.dense({ units: m, useBias: false, trainable: false, kernelInitializer: initializer, name: `transform_${level}` });
      const both = apply(layers.crelu({ name: `crelu_${level}` }), apply(dense, y));
      return apply(layers.appendConstant({ name: `features_${level}` }), both);
    };
    return {
      stage: { draw, weights: { [`transform_${level}/kernel`]: r }, size: 2 * m + 1 }, nodes: m, radius: Math.sqrt(2 * sumSquares(through)),
      feasible: () => repeating(through, q, m),
    };
  }
}

/** HNF for numbers. */
export class HnfRegressor extends Hnf {
  static kind = 'HnfRegressor';
  static isClassifier = false;
}

/** O R^+ [q, m], in float64. @param {Coefficients} o [q, p] @param {{ data: Float32Array, shape: number[] }} r [m, p]
 * @param {boolean} isOrthonormal R^T R = I */
async function backwards(o, { data: r, shape: [m, p] }, isOrthonormal) {
  if (isOrthonormal) return /** @type {Float64Array} */ ((await gemm(o, { data: Float64Array.from(r), shape: [m, p] }, { transposeB: true })).data);
  const tall = await factor(r, m, p);
  if (!tall) throw new HeddleError('diverged', `Hnf.fit: the random matrix of ${m} x ${p} is singular; choose another seed`);
  return transposed(await leastNorm(tall, transposed(o))).data;
}

/** @param {import('../linalg.js').Matrix} a @returns {{ data: Float64Array<ArrayBuffer>, shape: [number, number] }} */
function transposed({ data, shape: [q, p] }) {
  return { data: Float64Array.from(data, (_, i) => data[(i % q) * p + Math.floor(i / q)]), shape: [p, q] };
}

/** [X, -X, 0]. @param {Float64Array} x [q, m] @param {number} q @param {number} m */
function repeating(x, q, m) {
  const n = 2 * m + 1, o = new Float64Array(q * n);
  for (let k = 0; k < q; k++) {
    for (let i = 0; i < m; i++) {
      o[k * n + i] = x[k * m + i];
      o[k * n + m + i] = -x[k * m + i];
    }
  }
  return o;
}
