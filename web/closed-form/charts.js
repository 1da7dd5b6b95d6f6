// The two charts: test accuracy against what a model grows in, and against the time that fitting takes.
import { colour, plot } from '../chart.js';
import { element, percent } from '../page.js';

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
const round = (seconds) => String(+seconds.toPrecision(2));
/** The best of a run's points. @param {Point[]} points */
export const bestOf = (points) => points.reduce((best, point) => (point.accuracy > best.accuracy ? point : best));

/** Draws series that have their own x each. @param {import('uplot').default} chart @param {{ x: number, y: number }[][]} series */
function fill(chart, series) {
  const xs = [...new Set(series.flatMap((points) => points.map(({ x }) => x)))].sort((a, b) => a - b), places = new Map(xs.map((x, i) => [x, i]));
  const columns = series.map((points) => {
    const column = Array(xs.length).fill(null);
    for (const { x, y } of points) column[places.get(x)] = y;
    return column;
  });
  chart.setData([xs, ...columns]);
}

export class Charts {
  /** The newest run of each method. @type {Map<string, Point[]>} */
  #runs = new Map();
  /** @type {'rho' | 'layers' | 'epochs'} */
  #axis = 'rho';
  #isStale = false;

  /** @param {{ growth: HTMLElement, time: HTMLElement, title: HTMLElement, legend: HTMLElement }} places @param {Method[]} methods */
  constructor(places, methods) {
    Object.assign(this, { places, methods });
    const series = ({ id, axis }, isGrowth) => ({
      stroke: colour(`--${id}`), width: 2, spanGaps: true, ...!isGrowth && axis === 'rho' && { paths: () => null }, // fits of their own
      points: { show: () => !isGrowth || axis === this.#axis, size: axis ? 7 : 11, fill: colour(`--${id}`), width: 0 },
    });
    this.growth = plot(places.growth, {
      label: labels.rho, isPart: true, series: methods.map((method) => series(method, true)),
      x: { range: (_, low, high) => [0, Math.max(high ?? 0, least[this.#axis]) * 1.03] },
    });
    this.#dash();
    this.time = plot(places.time, {
      label: 'seconds of fitting', isPart: true, series: methods.map((method) => series(method, false)),
      x: { distr: 3, range: (_, low, high) => [roundedDown(Math.min(low ?? 0.1, 0.1) / 1.3), Math.max(high ?? 10, 1) * 1.3] },
      xAxis: { space: 30, values: (_, ticks) => ticks.map((tick) => (tick === null ? '' : String(+tick.toPrecision(1)))) },
    });
  }

  /** Chooses what the first chart shows. @param {Method} method */
  look({ axis }) {
    if (!axis || axis === this.#axis) return;
    this.#axis = axis;
    this.growth.axes[0].label = labels[axis];
    this.#dash();
    this.#isStale = true;
  }

  /** What does not grow along the axis is a level line. */
  #dash() {
    this.methods.forEach(({ axis }, i) => { this.growth.series[i + 1].dash = axis === this.#axis ? undefined : [6, 5]; });
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
    fill(this.growth, runs.map(({ method, points }) => {
      if (method.axis === this.#axis) return points.map(({ x, accuracy }) => ({ x, y: accuracy }));
      const best = points.length ? bestOf(points).accuracy : 0;
      return points.length ? [{ x: 0, y: best }, { x: end, y: best }] : [];
    }));
    fill(this.time, runs.map(({ points }) => points.map(({ seconds, accuracy }) => ({ x: Math.max(seconds, shortest), y: accuracy }))));
    this.#describe(runs.filter(({ points }) => points.length > 0));
  }

  /** @param {{ method: Method, points: Point[] }[]} runs */
  #describe(runs) {
    const { title, growth, time, legend } = this.places;
    title.textContent = `Test accuracy against ${words[this.#axis]}`;
    legend.replaceChildren(...runs.map(({ method: { id, name, axis } }) => {
      const key = element('span', 'key');
      key.style.background = `var(--${id})`;
      return element('span', '', key, axis && axis !== this.#axis ? ` ${name}, its best` : ` ${name}`);
    }));
    const best = runs.map(({ method: { name }, points }) => ({ name, point: bestOf(points) }));
    const tell = (text) => (best.length ? `${best.map(text).join('; ')}. The table below has all points.` : 'Nothing fitted yet.');
    growth.setAttribute('aria-label', `${title.textContent}: ${tell(({ name, point }) => `${name} ${percent(point.accuracy)} at ${point.setting}`)}`);
    time.setAttribute('aria-label', `Test accuracy against seconds: ${tell(({ name, point }) => `${name} ${percent(point.accuracy)} in ${round(point.seconds)} s`)}`);
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
