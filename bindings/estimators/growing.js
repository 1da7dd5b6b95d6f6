/** Networks that grow layer by layer, each output layer by constrained least squares: what SSFN and HNF share. */
import { HeddleError, part } from '../errors.js';
import { Gram } from '../gram.js';
import { defaultSeed } from '../session.js';
import { Flow } from './flow.js';
import { number, oneOf, orNull, seed, whole } from './params.js';
import { accuracyOf, decibels, gain, residual, squares, sumSquares } from './residuals.js';
import { readTraining, sizeOf } from './samples.js';
import { Shared } from './shared.js';
import { assemble, entrance, linear } from './stages.js';

/** @import { Coefficients } from '../admm.js' */
/** @import { ArrayLike2 } from '../data.js' */
/** @import { Model } from '../model.js' */
/** @import { FineTuneOptions } from './fine_tune.js' */
/** @import { LabelList } from './labels.js' */
/** @import { LearnOptions } from './predictor.js' */
/** @import { TrainingData } from './samples.js' */
/** @import { SharedOptions } from './shared.js' */
/** @import { Stage } from './stages.js' */
/**
 * One layer of the report.
 * @typedef {object} LayerReport
 * @property {number} layer 0 is the linear one on the input
 * @property {number} nodes random ones
 * @property {number} cost sum |t - s|^2 over the rows
 * @property {number} nme normalised mean error, 10 log10(cost / sum |t|^2), dB
 * @property {number} norm ||O||_F
 * @property {number} [radius] its bound
 * @property {boolean} [isFeasiblePoint] nothing better was found than what repeats the layer before
 * @property {number} [trainAccuracy]
 * @property {number} [validationAccuracy]
 * @property {number} [validationCost]
 */
/** A network up to a layer.
 * @typedef {{ stages: Stage[], flow: Flow, coef: Coefficients, cost: number, targetSquares: number, entry: LayerReport }} Network */
/** A layer to be tried; feasible: the coefficients that repeat the layer before; radius: the bound on ||O||_F.
 * @typedef {{ stage: Stage, radius: number, nodes: number, feasible: () => Float64Array<ArrayBuffer> }} Layer */

const MiB = 2 ** 20;

/** Parameters of all networks that grow. */
export const growingParams = {
  maxLayers: whole(20, 0, 100),
  layerThreshold: number(0.1, { min: 0 }),
  ridge: number(1, { min: 0 }),
  solver: oneOf('secular', 'admm', 'compat'),
  iterations: whole(100, 1, 1e6),
  mu: number(1e5, { above: 0 }),
  cacheLimit: number(1024, { min: 0 }),
  seed,
};

/** `value`, or null: one that depends on the data. @param {number} min @param {string} meaning */
export const wholeOrNull = (min, meaning) => orNull(whole(min, min, 16384), meaning);

export class Growing extends Shared {
  /** Appends a 1 to the input. */
  get hasBias() {
    return false;
  }

  /** For subclasses: numbers of nodes to try for the next layer, in this order. @param {Network} _below @returns {number[]} */
  nodeCounts(_below) {
    return [];
  }

  /** For subclasses: a layer on top of a network. @param {Network} _below @param {number} _nodes @param {number} _seed of the whole network
   * @returns {Promise<Layer>} */
  async layer(_below, _nodes, _seed) {
    throw new HeddleError('unsupported', `${this.type.kind} has no layers`);
  }

  /** @param {TrainingData} data @param {SharedOptions} options @param {TrainingData | null} validation */
  async learn(data, options, validation) {
    const growth = new Growth(this, data, validation, options), { maxLayers } = this.getParams();
    let last = await growth.first();
    try {
      await growth.adopt(last);
      while (last.entry.layer < maxLayers) {
        const next = await growth.next(last), isWorthwhile = growth.isWorthwhile(last, next);
        (isWorthwhile ? last : next).flow.dispose();
        if (!isWorthwhile) break;
        last = next;
        await growth.adopt(last);
      }
      growth.finish(last.entry.layer === maxLayers ? 'maxLayers' : 'layerThreshold');
    } finally {
      last.flow.dispose();
    }
  }

  /**
   * Trains the whole network by backpropagation, from where least squares has brought it: Adam, mean squared error of the outputs.
   * @param {ArrayLike2} x rows to train on, of the shape that was fitted: those of the fit, or others
   * @param {ArrayLike2 | LabelList} y their labels, of the fitted classes, or numbers
   * @param {LearnOptions & FineTuneOptions} [options]
   * @returns {Promise<this>} as it was, if that was aborted
   * @throws {HeddleError} as fit; `state` before it
   */
  async fineTune(x, y, options = {}) {
    return this.exclusively('fineTune', options, ['epochs', 'batchSize', 'learningRate', 'randomWeights'], async where => {
      const { model, facts } = this.fitted('fineTune'), { classes, targetShape, report } = facts, like = { shape: model.inputs[0].shape, targetShape };
      const data = readTraining(x, y, { isClassifier: this.type.isClassifier, classes: classes ?? undefined, like }, where);
      const { trained } = await part(import('./fine_tune.js')), { epochs = 10, batchSize = 128, learningRate = 1e-4, randomWeights = false } = options;
      const { net, history } = await trained(model, data, { epochs, batchSize, learningRate, randomWeights }, options, this.readValidation(data, options, where));
      this.adopt(net, { classes, targetShape, report: { ...report, fineTuning: /** @type {any} */ (history) } });
    });
  }
}

/** One fit. */
class Growth {
  #estimator;
  #data;
  #validation;
  #options;
  #params;
  #seed;
  #targetSquares;
  #begin = performance.now();
  /** @type {LayerReport[]} */
  #layers = [];
  /** @type {Model | null} */
  #net = null;

  /** @param {Growing} estimator @param {TrainingData} data @param {TrainingData | null} validation @param {SharedOptions} options */
  constructor(estimator, data, validation, options) {
    this.#estimator = estimator;
    this.#data = data;
    this.#validation = validation;
    this.#options = options;
    this.#params = estimator.getParams();
    this.#seed = this.#params.seed ?? options.together?.seed ?? defaultSeed();
    this.#targetSquares = squares(data);
  }

  /** Over the rows of all members, if there are others. @param {number[]} values */
  async #sum(...values) {
    return await this.#options.together?.sum(values) ?? values;
  }

  /** Layer 0: ridge regression on the input. @returns {Promise<Network>} */
  async first() {
    const { cacheLimit } = this.#params, stage = entrance(sizeOf(this.#data.shape), this.#estimator.hasBias);
    const flow = await Flow.open([this.#data, ...this.#validation ? [this.#validation] : []], stage, cacheLimit * MiB);
    try {
      const coef = await this.#withSums(flow, stage.size, gram => this.#solve(gram, null));
      return await this.#network([stage], flow, coef, { layer: 0, nodes: 0 });
    } catch (error) {
      flow.dispose();
      throw error;
    }
  }

  /** The next layer, with as many nodes as pay. @param {Network} below @returns {Promise<Network>} */
  async next(below) {
    const { growNodes } = this.#params;
    /** @type {Network | null} */
    let kept = null;
    try {
      for (const nodes of this.#estimator.nodeCounts(below)) {
        const tried = await this.#try(below, nodes);
        const isBetter = !kept || !growNodes.threshold || gain(kept.entry.nme, tried.entry.nme) >= growNodes.threshold;
        (isBetter ? kept : tried)?.flow.dispose();
        if (!isBetter) break;
        kept = tried;
      }
    } catch (error) {
      kept?.flow.dispose();
      throw error;
    }
    return /** @type {Network} */ (kept);
  }

  /** @param {Network} below @param {number} nodes @returns {Promise<Network>} */
  async #try(below, nodes) {
    const { signal } = this.#options, { solver } = this.#params;
    const { stage, radius, feasible, nodes: used } = await this.#estimator.layer(below, nodes, this.#seed);
    const flow = await below.flow.through(stage, { signal });
    try {
      const coef = await this.#withSums(flow, stage.size, gram => this.#solve(gram, radius));
      const stages = [...below.stages, stage], entry = { layer: below.entry.layer + 1, nodes: used, radius };
      const found = await this.#network(stages, flow, coef, { ...entry, isFeasiblePoint: false });
      // The safeguard of the HNF paper: the feasible point repeats the layer below, so the cost never rises. The published programs have none.
      // Members that were lost took their targets with them.
      if (solver === 'compat' || found.cost <= below.cost * (found.targetSquares / below.targetSquares)) return found;
      return await this.#network(stages, flow, { data: feasible(), shape: coef.shape }, { ...entry, isFeasiblePoint: true });
    } catch (error) {
      flow.dispose();
      throw error;
    }
  }

  /** @template T @param {Flow} flow @param {number} features @param {(gram: Gram) => Promise<T>} solve */
  async #withSums(flow, features, solve) {
    const gram = new Gram({ features, targets: this.#data.outputs }), { signal } = this.#options;
    try {
      await flow.addTo(gram, { signal });
      signal?.throwIfAborted();
      return await solve(gram);
    } finally {
      gram.dispose();
    }
  }

  /** Least sum |t - O y|^2 with ||O||_F <= radius; null: with the ridge penalty of layer 0. @param {Gram} gram @param {number | null} radius
   * @returns {Promise<Coefficients>} */
  async #solve(gram, radius) {
    const { solver, iterations, mu, ridge } = this.#params, { together } = this.#options;
    if (together) return (await together.solve(gram, radius === null ? { lambda: ridge } : { radius })).coef;
    if (radius === null) return (await gram.ridge(ridge)).coef;
    if (solver === 'secular') return (await gram.secular(radius)).coef;
    const admm = await gram.admm({ radius, ...solver === 'compat' && { penalty: 1 / mu } });
    try {
      await admm.step(iterations, { signal: this.#options.signal });
      return await admm.values(solver === 'compat' ? 'O' : 'Z'); // O may lie outside the ball, Z never does
    } finally {
      admm.dispose();
    }
  }

  /** @param {Stage[]} stages @param {Flow} flow @param {Coefficients} coef @param {{ layer: number, nodes: number, radius?: number, isFeasiblePoint?: boolean }} facts
   * @returns {Promise<Network>} */
  async #network(stages, flow, coef, facts) {
    const [data, validation] = [this.#data, this.#validation], norm = Math.sqrt(sumSquares(coef.data));
    const scores = await flow.outputs(linear(`output_${facts.layer}`, coef), this.#options);
    const ownRight = data.classes ? Math.round(accuracyOf(scores[0], data) * data.rows) : 0;
    const [cost, targetSquares, right, rows] = await this.#sum(residual(scores[0], data), this.#targetSquares, ownRight, data.rows);
    /** @type {LayerReport} */
    const entry = { ...facts, cost, nme: decibels(cost, targetSquares), norm };
    if (data.classes) entry.trainAccuracy = right / rows;
    if (validation) entry.validationCost = residual(scores[1], validation);
    if (validation?.classes) entry.validationAccuracy = accuracyOf(scores[1], validation);
    this.#options.onProgress?.({
      phase: 'layer', done: facts.layer, total: this.#params.maxLayers, ...entry, seconds: (performance.now() - this.#begin) / 1000,
    });
    this.#options.signal?.throwIfAborted();
    return { stages, flow, coef, cost, targetSquares, entry };
  }

  /** The layer is to be kept. @param {Network} last @param {Network} next */
  isWorthwhile(last, next) {
    const { layerThreshold } = this.#params;
    return layerThreshold === 0 || gain(last.entry.nme, next.entry.nme) >= layerThreshold;
  }

  /** Gives the estimator a whole network. @param {Network} network */
  async adopt({ stages, coef, entry }) {
    this.#layers.push(entry);
    const head = linear(`output_${entry.layer}`, coef), name = this.#estimator.type.kind.toLowerCase();
    this.#net = await assemble(this.#data.shape, [...stages, head], { name, seed: this.#seed });
    this.finish('interrupted');
  }

  /** @param {'interrupted' | 'maxLayers' | 'layerThreshold'} stopped why there are no more layers */
  finish(stopped) {
    const { classes, targetShape } = this.#data, report = /** @type {any} */ ({ layers: this.#layers, stopped });
    this.#estimator.adopt(/** @type {Model} */ (this.#net), { classes, targetShape, report });
  }
}
