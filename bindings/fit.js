/** Training: the loop over epochs, on the caller's side. */
import { BatchReader, isBatchSource } from './batches.js';
import { toSource } from './core.js';
import { addWeights, joinTables, readTable } from './data.js';
import { Dataset } from './dataset.js';
import { EarlyStopping } from './early_stopping.js';
import { HeddleError, abortError, checkOptions, kindOf, wholeNumber } from './errors.js';
import { TrainingControl } from './control.js';
import { checkSeed } from './session.js';

/** @import { Core } from './core.js' */
/** @import { Arrays, ArrayLike2 } from './data.js' */
/** @import { EarlyStoppingOptions } from './early_stopping.js' */
/** @import { Table } from './engine.js' */
/** @import { Client } from './rpc.js' */
/** @import { FitPlan, Progress } from './trainer.js' */
/**
 * Where training stands; beside these the losses and metrics by their Keras names (accuracy, val_loss, val_accuracy ...).
 * In the log of a batch they are means over the running epoch so far; validation comes with that of an epoch.
 * @typedef {object} TrainingProgress
 * @property {'batch' | 'epoch'} type
 * @property {number} epoch from 0
 * @property {number} batch from 0; in the log of an epoch its last
 * @property {number} batches in an epoch; 0 if a generator did not say
 * @property {number} learningRate of the last step, schedule included
 * @property {number} samplesPerSecond of all training steps so far
 * @property {number} [secondsLeft] training steps left at this speed; missing if the number of batches is not known
 * @property {number} loss total of weighted losses and penalties
 */
/** @typedef {TrainingProgress & { [name: string]: any }} TrainingLog */
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
 * @property {EarlyStoppingOptions} [earlyStopping]
 * @property {TrainingControl} [control] pauses and steers the fit
 * @property {AbortSignal} [signal] stops the fit within one batch; it then rejects with the signal's reason (the standard
 *   AbortError), the weights being those of the last whole step
 * @property {0 | 1} [verbose] 1: one line per epoch on the console
 * @property {() => void | Promise<void>} [onTrainBegin]
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
 */

const optionNames = ['epochs', 'batchSize', 'initialEpoch', 'validationSplit', 'validationData', 'shuffle', 'seed', 'classWeight',
  'sampleWeight', 'stepsPerEpoch', 'gradientAccumulationSteps', 'earlyStopping', 'control', 'signal', 'verbose', 'onTrainBegin', 'onBatchEnd', 'onEpochEnd',
  'onTrainEnd'];
/** Weights are copied to this side, in case the engine dies, not more often than this, in ms. */
const rememberEvery = 1000;

/** @param {FitOptions} options @param {Core} core */
function readOptions(options, core) {
  checkOptions(options, optionNames, 'fit');
  for (const name of /** @type {const} */ (['onTrainBegin', 'onBatchEnd', 'onEpochEnd', 'onTrainEnd'])) {
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
  const split = options.validationSplit ?? 0;
  if (!(split >= 0 && split < 1)) throw new HeddleError('argument', `fit: validationSplit = ${split}, expected 0 to below 1`);
  if (split > 0 && options.validationData) throw new HeddleError('argument', 'fit: give validationSplit or validationData, not both');
  const initialEpoch = wholeNumber(options.initialEpoch, 'fit: initialEpoch', 0, 0);
  const epochs = wholeNumber(options.epochs, 'fit: epochs', 0, initialEpoch + 1);
  if (epochs < initialEpoch) throw new HeddleError('argument', `fit: epochs = ${epochs} is below initialEpoch = ${initialEpoch}`);
  return {
    epochs, initialEpoch, split, shuffle: options.shuffle ?? true, batchSize: wholeNumber(options.batchSize, 'fit: batchSize', 1, 32),
    seed: options.seed === undefined ? (core.description.seed + core.fitCount) % 2 ** 53 : checkSeed(options.seed, 'fit'),
    stepsPerEpoch: wholeNumber(options.stepsPerEpoch, 'fit: stepsPerEpoch', 1, 0),
    accumulation: options.gradientAccumulationSteps === 'epoch' ? 0
      : wholeNumber(options.gradientAccumulationSteps, 'fit: gradientAccumulationSteps', 1, 1),
  };
}

/** @typedef {ReturnType<typeof readOptions>} Settings */

/** @param {Core} core @param {unknown} x @param {unknown} y @param {FitOptions} options @param {Settings} settings */
function readTrainingData(core, x, y, options, { split, stepsPerEpoch }) {
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
function readValidation(core, given) {
  if (given === undefined) return null;
  if (given instanceof Dataset) return given;
  if (!Array.isArray(given) || given.length < 2 || given.length > 3) {
    throw new HeddleError('argument', `fit: validationData must be [x, y] or [x, y, sampleWeight], got ${kindOf(given)}`);
  }
  const x = readTable(given[0], core.inputSlots, 'input', 'validationData: x');
  return addWeights(joinTables(x, readTable(given[1], core.targetSlots, 'target', 'validationData: y')), given[2], null);
}

/** One fit that is under way. */
class FitRun {
  /** @type {Client | null} */
  #client = null;
  #fitId = 0;
  #epoch = 0;
  #stop = new AbortController();
  #lastRemembered = performance.now();
  /** @type {TrainingLog | null} */
  #lastLog = null;

  /**
   * @param {Core} core @param {unknown} x @param {unknown} y @param {FitOptions} options
   * @param {((log: TrainingLog) => void | Promise<void>) | null} listener called with every log beside the callbacks
   */
  constructor(core, x, y, options, listener) {
    const settings = readOptions(options, core);
    this.core = core;
    this.options = options;
    this.settings = settings;
    this.listener = listener;
    this.reader = y === undefined && isBatchSource(x) ? new BatchReader(x, core) : null;
    if (this.reader && (settings.split || options.sampleWeight !== undefined || options.classWeight !== undefined)) {
      throw new HeddleError('argument', 'fit: with a generator use validationData, and sampleWeight in its batches');
    }
    this.training = this.reader ? null : readTrainingData(core, x, y, options, settings);
    this.validation = readValidation(core, options.validationData);
    this.early = options.earlyStopping ? new EarlyStopping(options.earlyStopping, this.#numberNames()) : null;
    /** @type {History} */
    this.history = { history: {}, epoch: [], stopped: 'epochs', seconds: 0 };
  }

  /** Log entries that are numbers. @returns {string[]} */
  #numberNames() {
    const { losses, metrics } = this.core.scoreNames, sizes = this.core.compiled().metricSizes;
    const names = ['loss', ...losses, ...metrics.filter((_, i) => sizes[i] === 1)];
    return this.validation || this.settings.split ? [...names, ...names.map(name => `val_${name}`)] : names;
  }

  /** @returns {Promise<History>} */
  async run() {
    const { signal } = this.options, onAbort = () => this.#stop.abort(signal?.reason);
    if (signal?.aborted) throw abortError(signal);
    signal?.addEventListener('abort', onAbort);
    this.#client = (await this.core.open()).client;
    this.#client.fits++;
    try {
      await this.options.onTrainBegin?.();
      if (this.settings.epochs > this.settings.initialEpoch) await this.#train();
    } finally {
      signal?.removeEventListener('abort', onAbort);
      await this.#end();
    }
    await this.options.onTrainEnd?.(this.#lastLog);
    return this.history;
  }

  /** @param {string} method of Trainer @param {unknown[]} args @param {import('./rpc.js').CallOptions} [options] */
  #call(method, args, options) {
    return /** @type {Client} */ (this.#client).call(method, [this.#fitId, ...args], options);
  }

  /** @param {Table | null} first batch of a generator */
  async #begin(first) {
    const { core, settings, validation } = this, { client, id } = await core.open();
    const training = this.training && toSource(this.training.data, client), other = validation && toSource(validation, client);
    const batchSize = first && this.options.batchSize === undefined ? first.rows : settings.batchSize;
    /** @type {FitPlan} */
    const plan = {
      ...settings, batchSize, data: training && training.source, validation: other && other.source,
      trainRows: this.training?.trainRows ?? 0,
    };
    this.#client = client;
    this.#fitId = await client.call('fitOpen', [id, plan], {
      signal: this.#stop.signal, transfer: [...training?.transfer ?? [], ...other?.transfer ?? []],
    });
    this.training = this.validation = null; // the engine has them now
  }

  async #train() {
    const { control } = this.options;
    let batch = this.reader ? await this.reader.next() : null;
    await this.#begin(batch);
    await control?.attach(change => this.#call('fitControl', [change]));
    try {
      for (this.#epoch = this.settings.initialEpoch; this.#epoch < this.settings.epochs; this.#epoch++) {
        const progress = this.reader ? await this.#generatorEpoch(batch) : await this.#arrayEpoch();
        batch = null;
        if (await this.#epochEnd(progress)) break;
      }
    } finally {
      control?.detach();
    }
  }

  /** @returns {Promise<Progress>} */
  #arrayEpoch() {
    const wantsBatches = !!(this.listener || this.options.onBatchEnd);
    return this.#call('fitEpoch', [wantsBatches], {
      signal: this.#stop.signal, onEvent: progress => this.#batchEnd(progress),
    });
  }

  /** @param {Table | null} first @returns {Promise<Progress>} */
  async #generatorEpoch(first) {
    const { signal } = this.#stop, reader = /** @type {BatchReader} */ (this.reader), { stepsPerEpoch } = this.settings;
    for (let step = 0; stepsPerEpoch === 0 || step < stepsPerEpoch; step++) {
      let table = step === 0 && first ? first : await reader.next();
      if (!table && !stepsPerEpoch && step > 0) break; // the end of the generator is that of the epoch
      table ??= await reader.next(); // which has begun anew
      const { source, transfer } = toSource(/** @type {Table} */ (table), /** @type {Client} */ (this.#client));
      this.#batchEnd(await this.#call('fitBatch', [source], { signal, transfer }));
    }
    return this.#call('fitEndEpoch', [], { signal });
  }

  /** @param {Progress} progress */
  #batchEnd(progress) {
    if (this.#stop.signal.aborted) return;
    const log = this.#log('batch', progress);
    try {
      this.options.onBatchEnd?.(log.batch, log);
      void this.listener?.(log);
    } catch (error) {
      this.#stop.abort(error);
    }
  }

  /** @param {Progress} progress @returns {Promise<boolean>} the fit is over */
  async #epochEnd(progress) {
    const { core, early, history, options } = this, log = this.#lastLog = this.#log('epoch', progress);
    this.#stop.signal.throwIfAborted();
    history.epoch.push(log.epoch);
    history.seconds = progress.seconds;
    for (const name of this.#numberNamesOf(progress)) (history.history[name] ??= []).push(log[name]);
    const { isBest, isOver } = early?.update(log) ?? { isBest: false, isOver: false };
    if (isBest && early?.restores) await this.#call('fitKeep', []);
    if (performance.now() - this.#lastRemembered > rememberEvery) {
      await core.remember();
      this.#lastRemembered = performance.now();
    }
    if (options.verbose) console.log(line(log, this.settings.epochs, this.#numberNamesOf(progress)));
    await options.onEpochEnd?.(log.epoch, log);
    await this.listener?.(log);
    this.#stop.signal.throwIfAborted();
    if (isOver) history.stopped = 'earlyStopping';
    else if (progress.done && log.epoch + 1 < this.settings.epochs) history.stopped = 'converged';
    return isOver || progress.done;
  }

  /** @param {Progress} progress @returns {string[]} */
  #numberNamesOf({ score, validation }) {
    const named = { ...this.core.named(score), ...validation && this.core.named(validation, 'val_') };
    return Object.keys(named).filter(name => typeof named[name] === 'number');
  }

  /** @param {'batch' | 'epoch'} type @param {Progress} progress @returns {TrainingLog} */
  #log(type, { batch, batches, learningRate, samples, seconds, score, validation }) {
    const { epochs, initialEpoch } = this.settings, epoch = this.#epoch;
    const batchesDone = (epoch - initialEpoch) * batches + batch, batchesLeft = (epochs - initialEpoch) * batches - batchesDone;
    return {
      type, epoch, batch: batch - 1, batches, learningRate,
      samplesPerSecond: seconds > 0 ? samples / seconds : 0,
      ...batches > 0 && batchesDone > 0 && { secondsLeft: seconds / batchesDone * batchesLeft },
      ...this.core.named(score), ...validation && this.core.named(validation, 'val_'),
    };
  }

  async #end() {
    const client = /** @type {Client} */ (this.#client);
    client.fits--;
    await this.reader?.close();
    if (this.#fitId === 0 || client.isDead || this.core.isDisposed) return;
    await this.#call('fitClose', [!this.#stop.signal.aborted]);
    this.core.fitCount++;
    await this.core.remember();
  }
}

/** @param {TrainingLog} log @param {number} epochs @param {string[]} names */
function line(log, epochs, names) {
  const values = names.map(name => `${name} ${Number(log[name]).toPrecision(4)}`);
  return `Epoch ${log.epoch + 1}/${epochs}: ${values.join(', ')} (${Math.round(log.samplesPerSecond)} samples/s)`;
}

/**
 * @param {Core} core
 * @param {unknown} x
 * @param {unknown} y
 * @param {FitOptions} [options]
 * @param {((log: TrainingLog) => void | Promise<void>) | null} [listener]
 * @returns {Promise<History>}
 */
export async function runFit(core, x, y, options = {}, listener = null) {
  core.checkUsable('fit');
  core.compiled();
  if (core.isFitting) throw new HeddleError('state', 'fit: this model is being fitted already; wait for that, or stop it with its signal');
  core.isFitting = true;
  try {
    return await new FitRun(core, x, y, options, listener).run();
  } finally {
    core.isFitting = false;
  }
}

/**
 * The same as an iteration over logs. The fit runs on between batches and waits at the end of an epoch until its log
 * has been taken; leaving the loop stops it.
 * @param {Core} core
 * @param {unknown} x
 * @param {unknown} y
 * @param {FitOptions} [options]
 * @returns {AsyncGenerator<TrainingLog, History, void>}
 */
export async function* iterateFit(core, x, y, options = {}) {
  /** @type {TrainingLog[]} */
  const logs = [];
  let wake = () => {}, taken = () => {};
  const stop = new AbortController(), { signal: given = stop.signal } = options;
  const signal = given instanceof AbortSignal ? AbortSignal.any([given, stop.signal]) : given; // fit refuses the latter
  let isOver = false;
  const fit = runFit(core, x, y, { ...options, signal }, log => {
    logs.push(log);
    wake();
    return log.type === 'epoch' ? new Promise(resolve => { taken = () => resolve(undefined); }) : undefined;
  }).finally(() => {
    isOver = true;
    wake();
  });
  fit.catch(() => {}); // it is awaited below, perhaps some ticks later
  try {
    for (;;) {
      const log = logs.shift();
      if (log) {
        yield log;
        if (log.type === 'epoch') taken();
      } else if (isOver) {
        return await fit;
      } else {
        await new Promise(resolve => { wake = () => resolve(undefined); });
      }
    }
  } finally {
    stop.abort();
    taken();
    await fit.catch(() => {}); // leaving the loop is no error
  }
}
