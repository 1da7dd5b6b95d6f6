/** Fits, beside the WebAssembly: the loop over batches, one epoch a call. */
import { HeddleError } from './errors.js';
import { outOnly } from './heap.js';

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
 * @property {boolean} ignores passes over a batch whose loss, or a step whose gradient is not finite
 */
/**
 * Where a fit stands after a batch or an epoch.
 * @typedef {object} Progress
 * @property {number} epoch whole epochs done
 * @property {number} batch batches done in the running epoch, or in the one that has just ended
 * @property {number} batches in an epoch; 0: not known
 * @property {number} learningRate of the last step
 * @property {number} steps batches done since the fit began
 * @property {number} samples trained on since the fit began
 * @property {number} seconds spent in training steps since the fit began
 * @property {boolean} done
 * @property {number} passedOver batches of the epoch that were, as they would have diverged
 * @property {Score} score of the running epoch so far, or of the ended one
 * @property {Score} [validation] after an epoch
 */
/** How long an epoch may run before it stops, between two batches, to be gone on with: 0: no limit. @typedef {{ batches: number, ms: number }} Limits */
/**
 * All of a running fit, to be gone on with by another engine to the same bits.
 * @typedef {object} Snapshot
 * @property {OptimizerState & { weights: Float32Array[] }} model
 * @property {Float64Array} numbers of hd_fit_save_state
 * @property {Float32Array} values of the same
 * @property {Float32Array[] | null} kept weights of fitKeep
 * @property {Standing} at
 */
/** Why there is no snapshot. @typedef {{ code: import('./errors.js').HeddleErrorCode, message: string }} Refusal */
/**
 * @typedef {object} Standing
 * @property {number} epoch whole epochs done
 * @property {number} batch as in Progress
 * @property {number} steps
 * @property {number} samples
 * @property {number} seconds
 * @property {number} passedOver
 * @property {boolean} isEnding the last of these epochs has not been validated and reported yet
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
 * @property {FitPlan} plan
 * @property {Standing} at
 * @property {boolean} isFull full-batch training, which stops to be gone on with at the ends of its epochs only
 * @property {boolean} paused
 * @property {boolean} isWanted somebody waits for a snapshot
 * @property {Float32Array<ArrayBuffer>[] | null} kept weights to go back to
 * @property {(() => void)[]} waiting for the end of a pause
 */

/** hd_fit_stat */
const stat = { epoch: 0, batch: 1, batches: 2, loss: 4, learningRate: 6, arena: 9, baseRate: 10 };

/** @param {(Float32Array | null)[]} arrays */
function allFinite(arrays) {
  for (const array of arrays) for (let i = 0; i < (array?.length ?? 0); i++) if (!Number.isFinite(/** @type {Float32Array} */ (array)[i])) return false;
  return true;
}

export class Trainer {
  #engine;
  /** @type {Map<number, Fit>} */
  #fits = new Map();

  /** @param {Engine} engine */
  constructor(engine) {
    this.#engine = engine;
  }

  /** @param {number} model id @param {FitPlan} plan @param {Snapshot | null} snapshot to go on from @returns {number} id of the fit */
  fitOpen(model, plan, snapshot) {
    const engine = this.#engine;
    /** @type {(() => void)[]} */
    const undo = [];
    try {
      const data = plan.data === null ? null : engine.data.open(plan.data);
      if (data) undo.push(data.release);
      const validation = this.#openValidation(plan, data);
      if (validation) undo.push(validation.release);
      if (engine.facts.threadsWanted) engine.raiseThreads();
      /** @type {Fit} */
      const fit = {
        handle: 0, model, data, validation, plan: { ...plan, data: null, validation: null }, isFull: false, paused: false, isWanted: false, kept: null, waiting: [],
        at: { epoch: plan.initialEpoch, batch: 0, steps: 0, samples: 0, seconds: 0, passedOver: 0, isEnding: false },
      };
      this.#begin(fit, snapshot);
      const id = engine.nextId();
      this.#fits.set(id, fit);
      return id;
    } catch (error) {
      for (const release of undo) release();
      throw error;
    }
  }

  /** Begins the fit in C, or goes on with one. @param {Fit} fit @param {Snapshot | null} snapshot */
  #begin(fit, snapshot) {
    const engine = this.#engine, { heap } = engine, { plan, data, model } = fit;
    if (snapshot) {
      engine.writeWeights(model, snapshot.model.weights);
      this.writeOptimizer(model, snapshot.model);
    }
    const options = [plan.batchSize, plan.epochs, Number(plan.shuffle), plan.seed, plan.initialEpoch, plan.stepsPerEpoch, plan.accumulation];
    fit.handle = engine.made(heap.call('hd_fit_new', engine.model(model).handle, data?.handle ?? 0, 0, plan.trainRows,
      Float64Array.from(options), options.length));
    fit.isFull = data !== null && this.#stat(fit, 'batches') === 0;
    if (!snapshot) return;
    const { numbers, values, kept, at } = snapshot;
    try {
      engine.check(heap.call('hd_fit_load_state', fit.handle, numbers, numbers.length, values, values.length));
    } catch (error) {
      heap.call('hd_fit_free', fit.handle);
      fit.handle = 0;
      throw error;
    }
    fit.kept = /** @type {Float32Array<ArrayBuffer>[] | null} */ (kept);
    fit.at = { ...at };
  }

  /** Goes back to a snapshot, with another learning rate. @param {number} id @param {Snapshot} snapshot @param {number} factor on its rate
   * @returns {number} the base learning rate now */
  fitRewind(id, snapshot, factor) {
    const fit = this.#fit(id), { heap } = this.#engine;
    heap.call('hd_fit_free', fit.handle);
    fit.handle = 0;
    this.#begin(fit, snapshot);
    const rate = this.#stat(fit, 'baseRate') * factor;
    this.#engine.check(heap.call('hd_fit_set_learning_rate', fit.handle, rate));
    return rate;
  }

  /** @param {number} id @returns {Snapshot | Refusal} */
  fitSnapshot(id) {
    const fit = this.#fit(id), { heap } = this.#engine, { handle, kept } = fit;
    fit.isWanted = false;
    try {
      const model = this.readOptimizer(fit.model);
      const numbers = new Float64Array(heap.call('hd_fit_state_size', handle, 0)), values = new Float32Array(heap.call('hd_fit_state_size', handle, 1));
      heap.call('hd_fit_save_state', handle, outOnly(numbers), outOnly(values));
      if (allFinite([model.weights, ...model.slots, model.means].flat())) return { model, numbers, values, kept: kept && kept.map(array => array.slice()), at: { ...fit.at } };
      return { code: 'diverged', message: 'fit: no checkpoint, because weights or the state of the optimizer are not finite' }; // it would be refused when read
    } catch (error) { // such as no memory, which the training may not need
      if (!(error instanceof HeddleError)) throw error;
      return { code: error.code, message: `fit: no checkpoint: ${error.message}` };
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
    return [...this.#fits.values()].reduce((sum, fit) => sum + (fit.handle && this.#stat(fit, 'arena')), 0);
  }

  /** @param {number} id @returns {Fit} */
  #fit(id) {
    const fit = this.#fits.get(id);
    if (!fit) throw new HeddleError('state', 'the model was disposed of during its fit');
    return fit;
  }

  /**
   * Trains to the end of the running epoch, then validates; or stops before with a snapshot, if a limit is reached or one is wanted.
   * @param {number} id
   * @param {Limits & { logs: boolean }} options logs: emit the progress after every batch
   * @param {CallContext} context
   * @returns {Promise<Progress & { snapshot?: Snapshot | Refusal }>} snapshot: missing at the end of the epoch
   */
  async fitEpoch(id, { logs, batches, ms }, context) {
    const { heap } = this.#engine, begin = performance.now();
    for (let done = 0; ; done++) {
      if (this.#fit(id).at.isEnding) return this.#epochEnd(this.#fit(id), context);
      await context.breathe();
      await this.#pause(id, context);
      const fit = this.#fit(id), { handle, plan: { batchSize, trainRows } } = fit, before = this.#stat(fit, 'batch');
      const isDue = fit.isWanted || (batches > 0 && done >= batches) || (ms > 0 && done > 0 && performance.now() - begin >= ms);
      if (isDue && !fit.isFull) return { ...this.#progress(fit, false), snapshot: this.fitSnapshot(id) };
      this.#step(fit, () => heap.call('hd_fit_step', handle, 1), Math.min(batchSize, trainRows - before * batchSize));
      if (logs) context.emit(this.#progress(fit, false));
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
    if (!fit.at.isEnding) { // it has not ended by itself
      const end = () => this.#engine.check(this.#engine.heap.call('hd_fit_end_epoch', fit.handle));
      try {
        end();
      } catch (error) { // the mean gradient of its last batches is not finite; they are gone now
        if (!this.#passesOver(fit, error)) throw error;
        end();
      }
      Object.assign(fit.at, { epoch: this.#stat(fit, 'epoch'), isEnding: true });
    }
    return this.#epochEnd(fit, context);
  }

  /** @param {Fit} fit @param {CallContext} context @returns {Promise<Progress>} */
  async #epochEnd(fit, context) {
    const progress = this.#progress(fit, true), { validation, at } = fit;
    if (at.passedOver > 0 && at.passedOver === at.batch) {
      throw new HeddleError('diverged', `fit: no batch of epoch ${at.epoch - 1} had a loss and a gradient that are finite: use a smaller learning rate`);
    }
    if (validation) {
      const { handle, begin, end } = validation;
      progress.validation = await this.#engine.score(fit.model, handle, begin, end, fit.plan.batchSize, context);
    }
    Object.assign(fit.at, { batch: 0, passedOver: 0, isEnding: false });
    return progress;
  }

  /** @param {Fit} fit @param {unknown} error */
  #passesOver({ plan, isFull }, error) {
    return plan.ignores && !isFull && error instanceof HeddleError && error.code === 'diverged';
  }

  /** @param {Fit} fit @param {() => number} run returns a status @param {number} rows */
  #step(fit, run, rows) {
    const before = this.#stat(fit, 'batch'), { at } = fit;
    try {
      at.seconds += this.#engine.work(run);
      at.samples += rows;
    } catch (error) {
      if (!this.#passesOver(fit, error)) throw error;
      this.#engine.check(this.#engine.heap.call('hd_fit_skip', fit.handle));
      at.passedOver++;
    }
    const epoch = this.#stat(fit, 'epoch');
    at.steps++;
    at.isEnding = epoch !== at.epoch;
    at.batch = at.isEnding ? before + 1 : this.#stat(fit, 'batch');
    at.epoch = epoch;
  }

  /** @param {Fit} fit @param {keyof typeof stat} name */
  #stat({ handle }, name) {
    return this.#engine.heap.call('hd_fit_stat', handle, stat[name]);
  }

  /** @param {Fit} fit @param {boolean} whole lists (confusion matrices) too @returns {Progress} */
  #progress(fit, whole) {
    const { heap } = this.#engine, { handle, at: { epoch, batch, steps, samples, seconds, passedOver } } = fit;
    return {
      epoch, batch, steps, samples, seconds, passedOver, batches: this.#stat(fit, 'batches'), learningRate: this.#stat(fit, 'learningRate'),
      done: heap.call('hd_fit_done', handle) === 1,
      score: this.#engine.readScore(fit.model, handle, 'hd_fit', this.#stat(fit, 'loss'), whole),
    };
  }

  /** @param {number} id @param {CallContext} context */
  async #pause(id, context) {
    for (let fit = this.#fit(id); fit.paused && !fit.isWanted; fit = this.#fit(id)) {
      await Promise.race([new Promise(resolve => fit.waiting.push(() => resolve(undefined))), context.aborted]);
      context.check();
    }
  }

  /** @param {number} id @param {{ paused?: boolean, learningRate?: number, snapshot?: boolean }} change snapshot: stop for one after this batch */
  fitControl(id, { paused, learningRate, snapshot }) {
    const fit = this.#fit(id);
    if (snapshot) fit.isWanted = !fit.isFull;
    if (learningRate !== undefined) {
      this.#engine.check(this.#engine.heap.call('hd_fit_set_learning_rate', fit.handle, learningRate));
    }
    fit.paused = paused ?? fit.paused;
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
