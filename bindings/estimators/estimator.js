/** The base class of estimators that learn from rows. */
import { HeddleError } from '../errors.js';
import { Predictor } from './predictor.js';
import { readTraining } from './samples.js';

/** @import { ArrayLike2 } from '../data.js' */
/** @import { LabelList } from './labels.js' */
/** @import { LearnOptions } from './predictor.js' */
/** @import { TrainingData } from './samples.js' */

/** Use a class that extends this one. */
export class Estimator extends Predictor {
  static kind = 'Estimator';

  /**
   * Learns from rows.
   * @param {ArrayLike2} x [rows, ...shape]; a flat typed array has as many rows as y
   * @param {ArrayLike2 | LabelList} y labels [rows] for classifiers, numbers [rows] or [rows, outputs] for others
   * @param {LearnOptions} [options]
   * @returns {Promise<this>}
   * @throws {HeddleError} `argument` or `shape` for wrong data; `state` during another fit; `diverged` where no solution
   *   exists; `memory`; `crashed`
   */
  async fit(x, y, options) {
    return this.exclusively('fit', options, [], async where => {
      const data = readTraining(x, y, this.type, where);
      await this.learn(data, options ?? {}, this.readValidation(data, options, where));
    });
  }

  /**
   * For subclasses: fits, and calls `adopt` whenever there is a whole model.
   * @param {TrainingData} _data
   * @param {LearnOptions} _options
   * @param {TrainingData | null} _validation
   * @returns {Promise<void>}
   */
  async learn(_data, _options, _validation) {
    throw new HeddleError('unsupported', `${this.type.kind} does not fit`);
  }
}
