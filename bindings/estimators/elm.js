/** Networks of one layer of random features, of which only the output is learned, by ridge regression. */
import { HeddleError } from '../errors.js';
import { initializers, input, layers } from '../factories.js';
import { sequential } from '../model.js';
import { defaultSeed } from '../session.js';
import { halves } from './halves.js';
import { factor, leastSquares } from './inverse.js';
import { LeastSquares } from './least_squares.js';
import { bool, number, oneOf, orNull, whole } from './params.js';
import { defaultBatch } from './predictor.js';
import { readSamples, sizeOf, valuesOf } from './samples.js';
import { ridgeParams } from './selection.js';

/** @import { ArrayLike2 } from '../data.js' */
/** @import { LayerSpec } from '../factories.js' */
/** @import { Model, Tensor } from '../model.js' */
/** @import { LabelList } from './labels.js' */
/** @import { Network } from './least_squares.js' */
/** @import { LearnOptions, PassOptions } from './predictor.js' */
/** @import { Wider } from './primal.js' */
/** @import { TrainingData } from './samples.js' */
/** @import { RidgeParams } from './selection.js' */
/** @import { Together } from './shared.js' */
/**
 * @typedef {object} RandomOptions
 * @property {number} [ratio] features n for each element P of a sample, the constant counted: n = ratio P; 2 unless told
 * @property {number | null} [nodes] n itself instead; even for Slfn
 * @property {'uniform' | 'normal' | 'orthogonal'} [distribution] of the random weights: in [-1, 1), of deviation 1, or orthonormal
 * @property {boolean} [bias] a constant 1 joins each sample; true unless told
 */
/** alpha: 10 unless told. @typedef {RidgeParams & RandomOptions} RandomParams */

/** Samples should be scaled to about 1: their scale, squared, is that of alpha. */
const randomParams = {
  ratio: number(2, { above: 0, max: 1e4 }), nodes: orNull(whole(2, 1, 16384), 'ratio counts'),
  distribution: oneOf('uniform', 'normal', 'orthogonal'), bias: bool(true), ...ridgeParams(10),
};
const draws = {
  uniform: initializers.uniform({ min: -1, max: 1 }), normal: initializers.normal({ deviation: 1 }), orthogonal: initializers.orthogonal(),
};

/** What ELM and SLFN share: x -> [x; 1] -> random matrix -> rectifier -> output. */
class RandomFeatures extends LeastSquares {
  static params = randomParams;

  /** @param {RandomParams} [params] those that are not to be as by default; wrong ones are refused (`argument`) */
  constructor(params) {
    super(params);
  }

  /** For subclasses. @param {number} _n features @param {object} _draw options of a dense layer @param {string} _where
   * @returns {LayerSpec[]} the last is named hidden */
  hiddenLayers(_n, _draw, _where) {
    return [];
  }

  /** @param {TrainingData} data @param {string} where @param {Together} [together] @returns {Promise<Network>} */
  async network(data, where, together) {
    const { ratio, nodes, bias, seed } = this.getParams();
    return this.#network(data, nodes ?? ratio * (sizeOf(data.shape) + Number(bias)), seed ?? together?.seed ?? defaultSeed(), where);
  }

  /** @param {TrainingData} data @param {number} n features @param {number} used seed @param {string} where @returns {Promise<Network>} */
  async #network({ shape, outputs }, n, used, where) {
    const { distribution, bias } = this.getParams();
    const draw = { useBias: false, trainable: false, kernelInitializer: draws[/** @type {'uniform'} */ (distribution)] };
    const hidden = this.hiddenLayers(n, draw, where);
    const model = await sequential([
      input({ shape }), ...shape.length > 1 ? [layers.flatten()] : [], ...bias ? [layers.appendConstant()] : [], ...hidden,
      layers.dense({ units: outputs, useBias: false, kernelInitializer: 'zeros', name: 'output' }),
    ], { seed: used });
    const features = /** @type {number} */ (model.layers.at(-2)?.outputShape[0]);
    let isGiven = false;
    return {
      features: { model, node: 'hidden', bordered: null, size: features, shift: null }, seed: used,
      async finish({ coef }) {
        await model.setWeights({ 'output/kernel': Float32Array.from(coef) }, { partial: true });
        isGiven = true;
        return model;
      },
      dispose: () => { if (!isGiven) model.dispose(); },
    };
  }

  /** For subclasses: features in the order of growth. @param {Model} model of `to` features @param {number} _from those so far
   * @param {number} _to @returns {Promise<Wider>} */
  async wider(model, _from, _to) {
    return { model, node: 'hidden', order: null };
  }

  /**
   * Adds random nodes to a fitted network, which keeps those it has: the same as a fit with so many nodes and the same seed, at less cost, as
   * of the sums over pairs of features only those with new ones are made. `nodes` is then a parameter.
   * @param {number} nodes in all; more than there are
   * @param {ArrayLike2} x the rows that were learned from, all of them again
   * @param {ArrayLike2 | LabelList} y their labels or numbers, also as before
   * @param {Pick<LearnOptions, 'signal' | 'onProgress'>} [options] signal and onProgress as of `fit`
   * @returns {Promise<this>}
   * @throws {HeddleError} as partialFit; `unsupported` for orthonormal weights, and if alpha was chosen by rows held out
   */
  async grow(nodes, x, y, options = {}) {
    return this.exclusively('grow', options, [], async where => {
      const { distribution } = this.getParams(), from = Number(this.fitted('grow').facts.report.features);
      if (distribution === 'orthogonal') throw new HeddleError('unsupported', `${where}: more orthonormal weights are all others, expected distribution "uniform" or "normal"`);
      if (!(Number.isInteger(nodes) && nodes > from && nodes <= 16384)) throw new HeddleError('argument', `${where}: nodes = ${String(nodes)}, expected more than the ${from} there are, up to 16384`);
      await this.widen(where, x, y, options, async (old, data) => {
        const network = await this.#network(data, nodes, old.seed, where);
        if (network.features.size !== nodes) {
          network.dispose();
          throw new HeddleError('argument', `${where}: nodes = ${nodes}, expected an even number: they come in pairs`);
        }
        return { network, wider: await this.wider(network.features.model, from, nodes) };
      });
      this.setParams({ nodes });
    });
  }

  /**
   * The random features of samples.
   * @param {ArrayLike2} x rows of the shape that was fitted: [rows, ...shape]
   * @param {PassOptions} [options]
   * @returns {Promise<Tensor>} [rows, n]
   */
  hidden(x, { batchSize = defaultBatch, signal } = {}) {
    return this.fitted('hidden').model.predict(x, { output: 'hidden', batchSize, signal });
  }
}

/** y = relu(W x): the extreme learning machine (Huang, Zhu & Siew 2006). */
class Elm extends RandomFeatures {
  /** @param {number} n @param {object} draw */
  hiddenLayers(n, draw) {
    return [layers.dense({ ...draw, units: Math.max(1, Math.round(n)), activation: 'relu', name: 'hidden' })];
  }
}

/** y = relu(V A x), V = [I; -I]: half the products, and nothing of x is lost from ratio = 2 on (Javid's thesis, section 6.3). */
class Slfn extends RandomFeatures {
  /** @param {number} n @param {object} draw @param {string} where */
  hiddenLayers(n, draw, where) {
    if (this.getParams().nodes !== null && n % 2) throw new HeddleError('argument', `${where}: nodes = ${n}, expected an even number: they come in pairs`);
    return [layers.dense({ ...draw, units: Math.max(1, Math.round(n / 2)), name: 'random' }), layers.crelu({ name: 'hidden' })];
  }

  /** @param {Model} model @param {number} from @param {number} to */
  async wider(model, from, to) {
    return halves(model, this.getParams().bias, from, to);
  }

  /**
   * Samples from their features: A^+ U y with U = [I, -I]. Exact up to 1e-6 + 6e-7 cond(A).
   * @param {ArrayLike2} y [rows, n], as `hidden` returns them
   * @returns {Promise<Tensor>} [rows, ...shape]
   * @throws {HeddleError} `state` for ratio < 2, where samples can't be told from their features
   */
  async reconstruct(y) {
    const { model } = this.fitted('reconstruct'), { bias } = this.getParams(), where = `${this.type.kind}.reconstruct`;
    const { data: a, shape: [m, p] } = (await model.getWeights())['random/kernel'], { shape } = model.inputs[0];
    if (m < p) throw new HeddleError('state', `${where}: ${2 * m} features of ${p} elements, expected ${2 * p} or more (ratio 2)`);
    const given = readSamples(y, 0, where), rows = given.shape[0], values = valuesOf(given), z = new Float64Array(m * rows);
    if (given.shape[1] !== 2 * m) throw new HeddleError('shape', `${where}: shape [${given.shape.join(', ')}], expected [rows, ${2 * m}]`);
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < m; i++) z[i * rows + row] = values[2 * m * row + i] - values[2 * m * row + m + i];
    }
    const tall = await factor(a, m, p);
    if (!tall) throw new HeddleError('diverged', `${where}: the random matrix of ${m} x ${p} is singular`);
    const { data } = await leastSquares(tall, { data: z, shape: [m, rows] }), kept = p - Number(bias), out = new Float32Array(rows * kept); // [p, rows], and without the constant
    for (let i = 0; i < kept; i++) for (let row = 0; row < rows; row++) out[row * kept + i] = data[i * rows + row];
    return { data: out, shape: [rows, ...shape] };
  }
}

/** One-shot regression on rectified random features. */
export class ElmRegressor extends Elm {
  static kind = 'ElmRegressor';
}

/** One-shot classification on rectified random features. */
export class ElmClassifier extends Elm {
  static kind = 'ElmClassifier';
  static isClassifier = true;
}

/** One-shot regression on pairs of rectified random features, from which samples can be reconstructed. */
export class SlfnRegressor extends Slfn {
  static kind = 'SlfnRegressor';
}

/**
 * One-shot classification on pairs of rectified random features, from which samples can be reconstructed.
 *
 *     const slfn = await new SlfnClassifier({ ratio: 2, alpha: 10, seed: 7 }).fit(x, labels);
 *     console.log(await slfn.score(xTest, labelsTest));
 */
export class SlfnClassifier extends Slfn {
  static kind = 'SlfnClassifier';
  static isClassifier = true;
}
