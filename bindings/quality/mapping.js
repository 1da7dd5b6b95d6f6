/** Curves that bring scores onto the scale of ratings, by least squares in float64. */
import { HeddleError, checkOptions, kindOf } from '../errors.js';
import { computeFloat64, readColumn } from '../matrix.js';

/** @import { VectorLike } from '../matrix.js' */
/** @typedef {'linear' | 'logistic4' | 'logistic5'} MappingKind curves of 2, 4 and 5 coefficients: see `Mapping.kind` */

/** In the order of HD_MAPPING_... of heddle.h: how many coefficients, and the curve. As there, exponents count within -60..60.
 * @type {Record<MappingKind, { size: number, value: (b: readonly number[], x: number) => number }>} */
const curves = {
  linear: { size: 2, value: (b, x) => b[0] + b[1] * x },
  logistic4: { size: 4, value: (b, x) => (b[0] - b[1]) / (1 + Math.exp(limited(-(x - b[2]) / b[3]))) + b[1] },
  logistic5: { size: 5, value: (b, x) => b[0] * (0.5 - 1 / (1 + Math.exp(limited(b[1] * (x - b[2]))))) + b[3] * x + b[4] },
};
const kinds = /** @type {MappingKind[]} */ (Object.keys(curves));

/** @param {number} exponent */
const limited = exponent => Math.min(Math.max(exponent, -60), 60);

/** A fitted curve. Its own properties are plain JSON, so that it can be stored with a model: `mapping.from` makes it whole again. */
export class Mapping {
  /** @param {MappingKind} kind which curve: see the property @param {readonly number[]} coefficients b0, b1 ...: 2 of `linear`, 4 of `logistic4`, 5 of `logistic5` */
  constructor(kind, coefficients) {
    /** The curve: b0 + b1 x; (b0 - b1) / (1 + exp(-(x - b2) / b3)) + b1; or b0 (1/2 - 1 / (1 + exp(b1 (x - b2)))) + b3 x + b4.
     * @type {MappingKind} */
    this.kind = kind;
    /** b0, b1 ... @type {readonly number[]} */
    this.coefficients = coefficients;
  }

  /** @param {VectorLike} q scores @returns {Float64Array<ArrayBuffer>} on the ratings' scale; NaN stays NaN */
  apply(q) {
    const { data } = readColumn(q, 'mapping: q'), { value } = curves[this.kind];
    return Float64Array.from(data, x => value(this.coefficients, x));
  }
}

/** @param {MappingKind} kind @param {VectorLike} q @param {VectorLike} y */
async function fit(kind, q, y) {
  const scores = readColumn(q, `mapping.${kind}: q`), ratings = readColumn(y, `mapping.${kind}: y`);
  if (ratings.rows !== scores.rows) throw new HeddleError('shape', `mapping.${kind}: y: has ${ratings.rows} numbers, expected ${scores.rows} as there are scores`);
  const [b, [used]] = await computeFloat64('mapping_fit', [kinds.indexOf(kind), scores.rows, scores, ratings, { out: 5 }, { out: 1 }]);
  return new Mapping(kinds[used], [...b.subarray(0, curves[kinds[used]].size)]);
}

/**
 * Fits of ratings y by scores q, two or more: a line; Sheikh's curves of 4 and 5 parameters by Levenberg's and Marquardt's method. Where a logistic
 * curve fits no better than the line, it is the line. `from` makes a stored mapping whole again.
 */
export const mapping = Object.freeze({
  /** @param {VectorLike} q @param {VectorLike} y */
  linear: (q, y) => fit('linear', q, y),
  /** @param {VectorLike} q @param {VectorLike} y */
  logistic4: (q, y) => fit('logistic4', q, y),
  /** @param {VectorLike} q @param {VectorLike} y */
  logistic5: (q, y) => fit('logistic5', q, y),
  /** @param {{ kind: string, coefficients: readonly number[] }} stored */
  from(stored) {
    checkOptions(stored, ['kind', 'coefficients'], 'mapping.from');
    const kind = kinds.find(one => one === stored?.kind), b = stored?.coefficients;
    if (!kind) throw new HeddleError('argument', `mapping.from: kind = ${String(stored?.kind)}, expected one of ${kinds.join(', ')}`);
    if (!Array.isArray(b) || b.length !== curves[kind].size || !b.every(Number.isFinite)) {
      throw new HeddleError('argument', `mapping.from: coefficients = ${Array.isArray(b) ? JSON.stringify(b) : kindOf(b)}, expected ${curves[kind].size} finite numbers`);
    }
    return new Mapping(kind, [...b]);
  },
});
