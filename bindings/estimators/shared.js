/** Estimators that members with rows of their own can fit together. */
import { HeddleError } from '../errors.js';
import { Estimator } from './estimator.js';
import { classesOf, readLabels } from './labels.js';
import { readTraining } from './samples.js';

/** @import { Coefficients } from '../admm.js' */
/** @import { ArrayLike2 } from '../data.js' */
/** @import { Gram } from '../gram.js' */
/** @import { Label, LabelList } from './labels.js' */
/** @import { LearnOptions } from './predictor.js' */
/**
 * Others with rows of their own, who fit the same network: `consensusSolver` of heddle/consensus gives one.
 * @typedef {object} Together
 * @property {number} seed of the random weights, the same for all members
 * @property {(gram: Gram, problem: { radius?: number, lambda?: number }) => Promise<{ coef: Coefficients, lambda: number }>} solve coefficients for
 *   the rows of all, from the sums of one's own, of a norm up to radius (any unless told), with ridge penalty lambda (0); and the lambda that worked
 * @property {(values: readonly number[]) => Promise<number[]>} sum of each number over all members
 * @property {<T extends Label>(values: readonly T[]) => Promise<T[]>} union classes that any member has, each once, sorted
 */
/** @typedef {LearnOptions & { together?: Together }} SharedOptions together: the other members; unless told one's own rows alone count */

/** Use a class that extends this one. */
export class Shared extends Estimator {
  static kind = 'Shared';

  /**
   * Learns from rows; with `together` from those of all members, each of whom calls this with its own and the same parameters. No row leaves
   * its member. The members solve, by the method that `consensusSolver` was told. `report` is then of the rows of all; validation rows
   * to watch are one's own.
   * @param {ArrayLike2} x [rows, ...shape]; a flat typed array has as many rows as y
   * @param {ArrayLike2 | LabelList} y labels [rows] for classifiers, numbers [rows] or [rows, outputs] for others
   * @param {SharedOptions} [options]
   * @returns {Promise<this>}
   * @throws {HeddleError} as `Estimator.fit`; `timeout` when members are lost
   */
  async fit(x, y, options = {}) {
    return this.exclusively('fit', options, ['together'], async where => {
      const { together } = options;
      if (together !== undefined && typeof together?.solve !== 'function') {
        throw new HeddleError('argument', `${where}: together must come from consensusSolver()`);
      }
      const classes = together && this.type.isClassifier ? await together.union(classesOf(readLabels(y, `${where}: y`))) : undefined;
      const data = readTraining(x, y, { ...this.type, classes }, where);
      await this.learn(data, options, this.readValidation(data, options, where));
    });
  }
}
