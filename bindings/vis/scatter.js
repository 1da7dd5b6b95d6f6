/** Predictions against ratings, and the curve that maps the ones to the others. */
import { HeddleError, checkOptions, kindOf } from '../errors.js';
import { extent } from './colours.js';
import { LineChart, lineChart } from './plot.js';

/** @import { Axis, ChartOptions, Point } from './plot.js' */
/**
 * @typedef {object} ScatterSet
 * @property {ArrayLike<number>} predicted numbers, to the right
 * @property {ArrayLike<number>} rated as many, upwards
 * @property {string} [name] for the legend
 * @property {string} [colour] of CSS, also `var(--name)`
 * @property {number} [size] diameter of its points, CSS pixels
 */
/** What `mapping` of heddle/quality gives, or any function. @typedef {{ apply(q: Float64Array): ArrayLike<number> } | ((q: number) => number)} Curve */
/**
 * @typedef {object} ScatterOptions
 * @property {ArrayLike<number>} [predicted] numbers, one for each rating
 * @property {ArrayLike<number>} [rated] as many
 * @property {ScatterSet[]} [sets] several, instead of `predicted` and `rated`: say, learnt from and held back
 * @property {Curve | null} [mapping] drawn from the smallest to the largest prediction
 * @property {string} [mappingColour] of CSS, also `var(--name)`
 * @property {Axis} [x] of predictions; its label "prediction" unless told
 * @property {Axis} [y] of ratings; its label "rating" unless told
 */

const optionNames = ['label', 'legend', 'theme', 'uPlot', 'predicted', 'rated', 'sets', 'mapping', 'mappingColour', 'x', 'y'], gridPoints = 81;

/** @param {ScatterOptions} options @param {string} what @returns {ScatterSet[]} */
function readSets({ predicted, rated, sets }, what) {
  const all = sets ?? [{ predicted: predicted ?? [], rated: rated ?? [] }];
  all.forEach(({ predicted: p, rated: r }, i) => {
    if (typeof p?.length !== 'number' || typeof r?.length !== 'number') throw new HeddleError('argument', `${what}: set ${i}: predicted and rated must be lists of numbers, got ${kindOf(p)} and ${kindOf(r)}`);
    if (p.length !== r.length) throw new HeddleError('shape', `${what}: set ${i}: ${p.length} predictions, but ${r.length} ratings`);
  });
  return all;
}

/** @param {Curve} curve @param {ScatterSet[]} sets @returns {Point[]} */
function pointsOf(curve, sets) {
  const [low, high] = extent(sets.flatMap(({ predicted }) => Array.from(predicted)));
  if (!(high > low)) return [];
  const grid = Float64Array.from({ length: gridPoints }, (_, i) => low + (high - low) * i / (gridPoints - 1));
  const values = typeof curve === 'function' ? Array.from(grid, q => curve(q)) : curve.apply(grid);
  return Array.from(grid, (x, i) => [x, values[i]]);
}

/** Predictions against ratings: `scatterChart` makes it. */
export class ScatterChart {
  #chart;
  #count;

  /** @param {LineChart} chart @param {number} count of sets */
  constructor(chart, count) {
    this.#chart = chart;
    this.#count = count;
  }

  /**
   * Shows other points, and another curve.
   * @param {Pick<ScatterOptions, 'predicted' | 'rated' | 'sets' | 'mapping'>} points as many sets as at first
   * @param {string} [text] what they show, for screen readers
   */
  set({ mapping, ...points }, text) {
    const sets = readSets(points, 'set');
    if (sets.length !== this.#count) throw new HeddleError('argument', `set: ${sets.length} sets, expected ${this.#count} as at first`);
    /** @type {Point[][]} */
    const shown = sets.map(({ predicted, rated }) => Array.from(predicted, (x, i) => [x, rated[i]]));
    this.#chart.set([...shown, mapping ? pointsOf(mapping, sets) : []]);
    const count = shown.reduce((sum, list) => sum + list.length, 0);
    this.#chart.describe(text ?? (count ? `${count} predictions against ratings${mapping ? ', with the curve that maps them' : ''}` : 'nothing yet'));
  }

  /** Draws anew, with the colours that the page has now. */
  redraw() {
    this.#chart.redraw();
  }

  /** Takes the chart away. */
  destroy() {
    this.#chart.destroy();
  }
}

/**
 * Predictions against ratings. Needs the package uplot; its style sheet is not needed.
 * @example
 * import { mapping } from 'heddle/quality';
 * const curve = await mapping.logistic4(predicted, rated);
 * const chart = await scatterChart(document.querySelector('#scatter'), { predicted, rated, mapping: curve });
 * @param {HTMLElement} element filled, as wide and high as CSS says, 240 pixels high unless told
 * @param {ScatterOptions & ChartOptions} [options]
 * @returns {Promise<ScatterChart>}
 * @throws {HeddleError} `unsupported` without uplot, or without a document; `argument`; `shape`
 */
export async function scatterChart(element, options = {}) {
  checkOptions(options, optionNames, 'scatterChart');
  const sets = readSets(options, 'scatterChart'), { label, legend, theme, uPlot, mapping, mappingColour, x, y } = options;
  const line = await lineChart(element, {
    label, legend, theme, uPlot, x: { label: 'prediction', ...x }, y: { label: 'rating', ...y },
    series: [
      ...sets.map(({ name = 'predictions', colour, size = 5 }) => ({ name, colour, size, draw: /** @type {const} */ ('points') })),
      { name: 'mapping', colour: mappingColour },
    ],
  });
  const chart = new ScatterChart(line, sets.length);
  chart.set({ sets, mapping });
  return chart;
}
