/** Fits, beside the WebAssembly: the loop over batches, one epoch a call. */
import { HeddleError } from './errors.js';

/** @import { CallContext, Engine, Score, Source } from './engine.js' */
/**
 * @typedef {object} FitPlan
 * @property {Source | null} data null: batches come one by one
 * @property {number} trainRows rows [0, trainRows) are trained on
 * @property {Source | null} validation other data to evaluate after each epoch; if null, the rows from trainRows on
 * @property {number} batchSize
 * @property {number} epochs
 * @property {boolean} shuffle
 * @property {number} seed
 * @property {number} initialEpoch
 * @property {number} stepsPerEpoch for batches that come one by one; 0: not known
 * @property {number} accumulation batches whose mean gradient makes a step; 0: all of an epoch
 */
/**
 * Where a fit stands after a batch or an epoch.
 * @typedef {object} Progress
 * @property {number} epoch whole epochs done
 * @property {number} batch batches done in the running epoch, or in the one that has just ended
 * @property {number} batches in an epoch; 0: not known
 * @property {number} learningRate of the last step
 * @property {number} samples trained on since the fit began
 * @property {number} seconds spent in training steps since the fit began
 * @property {boolean} done
 * @property {Score} score of the running epoch so far, or of the ended one
 * @property {Score} [validation] after an epoch
 */
/**
 * What an optimiser keeps from step to step.
 * @typedef {object} OptimizerState
 * @property {number} step
 * @property {(Float32Array | null)[][]} slots values beside each weight, slot by slot; null: frozen
 * @property {(Float32Array | null)[]} means running ones of activity regularisers, by node; null: none
 */
/** @typedef {{ handle: number, release: () => void }} OpenData */
/**
 * @typedef {object} Fit
 * @property {number} handle
 * @property {number} model id
 * @property {OpenData | null} data
 * @property {{ handle: number, begin: number, end: number, release: () => void } | null} validation
 * @property {number} batchSize
 * @property {number} trainRows
 * @property {number} epoch whole epochs done
 * @property {number} batch batches done in the running epoch, or in the one that has just ended
 * @property {number} samples
 * @property {number} seconds
 * @property {boolean} paused
 * @property {Float32Array<ArrayBuffer>[] | null} kept weights to go back to
 * @property {(() => void)[]} waiting for the end of a pause
 */

/** hd_fit_stat */
const stat = { epoch: 0, batch: 1, batches: 2, loss: 4, learningRate: 6, arena: 9 };

export class Trainer {
  #engine;
  /** @type {Map<number, Fit>} */
  #fits = new Map();

  /** @param {Engine} engine */
  constructor(engine) {
    this.#engine = engine;
  }

  /** @param {number} model id @param {FitPlan} plan @returns {number} id of the fit */
  fitOpen(model, plan) {
    const engine = this.#engine, { handle } = engine.model(model);
    /** @type {(() => void)[]} */
    const undo = [];
    try {
      const data = plan.data === null ? null : engine.data.open(plan.data);
      if (data) undo.push(data.release);
      const validation = this.#openValidation(plan, data);
      if (validation) undo.push(validation.release);
      if (engine.facts.threadsWanted) engine.raiseThreads();
      const options = [plan.batchSize, plan.epochs, Number(plan.shuffle), plan.seed, plan.initialEpoch, plan.stepsPerEpoch,
        plan.accumulation];
      const fit = engine.made(engine.heap.call('hd_fit_new', handle, data?.handle ?? 0, 0, plan.trainRows,
        Float64Array.from(options), options.length));
      const id = engine.nextId();
      this.#fits.set(id, {
        handle: fit, model, data, validation, batchSize: plan.batchSize, trainRows: plan.trainRows,
        epoch: plan.initialEpoch, batch: 0, samples: 0, seconds: 0, paused: false, kept: null, waiting: [],
      });
      return id;
    } catch (error) {
      for (const release of undo) release();
      throw error;
    }
  }

  /** @param {FitPlan} plan @param {{ handle: number, rows: number } | null} data */
  #openValidation({ validation, trainRows }, data) {
    if (validation !== null) {
      const { handle, rows, release } = this.#engine.data.open(validation);
      return { handle, begin: 0, end: rows, release };
    }
    if (!data || trainRows === data.rows) return null;
    return { handle: data.handle, begin: trainRows, end: data.rows, release: () => {} };
  }

  /** Bytes of the work memory of all fits. */
  get bytes() {
    return [...this.#fits.values()].reduce((sum, fit) => sum + this.#stat(fit, 'arena'), 0);
  }

  /** @param {number} id @returns {Fit} */
  #fit(id) {
    const fit = this.#fits.get(id);
    if (!fit) throw new HeddleError('state', 'the model was disposed of during its fit');
    return fit;
  }

  /**
   * Trains to the end of the running epoch, then validates.
   * @param {number} id
   * @param {boolean} batchLogs emit the progress after every batch
   * @param {CallContext} context
   * @returns {Promise<Progress>}
   */
  async fitEpoch(id, batchLogs, context) {
    const { heap } = this.#engine;
    for (;;) {
      await context.breathe();
      await this.#pause(id, context);
      const fit = this.#fit(id), { handle, batchSize, trainRows } = fit, before = this.#stat(fit, 'batch');
      const isEnd = this.#step(fit, () => heap.call('hd_fit_step', handle, 1), Math.min(batchSize, trainRows - before * batchSize));
      if (batchLogs) context.emit(this.#progress(fit, false));
      if (isEnd) return this.#epochEnd(fit, context);
    }
  }

  /** Trains on one batch that a generator gave. @param {number} id @param {Source} source @param {CallContext} context
   * @returns {Promise<Progress>} */
  async fitBatch(id, source, context) {
    await context.breathe();
    await this.#pause(id, context);
    const fit = this.#fit(id), data = this.#engine.data.open(source);
    try {
      this.#step(fit, () => this.#engine.heap.call('hd_fit_batch', fit.handle, data.handle), data.rows);
      return this.#progress(fit, false);
    } finally {
      data.release();
    }
  }

  /** Ends an epoch of batches that came one by one, then validates. @param {number} id @param {CallContext} context */
  fitEndEpoch(id, context) {
    const fit = this.#fit(id);
    this.#engine.check(this.#engine.heap.call('hd_fit_end_epoch', fit.handle)); // which may have ended by itself
    return this.#epochEnd(fit, context);
  }

  /** @param {Fit} fit @param {CallContext} context @returns {Promise<Progress>} */
  async #epochEnd(fit, context) {
    const progress = this.#progress(fit, true), { validation } = fit;
    if (validation) {
      const { handle, begin, end } = validation;
      progress.validation = await this.#engine.score(fit.model, handle, begin, end, fit.batchSize, context);
    }
    return progress;
  }

  /** @param {Fit} fit @param {() => number} run returns a status @param {number} rows @returns {boolean} an epoch has ended */
  #step(fit, run, rows) {
    const before = this.#stat(fit, 'batch');
    fit.seconds += this.#engine.work(run);
    fit.samples += rows;
    const epoch = this.#stat(fit, 'epoch'), isEnd = epoch !== fit.epoch;
    fit.batch = isEnd ? before + 1 : this.#stat(fit, 'batch');
    fit.epoch = epoch;
    return isEnd;
  }

  /** @param {Fit} fit @param {keyof typeof stat} name */
  #stat({ handle }, name) {
    return this.#engine.heap.call('hd_fit_stat', handle, stat[name]);
  }

  /** @param {Fit} fit @param {boolean} whole lists (confusion matrices) too @returns {Progress} */
  #progress(fit, whole) {
    const { heap } = this.#engine, { handle, batch, samples, seconds } = fit;
    return {
      epoch: fit.epoch, batch, samples, seconds, batches: this.#stat(fit, 'batches'), learningRate: this.#stat(fit, 'learningRate'),
      done: heap.call('hd_fit_done', handle) === 1,
      score: this.#engine.readScore(fit.model, handle, 'hd_fit', this.#stat(fit, 'loss'), whole),
    };
  }

  /** @param {number} id @param {CallContext} context */
  async #pause(id, context) {
    for (let fit = this.#fit(id); fit.paused; fit = this.#fit(id)) {
      await Promise.race([new Promise(resolve => fit.waiting.push(() => resolve(undefined))), context.aborted]);
      context.check();
    }
  }

  /** @param {number} id @param {{ paused?: boolean, learningRate?: number }} change */
  fitControl(id, { paused, learningRate }) {
    const fit = this.#fit(id);
    if (learningRate !== undefined) {
      this.#engine.check(this.#engine.heap.call('hd_fit_set_learning_rate', fit.handle, learningRate));
    }
    if (paused === undefined) return;
    fit.paused = paused;
    for (const wake of fit.waiting.splice(0)) wake();
  }

  /** One step. @param {number} model id @param {(Float32Array | null)[]} gradients in the order of the model's facts; null for frozen weights */
  applyGradients(model, gradients) {
    const engine = this.#engine, { heap } = engine, { handle } = engine.model(model);
    const fit = engine.made(heap.call('hd_fit_new', handle, 0, 0, 0, Float64Array.of(1), 1));
    try {
      gradients.forEach((data, i) => data && heap.fill(data, 'hd_gradient_data', handle, i));
      engine.work(() => heap.call('hd_fit_apply_gradients', fit, 0, 1));
    } finally {
      heap.call('hd_fit_free', fit);
    }
  }

  /** With the weights of the same moment. @param {number} id @returns {OptimizerState & { weights: Float32Array<ArrayBuffer>[] }} */
  readOptimizer(id) {
    const engine = this.#engine, { heap } = engine, { handle, facts } = engine.model(id);
    return {
      weights: engine.readWeights(id), step: heap.call('hd_optimizer_step', handle),
      slots: Array.from({ length: heap.call('hd_optimizer_slots', handle) }, (_, slot) => facts.weights.map(({ shape, frozen }, i) =>
        (frozen ? null : engine.floats(shape, 'hd_optimizer_slot', handle, slot, i) ?? engine.fail()))),
      means: facts.nodes.map(({ shape }, i) => engine.floats(shape, 'hd_activity_mean', handle, i)),
    };
  }

  /** For a model that is compiled as it was when the state was read. @param {number} id @param {OptimizerState} state */
  writeOptimizer(id, { step, slots, means }) {
    const engine = this.#engine, { heap } = engine, { handle } = engine.model(id);
    slots.forEach((slot, k) => slot.forEach((data, i) => {
      if (data && !heap.fill(data, 'hd_optimizer_slot', handle, k, i)) engine.fail();
    }));
    means.forEach((data, i) => data && heap.fill(data, 'hd_activity_mean', handle, i));
    engine.check(heap.call('hd_optimizer_restore', handle, step));
  }

  /** Keeps the present weights for fitClose. @param {number} id */
  fitKeep(id) {
    const fit = this.#fit(id);
    fit.kept = this.#engine.readWeights(fit.model);
  }

  /** @param {number} id @param {boolean} restore go back to the weights of fitKeep, if it was called */
  fitClose(id, restore) {
    const fit = this.#fits.get(id);
    if (!fit) return;
    this.#fits.delete(id);
    this.#engine.heap.call('hd_fit_free', fit.handle);
    fit.data?.release();
    fit.validation?.release();
    for (const wake of fit.waiting) wake();
    if (restore && fit.kept) this.#engine.writeWeights(fit.model, fit.kept);
  }

  /** The fits of a model that is being disposed of. @param {number} model id */
  closeAll(model) {
    for (const [id, fit] of this.#fits) if (fit.model === model) this.fitClose(id, false);
  }
}
