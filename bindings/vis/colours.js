/** Numbers as colours. Each map has a version for light and one for dark pages, in which "nothing" is near the page's own colour. */
import { isDark } from './theme.js';

/** @typedef {'diverging' | 'sequential' | Uint32Array} Colours blue below 0 and orange above; from nothing to much; or 256 colours of one's own
 *   as pixels of ImageData (bytes R, G, B, A) */

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

/** A table of 256 colours, as the 32-bit pixels of ImageData. @param {string[]} hex */
function table(hex) {
  const rgb = hex.map(text => [1, 3, 5].map(at => parseInt(text.slice(at, at + 2), 16)));
  const bytes = new Uint8ClampedArray(256 * 4);
  for (let i = 0; i < 256; i++) {
    const at = i / 255 * (rgb.length - 1), low = Math.min(Math.floor(at), rgb.length - 2), part = at - low;
    for (let c = 0; c < 3; c++) bytes[4 * i + c] = rgb[low][c] * (1 - part) + rgb[low + 1][c] * part;
    bytes[4 * i + 3] = 255;
  }
  return new Uint32Array(bytes.buffer);
}

/** @type {Map<string, Uint32Array>} */
const tables = new Map();

/**
 * A colour map as a table, in the version for where the element is.
 * @param {HTMLElement} element whose place on the page is dark or light
 * @param {Colours} colours the name of a map; a table of one's own comes back as it is
 * @returns {Uint32Array} 256 pixels of ImageData, from the lowest value to the highest
 */
export function colourTable(element, colours) {
  if (typeof colours !== 'string') return colours;
  const mode = isDark(element) ? 'dark' : 'light', key = mode + colours, known = tables.get(key) ?? table(stops[mode][colours]);
  tables.set(key, known);
  return known;
}

/** Smallest and largest element; Infinity and -Infinity of nothing. @param {ArrayLike<number>} data NaN is passed over @returns {[number, number]} */
export function extent(data) {
  let low = Infinity, high = -Infinity;
  for (let i = 0; i < data.length; i++) {
    if (data[i] < low) low = data[i];
    if (data[i] > high) high = data[i];
  }
  return [low, high];
}
