/** Rows on their way through a network that grows. */
import { joinTables, readTable } from '../data.js';
import { Dataset } from '../dataset.js';
import { coreOf } from '../model.js';
import { connect } from '../session.js';
import { sizeOf } from './samples.js';
import { assemble } from './stages.js';

/** @import { Column } from '../engine.js' */
/** @import { Gram } from '../gram.js' */
/** @import { Model } from '../model.js' */
/** @import { TrainingData } from './samples.js' */
/** @import { Stage } from './stages.js' */
/** Rows in the engine, and their targets. @typedef {{ rows: Dataset, targets: Column[] }} Part */
/** Rows that several flows begin with; shape: of a row; users: how many. @typedef {{ parts: Part[], shape: number[], users: number }} Base */

/** Rows computed at a time. */
const batchSize = 1024;

/**
 * Features of all rows - those that are learned from, then those of validation - after some stages. They are in the engine, where they
 * were computed once, while those of two layers fit the limit; else they are computed from the last ones that do, whenever they are needed.
 */
export class Flow {
  #base;
  #pending;
  #limit;
  #isDisposed = false;
  /** Network of the pending stages. @type {Model | null} */
  #model = null;

  /** @param {Base} base @param {Stage[]} pending stages after its rows @param {number} limit bytes */
  constructor(base, pending, limit) {
    this.#base = base;
    this.#pending = pending;
    this.#limit = limit;
    base.users++;
  }

  /**
   * @param {readonly TrainingData[]} all
   * @param {Stage} stage first
   * @param {number} limit bytes for features
   */
  static async open(all, stage, limit) {
    const client = await connect(), [{ shape }] = all;
    /** @type {Part[]} */
    const parts = [];
    for (const { x, y } of all) {
      const inputs = readTable(x, [{ name: 'x', index: 0, shape }], 'input', 'x');
      const targets = readTable(y, [{ name: 'y', index: 0, shape: y.shape.length > 1 ? y.shape.slice(1) : [1] }], 'target', 'y');
      parts.push({ rows: await Dataset.create(client, joinTables(inputs, targets)), targets: targets.columns });
    }
    return new Flow({ parts, shape, users: 0 }, [stage], limit);
  }

  /** The features are held, and not computed anew. */
  get isHeld() {
    return this.#pending.length === 0;
  }

  /** Features after one more stage. @param {Stage} stage @param {{ signal?: AbortSignal }} options @returns {Promise<Flow>} */
  async through(stage, { signal }) {
    const { parts: old, shape } = this.#base, pending = [...this.#pending, stage], count = old.reduce((sum, { rows }) => sum + rows.rows, 0);
    if (4 * count * (sizeOf(shape) + stage.size) > this.#limit) return new Flow(this.#base, pending, this.#limit);
    const net = await assemble(shape, pending);
    /** @type {Part[]} */
    const parts = [];
    try {
      const core = coreOf(net, 'features'), place = await core.open(), [node] = core.facts.outputs;
      for (const { rows, targets } of old) {
        parts.push({ rows: await rows.mapped(place, node, stage.size, targets, { batchSize, signal }), targets });
      }
      return new Flow({ parts, shape: [stage.size], users: 0 }, [], this.#limit);
    } catch (error) {
      for (const { rows } of parts) rows.dispose();
      throw error;
    } finally {
      net.dispose();
    }
  }

  /** Adds the rows that are learned from to sums. @param {Gram} gram @param {{ signal?: AbortSignal }} options */
  async addTo(gram, { signal }) {
    const { parts: [{ rows }], shape } = this.#base;
    if (!this.isHeld) this.#model ??= await assemble(shape, this.#pending);
    await gram.add(rows, undefined, { batchSize, signal, ...this.#model && { model: this.#model } });
  }

  /** What a stage gives on top of the features. @param {Stage} head @param {{ signal?: AbortSignal }} options
   * @returns {Promise<Float32Array[]>} for each part */
  async outputs(head, { signal }) {
    const { parts, shape } = this.#base, net = await assemble(shape, [...this.#pending, head]), all = [];
    try {
      for (const { rows } of parts) all.push((await net.predict(rows, { batchSize, signal })).data);
      return all;
    } finally {
      net.dispose();
    }
  }

  /** Frees what no other flow uses. More calls do nothing. */
  dispose() {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#model?.dispose();
    if (--this.#base.users === 0) for (const { rows } of this.#base.parts) rows.dispose();
  }
}
