/**
 * Consensus by ADMM with scaled duals (Boyd et al. 2011, section 7.1; the update of Z uses each member's own dual, and is the proximal
 * map of lambda ||Z||^2 within the ball):
 *   O_m = (C_m + s (Z - U_m)) (G_m + s I)^-1,   Z = P(mean of O_m + U_m),   U_m = U_m + O_m - Z.
 * A round is one sum over the members: O_m + U_m, and three numbers about the round before, from which all decide alike whether
 * it was the last. It converges from any Z and U: when a member is lost, the others go on from where they are.
 */
import { HeddleError } from '../errors.js';

/** @import { Admm } from '../admm.js' */
/** @import { Gram } from '../gram.js' */
/** @import { Gossip } from './gossip.js' */
/** @import { Problem, Settings } from './solve.js' */

const balancedRounds = 50;

/** @param {Float64Array} a */
const squares = a => a.reduce((sum, v) => sum + v * v, 0);
/** @param {Float64Array} a @param {Float64Array} b */
const squaredDistance = (a, b) => a.reduce((sum, v, i) => sum + (v - b[i]) ** 2, 0);

export class ConsensusAdmm {
  #gram;
  #problem;
  #settings;
  #gossip;
  /** @type {Admm | null} */
  #admm = null;
  #penalty = 0;
  #z;
  #u;
  /** Of this member and the last round: ||O - Z||^2, ||O||^2, ||U||^2. */
  #own = new Float64Array(3);
  #change = 0; // ||Z - old Z||
  /** @type {{ primal: number, dual: number }[]} */
  #history = [];

  /** @param {Gram} gram @param {Problem} problem @param {Settings} settings @param {Gossip | null} gossip null: the first member adds up */
  constructor(gram, problem, settings, gossip) {
    this.#gram = gram;
    this.#problem = problem;
    this.#settings = settings;
    this.#gossip = gossip;
    this.#z = new Float64Array(gram.targets * gram.features);
    this.#u = new Float64Array(this.#z.length);
  }

  async run() {
    const settings = this.#settings, { group, onRound } = settings, { features: n, targets: q } = this.#gram;
    await this.#setPenalty(settings.penalty || await this.#defaultPenalty());
    let round = 0, isOver = false;
    while (!isOver && round < settings.rounds) {
      const residuals = await this.#round();
      isOver = ++round > 1 && await this.#decide(residuals, round);
      if (round > 1) onRound({ round, ...residuals, members: group.size });
    }
    return {
      coef: { data: this.#z, shape: /** @type {[number, number]} */ ([q, n]) }, lambda: this.#problem.lambda, rounds: round, converged: isOver,
      history: this.#history, penalty: this.#penalty, dual: this.#u, mixings: this.#gossip?.steps ?? 0,
    };
  }

  /** Sums over the members. @param {Float64Array[]} arrays @param {'float32' | 'float64'} type @returns {Promise<Float64Array[]>} */
  async #sum(arrays, type) {
    const { group } = this.#settings;
    if (!this.#gossip) return group.allReduceSum(arrays, { type });
    return (await this.#gossip.mean(arrays, { type })).map(array => array.map(v => v * group.size));
  }

  /** s = trace(sum G_m) / (n M), the same bits for all. */
  async #defaultPenalty() {
    const { features: n } = this.#gram, { g } = await this.#gram.values();
    let trace = 0;
    for (let i = 0; i < n; i++) trace += g[i * n + i];
    const [[sum]] = await this.#sum([Float64Array.of(trace)], 'float64'), all = this.#gossip ? await this.#gossip.max(sum) : sum;
    if (!(all > 0)) throw new HeddleError('argument', 'consensus: all features of all members are zero');
    return all / (n * this.#settings.group.size);
  }

  /** @param {number} penalty */
  async #setPenalty(penalty) {
    if (this.#penalty) this.#u = this.#u.map(v => v * this.#penalty / penalty);
    this.dispose();
    this.#penalty = penalty;
    this.#admm = await this.#gram.admm({ penalty });
  }

  /** @returns {Promise<{ primal: number, dual: number, primalLimit: number, dualLimit: number }>} of the round before this one */
  async #round() {
    const admm = /** @type {Admm} */ (this.#admm), { group, absolute, relative } = this.#settings, s = this.#penalty;
    await Promise.all([admm.set('Z', this.#z), admm.set('U', this.#u)]);
    await admm.local();
    const { data: o } = await admm.values('O');
    const [sum, [distance, ownSquares, dualSquares]] = await this.#sum([o.map((v, i) => v + this.#u[i]), this.#own], this.#settings.type);
    const { size } = group, zNorm = Math.sqrt(squares(this.#z)), scale = Math.sqrt(size) * zNorm;
    const residuals = {
      primal: Math.sqrt(distance), dual: Math.sqrt(size) * s * this.#change,
      primalLimit: absolute * scale + relative * Math.max(Math.sqrt(ownSquares), Math.sqrt(size) * zNorm),
      dualLimit: s * (absolute * scale + relative * Math.sqrt(dualSquares)),
    };
    const z = this.#project(sum.map(v => v / size), size);
    this.#change = Math.sqrt(squaredDistance(z, this.#z));
    for (let i = 0; i < z.length; i++) this.#u[i] += o[i] - z[i];
    this.#own = Float64Array.of(squaredDistance(o, z), squares(o), squares(this.#u));
    this.#z = z;
    return residuals;
  }

  /** The proximal map of lambda ||Z||^2 within the ball. @param {Float64Array} mean @param {number} size */
  #project(mean, size) {
    const { radius, lambda } = this.#problem, s = size * this.#penalty, shrink = s / (lambda + s), norm = shrink * Math.sqrt(squares(mean));
    const factor = radius && norm > radius ? shrink * radius / norm : shrink;
    return mean.map(v => v * factor);
  }

  /** @param {{ primal: number, dual: number, primalLimit: number, dualLimit: number }} residuals @param {number} round */
  async #decide({ primal, dual, primalLimit, dualLimit }, round) {
    this.#history.push({ primal, dual });
    const isNear = primal <= primalLimit && dual <= dualLimit;
    // Means by gossip differ a little between members: one that is not near enough keeps all going.
    if (this.#gossip ? await this.#gossip.max(isNear ? 0 : 1) === 0 : isNear) return true;
    if (this.#settings.balance && round <= balancedRounds) {
      const [p, d] = [primal / (primalLimit || 1), dual / (dualLimit || 1)];
      const change = p > 10 * d ? 2 : d > 10 * p ? 0.5 : 1, agreed = this.#gossip ? await this.#gossip.max(change) : change;
      if (agreed !== 1) await this.#setPenalty(this.#penalty * agreed);
    }
    return false;
  }

  dispose() {
    this.#admm?.dispose();
    this.#admm = null;
  }
}
