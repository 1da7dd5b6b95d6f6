/** ReDense: a rectified layer of random weights in place of the last linear layer of a trained network, which starts without loss. */
import { HeddleError, checkOptions, kindOf } from '../errors.js';
import { extend } from '../extend.js';
import { initializers, input, layers } from '../factories.js';
import { apply } from '../graph.js';
import { coreOf, Model, sequential } from '../model.js';
import { defaultSeed } from '../session.js';
import { condition, factor, leastNorm } from './inverse.js';
import { number, oneOf, orNull, seed, whole } from './params.js';
import { defaultBatch, Predictor } from './predictor.js';
import { targetColumn, trainOutput } from './redense_train.js';
import { readSamples, readTargets, valuesOf } from './samples.js';

/** @import { ArrayLike2 } from '../data.js' */
/** @import { Dataset } from '../dataset.js' */
/** @import { LearnOptions } from './predictor.js' */
/** @import { Tall } from './inverse.js' */
/** @import { Label, LabelList } from './labels.js' */
/** @import { Column } from './redense_train.js' */
/**
 * @typedef {object} ReDenseParams
 * @property {number | null} [nodes] m: R is [m + 1, n + 1] for n features; at least n, which it is unless told. More make it
 *   better conditioned, and the ball that O may move in smaller
 * @property {'uniform' | 'orthogonal'} [matrix] R: uniform in [-1, 1) or orthonormal columns
 * @property {number} [kappa] radius of the ball in units of |O0|; 1 unless told
 * @property {'categoricalCrossentropy' | 'meanSquaredError' | 'poisson' | 'huber'} [loss] categoricalCrossentropy unless told;
 *   that and poisson need outputs of a softmax
 * @property {number} [learningRate] of Adam, 1e-4 unless told
 * @property {number} [epochs] each one step on all rows; 200 unless told
 * @property {number} [chunk] rows computed at a time, 512 unless told: few enough to stay in the cache
 * @property {number | null} [seed] of R
 * @property {number} [maxCondition] an R of a larger condition number is drawn again; 1e5 unless told
 */
/**
 * Rows of features, and the trained linear layer on them.
 * @typedef {object} FeaturesWithHead
 * @property {ArrayLike2} features what the layer takes: [rows, n]
 * @property {{ kernel: ArrayLike2, bias?: ArrayLike2, activation?: 'softmax' | 'linear' }} head the layer: kernel [outputs, n]; bias [outputs], zeros
 *   unless told; activation of its outputs, softmax unless told
 */
/** @typedef {LearnOptions & { classes?: readonly Label[] }} ReDenseOptions classes: labels in the order of the outputs; 0, 1, ... unless
 *   told */
/** What is replaced: oa is [outputs, n + 1], [O, b]. activation: of the layer itself; after: that of a layer of its own behind it.
 * @typedef {{ from: string, oa: Float64Array, outputs: number, size: number, activation: string, after: boolean }} Head */
/** @typedef {{ data: Float32Array, tall: Tall, condition: number, redraws: number }} Draw */

const where = 'ReDense.fit';
/** Matrices that are drawn at most. */
const mostDraws = 20;

/** @param {string} message @returns {never} */
function refuse(message) {
  throw new HeddleError('unsupported', `${where}: ${message}`);
}

/** The last dense layer. @param {Model} model @returns {Promise<Head>} */
async function findHead(model) {
  const { nodes, outputs } = model.description, byName = new Map(nodes.map(node => [node.name, node]));
  if (outputs.length !== 1) refuse(`the model has ${outputs.length} outputs, expected one`);
  let last = byName.get(outputs[0]), after = '';
  if (last?.layer === 'activation') {
    after = String(last.options?.activation);
    last = byName.get(last.inputs?.[0] ?? '');
  }
  if (last?.layer !== 'dense') return refuse(`the model ends in a ${last?.layer} layer, expected a dense one, perhaps with a softmax after it`);
  const own = String(last.options?.activation ?? 'linear'), from = last.inputs?.[0] ?? '', activation = own === 'linear' && after ? after : own;
  if (!['linear', 'softmax'].includes(activation) || (after && own !== 'linear')) refuse(`the output has the activation ${own}${after && `, then ${after}`}, expected linear or softmax`);
  const shape = model.layers.find(({ name }) => name === from)?.outputShape ?? [];
  if (shape.length !== 1) refuse(`the last dense layer takes [${shape.join(', ')}], expected a vector`);
  const { [`${last.name}/kernel`]: kernel, [`${last.name}/bias`]: bias } = await model.getWeights(), [q, n] = kernel.shape;
  const oa = new Float64Array(q * (n + 1));
  for (let k = 0; k < q; k++) {
    oa.set(kernel.data.subarray(k * n, (k + 1) * n), k * (n + 1));
    if (bias) oa[k * (n + 1) + n] = bias.data[k];
  }
  return { from, oa, outputs: q, size: n, activation, after: after !== '' };
}

/** @param {FeaturesWithHead} given @param {number | null} seed @returns {Promise<Model>} */
async function headModel({ head }, seed) {
  checkOptions(head, ['kernel', 'bias', 'activation'], `${where}: head`);
  const kernel = readSamples(head?.kernel, 0, `${where}: head.kernel`), [units, n] = kernel.shape;
  if (kernel.shape.length !== 2) throw new HeddleError('shape', `${where}: head.kernel has shape [${kernel.shape.join(', ')}], expected [outputs, features]`);
  const model = await sequential([input({ shape: [n] }), layers.dense({ units, activation: head.activation ?? 'softmax', name: 'head' })], { seed: seed ?? defaultSeed() });
  const bias = head.bias === undefined ? new Float32Array(units) : head.bias;
  await model.setWeights({ 'head/kernel': valuesOf(kernel), 'head/bias': bias });
  return model;
}

/** R [rows, columns] of bearable condition. @param {Record<string, any>} params @param {number} rows @param {number} columns @returns {Promise<Draw>} */
async function drawMatrix({ matrix, maxCondition, seed: given }, rows, columns) {
  const first = given ?? defaultSeed(), kernelInitializer = matrix === 'uniform' ? initializers.uniform({ min: -1, max: 1 }) : initializers.orthogonal();
  let last = 0;
  for (let redraws = 0; redraws < mostDraws; redraws++) {
    const net = await sequential([input({ shape: [columns] }), layers.dense({ units: rows, useBias: false, kernelInitializer, name: 'r' })], { seed: first + redraws });
    const { 'r/kernel': { data } } = await net.getWeights();
    net.dispose();
    const tall = await factor(data, rows, columns);
    last = tall ? await condition(tall) : Infinity;
    if (tall && last <= maxCondition) return { data, tall, condition: last, redraws };
  }
  throw new HeddleError('argument', `${where}: ${mostDraws} random matrices of ${rows} x ${columns} had condition numbers above maxCondition = ${maxCondition}, `
    + `the last ${last.toPrecision(3)}; more nodes make them smaller`);
}

/** O0 = [Oa R^+ U, 0] with U = [I, -I]: [outputs, 2 rows + 1], and its norm. @param {Head} head @param {Tall} tall R @param {number} rows */
async function losslessOutput({ oa, outputs, size }, tall, rows) {
  const n = size + 1, transposed = new Float64Array(oa.length);
  for (let k = 0; k < outputs; k++) for (let i = 0; i < n; i++) transposed[i * outputs + k] = oa[k * n + i];
  const { data: p } = await leastNorm(tall, { data: transposed, shape: [n, outputs] }); // [rows, outputs], the transpose of Oa R^+
  const o = new Float32Array(outputs * (2 * rows + 1));
  let squares = 0;
  for (let i = 0; i < p.length; i++) {
    const at = i % outputs * (2 * rows + 1) + Math.floor(i / outputs);
    o[at] = p[i];
    o[at + rows] = -p[i];
    squares += 2 * p[i] ** 2;
  }
  return { o, norm: Math.sqrt(squares) };
}

/** The base network with [R] crelu [O] for its last layer. @param {Model} base @param {Head} head @param {Float32Array} r @param {number} rows
 * @param {Float32Array} o */
async function grow(base, { from, outputs, size, activation, after }, r, rows, o) {
  const model = await extend(base, node => {
    const random = apply(layers.dense({ units: rows, trainable: false }), node(from));
    const output = layers.dense({ units: outputs, useBias: false, ...!after && { activation: /** @type {'linear'} */ (activation) } });
    const scores = apply(output, apply(layers.appendConstant(), apply(layers.crelu(), random)));
    return after ? apply(layers.activation({ activation: /** @type {'softmax'} */ (activation) }), scores) : scores;
  });
  const dense = model.layers.filter(({ kind }) => kind === 'dense').map(({ name }) => name), [random, output] = dense.slice(-2);
  const kernel = new Float32Array(rows * size), bias = new Float32Array(rows);
  for (let i = 0; i < rows; i++) { // R [f; 1] = R[:, :n] f + R[:, n]
    kernel.set(r.subarray(i * (size + 1), i * (size + 1) + size), i * size);
    bias[i] = r[i * (size + 1) + size];
  }
  await model.setWeights({ [`${random}/kernel`]: kernel, [`${random}/bias`]: bias, [`${output}/kernel`]: o }, { partial: true });
  return { model, random, output };
}

/**
 * Puts y = [relu(R x); relu(-R x)] and a new output O in place of the last linear layer of a trained network, x being its input and a 1.
 * O starts at [Oa R^+ U, 0], which gives the same outputs as before, and only O is trained, in the ball of radius kappa |O0|: the loss
 * can only fall (Javid, Das, Skoglund & Chatterjee, "A ReLU dense layer to improve the performance of neural networks", 2021).
 *
 *     const redense = await new ReDense({ seed: 7 }).fit(net, x, labels);
 *     console.log(redense.report.condition, await redense.score(xTest, labelsTest));
 */
export class ReDense extends Predictor {
  static kind = 'ReDense';
  static params = {
    nodes: orNull(whole(1, 1, 32767), 'as many as features'), matrix: oneOf('uniform', 'orthogonal'), kappa: number(1, { above: 0, max: 1e6 }),
    loss: oneOf('categoricalCrossentropy', 'meanSquaredError', 'poisson', 'huber'), learningRate: number(1e-4, { min: 0, max: 1e6 }),
    epochs: whole(200, 0), chunk: whole(512, 1), seed, maxCondition: number(1e5, { min: 1 }),
  };

  /** @param {ReDenseParams} [params] those that are not to be as by default; wrong ones are refused (`argument`) */
  constructor(params) {
    super(params);
  }

  /**
   * @overload
   * @param {Model} base trained; its output is a dense layer, perhaps with a softmax. It stays as it is
   * @param {ArrayLike2} x rows as base takes them: [rows, ...shape]
   * @param {ArrayLike2 | LabelList} y labels [rows], or numbers [rows, outputs]
   * @param {ReDenseOptions} [options]
   * @returns {Promise<this>}
   */
  /**
   * @overload
   * @param {FeaturesWithHead} base what the last layer takes, for rows to learn from, and that layer as it was trained
   * @param {ArrayLike2 | LabelList} y labels [rows], or numbers [rows, outputs]
   * @param {ReDenseOptions} [options]
   * @returns {Promise<this>} whose model takes features
   * @throws {HeddleError} `unsupported` for a model that ends otherwise; `argument` or `shape` for wrong data and nodes < n. Aborted, it
   *   keeps what it has learned so far
   */
  /**
   * @param {any} base
   * @param {any} a
   * @param {any} [b]
   * @param {ReDenseOptions} [c]
   * @returns {Promise<this>}
   */
  async fit(base, a, b, c) {
    const isModel = base instanceof Model, [x, y, options] = isModel ? [a, b, c] : [base?.features, a, b];
    return this.exclusively('fit', options, ['classes'], async () => {
      if (!isModel && !(typeof base === 'object' && base && 'features' in base && 'head' in base)) {
        throw new HeddleError('argument', `${where}: expected a model or { features, head }, got ${kindOf(base)}`);
      }
      const model = isModel ? base : await headModel(base, this.getParams().seed);
      try {
        await this.#replace(model, x, y, options ?? {});
      } finally {
        if (!isModel) model.dispose();
      }
    });
  }

  /** @param {Model} base @param {ArrayLike2} x @param {ArrayLike2 | LabelList} y @param {ReDenseOptions} options */
  async #replace(base, x, y, options) {
    const params = this.getParams(), head = await findHead(base), { size, outputs, activation } = head, nodes = params.nodes ?? size, rows = nodes + 1;
    if (nodes < size) throw new HeddleError('argument', `${where}: nodes = ${nodes}, expected at least ${size}, the features of the last layer: fewer rows of R lose some`);
    if (activation === 'linear' && ['categoricalCrossentropy', 'poisson'].includes(params.loss)) {
      throw new HeddleError('argument', `${where}: the loss ${params.loss} needs a softmax after the last layer, or choose meanSquaredError or huber`);
    }
    const { data: r, tall, redraws, ...draw } = await drawMatrix(params, rows, size + 1), { o, norm } = await losslessOutput(head, tall, rows);
    const { model, random, output } = await grow(base, head, r, rows, o), epsilon = params.kappa * norm;
    /** @type {Dataset[]} */
    const sets = [];
    let isAdopted = false;
    try {
      const classes = activation === 'softmax' ? options.classes ?? Array.from({ length: outputs }, (_, k) => k) : null;
      /** @param {ArrayLike2} x @param {unknown} y @param {string} where */
      const read = async (x, y, where) => {
        const column = targetColumn(readTarget(y, outputs, classes, where), params.loss), set = await innerValues(model, random, x, column, where, options);
        sets.push(set);
        return { set, isSparse: column.isSparse };
      };
      const { set, isSparse } = await read(x, y, where), { validationData: other } = options;
      const validation = other ? (await read(other[0], other[1], `${where}: validationData`)).set : null;
      const ended = await trainOutput({ rows, outputs, activation, radius: epsilon, o, isSparse }, set, validation, params, options);
      await model.setWeights({ [`${output}/kernel`]: ended.o }, { partial: true });
      const report = { nodes, condition: draw.condition, redraws, epsilon, history: ended.losses };
      this.adopt(model, { classes: classes && [...classes], targetShape: classes ? [] : [outputs], report });
      isAdopted = true;
      if (ended.error) throw ended.error;
    } finally {
      if (!isAdopted) model.dispose();
      for (const set of sets) set.dispose();
    }
  }
}

/**
 * A data set of the values of a node, computed once, and targets.
 * @param {Model} model
 * @param {string} node
 * @param {ArrayLike2} x
 * @param {Column} column targets
 * @param {string} where
 * @param {{ signal?: AbortSignal }} options
 */
async function innerValues(model, node, x, { data, size }, where, { signal }) {
  const samples = await model.dataset(x), core = coreOf(model, where);
  try {
    const number = core.facts.nodes.findIndex(({ name }) => name === node), rows = data.length / size;
    if (samples.rows !== rows) throw new HeddleError('shape', `${where}: x has ${samples.rows} rows, y has ${rows}`);
    const columns = [{ role: /** @type {const} */ ('target'), index: 0, data, size, scale: 1, offset: 0, owned: false }];
    return await samples.mapped(await core.open(), number, core.facts.nodes[number].shape[0], columns, { batchSize: defaultBatch, signal });
  } finally {
    samples.dispose();
  }
}

/** Two indices: one row of targets for each sample. @param {unknown} y */
function isRows(y) {
  if (Array.isArray(y)) return typeof y[0] === 'object';
  return typeof y === 'object' && y !== null && 'shape' in y && Array.isArray(y.shape) && y.shape.length > 1 && y.shape[1] !== 1;
}

/** @param {unknown} y @param {number} outputs @param {readonly Label[] | null} classes null for regression @param {string} where */
function readTarget(y, outputs, classes, where) {
  const isClassifier = classes !== null && !isRows(y), targets = readTargets(y, { isClassifier, classes: isClassifier ? classes : undefined }, where);
  if (targets.outputs !== outputs) {
    throw new HeddleError('argument', `${where}: ${isClassifier ? `${targets.outputs} classes` : `y has ${targets.outputs} numbers a row`}, the model has ${outputs} outputs`);
  }
  return targets;
}
