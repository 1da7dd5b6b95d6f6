// Keeps the pictures of the network up to date: asks the engine for weights and outputs, at most one question at a time,
// and draws the answers in animation frames.
import { pixels } from '../mnist.js';
import { asInput } from './data.js';

/** @import { Model } from 'heddle' */
/** @import { Figures } from './figures.js' */

const still = matchMedia('(prefers-reduced-motion: reduce)');

export class Live {
  /** @type {Model | null} */
  #net = null;
  #digit = new Uint8Array(pixels);
  #wants = { weights: false, outputs: false };
  /** @type {Promise<void> | null} */
  #question = null;
  /** @type {(() => void) | null} draws an answer */
  #answer = null;
  #isHeld = false;
  #lastAsked = 0;
  /** The network is learning: ask again and again. */
  isLearning = false;

  /** @param {Figures} figures @param {{ onChances: (chances: Float32Array) => void, onError: (error: Error) => void }} hooks */
  constructor(figures, hooks) {
    this.figures = figures;
    this.hooks = hooks;
  }

  /** @param {Model} net */
  setNet(net) {
    this.#net = net;
    this.#answer = null;
    this.figures.build(net);
    this.refresh();
  }

  /** @param {Uint8Array | null} digit null: an empty drawing area */
  setDigit(digit) {
    this.#digit = digit ?? new Uint8Array(pixels);
    this.#wants.outputs = true;
  }

  refresh() {
    this.#wants = { weights: true, outputs: true };
  }

  /** For requestAnimationFrame. @param {number} now */
  frame(now) {
    const answer = this.#answer;
    this.#answer = null;
    answer?.();
    if (this.isLearning && now - this.#lastAsked > (still.matches ? 1500 : 200)) this.refresh();
    if (this.#question || this.#isHeld || !this.#net || !(this.#wants.weights || this.#wants.outputs)) return;
    this.#lastAsked = now;
    this.#question = this.#ask(this.#net).finally(() => { this.#question = null; });
  }

  /** @param {Model} net */
  async #ask(net) {
    const { weights: wantsWeights, outputs: wantsOutputs } = this.#wants, digit = this.#digit, { figures } = this;
    this.#wants = { weights: false, outputs: false };
    try {
      const [weights, outputs] = await Promise.all([
        wantsWeights ? net.getWeights() : null,
        wantsOutputs ? net.predict(asInput(digit), { output: figures.outputs }) : null,
      ]);
      if (net !== this.#net) return;
      this.#answer = () => {
        if (weights) figures.showWeights(weights);
        if (!outputs) return;
        figures.showOutputs(digit, outputs);
        this.hooks.onChances(outputs.at(-1).data);
      };
    } catch (error) {
      if (net === this.#net) this.hooks.onError(error);
    }
  }

  /** No questions from now on, until the returned function is called. @returns {Promise<() => void>} */
  async hold() {
    this.#isHeld = true;
    await this.#question;
    return () => {
      this.#isHeld = false;
      this.refresh();
    };
  }
}
