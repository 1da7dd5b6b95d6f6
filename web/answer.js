// What a network says of a picture: the five most probable classes.
import { element } from './page.js';

export class Answer {
  #rows;
  /** The best in words. */
  text = '';

  /** @param {HTMLElement} list */
  constructor(list) {
    this.#rows = Array.from({ length: 5 }, () => {
      const [name, bar, value] = [element('span', 'name'), element('div', 'bar'), element('span', 'value')];
      const track = element('div', 'track', bar);
      track.setAttribute('aria-hidden', 'true');
      return { row: element('li', '', name, value, track), name, bar, value };
    });
    list.replaceChildren(...this.#rows.map(({ row }) => row));
    this.show([], []);
  }

  /**
   * @param {ArrayLike<number>} chances of all classes
   * @param {(index: number) => string} nameOf
   * @param {{ isProbability?: boolean }} [about] false: scores that may lie outside 0..1
   */
  show(chances, nameOf, { isProbability = true } = {}) {
    const best = Array.from(chances, (part, index) => ({ part, index })).sort((a, b) => b.part - a.part).slice(0, 5);
    this.#rows.forEach(({ row, name, bar, value }, i) => {
      row.hidden = !best[i];
      if (!best[i]) return;
      name.textContent = nameOf(best[i].index);
      value.textContent = isProbability ? `${(100 * best[i].part).toFixed(1)} %` : best[i].part.toFixed(2);
      bar.style.transform = `scaleX(${Math.min(Math.max(best[i].part, 0), 1)})`;
    });
    this.text = best.length ? `${nameOf(best[0].index)}, ${(100 * best[0].part).toFixed(0)} per cent` : '';
  }
}
