// What the settings forms of pages that train have in common: learning rate, threads, checks in words.
import { HeddleError } from 'heddle';
import { byId } from './page.js';

export class SettingsForm {
  form = byId('settings');

  /** @param {(rate: number) => void} onRate called when the learning rate is moved */
  constructor(onRate) {
    const { elements } = this.form;
    this.#offerThreads();
    this.#sayRate();
    this.form.addEventListener('submit', (event) => event.preventDefault());
    elements.rate.addEventListener('input', () => {
      this.#sayRate();
      onRate(this.rate);
    });
    byId('settings-box').open = matchMedia('(min-width: 60rem)').matches;
  }

  #offerThreads() {
    const select = this.form.elements.threads, most = Math.min(navigator.hardwareConcurrency || 1, 8);
    const choices = globalThis.crossOriginIsolated ? Array.from({ length: most }, (_, i) => i + 1) : [1];
    select.replaceChildren(...choices.map((n) => new Option(String(n), String(n), n === choices.length, n === choices.length)));
    select.disabled = choices.length === 1;
  }

  /** The slider holds the logarithm. */
  get rate() {
    return Number((10 ** Number(this.form.elements.rate.value)).toPrecision(2));
  }

  #sayRate() {
    byId('rate-value').textContent = String(this.rate);
    this.form.elements.rate.setAttribute('aria-valuetext', String(this.rate));
  }

  /** @param {number} rate above 0 */
  showRate(rate) {
    this.form.elements.rate.value = String(Math.log10(rate));
    this.#sayRate();
  }

  /** @throws {HeddleError} if a number is missing or out of range: the field is shown */
  check() {
    const bad = Array.from(this.form.elements).find((field) => field.matches(':invalid:not(fieldset)'));
    if (!bad) return;
    if (byId('settings-box').contains(bad)) byId('settings-box').open = true;
    bad.focus();
    const name = bad.getAttribute('aria-label') ?? bad.closest('label').firstChild.textContent.trim();
    throw new HeddleError('argument', `${name}: expected a whole number from ${bad.min} to ${bad.max}, got ${bad.value || 'nothing'}.`);
  }

  /** While a fit runs, only the learning rate can change. @param {boolean} isBusy */
  lock(isBusy) {
    for (const group of this.form.querySelectorAll('fieldset')) {
      for (const field of group.querySelectorAll('input, select, button')) if (field.name !== 'rate') field.disabled = isBusy;
    }
    if (!isBusy) this.form.elements.threads.disabled = this.form.elements.threads.options.length === 1;
  }
}
