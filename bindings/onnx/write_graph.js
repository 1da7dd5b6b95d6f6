/** An ONNX graph in the making. Values carry the shape of a sample and how they lie: as here (channels last), or as ONNX's operators for
 * pictures want them (channels first). */

/**
 * @typedef {object} Value
 * @property {string} name
 * @property {readonly number[]} shape of a sample, as here: [height, width, channels] for pictures
 * @property {boolean} [planes] it lies as [N, channels, height, width]
 */
/**
 * Attributes of a node: whole numbers in lists, other numbers as floats, texts.
 * @typedef {{ [name: string]: bigint | number | string | readonly number[] }} Attributes
 */
/** @typedef {{ name: string, op: string, inputs: string[], output: string, attributes: Attributes }} Operation */
/** @typedef {{ name: string, dims: readonly number[], data: Float32Array | BigInt64Array }} Constant */

export class Graph {
  /** @type {Operation[]} */
  operations = [];
  /** @type {Map<string, Constant>} */
  constants = new Map();
  #names = new Map();

  /** A name that is free. @param {string} wanted */
  #free(wanted) {
    const used = this.#names.get(wanted) ?? 0;
    this.#names.set(wanted, used + 1);
    return used ? `${wanted}:${used}` : wanted;
  }

  /**
   * @param {string} op type of the operator
   * @param {readonly string[]} inputs names of values and constants
   * @param {Attributes} [attributes]
   * @param {string} [name] of the result, and of the node
   * @returns {string} name of the result
   */
  add(op, inputs, attributes = {}, name = op) {
    const output = this.#free(name);
    this.operations.push({ name: output, op, inputs: [...inputs], output, attributes });
    return output;
  }

  /** @param {string} name @param {Float32Array | readonly number[]} data @param {readonly number[]} dims @returns {string} */
  constant(name, data, dims = [data.length]) {
    const own = this.#free(name);
    this.constants.set(own, { name: own, dims, data: data instanceof Float32Array ? data : Float32Array.from(data) });
    return own;
  }

  /** Whole numbers, such as a shape. @param {string} name @param {readonly number[]} values @returns {string} */
  whole(name, values) {
    const own = this.#free(name);
    this.constants.set(own, { name: own, dims: [values.length], data: BigInt64Array.from(values, BigInt) });
    return own;
  }

  /** Channels last, as in this library. @param {Value} value @returns {Value} */
  last(value) {
    return value.planes ? { name: this.add('Transpose', [value.name], { perm: [0, 2, 3, 1] }), shape: value.shape } : value;
  }

  /** A picture with channels first. @param {Value} value @returns {Value} */
  first(value) {
    return value.planes ? value : { name: this.add('Transpose', [value.name], { perm: [0, 3, 1, 2] }), shape: value.shape, planes: true };
  }

  /** Where the last axis of a value lies. @param {Value} value */
  axis({ planes }) {
    return planes ? 1 : -1;
  }

  /** One number for each element of the last axis, in a form that is added to or multiplied with the value. @param {string} name
   * @param {Float32Array | readonly number[]} data @param {Value} value @returns {string} */
  along(name, data, { planes }) {
    return this.constant(name, data, planes ? [data.length, 1, 1] : [data.length]);
  }
}
