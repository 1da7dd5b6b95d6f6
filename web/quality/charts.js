// The charts: how the losses race, what is predicted against what was rated, and two sets' monotone curves.
import { colour, plot } from '../chart.js';
import { element } from '../page.js';

/** @typedef {[x: number, y: number]} Point */

const nothing = 'Nothing trained yet';
const round = (value) => value.toFixed(3);
/** The range of an axis, with a margin on both sides. */
const padded = (_, low, high) => {
  if (low == null || !(high >= low)) return [0, 1];
  const pad = Math.max(0.05 * (high - low), 1e-6 * Math.abs(high), 1e-9);
  return [low - pad, high + pad];
};

/** Series with an x of their own each, as uPlot wants them: points may share an x. @param {Point[][]} series */
function columnsOf(series) {
  const all = series.flatMap((points, k) => points.map(([x, y]) => ({ x, y, k }))).sort((a, b) => a.x - b.x);
  return [all.map(({ x }) => x), ...series.map((_, k) => all.map((point) => (point.k === k ? point.y : null)))];
}

/** One line for each loss over the epochs: SROCC and PLCC on pictures that were held back. */
export class Race {
  /** @type {Map<string, { epoch: number, srocc: number, plcc: number }[]>} */
  #lines = new Map();
  #isStale = false;

  /** @param {{ srocc: HTMLElement, plcc: HTMLElement, legend: HTMLElement }} places @param {{ id: string, name: string }[]} losses */
  constructor(places, losses) {
    Object.assign(this, { places, losses });
    const make = (place) => plot(place, {
      label: 'epochs', isPart: false, x: { range: (_, low, high) => [0, Math.max(high ?? 1, 2) * 1.02] },
      y: { range: (_, low, high) => (low == null ? [0, 1] : [Math.max(-1, Math.min(0, low)), 1]) },
      series: losses.map(({ id }) => ({
        stroke: colour(`--${id}`), width: 2, spanGaps: true, points: { show: true, size: 5, fill: colour(`--${id}`), width: 0 },
      })),
    });
    this.charts = { srocc: make(places.srocc), plcc: make(places.plcc) };
  }

  /** A run begins: it takes the place of the loss's run before. @param {string} loss */
  begin(loss) {
    this.#lines.set(loss, []);
    this.#isStale = true;
  }

  /** @param {string} loss @param {{ epoch: number, srocc: number, plcc: number }} point epoch: from 1 */
  add(loss, point) {
    this.#lines.get(loss).push(point);
    this.#isStale = true;
  }

  clear() {
    this.#lines.clear();
    this.#isStale = true;
  }

  /** Draws what is new; for requestAnimationFrame. */
  draw() {
    if (!this.#isStale) return;
    this.#isStale = false;
    const lines = this.losses.map(({ id }) => this.#lines.get(id) ?? []);
    for (const name of ['srocc', 'plcc']) {
      const points = lines.map((line) => line.map((log) => [log.epoch, log[name]]).filter(([, value]) => Number.isFinite(value)));
      this.charts[name].setData(columnsOf(points));
    }
    const shown = this.losses.filter((_, k) => lines[k].length > 0);
    this.places.legend.replaceChildren(...shown.map(({ id, name }) => {
      const key = element('span', 'key dot');
      key.style.background = `var(--${id})`;
      return element('span', '', key, ` ${name}`);
    }));
    for (const name of ['srocc', 'plcc']) {
      const text = shown.map((loss) => {
        const log = this.#lines.get(loss.id).at(-1);
        return `${loss.name} ${round(log[name])} after epoch ${log.epoch}`;
      });
      this.places[name].setAttribute('aria-label', text.length ? `${name.toUpperCase()}: ${text.join('; ')}. The table below has the best of each.` : nothing);
    }
  }
}

/** @param {string} name @param {number} size */
const dots = (name, size) => ({ stroke: colour(name), paths: () => null, points: { show: true, size, fill: colour(name), width: 0 } });

/** Predictions and ratings, of both parts, and the curve that maps the ones to the others. */
export class Scatter {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
    this.chart = plot(place, {
      label: 'prediction', isPart: false, x: { range: padded }, y: { range: padded }, yAxis: { label: 'rating', labelSize: 18, labelFont: '12px system-ui, sans-serif' },
      series: [dots('--learnt', 4), dots('--held', 6), { stroke: colour('--accent'), width: 2, spanGaps: true, points: { show: false } }],
    });
  }

  /** @param {{ learnt: Point[], held: Point[], curve: Point[] }} points @param {string} text what it shows, in words */
  show({ learnt, held, curve }, text) {
    this.chart.setData(columnsOf([learnt, held, curve]));
    this.place.setAttribute('aria-label', text || nothing);
  }

  clear() {
    this.show({ learnt: [], held: [], curve: [] }, '');
  }
}

/** Two data sets over one quality, each with a scale of its own. */
export class MixChart {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
    const line = (name, scale) => ({ scale, stroke: colour(name), width: 2.5, spanGaps: true, points: { show: false } });
    this.chart = plot(place, {
      label: 'quality common to both', isPart: false, x: { range: padded }, y: { range: padded }, yAxis: { stroke: colour('--first') },
      right: { stroke: colour('--second') },
      series: [{ scale: 'y', ...dots('--first', 4) }, { scale: 'right', ...dots('--second', 4) }, line('--first-line', 'y'), line('--second-line', 'right')],
    });
  }

  /** @param {{ points: [Point[], Point[]], curves: [Point[], Point[]] }} both @param {string} text */
  show({ points, curves }, text) {
    this.chart.setData(columnsOf([...points, ...curves]));
    this.place.setAttribute('aria-label', text);
  }
}
