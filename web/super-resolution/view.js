// Enlarged pictures over one another with a line to drag between two of them, or side by side; all move and zoom together.
import { element } from '../page.js';

/** @typedef {{ name: string, bitmap: ImageBitmap }} Layer */

const most = 32, grip = 22; // screen pixels of one of the picture; how near the line is taken hold of
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** A canvas as sharp as the screen, with names on it. */
class Pane {
  /** @param {() => void} onSize */
  constructor(onSize) {
    this.canvas = element('canvas');
    Object.assign(this.canvas, { tabIndex: 0 });
    this.canvas.setAttribute('role', 'img');
    this.left = element('span', 'tag left');
    this.right = element('span', 'tag right');
    this.box = element('div', 'pane', this.canvas, this.left, this.right);
    this.observer = new ResizeObserver(onSize);
    this.observer.observe(this.canvas);
  }

  /** Its size in CSS pixels. @returns {[number, number]} */
  get size() {
    return [Math.max(1, this.canvas.clientWidth), Math.max(1, this.canvas.clientHeight)];
  }
}

export class Viewer {
  /** @type {Map<string, Layer>} */
  #layers = new Map();
  /** @type {Pane[]} */
  #panes = [];
  #size = [1, 1];
  /** Screen pixels of one of the picture; 0: as large as it fits. */
  #zoom = 0;
  #centre = [0.5, 0.5];
  #split = 0.5;
  #isStale = true;
  /** @type {Map<number, { x: number, y: number }>} */
  #pointers = new Map();
  #dragsLine = false;
  /** @type {'split' | 'grid'} */
  mode = 'split';
  /** The two that are compared. */
  pair = ['', ''];

  /** @param {HTMLElement} place @param {{ onSplit: (part: number) => void, onZoom: (zoom: number) => void }} hooks */
  constructor(place, hooks) {
    this.place = place;
    this.hooks = hooks;
  }

  get ids() {
    return [...this.#layers.keys()];
  }

  /** @param {string} id */
  nameOf(id) {
    return this.#layers.get(id)?.name ?? '';
  }

  /** All pictures of before go. @param {number} width of the new ones @param {number} height @param {boolean} keepsView they show the same part */
  clear(width, height, keepsView) {
    for (const { bitmap } of this.#layers.values()) bitmap.close();
    this.#layers.clear();
    if (!keepsView || this.#size[0] !== width || this.#size[1] !== height) {
      this.#zoom = 0;
      this.#centre = [width / 2, height / 2];
    }
    this.#size = [width, height];
    this.arrange();
  }

  /** @param {string} id @param {Layer} layer of the size that clear was told */
  add(id, layer) {
    this.#layers.get(id)?.bitmap.close();
    this.#layers.set(id, layer);
    this.arrange();
  }

  /** Makes the panes for what is to be shown. */
  arrange() {
    const count = this.mode === 'split' ? 1 : Math.max(1, this.#layers.size);
    while (this.#panes.length > count) {
      const pane = this.#panes.pop();
      pane.observer.disconnect();
      pane.box.remove();
    }
    while (this.#panes.length < count) this.#panes.push(this.#pane());
    this.place.classList.toggle('grid', this.mode === 'grid');
    this.#isStale = true;
  }

  #pane() {
    const pane = new Pane(() => { this.#isStale = true; }), { canvas } = pane;
    canvas.addEventListener('pointerdown', (event) => this.#down(event, pane));
    canvas.addEventListener('pointermove', (event) => this.#move(event, pane));
    for (const type of ['pointerup', 'pointercancel']) canvas.addEventListener(type, ({ pointerId }) => this.#pointers.delete(pointerId));
    canvas.addEventListener('wheel', (event) => this.#wheel(event, pane), { passive: false });
    canvas.addEventListener('dblclick', (event) => this.zoomBy(event.shiftKey ? 0.5 : 2, this.#inside(event, pane)));
    canvas.addEventListener('keydown', (event) => this.#key(event));
    this.place.append(pane.box);
    return pane;
  }

  /** @param {Pane} pane */
  #fit(pane) {
    const [width, height] = pane.size;
    return Math.min(width / this.#size[0], height / this.#size[1]);
  }

  /** Screen pixels of one of the picture. */
  get zoom() {
    return this.#zoom || (this.#panes[0] ? this.#fit(this.#panes[0]) : 1);
  }

  /** From the middle of the pane, in CSS pixels. @param {MouseEvent} event @param {Pane} pane */
  #inside({ clientX, clientY }, pane) {
    const { left, top, width, height } = pane.canvas.getBoundingClientRect();
    return [clientX - left - width / 2, clientY - top - height / 2];
  }

  /** @param {number} factor @param {number[]} [at] what stays where it is, from the middle in CSS pixels */
  zoomBy(factor, at = [0, 0]) {
    const fit = this.#panes[0] ? this.#fit(this.#panes[0]) : 1, before = this.zoom, next = clamp(before * factor, Math.min(fit, 1), most);
    this.#centre = this.#centre.map((c, i) => c + at[i] / before - at[i] / next);
    this.#zoom = next <= fit * 1.001 && fit < 1 ? 0 : next;
    this.#changed();
  }

  /** @param {number} zoom screen pixels of one of the picture; 0: as large as it fits */
  zoomTo(zoom) {
    if (zoom === 0) {
      this.#zoom = 0;
      this.#changed();
    } else this.zoomBy(zoom / this.zoom);
  }

  /** @param {number} part 0..1 of the width that is the left one's */
  splitAt(part) {
    this.#split = clamp(part, 0, 1);
    this.#isStale = true;
  }

  #changed() {
    this.#centre = this.#zoom === 0 ? this.#size.map((side) => side / 2) : this.#centre.map((c, i) => clamp(c, 0, this.#size[i]));
    this.#isStale = true;
  }

  /** @param {PointerEvent} event @param {Pane} pane */
  #down(event, pane) {
    if (event.button !== 0) return;
    const [x, y] = this.#inside(event, pane), line = (this.#split - 0.5) * pane.size[0];
    if (this.#pointers.size === 0) this.#dragsLine = this.mode === 'split' && Math.abs(x - line) <= grip;
    this.#pointers.set(event.pointerId, { x, y });
    pane.canvas.setPointerCapture(event.pointerId);
  }

  /** @param {PointerEvent} event @param {Pane} pane */
  #move(event, pane) {
    const from = this.#pointers.get(event.pointerId);
    if (!from) return;
    const [x, y] = this.#inside(event, pane), other = [...this.#pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const distance = ({ x: a, y: b }) => Math.max(8, Math.hypot(a - other.x, b - other.y));
      this.#dragsLine = false;
      this.zoomBy(distance({ x, y }) / distance(from), [(x + other.x) / 2, (y + other.y) / 2]);
    } else if (this.#dragsLine) {
      this.splitAt(x / pane.size[0] + 0.5);
      this.hooks.onSplit(this.#split);
    } else this.moveBy(from.x - x, from.y - y);
    this.#pointers.set(event.pointerId, { x, y });
  }

  /** @param {number} x CSS pixels @param {number} y */
  moveBy(x, y) {
    if (this.#zoom === 0) return; // all of it is seen
    this.#centre = [this.#centre[0] + x / this.#zoom, this.#centre[1] + y / this.#zoom];
    this.#changed();
  }

  /** Of a wheel with Ctrl, as fingers on a touchpad are told; without, the page scrolls. @param {WheelEvent} event @param {Pane} pane */
  #wheel(event, pane) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.zoomBy(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.004)), this.#inside(event, pane));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = 60, line = event.shiftKey && this.mode === 'split', act = {
      ArrowLeft: () => (line ? this.#nudge(-0.02) : this.moveBy(-step, 0)), ArrowRight: () => (line ? this.#nudge(0.02) : this.moveBy(step, 0)),
      ArrowUp: () => this.moveBy(0, -step), ArrowDown: () => this.moveBy(0, step),
      '+': () => this.zoomBy(1.5), '=': () => this.zoomBy(1.5), '-': () => this.zoomBy(1 / 1.5), 0: () => this.zoomTo(0), 1: () => this.zoomTo(1),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  /** @param {number} by */
  #nudge(by) {
    this.splitAt(this.#split + by);
    this.hooks.onSplit(this.#split);
  }

  /** Draws what is new; for requestAnimationFrame. */
  draw() {
    if (!this.#isStale) return;
    this.#isStale = false;
    const ids = this.mode === 'split' ? [] : this.ids;
    this.#panes.forEach((pane, i) => (this.mode === 'split' ? this.#drawSplit(pane) : this.#drawOne(pane, ids[i])));
    this.hooks.onZoom(this.zoom);
    for (const { canvas } of this.#panes) canvas.classList.toggle('moves', this.#zoom !== 0);
  }

  /** @param {Pane} pane */
  #context(pane) {
    const { canvas } = pane, [width, height] = pane.size, ratio = Math.min(devicePixelRatio, 3), [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
    const context = canvas.getContext('2d');
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, w, h);
    return { context, ratio, width: w, height: h };
  }

  /** A layer in the columns from `left` to `right` of the canvas. */
  #paint({ context, ratio, width, height }, pane, id, left, right) {
    const layer = this.#layers.get(id), zoom = (this.#zoom || this.#fit(pane)) * ratio;
    if (!layer || right <= left) return;
    context.save();
    context.beginPath();
    context.rect(left, 0, right - left, height);
    context.clip();
    context.imageSmoothingEnabled = zoom < 2;
    context.imageSmoothingQuality = 'high';
    context.setTransform(zoom, 0, 0, zoom, width / 2 - this.#centre[0] * zoom, height / 2 - this.#centre[1] * zoom);
    context.drawImage(layer.bitmap, 0, 0);
    context.restore();
  }

  /** @param {Pane} pane */
  #drawSplit(pane) {
    const on = this.#context(pane), { context, ratio, width, height } = on, line = Math.round(this.#split * width), [left, right] = this.pair;
    this.#paint(on, pane, left, 0, line);
    this.#paint(on, pane, right, line, width);
    if (this.#layers.size > 0) {
      for (const [style, wide] of [['#000a', 4], ['#fff', 2]]) {
        context.fillStyle = style;
        context.fillRect(line - wide * ratio / 2, 0, wide * ratio, height);
        context.beginPath();
        context.arc(line, height / 2, (8 + wide) * ratio, 0, 7);
        context.fill();
      }
    }
    this.#tag(pane, this.nameOf(left), this.nameOf(right));
  }

  /** @param {Pane} pane @param {string} id */
  #drawOne(pane, id) {
    const on = this.#context(pane);
    if (id) this.#paint(on, pane, id, 0, on.width);
    this.#tag(pane, this.nameOf(id), '');
  }

  /** @param {Pane} pane @param {string} left @param {string} right */
  #tag(pane, left, right) {
    pane.left.textContent = left;
    pane.right.textContent = right;
    pane.left.hidden = left === '';
    pane.right.hidden = right === '';
    pane.canvas.setAttribute('aria-label', [left, right].filter(Boolean).join(' to the left of the line, to its right ') || 'No picture yet');
  }
}
