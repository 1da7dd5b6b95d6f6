import { HeddleError } from './errors.js';

/** @typedef {{ paused?: boolean, learningRate?: number }} Change */

/** Steers a running fit from outside: give it as `control` to fit or train. Made by `trainingControl()`. */
export class TrainingControl {
  #isPaused = false;
  /** @type {((change: Change) => Promise<void>) | null} */
  #send = null;

  /** Whether the fit is held, or will be after the batch that is running. */
  get isPaused() {
    return this.#isPaused;
  }

  /** Holds the fit after the batch that is running. A fit that begins while this is paused waits before its first batch. */
  async pause() {
    this.#isPaused = true;
    await this.#send?.({ paused: true });
  }

  /** Lets a held fit go on. */
  async resume() {
    this.#isPaused = false;
    await this.#send?.({ paused: false });
  }

  /**
   * Changes the optimiser's base learning rate, which a schedule multiplies, from the next batch on.
   * @param {number} learningRate above 0
   * @throws {HeddleError} `argument`, or `state` if no fit is running
   */
  async setLearningRate(learningRate) {
    if (!this.#send) throw new HeddleError('state', 'setLearningRate: no fit is running with this control');
    await this.#send({ learningRate });
  }

  /** For fit. @param {(change: Change) => Promise<void>} send @returns {Promise<void>} */
  async attach(send) {
    if (this.#send) throw new HeddleError('state', 'control: another fit is running with this control');
    this.#send = send;
    if (this.#isPaused) await send({ paused: true });
  }

  /** For fit. */
  detach() {
    this.#send = null;
  }
}

/** A control for one fit at a time. */
export const trainingControl = () => new TrainingControl();
