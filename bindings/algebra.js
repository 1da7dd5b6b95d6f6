/** Linear algebra, beside the WebAssembly. */
import { inOut, outOnly } from './heap.js';

/** @import { Engine } from './engine.js' */
/** @import { Floats } from './matrix.js' */
/**
 * A number; an array that is only read; or what the function writes to: an array that it also reads, or the number of elements of one that it
 * fills.
 * @typedef {number | Floats | { out: Floats | number }} AlgebraArgument
 */

export class Algebra {
  #engine;

  /** @param {Engine} engine */
  constructor(engine) {
    this.#engine = engine;
  }

  /**
   * @param {string} name of a function hd_linalg_name
   * @param {0 | 1} type float32 or float64
   * @param {AlgebraArgument[]} args after context and type
   * @returns {Floats[]} what it wrote to
   */
  linalg(name, type, args) {
    const engine = this.#engine, Type = type === 1 ? Float64Array : Float32Array, written = /** @type {Floats[]} */ ([]);
    const passed = args.map(arg => {
      if (typeof arg === 'number' || ArrayBuffer.isView(arg)) return arg;
      const isNew = typeof arg.out === 'number', data = typeof arg.out === 'number' ? new Type(arg.out) : arg.out;
      written.push(data);
      return isNew ? outOnly(data) : inOut(data);
    });
    engine.work(() => engine.heap.call(`hd_linalg_${name}`, engine.context, type, ...passed));
    return written;
  }
}
