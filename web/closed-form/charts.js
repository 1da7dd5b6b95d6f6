// The two charts: test accuracy against what a model grows in, and against the time that fitting takes.
import { lineChart } from 'heddle/vis';
import { byId, element, percent } from '../page.js';

/** @import { Method, Point } from './models.js' */

const labels = { rho: 'ρ: random features for each input', layers: 'layers', epochs: 'epochs' };
const words = { rho: 'the ratio ρ of features to inputs', layers: 'the number of layers', epochs: 'epochs' };
const least = { rho: 2, layers: 3, epochs: 2 };
/** Seconds, the least that the logarithmic axis shows: a browser's clock may say 0. */
const shortest = 1e-3;
/** 1, 2 or 5 times a power of ten: from other ends uPlot's logarithmic ticks may never reach the other one. @param {number} value above 0 */
function roundedDown(value) {
  const exponent = Math.floor(Math.log10(value));
  return Number(`${[5, 2].find((digit) => value >= Number(`${digit}e${exponent}`)) ?? 1}e${exponent}`);
}
/** The axis of accuracies: no lower than 0, no higher than 1. */
const accuracyRange = (low, high) => {
  if (low === null) return [0, 1];
  const pad = Math.max((high - low) * 0.08, high * 0.01, 1e-6);
  return [Math.max(0, low - pad), Math.min(1, high + pad)];
};
const round = (seconds) => String(+seconds.toPrecision(2));
/** The best of a run's points. @param {Point[]} points */
export const bestOf = (points) => points.reduce((best, point) => (point.accuracy > best.accuracy ? point : best));

export class Charts {
  /** The newest run of each method. @type {Map<string, Point[]>} */
  #runs = new Map();
  /** @type {'rho' | 'layers' | 'epochs'} */
  #axis = 'rho';
  #isStale = false;

  /** @param {Method[]} methods */
  static async make(methods) {
    const charts = new Charts(), make = (id, options) => lineChart(byId(`chart-${id}`), { legend: false, y: { percent: true, range: accuracyRange }, ...options });
    charts.methods = methods;
    [charts.growth, charts.time] = await Promise.all([
      make('growth', charts.#growth()),
      make('time', {
        // Ratios are fits of their own, no line leads from one to the other.
        series: methods.map(({ id, name, axis }) => ({ name, colour: `var(--${id})`, draw: axis === 'rho' ? 'points' : 'both', size: axis ? 7 : 11 })),
        x: {
          label: 'seconds of fitting', log: true, format: (value) => String(+value.toPrecision(1)),
          range: (low, high) => [roundedDown(Math.min(low ?? 0.1, 0.1) / 1.3), Math.max(high ?? 10, 1) * 1.3],
        },
      }),
    ]);
    charts.#describe([]);
    return charts;
  }

  /** What the first chart looks like: what does not grow along its axis is a level line. */
  #growth() {
    const isOn = ({ axis }) => axis === this.#axis;
    return {
      series: this.methods.map((method) => ({
        name: method.name, colour: `var(--${method.id})`, size: method.axis ? 7 : 11, draw: isOn(method) ? 'both' : 'line', dash: isOn(method) ? undefined : [6, 5],
      })),
      x: { label: labels[this.#axis], range: (_, high) => [0, Math.max(high ?? 0, least[this.#axis]) * 1.03] },
    };
  }

  /** Chooses what the first chart shows. @param {Method} method */
  look({ axis }) {
    if (!axis || axis === this.#axis) return;
    this.#axis = axis;
    this.growth.configure(this.#growth());
    this.#isStale = true;
  }

  /** A run begins: its points take the place of those of the run before. @param {Method} method */
  begin(method) {
    this.look(method);
    this.#runs.set(method.id, []);
    this.#isStale = true;
  }

  /** @param {Method} method @param {Point} point */
  add({ id }, point) {
    this.#runs.get(id).push(point);
    this.#isStale = true;
  }

  clear() {
    this.#runs.clear();
    this.#isStale = true;
  }

  /** Draws what is new; for requestAnimationFrame. */
  draw() {
    if (!this.#isStale) return;
    this.#isStale = false;
    const runs = this.methods.map((method) => ({ method, points: this.#runs.get(method.id) ?? [] }));
    const own = runs.filter(({ method }) => method.axis === this.#axis).flatMap(({ points }) => points.map(({ x }) => x));
    const end = Math.max(...own, least[this.#axis]);
    this.growth.set(runs.map(({ method, points }) => {
      if (method.axis === this.#axis) return points.map(({ x, accuracy }) => [x, accuracy]);
      const best = points.length ? bestOf(points).accuracy : 0;
      return points.length ? [[0, best], [end, best]] : [];
    }));
    this.time.set(runs.map(({ points }) => points.map(({ seconds, accuracy }) => [Math.max(seconds, shortest), accuracy])));
    this.#describe(runs.filter(({ points }) => points.length > 0));
  }

  /** @param {{ method: Method, points: Point[] }[]} runs */
  #describe(runs) {
    const title = `Test accuracy against ${words[this.#axis]}`;
    byId('growth-title').textContent = title;
    byId('legend').replaceChildren(...runs.map(({ method: { id, name, axis } }) => {
      const key = element('span', 'key');
      key.style.background = `var(--${id})`;
      return element('span', '', key, axis && axis !== this.#axis ? ` ${name}, its best` : ` ${name}`);
    }));
    const best = runs.map(({ method: { name }, points }) => ({ name, point: bestOf(points) }));
    const tell = (text) => (best.length ? `${best.map(text).join('; ')}. The table below has all points.` : 'Nothing fitted yet.');
    this.growth.describe(`${title}: ${tell(({ name, point }) => `${name} ${percent(point.accuracy)} at ${point.setting}`)}`);
    this.time.describe(`Test accuracy against seconds: ${tell(({ name, point }) => `${name} ${percent(point.accuracy)} in ${round(point.seconds)} s`)}`);
  }
}

/** The table: a line for each run, and all points below. */
export class Results {
  #line = null;
  #rows = new Map();
  #method = null;
  #data = '';

  /** @param {HTMLTableSectionElement} runs @param {HTMLTableSectionElement} all */
  constructor(runs, all) {
    Object.assign(this, { runs, all });
    this.clear();
  }

  clear() {
    this.runs.replaceChildren(element('tr', 'muted', Object.assign(element('td', '', 'Nothing fitted yet.'), { colSpan: 4 })));
    this.all.replaceChildren();
  }

  /** @param {Method} method @param {string} data what it learns from */
  begin(method, data) {
    if (this.all.rows.length === 0) this.runs.replaceChildren();
    this.#line = this.runs.insertRow(0);
    this.#rows = new Map();
    this.#method = method;
    this.#data = data;
  }

  /** A run that came to nothing leaves no line. */
  end() {
    if (this.#rows.size > 0) return;
    this.#line.remove();
    if (this.runs.rows.length === 0) this.clear();
  }

  /** What the line tells of: of a sweep the best, else where the growth has come. @param {Point} point */
  add(point) {
    this.#rows.set(point, this.all.insertRow(0));
    this.#write(this.#rows.get(point), point);
    const points = [...this.#rows.keys()];
    this.#write(this.#line, this.#method.axis === 'rho' ? bestOf(points) : point);
  }

  /** The model of a point is there. @param {Point} point @param {{ learnt: number, random: number }} weights */
  fitted(point, weights) {
    Object.assign(point, weights);
    this.#write(this.#rows.get(point), point);
    this.#write(this.#line, this.#method.axis === 'rho' ? bestOf([...this.#rows.keys()]) : point);
  }

  #write(row, { setting, learnt, random, accuracy, seconds }) {
    const weights = learnt === undefined ? '–' : `${learnt.toLocaleString('en')}${random ? ` + ${random.toLocaleString('en')} random` : ''}`;
    const head = element('th', '', this.#method.name, element('div', 'muted small', `${setting}, ${this.#data}`));
    head.scope = 'row';
    row.replaceChildren(head, ...[percent(accuracy), `${round(seconds)} s`, weights].map((text) => element('td', '', text)));
  }
}
