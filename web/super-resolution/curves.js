// The chart of a training: PSNR of what is held back after each epoch, beside that of the bicubic filter, and the loss.
import { colour, plot } from '../chart.js';

const padded = (_, low, high) => {
  if (low == null || !(high >= low)) return [0, 1];
  const pad = Math.max(0.08 * (high - low), 0.02);
  return [low - pad, high + pad];
};
const mostPoints = 600;

export class Curves {
  /** @type {{ epoch: number, psnr?: number, loss: number }[]} */
  #points = [];
  #bicubic = NaN;
  #isStale = true;

  /** @param {HTMLElement} psnrPlace @param {HTMLElement} lossPlace */
  constructor(psnrPlace, lossPlace) {
    this.places = [psnrPlace, lossPlace];
    const x = { range: (_, low, high) => [0, Math.max(high ?? 1, 1) * 1.02] }, line = { width: 2, spanGaps: true, points: { show: false } };
    this.psnr = plot(psnrPlace, {
      label: 'epochs', isPart: false, x, y: { range: padded }, yAxis: { values: (_, ticks) => ticks.map((v) => `${+v.toFixed(2)} dB`), size: 62 },
      series: [{ ...line, stroke: colour('--warm'), points: { show: true, size: 5, fill: colour('--warm'), width: 0 } }, { ...line, stroke: colour('--muted'), dash: [6, 4] }],
    });
    this.loss = plot(lossPlace, { label: 'epochs', isPart: false, x, y: {}, yAxis: { values: (_, ticks) => ticks.map((v) => v.toPrecision(2)), size: 62 }, series: [{ ...line, stroke: colour('--accent') }] });
  }

  clear() {
    this.#points = [];
    this.#bicubic = NaN;
    this.#label();
    this.#isStale = true;
  }

  /** @param {{ epoch: number, psnr?: number, loss: number }} point epoch: from 1 @param {number | null} bicubic dB */
  add(point, bicubic) {
    this.#points.push(point);
    if (this.#points.length > mostPoints) this.#points = this.#points.filter((one, i) => one.psnr !== undefined || i % 2 === 0);
    this.#bicubic = bicubic ?? NaN;
    this.#label();
    this.#isStale = true;
  }

  #label() {
    const last = this.#points.at(-1), best = Math.max(...this.#points.map(({ psnr }) => psnr ?? -Infinity));
    const texts = last ? [best > -Infinity ? `PSNR: best ${best.toFixed(2)} dB of ${last.epoch} epochs, bicubic ${this.#bicubic.toFixed(2)} dB` : 'PSNR: not measured yet', `Loss ${last.loss.toPrecision(3)} after epoch ${last.epoch}`]
      : ['Nothing trained yet', 'Nothing trained yet'];
    texts.forEach((text, i) => this.places[i].setAttribute('aria-label', text));
  }

  /** Draws what is new; for requestAnimationFrame. */
  draw() {
    if (!this.#isStale) return;
    this.#isStale = false;
    const x = this.#points.map(({ epoch }) => epoch), flat = Number.isNaN(this.#bicubic) ? null : this.#bicubic;
    this.psnr.setData([x, this.#points.map(({ psnr }) => psnr ?? null), x.map(() => flat)]);
    this.loss.setData([x, this.#points.map(({ loss }) => (Number.isFinite(loss) ? loss : null))]);
  }
}
