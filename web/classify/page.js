// What the page says and shows: status, errors, the picture, the five best classes.

export const byId = (id) => document.getElementById(id);

/** @param {string} text */
export function say(text) {
  byId('status').textContent = text;
}

/** @param {Error} error */
export function showError(error) {
  const box = document.createElement('div'), message = document.createElement('p'), close = document.createElement('button');
  box.className = 'error';
  message.textContent = error.name === 'NotAllowedError' ? 'The camera was not allowed.' : error.name === 'NotFoundError' ? 'There is no camera.' : error.message;
  close.type = 'button';
  close.textContent = 'Dismiss';
  close.addEventListener('click', () => box.remove());
  box.append(message, close);
  byId('errors').append(box);
}

export const clearErrors = () => byId('errors').replaceChildren();

/** Buttons that can't be used now keep the focus and can be found: aria-disabled, not disabled. @param {string} id @param {boolean} can */
export const enable = (id, can) => byId(id).setAttribute('aria-disabled', String(!can));

/** @param {string} id @param {() => void} work */
export function onClick(id, work) {
  byId(id).addEventListener('click', ({ currentTarget }) => {
    if (currentTarget.getAttribute('aria-disabled') !== 'true') work();
  });
}

/** @param {HTMLCanvasElement} canvas @param {{ data: Uint8Array, shape: number[] }} tensor RGB */
export function showPicture(canvas, { data, shape: [height, width] }) {
  const image = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = data[3 * i + c];
    image.data[4 * i + 3] = 255;
  }
  Object.assign(canvas, { width, height });
  canvas.getContext('2d').putImageData(image, 0, 0);
  byId('empty').hidden = true;
}

/** Five bars with names. */
export class Answer {
  #rows;
  #text = '';

  /** @param {HTMLElement} list */
  constructor(list) {
    this.#rows = Array.from({ length: 5 }, () => {
      const row = document.createElement('li'), [name, track, bar, value] = ['span', 'div', 'div', 'span'].map((tag) => document.createElement(tag));
      name.className = 'name';
      track.className = 'track';
      track.setAttribute('aria-hidden', 'true');
      bar.className = 'bar';
      value.className = 'value';
      track.append(bar);
      row.append(name, value, track);
      return { row, name, bar, value };
    });
    list.replaceChildren(...this.#rows.map(({ row }) => row));
  }

  /** @param {{ name: string, part: number }[]} best */
  show(best) {
    this.#rows.forEach(({ row, name, bar, value }, i) => {
      row.hidden = !best[i];
      if (!best[i]) return;
      name.textContent = best[i].name;
      value.textContent = `${(100 * best[i].part).toFixed(1)} %`;
      bar.style.transform = `scaleX(${best[i].part})`;
    });
    this.#text = best.length ? `${best[0].name}, ${(100 * best[0].part).toFixed(0)} per cent` : '';
  }

  /** Reads the best aloud: not with each frame of a camera. */
  speak() {
    byId('spoken').textContent = this.#text;
  }
}
