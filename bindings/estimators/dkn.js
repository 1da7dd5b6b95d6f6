/** Dense kernel networks. */
import { HeddleError } from '../errors.js';
import { layers } from '../factories.js';
import { apply, input } from '../graph.js';
import { gemm } from '../linalg.js';
import { model } from '../model.js';
import { defaultSeed } from '../session.js';
import { Estimator } from './estimator.js';
import { rows as draws } from './hidden.js';
import { Kernels } from './kernels.js';
import { bool, number, oneOf, orNull, seed, whole } from './params.js';
import { accuracyOf, decibels, residual, squares } from './residuals.js';
import { drawMatrix, layerSeed } from './stages.js';

/** @import { SymbolicTensor } from '../graph.js' */
/** @import { Model } from '../model.js' */
/** @import { LearnOptions } from './predictor.js' */
/** @import { TrainingData } from './samples.js' */
/**
 * Parameters of Dkn; all are optional.
 * @typedef {object} DknParams
 * @property {'rbf' | 'linear' | 'arcCosine0' | 'arcCosine1'} kernel 'rbf' unless told
 * @property {number | null} gamma of 'rbf': exp(-gamma ||u - v||^2); null: 1 / the median of ||u - v||^2, in each layer anew
 * @property {number} ridge penalty lambda of each layer, >= 0; 0.1 unless told
 * @property {number} maxLayers 1 to 12; 5 unless told
 * @property {boolean} leaveOneOut features of further layers are made from what a layer predicts for each sample without it, so that they are
 *   no better than those of new samples; true unless told
 * @property {number} nodes random features relu(R f / ||R f||) of the dense features f, R uniform in [-1, 1), which join those of each layer; 0
 *   unless told
 * @property {number | null} seed of the random weights
 * @property {boolean} normalize samples are scaled to unit length first; true unless told
 * @property {number} memoryLimit MiB for the two matrices of inner products and kernels, 16 bytes a pair of samples; 1024 unless told
 */
/** Features y of all samples, times scale: a part of the dense features. @typedef {{ data: Float32Array, size: number, scale: number }} Block */
/** random: R [nodes, dense features], or null. @typedef {{ gamma: number, alpha: Float64Array, random: { data: Float32Array, shape: number[] } | null }} Layer */
/**
 * One layer of the report.
 * @typedef {object} LayerReport
 * @property {number} layer from 1
 * @property {number} gamma
 * @property {number} cost sum |t - s|^2 over the rows
 * @property {number} nme 10 log10(cost / sum |t|^2), dB
 * @property {number} leaveOneOutCost the same of predictions for each row without it
 * @property {number} [trainAccuracy]
 * @property {number} [leaveOneOutAccuracy]
 * @property {number} [validationCost]
 * @property {number} [validationAccuracy]
 */

const MiB = 2 ** 20;

/**
 * Dense kernel network, a classifier for a few thousand samples (after Javid's thesis, chapter 7; its text leaves details open). Layer l is
 * kernel ridge regression on the dense features f_l = [x; y_1; ..; y_{l-1}], each block scaled to a mean length of 1, where y_l =
 * [relu(s); relu(-s)] of the outputs s of layer l, so that nothing is lost, and random features if asked for. Layers are added until the error on validationData - unless
 * given, that of each sample left out - no longer falls. `model` is an ordinary network, which holds the samples; `report` tells of
 * each layer.
 */
export class Dkn extends Estimator {
  static kind = 'Dkn';
  static isClassifier = true;
  static params = {
    kernel: oneOf('rbf', 'linear', 'arcCosine0', 'arcCosine1'), gamma: orNull(number(1, { above: 0, max: 1e30 }), '1 / the median squared distance'),
    ridge: number(0.1, { min: 0 }), maxLayers: whole(5, 1, 12), leaveOneOut: bool(true), nodes: whole(0, 0, 16000), seed, normalize: bool(true), memoryLimit: number(1024, { above: 0 }),
  };

  /** @param {Partial<DknParams>} [params] those that are not to be as by default; wrong ones are refused (`argument`) */
  constructor(params) {
    super(params);
  }

  /** @param {TrainingData} data @param {LearnOptions} options @param {TrainingData | null} validation */
  async learn(data, options, validation) {
    const { memoryLimit } = this.getParams(), need = 16 * data.rows ** 2 / MiB;
    if (!(need <= memoryLimit)) {
      throw new HeddleError('memory', `${this.type.kind}.fit: ${data.rows} samples need ${Math.ceil(need)} MiB of inner products, expected at most memoryLimit = ${memoryLimit} MiB`);
    }
    const kernels = await Kernels.open(data.rows);
    try {
      await new Growth(this, kernels, data, options, validation).run();
    } finally {
      kernels.dispose();
    }
  }
}

/** DKN for numbers. */
export class DknRegressor extends Dkn {
  static kind = 'DknRegressor';
  static isClassifier = false;
}

/** One fit. */
class Growth {
  /** @type {Block[]} */
  #blocks = [];
  /** @type {Layer[]} */
  #layers = [];
  /** @type {LayerReport[]} */
  #reports = [];
  #begin = performance.now();

  /** @param {Dkn} estimator @param {Kernels} kernels @param {TrainingData} data @param {LearnOptions} options @param {TrainingData | null} validation */
  constructor(estimator, kernels, data, options, validation) {
    this.estimator = estimator;
    this.kernels = kernels;
    this.data = data;
    this.options = options;
    this.validation = validation;
    this.params = estimator.getParams();
    this.seed = this.params.seed ?? defaultSeed();
    const { y, rows, outputs, classes } = data;
    /** [rows, outputs] */
    this.targets = Float64Array.from({ length: rows * outputs }, (_, i) => (classes ? Number(y.data[Math.floor(i / outputs)] === i % outputs) : y.data[i]));
  }

  async run() {
    const { maxLayers } = this.params, { signal } = this.options;
    let features = await this.#entrance(), least = Infinity, stopped = 'maxLayers';
    /** @type {Model | null} */
    let kept = null;
    for (let i = 1; i <= maxLayers; i++) {
      await this.#addBlock(features);
      const { net, report, next } = await this.#layer();
      const error = report.validationCost ?? report.leaveOneOutCost;
      if (!(error < least)) {
        net.dispose();
        stopped = 'error';
        break;
      }
      least = error;
      this.#reports.push(report);
      this.#adopt(kept = net, 'interrupted');
      signal?.throwIfAborted();
      features = next;
    }
    if (kept) this.#adopt(kept, stopped);
  }

  /** @param {Model} net @param {string} stopped why there are no more layers */
  #adopt(net, stopped) {
    const { classes, targetShape } = this.data;
    this.estimator.adopt(net, { classes, targetShape, report: /** @type {any} */ ({ layers: this.#reports, stopped }) });
  }

  /** x as a block. @returns {Promise<Float32Array>} */
  async #entrance() {
    const x = input({ shape: this.data.shape, name: 'x' }), net = await model({ inputs: x, outputs: this.#vector(x), seed: 0 });
    try {
      return (await net.predict(this.data.x, { batchSize: 1024, signal: this.options.signal })).data;
    } finally {
      net.dispose();
    }
  }

  /** @param {SymbolicTensor} x */
  #vector(x) {
    const flat = apply(layers.flatten({ name: 'flat' }), x);
    return this.params.normalize ? apply(layers.unitNormalization({ name: 'unit' }), flat) : flat;
  }

  /** Scales features to a mean length of 1 and adds their inner products. @param {Float32Array} features of all samples */
  async #addBlock(features) {
    const { rows } = this.data, size = features.length / rows;
    let length = 0;
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let i = row * size; i < (row + 1) * size; i++) sum += features[i] ** 2;
      length += Math.sqrt(sum) / rows;
    }
    const scale = length > 0 ? Math.fround(1 / length) : 1, data = features.map(v => v * scale);
    this.#blocks.push({ data, size, scale });
    await this.kernels.add(data, this.options.signal);
  }

  /** Kernel ridge regression on all blocks. */
  async #layer() {
    const { data, targets, validation, options: { signal, onProgress }, params: { kernel, gamma: given, ridge, leaveOneOut, maxLayers } } = this;
    const median = kernel === 'rbf' && given === null ? await this.kernels.median() : 0, gamma = given ?? (median > 0 ? 1 / median : 1);
    const { alpha, leftOut } = await this.kernels.ridge({ kernel, gamma, lambda: ridge }, targets, signal);
    this.#layers.push({ gamma, alpha, random: await this.#draw() });
    const scores = Float32Array.from(targets, (t, i) => t - ridge * alpha[i]), without = Float32Array.from(leftOut); // K alpha = T - lambda alpha
    const cost = residual(scores, data), layer = this.#layers.length;
    /** @type {LayerReport} */
    const report = { layer, gamma, cost, nme: decibels(cost, squares(data)), leaveOneOutCost: residual(without, data) };
    if (data.classes) Object.assign(report, { trainAccuracy: accuracyOf(scores, data), leaveOneOutAccuracy: accuracyOf(without, data) });
    const net = await this.#assemble();
    try {
      if (validation) {
        const { data: s } = await net.predict(validation.x, { batchSize: 1024, signal });
        report.validationCost = residual(s, validation);
        if (validation.classes) report.validationAccuracy = accuracyOf(s, validation);
      }
      onProgress?.({ phase: 'layer', done: layer, total: maxLayers, ...report, seconds: (performance.now() - this.#begin) / 1000 });
      return { net, report, next: beside(both(leaveOneOut ? without : scores, data.outputs), await this.#randomFeatures(), data.rows) };
    } catch (error) {
      net.dispose();
      throw error;
    }
  }

  /** R of the layer that is being made. */
  async #draw() {
    const { nodes } = this.params, size = this.#blocks.reduce((sum, block) => sum + block.size, 0);
    return nodes ? { data: await drawMatrix(draws, nodes, size, layerSeed(this.seed, this.#layers.length + 1)), shape: [nodes, size] } : null;
  }

  /** relu(R f / ||R f||) of all samples, by the blocks that f is made of. @returns {Promise<Float32Array>} [rows, nodes] */
  async #randomFeatures() {
    const { rows } = this.data, { random } = this.#layers[this.#layers.length - 1];
    if (!random) return new Float32Array();
    const [nodes, size] = random.shape, dense = this.#blocks.reduce((all, { data }) => beside(all, data, rows), new Float32Array());
    const { data } = await gemm({ data: dense, shape: [rows, size] }, random, { transposeB: true }), out = Float32Array.from(data);
    for (let at = 0; at < out.length; at += nodes) {
      const z = out.subarray(at, at + nodes), norm = Math.sqrt(z.reduce((sum, v) => sum + v * v, 0));
      for (let i = 0; i < nodes; i++) z[i] = norm > 0 ? Math.max(0, z[i] / norm) : 0;
    }
    return out;
  }

  /** The features that layer i gives to those after it. @param {number} i from 1 @param {SymbolicTensor} scores @param {SymbolicTensor} dense features below it */
  #features(i, scores, dense) {
    const kept = apply(layers.crelu({ name: `lossless_${i}` }), scores), { random } = this.#layers[i - 1];
    if (!random) return kept;
    const projected = apply(layers.dense({ units: random.shape[0], useBias: false, trainable: false, name: `random_${i}` }), dense);
    const unit = apply(layers.unitNormalization({ name: `unit_${i}` }), projected);
    return apply(layers.concat({ name: `joined_${i}` }), [kept, apply(layers.activation({ activation: 'relu', name: `relu_${i}` }), unit)]);
  }

  /** The network of all layers so far. @returns {Promise<Model>} */
  async #assemble() {
    const { data: { shape, rows, outputs }, params: { kernel } } = this, x = input({ shape, name: 'x' }), norms = new Float64Array(rows);
    /** @type {{ [name: string]: { data: Float32Array | Float64Array, shape: number[] } }} */
    const weights = {};
    let below = this.#vector(x);
    /** @type {SymbolicTensor | null} */
    let features = null;
    /** @type {SymbolicTensor | null} */
    let dot = null;
    for (const [i, { data, size, scale }] of this.#blocks.entries()) {
      const own = features ? this.#features(i, below, features) : below, block = apply(layers.rescaling({ scale: [scale], name: `block_${i}` }), own);
      const products = apply(layers.dense({ units: rows, useBias: false, trainable: false, name: `points_${i}` }), block);
      weights[`points_${i}/kernel`] = { data, shape: [rows, size] };
      if (i && this.#layers[i - 1].random) weights[`random_${i}/kernel`] = /** @type {any} */ (this.#layers[i - 1].random);
      for (let j = 0; j < data.length; j++) norms[Math.floor(j / size)] += data[j] ** 2;
      features = features ? apply(layers.concat({ name: `features_${i}` }), [features, block]) : block;
      dot = dot ? apply(layers.add({ name: `products_${i}` }), [dot, products]) : products;
      const { gamma, alpha } = this.#layers[i], name = `output_${i + 1}`;
      const kernelled = apply(layers.kernelMap({ kernel, gamma, name: `kernel_${i + 1}` }), [dot, features]);
      weights[`kernel_${i + 1}/squaredNorms`] = { data: norms.slice(), shape: [rows] };
      weights[`${name}/kernel`] = { data: transposed(alpha, outputs), shape: [outputs, rows] };
      below = apply(layers.dense({ units: outputs, useBias: false, name }), kernelled);
    }
    const net = await model({ inputs: x, outputs: below, name: this.estimator.type.kind.toLowerCase(), seed: 0 });
    try {
      await net.setWeights(weights);
      return net;
    } catch (error) {
      net.dispose();
      throw error;
    }
  }
}

/** [relu(s); relu(-s)] of each row. @param {Float32Array} s @param {number} q */
function both(s, q) {
  const out = new Float32Array(2 * s.length);
  for (let i = 0; i < s.length; i++) out[2 * q * Math.floor(i / q) + (i % q) + (s[i] > 0 ? 0 : q)] = Math.abs(s[i]);
  return out;
}

/** Rows of a and then of b in one. @param {Float32Array} a @param {Float32Array} b @param {number} rows @returns {Float32Array<ArrayBuffer>} */
function beside(a, b, rows) {
  const [m, n] = [a.length / rows, b.length / rows], out = new Float32Array(a.length + b.length);
  for (let row = 0; row < rows; row++) {
    out.set(a.subarray(row * m, (row + 1) * m), row * (m + n));
    out.set(b.subarray(row * n, (row + 1) * n), row * (m + n) + m);
  }
  return out;
}

/** @param {Float64Array} a [rows, q] @param {number} q @returns {Float64Array} [q, rows] */
function transposed(a, q) {
  const rows = a.length / q;
  return Float64Array.from(a, (_, i) => a[(i % rows) * q + Math.floor(i / rows)]);
}
