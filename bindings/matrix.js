/** What users have as matrices - `{ data, shape }` or nested arrays - made ready for a call of linear algebra, and that call. */
import { HeddleError, checkLength, kindOf } from './errors.js';
import { connect } from './session.js';

/** @typedef {Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>} Floats what linear algebra returns: of the precision that it computed in */
/**
 * Row by row. All matrices of a call as Float32Array: it computes in float32 and returns Float32Array; otherwise, whatever they are, float64.
 * @typedef {{ data: ArrayLike<number>, shape: readonly number[] } | readonly (readonly number[] | Float32Array | Float64Array)[]} MatrixLike
 */
/** As a right side: one column. @typedef {MatrixLike | readonly number[] | Float32Array | Float64Array} VectorLike */
/**
 * @typedef {object} Matrix
 * @property {Floats} data all elements, row by row; a Float32Array if all matrices of the call were given as such, else a Float64Array
 * @property {[number, number]} shape [rows, columns]
 */
/** @typedef {{ data: ArrayLike<number>, rows: number, cols: number }} Given */

/** @param {unknown} value @returns {value is ArrayLike<number>} */
const isList = value => Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));

/** @param {ArrayLike<unknown>} list @param {string} where @returns {ArrayLike<number>} */
function numbers(list, where) {
  if (list instanceof BigInt64Array || list instanceof BigUint64Array) throw new HeddleError('argument', `${where}: expected numbers, got ${kindOf(list)}`);
  checkLength(list, where);
  if (ArrayBuffer.isView(list)) return /** @type {ArrayLike<number>} */ (list);
  for (let i = 0; i < list.length; i++) {
    if (typeof list[i] !== 'number') throw new HeddleError('argument', `${where}[${i}]: expected a number, got ${kindOf(list[i])}`);
  }
  return /** @type {ArrayLike<number>} */ (list);
}

/** @param {readonly unknown[]} rows @param {string} where @returns {Given} */
function fromRows(rows, where) {
  const first = rows[0], cols = isList(first) ? first.length : 0, data = new Float64Array(rows.length * cols);
  rows.forEach((row, i) => {
    if (!isList(row)) throw new HeddleError('argument', `${where}[${i}]: expected a row of numbers, got ${kindOf(row)}`);
    if (row.length !== cols) throw new HeddleError('shape', `${where}[${i}]: has length ${row.length}, expected ${cols} as the first row`);
    data.set(numbers(row, `${where}[${i}]`), i * cols);
  });
  return { data, rows: rows.length, cols };
}

/** @param {unknown} value @param {string} where @param {boolean} [vectors] a flat array, or a shape [n], is one column @returns {Given} */
export function readMatrix(value, where, vectors = false) {
  if (typeof value === 'object' && value !== null && 'data' in value && 'shape' in value) {
    const { data, shape } = value;
    if (!isList(data)) throw new HeddleError('argument', `${where}: data must be an array of numbers, got ${kindOf(data)}`);
    const isVector = vectors && Array.isArray(shape) && shape.length === 1;
    if (!Array.isArray(shape) || !(isVector || shape.length === 2) || !shape.every(n => Number.isSafeInteger(n) && n >= 0)) {
      throw new HeddleError('shape', `${where}: shape = ${JSON.stringify(shape)}, expected [rows, columns]`);
    }
    const [rows, cols] = isVector ? [shape[0], 1] : shape;
    if (data.length !== rows * cols) throw new HeddleError('shape', `${where}: shape [${shape}] holds ${rows * cols} elements, data has ${data.length}`);
    return checked({ data: numbers(data, `${where}.data`), rows, cols }, where);
  }
  if (!isList(value)) throw new HeddleError('argument', `${where}: expected { data, shape } or an array of rows, got ${kindOf(value)}`);
  if (vectors && !isList(value[0])) return checked({ data: numbers(value, where), rows: value.length, cols: 1 }, where);
  if (!Array.isArray(value)) throw new HeddleError('shape', `${where}: a flat array needs its shape: { data, shape: [rows, columns] }`);
  return checked(fromRows(value, where), where);
}

/** @param {Given} given @param {string} where */
function checked(given, where) {
  if (given.rows === 0 || given.cols === 0) throw new HeddleError('shape', `${where}: ${given.rows} rows of ${given.cols} elements, expected at least one`);
  return given;
}

/** @param {unknown} value @param {string} where @returns {Given} */
export function readSquare(value, where) {
  const given = readMatrix(value, where);
  if (given.rows !== given.cols) throw new HeddleError('shape', `${where}: is ${given.rows} x ${given.cols}, expected a square matrix`);
  return given;
}

/** Float32Array if all that is given is, else Float64Array. @param {Given[]} given @returns {Float32ArrayConstructor | Float64ArrayConstructor} */
export const typeOf = (...given) => (given.every(({ data }) => data instanceof Float32Array) ? Float32Array : Float64Array);

/**
 * Calls one function of linear algebra in the engine.
 * @param {string} name of a function hd_linalg_name of heddle.h
 * @param {Float32ArrayConstructor | Float64ArrayConstructor} Type of all matrices
 * @param {(number | Given | Floats | { out: number })[]} args after the type. Given: as it is, also if the function destroys its copy; Floats:
 *   an array that it changes, no longer the caller's; out: the number of elements of a new one that it fills
 * @returns {Promise<Floats[]>} those that it changed or filled
 */
export async function compute(name, Type, args) {
  const { passed, transfer } = pass(Type, args);
  return (await connect()).call('linalg', [name, Type === Float64Array ? 1 : 0, passed], { transfer });
}

/**
 * Calls a function hd_name of heddle.h whose arrays are of float64.
 * @param {string} name @param {(number | Given | Floats | { out: number })[]} args as of compute @returns {Promise<Floats[]>}
 */
export async function computeFloat64(name, args) {
  const { passed, transfer } = pass(Float64Array, args);
  return (await connect()).call('float64', [name, passed], { transfer });
}

/** @param {Float32ArrayConstructor | Float64ArrayConstructor} Type @param {(number | Given | Floats | { out: number })[]} args */
function pass(Type, args) {
  const transfer = /** @type {ArrayBuffer[]} */ ([]);
  const passed = args.map(arg => {
    if (typeof arg === 'number' || 'out' in arg) return arg;
    if ('rows' in arg) return arg.data instanceof Type ? arg.data : new Type(arg.data);
    transfer.push(arg.buffer);
    return { out: arg };
  });
  return { passed, transfer };
}

/** One number for each row. @param {unknown} value @param {string} where @returns {Given} */
export function readColumn(value, where) {
  const given = readMatrix(value, where, true);
  if (given.cols !== 1) throw new HeddleError('shape', `${where}: is ${given.rows} x ${given.cols}, expected one number a row`);
  return given;
}
