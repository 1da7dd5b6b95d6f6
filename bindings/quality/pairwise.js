/** Scores from choices between two pictures: the model of Bradley and Terry ("Rank analysis of incomplete block designs: I. The method of paired
 * comparisons", Biometrika 39, 1952): picture i is preferred to j with probability 1 / (1 + exp(s_j - s_i)). */
import { HeddleError, checkOptions, kindOf } from '../errors.js';

/**
 * @typedef {object} Choice
 * @property {string} better name of the picture that was preferred
 * @property {string} worse name of the other
 * @property {boolean} [tie] neither is better: it counts as half a choice for each; false unless told
 */
/**
 * @typedef {object} PairwiseOptions
 * @property {number} [prior] choices for and against each picture, beside one of score 0, that are believed before any is made; > 0 keeps
 *   scores finite where a picture has won (or lost) all its pairs; 0: maximum likelihood; 0.5 unless told
 */
/**
 * @typedef {object} PairwiseScores
 * @property {string[]} images in the order of their first appearance
 * @property {Float64Array<ArrayBuffer>} scores natural logarithms of strengths, their mean 0: a picture 1 above another is preferred in 73 %
 *   of the choices
 * @property {Int32Array<ArrayBuffer>} choices how many each picture took part in
 */
/** Who met whom. @typedef {{ a: Int32Array, b: Int32Array, wins: Float64Array, games: Float64Array, n: number }} Pairs wins: of a over b */

const mostSteps = 100;

/** @param {string} message @returns {never} */
function refuse(message) {
  throw new HeddleError('argument', `pairwiseScores: ${message}`);
}

const sigmoid = (/** @type {number} */ x) => 1 / (1 + Math.exp(-x));
/** log(1 + exp(x)) without overflow. @param {number} x */
const softplus = x => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const dot = (/** @type {Float64Array} */ x, /** @type {Float64Array} */ y) => x.reduce((sum, value, i) => sum + value * y[i], 0);

/** @param {Iterable<Choice>} given @returns {{ images: string[], choices: Int32Array<ArrayBuffer>, pairs: Pairs }} */
function collect(given) {
  /** @type {Map<string, number>} */
  const numbers = new Map();
  /** @type {Map<string, { a: number, b: number, wins: number, games: number }>} */
  const met = new Map();
  const played = /** @type {number[]} */ ([]);
  let at = 0;
  for (const choice of given) {
    const { better, worse, tie = false } = choice ?? {};
    const [x, y] = [better, worse].map(name => {
      if (typeof name !== 'string' || name === '') refuse(`choice ${at}: expected { better, worse } with names of pictures, got ${kindOf(name)}`);
      if (!numbers.has(name)) played[numbers.size] = 0, numbers.set(name, numbers.size);
      return /** @type {number} */ (numbers.get(name));
    });
    if (x === y) refuse(`choice ${at}: "${better}" beside itself`);
    const [a, b] = x < y ? [x, y] : [y, x], key = `${a} ${b}`, pair = met.get(key) ?? { a, b, wins: 0, games: 0 };
    pair.wins += tie ? 0.5 : Number(a === x);
    pair.games++;
    met.set(key, pair);
    played[x]++;
    played[y]++;
    at++;
  }
  if (!at) refuse('no choices');
  const list = [...met.values()], n = numbers.size;
  const pairs = {
    n, a: Int32Array.from(list, pair => pair.a), b: Int32Array.from(list, pair => pair.b),
    wins: Float64Array.from(list, pair => pair.wins), games: Float64Array.from(list, pair => pair.games),
  };
  return { images: [...numbers.keys()], choices: Int32Array.from(played), pairs };
}

/** Whom `from` reaches along "won against" (or "lost against"). @param {Pairs} pairs @param {boolean} forwards */
function reached({ n, a, b, wins, games }, forwards) {
  const next = Array.from({ length: n }, () => /** @type {number[]} */ ([])), seen = new Uint8Array(n), stack = [0];
  a.forEach((_, k) => {
    if (forwards ? wins[k] > 0 : wins[k] < games[k]) next[a[k]].push(b[k]);
    if (forwards ? wins[k] < games[k] : wins[k] > 0) next[b[k]].push(a[k]);
  });
  for (seen[0] = 1; stack.length;) {
    for (const other of next[/** @type {number} */ (stack.pop())]) if (!seen[other]) stack.push(other), seen[other] = 1;
  }
  return seen;
}

/** Without a prior the likelihood has a maximum only if every picture is linked to every other by a chain of wins (Ford, "Solution of a ranking
 * problem from binary comparisons", 1957). @param {Pairs} pairs @param {string[]} images */
function checkLinked(pairs, images) {
  for (const forwards of [true, false]) {
    const lost = reached(pairs, forwards).indexOf(0);
    if (lost >= 0) {
      const [winner, loser] = forwards ? [images[0], images[lost]] : [images[lost], images[0]];
      refuse(`no chain of choices leads from "${winner}" down to "${loser}": without a prior their scores have no finite difference`);
    }
  }
}

/** -log of the posterior density, up to a constant. @param {Pairs} pairs @param {Float64Array} s @param {number} prior */
function cost({ a, b, wins, games }, s, prior) {
  let sum = 0;
  for (let k = 0; k < a.length; k++) {
    const d = s[a[k]] - s[b[k]];
    sum += wins[k] * softplus(-d) + (games[k] - wins[k]) * softplus(d);
  }
  return s.reduce((total, value) => total + prior * (softplus(value) + softplus(-value)), sum);
}

/** Gradient of the cost, and its Hessian as one curvature a pair and one an image: a graph Laplacian plus a diagonal.
 * @param {Pairs} pairs @param {Float64Array} s @param {number} prior */
function derivatives({ n, a, b, wins, games }, s, prior) {
  const gradient = new Float64Array(n), curvature = new Float64Array(a.length), diagonal = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const p = sigmoid(s[i]);
    gradient[i] = prior * (2 * p - 1);
    diagonal[i] = 2 * prior * p * (1 - p);
  }
  for (let k = 0; k < a.length; k++) {
    const p = sigmoid(s[a[k]] - s[b[k]]), slope = games[k] * p - wins[k];
    gradient[a[k]] += slope;
    gradient[b[k]] -= slope;
    curvature[k] = games[k] * p * (1 - p);
  }
  return { gradient, curvature, diagonal };
}

/** Newton's step by conjugate gradients, preconditioned by the diagonal: work and memory grow with the pairs, not with the square of the pictures.
 * @param {Pairs} pairs @param {ReturnType<typeof derivatives>} at */
function newtonStep({ n, a, b }, { gradient, curvature, diagonal }) {
  const scale = diagonal.slice(), step = new Float64Array(n), rest = gradient.slice();
  for (let k = 0; k < a.length; k++) {
    scale[a[k]] += curvature[k];
    scale[b[k]] += curvature[k];
  }
  let direction = rest.map((value, i) => value / scale[i]), energy = dot(rest, direction);
  const enough = 1e-20 * energy;
  for (let round = 0; round < 4 * n && energy > enough; round++) {
    const image = direction.map((value, i) => diagonal[i] * value);
    for (let k = 0; k < a.length; k++) {
      const flow = curvature[k] * (direction[a[k]] - direction[b[k]]);
      image[a[k]] += flow;
      image[b[k]] -= flow;
    }
    const length = energy / dot(direction, image);
    for (let i = 0; i < n; i++) {
      step[i] -= length * direction[i];
      rest[i] -= length * image[i];
    }
    const soft = rest.map((value, i) => value / scale[i]), next = dot(rest, soft), back = next / energy;
    direction = soft.map((value, i) => value + back * direction[i]);
    energy = next;
  }
  return step;
}

/** The cost is convex: Newton's method with halved steps finds its only minimum. @param {Pairs} pairs @param {number} prior */
function minimise(pairs, prior) {
  let s = new Float64Array(pairs.n), now = cost(pairs, s, prior);
  for (let round = 0; round < mostSteps; round++) {
    const at = derivatives(pairs, s, prior), step = newtonStep(pairs, at), gain = -dot(at.gradient, step);
    if (!(gain > 1e-14 * (1 + now))) return s.map((value, i) => value + step[i]); // too near for the cost to tell
    for (let length = 1; ; length /= 2) {
      const tried = s.map((value, i) => value + length * step[i]), then = cost(pairs, tried, prior);
      if (then < now) {
        [s, now] = [tried, then];
        break;
      }
      if (length < 1e-8) return s; // rounding is all that is left
    }
  }
  return s;
}

/**
 * Turns choices between pairs of pictures into a score for each.
 * @param {Iterable<Choice>} choices any number of any pairs, the same pair as often as it was asked
 * @param {PairwiseOptions} [options]
 * @returns {PairwiseScores}
 * @throws {HeddleError} `argument`: no choices, a picture beside itself, or, with prior 0, pictures that no chain of wins links both ways
 */
export function pairwiseScores(choices, options = {}) {
  checkOptions(options, ['prior'], 'pairwiseScores');
  const { prior = 0.5 } = options;
  if (typeof prior !== 'number' || !(prior >= 0 && prior < Infinity)) refuse(`prior = ${String(prior)}, expected a finite number >= 0`);
  if (typeof choices?.[Symbol.iterator] !== 'function') refuse(`expected a list of choices, got ${kindOf(choices)}`);
  const { images, choices: played, pairs } = collect(choices);
  if (prior === 0) checkLinked(pairs, images);
  const scores = minimise(pairs, prior), mean = scores.reduce((sum, value) => sum + value, 0) / pairs.n;
  return { images, scores: scores.map(score => score - mean), choices: played };
}

/**
 * Which two pictures to show next: the one with the fewest choices, beside the one nearest in score among those it has met least often.
 * Choices between equals tell most.
 * @param {readonly string[]} images all that can be shown, at least two
 * @param {readonly Choice[]} choices made so far
 * @param {PairwiseOptions} [options] of the scores
 * @returns {[string, string]}
 */
export function nextPair(images, choices, options) {
  if (new Set(images).size !== images.length || images.length < 2) {
    throw new HeddleError('argument', 'nextPair: expected at least two pictures, all different');
  }
  const fit = choices.length ? pairwiseScores(choices, options) : null, place = new Map(fit?.images.map((name, i) => [name, i]));
  const of = (/** @type {string} */ name) => place.get(name), played = (/** @type {string} */ name) => fit?.choices[of(name) ?? -1] ?? 0;
  const score = (/** @type {string} */ name) => fit?.scores[of(name) ?? -1] ?? 0;
  const first = images.reduce((least, name) => (played(name) < played(least) ? name : least));
  const own = choices.filter(({ better, worse }) => better === first || worse === first);
  const others = images.filter(name => name !== first).map(name => ({
    name, met: own.filter(({ better, worse }) => better === name || worse === name).length,
    gap: Math.abs(score(name) - score(first)), played: played(name),
  }));
  others.sort((x, y) => x.met - y.met || x.gap - y.gap || x.played - y.played);
  return [first, others[0].name];
}
