// The settings form of training.
import { HeddleError } from 'heddle';
import { SettingsForm } from '../form.js';
import { byId } from '../page.js';
import { backbones, contestants } from './losses.js';

/**
 * @typedef {object} Settings
 * @property {'example' | 'own'} source
 * @property {number} count pictures of the example
 * @property {[number, number]} size height, width
 * @property {string} backbone
 * @property {File | null} trunk weights of the backbone
 * @property {string} loss
 * @property {number} epochs
 * @property {number} batchSize
 * @property {number} held part that is held back
 * @property {number} seed
 * @property {number} threads
 * @property {number} rate
 */

export class Controls extends SettingsForm {
  /** @type {File | null} */
  #trunk = null;

  /** @param {() => void} onSource */
  constructor(onSource) {
    super(() => {});
    const { elements } = this.form;
    elements.backbone.replaceChildren(...Object.entries(backbones).map(([id, label]) => new Option(label, id)));
    elements.loss.replaceChildren(...contestants.map(({ id, name }) => new Option(name, id)));
    for (const field of [elements.source, elements.backbone]) field.addEventListener('change', () => this.#show());
    elements.source.addEventListener('change', onSource);
    byId('trunk').addEventListener('change', ({ target }) => { this.#trunk = target.files[0] ?? null; });
    this.#show();
  }

  /** Only what the choice takes. */
  #show() {
    const { source, backbone } = this.form.elements;
    for (const part of this.form.querySelectorAll('[data-for]')) part.hidden = part.dataset.for !== source.value;
    this.form.querySelector('[data-trunk]').hidden = backbone.value === 'small';
  }

  /** @param {'example' | 'own'} source */
  chooseSource(source) {
    this.form.elements.source.value = source;
    this.#show();
  }

  /** A file of weights that was dropped. @param {File} file */
  takeTrunk(file) {
    this.#trunk = file;
  }

  /** @returns {Settings} */
  read() {
    this.check();
    const { elements } = this.form, number = (name) => Number(elements[name].value), value = (name) => elements[name].value;
    const backbone = value('backbone'), [height, width] = value('size').split(',').map(Number);
    if (backbone !== 'small' && !this.#trunk) {
      throw new HeddleError('argument', `${backbones[backbone]}: choose its file of weights first, or take the small network.`);
    }
    return {
      source: value('source'), count: number('count'), size: [height, width], backbone, trunk: this.#trunk, loss: value('loss'), epochs: number('epochs'),
      batchSize: number('batchSize'), held: number('held') / 100, seed: number('seed'), threads: number('threads'), rate: this.rate,
    };
  }
}
