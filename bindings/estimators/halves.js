/** Features of SLFN while they grow. */
import { layers } from '../factories.js';
import { apply, input } from '../graph.js';
import { model } from '../model.js';

/** @import { Model } from '../model.js' */
/** @import { Wider } from './primal.js' */

/**
 * [relu(z); relu(-z)] of the first weights, then of those after them.
 * @param {Model} slfn of `to` features
 * @param {boolean} bias
 * @param {number} from features of the first weights
 * @param {number} to
 * @returns {Promise<Wider>}
 */
export async function halves(slfn, bias, from, to) {
  const { data, shape: [m, p] } = (await slfn.getWeights())['random/kernel'], old = from / 2;
  const x = input({ shape: slfn.inputs[0].shape }), flat = apply(layers.flatten(), x), below = bias ? apply(layers.appendConstant(), flat) : flat;
  /** @param {string} name @param {number} units */
  const both = (name, units) => apply(layers.crelu(), apply(layers.dense({ units, useBias: false, name }), below));
  const net = await model({ inputs: x, outputs: apply(layers.concat({ name: 'hidden' }), [both('old', old), both('new', m - old)]), seed: 0 });
  await net.setWeights({ 'old/kernel': data.slice(0, old * p), 'new/kernel': data.slice(old * p) });
  const order = Int32Array.from({ length: to }, (_, i) => {
    const sign = Math.floor(i / m), node = i % m;
    return node < old ? sign * old + node : from + sign * (m - old) + node - old;
  });
  return { model: net, node: 'hidden', order };
}
