/** Ridge regression from sums over rows: whatever the number of rows, features^2 numbers. */
import { HeddleError } from '../errors.js';
import { Gram } from '../gram.js';
import { best, candidates, gcv, split } from './selection.js';
import { takeRows } from './samples.js';

/** @import { Model } from '../model.js' */
/** @import { LearnOptions } from './predictor.js' */
/** @import { Samples } from './samples.js' */
/** @import { Together } from './shared.js' */
/** @import { Choice, Path } from './selection.js' */
/**
 * Where features come from.
 * @typedef {object} Features
 * @property {Model} model
 * @property {string} node whose output are the features
 * @property {string | null} bordered with an intercept: the node that gives the same features and a 1 after them
 * @property {number} size of the features
 * @property {Float32Array | null} shift with an intercept: taken off numeric targets before they are summed, so that nothing cancels
 */
/** coef [outputs, features]; intercept [outputs]; alpha: the penalty that worked; rows: those that it is of
 * @typedef {{ coef: Float64Array, intercept: Float64Array, alpha: number, path: Path | null, rows: number }} Solution */
/** @typedef {import('../solver.js').GramValues} Sums */
/** Sums over the members of a fit. @typedef {(...values: number[]) => Promise<number[]>} Pool */

/** Where wider features of the rows come from: those so far come first. order: at [i] the place there of what is feature i of the network; null:
 * the same. @typedef {{ model: Model, node: string, order: Int32Array | null }} Wider */

/** Rows summed at a time. */
const batchSize = 2048;

export class Primal {
  /** Rows so far, and those held out among them. */
  #rows = 0;
  #heldRows = 0;
  #features;
  #outputs;
  #seed;
  #together;
  #total;
  /** Sums of the rows held out. @type {Gram | null} */
  #held = null;
  /** The held-out rows are the caller's, and never join the others. */
  #isGiven = false;

  /** @param {Features} features @param {number} outputs @param {number} seed of the rows that are held out
   * @param {Together} [together] others, with whose rows it is solved */
  constructor(features, outputs, seed, together) {
    this.#features = features;
    this.#outputs = outputs;
    this.#seed = seed;
    this.#together = together;
    this.#total = this.#sums();
  }

  #sums() {
    return new Gram({ features: this.#features.size + Number(this.#features.bordered !== null), targets: this.#outputs });
  }

  /**
   * Adds rows, all or none.
   * @param {Samples} x
   * @param {Samples} y
   * @param {Choice} choice
   * @param {LearnOptions} options
   * @param {{ x: Samples, y: Samples } | null} validation
   */
  async add(x, y, choice, { signal, onProgress }, validation) {
    const { model, node, bordered, shift } = this.#features, total = x.shape[0];
    /** @param {Gram} gram @param {Samples} x @param {Samples} y @param {number} done @param {object} [more] */
    const sum = (gram, x, y, done, more) => gram.add(x, shift ? shifted(y, shift) : y, {
      model, node: bordered ?? node, batchSize, signal, ...more,
      onProgress: progress => onProgress?.({ phase: 'features', done: done + progress.rows, total }),
    });
    const wantsRows = choice.alphas !== null && choice.selection === 'holdout';
    if (wantsRows && validation && !this.#held) {
      this.#held = this.#sums();
      this.#isGiven = true;
      await sum(this.#held, validation.x, validation.y, 0);
      this.#heldRows = validation.x.shape[0];
    }
    if (!wantsRows || this.#isGiven) {
      await sum(this.#total, x, y, 0);
    } else {
      const { train, held } = split(total, this.#rows, choice.validationFraction, this.#seed), out = [x, y].map(all => takeRows(all, held));
      this.#held ??= this.#sums();
      if (held.length) await sum(this.#held, out[0], out[1], 0);
      try {
        if (train.length) await sum(this.#total, takeRows(x, train), takeRows(y, train), held.length);
      } catch (error) {
        if (held.length) await sum(this.#held, out[0], out[1], 0, { sign: -1, signal: undefined });
        throw error;
      }
      this.#heldRows += held.length;
    }
    this.#rows += total;
  }

  /**
   * The same rows with more features, of which only the products with new ones are summed.
   * @param {Features} features
   * @param {Wider} wider
   * @param {Samples} x all rows so far, again
   * @param {Samples} y
   * @param {LearnOptions} options
   * @param {string} where
   */
  async widened(features, { model, node, order }, x, y, { signal, onProgress }, where) {
    if (this.#held) throw new HeddleError('unsupported', `${where}: alpha was chosen by rows held out, expected a given alpha or selection "gcv"`);
    const next = new Primal(features, this.#outputs, this.#seed), from = this.#features.size, { size } = features, total = x.shape[0];
    next.#rows = this.#rows;
    try {
      await next.#total.set(placed(await this.#total.values(), from, size, this.#outputs, i => (i < from ? i : -1)));
      await next.#total.add(x, y, {
        model, node, batchSize, known: from, signal, onProgress: ({ rows }) => onProgress?.({ phase: 'features', done: rows, total }),
      });
      if (order) await next.#total.set(placed(await next.#total.values(), size, size, this.#outputs, i => order[i]));
      return next;
    } catch (error) {
      next.dispose();
      throw error;
    }
  }

  /** Over the rows of all members, if there are others. @type {Pool} */
  #pool = async (...values) => await this.#together?.sum(values) ?? values;

  /** @param {Choice} choice @param {string} where @param {LearnOptions} options @returns {Promise<Solution>} */
  async solve(choice, where, options) {
    const { shift } = this.#features;
    for (;;) {
      const [before] = await this.#pool(this.#rows), solution = await this.#solve(choice, where, options), [rows] = await this.#pool(this.#rows);
      if (rows !== before) continue; // members that were lost took their rows with them, and those were in the means
      return { ...solution, rows, ...shift && { intercept: solution.intercept.map((value, k) => value + shift[k]) } };
    }
  }

  /** @param {Choice} choice @param {string} where @param {LearnOptions} options @returns {Promise<Omit<Solution, 'rows'>>} */
  async #solve(choice, where, { signal, onProgress }) {
    const isHeldOut = choice.alphas !== null && choice.selection === 'holdout', [rows, heldRows] = await this.#pool(this.#rows, this.#heldRows);
    if (isHeldOut && (heldRows === 0 || (heldRows === rows && !this.#isGiven))) {
      throw new HeddleError('argument', `${where}: ${heldRows} of ${rows} rows are held out to choose alpha, expected some, but not all; give validationData`);
    }
    const make = (/** @type {Gram | null} */ more) => Equations.of(this.#features, this.#outputs, this.#total, more, this.#pool, this.#together);
    let equations = await make(null);
    try {
      const alphas = candidates(choice, equations.scale);
      if (!alphas) return { ...await equations.ridge(choice.alpha), path: null };
      const path = isHeldOut ? await this.#heldOut(equations, alphas, done => {
        signal?.throwIfAborted();
        onProgress?.({ phase: 'alphas', done, total: alphas.length });
      }) : await equations.gcv(alphas);
      if (isHeldOut) { // members make the same sums, whoever has rows to add
        equations.dispose();
        equations = await make(this.#isGiven ? null : this.#held);
      }
      return { ...await equations.ridge(best(path, where)), path };
    } finally {
      equations.dispose();
    }
  }

  /** Squared errors of held-out rows, from their sums alone. @param {Equations} equations @param {number[]} alphas
   * @param {(done: number) => void} step @returns {Promise<Path>} */
  async #heldOut(equations, alphas, step) {
    const held = this.#held, errors = [];
    for (const alpha of alphas) {
      const { coef, intercept } = await equations.ridge(alpha), whole = this.#features.bordered === null ? coef : border(coef, intercept);
      const own = held ? await held.cost({ data: whole, shape: [this.#outputs, whole.length / this.#outputs] }) : 0;
      const [cost, rows] = await this.#pool(own, this.#heldRows);
      errors.push(cost / rows);
      step(errors.length);
    }
    return { alphas, errors };
  }

  dispose() {
    this.#total.dispose();
    this.#held?.dispose();
  }
}

/** @param {Samples} y @param {Float32Array} shift @returns {Samples} */
function shifted(y, shift) {
  return { ...y, data: /** @type {Float32Array} */ (y.data).map((value, i) => value - shift[i % shift.length]) };
}

/** Sums of `to` features out of those of `from`. @param {Sums} sums @param {number} from @param {number} to @param {number} q
 * @param {(i: number) => number} place of feature i among them; -1: none, its sums are 0 @returns {Sums} */
function placed({ g, c, ...rest }, from, to, q, place) {
  const outG = new Float64Array(to * to), outC = new Float64Array(q * to), places = Int32Array.from({ length: to }, (_, i) => place(i));
  for (let i = 0; i < to; i++) {
    const a = places[i];
    for (let j = 0; j <= i && a >= 0; j++) {
      const b = places[j];
      if (b >= 0) outG[i * to + j] = g[Math.max(a, b) * from + Math.min(a, b)];
    }
    for (let k = 0; k < q && a >= 0; k++) outC[k * to + i] = c[k * from + a];
  }
  return { ...rest, g: outG, c: outC };
}

/** [coef, intercept], row by row. @param {Float64Array} coef @param {Float64Array} intercept */
function border(coef, intercept) {
  const q = intercept.length, n = coef.length / q, out = new Float64Array(coef.length + q);
  for (let k = 0; k < q; k++) {
    out.set(coef.subarray(k * n, (k + 1) * n), k * (n + 1));
    out[k * (n + 1) + n] = intercept[k];
  }
  return out;
}

/** The equations to be solved: the sums, with the means of all rows taken out if there is an intercept. */
class Equations {
  /** @param {Gram} gram @param {boolean} owned @param {boolean} hasIntercept @param {number} samples @param {number} scale trace(G) / features,
   * of all rows @param {Float64Array} mean of the features @param {Float64Array} target mean @param {Together} [together] */
  constructor(gram, owned, hasIntercept, samples, scale, mean, target, together) {
    this.gram = gram;
    this.owned = owned;
    this.hasIntercept = hasIntercept;
    this.samples = samples;
    this.scale = scale;
    this.mean = mean;
    this.target = target;
    this.together = together;
  }

  /** @param {Features} features @param {number} q outputs @param {Gram} total @param {Gram | null} more added to it @param {Pool} pool
   * @param {Together} [together] @returns {Promise<Equations>} */
  static async of({ size, bordered }, q, total, more, pool, together) {
    const mean = new Float64Array(size), target = new Float64Array(q);
    let sums = /** @type {Sums} */ (await total.values()), gram = total;
    if (more) sums = added(sums, await more.values());
    if (bordered !== null) {
      const [samples, ...own] = await pool(sums.samples, ...sums.g.subarray(size * (size + 1), size * (size + 2)), ...sums.c.filter((_, i) => i % (size + 1) === size));
      own.forEach((sum, i) => { (i < size ? mean : target)[i < size ? i : i - size] = sum / samples; });
      sums = centred(sums, mean, target);
    }
    if (more || bordered !== null) {
      gram = new Gram({ features: size, targets: q });
      await gram.set(sums);
    }
    const [trace] = await pool(mean.reduce((sum, _, i) => sum + sums.g[i * (size + 1)], 0));
    return new Equations(gram, gram !== total, bordered !== null, sums.samples, trace / size, mean, target, together);
  }

  /** @param {number} alpha */
  async ridge(alpha) {
    const { coef: { data: coef }, lambda } = await (this.together ? this.together.solve(this.gram, { lambda: alpha }) : this.gram.ridge(alpha)), n = this.mean.length;
    const intercept = this.target.map((value, k) => value - this.mean.reduce((sum, m, i) => sum + coef[k * n + i] * m, 0));
    return { coef, intercept, alpha: lambda };
  }

  /** @param {number[]} alphas @returns {Promise<Path>} */
  async gcv(alphas) {
    const { cost, df } = await this.gram.path(alphas), more = Number(this.hasIntercept);
    return { alphas, errors: alphas.map((_, i) => gcv(this.samples, cost[i], df[i] + more)) };
  }

  dispose() {
    if (this.owned) this.gram.dispose();
    this.owned = false;
  }
}

/** @param {Sums} a @param {Sums} b @returns {Sums} in the arrays of a */
function added(a, b) {
  for (let i = 0; i < a.g.length; i++) a.g[i] += b.g[i];
  for (let i = 0; i < a.c.length; i++) a.c[i] += b.c[i];
  return { g: a.g, c: a.c, samples: a.samples + b.samples, targetSquares: a.targetSquares + b.targetSquares };
}

/**
 * Sums of y - m and t - s in place of y and t, for any m and s: G - a m^T - m a^T + J m m^T, C - b m^T - s a^T + J s m^T and
 * sum |t|^2 - 2 s b + J |s|^2, with the sums a of features and b of targets. Features come shifted by nearly their mean, so nothing cancels.
 * @param {Sums} sums of features with a 1 after them
 * @param {Float64Array} m
 * @param {Float64Array} s
 * @returns {Sums} of the features
 */
function centred({ g, c, samples, targetSquares }, m, s) {
  const n = m.length, q = s.length, outG = new Float64Array(n * n), outC = new Float64Array(q * n), a = g.subarray(n * (n + 1), n * (n + 2));
  for (let i = 0; i < n; i++) {
    const rest = samples * m[i] - a[i];
    for (let j = 0; j <= i; j++) outG[i * n + j] = outG[j * n + i] = g[i * (n + 1) + j] + rest * m[j] - m[i] * a[j];
  }
  let squares = targetSquares;
  for (let k = 0; k < q; k++) {
    const b = c[k * (n + 1) + n], rest = samples * s[k] - b;
    for (let i = 0; i < n; i++) outC[k * n + i] = c[k * (n + 1) + i] + rest * m[i] - s[k] * a[i];
    squares += s[k] * (rest - b);
  }
  return { g: outG, c: outC, samples, targetSquares: Math.max(0, squares) };
}
