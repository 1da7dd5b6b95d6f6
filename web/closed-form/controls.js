// The settings form of this page.
import { SettingsForm } from '../form.js';
import { byId } from '../page.js';
import { methods } from './models.js';

/**
 * @typedef {object} Settings
 * @property {'digits' | 'spirals' | 'file'} source
 * @property {string} target column of a table
 * @property {number} rows most rows to train on
 * @property {string} method
 * @property {number} top largest ratio of features to inputs
 * @property {'uniform' | 'normal' | 'orthogonal'} distribution of the random weights
 * @property {string} alpha penalty for each row: a number, or auto
 * @property {number} layers at most
 * @property {number} nodes random ones a layer
 * @property {string} transform
 * @property {string} kernel
 * @property {number} seed
 * @property {number} units of the MLP
 * @property {number} epochs
 * @property {number} batchSize
 * @property {number} rate
 * @property {number} threads
 * @property {number} members tabs that solve together
 * @property {'admm' | 'gram'} travel
 */

/** Small devices begin with less. */
const isSmall = (navigator.hardwareConcurrency || 1) <= 2 || (navigator.deviceMemory ?? 8) <= 2 || matchMedia('(max-width: 34rem)').matches;

export class Controls extends SettingsForm {
  #features = 0;

  /** @param {{ onSource: () => void, onTarget: () => void, onMethod: () => void, onRate: (rate: number) => void }} listeners */
  constructor({ onSource, onTarget, onMethod, onRate }) {
    super(onRate);
    const { elements } = this.form;
    elements.method.replaceChildren(...methods.map(({ id, label }) => new Option(label, id, id === 'slfn', id === 'slfn')));
    if (isSmall) elements.rows.value = '5000';
    elements.source.addEventListener('change', onSource);
    elements.target.addEventListener('change', onTarget);
    elements.method.addEventListener('change', () => {
      this.#suitLayers();
      this.#showMethod();
      onMethod();
    });
    this.#showMethod();
  }

  /** HNF's layers double in width: of pictures one is enough to compute. */
  #suitLayers() {
    const { method, layers } = this.form.elements;
    layers.value = method.value !== 'hnf' ? '5' : this.#features > 256 ? '1' : '3';
  }

  /** Only what the chosen method takes. */
  #showMethod() {
    const { value } = this.form.elements.method;
    for (const part of this.form.querySelectorAll('[data-for]')) part.hidden = !part.dataset.for.split(' ').includes(value);
  }

  /** @returns {Settings} */
  read() {
    const { elements } = this.form, number = (name) => Number(elements[name].value), value = (name) => elements[name].value;
    return {
      source: value('source'), target: value('target'), rows: number('rows'), method: value('method'), top: number('top'),
      distribution: value('distribution'), alpha: value('alpha'), layers: number('layers'), nodes: number('nodes'),
      transform: value('transform'), kernel: value('kernel'), seed: number('seed'), units: number('units'), epochs: number('epochs'),
      batchSize: number('batchSize'), rate: this.rate, threads: number('threads'),
      members: number('members'), travel: value('travel'),
    };
  }

  /** @param {'digits' | 'spirals' | 'file' | ''} source '': none of these @param {string} [name] of the user's file */
  showSource(source, name) {
    const { elements } = this.form, own = elements.source.options.namedItem('source-file');
    own.hidden = own.disabled = !name && own.hidden;
    if (name) own.textContent = name;
    elements.source.value = source;
  }

  /** What suits the data: few inputs need more features each. @param {{ kind: string, features: number }} set */
  suit({ kind, features }) {
    const { alpha, top, epochs, batchSize } = this.form.elements, isTable = kind === 'table';
    alpha.value = isTable ? '0.001' : '0.1';
    epochs.value = isTable ? '100' : '10';
    batchSize.value = isTable ? '16' : '64';
    this.#features = features;
    this.#suitLayers();
    top.value = features <= 8 ? '64' : features <= 64 ? '16' : isSmall ? '2' : '4';
  }

  /** @param {import('./sets.js').TableSet | null} set of which a column can be chosen */
  showTargets(set) {
    byId('target-box').hidden = !set;
    if (!set) return;
    this.form.elements.target.replaceChildren(...set.table.names.map((name) => new Option(name, name, false, name === set.target)));
  }

  /** Shows what a model from a file was made by. @param {string} method */
  showMethod(method) {
    if (!methods.some(({ id }) => id === method)) return;
    this.form.elements.method.value = method;
    this.#showMethod();
  }
}
