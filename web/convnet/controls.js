// The settings form of this page.
import { SettingsForm } from '../form.js';

/**
 * @typedef {object} Settings
 * @property {number} rows most pictures to train on
 * @property {'lenet' | 'cifarCnn'} network
 * @property {number} seed
 * @property {'adam' | 'sgd'} optimizer
 * @property {'cosine' | 'constant'} schedule of the rate
 * @property {number} rate
 * @property {number} batchSize
 * @property {number} epochs
 * @property {number} threads
 */

/** What suits each network and optimiser. */
const rates = { lenet: { adam: 2e-3, sgd: 2e-2 }, cifarCnn: { adam: 1e-3, sgd: 1e-2 } };

export class Controls extends SettingsForm {
  /** @param {{ onNetwork: () => void, onRate: (rate: number) => void }} listeners */
  constructor({ onNetwork, onRate }) {
    super(onRate);
    const { elements } = this.form, suit = () => this.showRate(rates[elements.network.value][elements.optimizer.value]);
    elements.network.addEventListener('change', suit);
    elements.optimizer.addEventListener('change', suit);
    this.form.addEventListener('change', onNetwork);
  }

  /** The usual network for pictures of so many channels. @param {number} channels */
  suggest(channels) {
    const { elements } = this.form;
    elements.network.value = channels === 1 ? 'lenet' : 'cifarCnn';
    elements.network.dispatchEvent(new Event('change', { bubbles: true }));
  }

  /** @returns {Settings} */
  read() {
    const { elements } = this.form, number = (name) => Number(elements[name].value), value = (name) => elements[name].value;
    return {
      rows: number('rows'), network: value('network'), seed: number('seed'), optimizer: value('optimizer'), schedule: value('schedule'),
      rate: this.rate, batchSize: number('batchSize'), epochs: number('epochs'), threads: number('threads'),
    };
  }

  /** Shows the settings that came with a model, as far as the form has such. @param {Partial<Settings> | undefined} settings @param {number} seed */
  show(settings, seed) {
    const { elements } = this.form;
    for (const name of ['network', 'optimizer', 'schedule']) {
      if (Array.from(elements[name].options).some((option) => option.value === settings?.[name])) elements[name].value = settings[name];
    }
    if (settings?.batchSize >= 1 && settings.batchSize <= 10000) elements.batchSize.value = String(settings.batchSize);
    if (settings?.rate > 0) this.showRate(settings.rate);
    elements.seed.value = String(seed);
  }

  /** Shows all of a training's settings. @param {Settings} settings */
  restore(settings) {
    this.show(settings, settings.seed);
    for (const name of ['rows', 'epochs']) this.form.elements[name].value = String(settings[name]);
  }
}
