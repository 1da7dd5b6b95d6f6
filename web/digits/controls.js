// The settings form: reads it, checks it in words, and shows the settings of a loaded model in it.
import { SettingsForm } from '../form.js';
import { byId } from '../page.js';

const defaultSizes = [[20, 20], [16, 16], [12, 12]];
/** log10 of the learning rate that suits each optimiser. */
const defaultRates = { sgd: -1, adam: -1.7, rmsprop: -2.5, lbfgs: 0 };

/**
 * @typedef {object} Settings
 * @property {number} rows training digits
 * @property {[number, number][]} sizes rows and columns of each matrix layer
 * @property {string} activation
 * @property {boolean} unitNorm
 * @property {number} seed
 * @property {'sgd' | 'adam' | 'rmsprop' | 'lbfgs'} optimizer
 * @property {number} rate
 * @property {'cosine' | 'constant'} schedule of the rate
 * @property {number} batchSize
 * @property {number} epochs
 * @property {number} threads
 */

/** A name and value of each part that makes another network. @param {Settings} settings */
export const networkKey = ({ sizes, activation, unitNorm, seed }) => JSON.stringify([sizes, activation, unitNorm, seed]);

function sizeRow(index, [rows, cols]) {
  const line = document.createElement('div');
  line.className = 'size';
  line.append(`Layer ${index + 1}`);
  for (const [name, value] of [['rows', rows], ['columns', cols]]) {
    const input = Object.assign(document.createElement('input'), {
      type: 'number', name: `${name}${index}`, min: '1', max: '64', step: '1', required: true, value: String(value), inputMode: 'numeric',
    });
    input.setAttribute('aria-label', `Layer ${index + 1}: ${name}`);
    if (name === 'columns') line.append('×');
    line.append(input);
  }
  return line;
}

export class Controls extends SettingsForm {
  /** @param {{ onNetwork: () => void, onRate: (rate: number) => void }} listeners */
  constructor({ onNetwork, onRate }) {
    super(onRate);
    const { elements } = this.form;
    this.#showSizes(defaultSizes.slice(0, 2));
    elements.depth.addEventListener('change', () => {
      const old = this.#sizes();
      this.#showSizes(Array.from({ length: Number(elements.depth.value) }, (_, i) => old[i] ?? defaultSizes[i]));
    });
    elements.optimizer.addEventListener('change', () => {
      this.showRate(10 ** defaultRates[elements.optimizer.value]);
      this.#showOptimizer();
    });
    this.form.addEventListener('change', onNetwork);
  }

  /** @param {[number, number][]} sizes */
  #showSizes(sizes) {
    byId('sizes').replaceChildren(...sizes.map((size, i) => sizeRow(i, size)));
  }

  #sizes() {
    return Array.from(byId('sizes').children, (line) => Array.from(line.querySelectorAll('input'), (input) => Number(input.value)));
  }

  /** L-BFGS takes all digits at once and searches its own steps. */
  #showOptimizer() {
    const { elements } = this.form, isWhole = elements.optimizer.value === 'lbfgs';
    elements.rate.disabled = elements.schedule.disabled = isWhole;
    byId('rate-hint').textContent = isWhole ? 'L-BFGS finds its own steps.' : 'Can be moved while it learns.';
  }

  /** @returns {Settings} */
  read() {
    const { elements } = this.form, number = (name) => Number(elements[name].value);
    return {
      rows: number('rows'), sizes: this.#sizes(), activation: elements.activation.value, unitNorm: elements.unitNorm.checked,
      seed: number('seed'), optimizer: elements.optimizer.value, schedule: elements.schedule.value,
      rate: this.rate, batchSize: number('batchSize'), epochs: number('epochs'), threads: number('threads'),
    };
  }

  /** Shows the kind of a network that was loaded, and its optimiser if it is one of the list. @param {Partial<Settings>} settings */
  show({ sizes, activation, unitNorm, seed, optimizer, schedule, rate, batchSize }) {
    const { elements } = this.form;
    elements.depth.value = String(sizes.length);
    this.#showSizes(sizes);
    Object.assign(elements.activation, { value: activation });
    elements.unitNorm.checked = unitNorm;
    elements.seed.value = String(seed);
    if (optimizer in defaultRates) {
      elements.optimizer.value = optimizer;
      this.showRate(rate > 0 ? rate : 10 ** defaultRates[optimizer]);
    }
    if (schedule === 'constant' || schedule === 'cosine') elements.schedule.value = schedule;
    if (batchSize >= 1 && batchSize <= 10000) elements.batchSize.value = String(batchSize);
    this.#showOptimizer();
  }

  /** Shows all of a training's settings. @param {Settings} settings */
  restore(settings) {
    const { elements } = this.form;
    this.show(settings);
    for (const name of ['rows', 'epochs']) elements[name].value = String(settings[name]);
  }

  /** @param {boolean} isBusy */
  lock(isBusy) {
    super.lock(isBusy);
    if (!isBusy) this.#showOptimizer();
  }
}
