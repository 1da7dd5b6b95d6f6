// The charts: how the losses race, what is predicted against what was rated, and two sets' monotone curves.
import { lineChart, scatterChart } from 'heddle/vis';
import { byId, element } from '../page.js';

/** @typedef {[x: number, y: number]} Point */

const nothing = 'Nothing trained yet';
const round = (value) => value.toFixed(3);

/** One line for each loss over the epochs: SROCC and PLCC on pictures that were held back. */
export class Race {
  /** @type {Map<string, { epoch: number, srocc: number, plcc: number }[]>} */
  #lines = new Map();

  /** @param {{ id: string, name: string }[]} losses */
  static async make(losses) {
    const race = new Race();
    const make = (name) => lineChart(byId(`chart-${name}`), {
      label: name.toUpperCase(), legend: false, series: losses.map(({ id, name: text }) => ({ name: text, colour: `var(--${id})`, draw: 'both' })),
      x: { label: 'epochs', range: (_, high) => [0, Math.max(high ?? 1, 2) * 1.02] }, y: { range: (low) => (low === null ? [0, 1] : [Math.max(-1, Math.min(0, low)), 1]) },
    });
    race.losses = losses;
    race.charts = Object.fromEntries(await Promise.all(['srocc', 'plcc'].map(async (name) => [name, await make(name)])));
    race.clear();
    return race;
  }

  /** A run begins: it takes the place of the loss's run before. @param {string} loss */
  begin(loss) {
    this.#lines.set(loss, []);
    this.#show();
  }

  /** @param {string} loss @param {{ epoch: number, srocc: number, plcc: number }} point epoch: from 1 */
  add(loss, point) {
    this.#lines.get(loss).push(point);
    this.#show();
  }

  clear() {
    this.#lines.clear();
    this.#show();
  }

  #show() {
    const lines = this.losses.map(({ id }) => this.#lines.get(id) ?? []), shown = this.losses.filter((_, k) => lines[k].length > 0);
    byId('legend').replaceChildren(...shown.map(({ id, name }) => {
      const key = element('span', 'key dot');
      key.style.background = `var(--${id})`;
      return element('span', '', key, ` ${name}`);
    }));
    for (const [name, chart] of Object.entries(this.charts)) {
      chart.set(lines.map((line) => line.map((log) => [log.epoch, log[name]])));
      const text = shown.map((loss) => {
        const log = this.#lines.get(loss.id).at(-1);
        return `${loss.name} ${round(log[name])} after epoch ${log.epoch}`;
      });
      chart.describe(text.length ? `${text.join('; ')}. The table below has the best of each.` : nothing);
    }
  }
}

/** Predictions and ratings, of both parts, and the curve that maps the ones to the others. @param {HTMLElement} place */
export async function makeScatter(place) {
  const chart = await scatterChart(place, {
    legend: false, mappingColour: 'var(--accent)', label: 'Predictions against ratings',
    sets: [{ predicted: [], rated: [], colour: 'var(--learnt)', size: 4 }, { predicted: [], rated: [], colour: 'var(--held)', size: 6 }],
  });
  /** @param {Point[]} points */
  const set = (points) => ({ predicted: points.map(([x]) => x), rated: points.map(([, y]) => y) });
  /** @param {import('./losses.js').Points} points @param {string} text what it shows, in words */
  return ({ learnt, held, map }, text) => chart.set({ sets: [set(learnt), set(held)], mapping: map }, text);
}

/** Two data sets over one quality, each with a scale of its own. @param {HTMLElement} place */
export async function makeMixChart(place) {
  const dots = (name, right) => ({ name: '', colour: `var(--${name})`, draw: 'points', size: 4, right }), line = (name, right) => ({ name: '', colour: `var(--${name}-line)`, right });
  const chart = await lineChart(place, {
    legend: false, x: { label: 'quality common to both' }, y: { colour: 'var(--first)' }, right: { colour: 'var(--second)' },
    series: [dots('first', false), dots('second', true), line('first', false), line('second', true)],
  });
  /** @param {{ points: [Point[], Point[]], curves: [Point[], Point[]] }} both @param {string} text */
  return ({ points, curves }, text) => {
    chart.set([...points, ...curves]);
    chart.describe(text);
  };
}
