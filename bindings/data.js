/** Turns what users have - nested arrays, typed arrays, `{ data, shape }` - into columns of rows for the engine. */
import { HeddleError, checkLength, checkOptions, kindOf, suggest } from './errors.js';

/** @import { Column, Table } from './engine.js' */
/** @typedef {Int8Array | Uint8Array | Uint8ClampedArray | Int16Array | Uint16Array | Int32Array | Uint32Array | Float32Array
 *   | Float64Array | BigInt64Array | BigUint64Array} TypedArray of numbers, which the engine computes with as float32; bytes stay bytes */
/** @typedef {readonly (number | boolean | TypedArray | NestedArray)[]} NestedArray arrays in arrays, all of a level of one length */
/**
 * An array with its shape. An element's value is data * scale + offset, which is for whole-number pixels: a Uint8Array stays one byte an element
 * in the engine's memory.
 * @typedef {object} ArrayWithShape
 * @property {TypedArray | readonly number[]} data all elements, row by row, the last axis running fastest
 * @property {readonly number[]} shape rows first: [rows, ...shape of one sample]; its product is the length of data
 * @property {number} [scale] factor on each element, finite; 1 unless told
 * @property {number} [offset] added to each after that, finite; 0 unless told
 */
/**
 * Rows of samples: a nested array [row][...]; an array of typed arrays; a flat typed array, whose length must be rows times
 * the elements of a sample; or an array with its shape.
 * @typedef {NestedArray | TypedArray | ArrayWithShape} ArrayLike2
 */
/** One array for each input or output, in their order or by name; for a single one the array itself.
 * @typedef {ArrayLike2 | readonly (ArrayLike2 | null)[] | { readonly [name: string]: ArrayLike2 }} Arrays */
/** What a column must look like. @typedef {{ name: string, index: number, shape: number[] }} Slot shape of one row */

/** @param {readonly number[]} shape */
const count = shape => shape.reduce((product, n) => product * n, 1);
/** @param {readonly number[]} shape */
const withoutOnes = shape => shape.filter(n => n !== 1).join();
/** @param {unknown} value @returns {value is TypedArray} */
const isTyped = value => ArrayBuffer.isView(value) && !(value instanceof DataView);
/** @param {unknown} value @returns {value is ArrayWithShape} */
const hasShape = value => typeof value === 'object' && value !== null && 'data' in value && 'shape' in value;

/** Rows of the highest rank there is are 7 deep. */
const mostNested = 16;

/** @param {NestedArray} value @param {string} where @returns {number[]} */
function nestedShape(value, where) {
  const shape = [];
  /** @type {unknown} */
  let level = value;
  for (; Array.isArray(level) || isTyped(level); level = level[0]) {
    if (shape.length === mostNested) throw new HeddleError('shape', `${where}: arrays more than ${mostNested} deep; one may hold itself`);
    if (level.length === 0) throw new HeddleError('shape', `${where}: an array of length 0 at depth ${shape.length}`);
    shape.push(level.length);
  }
  return shape;
}

/** @param {number} length @param {string} where */
function floats(length, where) {
  try {
    return new Float32Array(length);
  } catch (cause) {
    throw new HeddleError('memory', `${where}: no memory for ${length} numbers`, { cause });
  }
}

/** @param {unknown} root @param {number[]} shape @param {string} where @returns {Float32Array} */
function flatten(root, shape, where) {
  const out = floats(count(shape), where);
  /** @type {number[]} */
  const index = [];
  let at = 0;
  const path = () => where + index.map(i => `[${i}]`).join('');
  /** @param {unknown} value @param {number} depth */
  const visit = (value, depth) => {
    if (typeof value === 'number') {
      if (depth !== shape.length) throw new HeddleError('shape', `${path()}: expected an array of length ${shape[depth]}, got a number`);
      out[at++] = value;
    } else if (Array.isArray(value) || isTyped(value)) {
      const wanted = shape[depth] ?? 'a number';
      if (value.length !== wanted) throw new HeddleError('shape', `${path()}: has length ${value.length}, expected ${wanted} as before`);
      for (let i = 0; i < value.length; i++) {
        index[depth] = i;
        visit(value[i], depth + 1);
      }
      index.length = depth;
    } else if (depth === shape.length && (typeof value === 'boolean' || typeof value === 'bigint')) {
      out[at++] = Number(value);
    } else {
      throw new HeddleError('argument', `${path()}: expected a number, got ${kindOf(value)}`);
    }
  };
  visit(root, 0);
  return out;
}

/** The values as the engine stores them: bytes stay bytes. @param {TypedArray | readonly number[]} data @param {string} where
 * @returns {{ data: Float32Array | Uint8Array, owned: boolean }} */
function stored(data, where) {
  checkLength(data, where);
  if (data instanceof Float32Array || data instanceof Uint8Array) return { data, owned: false };
  if (data instanceof Uint8ClampedArray) {
    return { data: new Uint8Array(data.buffer, data.byteOffset, data.length), owned: false };
  }
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return { data: Float32Array.from(data, Number), owned: true };
  if (isTyped(data)) return { data: new Float32Array(data), owned: true };
  return { data: flatten(data, [data.length], where), owned: true };
}

/** @param {number | undefined} value @param {number} fallback @param {string} where */
function finite(value, fallback, where) {
  if (value === undefined) return fallback;
  if (!Number.isFinite(value)) throw new HeddleError('argument', `${where} = ${String(value)}, expected a finite number`);
  return value;
}

/**
 * @param {unknown} value
 * @param {number} size elements of a row, for a flat array
 * @param {string} where
 * @returns {{ data: Float32Array | Uint8Array, owned: boolean, shape: number[] | null, scale: number, offset: number }}
 *   shape: null if a flat array came without one
 */
export function readArray(value, size, where) {
  if (hasShape(value)) {
    checkOptions(value, ['data', 'shape', 'scale', 'offset', 'dtype', 'name'], where);
    const { data, shape } = value;
    if (!Array.isArray(data) && !isTyped(data)) {
      throw new HeddleError('argument', `${where}: data must be a typed array or an array of numbers, got ${kindOf(data)}`);
    }
    if (!Array.isArray(shape) || !shape.every(n => Number.isSafeInteger(n) && n >= 0)) {
      throw new HeddleError('shape', `${where}: shape must be an array of whole numbers, got ${JSON.stringify(shape)}`);
    }
    if (data.length !== count(shape)) {
      throw new HeddleError('shape', `${where}: shape [${shape}] holds ${count(shape)} elements, data has ${data.length}`);
    }
    const scale = finite(value.scale, 1, `${where}: scale`), offset = finite(value.offset, 0, `${where}: offset`);
    return { ...stored(data, where), shape, scale, offset };
  }
  if (isTyped(value)) {
    if (value.length % size !== 0) {
      throw new HeddleError('shape', `${where}: a flat array of length ${value.length} is no whole number of rows of ${size} elements`);
    }
    return { ...stored(value, where), shape: null, scale: 1, offset: 0 };
  }
  if (Array.isArray(value)) {
    const shape = nestedShape(value, where);
    return { data: flatten(value, shape, where), owned: true, shape, scale: 1, offset: 0 };
  }
  throw new HeddleError('argument', `${where}: expected an array, a typed array or { data, shape }, got ${kindOf(value)}`);
}

/**
 * @param {unknown} value
 * @param {Slot} slot
 * @param {Column['role']} role
 * @param {string} where
 * @returns {{ rows: number, column: Column }}
 */
function toColumn(value, slot, role, where) {
  const size = count(slot.shape), { data, owned, shape, scale, offset } = readArray(value, size, where);
  if (shape && (shape.length === 0 || withoutOnes(shape.slice(1)) !== withoutOnes(slot.shape))) {
    throw new HeddleError('shape', `${where}: shape [${shape.join(', ')}] does not fit, expected [${['rows', ...slot.shape].join(', ')}]`);
  }
  const rows = data.length / size;
  if (rows === 0) throw new HeddleError('shape', `${where}: no rows`);
  return { rows, column: { role, index: slot.index, data, size, scale, offset, owned } };
}

/**
 * Gives each slot its array.
 * @param {unknown} value
 * @param {readonly Slot[]} slots
 * @param {string} where
 * @returns {[Slot, unknown, string][]}
 */
function assign(value, slots, where) {
  const names = slots.map(({ name }) => name);
  const byName = typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value) && !hasShape(value);
  if (byName) {
    checkOptions(value, names, where);
    for (const name of names) if (!(name in value)) throw new HeddleError('argument', `${where}: "${name}" is missing`);
    return slots.map(slot => [slot, /** @type {Record<string, unknown>} */ (value)[slot.name], `${where}.${slot.name}`]);
  }
  if (slots.length === 1) return [[slots[0], value, where]];
  if (!Array.isArray(value) || value.length !== slots.length) {
    const got = Array.isArray(value) ? `an array of ${value.length}` : kindOf(value);
    throw new HeddleError('argument', `${where}: expected an array or object of ${slots.length} arrays, for ${names.join(', ')}; got ${got}`);
  }
  return slots.map((slot, i) => [slot, value[i], `${where}[${i}] (${slot.name})`]);
}

/**
 * Columns for inputs or targets.
 * @param {unknown} value Arrays
 * @param {readonly Slot[]} slots
 * @param {'input' | 'target'} role
 * @param {string} where "x" or "y", for messages
 * @returns {Table}
 */
export function readTable(value, slots, role, where) {
  if (value === undefined || value === null) throw new HeddleError('argument', `${where}: expected data, got ${kindOf(value)}`);
  const parts = assign(value, slots, where).map(([slot, array, path]) => ({ path, ...toColumn(array, slot, role, path) }));
  const [first] = parts;
  for (const { path, rows } of parts) {
    if (rows !== first.rows) throw new HeddleError('shape', `${path} has ${rows} rows, ${first.path} has ${first.rows}`);
  }
  return { rows: first.rows, columns: parts.map(({ column }) => column) };
}

/** @param {Table} x @param {Table} y @returns {Table} */
export function joinTables(x, y) {
  if (x.rows !== y.rows) throw new HeddleError('shape', `x has ${x.rows} rows, y has ${y.rows}`);
  return { rows: x.rows, columns: [...x.columns, ...y.columns] };
}

/**
 * Sample weights as a column: the given ones, times the weight of each row's class.
 * @param {Table} table inputs and targets
 * @param {unknown} sampleWeight ArrayLike2 of one number a row, or undefined
 * @param {Map<number, number> | null} classWeight
 * @param {number} classRows only the first rows count for class weights: the others are for validation
 * @returns {Table} with the column, or as it is if there are no weights
 */
export function addWeights(table, sampleWeight, classWeight, classRows = table.rows) {
  if (sampleWeight === undefined && !classWeight) return table;
  const { rows } = table, weights = new Float32Array(rows).fill(1);
  if (sampleWeight !== undefined) {
    const slot = { name: 'sampleWeight', index: 0, shape: [1] };
    const given = toColumn(sampleWeight, slot, 'weight', 'sampleWeight');
    if (given.rows !== rows) throw new HeddleError('shape', `sampleWeight has ${given.rows} rows, x has ${rows}`);
    const { data, scale, offset } = given.column;
    for (let i = 0; i < rows; i++) weights[i] = data[i] * scale + offset;
    const bad = weights.findIndex(w => !(w >= 0 && w < Infinity));
    if (bad >= 0) throw new HeddleError('argument', `sampleWeight[${bad}] = ${weights[bad]}, expected a finite number >= 0`);
  }
  if (classWeight) {
    const labels = classLabels(table);
    for (let i = 0; i < classRows; i++) weights[i] *= classWeight.get(labels(i)) ?? 1;
  }
  const column = { role: /** @type {const} */ ('weight'), index: 0, data: weights, size: 1, scale: 1, offset: 0, owned: true };
  return { rows, columns: [...table.columns, column] };
}

/** The class of each row: an integer label, or the place of the largest of a one-hot row. @param {Table} table
 * @returns {(row: number) => number} */
function classLabels({ columns }) {
  const targets = columns.filter(({ role }) => role === 'target');
  if (targets.length !== 1) {
    throw new HeddleError('unsupported', `classWeight: the model has ${targets.length} targets, it works with one; use sampleWeight`);
  }
  const [{ data, size, scale, offset }] = targets;
  if (size === 1) return row => data[row] * scale + offset;
  return row => {
    let best = 0;
    for (let k = 1; k < size; k++) if (data[row * size + k] > data[row * size + best]) best = k;
    return best;
  };
}

/**
 * @param {unknown} given { label: weight }
 * @param {number} classes
 * @returns {Map<number, number> | null}
 */
export function readClassWeight(given, classes) {
  if (given === undefined) return null;
  if (given === null || typeof given !== 'object' || Array.isArray(given)) {
    throw new HeddleError('argument', `classWeight: expected an object such as { 0: 1, 1: 5 }, got ${kindOf(given)}`);
  }
  return new Map(Object.entries(given).map(([key, weight]) => {
    const label = Number(key);
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw new HeddleError('argument', `classWeight: "${key}" is no class, expected whole numbers from 0 to ${classes - 1}`);
    }
    if (typeof weight !== 'number' || !(weight >= 0 && weight < Infinity)) {
      throw new HeddleError('argument', `classWeight: weight of class ${key} = ${String(weight)}, expected a finite number >= 0`);
    }
    return [label, weight];
  }));
}

/**
 * Makes a table ready to be sent: what nobody else uses is given away, the rest copied out of its (perhaps larger) buffer.
 * @param {Table} table
 * @param {boolean} copies the engine is in another thread
 * @returns {{ table: Table, transfer: ArrayBuffer[] }}
 */
export function packed(table, copies) {
  if (!copies) return { table, transfer: [] };
  const columns = table.columns.map(column => (column.owned ? column : { ...column, data: column.data.slice(), owned: true }));
  return { table: { rows: table.rows, columns }, transfer: columns.map(({ data }) => /** @type {ArrayBuffer} */ (data.buffer)) };
}

/** Unknown names among the keys of a map of weights, and missing ones. @param {string[]} given @param {string[]} known
 * @param {boolean} partial @param {string} where */
export function checkNames(given, known, partial, where) {
  for (const name of given) {
    if (!known.includes(name)) throw new HeddleError('argument', `${where}: unknown name "${name}"${suggest(name, known)}`);
  }
  for (const name of known) {
    if (!partial && !given.includes(name)) throw new HeddleError('argument', `${where}: "${name}" is missing`);
  }
}
