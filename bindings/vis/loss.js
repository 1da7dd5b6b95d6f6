/** The chart of a training: a loss or metric over epochs, of what is trained on while it passes and of validation after each epoch. */
import { HeddleError, checkOptions, kindOf } from '../errors.js';
import { LineChart, lineChart } from './plot.js';

/** @import { Axis, ChartOptions, Point } from './plot.js' */
/** @import { History, TrainingLog } from '../fit_options.js' */
/**
 * @typedef {object} LossOptions
 * @property {string} [metric] name in the logs, `loss` unless told; that of validation is val_ and the name
 * @property {{ training?: string, validation?: string }} [names] for the legend and screen readers
 * @property {{ training?: string, validation?: string, baseline?: string }} [colours] of CSS, also `var(--name)`
 * @property {{ name: string, value: number } | null} [baseline] a level line to compare with
 * @property {Axis} [y] percent: the metric is 0..1 and shown in per cent, as accuracy is unless told otherwise
 */

const mostPoints = 500;
const optionNames = ['label', 'legend', 'theme', 'uPlot', 'metric', 'names', 'colours', 'baseline', 'y'];

/** One curve; when it gets long, every second point goes and new ones come half as often. */
class Track {
  /** @type {Point[]} */
  points = [];
  #spacing = 0;

  /** @param {Point} point */
  add(point) {
    const { points } = this;
    if (points.length > 0 && point[0] - points[points.length - 1][0] < this.#spacing) return;
    points.push(point);
    if (points.length <= mostPoints) return;
    this.points = points.filter((_, i) => i % 2 === 0);
    this.#spacing = (point[0] - points[0][0]) / this.points.length;
  }

  /** Forgets what came after x. @param {number} x */
  cut(x) {
    this.points = this.points.filter(([at]) => at <= x);
  }
}

/** Never below 0 for what is above it, nor above 100 %. @param {boolean} isPart @returns {NonNullable<Axis['range']>} */
const valueRange = isPart => (low, high) => {
  if (low === null || high === null || !(high >= low)) return [0, 1]; // nothing to show yet
  const pad = Math.max((high - low) * 0.08, Math.abs(high) * 0.01, 1e-6);
  return [low < 0 ? low - pad : Math.max(0, low - pad), isPart ? Math.min(1, high + pad) : high + pad];
};

/** A chart that follows a training: `lossChart` makes it. */
export class LossChart {
  #chart;
  #metric;
  #names;
  #format;
  /** @type {LossOptions['baseline']} */
  #baseline;
  #train = new Track();
  #valid = new Track();
  /** Of the running epoch: batches that are in the curve, and the mean over them. */
  #window = { done: 0, mean: 0 };
  /** Epochs of fits before, epochs so far, epochs of this fit that have ended. */
  #begin = 0;
  #end = 0;
  #ended = 0;

  /** @param {LineChart} chart @param {{ metric: string, names: { training: string, validation: string }, format: (value: number) => string, baseline: LossOptions['baseline'] }} about */
  constructor(chart, { metric, names, format, baseline }) {
    this.#chart = chart;
    this.#metric = metric;
    this.#names = names;
    this.#format = format;
    this.#baseline = baseline;
    this.#show();
  }

  /** Epochs in the chart. */
  get end() {
    return this.#end;
  }

  /** Another fit begins: its epochs, counted from 0, come after those in the chart. */
  begin() {
    this.#begin = this.#end;
    this.#ended = 0;
  }

  /**
   * Takes a log of fit: `onEpochEnd: (epoch, logs) => chart.add(epoch, logs)`, the same for onBatchEnd if training is to be seen within epochs,
   * or each of `for await (const log of net.train(...)) chart.add(log)`. Logs that begin again at an epoch that has ended are another fit's;
   * within an epoch they are one that was rolled back.
   * @param {number | TrainingLog} first the number of the epoch or batch, which the log has, too; or the log
   * @param {TrainingLog} [second] the log, if the number came first
   */
  add(first, second) {
    const log = typeof first === 'object' ? first : second;
    if (log === null || typeof log !== 'object') throw new HeddleError('argument', `add: expected a log of fit, got ${kindOf(log)}`);
    if (log.type === 'batch') this.#addBatch(log);
    else this.#addEpoch(log.epoch ?? first, log);
    this.#show();
  }

  /** @param {number} epoch */
  #goTo(epoch) {
    if (epoch < this.#ended) this.begin();
    const x = this.#begin + epoch;
    if (x >= this.#end) return;
    for (const track of [this.#train, this.#valid]) track.cut(x);
  }

  /** Values in logs of batches are means over the epoch so far; the curve shows means over its last twentieth, which follow from two of them.
   * @param {TrainingLog} log */
  #addBatch({ epoch, batch, batches, [this.#metric]: value }) {
    if (!batches) return; // a generator that did not say how many: there is no place on the axis
    if (batch === 0 || epoch < this.#ended) {
      this.#goTo(epoch);
      this.#window = { done: 0, mean: 0 };
    }
    const done = batch + 1, { done: before, mean } = this.#window, span = done - before;
    this.#end = this.#begin + epoch + done / batches;
    if (span < batches / 20 || !Number.isFinite(value)) return;
    this.#train.add([this.#end, (value * done - mean * before) / span]);
    this.#window = { done, mean: value };
  }

  /** @param {number} epoch @param {{ [name: string]: any }} log */
  #addEpoch(epoch, { [this.#metric]: value, [`val_${this.#metric}`]: valid }) {
    if (epoch < this.#ended) this.#goTo(epoch);
    const x = this.#begin + epoch + 1, last = this.#train.points.at(-1);
    this.#end = x;
    this.#ended = epoch + 1;
    if (Number.isFinite(value) && !(last && last[0] > x - 1)) this.#train.add([x, value]); // no batches were told
    if (Number.isFinite(valid)) this.#valid.add([x, valid]);
  }

  /** Shows what a fit returned, instead of all before. @param {Pick<History, 'history' | 'epoch'>} history with the metric that the chart shows */
  set({ history, epoch }) {
    if (!history || !Array.isArray(epoch)) throw new HeddleError('argument', 'set: expected the history that fit returns');
    if (!history[this.#metric] && !history[`val_${this.#metric}`]) throw new HeddleError('argument', `set: no ${this.#metric} in this history; it has ${Object.keys(history).join(', ')}`);
    this.clear();
    epoch.forEach((number, i) => this.#addEpoch(number, Object.fromEntries(Object.entries(history).map(([name, values]) => [name, values[i]]))));
    this.#show();
  }

  /** @param {{ name: string, value: number } | null} baseline a level line to compare with */
  compare(baseline) {
    this.#baseline = baseline;
    this.#show();
  }

  /** Forgets all curves; the baseline stays. */
  clear() {
    this.#train = new Track();
    this.#valid = new Track();
    this.#window = { done: 0, mean: 0 };
    this.#begin = this.#end = this.#ended = 0;
    this.#show();
  }

  #show() {
    const end = Math.max(this.#end, 1), level = this.#baseline;
    /** @type {Point[]} */
    const line = level ? [[0, level.value], [end, level.value]] : [], shown = [this.#train, this.#valid];
    this.#chart.set([...shown.map(({ points }) => points.slice()), line]);
    const { training, validation } = this.#names, format = this.#format;
    const said = [training, validation].flatMap((name, k) => {
      const last = shown[k].points.at(-1);
      return last ? [`${name} ${format(last[1])}`] : [];
    });
    if (level) said.push(`${level.name} ${format(level.value)}`);
    this.#chart.describe(said.length > (level ? 1 : 0) ? `${said.join(', ')}, after ${+this.#end.toFixed(1)} epochs` : 'not trained yet');
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
 * A chart that follows a training. Needs the package uplot; its style sheet is not needed.
 * @example
 * import { lossChart } from 'heddle/vis';               // npm install uplot
 * const chart = await lossChart(document.querySelector('#chart'));
 * await net.fit(x, y, { epochs: 20, validationSplit: 0.1, onEpochEnd: (epoch, logs) => chart.add(epoch, logs) });
 * const accuracy = await lossChart(document.querySelector('#accuracy'), { metric: 'accuracy' });
 * accuracy.set(await net.fit(x, y, { epochs: 5 }));     // or afterwards, from the history
 * @param {HTMLElement} element filled, as wide and high as CSS says, 240 pixels high unless told
 * @param {LossOptions & ChartOptions} [options]
 * @returns {Promise<LossChart>}
 * @throws {HeddleError} `unsupported` without uplot, or without a document; `argument`
 */
export async function lossChart(element, options = {}) {
  checkOptions(options, optionNames, 'lossChart');
  const { metric = 'loss', baseline = null, colours = {}, label = metric, legend, theme, uPlot } = options, isPart = options.y?.percent ?? /accuracy$/i.test(metric);
  const names = { training: 'training', validation: 'validation', ...options.names };
  const format = options.y?.format ?? ((/** @type {number} */ v) => (isPart ? `${(v * 100).toFixed(1)} %` : String(+v.toPrecision(3))));
  const chart = await lineChart(element, {
    label, legend, theme, uPlot, x: { label: 'epochs', range: (_, high) => [0, Math.max(high ?? 1, 1) * 1.015] }, y: { range: valueRange(isPart), percent: isPart, ...options.y },
    series: [
      { name: names.training, colour: colours.training }, { name: names.validation, colour: colours.validation, draw: 'auto', size: 6 },
      { name: baseline?.name ?? '', colour: colours.baseline ?? 'GrayText', dash: [6, 4] },
    ],
  });
  return new LossChart(chart, { metric, names, format, baseline });
}
