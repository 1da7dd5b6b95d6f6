/** A model as a table of text, as Keras prints it. */
import { HeddleError, checkOptions, wholeNumber } from './errors.js';

/** @import { LayerInfo } from './model.js' */
/**
 * @typedef {object} SummaryOptions
 * @property {number} [lineLength] characters of a line, at least 40; unless told as many as the table needs, at most 100. What is longer is cut
 * @property {boolean} [showTrainable] a column that says which layers learn: Y, N, or - where there is nothing to learn; false unless told
 * @property {boolean} [expand] each weight too, with its shape, below its layer; false unless told
 * @property {(line: string) => void} [printFn] gets each line
 */
/** @typedef {{ text: string, right?: boolean, least: number }} Column least: characters that are left of it when the line is short */

/** @param {number} n */
const grouped = n => String(n).replace(/\B(?=(\d{3})+$)/g, ',');
/** @param {readonly number[]} shape */
const product = shape => shape.reduce((total, n) => total * n, 1);
/** @param {readonly (number | string)[]} shape */
const shapeText = shape => (shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`);

/** Bytes of so many float32. @param {number} n */
function bytesText(n) {
  const power = Math.min(Math.floor(Math.log2(Math.max(4 * n, 1)) / 10), 3);
  return `${power ? (4 * n / 1024 ** power).toFixed(2) : 4 * n} ${['B', 'KB', 'MB', 'GB'][power]}`;
}

/** @param {string} text @param {number} width */
const cut = (text, width) => (text.length > width ? `${text.slice(0, width - 1)}…` : text);

/** Widths of columns for a line: the widest gives way, but no further than to what it must keep. @param {number[]} wanted @param {number[]} least @param {number} length */
function fit(wanted, least, length) {
  const widths = [...wanted];
  for (let over = widths.reduce((sum, width) => sum + width, 2 * (widths.length - 1)) - length; over > 0; over--) {
    const spare = widths.map((width, i) => (width > least[i] ? width : 0)), widest = spare.indexOf(Math.max(...spare));
    if (!spare[widest]) break;
    widths[widest]--;
  }
  return widths;
}

/** @param {LayerInfo} layer @param {{ isChain: boolean, showTrainable: boolean, expand: boolean }} what @returns {string[][]} its rows */
function rowsOf({ name, kind, inputs, outputShape, parameters, frozenParameters, weights }, { isChain, showTrainable, expand }) {
  const trains = parameters ? (frozenParameters < parameters ? 'Y' : 'N') : '-', short = (/** @type {string} */ weight) => weight.slice(weight.lastIndexOf('/') + 1);
  const row = [`${name} (${kind})`, shapeText(['None', ...outputShape]), grouped(parameters), ...isChain ? [] : [inputs.join(', ') || '-'], ...showTrainable ? [trains] : []];
  const below = weights.map(weight =>
    [`  ${short(weight.name)}`, shapeText(weight.shape), grouped(product(weight.shape)), ...isChain ? [] : [''], ...showTrainable ? [weight.frozen ? 'N' : 'Y'] : []]);
  return expand ? [row, ...below] : [row];
}

/**
 * @param {string} name
 * @param {readonly LayerInfo[]} layers
 * @param {number | undefined} slots numbers that the optimiser keeps for each parameter; undefined before `compile`
 * @param {SummaryOptions} [options]
 * @returns {string}
 */
export function summaryTable(name, layers, slots, options = {}) {
  checkOptions(options, ['lineLength', 'showTrainable', 'expand', 'printFn'], 'summary');
  const { showTrainable = false, expand = false, printFn } = options;
  if (printFn !== undefined && typeof printFn !== 'function') throw new HeddleError('argument', `summary: printFn is a ${typeof printFn}, expected a function`);
  const isChain = layers.every(({ inputs }, i) => (i === 0 ? inputs.length === 0 : inputs.join() === layers[i - 1].name));
  const head = ['Layer (type)', 'Output Shape', 'Param #', ...isChain ? [] : ['Connected to'], ...showTrainable ? ['Trainable'] : []];
  const rows = layers.flatMap(layer => rowsOf(layer, { isChain, showTrainable, expand })), wanted = head.map((title, i) => Math.max(title.length, ...rows.map(row => row[i].length)));
  const widths = fit(wanted, wanted.map((width, i) => (i === 1 || i === 2 ? width : head[i].length)), wholeNumber(options.lineLength, 'summary: lineLength', 40, 100));
  const length = widths.reduce((sum, width) => sum + width, 2 * (widths.length - 1));
  const line = (/** @type {string[]} */ row) =>
    row.map((text, i) => (i === 2 ? text.padStart(widths[i]) : cut(text, widths[i]).padEnd(widths[i]))).join('  ').trimEnd();
  const sum = (/** @type {(layer: LayerInfo) => number} */ of) => layers.reduce((total, layer) => total + of(layer), 0), total = sum(layer => layer.parameters), frozen = sum(layer => layer.frozenParameters);
  const counted = (/** @type {string} */ what, /** @type {number} */ n) => `${what}: ${grouped(n)} (${bytesText(n)})`;
  const lines = [`Model: "${name}"`, '_'.repeat(length), line(head), '='.repeat(length), ...rows.map(line), '='.repeat(length), counted('Total params', total), counted('Trainable params', total - frozen),
    counted('Non-trainable params', frozen), ...slots === undefined ? [] : [counted('Optimizer params', slots * total)], '_'.repeat(length)];
  if (printFn) lines.forEach(one => printFn(one));
  return lines.join('\n');
}
