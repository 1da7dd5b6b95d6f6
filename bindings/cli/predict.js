/** `heddle predict`: arrays, tables and pictures through a model. */
import { extname } from 'node:path';
import { HeddleError, suggest } from '../errors.js';
import { writeNpy } from '../files/index.js';
import { imagesToTensor } from '../images/index.js';
import { isPicture } from '../images/node.js';
import { init } from '../index.js';
import { checkTarget, deliver, field, openNetwork, readData } from './inputs.js';
import { checkDecoder } from './pictures.js';
import { rowsOfTable } from './table.js';
import { complain, count, progress } from './terminal.js';
import { UsageError, choiceOption, numberOption, parse } from './usage.js';

/** @import { Model, Tensor } from '../model.js' */
/** @import { Command, Flag } from './usage.js' */
/** Rows, and their names if they have some. @typedef {{ x: { data: any, shape: number[] }[], names?: string[] }} Samples */

/** @type {{ [name: string]: Flag }} */
const flags = {
  out: { type: 'string', short: 'o' }, format: { type: 'string' }, output: { type: 'string' }, top: { type: 'string' }, scale: { type: 'string' }, columns: { type: 'string' },
  'input-layout': { type: 'string' }, 'batch-size': { type: 'string' }, threads: { type: 'string' }, force: { type: 'boolean', short: 'f' }, quiet: { type: 'boolean', short: 'q' },
};

const help = `heddle predict MODEL INPUT ... [--out FILE]

Runs a model over rows. MODEL is a file of heddle, an ONNX file or Keras' model.json. An INPUT is
  FILE.npy       NumPy's array [rows, ...shape of the model's input], or of one row without the rows
  FILE.csv       a table with a row for each sample: as many columns of numbers as the input has elements. A model that \`heddle train\` has made
                 takes its columns by their names
  PICTURE ...    any number of pictures, for an input [height, width, channels]: resized to that, cut to its proportions
  -              an array or a table from stdin
For a model with several inputs name as many arrays or tables, in its order (\`heddle summary\` tells it).

  --out, -o FILE         where the outputs go: .csv, .json or .npy; to stdout as CSV unless told
  --format FORMAT        csv, json or npy; unless told by the ending of FILE
  --output NAME          of any node of the model, instead of its output
  --top K                the K largest outputs of each row, one a line: row, class, value
  --scale S              pixels 0..255 times S, such as 1/255; 1 unless told. Most models have a layer for that
  --columns A,B,...      these columns of a table, in this order
  --input-layout LAYOUT  of pictures in an ONNX file: NCHW or NHWC, if it can't be seen. Arrays lie as NHWC anyway
  --batch-size N         rows computed at a time; 32 unless told
  --threads N            processor threads; all unless told
  --force, -f            write over FILE
  --quiet, -q            no progress, no notes

Examples:
  heddle predict net.onnx cat.jpg dog.jpg --top 5
  heddle predict digits.safetensors x.npy --out y.npy
  cut -d, -f2- rows.csv | heddle predict iris.safetensors - > classes.csv

Progress goes to stderr, on a terminal only. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
Pictures need npm install sharp, ONNX files onnx-buf @bufbuild/protobuf.
`;

const product = (/** @type {readonly number[]} */ shape) => shape.reduce((total, n) => total * n, 1);

/** A number or a fraction. @param {string | undefined} text */
function factor(text) {
  if (text === undefined) return 1;
  const match = /^([\d.e+-]+)(?:\/([\d.e+-]+))?$/i.exec(text.trim()), value = match ? Number(match[1]) / Number(match[2] ?? 1) : NaN;
  if (!Number.isFinite(value)) throw new UsageError(`--scale ${text}: expected a number or a fraction such as 1/255`);
  return value;
}

/** An array as rows of an input. @param {{ data: any, shape: number[] }} array @param {{ name: string, shape: number[] }} input @param {string} file */
function rowsOfArray({ data, shape }, { name, shape: wanted }, file) {
  const isOne = shape.length === wanted.length && shape.join() === wanted.join();
  const isMany = shape.slice(1).join() === wanted.join() || (product(shape.slice(1)) === product(wanted) && shape.length === 2);
  if (!isOne && !isMany) throw new HeddleError('shape', `"${file}" is [${shape.join(', ')}], expected [rows, ${wanted.join(', ')}] for the input "${name}"`);
  return { data: typeof data[0] === 'bigint' ? Float64Array.from(data, Number) : data, shape: [isOne ? 1 : shape[0], ...wanted] };
}

/** @param {Model} model @param {string[]} files @param {{ [name: string]: any }} values @param {AbortSignal} signal @returns {Promise<Samples>} */
async function pictureRows(model, files, values, signal) {
  const [{ name, shape }, ...more] = model.inputs, [height, width, channels] = shape;
  if (more.length || shape.length !== 3 || ![1, 3, 4].includes(channels)) {
    throw new HeddleError('shape', `pictures are for a model with one input [height, width, channels of 1, 3 or 4]; "${name}" is [${shape.join(', ')}]${more.length ? `, and there are ${more.length} more` : ''}`);
  }
  await checkDecoder();
  const bar = values.quiet ? null : progress('read', files.length), scale = factor(values.scale);
  try {
    const { data, shape: all } = await imagesToTensor(files, { width, height, channels: /** @type {1 | 3 | 4} */ (channels), fit: 'cover', signal, onProgress: n => bar?.at(n) });
    return { x: [{ data: scale === 1 ? data : Float32Array.from(data, v => scale * v), shape: all }], names: files };
  } finally {
    bar?.clear();
  }
}

/** @param {Model} model @param {string[]} files @param {{ [name: string]: any }} values @param {AbortSignal} signal @returns {Promise<Samples>} */
async function dataRows(model, files, values, signal) {
  const { inputs } = model, columns = values.columns?.split(',').map((/** @type {string} */ name) => name.trim());
  if (values.scale !== undefined) throw new UsageError('--scale is for pictures');
  if (files.length !== inputs.length) {
    throw new UsageError(`the model has ${count(inputs.length, 'input')} (${inputs.map(({ name }) => name).join(', ')}), got ${count(files.length, 'array or table')}; only pictures can be given many at a time`);
  }
  const x = [];
  for (const [i, file] of files.entries()) {
    const data = await readData(file, signal);
    if ('array' in data && columns) throw new UsageError('--columns is for tables');
    x.push('array' in data ? rowsOfArray(data.array, inputs[i], file) : rowsOfTable(data.table, inputs[i], model.metadata, columns));
  }
  return { x };
}

/** The K largest of each row. @param {Tensor} y @param {number} k @param {readonly unknown[] | null} classes @param {(row: number) => string} nameOf */
function topTable({ data, shape: [rows, ...shape] }, k, classes, nameOf) {
  const size = product(shape), lines = ['row,class,value'];
  for (let row = 0; row < rows; row++) {
    const values = data.subarray(row * size, (row + 1) * size), best = Array.from(values.keys()).sort((a, b) => values[b] - values[a] || a - b).slice(0, k);
    for (const i of best) lines.push([nameOf(row), classes ? String(classes[i]) : i, values[i]].map(field).join());
  }
  return lines.join('\n');
}

/** @param {Tensor} y @param {number} row @returns {any} nested arrays */
function nested({ data, shape: [, ...shape] }, row) {
  /** @type {(axis: number, at: number, length: number) => any} */
  const build = (axis, at, length) => {
    if (axis === shape.length) return data[at];
    const step = length / shape[axis];
    return Array.from({ length: shape[axis] }, (_, i) => build(axis + 1, at + i * step, step));
  };
  const size = product(shape);
  return build(0, row * size, size);
}

/** @param {Tensor} y @param {Samples} samples @param {readonly unknown[] | null} classes @returns {string} */
function csvOf({ data, shape: [rows, ...shape] }, { names }, classes) {
  const size = product(shape), labels = classes && classes.length === size ? classes : null;
  const heads = labels ? ['class', ...labels.map(String)] : size === 1 ? ['output'] : Array.from({ length: size }, (_, i) => `output ${i + 1}`);
  const lines = [[...names ? ['file'] : [], ...heads].map(field).join()];
  for (let row = 0; row < rows; row++) {
    const values = Array.from(data.subarray(row * size, (row + 1) * size));
    lines.push([...names ? [names[row]] : [], ...labels ? [String(labels[values.indexOf(Math.max(...values))])] : [], ...values].map(field).join());
  }
  return lines.join('\n');
}

/** @param {Tensor} y @param {Samples} samples @param {string} format @param {number | undefined} top @param {readonly unknown[] | null} classes */
function written(y, samples, format, top, classes) {
  if (top) return topTable(y, top, classes, row => samples.names?.[row] ?? String(row + 1));
  if (format === 'npy') return writeNpy(y);
  if (format === 'csv') return csvOf(y, samples, classes);
  const rows = Array.from({ length: y.shape[0] }, (_, row) => nested(y, row));
  return JSON.stringify({ ...samples.names && { files: samples.names }, ...classes && { classes }, shape: y.shape, outputs: rows });
}

/** @param {Model} model @param {string | undefined} asked @returns {string | undefined} */
function nodeOf({ layers, outputs }, asked) {
  const names = layers.map(({ name }) => name);
  if (asked !== undefined && !names.includes(asked)) throw new UsageError(`--output ${asked}: there is no such node${suggest(asked, names)}`);
  if (asked === undefined && outputs.length > 1) throw new UsageError(`the model has ${outputs.length} outputs: --output says which (${outputs.map(({ name }) => name).join(', ')})`);
  return asked;
}

/** @param {string[]} args @param {AbortSignal} signal @returns {Promise<number>} */
async function run(args, signal) {
  const { values, positionals: [file, ...inputs] } = parse(args, flags), whole = { min: 1, whole: true };
  if (file === undefined || !inputs.length) throw new UsageError(file === undefined ? 'which model? Name its file, then arrays, tables or pictures' : 'which input? Name arrays, tables or pictures, or - for stdin');
  if ([file, ...inputs].filter(one => one === '-').length > 1) throw new UsageError('stdin can be read once: only one - can be given');
  const top = numberOption(values, 'top', whole), batchSize = numberOption(values, 'batch-size', whole) ?? 32, threads = numberOption(values, 'threads', { ...whole, max: 64 });
  const ending = values.out ? extname(values.out).slice(1).toLowerCase() : 'csv', format = choiceOption(values, 'format', ['csv', 'json', 'npy']) ?? (['csv', 'json', 'npy'].includes(ending) ? ending : undefined);
  if (!format) throw new UsageError(`--out ${values.out}: expected a name that ends in .csv, .json or .npy, or --format`);
  if (top && format !== 'csv') throw new UsageError(`--top makes a table, --format ${format} does not fit`);
  if (values.out) checkTarget(values.out, Boolean(values.force));
  await init({ worker: true, ...threads && { threads } });
  const inputLayout = choiceOption(values, 'input-layout', ['NCHW', 'NHWC']), model = await openNetwork(file, signal, inputLayout && { inputLayout }), output = nodeOf(model, values.output);
  const samples = await (inputs.every(isPicture) ? pictureRows(model, inputs, values, signal) : dataRows(model, inputs, values, signal));
  const y = /** @type {Tensor} */ (await model.predict(samples.x.length > 1 ? samples.x : samples.x[0], { batchSize, signal, ...output && { output } }));
  const { classes } = /** @type {any} */ (model.metadata ?? {}), labels = output === undefined && Array.isArray(classes) && classes.length === product(y.shape.slice(1)) ? classes : null;
  await deliver(values.out, written(y, samples, format, top, labels));
  if (!values.quiet && values.out && values.out !== '-') complain(`${count(y.shape[0], 'row')}: ${values.out}`);
  model.dispose();
  return 0;
}

/** @type {Command} */
export const predict = { usage: 'predict MODEL INPUT ... [--out FILE]', about: 'runs a model over arrays, tables or pictures', help, run, onInterrupt: 'nothing was written' };
