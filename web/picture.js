// Pictures of bytes on canvases.
import { colours, paint } from './heatmap.js';

/** @param {HTMLCanvasElement} canvas @param {ArrayLike<number>} data 0..255 @param {number[]} shape [height, width, 1 or 3] */
export function paintPicture(canvas, data, [rows, cols, channels]) {
  if (channels === 1) return paint(canvas, { data, rows, cols, range: [0, 255], map: colours().sequential });
  const image = new ImageData(cols, rows);
  for (let i = 0; i < rows * cols; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = data[3 * i + c];
    image.data[4 * i + 3] = 255;
  }
  Object.assign(canvas, { width: cols, height: rows });
  return canvas.getContext('2d').putImageData(image, 0, 0);
}
