/** Lines and points on uPlot, an optional package, which is loaded by the first chart. */
import { HeddleError, checkOptions, kindOf } from '../errors.js';
import { addStyle, checkElement, forget, isDark, make, resolve, setTheme, watchTheme } from './theme.js';

/** @import { Theme } from './theme.js' */
/** @typedef {readonly [x: number, y: number]} Point of a series */
/**
 * @typedef {object} Axis
 * @property {string} [label] words beside the axis; none unless told
 * @property {boolean} [log] logarithmic
 * @property {boolean} [percent] 0..1, shown in per cent
 * @property {(value: number) => string} [format] of its numbers
 * @property {(low: number | null, high: number | null) => [number, number]} [range] from the smallest to the largest value (null: there are none yet)
 *   to the ends of the axis; some per cent wider unless told
 * @property {string} [colour] of its numbers
 * @property {number} [size] CSS pixels for its numbers
 */
/**
 * @typedef {object} Series
 * @property {string} name for the legend; none if it is empty
 * @property {string} [colour] of CSS, also `var(--name)`; from a palette unless told
 * @property {'line' | 'points' | 'both' | 'auto'} [draw] line unless told; auto: points too, while they are few
 * @property {readonly number[]} [dash] lengths of dashes and gaps in CSS pixels
 * @property {number} [size] diameter of points, CSS pixels
 * @property {boolean} [right] its values belong to the right axis
 */
/**
 * @typedef {object} ChartOptions
 * @property {string} [label] what the chart shows, for screen readers
 * @property {boolean} [legend] names below the chart; true unless told
 * @property {Theme} [theme] of the element, put into its style; as it is unless told
 * @property {any} [uPlot] uPlot's class, where `import('uplot')` does not find it; a global uPlot is taken, too
 */
/**
 * @typedef {object} LineOptions
 * @property {Series[]} series lines or points, one or more, in the order of the points that `set` takes
 * @property {Axis} [x] the axis below
 * @property {Axis} [y] the axis of values, on the left
 * @property {Axis} [right] a second axis of values
 */

/** Told apart without colour vision, too; light page and dark. */
const palette = {
  light: ['#1f5f92', '#ad4f12', '#3f7d20', '#7a3f9d', '#8a6d00', '#59616e'], dark: ['#74b7ea', '#f2a866', '#9bd37a', '#cf9cf0', '#e0c45c', '#9ea8b6'],
};
const muted = { light: '#59616e', dark: '#9ea8b6' }, lines = { light: '#dbd7cc', dark: '#2b333f' }, font = '12px system-ui, sans-serif';
const optionNames = ['label', 'legend', 'theme', 'uPlot', 'series', 'x', 'y', 'right'];

/** @param {any} given @param {string} what */
async function loadPlot(given, what) {
  const found = given ?? /** @type {any} */ (globalThis).uPlot;
  if (found !== undefined && typeof found !== 'function') throw new HeddleError('argument', `${what}: uPlot must be its class, got ${kindOf(found)}`);
  if (found) return found;
  try {
    return (await import('uplot')).default;
  } catch (cause) {
    throw new HeddleError('unsupported', `${what}: the package uplot is not there (npm install uplot, or give its class as the option uPlot): ${/** @type {Error} */ (cause).message}`, { cause });
  }
}

/** @param {Axis} [axis] @returns {(plot: unknown, low: number | null, high: number | null) => [number, number]} */
const rangeOf = ({ range, log } = {}) => (_, low, high) => {
  if (range) return range(low, high);
  if (low === null || high === null || !(high >= low)) return log ? [0.1, 10] : [0, 1];
  if (log) return [low / 1.3, high * 1.3];
  const pad = Math.max(0.06 * (high - low), 1e-6 * Math.abs(high), 1e-9);
  return [low - pad, high + pad];
};

/** Series with an x of their own each, as uPlot wants them; points may share an x. @param {readonly (readonly Point[])[]} series */
function columnsOf(series) {
  const all = series.flatMap((points, k) => points.map(([x, y]) => ({ x, y, k }))).sort((a, b) => a.x - b.x);
  return [all.map(({ x }) => x), ...series.map((_, k) => all.map(point => (point.k === k && Number.isFinite(point.y) ? point.y : null)))];
}

/** A chart of lines or points, made by `lineChart`, that keeps to the size of its element and to the page's light or dark mode. */
export class LineChart {
  #element;
  #uPlot;
  /** @type {LineOptions & ChartOptions} */
  #options;
  #place = make('div', '', 'heddle-plot');
  #legend = make('div', '', 'heddle-legend');
  /** @type {any} */
  #plot = null;
  /** @type {readonly (readonly Point[])[]} */
  #points = [];
  #frame = 0;
  #observer;

  /** @param {HTMLElement} element @param {any} uPlot @param {LineOptions & ChartOptions} options */
  constructor(element, uPlot, options) {
    this.#element = element;
    this.#uPlot = uPlot;
    this.#options = options;
    addStyle(element, 'heddle-chart');
    element.replaceChildren(this.#place, ...options.legend === false ? [] : [this.#legend]);
    element.setAttribute('role', 'img');
    this.describe('nothing yet');
    this.#build();
    this.#observer = new ResizeObserver(() => this.#plot?.setSize({ width: this.#place.clientWidth, height: this.#place.clientHeight }));
    this.#observer.observe(this.#place);
    watchTheme(this);
  }

  /** @param {number} k */
  #colour(k) {
    const { series } = this.#options, list = palette[this.#mode];
    return resolve(this.#element, series[k].colour ?? list[k % list.length]);
  }

  get #mode() {
    return isDark(this.#element) ? 'dark' : 'light';
  }

  /** @param {Axis | undefined} about @param {object} extra */
  #axis(about, extra) {
    const { label, percent, format, colour, size } = about ?? {};
    const values = format ?? (percent ? (/** @type {number} */ v) => `${+(v * 100).toFixed(1)} %` : (/** @type {number} */ v) => String(+v.toPrecision(3)));
    return {
      stroke: () => (colour ? resolve(this.#element, colour) : muted[this.#mode]), font, ticks: { show: false },
      grid: { stroke: () => lines[this.#mode], width: 1 }, ...label && { label, labelSize: 18, labelFont: font },
      values: (/** @type {unknown} */ _, /** @type {(number | null)[]} */ ticks) => ticks.map(v => (v === null ? '' : values(v))), ...extra, ...size && { size },
    };
  }

  /** @param {Series} series @param {number} k */
  #series({ draw = 'line', dash, size, right }, k) {
    const stroke = () => this.#colour(k);
    const isFew = () => (this.#points[k]?.length ?? 0) <= 60;
    return {
      stroke, width: 2, dash, scale: right ? 'right' : 'y', spanGaps: true, ...draw === 'points' && { paths: () => null },
      points: { show: draw === 'auto' ? isFew : draw !== 'line', size: size ?? 5, fill: stroke, width: 0 },
    };
  }

  #build() {
    const { series, x, y, right } = this.#options;
    this.#plot?.destroy();
    this.#plot = new this.#uPlot({
      width: this.#place.clientWidth || 300, height: this.#place.clientHeight || 210,
      legend: { show: false }, cursor: { show: false }, padding: [8, 12, 0, 0],
      scales: {
        x: { time: false, distr: x?.log ? 3 : 1, range: rangeOf(x) }, y: { distr: y?.log ? 3 : 1, range: rangeOf(y) },
        ...right && { right: { distr: right.log ? 3 : 1, range: rangeOf(right) } },
      },
      axes: [
        this.#axis(x, { size: 28, space: x?.log ? 30 : 45 }), this.#axis(y, { size: 46 }),
        ...right ? [this.#axis(right, { scale: 'right', side: 1, size: 46, grid: { show: false } })] : [],
      ],
      series: [{}, ...series.map((one, k) => this.#series(one, k))],
    }, columnsOf(series.map((_, k) => this.#points[k] ?? [])), this.#place);
    this.#showLegend();
  }

  #showLegend() {
    this.#legend.replaceChildren(...this.#options.series.flatMap(({ name }, k) => {
      if (!name) return [];
      const entry = make('span', name), key = make('span', '');
      key.style.background = this.#colour(k);
      entry.prepend(key);
      return entry;
    }));
  }

  /**
   * Shows these points instead of those before, in the next frame.
   * @param {readonly (readonly Point[])[]} points of each series; values that are not finite are left out
   */
  set(points) {
    if (points.length !== this.#options.series.length) throw new HeddleError('argument', `set: points of ${points.length} series, expected ${this.#options.series.length}`);
    this.#points = points;
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#plot?.setData(columnsOf(this.#points));
    });
  }

  /** Changes what is shown and how; the points stay, if there are as many series. @param {Partial<LineOptions>} options what is to change: series, x, y or right */
  configure(options) {
    checkOptions(options, ['series', 'x', 'y', 'right'], 'configure');
    this.#options = { ...this.#options, ...options };
    if (this.#points.length !== this.#options.series.length) this.#points = [];
    this.#build();
  }

  /** What the chart shows, in words, for those who do not see it. @param {string} text read out after the chart's label */
  describe(text) {
    const { label } = this.#options;
    this.#element.setAttribute('aria-label', label ? `${label}: ${text}` : text);
  }

  /** Draws anew, with the colours that the page has now. */
  redraw() {
    this.#plot?.redraw(false, true);
    this.#showLegend();
  }

  /** Takes the chart away. */
  destroy() {
    cancelAnimationFrame(this.#frame);
    this.#observer.disconnect();
    forget(this);
    this.#plot?.destroy();
    this.#plot = null;
    this.#element.replaceChildren();
    for (const name of ['role', 'aria-label']) this.#element.removeAttribute(name);
  }
}

/**
 * A chart of lines, or points. Needs the package uplot; its style sheet is not needed.
 * @example
 * const chart = await lineChart(document.querySelector('#race'), { series: [{ name: 'Adam' }, { name: 'SGD' }], x: { label: 'seconds', log: true } });
 * chart.set([[[0.1, 0.9], [1, 0.95]], [[0.2, 0.8], [2, 0.9]]]);
 * @param {HTMLElement} element filled, as wide and high as CSS says, 240 pixels high unless told
 * @param {LineOptions & ChartOptions} options
 * @returns {Promise<LineChart>}
 * @throws {HeddleError} `unsupported` without uplot, or without a document; `argument`
 */
export async function lineChart(element, options) {
  checkElement(element, 'lineChart');
  checkOptions(options, optionNames, 'lineChart');
  if (!Array.isArray(options.series) || options.series.length === 0) throw new HeddleError('argument', `lineChart: series must be a list of one or more, got ${kindOf(options.series)}`);
  setTheme(element, options.theme, 'lineChart');
  return new LineChart(element, await loadPlot(options.uPlot, 'lineChart'), options);
}
