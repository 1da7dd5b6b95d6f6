/** Least squares in a ball, from samples to coefficients in one call. */
import { HeddleError, checkOptions, wholeNumber } from './errors.js';
import { Gram } from './gram.js';

/** @import { Coefficients } from './admm.js' */
/** @import { Arrays, ArrayLike2 } from './data.js' */
/** @import { GramAddOptions } from './gram.js' */
/** @import { AdmmStats } from './solver.js' */
/**
 * @typedef {Omit<GramAddOptions, 'sign' | 'known'> & { radius: number, features: number, targets: number }} SecularOptions radius: bound on ||O||_F;
 *   features, targets: their numbers. The rest as for Gram.add
 * @typedef {SecularOptions & { penalty?: number, iterations?: number, tolerance?: number }} AdmmOptions penalty: s, trace(G) / n unless
 *   told; iterations: at most, 100 unless told; tolerance: ends when both residuals are below it, relative to their scales, 0 (never)
 *   unless told
 */

const passed = ['model', 'node', 'batchSize', 'signal', 'onProgress'];

/**
 * @template T
 * @param {Arrays} x
 * @param {ArrayLike2} y
 * @param {SecularOptions} options
 * @param {string} where
 * @param {string[]} own names of further options
 * @param {(gram: Gram) => Promise<T>} solve
 */
async function fromSamples(x, y, options, where, own, solve) {
  checkOptions(options, ['radius', 'features', 'targets', ...passed, ...own], where);
  if (!options || !(options.radius > 0 && options.radius < Infinity)) {
    throw new HeddleError('argument', `${where}: radius = ${String(options?.radius)}, expected a finite number above 0`);
  }
  const { features, targets, model, node, batchSize, signal, onProgress } = options, gram = new Gram({ features, targets });
  try {
    await gram.add(x, y, { model, node, batchSize, signal, onProgress });
    return await solve(gram);
  } finally {
    gram.dispose();
  }
}

/**
 * Coefficients O [targets, features] of least sum |t - O y|^2 with ||O||_F <= radius, exactly.
 * @param {Arrays} x rows of features; with `model`, its inputs
 * @param {ArrayLike2} y [rows, targets], or class numbers [rows]
 * @param {SecularOptions} options
 * @returns {Promise<{ coef: Coefficients, lambda: number, cost: number }>} lambda: the multiplier, 0 inside the ball; cost: sum |t - O y|^2
 */
export async function secular(x, y, options) {
  return fromSamples(x, y, options, 'secular', [], async gram => {
    const { coef, lambda } = await gram.secular(options.radius);
    return { coef, lambda, cost: await gram.cost(coef) };
  });
}

/**
 * The same by ADMM, with the history of its residuals.
 * @param {Arrays} x rows of features; with `model`, its inputs
 * @param {ArrayLike2} y [rows, targets], or class numbers [rows]
 * @param {AdmmOptions} options
 * @returns {Promise<{ coef: Coefficients, cost: number, unprojected: Coefficients, history: AdmmStats[] }>} coef: Z, which is in the ball;
 *   unprojected: O, which need not be
 */
export async function admm(x, y, options) {
  return fromSamples(x, y, options, 'admm', ['penalty', 'iterations', 'tolerance'], async gram => {
    const { radius, penalty, tolerance, signal } = options;
    const iteration = await gram.admm({ radius, penalty });
    try {
      const history = await iteration.step(wholeNumber(options.iterations, 'admm: iterations', 1, 100), { tolerance, signal });
      return { coef: await iteration.values('Z'), cost: history[history.length - 1].cost, unprojected: await iteration.values('O'), history };
    } finally {
      iteration.dispose();
    }
  });
}
