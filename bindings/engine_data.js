/** Data in the engine's memory: tables that stay there, and those of one call. */
import { HeddleError } from './errors.js';

/** @import { Engine, Source, Table } from './engine.js' */
/** @typedef {{ handle: number, rows: number, bytes: number }} Held */

const roles = { input: 0, target: 1, weight: 2 };

export class EngineData {
  #engine;
  /** @type {Map<number, Held>} */
  #tables = new Map();
  /** Of all data that are there. */
  bytes = 0;

  /** @param {Engine} engine */
  constructor(engine) {
    this.#engine = engine;
  }

  /** @param {Table} table @returns {Held} */
  make({ rows, columns }) {
    const engine = this.#engine, { heap } = engine;
    const handle = engine.made(heap.call('hd_data_new', engine.context, rows));
    try {
      for (const { role, index, data, size, scale, offset } of columns) {
        if (data.length !== rows * size) throw new HeddleError('shape', `data: ${data.length} elements, expected ${rows} rows of ${size}`);
        const type = data instanceof Uint8Array ? 1 : 0;
        if (!heap.fill(data, 'hd_data_column', handle, roles[role], index, type, size, scale, offset)) engine.fail();
      }
      engine.check(heap.call('hd_data_check', handle));
    } catch (error) {
      heap.call('hd_data_free', handle);
      throw error;
    }
    const bytes = columns.reduce((sum, { data }) => sum + data.byteLength, 0);
    this.bytes += bytes;
    return { handle, rows, bytes };
  }

  /** Adds an input of floats that C is to write. @param {Held} held @param {number} size elements a row @returns {number} where it is */
  addInput(held, size) {
    const engine = this.#engine, at = engine.made(engine.heap.call('hd_data_column', held.handle, roles.input, 0, 0, size, 1, 0));
    const bytes = Float32Array.BYTES_PER_ELEMENT * held.rows * size;
    held.bytes += bytes;
    this.bytes += bytes;
    return at;
  }

  /** @param {Held} held */
  free({ handle, bytes }) {
    this.bytes -= bytes;
    this.#engine.heap.call('hd_data_free', handle);
  }

  /** @param {Held} held @returns {number} id */
  keep(held) {
    const id = this.#engine.nextId();
    this.#tables.set(id, held);
    return id;
  }

  /** @param {Table} table @returns {number} id */
  addData(table) {
    return this.keep(this.make(table));
  }

  /** @param {number} id */
  freeData(id) {
    const held = this.#tables.get(id);
    this.#tables.delete(id);
    if (held) this.free(held);
  }

  /** Data for one use: what is made here is freed by `release`. @param {Source} source */
  open(source) {
    if (typeof source === 'object') {
      const held = this.make(source);
      return { ...held, release: () => this.free(held) };
    }
    const held = this.#tables.get(source);
    if (!held) throw new HeddleError('state', 'the data set has been disposed of');
    return { ...held, release: () => {} };
  }
}
