/** Tables as rows of numbers: which columns, in which order, texts as one element for each of their values. What a model was trained on travels in its metadata. */
import { HeddleError, suggest } from '../errors.js';

/** @import { CsvTable } from '../files/csv.js' */
/** A column: a number, or with `values` a text that is one of them. @typedef {{ name: string, values?: string[] }} Feature */
/** `metadata.table` of a model. @typedef {{ target: string, columns: Feature[] }} TableDescription */

/** More different texts than this are names rather than kinds. */
const mostValues = 50;

/** @param {CsvTable} table @param {string} name @param {string} [where] */
export function columnOf({ names, columns }, name, where = 'the table') {
  const at = names.indexOf(name);
  if (at < 0) throw new HeddleError('file', `${where} has no column "${name}"${suggest(name, names)}`);
  return columns[at];
}

/** How columns become numbers. @param {CsvTable} table @param {string[]} names @returns {Feature[]} */
export function describeColumns(table, names) {
  return names.map(name => {
    const column = columnOf(table, name);
    if (column instanceof Float64Array) return { name };
    const values = [...new Set(column)].filter(text => text.trim() !== '').sort();
    if (values.length > mostValues) {
      throw new HeddleError('file', `column "${name}" has ${values.length} different texts, such as "${values[0].slice(0, 40)}": at most ${mostValues} are kinds; leave it out with --ignore`);
    }
    return { name, values };
  });
}

/** Elements of a row. @param {readonly Feature[]} features */
export const widthOf = features => features.reduce((sum, { values }) => sum + (values?.length ?? 1), 0);

/** @param {CsvTable} table @param {readonly Feature[]} features @returns {{ data: Float32Array<ArrayBuffer>, shape: number[] }} [rows, elements] */
export function encode(table, features) {
  const width = widthOf(features), data = new Float32Array(table.rows * width);
  let at = 0;
  for (const { name, values } of features) {
    const column = columnOf(table, name);
    for (let row = 0; row < table.rows; row++) {
      const value = column[row], line = `row ${row + 1}, column "${name}"`;
      if (!values) {
        const number = typeof value === 'string' ? Number(value.trim() || NaN) : value;
        if (!Number.isFinite(number)) throw new HeddleError('file', `${line}: ${typeof value === 'string' && value.trim() ? `"${value.slice(0, 40)}"` : 'nothing'}, expected a number`);
        data[row * width + at] = number;
      } else {
        const kind = values.indexOf(String(value));
        if (kind < 0) throw new HeddleError('file', `${line}: "${String(value).slice(0, 40)}"${suggest(String(value), values)}`);
        data[row * width + at + kind] = 1;
      }
    }
    at += values?.length ?? 1;
  }
  return { data, shape: [table.rows, width] };
}

/**
 * A table as rows of a model's input.
 * @param {CsvTable} table
 * @param {{ name: string, shape: number[] }} input
 * @param {any} metadata of the model
 * @param {string[] | undefined} names columns that were asked for
 */
export function rowsOfTable(table, { name, shape }, metadata, names) {
  const known = /** @type {TableDescription | undefined} */ (metadata?.table), wanted = shape.reduce((product, n) => product * n, 1);
  const wantedNames = names ?? known?.columns.map(one => one.name) ?? table.names;
  const features = wantedNames.map(one => known?.columns.find(feature => feature.name === one) ?? { name: one }), { data } = encode(table, features);
  if (widthOf(features) !== wanted) {
    throw new HeddleError('shape', `${features.length === 1 ? 'one column' : `${features.length} columns`} (${features.slice(0, 5).map(one => one.name).join(', ')}${features.length > 5 ? ' ...' : ''}), expected ${wanted} for the input "${name}" [${shape.join(', ')}]; --columns chooses`);
  }
  return { data, shape: [table.rows, ...shape] };
}
