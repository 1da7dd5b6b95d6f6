/** Which classes are taken for which: a table, or a picture if there are many classes. */
import { HeddleError, checkOptions, kindOf } from '../errors.js';
import { addStyle, checkElement, make, setTheme } from './theme.js';
import { weightMap } from './weights.js';

/** @import { Theme } from './theme.js' */
/** @typedef {readonly (readonly number[])[] | ArrayLike<number> | { data: ArrayLike<number>, shape: readonly number[] }} Counts [true class, said class] */
/**
 * @typedef {object} ConfusionOptions
 * @property {readonly string[]} [labels] names of the classes; their numbers unless told
 * @property {string} [label] what it shows, for screen readers
 * @property {number} [mostCells] classes up to which it is a table; 20 unless told
 * @property {Theme} [theme] of the element, put into its style; as it is unless told
 */

const optionNames = ['labels', 'label', 'mostCells', 'theme'], mostLines = 20;

/** @param {any} given @returns {{ counts: ArrayLike<number>, classes: number }} */
function readCounts(given) {
  const isRows = Array.isArray(given?.[0] ?? null), counts = isRows ? given.flat() : given?.data ?? given;
  if (typeof counts?.length !== 'number' || counts.length === 0) throw new HeddleError('argument', `confusionMatrix: expected counts [true class, said class], got ${kindOf(given)}`);
  const classes = Math.round(Math.sqrt(counts.length));
  if (classes ** 2 !== counts.length || (isRows && given.length !== classes)) throw new HeddleError('shape', `confusionMatrix: ${counts.length} numbers are no square matrix of classes`);
  return { counts, classes };
}

/**
 * Counts for a confusion matrix.
 * @example
 * const counts = confusionCounts(yTest, await net.predict(xTest));
 * @param {ArrayLike<number>} truth numbers of the classes
 * @param {{ data: ArrayLike<number>, shape: readonly number[] } | ArrayLike<number>} said probabilities or scores [rows, classes], or numbers of classes
 * @param {number} [classes] needed if `said` are numbers of classes
 * @returns {{ data: Uint32Array, shape: [number, number] }} [true class, said class]; rows whose scores are not numbers are left out
 */
export function confusionCounts(truth, said, classes) {
  const table = 'data' in said ? said : null, list = table ? table.data : /** @type {ArrayLike<number>} */ (said), size = classes ?? table?.shape.at(-1) ?? 0;
  const width = table && table.shape.length > 1 ? size : 1;
  if (!(size > 0) || list.length !== truth.length * width) throw new HeddleError('shape', `confusionCounts: ${truth.length} labels and ${list.length} numbers of ${size} classes`);
  const data = new Uint32Array(size * size);
  for (let row = 0; row < truth.length; row++) {
    let best = width > 1 ? -1 : list[row], most = -Infinity;
    for (let k = 0; k < width && width > 1; k++) if (list[row * width + k] > most) [best, most] = [k, list[row * width + k]];
    const isLost = width > 1 && best < 0;
    for (const k of [truth[row], isLost ? 0 : best]) {
      if (!(Number.isInteger(k) && k >= 0 && k < size)) throw new HeddleError('argument', `confusionCounts: row ${row} is of class ${k}, expected 0 to ${size - 1}`);
    }
    if (!isLost) data[truth[row] * size + best]++;
  }
  return { data, shape: [size, size] };
}

/** A confusion matrix in the page: `confusionMatrix` makes it. */
export class ConfusionMatrix {
  #element;
  #options;
  #labels;
  /** @type {HTMLElement[]} */
  #cells = [];
  /** @type {import('./weights.js').ValueMap | null} */
  #map = null;
  /** @type {HTMLTableSectionElement | null} */
  #lines = null;
  #shown = -1;

  /** @param {HTMLElement} element @param {Counts} counts @param {ConfusionOptions} options */
  constructor(element, counts, options) {
    this.#element = element;
    this.#options = options;
    this.#labels = options.labels;
    if (!(element instanceof HTMLCanvasElement)) addStyle(element, 'heddle-confusion');
    this.set(counts);
  }

  /** Shows other counts. @param {Counts} matrix counts [true class, said class] @param {{ labels?: readonly string[] }} [options] if they are of other classes */
  set(matrix, { labels = this.#labels } = {}) {
    const { counts, classes } = readCounts(matrix), isNew = classes !== this.#shown || labels !== this.#labels;
    if (labels && labels.length !== classes) throw new HeddleError('shape', `confusionMatrix: ${labels.length} labels, but ${classes} classes`);
    this.#labels = labels;
    if (isNew) this.#build(labels ?? Array.from({ length: classes }, (_, k) => String(k)));
    this.#shown = classes;
    const totals = Array.from({ length: classes }, (_, k) => sum(counts, k * classes, classes));
    const parts = Float32Array.from(counts, (count, i) => count / Math.max(totals[Math.floor(i / classes)], 1));
    if (this.#cells.length) this.#fill(counts, parts, classes);
    else this.#paint(counts, parts, classes, totals.reduce((a, b) => a + b, 0));
  }

  /** @param {readonly string[]} labels */
  #build(labels) {
    this.#map?.destroy();
    this.#map = null;
    this.#cells = [];
    this.#lines = null;
    if (this.#element instanceof HTMLCanvasElement) return;
    if (labels.length <= (this.#options.mostCells ?? 20)) this.#element.replaceChildren(this.#table(labels));
    else this.#element.replaceChildren(document.createElement('canvas'), this.#worst());
  }

  /** @param {readonly string[]} labels */
  #table(labels) {
    const table = document.createElement('table'), head = table.createTHead().insertRow(), body = table.createTBody();
    table.append(body);
    if (labels.some(name => name.length > 3)) table.className = 'tall';
    if (this.#options.label) table.setAttribute('aria-label', this.#options.label);
    head.insertCell();
    for (const name of labels) head.append(heading(name, 'col'));
    for (const name of labels) {
      const row = body.insertRow(), cells = labels.map(() => make('td', ''));
      row.append(heading(name, 'row'), ...cells);
      this.#cells.push(...cells);
    }
    return table;
  }

  /** What is said too often, as a table: the picture has no figures. */
  #worst() {
    const details = document.createElement('details'), table = document.createElement('table'), head = table.createTHead().insertRow();
    this.#lines = table.createTBody();
    for (const name of ['Is', 'Taken for', 'How often']) head.append(heading(name, 'col'));
    details.append(make('summary', 'The most frequent mistakes as a table'), table);
    return details;
  }

  /** @param {ArrayLike<number>} counts @param {Float32Array} parts of the true class @param {number} classes */
  #fill(counts, parts, classes) {
    this.#cells.forEach((cell, i) => {
      const text = counts[i] ? String(counts[i]) : '', isRight = i % (classes + 1) === 0, strength = isRight ? parts[i] : Math.sqrt(parts[i]); // few mistakes show, too
      if (cell.textContent !== text) cell.textContent = text;
      cell.style.setProperty('--part', strength.toFixed(3));
      cell.className = `heddle-${isRight ? 'right' : 'wrong'}${strength > 0.6 ? ' heddle-much' : ''}`;
    });
  }

  /** @param {ArrayLike<number>} counts @param {Float32Array} parts @param {number} classes @param {number} total */
  #paint(counts, parts, classes, total) {
    const canvas = this.#element instanceof HTMLCanvasElement ? this.#element : /** @type {HTMLCanvasElement} */ (this.#element.firstElementChild);
    const values = { data: parts, shape: [classes, classes] };
    if (this.#map) this.#map.set(values);
    else this.#map = weightMap(canvas, values, { range: [0, 1], colours: 'sequential' });
    const right = Array.from({ length: classes }, (_, k) => counts[k * classes + k]).reduce((a, b) => a + b, 0);
    canvas.setAttribute('aria-label', `${this.#options.label ?? 'Confusion matrix'} of ${classes} classes: ${(100 * right / Math.max(total, 1)).toFixed(1)} % of ${total} on its diagonal`);
    if (!this.#lines) return;
    const name = (/** @type {number} */ k) => this.#labels?.[k] ?? String(k);
    const wrong = Array.from(counts, (count, i) => ({ count, is: Math.floor(i / classes), said: i % classes })).filter(({ count, is, said }) => count > 0 && is !== said);
    wrong.sort((a, b) => b.count - a.count);
    this.#lines.replaceChildren(...wrong.slice(0, mostLines).map(({ is, said, count }) => {
      const row = document.createElement('tr');
      row.append(make('td', name(is)), make('td', name(said)), make('td', String(count)));
      return row;
    }));
  }

  /** Takes the matrix away. */
  destroy() {
    this.#map?.destroy();
    if (!(this.#element instanceof HTMLCanvasElement)) this.#element.replaceChildren();
  }
}

/** @param {ArrayLike<number>} list @param {number} begin @param {number} count */
function sum(list, begin, count) {
  let total = 0;
  for (let i = begin; i < begin + count; i++) total += list[i];
  return total;
}

/** @param {string} name @param {'col' | 'row'} scope */
function heading(name, scope) {
  const made = /** @type {HTMLTableCellElement} */ (make('th', ''));
  made.scope = scope;
  made.title = name;
  made.append(make('span', name));
  return made;
}

/**
 * Shows a confusion matrix: true classes down, what is said across; the share of its true class colours a cell. A table up to 20 classes, a
 * picture with the most frequent mistakes in a table beyond; on a canvas always a picture.
 * @example
 * const matrix = confusionMatrix(document.querySelector('#confusion'), confusionCounts(y, await net.predict(x)), { labels: ['cat', 'dog'] });
 * matrix.set(confusionCounts(y, await net.predict(x)));       // later on
 * @param {HTMLElement} element filled; or a canvas
 * @param {Counts} matrix counts [true class, said class], as `confusionCounts` makes them
 * @param {ConfusionOptions} [options]
 * @returns {ConfusionMatrix}
 * @throws {HeddleError} `argument`, `shape`, `unsupported` without a document
 */
export function confusionMatrix(element, matrix, options = {}) {
  checkElement(element, 'confusionMatrix');
  checkOptions(options, optionNames, 'confusionMatrix');
  setTheme(element, options.theme, 'confusionMatrix');
  return new ConfusionMatrix(element, matrix, options);
}
