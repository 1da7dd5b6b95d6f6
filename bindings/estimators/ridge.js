/** Ridge regression on the samples themselves. */
import { input, layers } from '../factories.js';
import { sequential } from '../model.js';
import { defaultSeed } from '../session.js';
import { LeastSquares } from './least_squares.js';
import { bool } from './params.js';
import { sizeOf } from './samples.js';
import { ridgeParams } from './selection.js';

/** @import { Network } from './least_squares.js' */
/** @import { Solution } from './primal.js' */
/** @import { Samples, TrainingData } from './samples.js' */
/** @import { RidgeParams } from './selection.js' */
/** @import { Together } from './shared.js' */
/** @typedef {RidgeParams & { fitIntercept?: boolean }} RidgeOptions fitIntercept: adds a constant, which is not penalised; true
 *   unless told. alpha: 1 unless told */

/** Rows whose mean the features are shifted by: it need not be exact. */
const shiftRows = 1000;

/** About the mean of each column, the same for all members. @param {Samples} samples @param {number} size of a row @param {Together} [together]
 * @returns {Promise<Float32Array>} */
async function nearMean({ data, shape: [rows], scale, offset }, size, together) {
  const step = Math.max(1, Math.floor(rows / shiftRows)), sum = new Float64Array(size);
  let taken = 0;
  for (let row = 0; row < rows; row += step, taken++) {
    for (let i = 0; i < size; i++) sum[i] += data[row * size + i];
  }
  const own = Float32Array.from(sum, value => value / taken * scale + offset);
  if (!together) return own;
  const [members, ...all] = await together.sum([1, ...own]);
  return Float32Array.from(all, value => value / members);
}

/**
 * Linear regression with a penalty on the squared weights: min sum |t - O x - b|^2 + alpha |O|^2. The model is one dense layer.
 *
 *     const ridge = await new Ridge({ alphas: 'auto', selection: 'gcv' }).fit(x, y);
 */
export class Ridge extends LeastSquares {
  static kind = 'Ridge';
  static params = { fitIntercept: bool(true), ...ridgeParams(1) };

  /** @param {RidgeOptions} [params] those that are not to be as by default; wrong ones are refused (`argument`) */
  constructor(params) {
    super(params);
  }

  /** Weights: coef [outputs, features], intercept [outputs], as in the model. */
  async weights() {
    const { 'output/kernel': coef, 'output/bias': bias } = await this.fitted('weights').model.getWeights(), { data, shape } = coef;
    return { coef: { data, shape }, intercept: bias?.data ?? new Float32Array(shape[0]) };
  }

  /** @param {TrainingData} data @param {string} _where @param {Together} [together] @returns {Promise<Network>} */
  async network({ x, y, shape, outputs, classes }, _where, together) {
    const { fitIntercept, seed: given } = this.getParams(), seed = given ?? together?.seed ?? defaultSeed(), size = sizeOf(shape);
    const mean = await nearMean(x, size, together), shift = fitIntercept && !classes ? await nearMean(y, outputs, together) : null;
    const model = await sequential([
      input({ shape }), layers.flatten({ name: 'flat' }), // a normalisation of deviation 1 only takes the mean out
      ...fitIntercept ? [layers.batchNorm({ center: false, scale: false, frozen: true, epsilon: 1e-30, name: 'shifted' }), layers.appendConstant({ name: 'bordered' })] : [],
    ]);
    if (fitIntercept) await model.setWeights({ 'shifted/runningMean': mean }, { partial: true });
    return {
      features: { model, node: fitIntercept ? 'shifted' : 'flat', bordered: fitIntercept ? 'bordered' : null, size, shift }, seed,
      finish: solution => finish(solution, shape, fitIntercept ? mean : null, seed), dispose: () => model.dispose(),
    };
  }
}

/** @param {Solution} solution for samples from which the mean was taken out @param {number[]} shape @param {Float32Array | null} mean
 * @param {number} seed */
async function finish({ coef, intercept }, shape, mean, seed) {
  const outputs = intercept.length, size = coef.length / outputs;
  const model = await sequential([input({ shape }), layers.flatten(), layers.dense({ units: outputs, useBias: mean !== null, name: 'output' })], { seed });
  const bias = mean && Float32Array.from(intercept, (value, k) => mean.reduce((sum, m, i) => sum - coef[k * size + i] * m, value));
  await model.setWeights({ 'output/kernel': Float32Array.from(coef), ...bias && { 'output/bias': bias } });
  return model;
}

/** The same with a 1 for the class of each row and 0 for the others; the class is where the largest output is. */
export class RidgeClassifier extends Ridge {
  static kind = 'RidgeClassifier';
  static isClassifier = true;
}
