/** Linear algebra and pictures, beside the WebAssembly. */
import { inOut, outOnly } from './heap.js';

/** @import { Engine } from './engine.js' */
/** @import { Elements } from './heap.js' */
/** @import { Floats } from './matrix.js' */
/**
 * A number; an array that is only read; or what the function writes to: an array that it also reads, or the number of elements of one that it
 * fills.
 * @typedef {number | Floats | { out: Floats | number }} AlgebraArgument
 */
/** The same for pictures, whose arrays differ in type. @typedef {number | Int32Array | Elements | { fill: keyof typeof Types, length: number }} ImageArgument */

const Types = { Uint8Array, Int32Array, Float32Array, Float64Array };

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
    return this.#call(`linalg_${name}`, type === 1 ? Float64Array : Float32Array, [type, ...args]);
  }

  /**
   * @param {string} name of a function hd_name whose arrays are of float64
   * @param {AlgebraArgument[]} args after the context
   * @returns {Floats[]} what it wrote to
   */
  float64(name, args) {
    return this.#call(name, Float64Array, args);
  }

  /** @param {string} name @param {Float32ArrayConstructor | Float64ArrayConstructor} Type of new arrays @param {AlgebraArgument[]} args */
  #call(name, Type, args) {
    const engine = this.#engine, written = /** @type {Floats[]} */ ([]);
    const passed = args.map(arg => {
      if (typeof arg === 'number' || ArrayBuffer.isView(arg)) return arg;
      const isNew = typeof arg.out === 'number', data = typeof arg.out === 'number' ? new Type(arg.out) : arg.out;
      written.push(data);
      return isNew ? outOnly(data) : inOut(data);
    });
    engine.work(() => engine.heap.call(`hd_${name}`, engine.context, ...passed));
    return written;
  }

  /**
   * @param {string} name of a function hd_image_name
   * @param {ImageArgument[]} args after the context
   * @returns {Elements[]} what it filled
   */
  image(name, args) {
    const engine = this.#engine, written = /** @type {Elements[]} */ ([]);
    const passed = args.map(arg => {
      if (typeof arg === 'number' || ArrayBuffer.isView(arg)) return arg;
      written.push(new Types[arg.fill](arg.length));
      return outOnly(written[written.length - 1]);
    });
    engine.work(() => engine.heap.call(`hd_image_${name}`, engine.context, ...passed));
    return written;
  }
}
