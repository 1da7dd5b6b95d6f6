/** The only file that knows pointers: passes values into the engine's memory and copies results out of it. */
import { HeddleError } from './errors.js';

/**
 * An instance of an engine as Emscripten's factory gives it: C functions as `_name`, and its memory.
 * @typedef {{ wasmMemory: WebAssembly.Memory, PThread?: { terminateAllThreads: () => void } } & Record<string, (...args: number[]) => number>} EngineModule
 */
/** A number or handle as it is; a string as UTF-8 with a final zero; an array as a pointer to a copy of it, which `inOut` gets back.
 * @typedef {number | string | Int32Array | Elements | InOut} Argument */

/** @typedef {Uint8Array | Int32Array | Float32Array | Float64Array} Elements */

/** An array that a function changes. */
class InOut {
  /** @param {Elements} data @param {boolean} isRead before it is changed */
  constructor(data, isRead) {
    this.data = data;
    this.isRead = isRead;
  }
}
/** @param {Elements} data to be read and written to by the function it is given to */
export const inOut = data => new InOut(data, true);
/** @param {Elements} data to be filled by the function it is given to */
export const outOnly = data => new InOut(data, false);

const maxRank = 6;

/**
 * Calls C functions by name. Handles (what a constructor returned) are opaque numbers for the callers.
 *
 * Views of the memory are made on every use from the memory's current buffer: growth detaches old ones, or, if the
 * memory is shared, leaves them with the old length.
 */
export class Heap {
  #module;
  /** hd_context that arguments and results are counted in; Engine sets it. */
  context = 0;

  /** @param {EngineModule} module */
  constructor(module) {
    this.#module = module;
  }

  /** Ends the engine's threads; every call from now on throws. Only for an engine in its caller's thread: a worker just ends. */
  end() {
    this.#module.PThread?.terminateAllThreads();
    this.#module = new Proxy(/** @type {EngineModule} */ ({}), { get: () => { throw new HeddleError('state', 'this engine has ended'); } });
  }

  /** Size of the whole memory in bytes. */
  get bytes() {
    return this.#module.wasmMemory.buffer.byteLength;
  }

  /**
   * @param {string} name of a function of heddle.h
   * @param {Argument[]} args
   * @returns {number} what it returns: a number, a status or a handle (0 for NULL)
   */
  call(name, ...args) {
    const fn = this.#module[`_${name}`];
    if (args.every(arg => typeof arg === 'number')) return fn(.../** @type {number[]} */ (args));
    /** @type {number[]} */
    const owned = [];
    try {
      const passed = args.map(arg => (typeof arg === 'number' ? arg : this.#copyIn(arg, owned)));
      const result = fn(...passed);
      args.forEach((arg, i) => {
        if (arg instanceof InOut) arg.data.set(this.#view(arg.data, passed[i]));
      });
      return result;
    } finally {
      for (const pointer of owned) this.#free(pointer);
    }
  }

  /** The string that a function returns. @param {string} name @param {Argument[]} args */
  text(name, ...args) {
    const begin = this.call(name, ...args) >>> 0;
    const bytes = new Uint8Array(this.#module.wasmMemory.buffer);
    return new TextDecoder().decode(bytes.slice(begin, bytes.indexOf(0, begin))); // sliced: no views on shared memory
  }

  /** The shape that a function writes to its last argument while it returns the rank.
   * @param {string} name @param {Argument[]} args @returns {number[]} */
  shape(name, ...args) {
    return this.list(Int32Array, maxRank, name, ...args);
  }

  /**
   * The numbers that a function writes to its last argument while it returns how many they are.
   * @param {Int32ArrayConstructor | Float64ArrayConstructor} Type
   * @param {number} most
   * @param {string} name
   * @param {Argument[]} args
   * @returns {number[]}
   */
  list(Type, most, name, ...args) {
    return this.#withOutput(Type.BYTES_PER_ELEMENT * most, at => {
      const length = this.call(name, ...args, at);
      return [...new Type(this.#module.wasmMemory.buffer, at >>> 0, length)];
    });
  }

  /** The number that a function writes to its last argument, and what it returned.
   * @param {string} name @param {Argument[]} args */
  number(name, ...args) {
    return this.#withOutput(8, at => {
      const status = this.call(name, ...args, at);
      return { status, value: new Float64Array(this.#module.wasmMemory.buffer, at >>> 0, 1)[0] };
    });
  }

  /**
   * The floats that a function writes to its last argument, for one array after the other, and the status it returned.
   * @param {Float32Array[]} outs plain arrays to be filled
   * @param {string} name
   * @param {Argument[]} args
   */
  outputs(outs, name, ...args) {
    return this.#withOutput(outs.reduce((sum, { byteLength }) => sum + byteLength, 0), at => {
      const status = this.call(name, ...args, at);
      let from = at >>> 0;
      for (const out of status === 0 ? outs : []) {
        out.set(this.#view(out, from));
        from += out.byteLength;
      }
      return status;
    });
  }

  /** The engine's memory at a pointer, as long and of the same type as an array. @template {Elements} T
   * @param {T} like @param {number} at @returns {T} */
  #view(like, at) {
    const Type = /** @type {new (buffer: ArrayBufferLike, at: number, length: number) => T} */ (like.constructor);
    return new Type(this.#module.wasmMemory.buffer, at >>> 0, like.length);
  }

  /**
   * Fills the array that a function returns.
   * @param {Elements} data
   * @param {string} name
   * @param {Argument[]} args
   * @returns {boolean} false if the function returned NULL
   */
  fill(data, name, ...args) {
    const at = this.call(name, ...args);
    if (at === 0) return false;
    this.#view(data, at).set(data);
    return true;
  }

  /**
   * A copy of the floats that a function returns.
   * @param {number} length
   * @param {string} name
   * @param {Argument[]} args
   * @returns {Float32Array<ArrayBuffer> | null} null if the function returned NULL
   */
  floats(length, name, ...args) {
    const at = this.call(name, ...args) >>> 0;
    if (at === 0) return null;
    return new Float32Array(new Float32Array(this.#module.wasmMemory.buffer, at, length));
  }

  /** A copy of the doubles that a function returns. @param {number} length @param {string} name @param {Argument[]} args */
  doubles(length, name, ...args) {
    const out = new Float64Array(length);
    out.set(this.#view(out, this.call(name, ...args)));
    return out;
  }

  /** Where element `i` is in an array of floats that a function returned: for functions that write to it. @param {number} at @param {number} i */
  element(at, i) {
    return at + i * Float32Array.BYTES_PER_ELEMENT;
  }

  /** @param {Exclude<Argument, number>} value @param {number[]} owned receives the pointer */
  #copyIn(value, owned) {
    const given = value instanceof InOut ? value.data : value, data = typeof given === 'string' ? new TextEncoder().encode(`${given}\0`) : given;
    const at = this.#allocate(data.byteLength);
    owned.push(at);
    if (value instanceof InOut && !value.isRead) return at;
    new Uint8Array(this.#module.wasmMemory.buffer, at >>> 0, data.byteLength)
      .set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return at;
  }

  /** @template T @param {number} bytes @param {(at: number) => T} use */
  #withOutput(bytes, use) {
    const at = this.#allocate(bytes);
    try {
      return use(at);
    } finally {
      this.#free(at);
    }
  }

  /** @param {number} bytes */
  #allocate(bytes) {
    const at = this.#module._hd_buffer_new(this.context, bytes);
    if (at === 0) throw new HeddleError('memory', this.text('hd_error', this.context));
    return at;
  }

  /** @param {number} at */
  #free(at) {
    this.#module._hd_buffer_free(this.context, at);
  }
}
