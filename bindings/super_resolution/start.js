/**
 * Weights from which a MatNet learns fast: discrete cosine transforms into the hidden matrix and back, as small as it takes for the sigmoid between them
 * to be a line, so that at first the network gives back the low frequencies of the luma it sees.
 */

/** @import { NamedTensors } from '../model.js' */
/** @import { MatnetConfig } from './matnet.js' */
/** @typedef {Float32Array<ArrayBuffer>} Matrix */

/** Of what goes into the sigmoid, whose slope is 1/4; the bright constant of a window of 15 x 15 is 15 times as large as its pixels. */
const gain = 0.03;
/** What comes of other modalities than the luma, and residuals, begins as small as this part of it. */
const others = 0.1;

/** The lowest frequencies of the orthonormal DCT-II. @param {number} count @param {number} length @param {number} factor @returns {Matrix} [count, length] */
const cosines = (count, length, factor) => Float32Array.from({ length: count * length }, (_, i) => {
  const k = Math.floor(i / length), at = i % length + 0.5;
  return factor * Math.sqrt((k ? 2 : 1) / length) * Math.cos(Math.PI * at * k / length);
});

/** @param {Matrix} matrix [rows, cols] @param {number} rows @param {number} cols */
const transposed = (matrix, rows, cols) => Float32Array.from({ length: matrix.length }, (_, i) => matrix[(i % rows) * cols + Math.floor(i / rows)]);

/** @param {Matrix} matrix @param {number} cols */
const rowSums = (matrix, cols) => Float64Array.from({ length: matrix.length / cols }, (_, i) => matrix.subarray(i * cols, (i + 1) * cols).reduce((a, b) => a + b, 0));

/** -U 1/2 V': what takes the sigmoid's value at 0 away. @param {Matrix} u @param {Matrix} v @param {number} rows @param {number} cols of the matrix before */
function withoutHalf(u, v, rows, cols) {
  const [left, right] = [rowSums(u, rows), rowSums(v, cols)];
  return Float32Array.from({ length: left.length * right.length }, (_, i) => -0.5 * left[Math.floor(i / right.length)] * right[i % right.length]);
}

/** From one hidden matrix to the next: the same values where both have them. @param {number} to @param {number} from */
const carried = (to, from) => Float32Array.from({ length: to * from }, (_, i) => (Math.floor(i / from) === i % from ? 2 : 0));

/**
 * @param {NamedTensors} weights of a network of describeMatnet with linear outputs
 * @param {MatnetConfig} config
 * @returns {NamedTensors} the same, new values in all but the decoders of other modalities than the luma
 */
export function cosineStart(weights, { patch, hidden, modalities, mode }) {
  const put = (/** @type {string} */ name, /** @type {ArrayLike<number>} */ data) => weights[name]?.data.set(data);
  const [rows, cols] = hidden[0], [tall, wide] = hidden[hidden.length - 1], into = Math.sqrt(gain);
  modalities.forEach((_, j) => {
    put(`encoder${j + 1}/U`, cosines(rows, patch, (j ? others : 1) * into));
    put(`encoder${j + 1}/V`, cosines(cols, patch, into));
  });
  hidden.slice(1).forEach(([p, q], i) => {
    const [u, v] = [carried(p, hidden[i][0]), carried(q, hidden[i][1])];
    for (const [part, data] of Object.entries({ U: u, V: v, B: withoutHalf(u, v, ...hidden[i]) })) put(`hidden${i + 2}/${part}`, data);
  });
  const out = Math.sqrt((mode === 'residual' ? others : 1) * 4 / gain);
  const [u, v] = [transposed(cosines(tall, patch, out), tall, patch), transposed(cosines(wide, patch, out), wide, patch)];
  for (const [part, data] of Object.entries({ U: u, V: v, B: withoutHalf(u, v, tall, wide) })) put(`decoder1/${part}`, data);
  return weights;
}
