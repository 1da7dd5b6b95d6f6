// Parts of a page, one of them shown: by tabs, their arrow keys, and the address's fragment.
import { byId } from './page.js';

export class Tabs {
  /** @param {string[]} names part-NAME is shown when tab-NAME in `parts` is chosen; the first one unless told @param {(name: string) => void} [onShow] */
  constructor(names, onShow = () => {}) {
    Object.assign(this, { names, onShow, shown: names[0] });
    for (const name of names) {
      byId(`tab-${name}`).addEventListener('click', () => {
        history.replaceState(null, '', `#${name}`);
        this.show(name);
      });
    }
    byId('parts').addEventListener('keydown', ({ key }) => this.#key(key));
    addEventListener('hashchange', () => this.show(location.hash.slice(1)));
    this.show(location.hash.slice(1));
  }

  /** @param {string} name of a part */
  show(name) {
    this.shown = this.names.includes(name) ? name : this.names[0];
    for (const one of this.names) {
      const tab = byId(`tab-${one}`), isShown = one === this.shown;
      tab.setAttribute('aria-selected', String(isShown));
      tab.tabIndex = isShown ? 0 : -1;
      byId(`part-${one}`).hidden = !isShown;
    }
    this.onShow(this.shown);
  }

  /** @param {string} key */
  #key(key) {
    const last = this.names.length - 1, at = this.names.indexOf(this.shown);
    const next = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last }[key];
    if (next === undefined) return;
    byId(`tab-${this.names[next]}`).click();
    byId(`tab-${this.names[next]}`).focus();
  }
}
