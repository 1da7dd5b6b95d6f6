// Matrices as images. Colour maps have a version for light and one for dark pages, in which "nothing" is near the page's
// own colour: white or black in the middle of the diverging map, at the low end of the sequential one.

const stops = {
  light: {
    diverging: ['#123f73', '#3d84bd', '#b9d5e8', '#fbfaf7', '#f6c9a4', '#d9762f', '#8a3206'],
    sequential: ['#fbfaf7', '#cfe0ec', '#82b3d6', '#3880b4', '#16507f', '#0a2a4a'],
  },
  dark: {
    diverging: ['#b5e0ff', '#5aa9e0', '#21537b', '#12171d', '#7d4216', '#e08a3e', '#ffd9ae'],
    sequential: ['#12171d', '#1c3f5c', '#2e75a3', '#5fb0d6', '#b4dcec', '#fbfaf7'],
  },
};

/** A table of 256 colours, as the 32-bit pixels of ImageData. @param {string[]} hex @returns {Uint32Array} */
function table(hex) {
  const rgb = hex.map((text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16)));
  const bytes = new Uint8ClampedArray(256 * 4);
  for (let i = 0; i < 256; i++) {
    const at = i / 255 * (rgb.length - 1), low = Math.min(Math.floor(at), rgb.length - 2), part = at - low;
    for (let c = 0; c < 3; c++) bytes[4 * i + c] = rgb[low][c] * (1 - part) + rgb[low + 1][c] * part;
    bytes[4 * i + 3] = 255;
  }
  return new Uint32Array(bytes.buffer);
}

const tables = Object.fromEntries(Object.entries(stops).map(([mode, maps]) => (
  [mode, Object.fromEntries(Object.entries(maps).map(([name, hex]) => [name, table(hex)]))])));

const dark = matchMedia('(prefers-color-scheme: dark)');

/** The colour maps of the mode that the page is in. @returns {{ diverging: Uint32Array, sequential: Uint32Array }} */
export const colours = () => tables[dark.matches ? 'dark' : 'light'];

/** Smallest and largest element. @param {ArrayLike<number>} data @returns {[number, number]} */
export function extent(data) {
  let low = Infinity, high = -Infinity;
  for (let i = 0; i < data.length; i++) {
    if (data[i] < low) low = data[i];
    if (data[i] > high) high = data[i];
  }
  return [low, high];
}

/**
 * Draws a row-major matrix, one pixel an element; CSS makes it larger.
 * @param {HTMLCanvasElement} canvas
 * @param {{ data: ArrayLike<number>, rows: number, cols: number, range: [number, number], map: Uint32Array }} matrix
 */
export function paint(canvas, { data, rows, cols, range: [low, high], map }) {
  if (canvas.width !== cols) canvas.width = cols;
  if (canvas.height !== rows) canvas.height = rows;
  const pixels = new Uint32Array(rows * cols), factor = high > low ? 255 / (high - low) : 0;
  for (let i = 0; i < pixels.length; i++) {
    pixels[i] = map[Math.min(255, Math.max(0, Math.round((data[i] - low) * factor)))];
  }
  canvas.getContext('2d').putImageData(new ImageData(new Uint8ClampedArray(pixels.buffer), cols, rows), 0, 0);
}
