import { HeddleError, checkOptions, suggest } from './errors.js';

/** @import { TrainingLog } from './fit_options.js' */
/**
 * Ends a fit when a value has not improved for a while, as in Keras.
 * @typedef {object} EarlyStoppingOptions
 * @property {string} [monitor] the log entry to watch: val_loss if there is validation, else loss
 * @property {number} [patience] epochs without improvement before the fit ends; 0 unless told
 * @property {number} [minDelta] a smaller change is no improvement; 0 unless told
 * @property {'auto' | 'min' | 'max'} [mode] which direction is better; auto: max for accuracy and topK, else min
 * @property {boolean} [restoreBestWeights] end with the weights of the best epoch instead of the last; false unless told
 */

export class EarlyStopping {
  #options;
  #monitor;
  #sign;
  #best = Infinity;
  #waited = 0;

  /** @param {EarlyStoppingOptions} options @param {readonly string[]} names entries of the logs that are numbers */
  constructor(options, names) {
    checkOptions(options, ['monitor', 'patience', 'minDelta', 'mode', 'restoreBestWeights'], 'earlyStopping');
    const { monitor = names.includes('val_loss') ? 'val_loss' : 'loss', patience = 0, minDelta = 0, mode = 'auto' } = options;
    if (!names.includes(monitor)) {
      throw new HeddleError('argument', `earlyStopping: no log entry "${monitor}"${suggest(String(monitor), names)}`);
    }
    if (!(Number.isInteger(patience) && patience >= 0)) {
      throw new HeddleError('argument', `earlyStopping: patience = ${patience}, expected a whole number >= 0`);
    }
    if (!(minDelta >= 0 && minDelta < Infinity)) {
      throw new HeddleError('argument', `earlyStopping: minDelta = ${minDelta}, expected a finite number >= 0`);
    }
    if (!['auto', 'min', 'max'].includes(mode)) {
      throw new HeddleError('argument', `earlyStopping: mode = "${mode}", expected "auto", "min" or "max"`);
    }
    const isMax = mode === 'max' || (mode === 'auto' && /accuracy|topK/i.test(monitor));
    this.#options = { patience, minDelta };
    this.#monitor = monitor;
    this.#sign = isMax ? -1 : 1;
    /** @readonly */
    this.restores = options.restoreBestWeights ?? false;
    /** Epoch with the best value so far. */
    this.bestEpoch = -1;
  }

  /** To be gone on from: best value, epochs waited, epoch of the best. @returns {number[]} */
  get state() {
    return [this.#best, this.#waited, this.bestEpoch];
  }

  set state([best, waited, bestEpoch]) {
    [this.#best, this.#waited, this.bestEpoch] = [best, waited, bestEpoch];
  }

  /** @param {TrainingLog} log of an epoch @returns {{ isBest: boolean, isOver: boolean }} */
  update(log) {
    const value = this.#sign * Number(log[this.#monitor]);
    if (value < this.#best - this.#options.minDelta) {
      [this.#best, this.#waited, this.bestEpoch] = [value, 0, log.epoch];
      return { isBest: true, isOver: false };
    }
    this.#waited++;
    return { isBest: false, isOver: this.#waited >= Math.max(1, this.#options.patience) };
  }
}
