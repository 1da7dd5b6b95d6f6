// The settings form of training.
import { HeddleError } from 'heddle';
import { SettingsForm } from '../form.js';
import { kinds } from './networks.js';

/**
 * @typedef {object} Settings
 * @property {string} kind
 * @property {2 | 3 | 4} scale
 * @property {boolean} isHalved pictures are shrunk by two first
 * @property {number} threads
 * @property {object} options of the fit
 */

/** What is usual for a kind: a minute or so on a laptop. */
const usual = {
  conv: { patches: 600, epochs: 12, batchSize: 8, patch: 24, optimizer: 'adam', rate: 2e-3 },
  ...Object.fromEntries(['matnet-denoise', 'matnet-residual', 'matnet-literal'].map((kind) => (
    [kind, { patches: 10000, epochs: 15, batchSize: 100, patch: 15, optimizer: 'adam', rate: 3e-3 }]))),
};

export class Controls extends SettingsForm {
  constructor() {
    super(() => {});
    const { kind, optimizer } = this.form.elements;
    kind.replaceChildren(...Object.entries(kinds).map(([id, { name }]) => new Option(name, id)));
    kind.addEventListener('change', () => this.#take(usual[kind.value]));
    optimizer.addEventListener('change', () => this.#show());
    this.#take(usual[kind.value]);
  }

  #take({ rate, ...values }) {
    for (const [name, value] of Object.entries(values)) this.form.elements[name].value = String(value);
    this.showRate(rate);
    this.#show();
  }

  /** Only what the choice takes. */
  #show() {
    const { kind, optimizer } = this.form.elements, isConv = kind.value === 'conv', isLbfgs = !isConv && optimizer.value === 'lbfgs';
    if (isConv) optimizer.value = 'adam';
    for (const part of this.form.querySelectorAll('[data-for]')) part.hidden = part.dataset.for !== (isConv ? 'conv' : 'matnet');
    this.form.querySelector('[data-rate]').hidden = isLbfgs;
    this.form.querySelector('[data-batch]').hidden = isLbfgs;
  }

  /** @returns {Settings} */
  read() {
    this.check();
    const { elements } = this.form, number = (name) => Number(elements[name].value), kind = elements.kind.value, isConv = kind === 'conv', isLbfgs = elements.optimizer.value === 'lbfgs';
    const filters = elements.filters.value.split(/[ ,;]+/).filter(Boolean).map(Number);
    if (isConv && !(filters.length > 0 && filters.every((n) => Number.isInteger(n) && n >= 1 && n <= 256))) {
      throw new HeddleError('argument', `Filters: expected whole numbers from 1 to 256 such as 16, 16, got ${elements.filters.value || 'nothing'}.`);
    }
    return {
      kind, scale: number('trainScale'), isHalved: elements.halve.checked, threads: number('threads'),
      options: {
        ...kinds[kind].options, scale: number('trainScale'), patches: number('patches'), patch: number('patch'), epochs: number('epochs'), seed: number('seed'),
        optimizer: elements.optimizer.value, ...isConv ? { filters } : { hidden: [number('hiddenRows'), number('hiddenCols')] },
        ...!isLbfgs && { batchSize: number('batchSize'), learningRate: this.rate }, ...isLbfgs && { validationFrequency: 10 },
      },
    };
  }
}
