/**
 * Least squares over the samples of all members, whose samples stay where they are: each member m has the sums G_m, C_m of its own
 * ones, and all come to the O of least sum_m |T_m - O Y_m|^2 + lambda ||O||^2 with ||O||_F <= radius.
 */
import { HeddleError, checkOptions, wholeNumber } from '../errors.js';
import { Gram } from '../gram.js';
import { ConsensusAdmm } from './admm.js';
import { Gossip } from './gossip.js';
import { Group } from './group.js';

/** @import { Coefficients } from '../admm.js' */
/** @import { Traffic } from './transport.js' */
/**
 * How members come to one solution.
 * - `admm`: alternating direction method of multipliers; coefficients and duals travel, the first member adds up
 * - `gossip`: the same without anybody that adds up: each member talks to its neighbours on a circle. With onLoss `continue` all meet at
 *   its end, and after a loss, to count who is left: the iteration then begins anew
 * - `gram`: the sums themselves travel, once; exact. They tell the second moments of the features
 * @typedef {'admm' | 'gossip' | 'gram'} ConsensusMethod */
/**
 * @typedef {object} ConsensusOptions
 * @property {Group} group who solves together; from `transport.join`
 * @property {ConsensusMethod} [method] `admm` unless told
 * @property {'float32' | 'float64'} [type] of the numbers on their way; unless told float32, for `gram` float64
 * @property {number} [rounds] most rounds of ADMM, 100 unless told
 * @property {number} [absoluteTolerance] ADMM stops when its residuals are below this times the size of the coefficients (1e-6)
 * @property {number} [relativeTolerance] or relative to the coefficients and duals (1e-4); both 0: it never stops early
 * @property {number} [penalty] s of ADMM; unless told trace(sum G_m) / (n M)
 * @property {boolean} [balance] doubles or halves the penalty when one residual is 10 times the other, in the first 50 rounds
 * @property {number} [degree] gossip: neighbours on either side, 1 unless told
 * @property {number} [precision] gossip: of its means, relative to how members differ; 1e-6 unless told
 * @property {(progress: { round: number, primal: number, dual: number, members: number }) => void} [onRound] of ADMM
 */
/**
 * @typedef {object} ConsensusResult
 * @property {Coefficients} coef the same for all members (with gossip, within its precision), and in the ball
 * @property {number} lambda that worked
 * @property {number} rounds of ADMM; 1 for `gram`
 * @property {boolean} converged the residuals came below the tolerances within the most rounds; for `gram` true
 * @property {{ primal: number, dual: number }[]} history residuals: the distance of the members' coefficients from the common ones, and s
 *   times the change of those; over all members
 * @property {number} penalty s of the last round, which `balance` may have changed; 0 for `gram`
 * @property {Float64Array<ArrayBuffer> | null} dual of this member, U_m [targets, features]; null for `gram`
 * @property {number} mixings gossip: exchanges for each mean; else 0
 * @property {readonly string[]} members whose samples it is of
 * @property {{ sent: Traffic, received: Traffic }} bytes of this member, for this solution
 */

const names = ['group', 'method', 'type', 'rounds', 'absoluteTolerance', 'relativeTolerance', 'penalty', 'balance', 'degree', 'precision', 'onRound'];

/** @param {number | undefined} value @param {number} fallback @param {string} name */
function notNegative(value, fallback, name) {
  if (value === undefined) return fallback;
  if (!(value >= 0 && value < Infinity)) throw new HeddleError('argument', `consensus: ${name} = ${String(value)}, expected a finite number of at least 0`);
  return value;
}

/** @param {ConsensusOptions} options */
function readOptions({ group, method = 'admm', balance = false, onRound = () => {}, ...given }) {
  if (!(group instanceof Group)) throw new HeddleError('argument', 'consensus: group must come from transport.join()');
  if (!['admm', 'gossip', 'gram'].includes(method)) throw new HeddleError('argument', `consensus: method = ${JSON.stringify(method)}, expected "admm", "gossip" or "gram"`);
  return {
    group, method, balance, onRound, type: given.type ?? (method === 'gram' ? 'float64' : 'float32'),
    rounds: wholeNumber(given.rounds, 'consensus: rounds', 1, 100), degree: wholeNumber(given.degree, 'consensus: degree', 1, 1),
    absolute: notNegative(given.absoluteTolerance, 1e-6, 'absoluteTolerance'), relative: notNegative(given.relativeTolerance, 1e-4, 'relativeTolerance'),
    penalty: notNegative(given.penalty, 0, 'penalty'), precision: notNegative(given.precision, 1e-6, 'precision') || 1e-6,
  };
}
/** @typedef {ReturnType<typeof readOptions>} Settings */
/** @typedef {{ radius: number, lambda: number }} Problem radius 0: no bound */

/** @param {{ sent: Traffic, received: Traffic }} before @param {{ sent: Traffic, received: Traffic }} after */
function difference(before, after) {
  const minus = (/** @type {Traffic} */ a, /** @type {Traffic} */ b) =>
    ({ payload: a.payload - b.payload, header: a.header - b.header, messages: a.messages - b.messages });
  return { sent: minus(after.sent, before.sent), received: minus(after.received, before.received) };
}

/** The lower triangle of g [n, n], row by row. @param {Float64Array} g @param {number} n */
function packLower(g, n) {
  const packed = new Float64Array(n * (n + 1) / 2);
  for (let i = 0; i < n; i++) packed.set(g.subarray(i * n, i * n + i + 1), i * (i + 1) / 2);
  return packed;
}

/** @param {Float64Array} packed @param {number} n @param {number} lambda to be added to the diagonal */
function unpackLower(packed, n, lambda) {
  const g = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    g.set(packed.subarray(i * (i + 1) / 2, (i + 1) * (i + 2) / 2), i * n);
    g[i * n + i] += lambda;
    for (let j = 0; j < i; j++) g[j * n + i] = g[i * n + j];
  }
  return g;
}

/** Sums of all members, then the solution by each for itself. @param {Gram} gram @param {Problem} problem @param {Settings} settings */
async function byGram(gram, { radius, lambda }, { group, type }) {
  const { features: n, targets: q } = gram, values = await gram.values();
  const [packed, c, [samples, targetSquares]] = await group.allReduceSum([packLower(values.g, n), values.c, Float64Array.of(values.samples, values.targetSquares)], { type });
  const pooled = new Gram({ features: n, targets: q });
  try {
    await pooled.set({ g: unpackLower(packed, n, radius ? lambda : 0), c, samples: Math.round(samples), targetSquares });
    const { coef, lambda: used } = await (radius ? pooled.secular(radius) : pooled.ridge(lambda));
    return { coef, lambda: radius ? lambda : used, rounds: 1, converged: true, history: [], penalty: 0, dual: null, mixings: 0 };
  } finally {
    pooled.dispose();
  }
}

/** Attempts with the same members, of which one was too slow for its neighbours. */
const mostAttempts = 3;

/** Members that gossip know of their neighbours alone: who is left, and whether all have come to the end, they find out when they meet.
 * @param {Gram} gram @param {Problem} problem @param {Settings} settings */
async function byGossip(gram, problem, settings) {
  const { group } = settings;
  if (group.onLoss === 'stop') return byAdmm(gram, problem, settings);
  for (let attempt = 1; ; attempt++) {
    const { size } = group;
    /** @type {unknown} */
    let failure = null;
    const solution = await byAdmm(gram, problem, settings).catch(error => {
      if (!(error instanceof HeddleError && error.code === 'timeout' && group.isOpen)) throw error;
      failure = error;
    });
    const whole = await group.meet(solution ? 1 : 0);
    if (solution && whole === size && group.size === size) return solution;
    if (group.size < size) attempt = 0;
    if (attempt === mostAttempts) throw failure ?? new HeddleError('timeout', `consensus: ${size - whole} of ${size} members missed a neighbour, ${attempt} times`);
  }
}

/** @param {Gram} gram @param {Problem} problem @param {Settings} settings */
async function byAdmm(gram, problem, settings) {
  const admm = new ConsensusAdmm(gram, problem, settings, settings.method === 'gossip' ? new Gossip(settings.group, settings.degree, settings.precision) : null);
  try {
    return await admm.run();
  } finally {
    admm.dispose();
  }
}

/**
 * Solves the least squares problem of all members' samples together. All members call it, with sums of the same sizes and the same
 * options.
 * @param {ConsensusOptions & { gram: Gram, radius?: number, lambda?: number }} options gram: sums over this member's own samples; radius:
 *   bound on the Frobenius norm of the coefficients, none unless told; lambda: ridge penalty, 0 unless told
 * @returns {Promise<ConsensusResult>}
 * @throws {HeddleError} as `Group.allReduceSum`; `argument`; `unsupported`; `diverged` if the sums are singular
 */
export async function consensusSolve(options) {
  checkOptions(options, ['gram', 'radius', 'lambda', ...names], 'consensusSolve');
  const { gram, radius, lambda, ...rest } = options;
  if (!(gram instanceof Gram)) throw new HeddleError('argument', 'consensusSolve: gram must be a Gram of heddle/solvers');
  const problem = { radius: notNegative(radius, 0, 'radius'), lambda: notNegative(lambda, 0, 'lambda') }, settings = readOptions(rest), { group } = settings;
  if (radius === 0) throw new HeddleError('argument', 'consensus: radius = 0, expected a number above 0, or none');
  const before = structuredClone(group.bytes), solution = await { admm: byAdmm, gossip: byGossip, gram: byGram }[settings.method](gram, problem, settings);
  return { ...solution, members: [...group.members], bytes: difference(before, group.bytes) };
}

/**
 * What estimators need to fit with others: give it as their `solver`. `solve` takes the sums of one's own samples and gives the
 * coefficients for everybody's; `sum` adds up what growth is decided by; `seed` is for weights that all must draw alike.
 * @param {ConsensusOptions} options
 */
export function consensusSolver(options) {
  checkOptions(options, names, 'consensusSolver');
  const { group } = readOptions(options);
  return {
    seed: group.seed,
    /** @param {Gram} gram @param {{ radius?: number, lambda?: number }} [problem] */
    solve: (gram, problem = {}) => consensusSolve({ gram, radius: problem.radius, lambda: problem.lambda, ...options }),
    /** @param {readonly number[]} values @returns {Promise<number[]>} */
    sum: async values => [...(await group.allReduceSum([Float64Array.from(values)], { type: 'float64' }))[0]],
    /** All that any member has, such as names of classes, sorted. @template {string | number | boolean} T @param {readonly T[]} values @returns {Promise<T[]>} */
    union: async values => {
      const text = JSON.stringify(values), all = new Set(), { members } = group;
      for (const from of members) {
        const [codes] = await group.broadcast([Float64Array.from({ length: text.length }, (_, i) => text.charCodeAt(i))], { from });
        for (const value of JSON.parse(String.fromCharCode(...codes))) all.add(value);
      }
      return [...all].sort((a, b) => (typeof a === 'number' && typeof b === 'number' ? a - b : a < b ? -1 : 1));
    },
  };
}
