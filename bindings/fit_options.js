/** What a fit is asked to do, checked. */
import { TrainingControl } from './control.js';
import { addWeights, joinTables, readTable } from './data.js';
import { Dataset } from './dataset.js';
import { HeddleError, checkOptions, kindOf, wholeNumber } from './errors.js';
import { checkSeed } from './session.js';

/** @import { CheckpointOptions } from './checkpoints/keeper.js' */
/** @import { Core } from './core.js' */
/** @import { Arrays, ArrayLike2 } from './data.js' */
/** @import { EarlyStoppingOptions } from './early_stopping.js' */
/** @import { Table } from './engine.js' */
/**
 * Where training stands; beside these the losses and metrics by their Keras names (accuracy, val_loss, val_accuracy ...).
 * In the log of a batch they are means over the running epoch so far; validation comes with that of an epoch.
 * @typedef {object} TrainingProgress
 * @property {'batch' | 'epoch'} type what has ended
 * @property {number} epoch from 0
 * @property {number} batch from 0; in the log of an epoch its last
 * @property {number} batches in an epoch; 0 if a generator did not say
 * @property {number} learningRate of the last step, schedule included
 * @property {number} samplesPerSecond of all training steps so far
 * @property {number} [secondsLeft] training steps left at this speed; missing if the number of batches is not known
 * @property {number} loss total of weighted losses and penalties
 * @property {number} [passedOver] batches of the epoch so far that were passed over (onDiverged: 'ignore'); missing if none
 * @property {number} [rollbacks] so far (onDiverged: 'rollback'); missing if none
 */
/** @typedef {TrainingProgress & { [name: string]: any }} TrainingLog where training stands, with its losses and metrics by name */
/**
 * @typedef {object} FitOptions
 * @property {number} [epochs] number of the epoch to end before, counted from 0 (with initialEpoch 0: how many); 1 unless told
 * @property {number} [batchSize] rows of a step; 32 unless told. With a generator, the largest batch to come (unless told,
 *   the first)
 * @property {number} [initialEpoch] number of the first epoch, for schedules and logs; 0 unless told
 * @property {number} [validationSplit] part of the rows, from 0 to below 1, taken from the end (before shuffling), that is not
 *   trained on but evaluated after each epoch; 0 unless told
 * @property {readonly [Arrays, Arrays, ArrayLike2?] | Dataset} [validationData] other data to evaluate: [x, y] or
 *   [x, y, sampleWeight]
 * @property {boolean} [shuffle] a new order in every epoch; true unless told
 * @property {number} [seed] of shuffling and dropout; unless told the model's seed plus the number of its fits before
 * @property {{ readonly [label: number]: number }} [classWeight] factors on the loss of rows by their class, 1 unless told
 * @property {ArrayLike2} [sampleWeight] factors on the loss of each row, one number >= 0 a row
 * @property {number} [stepsPerEpoch] for generators: batches in an epoch; unless told an epoch ends with the generator
 * @property {number | 'epoch'} [gradientAccumulationSteps] batches whose mean gradient makes one step of the optimiser (the last of an
 *   epoch may be fewer); 'epoch': all of them, full-batch training in pieces; 1 unless told
 * @property {EarlyStoppingOptions} [earlyStopping] ends the fit when a value of the logs stops improving; unless told all epochs are trained
 * @property {string | URL | CheckpointOptions} [checkpoint] a store, or more: the fit is saved there while it runs, and a fit of the same model,
 *   settings and data that finds it there goes on from it, to the same weights and logs as without the break. Callbacks of batches after the
 *   last checkpoint are called again. With a generator its source begins anew, and what was taken from it is passed over. After an abort
 *   the fit can be gone on with from its last batch; when it has ended, the checkpoint is removed
 * @property {'stop' | 'rollback' | 'ignore'} [onDiverged] what to do when a loss or gradient is not finite. stop: reject with `diverged`.
 *   rollback: back to the last checkpoint (if that diverges again, to the one before), or without `checkpoint` to the beginning of the epoch, with
 *   half the learning rate, at most 10 times.
 *   ignore: pass over the batch (of accumulated batches whose mean gradient is not finite, over all of them). stop unless told
 * @property {(event: FitEvent) => void} [onEvent] called when a checkpoint was written or could not be, and when the fit was resumed, restarted or
 *   rolled back
 * @property {TrainingControl} [control] pauses and steers the fit
 * @property {AbortSignal} [signal] stops the fit within one batch; it then rejects with the signal's reason (the standard
 *   AbortError), the weights being those of the last whole step
 * @property {0 | 1} [verbose] 1: one line per epoch on the console
 * @property {(history: History) => void | Promise<void>} [onTrainBegin] history: of the epochs before the break, if the fit goes on from a checkpoint
 * @property {(batch: number, logs: TrainingLog) => void} [onBatchEnd] called in order, some ms late if a worker trains
 * @property {(epoch: number, logs: TrainingLog) => void | Promise<void>} [onEpochEnd] the next epoch waits for it
 * @property {(logs: TrainingLog | null) => void | Promise<void>} [onTrainEnd] null: no epoch was trained
 */
/**
 * What a fit returns, as in Keras.
 * @typedef {object} History
 * @property {{ [name: string]: number[] }} history values of each epoch by name
 * @property {number[]} epoch numbers of the epochs
 * @property {'epochs' | 'earlyStopping' | 'converged'} stopped why the fit ended: all epochs done, no improvement, or the
 *   optimiser (L-BFGS) found nothing better
 * @property {number} seconds of training steps
 * @property {FitEvent[]} events what happened, but for checkpoints that were written
 */
/**
 * What happened to a fit at a batch.
 * @typedef {object} FitEvent
 * @property {'checkpoint' | 'checkpointFailed' | 'resumed' | 'restarted' | 'rolledBack'} type `checkpoint`: one was written; `checkpointFailed`: it could
 *   not be, the one before stays and the training goes on; `resumed`: it went on with a run that the store held; `restarted`: the engine had
 *   crashed and was replaced; `rolledBack`: see onDiverged
 * @property {number} epoch number of the epoch in which the fit goes on, from 0
 * @property {number} batch batches of that epoch that are done: the number, from 0, of the one it goes on with
 * @property {number} [bytes] of the checkpoint
 * @property {string} [message] why it failed, crashed or was rolled back
 * @property {number} [learningRate] base learning rate after a rollback
 */

const optionNames = ['epochs', 'batchSize', 'initialEpoch', 'validationSplit', 'validationData', 'shuffle', 'seed', 'classWeight',
  'sampleWeight', 'stepsPerEpoch', 'gradientAccumulationSteps', 'earlyStopping', 'control', 'signal', 'verbose',
  'checkpoint', 'onDiverged', 'onEvent', 'onTrainBegin', 'onBatchEnd', 'onEpochEnd', 'onTrainEnd'];

/** @param {FitOptions} options @param {Core} core */
export function readOptions(options, core) {
  checkOptions(options, optionNames, 'fit');
  for (const name of /** @type {const} */ (['onTrainBegin', 'onBatchEnd', 'onEpochEnd', 'onTrainEnd', 'onEvent'])) {
    if (options[name] !== undefined && typeof options[name] !== 'function') {
      throw new HeddleError('argument', `fit: ${name} must be a function, got ${kindOf(options[name])}`);
    }
  }
  if (options.control !== undefined && !(options.control instanceof TrainingControl)) {
    throw new HeddleError('argument', `fit: control must come from trainingControl(), got ${kindOf(options.control)}`);
  }
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal)) {
    throw new HeddleError('argument', `fit: signal must be an AbortSignal, got ${kindOf(options.signal)}`);
  }
  const { onDiverged = 'stop' } = options, split = options.validationSplit ?? 0;
  if (!['stop', 'rollback', 'ignore'].includes(onDiverged)) {
    throw new HeddleError('argument', `fit: onDiverged = ${JSON.stringify(onDiverged)}, expected "stop", "rollback" or "ignore"`);
  }
  if (!(split >= 0 && split < 1)) throw new HeddleError('argument', `fit: validationSplit = ${split}, expected 0 to below 1`);
  if (split > 0 && options.validationData) throw new HeddleError('argument', 'fit: give validationSplit or validationData, not both');
  const initialEpoch = wholeNumber(options.initialEpoch, 'fit: initialEpoch', 0, 0);
  const epochs = wholeNumber(options.epochs, 'fit: epochs', 0, initialEpoch + 1);
  if (epochs < initialEpoch) throw new HeddleError('argument', `fit: epochs = ${epochs} is below initialEpoch = ${initialEpoch}`);
  return {
    onDiverged, epochs, initialEpoch, split, shuffle: options.shuffle ?? true, batchSize: wholeNumber(options.batchSize, 'fit: batchSize', 1, 32),
    seed: options.seed === undefined ? (core.description.seed + core.fitCount) % 2 ** 53 : checkSeed(options.seed, 'fit'),
    stepsPerEpoch: wholeNumber(options.stepsPerEpoch, 'fit: stepsPerEpoch', 1, 0),
    accumulation: options.gradientAccumulationSteps === 'epoch' ? 0
      : wholeNumber(options.gradientAccumulationSteps, 'fit: gradientAccumulationSteps', 1, 1),
  };
}

/** @typedef {ReturnType<typeof readOptions>} Settings */

/** @param {Core} core @param {unknown} x @param {unknown} y @param {FitOptions} options @param {Settings} settings */
export function readTrainingData(core, x, y, options, { split, stepsPerEpoch }) {
  if (stepsPerEpoch) throw new HeddleError('argument', 'fit: stepsPerEpoch is for generators; of arrays all rows are trained on');
  if (x instanceof Dataset) {
    if (y !== undefined || options.sampleWeight !== undefined || options.classWeight !== undefined) {
      throw new HeddleError('argument', 'fit: a data set has its own y, sampleWeight and classWeight');
    }
    return { data: x, trainRows: trainingRows(x.rows, split) };
  }
  const targets = core.targetSlots;
  const table = joinTables(readTable(x, core.inputSlots, 'input', 'x'), readTable(y, targets, 'target', 'y'));
  const trainRows = trainingRows(table.rows, split);
  return { data: addWeights(table, options.sampleWeight, core.classWeight(options.classWeight), trainRows), trainRows };
}

/** @param {number} rows @param {number} split */
function trainingRows(rows, split) {
  const trainRows = split === 0 ? rows : Math.floor(rows * (1 - split));
  if (trainRows < 1 || (split > 0 && trainRows === rows)) {
    throw new HeddleError('argument', `fit: validationSplit = ${split} of ${rows} rows leaves ${trainRows} for training and ${rows - trainRows} for validation`);
  }
  return trainRows;
}

/** @param {Core} core @param {FitOptions['validationData']} given @returns {Table | Dataset | null} */
export function readValidation(core, given) {
  if (given === undefined) return null;
  if (given instanceof Dataset) return given;
  if (!Array.isArray(given) || given.length < 2 || given.length > 3) {
    throw new HeddleError('argument', `fit: validationData must be [x, y] or [x, y, sampleWeight], got ${kindOf(given)}`);
  }
  const x = readTable(given[0], core.inputSlots, 'input', 'validationData: x');
  return addWeights(joinTables(x, readTable(given[1], core.targetSlots, 'target', 'validationData: y')), given[2], null);
}
