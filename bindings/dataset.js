/** Data that stay in the engine, to be used by many calls without being copied again. */
import { packed } from './data.js';
import { HeddleError } from './errors.js';

/** @import { Column, Table } from './engine.js' */
/** @import { Client } from './rpc.js' */

/** @typedef {{ client: Client, id: number }} Place */

/** @param {Place} place */
function free({ client, id }) {
  client.notify('freeData', [id]);
}

const dropped = new FinalizationRegistry(free);

/** Rows that live in the engine; made by `model.dataset(x, y)`, for that model and others with the same inputs and targets. */
export class Dataset {
  #place;
  #isDisposed = false;

  /** @param {Place} place @param {Table} table what was sent */
  constructor(place, { rows, columns }) {
    this.#place = place;
    /** How many. @readonly */
    this.rows = rows;
    /** Has targets. @readonly */
    this.hasTargets = columns.some(({ role }) => role === 'target');
    /** Elements that a row has for each input and target. @readonly */
    this.sizes = Object.freeze(columns.map(({ role, index, size }) => `${role} ${index}: ${size}`));
    dropped.register(this, place, this);
  }

  /** @param {Client} client @param {Table} table */
  static async create(client, table) {
    const { table: sent, transfer } = packed(table, client.inWorker);
    return new Dataset({ client, id: await client.call('addData', [sent], { transfer }) }, table);
  }

  /**
   * Data whose first input is what a node of a model gives for the rows of these.
   * @internal
   * @param {Place} model
   * @param {number} node of it
   * @param {number} size elements that it gives a row
   * @param {Column[]} columns beside it
   * @param {{ batchSize: number, signal?: AbortSignal }} options
   */
  async mapped({ client, id }, node, size, columns, { batchSize, signal }) {
    const { rows } = this, { table, transfer } = packed({ rows, columns }, client.inWorker), source = this.idFor(client);
    const made = await client.call('mapData', [id, source, { node, batchSize, columns: table.columns }], { signal, transfer });
    const input = { role: /** @type {const} */ ('input'), index: 0, data: new Float32Array(0), size, scale: 1, offset: 0, owned: true };
    return new Dataset({ client, id: made }, { rows, columns: [input, ...columns] });
  }

  /** @param {Client} client @returns {number} */
  idFor(client) {
    if (this.#isDisposed) throw new HeddleError('state', 'the data set has been disposed of');
    if (this.#place.client !== client) throw new HeddleError('state', 'the data set went with its engine, which has ended: make it anew');
    return this.#place.id;
  }

  /** Frees the engine's memory. More calls do nothing. */
  dispose() {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    dropped.unregister(this);
    free(this.#place);
  }
}
