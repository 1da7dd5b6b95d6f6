/** A model as a table of text. */

/** @import { LayerInfo } from './model.js' */

/** @param {readonly number[]} shape */
const shapeText = shape => `[${shape.join(', ')}]`;
/** @param {number} n */
const grouped = n => String(n).replace(/\B(?=(\d{3})+$)/g, ',');

/**
 * @param {string} name
 * @param {readonly LayerInfo[]} layers
 * @param {boolean} isChain every layer follows the one before it
 * @returns {string}
 */
export function summaryTable(name, layers, isChain) {
  const head = ['layer', 'kind', 'output', 'parameters', ...isChain ? [] : ['inputs']];
  const rows = layers.map(({ name: layer, kind, outputShape, parameters, inputs }) =>
    [layer, kind, shapeText(outputShape), grouped(parameters), ...isChain ? [] : [inputs.join(', ')]]);
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map(row => row[i].length)));
  /** @param {string[]} row */
  const line = row => row.map((text, i) => (i === 3 ? text.padStart(widths[i]) : text.padEnd(widths[i]))).join('  ').trimEnd();
  const rule = widths.map(width => '-'.repeat(width)).join('  ');
  const frozen = layers.reduce((sum, layer) => sum + layer.frozenParameters, 0);
  const total = layers.reduce((sum, layer) => sum + layer.parameters, 0);
  return [name, line(head), rule, ...rows.map(line), rule,
    `${grouped(total)} parameters${frozen ? `, ${grouped(frozen)} of them frozen` : ''}`].join('\n');
}
