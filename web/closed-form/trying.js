// Asks the model that was fitted about a digit that is drawn or chosen, or about a row that is typed.
import { HeddleError } from 'heddle';
import { readCsv } from 'heddle/files';
import { Answer } from '../answer.js';
import { Pad, toDigit } from '../draw.js';
import { Examples } from '../examples.js';
import { byId, onClick, put } from '../page.js';
import { textOf } from './encoder.js';

/** @import { Fitted } from './models.js' */

/** A field as CSV has it. @param {number | string} field */
function asCsv(field) {
  const text = textOf(field);
  return /[",;\t|\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export class Trying {
  /** @type {Fitted | null} */
  #fitted = null;
  #set = null;
  /** The digit, or the numbers of the row; and its class, if that is known. @type {{ x: object, label: number | null } | null} */
  #shown = null;
  #answer = new Answer(byId('bars'));
  #spoken = 0;
  /** @type {Promise<void> | null} */
  #question = null;

  /** @param {(error: Error) => void} onError */
  constructor(onError) {
    this.onError = onError;
    this.pad = new Pad(byId('pad'), (strokes) => this.#showDigit(toDigit(strokes), null));
    this.examples = new Examples((digit, label) => {
      this.pad.show(digit);
      this.#showDigit(digit, label);
    });
    onClick('clear', () => {
      this.pad.clear();
      this.examples.release();
      this.#look(null);
    });
    onClick('another', () => this.#another());
    byId('row-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#attempt(() => this.#read(null));
    });
  }

  /** @param {() => void | Promise<void>} work */
  async #attempt(work) {
    try {
      await work();
    } catch (error) {
      this.onError(error);
    }
  }

  /** Other data. @param {import('./sets.js').DigitSet | import('./sets.js').TableSet | import('./sets.js').TypedSet} set */
  setSet(set) {
    this.#set = set;
    const isTable = set.kind === 'table';
    byId('try-digits').hidden = isTable;
    byId('try-row').hidden = !isTable;
    this.#look(null);
    if (!isTable) return;
    put('row-names', set.encoder.names.join(', '));
    byId('row').value = '';
    byId('another').hidden = !set.tested;
    if (set.tested) this.#another();
  }

  /** @param {Fitted | null} fitted */
  setFitted(fitted) {
    this.#fitted = fitted;
    this.refresh();
  }

  /** Nobody asks the model that was fitted from now on. */
  async release() {
    this.#fitted = null;
    await this.#question;
  }

  #showDigit(digit, label) {
    if (label === null) this.examples.release();
    this.#look(digit && { x: this.#set.input(digit), label });
  }

  /** A row that was not learnt. */
  #another() {
    const { tested, target } = this.#set, row = tested[Math.floor(Math.random() * tested.length)];
    byId('row').value = this.#set.fields(row).map(asCsv).join(',');
    this.#attempt(() => this.#read(this.#set.label(row)));
    put('row-truth', `A test row; its ${target} is ${this.#set.classes[this.#set.label(row)]}.`);
  }

  /** Reads the row that was typed. @param {number | null} label */
  async #read(label) {
    const set = this.#set, { encoder } = set, text = byId('row').value.trim();
    if (label === null) put('row-truth', '');
    if (!text) throw new HeddleError('file', `Type a row first: ${encoder.names.join(', ')}.`);
    const { columns, rows } = await readCsv(text, { header: false });
    if (rows !== 1 || columns.length !== encoder.names.length) {
      throw new HeddleError('file', `The row has ${columns.length} fields, expected ${encoder.names.length}: ${encoder.names.join(', ')}.`);
    }
    const data = new Float32Array(set.features);
    encoder.encode(columns.map((column) => column[0]), data);
    if (set === this.#set) this.#look({ x: { data, shape: [1, set.features] }, label });
  }

  #look(shown) {
    this.#shown = shown;
    this.refresh();
    clearTimeout(this.#spoken);
    this.#spoken = setTimeout(() => put('answer-spoken', byId('answer').textContent), 900);
  }

  /** Asks again; at most one question at a time, the last one counts. */
  refresh() {
    const fitted = this.#fitted, shown = this.#shown;
    if (!fitted || !shown) {
      this.#answer.show([], String);
      put('answer', shown ? 'No model yet: run one' : this.#set?.kind === 'table' ? 'Type a row' : 'Draw a digit, or choose one');
      return;
    }
    this.#question ??= this.#ask(fitted, shown).catch((error) => {
      if (fitted === this.#fitted) this.onError(error);
    }).finally(() => {
      this.#question = null;
      if (fitted !== this.#fitted || shown !== this.#shown) this.refresh();
    });
  }

  /** @param {Fitted} fitted @param {{ x: object, label: number | null }} shown */
  async #ask({ model, classes }, { x, label }) {
    const { data } = await model.predict(x), names = this.#set.classes, scores = Array(names.length).fill(0);
    const nodes = model.description.nodes, isProbability = nodes.at(-1).options?.activation === 'softmax';
    classes.forEach((place, k) => { scores[place] = data[k]; });
    const best = scores.indexOf(Math.max(...scores)), truth = label === null ? '' : label === best ? ', which is right' : `, but it is ${names[label]}`;
    this.#answer.show(scores, (k) => names[k], { isProbability });
    put('answer', `Says ${names[best]}${truth}`);
    put('answer-kind', isProbability ? 'Probabilities.' : 'Scores of least squares: 1 for the class, 0 for the others would be perfect.');
  }
}
