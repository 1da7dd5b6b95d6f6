/** Averages without a master: each member mixes its numbers with its neighbours', again and again. */
import { HeddleError } from '../errors.js';

/** @import { Group, WireOptions } from './group.js' */

/**
 * Neighbours on a circle, up to `degree` steps on either side.
 * @param {number} rank 0..size - 1 @param {number} size nodes on the circle @param {number} degree at least 1 @returns {number[]} ranks, ascending
 */
export function circulant(rank, size, degree) {
  const all = new Set();
  for (let step = 1; step <= Math.min(degree, size >> 1); step++) all.add((rank + step) % size).add((rank - step + size) % size);
  all.delete(rank);
  return [...all].sort((a, b) => a - b);
}

/**
 * Weights of Metropolis, doubly stochastic and symmetric for any graph without directions: H_ij = 1 / (1 + max(d_i, d_j)) for
 * neighbours, H_ii = 1 - the others (Xiao, Boyd, Lall 2005).
 * @param {readonly (readonly number[])[]} neighbours of each node
 * @returns {number[][]} H
 */
export function metropolisWeights(neighbours) {
  return neighbours.map((own, i) => {
    const row = neighbours.map(() => 0);
    for (const j of own) row[j] = 1 / (1 + Math.max(own.length, neighbours[j].length));
    row[i] = 1 - row.reduce((sum, h) => sum + h, 0);
    return row;
  });
}

/**
 * The factor by which one mixing shrinks what differs from the mean: the second largest modulus among the eigenvalues of H, which
 * is the 2-norm of A = H - 11^T / M. Computed by squaring: ||A|| = lim ||A^(2^k)||_F^(1 / 2^k), which is within M^(1 / 2^(k + 1)).
 * @param {readonly (readonly number[])[]} weights H, symmetric, rows of sum 1
 * @returns {number} below 1 only if the graph is connected (and no two-coloured one without weights on the diagonal)
 */
export function mixingFactor(weights) {
  const size = weights.length;
  let power = weights.map(row => row.map(h => h - 1 / size)), log = 0;
  for (let k = 0; k < 40; k++) {
    const norm = Math.sqrt(power.flat().reduce((sum, v) => sum + v * v, 0));
    if (norm === 0) return 0;
    log += Math.log(norm) / 2 ** k;
    power = power.map(row => row.map(v => v / norm));
    power = power.map(row => row.map((_, j) => row.reduce((sum, v, i) => sum + v * power[i][j], 0)));
  }
  return Math.exp(log);
}

/**
 * Mixings until what differs from the mean is `precision` times what it was.
 * @param {number} factor of one mixing, below 1, as `mixingFactor` gives it
 * @param {number} precision above 0, such as 1e-6
 * @throws {HeddleError} `argument` for a factor that is not below 1, or a precision that is not above 0
 */
export function mixingSteps(factor, precision) {
  if (!(precision > 0)) throw new HeddleError('argument', `gossip: precision = ${precision}, expected a number above 0`);
  if (!(factor < 1 - 1e-12)) throw new HeddleError('argument', `gossip: a factor of ${factor} never comes to the mean: is the graph connected?`);
  return factor <= precision ? 1 : Math.ceil(Math.log(precision) / Math.log(factor));
}

/** The means of a group by gossip on a circle. */
export class Gossip {
  #group;
  #neighbours;
  #weights;
  #diameter;

  /** @param {Group} group @param {number} degree neighbours on either side @param {number} precision of the means, relative to the spread */
  constructor(group, degree, precision) {
    const { size, rank, members } = group;
    const neighbours = members.map((_, i) => circulant(i, size, degree)), weights = metropolisWeights(neighbours);
    this.#group = group;
    this.#neighbours = neighbours[rank].map(i => members[i]);
    this.#weights = new Map(members.map((id, i) => [id, weights[rank][i]]));
    this.#diameter = Math.ceil((size >> 1) / degree);
    this.factor = size === 1 ? 0 : mixingFactor(weights);
    this.steps = size === 1 ? 0 : mixingSteps(this.factor, precision);
  }

  /** @param {readonly Float64Array[]} arrays @param {WireOptions} [options] @returns {Promise<Float64Array[]>} */
  async mean(arrays, options) {
    let own = [...arrays];
    for (let step = 0; step < this.steps; step++) {
      const others = await this.#group.neighbourExchange(own, this.#neighbours, options), weight = this.#weights.get(this.#group.id) ?? 0;
      own = own.map((array, k) => {
        const mixed = array.map(v => weight * v);
        for (const [id, theirs] of others) {
          const h = this.#weights.get(id) ?? 0;
          for (let i = 0; i < mixed.length; i++) mixed[i] += h * theirs[k][i];
        }
        return mixed;
      });
    }
    return own;
  }

  /** The largest of all members' numbers, which all know exactly after as many exchanges as the graph is wide. @param {number} value
   * @returns {Promise<number>} */
  async max(value) {
    for (let step = 0; step < this.#diameter && this.#group.size > 1; step++) {
      const others = await this.#group.neighbourExchange([Float64Array.of(value)], this.#neighbours, { type: 'float64' });
      for (const [theirs] of others.values()) value = Math.max(value, theirs[0]);
    }
    return value;
  }
}
