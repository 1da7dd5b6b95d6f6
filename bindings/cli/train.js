/** `heddle train`: a small network from a table. */
import { HeddleError } from '../errors.js';
import { init, layers, optimizers, sequential } from '../index.js';
import { checkTarget, readData, writeWhole } from './inputs.js';
import { columnOf, describeColumns, encode } from './table.js';
import { complain, count, duration, progress, say } from './terminal.js';
import { UsageError, choiceOption, numberOption, parse } from './usage.js';

/** @import { CsvTable } from '../files/csv.js' */
/** @import { Model } from '../model.js' */
/** @import { Command, Flag } from './usage.js' */
/** @typedef {{ data: Float32Array<ArrayBuffer>, shape: number[] }} Rows */
/** What is learnt: classes of a classification, else null; y: their numbers, or values. @typedef {{ classes: string[] | null, y: Float32Array<ArrayBuffer> }} Target */
/** @typedef {{ train: number[], validation: number[], test: number[] }} Parts */
/** @typedef {{ x: Rows, y: Float32Array<ArrayBuffer> }} Part */

/** @type {{ [name: string]: Flag }} */
const flags = {
  target: { type: 'string', short: 't' }, out: { type: 'string', short: 'o' }, task: { type: 'string' }, columns: { type: 'string' }, ignore: { type: 'string' }, hidden: { type: 'string' },
  epochs: { type: 'string' }, 'learning-rate': { type: 'string' }, 'batch-size': { type: 'string' }, test: { type: 'string' }, seed: { type: 'string' }, threads: { type: 'string' },
  force: { type: 'boolean', short: 'f' }, json: { type: 'boolean' }, quiet: { type: 'boolean', short: 'q' },
};

const help = `heddle train TABLE --target COLUMN --out FILE

Trains a network to tell one column of a table from the others, and says how well it does on rows that it has not seen. TABLE is CSV with a header,
separated by , ; tab or |, packed with gzip or not, or - for stdin. A target of texts, or of whole numbers that are few, is a class; else it is a value.
Columns of numbers are brought to one scale; columns of at most 50 different texts count as kinds. Rows with an empty field are left out.

  --target, -t COLUMN  what is to be told
  --out, -o FILE       the model: layers, scaling and column names, for heddle predict, load() and heddle convert
  --task TASK          classification or regression, if the table doesn't tell
  --columns A,B,...    learn from these columns; all but the target unless told
  --ignore A,B,...     not from these, such as an id
  --hidden N,M,...     widths of the hidden layers, 64,32 unless told; 0: none, a linear model
  --epochs N           at most so many passes, 200 unless told: it ends when 20 have brought nothing, and keeps the best
  --learning-rate R    of Adam, 0.003 unless told
  --batch-size N       rows of a step, 32 unless told
  --test P             part of the rows that is held out to tell how well it does, 0.2 unless told; as many again of the rest choose when to end
  --seed N             of the parts and of the weights; 0 unless told: the same table gives the same model
  --threads N          processor threads; all unless told
  --force, -f          write over FILE
  --json               results as JSON
  --quiet, -q          no progress, no notes

Examples:
  heddle train iris.csv --target species --out iris.safetensors
  heddle predict iris.safetensors new.csv
  heddle train houses.csv.gz -t price -o price.safetensors --ignore id,address --hidden 128,64

Results go to stdout, progress to stderr. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
`;

const list = (/** @type {string | undefined} */ text) => text?.split(',').map(one => one.trim()).filter(Boolean);

/** Whole rows alone. @param {CsvTable} table @param {string[]} names @returns {CsvTable} */
function wholeRows(table, names) {
  const isEmpty = (/** @type {string | number} */ value) => (typeof value === 'string' ? value.trim() === '' : Number.isNaN(value)), used = names.map(name => columnOf(table, name));
  const kept = Array.from({ length: table.rows }, (_, i) => i).filter(i => !used.some(column => isEmpty(column[i])));
  const columns = table.columns.map(column => (column instanceof Float64Array ? Float64Array.from(kept, i => column[i]) : kept.map(i => column[i])));
  return { names: table.names, columns, rows: kept.length };
}

/** @param {CsvTable} table @param {string} name @param {string | undefined} task @returns {Target} */
function readTarget(table, name, task) {
  const column = columnOf(table, name), texts = Array.from(column, String), kinds = [...new Set(texts)];
  const isClass = task ? task === 'classification' : !(column instanceof Float64Array) || (column.every(Number.isInteger) && kinds.length <= Math.min(20, Math.sqrt(table.rows)));
  if (!isClass && !(column instanceof Float64Array)) throw new HeddleError('file', `column "${name}" is not all numbers: it can't be a value, only a class`);
  if (kinds.length < 2) throw new HeddleError('file', `column "${name}" is "${kinds[0]}" in every row: there is nothing to learn`);
  if (!isClass) return { classes: null, y: Float32Array.from(/** @type {Float64Array} */ (column)) };
  if (kinds.length > 1000) throw new HeddleError('file', `column "${name}" has ${kinds.length} different entries, at most 1000 can be classes; --task regression learns values`);
  const classes = column instanceof Float64Array ? kinds.sort((a, b) => Number(a) - Number(b)) : kinds.sort(), numbers = new Map(classes.map((one, i) => [one, i]));
  return { classes, y: Float32Array.from(texts, one => /** @type {number} */ (numbers.get(one))) };
}

/** Marsaglia's xorshift: numbers in [0, 1). @param {number} seed */
function generator(seed) {
  let s = (seed * 2654435761 + 88172645) >>> 0 || 1;
  return () => {
    s ^= s << 13;
    s ^= s >>> 17;
    s = (s ^ (s << 5)) >>> 0;
    return s / 2 ** 32;
  };
}

/** By chance; of classes each in its proportion. @param {Target} target @param {number} part @param {number} seed @returns {Parts} */
function splitRows({ classes, y }, part, seed) {
  const draw = generator(seed), parts = /** @type {Parts} */ ({ train: [], validation: [], test: [] }), groups = classes ? classes.map((_, k) => k) : [0];
  for (const group of groups) {
    const rows = Array.from(y.keys()).filter(i => !classes || y[i] === group);
    for (let i = rows.length - 1; i > 0; i--) {
      const j = Math.floor(draw() * (i + 1));
      [rows[i], rows[j]] = [rows[j], rows[i]];
    }
    const held = Math.round(part * rows.length), rest = rows.length - held, watched = Math.round(Math.min(part || 0.2, 0.5) * rest);
    parts.test.push(...rows.slice(0, held));
    parts.validation.push(...rows.slice(held, held + watched));
    parts.train.push(...rows.slice(held + watched));
  }
  return parts;
}

/** @param {Rows} x @param {Target} target @param {number[]} rows @returns {Part} */
function take({ data, shape: [, width] }, { y }, rows) {
  const part = new Float32Array(rows.length * width);
  rows.forEach((row, i) => part.set(data.subarray(row * width, (row + 1) * width), i * width));
  return { x: { data: part, shape: [rows.length, width] }, y: Float32Array.from(rows, row => y[row]) };
}

/** Mean and deviation of each element; 1 where nothing varies. @param {Float32Array} data @param {number} width */
function statistics(data, width) {
  const rows = data.length / width, mean = new Float64Array(width), deviation = new Float64Array(width);
  for (let i = 0; i < data.length; i++) mean[i % width] += data[i] / rows;
  for (let i = 0; i < data.length; i++) deviation[i % width] += (data[i] - mean[i % width]) ** 2 / rows;
  return { mean, deviation: deviation.map((v, i) => (v > 1e-13 * mean[i] ** 2 ? Math.sqrt(v) : 1)) };
}

/** Scaling of inputs, and of a value's outputs, are layers: the model takes and gives what stands in the table.
 * @param {Part} part @param {Target} target @param {number[]} hidden @param {number} seed @returns {Promise<Model>} */
function build({ x, y }, { classes }, hidden, seed) {
  const [, width] = x.shape, { mean, deviation } = statistics(x.data, width), goal = statistics(y, 1);
  return sequential([
    layers.input({ shape: [width] }),
    layers.rescaling({ scale: Array.from(deviation, v => 1 / v), offset: Array.from(mean, (m, i) => -m / deviation[i]), name: 'standardised' }),
    ...hidden.map((units, i) => layers.dense({ units, activation: 'relu', name: `hidden${i + 1}` })),
    ...classes ? [layers.dense({ units: classes.length, activation: 'softmax', name: 'classes' })]
      : [layers.dense({ units: 1, name: 'value' }), layers.rescaling({ scale: [goal.deviation[0]], offset: [goal.mean[0]], name: 'unscaled' })],
  ], { name: 'table', seed });
}

/** @param {Model} net @param {Part} part @param {Target} target @returns {Promise<{ [name: string]: number }>} */
async function measure(net, { x, y }, { classes }) {
  const { data } = await net.predict(x, { batchSize: 1024 }), n = y.length;
  if (classes) {
    const k = classes.length, right = y.filter((label, i) => data.subarray(i * k, (i + 1) * k).indexOf(Math.max(...data.subarray(i * k, (i + 1) * k))) === label).length;
    const most = Math.max(...classes.map((_, label) => y.filter(one => one === label).length));
    return { rows: n, accuracy: right / n, mostFrequentClass: most / n };
  }
  const { mean, deviation } = statistics(y, 1), squares = y.reduce((sum, v, i) => sum + (v - data[i]) ** 2, 0) / n, absolute = y.reduce((sum, v, i) => sum + Math.abs(v - data[i]), 0) / n;
  return { rows: n, rmse: Math.sqrt(squares), mae: absolute, r2: 1 - squares / deviation[0] ** 2, meanOfTarget: mean[0] };
}

/** @param {{ [name: string]: any }} values */
function readOptions(values) {
  const whole = { min: 1, whole: true }, hidden = (list(values.hidden) ?? ['64', '32']).map(Number);
  if (!hidden.every(n => Number.isInteger(n) && n >= 0 && n <= 65536) || (hidden.includes(0) && hidden.length > 1)) throw new UsageError(`--hidden ${values.hidden}: expected whole numbers such as 64,32, or 0`);
  return {
    hidden: hidden.filter(Boolean), task: choiceOption(values, 'task', ['classification', 'regression']), epochs: numberOption(values, 'epochs', whole) ?? 200, batchSize: numberOption(values, 'batch-size', whole) ?? 32,
    learningRate: numberOption(values, 'learning-rate', { above: 0 }) ?? 0.003, held: numberOption(values, 'test', { min: 0, max: 0.9 }) ?? 0.2, seed: numberOption(values, 'seed', { min: 0, whole: true }) ?? 0,
    threads: numberOption(values, 'threads', { ...whole, max: 64 }),
  };
}

/** @param {Model} net @param {Part} train @param {Part} validation @param {Target} target @param {ReturnType<typeof readOptions>} options @param {boolean} quiet @param {AbortSignal} signal */
async function fit(net, train, validation, { classes }, { learningRate, epochs, batchSize, seed }, quiet, signal) {
  const bar = quiet ? null : progress('epoch', epochs), goal = statistics(train.y, 1).deviation[0];
  // of values the loss is in squares of their unit: the rate of Adam does not mind, and penalties there are none
  await net.compile({ optimizer: optimizers.adam({ learningRate }), loss: classes ? 'sparseCategoricalCrossentropy' : 'meanSquaredError' });
  const shaped = (/** @type {Part} */ { y }) => (classes ? y : { data: y, shape: [y.length, 1] });
  if (!Number.isFinite(goal ** 2)) throw new HeddleError('argument', 'the values of the target are too large');
  try {
    return await net.fit(train.x, shaped(train), {
      epochs, batchSize, seed, signal, validationData: [validation.x, shaped(validation)], earlyStopping: { patience: 20, restoreBestWeights: true }, onEpochEnd: epoch => bar?.at(epoch + 1),
    });
  } finally {
    bar?.clear();
  }
}

/** @param {{ [name: string]: number }} found @param {string[] | null} classes */
function told({ rows, accuracy, mostFrequentClass, rmse, mae, r2 }, classes) {
  if (classes) return `${rows} held-out rows: accuracy ${(100 * accuracy).toFixed(1)} % (always the most frequent class: ${(100 * mostFrequentClass).toFixed(1)} %)`;
  return `${rows} held-out rows: R2 ${r2.toFixed(4)}, RMSE ${Number(rmse.toPrecision(4))}, mean absolute error ${Number(mae.toPrecision(4))}`;
}

/** @param {string[]} args @param {AbortSignal} signal @returns {Promise<number>} */
async function run(args, signal) {
  const { values, positionals: [file, ...more] } = parse(args, flags), options = readOptions(values), { target: name, out, quiet } = values;
  if (file === undefined || more.length) throw new UsageError(file === undefined ? 'which table?' : `one table at a time, got ${more.length + 1}`);
  if (!name) throw new UsageError('--target is missing: the column to learn');
  if (!out || out === '-') throw new UsageError(out ? '--out -: results go to stdout, the model needs a file' : '--out is missing: where the model goes');
  checkTarget(out, Boolean(values.force));
  const read = await readData(file, signal);
  if (!('table' in read)) throw new HeddleError('file', `"${file}" is an array, expected a table with a header`);
  columnOf(read.table, name);
  const ignored = list(values.ignore) ?? [], names = list(values.columns) ?? read.table.names.filter(one => one !== name && !ignored.includes(one));
  for (const one of ignored) columnOf(read.table, one);
  if (!names.length || names.includes(name)) throw new UsageError(names.length ? `--columns: "${name}" is the target` : 'there is no column to learn from');
  const table = wholeRows(read.table, [...names, name]), dropped = read.table.rows - table.rows;
  if (table.rows < 10) throw new HeddleError('file', `${count(table.rows, 'whole row')}, expected at least 10`);
  const columns = describeColumns(table, names), x = encode(table, columns), target = readTarget(table, name, options.task), parts = splitRows(target, options.held, options.seed);
  const train = take(x, target, parts.train), validation = take(x, target, parts.validation), test = take(x, target, parts.test.length ? parts.test : parts.validation);
  if (!parts.train.length || !parts.validation.length) throw new HeddleError('file', `${count(table.rows, 'row')}: too few to train, to choose when to end and to hold out`);
  if (!quiet) complain(`${count(table.rows, 'row')}${dropped ? ` (${dropped} with an empty field left out)` : ''}, ${count(names.length, 'column')}, ${target.classes ? `${target.classes.length} classes` : 'values'}: `
    + `${parts.train.length} to train, ${parts.validation.length} to validate, ${parts.test.length} held out`);
  await init({ worker: true, ...options.threads && { threads: options.threads } });
  const net = await build(train, target, options.hidden, options.seed), history = await fit(net, train, validation, target, options, Boolean(quiet), signal);
  const found = await measure(net, test, target), isHeld = parts.test.length > 0;
  const bytes = await net.save('bytes', { metadata: { table: { target: name, columns }, ...target.classes && { classes: target.classes }, report: { ...found, heldOut: isHeld } } });
  await writeWhole(out, bytes);
  const line = told(found, target.classes);
  say(values.json ? JSON.stringify({ out, task: target.classes ? 'classification' : 'regression', epochs: history.epoch.length, heldOut: isHeld, ...found }) : isHeld ? line : line.replace('held-out', 'validation'));
  if (!quiet) complain(`${count(history.epoch.length, 'epoch')} in ${duration(history.seconds)}: ${out}`);
  net.dispose();
  return 0;
}

/** @type {Command} */
export const train = { usage: 'train TABLE --target COLUMN --out FILE', about: 'trains a network to tell a column of a table from the others', help, run, onInterrupt: 'nothing was written' };
