/** Self size-estimating feed-forward networks. */
import { HeddleError, part } from '../errors.js';
import { Growing, growingParams } from './growing.js';
import { hidden, lossless, rows } from './hidden.js';
import { argmax } from './labels.js';
import { bool, number, whole } from './params.js';
import { defaultBatch } from './predictor.js';
import { readTraining } from './samples.js';
import { drawMatrix, layerSeed, linear } from './stages.js';

/** @import { Json } from '../archive.js' */
/** @import { ArrayLike2 } from '../data.js' */
/** @import { Layer, Network } from './growing.js' */
/** @import { Label, LabelList } from './labels.js' */
/** @import { Param } from './params.js' */
/** @import { LearnOptions, PassOptions } from './predictor.js' */
/** @import { TaskOptions } from './tasks.js' */
/**
 * Parameters of Ssfn; all are optional.
 * @typedef {object} SsfnParams
 * @property {number} nodes random nodes a layer; 1000 unless told
 * @property {number} maxLayers 20 unless told
 * @property {number} layerThreshold a layer is kept, and another tried, if it lowers the error in dB by at least this part; 0.1 unless
 *   told, 0: always
 * @property {number} alpha at least 1: ||O||_F <= alpha sqrt(2 q), q outputs; 10 unless told
 * @property {number} ridge penalty of the linear layer 0; 1 unless told
 * @property {'secular' | 'admm' | 'compat'} solver of the layers: exact; ADMM with penalty trace(G) / n, which returns the feasible Z; or ADMM
 *   as in the published program, with penalty 1 / mu, which returns O, bounded or not, and has no safeguard. 'secular' unless told
 * @property {number} mu for 'compat'; 1e5 unless told
 * @property {number} iterations of ADMM; 100 unless told
 * @property {false | { step: number, threshold: number }} growNodes grows each layer from its lossless nodes alone by `step` random nodes at
 *   a time, up to `nodes`, while that lowers the error in dB by at least the part `threshold` (0: always); false unless told
 * @property {boolean} bias appends a 1 to the input; false unless told
 * @property {number | null} seed of the random weights
 * @property {number} cacheLimit MiB: features of two layers (three while nodes grow) are held in the engine while those of two take no more,
 *   else computed anew from the last ones held; 1024 unless told
 */

/** @type {Param} */
const growNodes = {
  fallback: false, expected: 'false or { step: a whole number >= 1, threshold: a finite number >= 0 }',
  allows: value => value === false || (typeof value === 'object' && value !== null && Object.keys(value).sort().join() === 'step,threshold'
    && whole(1, 1).allows(/** @type {any} */ (value).step) && number(0, { min: 0 }).allows(/** @type {any} */ (value).threshold)),
};

/** Options of learnTask. */
const taskParams = { ridge: number(1, { min: 0 }), distillation: number(0, { min: 0 }), layers: whole(0, 0, 100) };

/**
 * SSFN, a classifier (Chatterjee, Javid, Sadeghi, Mitra and Skoglund, "SSFN - Self Size-estimating Feed-forward Network with Low
 * Complexity", 2019). Layer l has the features y_l = [relu(V s); relu(R y_{l-1} / ||R y_{l-1}||)], V = [I; -I], s the outputs of the layer
 * before and R random, and outputs O_l y_l of least squared error with ||O_l||_F <= alpha sqrt(2 q). O_l = [I, -I, 0] would repeat s: the
 * cost never rises. `model` is an ordinary network; `report` tells of each layer.
 */
export class Ssfn extends Growing {
  static kind = 'Ssfn';
  static isClassifier = true;
  static params = { nodes: whole(1000, 1, 16000), alpha: number(10, { min: 1 }), growNodes, bias: bool(false), ...growingParams };

  /** @param {Partial<SsfnParams>} [params] those that are not to be as by default; wrong ones are refused (`argument`) */
  constructor(params) {
    super(params);
  }

  get hasBias() {
    return this.getParams().bias;
  }

  nodeCounts() {
    const { nodes, growNodes: { step } } = this.getParams();
    if (!step) return [nodes];
    return Array.from({ length: Math.ceil(nodes / step) + 1 }, (_, i) => Math.min(i * step, nodes));
  }

  /** @param {Network} below @param {number} nodes @param {number} seed @returns {Promise<Layer>} */
  async layer({ stages, coef, entry }, nodes, seed) {
    const [q] = coef.shape, { size } = stages[stages.length - 1], level = entry.layer + 1;
    const most = this.getParams().nodes, all = nodes ? await drawMatrix(rows, most, size, layerSeed(seed, level)) : null;
    return {
      stage: hidden(level, linear(`output_${entry.layer}`, coef), all && { data: all.subarray(0, nodes * size), shape: [nodes, size] }),
      nodes, radius: this.getParams().alpha * Math.sqrt(2 * q), feasible: () => lossless(q, 2 * q + nodes),
    };
  }

  /**
   * Learns another task - other classes - from its rows alone and forgets nothing: the network keeps its features and its outputs, and gets more
   * outputs. Those of different tasks are not comparable, as no row has been seen by both: `predictTask` tells the classes of one task apart.
   * @param {ArrayLike2} x shape as before
   * @param {LabelList} y labels, none of them an old class
   * @param {TaskOptions & Pick<LearnOptions, 'signal' | 'onProgress'>} [options] how the task is learned; signal and onProgress as of `fit`
   * @returns {Promise<this>}
   * @throws {HeddleError} as fit; `state` before it
   */
  async learnTask(x, y, options = {}) {
    return this.exclusively('learnTask', options, ['ridge', 'distillation', 'layers'], async where => {
      const { model, facts: { classes: old, targetShape, report } } = this.fitted('learnTask'), params = /** @type {SsfnParams} */ (this.getParams());
      if (!old) throw new HeddleError('unsupported', `${where}: tasks are sets of classes, ${this.type.kind} has none`);
      const data = readTraining(x, y, { isClassifier: true, like: { shape: model.inputs[0].shape, targetShape } }, where);
      const classes = /** @type {Label[]} */ (data.classes), again = classes.find(label => old.includes(label));
      if (again !== undefined) throw new HeddleError('argument', `${where}: y: ${JSON.stringify(again)} is a class of an earlier task`);
      const how = { ridge: params.ridge, distillation: 0, layers: 0, ...options };
      for (const [name, param] of Object.entries(taskParams)) {
        const value = how[/** @type {keyof typeof taskParams} */ (name)];
        if (!param.allows(value)) throw new HeddleError('argument', `${where}: ${name} = ${String(value)}, expected ${param.expected}`);
      }
      const { withTask } = await part(import('./tasks.js')), { net, cost, trainAccuracy } = await withTask(model, data, how, params, options);
      const tasks = /** @type {Json[]} */ (report.tasks ?? [{ classes: old.length }]);
      const task = { classes: classes.length, layers: how.layers, cost, trainAccuracy };
      this.adopt(net, { classes: [...old, ...classes], targetShape, report: { ...report, tasks: [...tasks, task] } });
    });
  }

  /**
   * The best of the classes of one task.
   * @param {ArrayLike2} x rows of the shape that was fitted: [rows, ...shape]
   * @param {number} task 0: of fit; then those of learnTask
   * @param {PassOptions} [options]
   * @returns {Promise<Label[]>}
   */
  async predictTask(x, task, options) {
    const { model, facts: { classes, report } } = this.fitted('predictTask'), all = classes ?? [], q = all.length;
    const sizes = /** @type {{ classes: number }[]} */ (report.tasks ?? [{ classes: q }]).map(one => one.classes);
    if (!(Number.isInteger(task) && task >= 0 && task < sizes.length)) {
      throw new HeddleError('argument', `${this.type.kind}.predictTask: task = ${String(task)}, expected 0 to ${sizes.length - 1}`);
    }
    const { data } = await model.predict(x, { batchSize: defaultBatch, ...options }), begin = sizes.slice(0, task).reduce((sum, n) => sum + n, 0);
    const own = Float32Array.from({ length: data.length / q * sizes[task] }, (_, i) => data[Math.floor(i / sizes[task]) * q + begin + i % sizes[task]]);
    return argmax(own, sizes[task]).map(k => all[begin + k]);
  }
}

/** SSFN for numbers. */
export class SsfnRegressor extends Ssfn {
  static kind = 'SsfnRegressor';
  static isClassifier = false;
}
