/** Linear algebra, beside the WebAssembly. */
import { inOut } from './heap.js';

/** @import { Engine } from './engine.js' */
/** @import { Floats } from './matrix.js' */

export class Algebra {
  #engine;

  /** @param {Engine} engine */
  constructor(engine) {
    this.#engine = engine;
  }

  /**
   * @param {string} name of a function hd_linalg_name
   * @param {0 | 1} type float32 or float64
   * @param {(number | Floats)[]} args after context and type
   * @param {number[]} outputs numbers of those that the function writes to
   * @returns {Floats[]} they
   */
  linalg(name, type, args, outputs) {
    const engine = this.#engine, passed = args.map((arg, i) => (outputs.includes(i) ? inOut(/** @type {Floats} */ (arg)) : arg));
    engine.work(() => engine.heap.call(`hd_linalg_${name}`, engine.context, type, ...passed));
    return outputs.map(i => /** @type {Floats} */ (args[i]));
  }
}
