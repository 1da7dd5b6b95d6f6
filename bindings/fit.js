/** Training: the loop over epochs, on the caller's side. */
import { BatchReader, isBatchSource } from './batches.js';
import { toSource } from './core.js';
import { Dataset } from './dataset.js';
import { EarlyStopping } from './early_stopping.js';
import { HeddleError, abortError, part } from './errors.js';
import { readOptions, readTrainingData, readValidation } from './fit_options.js';

/** @import { Keeper } from './checkpoints/keeper.js' */
/** @import { RunState, Saved } from './checkpoints/format.js' */
/** @import { Core } from './core.js' */
/** @import { Table } from './engine.js' */
/** @import { FitEvent, FitOptions, History, TrainingLog } from './fit_options.js' */
/** @import { Client } from './rpc.js' */
/** @import { FitPlan, Progress, Refusal, Snapshot } from './trainer.js' */

/** Weights are copied to this side, in case the engine dies, not more often than this, in ms. */
const rememberEvery = 1000;
const mostRollbacks = 10;

const loadFormat = () => part(import('./checkpoints/format.js')); // like all that only checkpoints need

/** The same data, to be copied wherever they are sent: they may be needed again. @template {Table | Dataset} T @param {T} data @returns {T} */
const shared = data => ('columns' in data ? { ...data, columns: data.columns.map(column => ({ ...column, owned: false })) } : data);

/** One fit that is under way. */
class FitRun {
  /** @type {Client | null} */
  #client = null;
  #fitId = 0;
  #epoch = 0;
  /** Batches done in it, and in the whole fit. */
  #batch = 0;
  #steps = 0;
  /** The epoch that has ended but is not in the history yet. @type {Progress | null} */
  #unreported = null;
  /** The same, of the run that this one goes on with: it ends before it has begun. */
  #isEnding = false;
  #isOver = false;
  #stop = new AbortController();
  #lastRemembered = performance.now();
  /** @type {TrainingLog | null} */
  #lastLog = null;
  /** @type {Keeper | null} */
  #keeper = null;
  /** What the fit, opened next, goes on from. @type {Saved | null} */
  #saved = null;
  /** @type {RunState['terms']} */
  #terms = null;
  #isOpen = false;
  #restarts = 0;
  #rollbacks = 0;
  /** Of the generator, after the last batch that was trained on. */
  #position = { passes: 0, taken: 0, isOpen: false };
  /** Its first batch, looked at before the fit was opened. @type {Table | null} */
  #pending = null;

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
    if (this.reader?.isOneShot && settings.onDiverged === 'rollback') {
      throw new HeddleError('argument', "fit: onDiverged: 'rollback' needs a generator that can begin anew: give a function that returns one");
    }
    const training = this.reader ? null : readTrainingData(core, x, y, options, settings);
    this.trainRows = training?.trainRows ?? 0;
    this.training = training?.data ?? null;
    this.validation = readValidation(core, options.validationData);
    this.early = options.earlyStopping ? new EarlyStopping(options.earlyStopping, this.#numberNames()) : null;
    /** @type {History} */
    this.history = { history: {}, epoch: [], stopped: 'epochs', seconds: 0, events: [] };
    this.#epoch = settings.initialEpoch;
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
    let isDone = false;
    try {
      await this.#openKeeper();
      this.#adopt((await this.core.open()).client);
      await this.options.onTrainBegin?.(this.history);
      if (this.settings.epochs > this.settings.initialEpoch) await this.#train();
      isDone = true;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      await this.#end(isDone);
    }
    await this.options.onTrainEnd?.(this.#lastLog);
    return this.history;
  }

  /** @param {string} method of Trainer @param {unknown[]} args @param {import('./rpc.js').CallOptions} [options] */
  #call(method, args, options) {
    return /** @type {Client} */ (this.#client).call(method, [this.#fitId, ...args], options);
  }

  /** The engine that runs the fit from now on. @param {Client} client */
  #adopt(client) {
    if (this.#client) this.#client.fits--;
    this.#client = client;
    client.fits++;
  }

  // --- checkpoints ---

  async #openKeeper() {
    const { core, options, settings } = this;
    const given = options.checkpoint ?? (settings.onDiverged === 'rollback' ? { store: 'memory', everyEpochs: 1, restarts: 0 } : undefined);
    if (given === undefined) return;
    const [{ Keeper }, { termsOf }] = await part(Promise.all([import('./checkpoints/keeper.js'), import('./checkpoints/terms.js')]));
    const { keeper, found } = await Keeper.open(given, event => this.#report(event));
    this.#keeper = keeper;
    this.#terms = termsOf(core, options, settings, this.training, this.validation);
    if (!found) return;
    keeper.checkTerms(found, this.#terms, settings.epochs);
    this.history.events = found.run.events;
    this.#rollbacks = found.run.rollbacks;
    this.#goBack(found);
    this.#report({ type: 'resumed' });
    if (options.verbose) console.log(`Going on from epoch ${this.#epoch + 1}, batch ${this.#batch}`);
  }

  /** @param {Partial<FitEvent> & { type: FitEvent['type'], error?: unknown }} event */
  #report({ type, error, ...rest }) {
    /** @type {FitEvent} */
    const event = { type, epoch: this.#epoch, batch: this.#batch, ...rest, ...error !== undefined && { message: error instanceof Error ? error.message : String(error) } };
    if (type !== 'checkpoint') this.history.events.push(event);
    this.options.onEvent?.(event);
  }

  /** This side as it was. The engine's follows when the fit is opened or rewound. @param {Saved} saved */
  #goBack(saved) {
    const { run, at } = saved, { history, settings } = this;
    this.#saved = saved;
    Object.assign(history, { history: run.history, epoch: run.epoch, stopped: run.stopped, seconds: at.seconds });
    Object.assign(settings, { seed: run.seed, batchSize: run.batchSize });
    if (this.early) this.early.state = run.early;
    [this.#epoch, this.#batch, this.#steps, this.#isEnding, this.#unreported] = [at.isEnding ? at.epoch - 1 : at.epoch, at.batch, at.steps, at.isEnding, null];
    this.#isOver = run.isOver && run.stopped !== 'epochs'; // of epochs more may be wanted now
  }

  /** @param {Snapshot | Refusal} snapshot @param {{ isFirst?: boolean, isDone?: boolean }} [options] */
  async #checkpoint(snapshot, { isFirst, isDone = false } = {}) {
    const { history, settings, early } = this, ended = this.#unreported;
    if ('at' in snapshot && ended) Object.assign(snapshot.at, { isEnding: true, batch: ended.batch, passedOver: ended.passedOver });
    await this.#keeper?.save(this.core, snapshot, {
      terms: this.#terms, epochs: settings.epochs, seed: settings.seed, batchSize: settings.batchSize, batches: this.reader ? settings.stepsPerEpoch : Math.ceil(this.trainRows / settings.batchSize),
      history: history.history, epoch: history.epoch, stopped: history.stopped, events: history.events, early: early?.state ?? [],
      rollbacks: this.#rollbacks, source: this.reader ? this.#position : null, isOver: this.#isOver, isDone, saved: Date.now(),
    }, isFirst);
  }

  /** Goes on after an engine that died, or from before a divergence. @param {any} error */
  async #recover(error) {
    const keeper = this.#keeper, isCrash = ['crashed', 'timeout'].includes(error?.code) && /** @type {Client} */ (this.#client).isDead;
    if (!keeper || this.#stop.signal.aborted || this.core.isDisposed) throw error;
    if (isCrash) {
      if (this.#restarts >= keeper.restarts || this.reader?.canRewind === false) throw error;
      if (this.training instanceof Dataset || this.validation instanceof Dataset) {
        throw new HeddleError('crashed', `${error.message}; the data set went with the engine: make it anew and fit again, which goes on from the checkpoint`, { cause: error });
      }
      this.#restarts++;
      this.#goBack(await keeper.latest());
      this.#isOpen = false;
      this.#report({ type: 'restarted', error });
      return;
    }
    if (!(error instanceof HeddleError && error.code === 'diverged' && this.settings.onDiverged === 'rollback')) throw error;
    if (this.#rollbacks >= mostRollbacks) throw new HeddleError('diverged', `${error.message}; ${mostRollbacks} rollbacks, each with half the learning rate, have not helped`, { cause: error });
    this.#rollbacks++;
    const saved = await keeper.latest(true), { snapshotOf } = await loadFormat();
    this.#goBack(saved);
    await this.#rewindReader(saved);
    const learningRate = await this.#call('fitRewind', [snapshotOf(saved, this.core.facts), 0.5 ** (this.#rollbacks - saved.run.rollbacks)]);
    this.#report({ type: 'rolledBack', error, learningRate });
  }

  /** @param {Saved} saved */
  async #rewindReader({ run: { source } }) {
    if (!this.reader || !source) return;
    await this.reader.rewind(source);
    this.#position = source;
    this.#pending = null;
  }

  // --- the loop ---

  async #open() {
    const { core, settings, validation, training, options } = this, { client, id } = await core.open(), saved = this.#saved;
    this.#adopt(client);
    if (saved) await this.#rewindReader(saved);
    else if (this.reader) this.#pending = await this.reader.next();
    if (this.#pending && options.batchSize === undefined) settings.batchSize = this.#pending.rows;
    const mayRestart = (this.#keeper?.restarts ?? 0) > 0, keep = mayRestart ? shared : (/** @type {any} */ data) => data;
    const data = training && toSource(keep(training), client), other = validation && toSource(keep(validation), client);
    /** @type {FitPlan} */
    const plan = { ...settings, data: data && data.source, validation: other && other.source, trainRows: this.trainRows, ignores: settings.onDiverged === 'ignore' };
    const snapshot = saved && (await loadFormat()).snapshotOf(saved, core.facts);
    this.#fitId = await client.call('fitOpen', [id, plan, snapshot], {
      signal: this.#stop.signal, transfer: [...data?.transfer ?? [], ...other?.transfer ?? []],
    }).catch(cause => {
      if (!saved || cause?.code !== 'argument') throw cause;
      throw new HeddleError('file', `checkpoint: ${cause.message}`, { cause });
    });
    if (!mayRestart) this.training = this.validation = null; // the engine has them now
    this.#saved = null;
    this.#isOpen = true;
    if (options.control?.isPaused) await this.#call('fitControl', [{ paused: true }]);
  }

  async #train() {
    const { control } = this.options, keeper = this.#keeper, isNew = !this.#saved;
    await this.#open();
    await control?.attach(change => this.#call('fitControl', [change]));
    keeper?.watch(() => void this.#call('fitControl', [{ snapshot: true }]).catch(() => {}));
    try {
      if (keeper && isNew) await this.#checkpoint(await this.#call('fitSnapshot', []), { isFirst: true });
      while (!this.#isOver && this.#epoch < this.settings.epochs) {
        try {
          if (!this.#isOpen) await this.#open();
          await this.#trainEpoch();
        } catch (error) {
          await this.#recover(error);
        }
      }
    } finally {
      control?.detach();
    }
  }

  async #trainEpoch() {
    const progress = this.reader ? await this.#generatorEpoch() : await this.#arrayEpoch();
    this.#isEnding = false;
    this.#unreported = progress;
    await this.#epochEnd(progress);
    this.#epoch++;
    [this.#batch, this.#steps] = [0, progress.steps];
    if (this.#keeper?.isDue(progress.steps, this.#epoch) && !this.#isOver && this.#epoch < this.settings.epochs) await this.#checkpoint(await this.#call('fitSnapshot', []));
  }

  /** @returns {Promise<Progress>} */
  async #arrayEpoch() {
    const logs = !!(this.listener || this.options.onBatchEnd), keeper = this.#keeper;
    for (;;) {
      /** @type {Progress & { snapshot?: Snapshot | Refusal }} */
      const { snapshot, ...progress } = await this.#call('fitEpoch', [{ logs, batches: 0, ms: 0, ...keeper?.limits(this.#steps) }], {
        signal: this.#stop.signal, onEvent: progress => this.#batchEnd(progress),
      });
      if (snapshot === undefined) return progress;
      [this.#batch, this.#steps] = [progress.batch, progress.steps];
      await this.#checkpoint(snapshot);
    }
  }

  /** @returns {Promise<Progress>} */
  async #generatorEpoch() {
    const { signal } = this.#stop, reader = /** @type {BatchReader} */ (this.reader), { stepsPerEpoch } = this.settings;
    for (let step = this.#batch; !this.#isEnding && (stepsPerEpoch === 0 || step < stepsPerEpoch); step++) {
      let table = this.#pending ?? await reader.next();
      this.#pending = null;
      if (!table && !stepsPerEpoch && step > 0) break; // the end of the generator is that of the epoch
      table ??= await reader.next(); // which has begun anew
      const { source, transfer } = toSource(/** @type {Table} */ (table), /** @type {Client} */ (this.#client));
      /** @type {Progress} */
      const progress = await this.#call('fitBatch', [source], { signal, transfer });
      [this.#position, this.#batch, this.#steps] = [reader.position, step + 1, progress.steps];
      this.#batchEnd(progress);
      if (this.#keeper?.isDue(progress.steps) && step + 1 !== stepsPerEpoch) await this.#checkpoint(await this.#call('fitSnapshot', []));
    }
    const progress = await this.#call('fitEndEpoch', [], { signal });
    this.#position = reader.position;
    return progress;
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

  /** @param {Progress} progress */
  async #epochEnd(progress) {
    const { core, early, history, options } = this, log = this.#lastLog = this.#log('epoch', progress);
    this.#stop.signal.throwIfAborted();
    this.#unreported = null;
    history.epoch.push(log.epoch);
    history.seconds = progress.seconds;
    for (const name of this.#numberNamesOf(progress)) (history.history[name] ??= []).push(log[name]);
    const { isBest, isOver } = early?.update(log) ?? { isBest: false, isOver: false };
    this.#isOver = isOver || progress.done;
    if (isOver) history.stopped = 'earlyStopping';
    else if (progress.done && log.epoch + 1 < this.settings.epochs) history.stopped = 'converged';
    if (isBest && early?.restores) await this.#call('fitKeep', []);
    if (performance.now() - this.#lastRemembered > rememberEvery) {
      await core.remember();
      this.#lastRemembered = performance.now();
    }
    if (options.verbose) console.log(line(log, this.settings.epochs, this.#numberNamesOf(progress)));
    await options.onEpochEnd?.(log.epoch, log);
    await this.listener?.(log);
    this.#stop.signal.throwIfAborted();
  }

  /** @param {Progress} progress @returns {string[]} */
  #numberNamesOf({ score, validation }) {
    const named = { ...this.core.named(score), ...validation && this.core.named(validation, 'val_') };
    return Object.keys(named).filter(name => typeof named[name] === 'number');
  }

  /** @param {'batch' | 'epoch'} type @param {Progress} progress @returns {TrainingLog} */
  #log(type, { batch, batches, learningRate, samples, seconds, passedOver, score, validation }) {
    const { epochs, initialEpoch } = this.settings, epoch = this.#epoch;
    const batchesDone = (epoch - initialEpoch) * batches + batch, batchesLeft = (epochs - initialEpoch) * batches - batchesDone;
    return {
      type, epoch, batch: batch - 1, batches, learningRate,
      samplesPerSecond: seconds > 0 ? samples / seconds : 0,
      ...batches > 0 && batchesDone > 0 && { secondsLeft: seconds / batchesDone * batchesLeft },
      ...passedOver > 0 && { passedOver }, ...this.#rollbacks > 0 && { rollbacks: this.#rollbacks },
      ...this.core.named(score), ...validation && this.core.named(validation, 'val_'),
    };
  }

  /** @param {boolean} isDone */
  async #end(isDone) {
    const client = this.#client, keeper = this.#keeper, isAborted = this.#stop.signal.aborted;
    if (client) client.fits--;
    await this.reader?.close();
    try {
      if (!client || this.#fitId === 0 || client.isDead || this.core.isDisposed) return;
      if (keeper && (isDone ? keeper.keeps : this.options.signal?.aborted)) {
        await this.#call('fitSnapshot', []).then(snapshot => this.#checkpoint(snapshot, { isDone }))
          .catch(error => this.#report({ type: 'checkpointFailed', error })); // why the fit ends is what the caller must learn
      }
      await this.#call('fitClose', [!isAborted]);
      this.core.fitCount++;
      await this.core.remember();
    } finally {
      await keeper?.end(isDone && !keeper.keeps);
    }
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
