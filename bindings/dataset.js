/** Data that stay in the engine, to be used by many calls without being copied again. */
import { packed } from './data.js';
import { HeddleError } from './errors.js';

/** @import { Table } from './engine.js' */
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
    /** @readonly */
    this.rows = rows;
    /** Has targets. @readonly */
    this.hasTargets = columns.some(({ role }) => role === 'target');
    /** @readonly */
    this.sizes = Object.freeze(columns.map(({ role, index, size }) => `${role} ${index}: ${size}`));
    dropped.register(this, place, this);
  }

  /** @param {Client} client @param {Table} table */
  static async create(client, table) {
    const { table: sent, transfer } = packed(table, client.inWorker);
    return new Dataset({ client, id: await client.call('addData', [sent], { transfer }) }, table);
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
