// Charts. Of training: loss and accuracy over epochs, of training digits while they pass and of test digits after each epoch.
import uPlot from 'uplot';

const mostPoints = 500;
/** A colour of the page's style, as it is now. @param {string} name */
export const colour = (name) => () => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** @param {number[]} range @param {boolean} isPart 0..1 */
function valueRange([low, high], isPart) {
  if (low == null || !(high >= low)) return [0, 1]; // nothing to show yet
  const pad = Math.max((high - low) * 0.08, high * 0.01, 1e-6);
  return [Math.max(0, low - pad), isPart ? Math.min(1, high + pad) : high + pad];
}

/**
 * A chart that keeps to the size of its place and to the page's colours.
 * @param {HTMLElement} place
 * @param {{ label: string, isPart: boolean, x: object, xAxis?: object, series: object[], y?: object, yAxis?: object, right?: object }} about
 *   label: of the x axis; isPart: y is an accuracy, shown in per cent; x, y: their scales; series: without that of x; right: axis
 *   of a second scale of y, `right`
 */
export function plot(place, { label, isPart, x, xAxis, series, y, yAxis, right }) {
  const font = '12px system-ui, sans-serif';
  const axis = (extra) => ({ stroke: colour('--muted'), font, ticks: { show: false }, grid: { stroke: colour('--line'), width: 1 }, ...extra });
  const made = new uPlot({
    width: place.clientWidth || 300, height: place.clientHeight || 210,
    legend: { show: false }, cursor: { show: false }, padding: [8, 12, 0, 0],
    scales: { x: { time: false, ...x }, y: { range: (_, low, high) => valueRange([low, high], isPart), ...y }, ...right && { right: { ...y } } },
    axes: [
      axis({ label, labelSize: 18, labelFont: font, size: 28, space: 45, ...xAxis }),
      axis({ size: 46, values: (_, ticks) => ticks.map((v) => (isPart ? `${+(v * 100).toFixed(1)} %` : String(+v.toPrecision(3)))), ...yAxis }),
      ...right ? [axis({ scale: 'right', side: 1, size: 46, ...right, grid: { show: false } })] : [],
    ],
    series: [{}, ...series],
  }, [[], ...series.map(() => [])], place);
  const size = () => made.setSize({ width: place.clientWidth, height: place.clientHeight });
  new ResizeObserver(size).observe(place);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => made.redraw(false, true));
  return made;
}

/** @param {HTMLElement} place @param {boolean} isPart */
const trainingPlot = (place, isPart) => plot(place, {
  label: 'epochs', isPart, x: { range: (_, low, high) => [0, Math.max(high ?? 1, 1) * 1.015] },
  series: [
    { stroke: colour('--accent'), width: 2, spanGaps: true, points: { show: false } },
    {
      stroke: colour('--warm'), width: 2, spanGaps: true,
      points: { show: ({ data }) => data[2].filter((v) => v !== null).length <= 60, size: 6, fill: colour('--warm'), width: 0 },
    },
  ],
});

/** @typedef {{ x: number, loss: number, accuracy: number }} Point */

/** One curve; when it gets long, every second point goes and new ones come half as often. */
class Track {
  /** @type {Point[]} */
  points = [];
  #spacing = 0;

  /** @param {Point} point */
  add(point) {
    const { points } = this;
    if (points.length > 0 && point.x - points.at(-1).x < this.#spacing) return;
    points.push(point);
    if (points.length <= mostPoints) return;
    this.points = points.filter((_, i) => i % 2 === 0);
    this.#spacing = (point.x - points[0].x) / this.points.length;
  }
}

export class Curves {
  #train = new Track();
  #test = new Track();
  #window = { done: 0, loss: 0, accuracy: 0 };
  /** Epochs so far. */
  end = 0;
  #needsDraw = false;

  /** @param {HTMLElement} lossPlace @param {HTMLElement} accuracyPlace */
  constructor(lossPlace, accuracyPlace) {
    this.places = [lossPlace, accuracyPlace];
    this.plots = [trainingPlot(lossPlace, false), trainingPlot(accuracyPlace, true)];
  }

  clear() {
    this.#train = new Track();
    this.#test = new Track();
    this.end = 0;
    this.#label(null);
    this.#needsDraw = true;
  }

  /**
   * The log of a batch. Its values are means over the epoch so far; the curve shows means over the last twentieth of an
   * epoch, which follow from two of them.
   * @param {number} x epochs
   * @param {{ batch: number, batches: number, loss: number, accuracy: number }} log
   */
  batch(x, { batch, batches, loss, accuracy }) {
    this.end = x;
    if (batch === 0) this.#window = { done: 0, loss: 0, accuracy: 0 };
    const done = batch + 1, { done: before } = this.#window, span = done - before;
    if (span < batches / 20 || !Number.isFinite(loss)) return;
    const mean = (value, old) => Math.max(0, (value * done - old * before) / span);
    this.#train.add({ x, loss: mean(loss, this.#window.loss), accuracy: Math.min(1, mean(accuracy, this.#window.accuracy)) });
    this.#needsDraw = true;
    this.#window = { done, loss, accuracy };
  }

  /**
   * The log of an epoch.
   * @param {number} x
   * @param {{ loss: number, accuracy: number, val_loss: number, val_accuracy: number }} log
   * @param {boolean} isWhole it is all there is of training, too
   */
  epoch(x, log, isWhole) {
    this.end = x;
    if (isWhole) this.#train.add({ x, loss: log.loss, accuracy: log.accuracy });
    this.#test.add({ x, loss: log.val_loss, accuracy: log.val_accuracy });
    this.#needsDraw = true;
    this.#label(log);
  }

  /** @param {{ val_loss: number, val_accuracy: number } | null} log */
  #label(log) {
    const loss = log ? `test loss ${log.val_loss.toFixed(3)}` : 'not trained yet';
    const accuracy = log ? `test accuracy ${(log.val_accuracy * 100).toFixed(1)} %` : 'not trained yet';
    [`Loss: ${loss}`, `Accuracy: ${accuracy}`].forEach((text, i) => {
      this.places[i].setAttribute('aria-label', `${text}. The table below has the figures.`);
    });
  }

  /** Draws what is new; for requestAnimationFrame. */
  draw() {
    if (!this.#needsDraw) return;
    this.#needsDraw = false;
    const merged = [...this.#train.points.map((point) => [point, null]), ...this.#test.points.map((point) => [null, point])]
      .sort(([a, b], [c, d]) => (a ?? b).x - (c ?? d).x);
    const x = merged.map(([train, test]) => (train ?? test).x);
    ['loss', 'accuracy'].forEach((name, i) => this.plots[i].setData([
      x, merged.map(([train]) => train?.[name] ?? null), merged.map(([, test]) => test?.[name] ?? null),
    ]));
  }
}
