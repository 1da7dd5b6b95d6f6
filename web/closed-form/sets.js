// What models learn here: MNIST's digits, or a table, of which one column is to be predicted.
import { HeddleError } from 'heddle';
import { Mnist, pixels } from '../mnist.js';
import { Encoder, classesOf, textOf } from './encoder.js';

/** @typedef {import('heddle/files').CsvTable} CsvTable */
/** @typedef {{ x: { data: Uint8Array | Float32Array, shape: number[], scale?: number, offset?: number }, y: Uint8Array, rows: number }} Part */
/** @typedef {{ train: Part, test: Part }} Parts */

const mostBytes = 64 * 2 ** 20;

export class DigitSet {
  kind = 'digits';
  name = 'MNIST';
  classes = Array.from('0123456789');
  features = pixels;
  mnist = new Mnist();

  /** @param {Uint8Array} images */
  input(images) {
    return { data: images, shape: [images.length / pixels, pixels], scale: 1 / 255 };
  }

  /** @param {number} rows to train on @param {(part: number) => void} onLoading @returns {Promise<Parts>} */
  async load(rows, onLoading) {
    const parts = await Promise.all([this.mnist.train(rows, onLoading), this.mnist.test(rows)]);
    const [train, test] = parts.map(({ images, labels, rows: count }) => ({ x: this.input(images), y: labels, rows: count }));
    return { train, test };
  }

  toJSON() {
    return { kind: this.kind };
  }
}

/** An order without order, the same one each time: files come sorted. @param {number} count */
function mixed(count) {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1, state = 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0; // a linear congruence suffices
    const other = Math.floor(state / 2 ** 32 * (i + 1));
    [order[i], order[other]] = [order[other], order[i]];
  }
  return order;
}

/** Rows of a table: one sixth is held back to test. */
export class TableSet {
  kind = 'table';

  /** @param {string} name @param {CsvTable} table @param {string} [target] the last column unless told */
  constructor(name, table, target = table.names.at(-1)) {
    const answers = table.columns[table.names.indexOf(target)];
    const known = mixed(table.rows).filter((row) => textOf(answers[row]) !== ''), held = Math.max(1, Math.floor(known.length / 6));
    if (table.names.length < 2) throw new HeddleError('file', `${name} has one column: expected one to predict and others to predict it from.`);
    this.classes = classesOf(table, target);
    if (known.length < 12) throw new HeddleError('file', `${name} has ${known.length} rows that say their class: expected 12 or more.`);
    Object.assign(this, { name, table, target, tested: known.slice(0, held), trained: known.slice(held) });
    this.encoder = Encoder.of(table, target, this.trained);
    this.features = this.encoder.features;
    if (this.features > 4096) throw new HeddleError('file', `${name} makes ${this.features} inputs: this page takes up to 4,096.`);
    this.columns = this.encoder.names.map((column) => table.columns[table.names.indexOf(column)]);
    const wordPlaces = new Map(this.classes.map((word, i) => [word, i]));
    this.label = (row) => wordPlaces.get(textOf(answers[row]));
  }

  /** What was not used. */
  get unused() {
    return this.table.names.filter((name) => name !== this.target && !this.encoder.names.includes(name));
  }

  /** @param {number} row @returns {(number | string)[]} */
  fields(row) {
    return this.columns.map((column) => column[row]);
  }

  /** @param {number[]} rows @returns {Part} */
  #part(rows) {
    const { features } = this, data = new Float32Array(rows.length * features);
    rows.forEach((row, i) => this.encoder.encode(this.fields(row), data.subarray(i * features, (i + 1) * features)));
    return { x: { data, shape: [rows.length, features] }, y: Uint8Array.from(rows, this.label), rows: rows.length };
  }

  /** @param {number} rows to train on at most @returns {Promise<Parts>} */
  async load(rows) {
    return { train: this.#part(this.trained.slice(0, rows)), test: this.#part(this.tested.slice(0, 2 * rows)) };
  }

  toJSON() {
    return { kind: this.kind, name: this.name, encoder: this.encoder };
  }
}

/** What a table is to a model from a file: rows can be typed, but there are none to learn from. */
export class TypedSet {
  kind = 'table';

  /** @param {{ name: string, encoder: object }} about */
  constructor({ name, encoder }) {
    this.name = String(name);
    this.encoder = new Encoder(encoder ?? {});
    this.classes = this.encoder.classes;
    this.features = this.encoder.features;
  }
}

/** Two arms of a spiral, with noise: no line parts them. @returns {TableSet} */
export function spirals() {
  const rows = 1200, x = new Float64Array(rows), y = new Float64Array(rows), arm = Array(rows);
  for (let i = 0, state = 7; i < rows; i++) {
    const uniform = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
    const angle = 0.6 + 2.2 * Math.PI * Math.sqrt(uniform()), turn = (i % 3) * 2 * Math.PI / 3, radius = angle + 0.7 * (uniform() + uniform() - 1);
    x[i] = Number((radius * Math.cos(angle + turn)).toFixed(3));
    y[i] = Number((radius * Math.sin(angle + turn)).toFixed(3));
    arm[i] = ['red', 'green', 'blue'][i % 3];
  }
  return new TableSet('Spirals', { names: ['x', 'y', 'arm'], columns: [x, y, arm], rows });
}

/** @param {File} file @param {AbortSignal} signal @returns {Promise<TableSet>} */
export async function readTable(file, signal) {
  if (file.size > mostBytes) throw new HeddleError('file', `${file.name} has ${(file.size / 2 ** 20).toFixed(0)} MiB: this page takes up to 64.`);
  const worker = new Worker(new URL('csv_worker.js', import.meta.url), { type: 'module' });
  try {
    const { table, failure } = await new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      worker.addEventListener('message', ({ data }) => resolve(data));
      worker.addEventListener('error', () => reject(new HeddleError('crashed', `${file.name} can't be read: the reader did not start.`)));
      worker.postMessage(file);
    });
    if (failure) throw new HeddleError(failure.code, `${file.name} can't be used. ${failure.message}`);
    return new TableSet(file.name, table);
  } finally {
    worker.terminate();
  }
}
