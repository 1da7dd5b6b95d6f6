// One network and its training: start, pause, stop, reset. Knows nothing of the page but the task that it is given and what
// it tells `hooks`.
import { info, init, trainingControl } from 'heddle';

/** @import { FitOptions, History, Model, TrainingLog } from 'heddle' */
/** @typedef {{ threads: number, optimizer: string, schedule: string, rate: number, epochs: number, batchSize: number }} Settings
 *   and what else the page's form has */
/**
 * What a page trains.
 * @typedef {object} Task
 * @property {(settings: Settings) => string} key another one means another network
 * @property {(settings: Settings) => Promise<Model>} make
 * @property {(net: Model, settings: Settings) => Promise<void>} compile
 * @property {(settings: Settings, onLoading: (part: number) => void) => Promise<{ x: any, y: Uint8Array, options?: FitOptions }>} data
 *   to train on
 */
/** @typedef {'starting' | 'idle' | 'loading' | 'training' | 'paused' | 'stopping'} State */
/**
 * @typedef {object} Hooks
 * @property {(state: State) => void} onState
 * @property {(part: number) => void} onLoading 0..1 of the data are here
 * @property {(net: Model, isFresh: boolean) => void} onNetwork
 * @property {(log: TrainingLog) => void} onBatch
 * @property {(log: TrainingLog, signal: AbortSignal) => void | Promise<void>} onEpoch the next epoch waits; adds val_loss if the fit does not
 * @property {() => Promise<() => void>} quiet waits until no call about the network is running and lets none begin until
 *   the function that it gives is called
 */

export class Training {
  /** @type {State} */
  state = 'starting';
  /** @type {Model | null} */
  net = null;
  /** Epochs that the network has been trained for, by this page or before it was saved. */
  epochs = 0;
  #key = '';
  #compiled = '';
  #control = trainingControl();
  /** @type {AbortController | null} */
  #abort = null;
  /** @type {Promise<unknown>} */
  #running = Promise.resolve();

  /** @param {Task} task @param {Hooks} hooks */
  constructor(task, hooks) {
    this.task = task;
    this.hooks = hooks;
  }

  get isBusy() {
    return this.state !== 'idle' && this.state !== 'starting';
  }

  /** @param {State} state */
  #enter(state) {
    this.state = state;
    this.hooks.onState(state);
  }

  /** The first network. @param {Settings} settings */
  async open(settings) {
    await init({ threads: settings.threads });
    await this.#renew(settings);
    this.#enter('idle');
  }

  /** @param {Settings} settings */
  async #renew(settings) {
    this.adopt(await this.task.make(settings), settings, 0);
  }

  /** Takes a network in place of the present one. @param {Model} net @param {Settings} settings as the form shows them
   * @param {number} epochs trained for */
  adopt(net, settings, epochs) {
    this.hooks.onNetwork(net, epochs === 0);
    this.net?.dispose();
    this.net = net;
    this.epochs = epochs;
    this.#key = this.task.key(settings);
    this.#compiled = '';
  }

  /** Training with these settings would begin a new network. @param {Settings} settings */
  wouldRenew(settings) {
    return this.task.key(settings) !== this.#key;
  }

  /**
   * Trains to the end, or until stop().
   * @param {Settings} settings
   * @returns {Promise<History | null>} null if it was stopped
   */
  start(settings) {
    this.#abort = new AbortController();
    this.#enter('loading');
    this.#running = this.#train(settings, this.#abort.signal).catch((error) => {
      if (error?.name !== 'AbortError') throw error;
      return null;
    }).finally(() => this.#enter('idle'));
    return this.#running;
  }

  /** @param {Settings} settings @param {AbortSignal} signal */
  async #train(settings, signal) {
    const { x, y, options } = await this.task.data(settings, this.hooks.onLoading);
    signal.throwIfAborted();
    await this.#setThreads(settings.threads);
    if (this.wouldRenew(settings)) await this.#renew(settings);
    const compiled = JSON.stringify([settings.optimizer, settings.schedule, settings.rate]);
    if (compiled !== this.#compiled) await this.task.compile(this.net, settings);
    this.#compiled = compiled;
    signal.throwIfAborted();
    this.#control = trainingControl();
    this.#enter('training');
    return this.#fit(x, y, {
      epochs: settings.epochs, batchSize: Math.min(settings.batchSize, y.length), signal, control: this.#control,
      onBatchEnd: (_, log) => this.hooks.onBatch(log), ...options,
    });
  }

  /** Fits; if the loss overflows, the weights go back to good ones of at most a second before.
   * @param {any} x @param {Uint8Array} y @param {FitOptions} options @returns {Promise<History>} */
  async #fit(x, y, options) {
    const { net } = this;
    let good = await net.getWeights(), time = performance.now(), hasBegun = false;
    const onEpochEnd = async (_, log) => {
      hasBegun = true;
      this.epochs++;
      await this.hooks.onEpoch(log, options.signal);
      if (performance.now() - time < 1000 || !Number.isFinite(log.val_loss)) return;
      good = await net.getWeights();
      time = performance.now();
    };
    try {
      return await net.fit(x, y, { ...options, onEpochEnd });
    } catch (error) {
      // Another tab keeps its training there, or the browser keeps nothing: this one is not kept, as an event with a code says.
      const canBeLeft = options.checkpoint && !options.checkpoint.resume && !hasBegun && ['state', 'storage', 'unsupported'].includes(error.code);
      if (canBeLeft) {
        options.onEvent?.({ type: 'checkpointFailed', epoch: 0, batch: 0, code: error.code, message: error.message });
        return this.#fit(x, y, { ...options, checkpoint: undefined });
      }
      if (error.code === 'diverged') {
        await net.setWeights(good);
        this.#compiled = ''; // the optimiser's memory is of no use either
      }
      throw error;
    }
  }

  /** @param {number} threads */
  async #setThreads(threads) {
    if (info().threadsAsked === threads) return;
    const release = await this.hooks.quiet();
    try {
      await init({ threads });
    } finally {
      release();
    }
  }

  async pause() {
    await this.#control.pause();
    if (this.state === 'training') this.#enter('paused');
  }

  async resume() {
    await this.#control.resume();
    if (this.state === 'paused') this.#enter('training');
  }

  /** Ends the training after the batch that is running; the network keeps what it has learnt. */
  async stop() {
    if (!this.isBusy || this.state === 'stopping') return;
    this.#enter('stopping');
    this.#abort?.abort();
    await this.#running.catch(() => {}); // whoever started it is told
  }

  /** A new network. @param {Settings} settings */
  async reset(settings) {
    await this.stop();
    await this.#renew(settings);
  }

  /** @param {number} rate */
  async setRate(rate) {
    if (this.state !== 'training' && this.state !== 'paused') return;
    await this.#control.setLearningRate(rate);
    this.#compiled = JSON.stringify([...JSON.parse(this.#compiled).slice(0, 2), rate]);
  }
}
