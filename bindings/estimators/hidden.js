/** Layers of SSFN. */
import { initializers, layers } from '../factories.js';
import { apply } from '../graph.js';

/** @import { SymbolicTensor } from '../graph.js' */
/** @import { Stage } from './stages.js' */

/** Rows of R. */
export const rows = initializers.uniform({ min: -1, max: 1 });

/** y_l from y_{l-1}. @param {number} level l @param {Stage} output O_{l-1} @param {{ data: Float32Array, shape: number[] } | null} random R
 * @returns {Stage} */
export function hidden(level, output, random) {
  /** @param {SymbolicTensor} y */
  const draw = y => {
    const kept = apply(layers.crelu({ name: `lossless_${level}` }), output.draw(y));
    if (!random) return kept;
    const dense = layers.dense({ units: random.shape[0], useBias: false, trainable: false, kernelInitializer: rows, name: `random_${level}` });
    const unit = apply(layers.unitNormalization({ name: `unit_${level}` }), apply(dense, y));
    return apply(layers.concat({ name: `features_${level}` }), [kept, apply(layers.activation({ activation: 'relu', name: `relu_${level}` }), unit)]);
  };
  return {
    draw, weights: { ...output.weights, ...random && { [`random_${level}/kernel`]: random } }, size: 2 * output.size + (random?.shape[0] ?? 0),
  };
}

/** [I, -I, 0]. @param {number} q rows @param {number} n columns */
export function lossless(q, n) {
  const o = new Float64Array(q * n);
  for (let k = 0; k < q; k++) {
    o[k * n + k] = 1;
    o[k * n + q + k] = -1;
  }
  return o;
}
