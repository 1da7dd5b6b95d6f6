/** A graph of ONNX as layers of this library, in the making. */
import { layers } from '../factories.js';
import { apply, input } from '../graph.js';
import { refuse } from './read_file.js';

/** @import { SymbolicTensor } from '../graph.js' */
/** @import { Constant, Decoded, Step } from './read_file.js' */
/** @typedef {{ kind: string, name: string, options: Record<string, any>, inputs: Piece[], weights: { [name: string]: ArrayLike<number> }, half?: boolean }} Piece a layer
 *   to be; half: a bilinear layer that lacks its right factor */
/**
 * What a name stands for.
 * @typedef {object} Value
 * @property {Piece} piece
 * @property {number} rank of a sample
 * @property {boolean} first a picture whose channels come first in the file, and last here
 * @property {[height: number, width: number, channels: number]} [size] of a picture, where it is known
 * @property {boolean} [pooled] the file has rows and columns of length 1 behind the channels, this library has not
 */

export class Reader {
  /** @type {Map<string, Value>} */
  values = new Map();
  /** @type {Piece[]} */
  pieces = [];
  #uses = new Map();
  #names = new Set();

  /** @param {Decoded} decoded */
  constructor({ opset, constants, steps, outputs }) {
    this.opset = opset;
    this.constants = constants;
    for (const name of [...steps.flatMap(({ inputs }) => inputs), ...outputs]) this.#uses.set(name, (this.#uses.get(name) ?? 0) + 1);
  }

  /** Whether nothing else reads it. @param {string} name */
  once(name) {
    return this.#uses.get(name) === 1;
  }

  /** A name as layers here may have it, and no other layer has. @param {string} wanted */
  #free(wanted) {
    const plain = wanted.replaceAll('/', '.').replace(/^\.+/, '').slice(0, 50) || 'layer';
    let name = plain;
    for (let i = 1; this.#names.has(name); i++) name = `${plain}:${i}`;
    this.#names.add(name);
    return name;
  }

  /**
   * @param {string} kind of a layer
   * @param {Step | { name: string }} step
   * @param {Record<string, any>} options
   * @param {Piece[]} inputs
   * @param {Piece['weights']} [weights]
   * @returns {Piece}
   */
  add(kind, step, options, inputs, weights = {}) {
    const piece = { kind, name: this.#free(step.name), options, inputs, weights };
    this.pieces.push(piece);
    return piece;
  }

  /** @param {Step} step @param {number} i */
  value(step, i) {
    const name = step.inputs[i] ?? '', value = this.values.get(name);
    if (value) return value;
    const why = this.constants.has(name) ? 'a constant, expected what a layer makes' : 'which nothing before it makes';
    return refuse(`node "${step.name}" (${step.op}) reads "${name}", ${why}`);
  }

  /** @param {Step} step @param {number} i @returns {Constant | undefined} undefined: there is no such input, or it is no constant */
  constant(step, i) {
    return step.inputs[i] ? this.constants.get(step.inputs[i]) : undefined;
  }

  /** @param {Step} step @param {number} i @param {string} what */
  needed(step, i, what) {
    return this.constant(step, i) ?? refuse(`node "${step.name}" (${step.op}): ${what} must be a constant`);
  }

  /** A picture with its channels first in the file. @param {Step} step @param {Value} value @returns {Value} */
  picture(step, value) {
    if (value.pooled) return { piece: this.add('reshape', step, { shape: [1, 1, -1] }, [value.piece]), rank: 3, first: true };
    if (value.rank !== 3) {
      refuse(`node "${step.name}" (${step.op}) reads ${value.rank + 1} axes, expected a picture [N, channels, height, width]`);
    }
    return value.first ? value : { piece: this.add('transpose', step, { axes: [1, 2, 0] }, [value.piece]), rank: 3, first: true };
  }

  /** In the file's own order of axes. @param {Step} step @param {Value} value @returns {Value} */
  plain(step, value) {
    return value.first ? { piece: this.add('transpose', step, { axes: [2, 0, 1] }, [value.piece]), rank: 3, first: false } : value;
  }

  /** @param {Step} step @param {Value} value */
  set({ outputs }, value) {
    this.values.set(outputs[0], value);
  }

  /** Inputs and outputs for a model. @param {readonly { name: string, shape: number[] }[]} inputs @param {readonly string[]} outputs */
  network(inputs, outputs) {
    for (const name of outputs) {
      const value = this.values.get(name); // a model needs a layer
      if (value?.piece.kind === 'input') this.values.set(name, { ...value, piece: this.add('activation', { name }, { activation: 'linear' }, [value.piece]) });
    }
    /** @type {Map<Piece, SymbolicTensor>} */
    const made = new Map();
    for (const piece of this.pieces) {
      const { kind, name, options } = piece, given = piece.inputs.map(one => /** @type {SymbolicTensor} */ (made.get(one)));
      if (piece.half) refuse(`"${name}" multiplies a matrix from the left alone, expected a right factor after it`);
      const make = () => apply(/** @type {any} */ (layers)[kind]({ ...options, name }), given.length === 1 ? given[0] : given);
      made.set(piece, kind === 'input' ? input({ shape: options.shape, name }) : make());
    }
    const of = (/** @type {string} */ name) => /** @type {SymbolicTensor} */ (made.get((this.values.get(name) ?? refuse(`output "${name}" is made by no node`)).piece));
    return { inputs: inputs.map(({ name }) => of(name)), outputs: outputs.map(of) };
  }
}
