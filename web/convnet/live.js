// Keeps the pictures of the network up to date while it learns: asks the engine for weights, outputs and a small test, one
// question at a time, and draws the answers in animation frames.

/** @import { Model } from 'heddle' */
/** @import { Layers } from './layers.js' */
/** @import { Part, PictureSet } from './sets.js' */

const still = matchMedia('(prefers-reduced-motion: reduce)');
/** ms between two questions of a kind, at least. */
const pauses = { outputs: 250, weights: 1000, test: 5000 };

/** The test's share of the time: 1 part in so many. */
const testShare = 15;

export class Live {
  /** @type {Model | null} */
  #net = null;
  /** @type {PictureSet} */
  #set;
  /** One picture. @type {Uint8Array | null} */
  #picture = null;
  /** Some test pictures. @type {Part | null} */
  #part = null;
  /** When each kind is asked next; Infinity: never, unless it learns. */
  #due = { outputs: Infinity, weights: Infinity, test: Infinity };
  /** @type {Promise<void> | null} */
  #question = null;
  /** @type {(() => void) | null} draws an answer */
  #answer = null;
  #isHeld = false;
  #isLearning = false;
  /** Each asks the network and gives what draws the answer. */
  #asks = {
    outputs: async (net) => {
      const outputs = await net.predict(this.#set.input(this.#picture), { output: this.layers.outputs });
      return () => {
        this.layers.showOutputs(outputs);
        this.hooks.onChances(outputs.at(-1).data);
      };
    },
    weights: async (net) => {
      const { filters } = this.layers, weights = await net.getWeights();
      return () => filters.show(weights[filters.weight].data);
    },
    test: async (net) => {
      const part = this.#part, chances = await net.predict(this.#set.input(part.images), { batchSize: 100 });
      return () => this.hooks.onTest(chances, part);
    },
  };

  /** @param {Layers} layers
   * @param {{ onChances: (chances: Float32Array) => void, onTest: (chances: { data: Float32Array, shape: number[] }, part: Part) => void,
   *   onError: (error: Error) => void }} hooks */
  constructor(layers, hooks) {
    this.layers = layers;
    this.hooks = hooks;
  }

  /** @param {Model} net @param {PictureSet} set that it is for; its pictures come later */
  setNet(net, set) {
    if (set !== this.#set) this.#picture = this.#part = null;
    this.#net = net;
    this.#set = set;
    this.#answer = null;
    this.layers.build(net);
    this.refresh();
  }

  /** @param {Uint8Array} picture @param {Part} [part] to test on now and then */
  setPicture(picture, part = this.#part) {
    this.#picture = picture;
    this.#part = part;
    this.#due.outputs = 0;
  }

  refresh() {
    this.#due.outputs = this.#due.weights = 0;
  }

  /** A test now, or as soon as there is something to test on. */
  test() {
    this.#due.test = 0;
  }

  /** A larger test than these was made: no other one soon. */
  wasTested() {
    if (this.#isLearning) this.#due.test = performance.now() + pauses.test;
  }

  /** @param {boolean} is */
  set isLearning(is) {
    if (is && !this.#isLearning) this.#due.test = performance.now() + pauses.test;
    if (!is && this.#isLearning) this.#due.test = Infinity;
    this.#isLearning = is;
    this.refresh();
  }

  /** For requestAnimationFrame. @param {number} now */
  frame(now) {
    const answer = this.#answer;
    this.#answer = null;
    answer?.();
    if (this.#question || this.#isHeld || !this.#net) return;
    const can = { outputs: this.#picture, weights: this.layers.filters, test: this.#part };
    const kind = ['outputs', 'weights', 'test'].find((one) => can[one] && this.#due[one] <= now);
    if (kind) this.#question = this.#ask(kind, this.#net).finally(() => { this.#question = null; });
  }

  /** @param {'outputs' | 'weights' | 'test'} kind @param {Model} net */
  async #ask(kind, net) {
    const begin = performance.now();
    this.#due[kind] = Infinity;
    try {
      const answer = await this.#asks[kind](net), end = performance.now();
      if (net !== this.#net) return;
      this.#answer = answer;
      const pause = Math.max(pauses[kind] * (still.matches ? 6 : 1), kind === 'test' ? testShare * (end - begin) : 0);
      if (this.#isLearning) this.#due[kind] = Math.min(this.#due[kind], end + pause);
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
