// A large picture shrunk, with a frame around the part that is compared.
import { byId } from '../page.js';
import { bitmapOf } from './pictures.js';

/** @import { Pixels } from './pictures.js' */
/** @typedef {{ top: number, left: number, height: number, width: number }} Part */

const most = 480; // pixels of its longer side

export class Overview {
  #canvas = byId('overview');
  #context = this.#canvas.getContext('2d');
  /** @type {ImageBitmap | null} */
  #small = null;
  #ratio = 1;
  #shape = [1, 1];
  /** @type {Part} */
  part = { top: 0, left: 0, height: 1, width: 1 };

  /** @param {() => void} onMove when the user has moved the frame */
  constructor(onMove) {
    this.onMove = onMove;
    const canvas = this.#canvas;
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.#centre(event);
    });
    canvas.addEventListener('pointermove', (event) => { if (canvas.hasPointerCapture(event.pointerId)) this.#centre(event); });
    canvas.addEventListener('keydown', (event) => {
      const [x, y] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0], { top, left, height, width } = this.part;
      if (!x && !y) return;
      event.preventDefault();
      this.#put(top + y * height / 4, left + x * width / 4);
    });
  }

  /** @param {Pixels | null} picture null: all of it is compared, there is nothing to choose @param {number} pixels of a part, at most */
  async show(picture, pixels) {
    this.#small?.close();
    this.#small = null;
    byId('overview-box').hidden = !picture;
    if (!picture) return;
    const [height, width] = picture.shape, side = Math.sqrt(pixels), wide = Math.min(width, Math.round(side * Math.sqrt(4 / 3))), tall = Math.min(height, Math.floor(pixels / wide));
    this.#shape = [height, width];
    this.#ratio = Math.min(1, most / Math.max(height, width));
    Object.assign(this.#canvas, { width: Math.max(1, Math.round(width * this.#ratio)), height: Math.max(1, Math.round(height * this.#ratio)) });
    this.#small = await thumbnail(picture, this.#ratio);
    this.part = { top: (height - tall) >> 1, left: (width - wide) >> 1, height: tall, width: wide };
    this.#draw();
  }

  /** @param {MouseEvent} event */
  #centre({ clientX, clientY }) {
    const { left, top, width } = this.#canvas.getBoundingClientRect(), scale = this.#shape[1] / width;
    this.#put((clientY - top) * scale - this.part.height / 2, (clientX - left) * scale - this.part.width / 2);
  }

  /** @param {number} top @param {number} left */
  #put(top, left) {
    const { height, width } = this.part, inside = (at, length, all) => Math.round(Math.min(all - length, Math.max(0, at)));
    this.part = { top: inside(top, height, this.#shape[0]), left: inside(left, width, this.#shape[1]), height, width };
    this.#draw();
    this.onMove();
  }

  #draw() {
    const context = this.#context, { top, left, height, width } = this.part, place = [left, top, width, height].map((v) => v * this.#ratio);
    if (!this.#small) return;
    context.drawImage(this.#small, 0, 0, this.#canvas.width, this.#canvas.height);
    for (const [style, line] of [['#000', 5], ['#fff', 2]]) {
      Object.assign(context, { strokeStyle: style, lineWidth: line });
      context.strokeRect(...place);
    }
    this.#canvas.setAttribute('aria-label', `The whole picture; the part from column ${left}, row ${top}, ${width} by ${height} pixels, is compared`);
  }
}

/** Every so many pixels of a picture: good enough to point at. @param {Pixels} picture @param {number} ratio */
function thumbnail({ data, shape: [height, width, channels] }, ratio) {
  const step = Math.max(1, Math.floor(1 / ratio / 2)), tall = Math.ceil(height / step), wide = Math.ceil(width / step), out = new Uint8Array(tall * wide * channels);
  for (let i = 0, to = 0; i < tall; i++) {
    for (let j = 0; j < wide; j++) {
      const from = (i * step * width + j * step) * channels;
      for (let c = 0; c < channels; c++) out[to++] = data[from + c];
    }
  }
  return bitmapOf({ data: out, shape: [tall, wide, channels] });
}
