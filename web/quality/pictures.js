// Pictures of this page: files, or pixels that were made here; and how they are drawn.
import { HeddleError } from 'heddle';
import { isPicture } from '../dropped.js';

/** @import { Found } from '../dropped.js' */
/** @typedef {File | { data: Uint8ClampedArray<ArrayBuffer>, width: number, height: number }} Source pixels are RGBA */
/** @typedef {{ name: string, source: Source }} Picture */

const inOrder = new Intl.Collator('en', { numeric: true }).compare;

/** The pictures among files, in the order of their names. @param {Found[]} files @returns {Picture[]} */
export const picturesOf = (files) => files.filter(isPicture).sort((a, b) => inOrder(a.path, b.path)).map(({ path, file }) => ({ name: path, source: file }));

/** Without its folders. @param {string} name */
export const baseName = (name) => name.split('/').at(-1);

/**
 * Draws a picture as large as it fits into a square of `side`; the canvas gets the picture's shape.
 * @param {HTMLCanvasElement} canvas
 * @param {Picture} picture
 * @param {number} side pixels
 * @throws {HeddleError} `file` if the browser can't decode it
 */
export async function draw(canvas, { name, source }, side) {
  const given = source instanceof Blob ? source : new ImageData(source.data, source.width, source.height);
  const bitmap = await createImageBitmap(given, { imageOrientation: 'from-image' }).catch((cause) => {
    throw new HeddleError('file', `${name} can't be read as a picture.`, { cause });
  });
  const { width, height } = bitmap, ratio = Math.min(1, side / Math.max(width, height)), size = (n) => Math.max(1, Math.round(n * ratio));
  Object.assign(canvas, { width: size(width), height: size(height) });
  const context = canvas.getContext('2d');
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
}

/** Draws thumbnails when they come into sight, one at a time: a folder may hold thousands. */
export class Thumbnails {
  #waiting = new Map();
  #isDrawing = false;
  #observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) if (isIntersecting) this.#waiting.get(target).isSeen = true;
    void this.#drawNext();
  }, { rootMargin: '300px' });

  /** @param {HTMLCanvasElement} canvas @param {Picture} picture */
  add(canvas, picture) {
    this.#waiting.set(canvas, { picture, isSeen: false });
    this.#observer.observe(canvas);
  }

  clear() {
    this.#observer.disconnect();
    this.#waiting.clear();
  }

  async #drawNext() {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    for (;;) {
      const next = [...this.#waiting].find(([, { isSeen }]) => isSeen);
      if (!next) break;
      const [canvas, { picture }] = next;
      this.#waiting.delete(canvas);
      this.#observer.unobserve(canvas);
      await draw(canvas, picture, 200).catch(() => canvas.classList.add('unread')); // it is listed when it is scored
    }
    this.#isDrawing = false;
  }
}

/** A field of CSV. @param {string | number} field */
function asCsv(field) {
  const text = String(field);
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** @param {(string | number)[][]} rows */
export const csvOf = (rows) => new TextEncoder().encode(rows.map((row) => `${row.map(asCsv).join(',')}\r\n`).join(''));
