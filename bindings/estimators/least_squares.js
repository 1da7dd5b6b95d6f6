/** Estimators that are a linear map of features, fitted by ridge regression. */
import { HeddleError } from '../errors.js';
import { solveDual } from './dual.js';
import { Primal } from './primal.js';
import { readTraining } from './samples.js';
import { Shared } from './shared.js';

/** @import { ArrayLike2 } from '../data.js' */
/** @import { Model } from '../model.js' */
/** @import { LearnOptions } from './predictor.js' */
/** @import { Label, LabelList } from './labels.js' */
/** @import { Features, Solution, Wider } from './primal.js' */
/** @import { TrainingData } from './samples.js' */
/** @import { Choice } from './selection.js' */
/** @import { SharedOptions, Together } from './shared.js' */
/**
 * @typedef {object} PartialOptions
 * @property {readonly Label[]} [classes] all there will ever be, with the first rows of a classifier; unless told those of these rows
 * @property {boolean} [solve] false: only adds the rows; the next call with true, as unless told, fits the model
 */
/**
 * What a subclass gives: features, and how a solution becomes a model.
 * @typedef {object} Network
 * @property {Features} features
 * @property {number} seed of the rows that are held out
 * @property {(solution: Solution) => Promise<Model>} finish
 * @property {() => void} dispose frees what `finish` has not given away
 */
/** What rows look like. @typedef {Omit<TrainingData, 'x' | 'y'>} Kind */
/** Rows so far: whatever comes next must look like them. @typedef {{ network: Network, primal: Primal, kind: Kind }} Stream */

export class LeastSquares extends Shared {
  /** @type {Stream | null} */
  #stream = null;

  /** For subclasses. @param {TrainingData} _data @param {string} _where @param {Together} [_together] @returns {Promise<Network>} */
  async network(_data, _where, _together) {
    throw new HeddleError('unsupported', `${this.type.kind} has no network`);
  }

  get #choice() {
    return /** @type {Choice} */ (/** @type {unknown} */ (this.getParams()));
  }

  /** @param {TrainingData} data @param {SharedOptions} options @param {TrainingData | null} validation */
  async learn(data, options, validation) {
    const where = `${this.type.kind}.fit`, choice = this.#choice, { together } = options;
    if (together) checkShared(choice, where);
    const network = await this.network(data, where, together), { features, seed } = network;
    const isDual = choice.solver === 'dual' || (choice.solver === 'auto' && !together && data.rows < features.size);
    const { x, y, ...kind } = data, primal = isDual ? null : new Primal(features, data.outputs, seed, together);
    try {
      await primal?.add(x, y, choice, options, validation);
      const solution = primal ? await primal.solve(choice, where, options) : await solveDual(features, data, choice, seed, where, options, validation);
      options.signal?.throwIfAborted();
      await this.#finish(network, solution, kind, together ? 'together' : isDual ? 'dual' : 'primal');
    } catch (error) {
      primal?.dispose();
      network.dispose();
      throw error;
    }
    this.#close();
    if (primal && !together) {
      this.#stream = { network, primal, kind };
    } else {
      primal?.dispose();
      network.dispose();
    }
  }

  /** @param {Network} network @param {Solution} solution @param {Kind} kind @param {string} solver */
  async #finish({ features, finish }, solution, { classes, targetShape }, solver) {
    const { alpha, path, rows } = solution, report = { solver, rows, features: features.size, alpha, path };
    this.adopt(await finish(solution), { classes, targetShape, report });
  }

  /**
   * Adds rows to those seen before, by fit or by this: the result is that of one fit on all of them. Memory does not grow.
   * @param {ArrayLike2} x the new rows, [rows, ...shape], of the same shape each time
   * @param {ArrayLike2 | LabelList} y their labels, or numbers [rows] or [rows, outputs]; classes are those of the first call, or `classes`
   * @param {LearnOptions & PartialOptions} [options]
   * @returns {Promise<this>}
   * @throws {HeddleError} as fit; `state` if the fit before left no sums: a file, a dual solution, or one with others
   */
  async partialFit(x, y, options = {}) {
    return this.exclusively('partialFit', options, ['classes', 'solve'], async where => {
      const old = this.#stream, { classes, solve = true } = options, choice = this.#choice;
      if (choice.solver === 'dual') throw new HeddleError('argument', `${where}: solver = "dual" keeps no sums, expected "auto" or "primal"`);
      if (this.isFitted && !old) throw new HeddleError('state', `${where}: the fit before left no sums (it was dual, together, or comes from a file); make a new ${this.type.kind}`);
      if (old && classes !== undefined && String(classes) !== String(old.kind.classes)) {
        throw new HeddleError('argument', `${where}: classes = ${classes}, but they were ${old.kind.classes} before`);
      }
      const data = readTraining(x, y, { isClassifier: this.type.isClassifier, classes: old?.kind.classes ?? classes, like: old?.kind }, where);
      const { x: rows, y: targets, ...kind } = data, stream = old ?? await this.#open(data, kind, where);
      try {
        await stream.primal.add(rows, targets, choice, options, this.readValidation(data, options, where));
      } catch (error) {
        if (!old) stream.primal.dispose();
        if (!old) stream.network.dispose();
        throw error;
      }
      if (old) old.kind.rows += data.rows;
      this.#stream = stream;
      if (solve) await this.#finish(stream.network, await stream.primal.solve(choice, where, options), stream.kind, 'primal');
    });
  }

  /** @param {TrainingData} data @param {Kind} kind @param {string} where @returns {Promise<Stream>} */
  async #open(data, kind, where) {
    const network = await this.network(data, where);
    return { network, primal: new Primal(network.features, data.outputs, network.seed), kind };
  }

  /**
   * For subclasses: a network of more features, the old ones among them.
   * @param {string} where
   * @param {ArrayLike2} x all rows so far, again
   * @param {ArrayLike2 | LabelList} y
   * @param {LearnOptions} options
   * @param {(old: Network, data: TrainingData) => Promise<{ network: Network, wider: Wider }>} make
   */
  async widen(where, x, y, options, make) {
    const old = this.#stream, choice = this.#choice;
    if (!old) throw new HeddleError('state', `${where}: no fit before left sums (it was dual, together, or comes from a file)`);
    const { kind } = old, data = readTraining(x, y, { isClassifier: this.type.isClassifier, classes: kind.classes ?? undefined, like: kind }, where);
    if (data.rows !== kind.rows) throw new HeddleError('shape', `${where}: x has ${data.rows} rows, expected the ${kind.rows} that were learned from, again`);
    const { network, wider } = await make(old.network, data);
    /** @type {Primal | null} */
    let primal = null;
    try {
      primal = await old.primal.widened(network.features, wider, data.x, data.y, options, where);
      const solution = await primal.solve(choice, where, options);
      options.signal?.throwIfAborted();
      await this.#finish(network, solution, kind, 'primal');
    } catch (error) {
      primal?.dispose();
      network.dispose();
      throw error;
    } finally {
      if (wider.model !== network.features.model) wider.model.dispose();
    }
    this.#close();
    this.#stream = { network, primal, kind };
  }

  #close() {
    this.#stream?.primal.dispose();
    this.#stream?.network.dispose();
    this.#stream = null;
  }

  dispose() {
    this.#close();
    super.dispose();
  }
}

/** @param {Choice} choice @param {string} where */
function checkShared({ alphas, selection, solver }, where) {
  if (solver === 'dual') throw new HeddleError('unsupported', `${where}: solver = "dual" needs the rows of all members, expected "auto" or "primal"`);
  if (alphas && selection === 'gcv') throw new HeddleError('unsupported', `${where}: selection = "gcv" needs the sums of all members, expected "holdout"`);
}
