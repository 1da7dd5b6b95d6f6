/** Arithmetic of planes, the channels of pictures: cutting, turning, mirroring. */

/** @typedef {Float32Array<ArrayBuffer>} Plane rows from the top */

/** Index of a signal continued by mirror images, the end element twice, as the bicubic filter sees it. @param {number} i @param {number} n */
export function mirrored(i, n) {
  const m = ((i % (2 * n)) + 2 * n) % (2 * n);
  return m < n ? m : 2 * n - 1 - m;
}

/** A part, which may reach beyond the plane: that is mirrored. @param {Plane | Uint8Array} plane @param {number} height @param {number} width @param {number} top
 * @param {number} left @param {number} rows @param {number} cols @param {Plane} [out] where it goes @returns {Plane} */
export function part(plane, height, width, top, left, rows, cols, out = new Float32Array(rows * cols)) {
  const isInside = left >= 0 && left + cols <= width;
  const across = isInside ? null : Int32Array.from({ length: cols }, (_, j) => mirrored(left + j, width));
  for (let i = 0; i < rows; i++) {
    const begin = mirrored(top + i, height) * width;
    if (!across) out.set(plane.subarray(begin + left, begin + left + cols), i * cols);
    else for (let j = 0; j < cols; j++) out[i * cols + j] = plane[begin + across[j]];
  }
  return out;
}

/** Orientations of a square: bit 0 upside down, bit 1 left to right, then bit 2 rows become columns. */
export const orientations = 8;

/**
 * A plane turned to one of the orientations, or (`back`) from it.
 * @param {Plane} plane
 * @param {number} height of the plane as it stands upright
 * @param {number} width
 * @param {number} orientation 0 to 7
 * @param {boolean} [back]
 * @returns {Plane}
 */
export function turned(plane, height, width, orientation, back = false) {
  if (orientation === 0) return plane;
  const out = new Float32Array(plane.length), transposes = !!(orientation & 4), [rows, cols] = transposes ? [width, height] : [height, width];
  for (let r = 0, at = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++, at++) {
      const [i, j] = transposes ? [c, r] : [r, c];
      const upright = (orientation & 1 ? height - 1 - i : i) * width + (orientation & 2 ? width - 1 - j : j);
      if (back) out[upright] = plane[at];
      else out[at] = plane[upright];
    }
  }
  return out;
}
