// Pictures of bytes on canvases.
import { weightMap } from 'heddle/vis';

/** @param {HTMLCanvasElement} canvas @param {ArrayLike<number>} data 0..255 @param {number[]} shape [height, width, 1 or 3] */
export function paintPicture(canvas, data, shape) {
  weightMap(canvas, { data, shape: [1, ...shape] }, { range: [0, 255], colours: 'sequential' });
}
