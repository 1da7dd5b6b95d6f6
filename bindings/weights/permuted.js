/** Arrays whose axes lie in another order. */

/** @typedef {{ shape: number[], data: Float32Array }} Values */

/** y = x with its axes in another order: axis order[0] of x comes first in y. @param {Values} x @param {readonly number[]} order
 * @returns {Values} */
export function permuted({ shape, data }, order) {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const dims = order.map(axis => shape[axis]), steps = order.map(axis => strides[axis]), out = new Float32Array(data.length);
  const [last, step] = [dims[dims.length - 1], steps[steps.length - 1]], index = dims.map(() => 0);
  for (let at = 0, from = 0; at < out.length;) {
    for (let i = 0; i < last; i++) out[at++] = data[from + i * step];
    for (let axis = dims.length - 2; axis >= 0; axis--) {
      from += steps[axis];
      if (++index[axis] < dims[axis]) break;
      from -= dims[axis] * steps[axis];
      index[axis] = 0;
    }
  }
  return { shape: dims, data: out };
}
