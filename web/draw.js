// The drawing area, and what MNIST's makers did with scanned digits: scale to 20 x 20, centre by mass in 28 x 28.
import { pixels, side } from './mnist.js';

const backing = 280; // pixels of the drawing area, and of the scratch image that strokes are scaled into
const pen = 22; // width of a stroke in a digit that is 200 tall, which gives 2.2 pixels of 20

/**
 * Averages an image over squares of `step` pixels such that its centre of mass lands in the middle of 28 x 28.
 * @param {Uint8ClampedArray} rgba of which the alpha is the ink
 * @param {number} size of the image, a square
 * @returns {Uint8Array | null} 784 bytes; null if there is no ink
 */
export function centred(rgba, size) {
  const step = 10, out = new Float64Array(pixels);
  let mass = 0, x = 0, y = 0;
  for (let i = 0; i < size * size; i++) {
    const ink = rgba[4 * i + 3];
    mass += ink;
    x += ink * (i % size);
    y += ink * Math.floor(i / size);
  }
  if (mass === 0) return null;
  const left = Math.round(x / mass) - side / 2 * step, top = Math.round(y / mass) - side / 2 * step;
  for (let i = 0; i < size * size; i++) {
    const ink = rgba[4 * i + 3];
    if (ink === 0) continue;
    const row = Math.floor((Math.floor(i / size) - top) / step), col = Math.floor((i % size - left) / step);
    if (row >= 0 && row < side && col >= 0 && col < side) out[row * side + col] += ink;
  }
  return Uint8Array.from(out, (sum) => Math.round(sum / (step * step)));
}

/** @param {CanvasRenderingContext2D} context @param {number[][]} strokes of x, y, x, y ... @param {string} ink */
function trace(context, strokes, ink) {
  Object.assign(context, { strokeStyle: ink, lineCap: 'round', lineJoin: 'round' });
  for (const [x, y, ...rest] of strokes) {
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x, y); // a tap is a dot
    for (let i = 0; i < rest.length; i += 2) context.lineTo(rest[i], rest[i + 1]);
    context.stroke();
  }
}

/** Strokes as a digit of MNIST's kind. @param {number[][]} strokes @returns {Uint8Array | null} 784 bytes */
export function toDigit(strokes) {
  const xs = strokes.flatMap((stroke) => stroke.filter((_, i) => i % 2 === 0));
  const ys = strokes.flatMap((stroke) => stroke.filter((_, i) => i % 2 === 1));
  if (xs.length === 0) return null;
  const bounds = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const longer = Math.max(bounds[1] - bounds[0], bounds[3] - bounds[2]);
  const factor = Math.min((200 - pen) / Math.max(longer, 1), 5); // small dots stay small
  const canvas = new OffscreenCanvas(backing, backing), context = canvas.getContext('2d', { willReadFrequently: true });
  context.translate(backing / 2, backing / 2);
  context.scale(factor, factor);
  context.translate(-(bounds[0] + bounds[1]) / 2, -(bounds[2] + bounds[3]) / 2);
  context.lineWidth = pen / factor;
  trace(context, strokes, '#000');
  return centred(context.getImageData(0, 0, backing, backing).data, backing);
}

/** A canvas to draw on with mouse, touch or pen; it also shows given digits. */
export class Pad {
  #canvas;
  #context;
  #strokes = [];
  #pointer = null;
  #shown = null;

  /** @param {HTMLCanvasElement} canvas @param {(strokes: number[][]) => void} onDraw after each change by the user */
  constructor(canvas, onDraw) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d');
    this.onDraw = onDraw;
    canvas.addEventListener('pointerdown', (event) => this.#down(event));
    canvas.addEventListener('pointermove', (event) => this.#move(event));
    for (const type of ['pointerup', 'pointercancel']) canvas.addEventListener(type, (event) => this.#up(event));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#paint());
    new ResizeObserver(() => this.#resize()).observe(canvas);
  }

  get isEmpty() {
    return this.#strokes.length === 0 && !this.#shown;
  }

  clear() {
    this.#strokes = [];
    this.#shown = null;
    this.#paint();
  }

  /** Shows a digit in place of strokes. @param {Uint8Array} digit */
  show(digit) {
    this.#strokes = [];
    this.#shown = digit;
    this.#paint();
  }

  /** As sharp as the screen. */
  #resize() {
    const size = Math.max(1, Math.round(this.#canvas.clientWidth * Math.min(devicePixelRatio, 3)));
    if (this.#canvas.width !== size) this.#canvas.width = this.#canvas.height = size;
    this.#paint();
  }

  #point({ clientX, clientY }) {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    return [(clientX - left) / width * backing, (clientY - top) / height * backing];
  }

  #down(event) {
    if (this.#pointer !== null || event.button !== 0) return;
    event.preventDefault();
    this.#pointer = event.pointerId;
    this.#canvas.setPointerCapture(event.pointerId);
    if (this.#shown) this.clear();
    this.#strokes.push(this.#point(event));
    this.#changed();
  }

  #move(event) {
    if (event.pointerId !== this.#pointer) return;
    const all = event.getCoalescedEvents?.() ?? [];
    for (const one of all.length ? all : [event]) this.#strokes.at(-1).push(...this.#point(one));
    this.#changed();
  }

  #up(event) {
    if (event.pointerId === this.#pointer) this.#pointer = null;
  }

  #changed() {
    this.#paint();
    this.onDraw(this.#strokes);
  }

  #paint() {
    const { width } = this.#canvas, context = this.#context, ink = getComputedStyle(this.#canvas).color;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, width);
    if (this.#shown) this.#paintShown(ink);
    context.setTransform(width / backing, 0, 0, width / backing, 0, 0);
    context.lineWidth = pen;
    trace(context, this.#strokes, ink);
  }

  #paintShown(ink) {
    const small = new OffscreenCanvas(side, side), image = new ImageData(side, side), context = small.getContext('2d');
    this.#shown.forEach((value, i) => { image.data[4 * i + 3] = value; });
    context.putImageData(image, 0, 0);
    Object.assign(context, { globalCompositeOperation: 'source-in', fillStyle: ink });
    context.fillRect(0, 0, side, side);
    this.#context.imageSmoothingEnabled = false;
    this.#context.drawImage(small, 0, 0, this.#canvas.width, this.#canvas.width);
  }
}
