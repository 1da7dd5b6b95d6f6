/** Training any model with others, whose data stay where they are: by averaging weights, or the gradients of every step. */
import { joinTables, readTable } from '../data.js';
import { HeddleError, checkOptions, wholeNumber } from '../errors.js';
import { coreOf } from '../model.js';
import { checkSeed } from '../session.js';
import { Group } from './group.js';

/** @import { Arrays } from '../data.js' */
/** @import { Table } from '../engine.js' */
/** @import { FitOptions, History } from '../fit_options.js' */
/** @import { Model, NamedTensors } from '../model.js' */
/**
 * @typedef {object} FederatedOptions
 * @property {Group} group from `transport.join`
 * @property {number} [rounds] 10 unless told
 * @property {'float32' | 'float64'} [type] of the numbers on their way; float32 unless told
 * @property {Omit<FitOptions, 'initialEpoch'>} [fit] what each member does between two averages: options of `model.fit`; epochs counts
 *   within a round, 1 unless told
 * @property {(progress: { round: number, loss: number, members: number }) => void | Promise<void>} [onRound] loss: this member's own, of its
 *   last epoch
 */
/**
 * @typedef {object} SynchronousOptions
 * @property {Group} group from `transport.join`
 * @property {number} [epochs] over the rows of all, 1 unless told
 * @property {number} [batchSize] rows of each member in a step, 32 unless told
 * @property {number} [seed] of shuffling and dropout, which differ from member to member; the group's unless told
 * @property {boolean} [shuffle] true unless told
 * @property {'float32' | 'float64'} [type] of the numbers on their way; float32 unless told
 * @property {(progress: { epoch: number, step: number, steps: number, loss: number, members: number }) => void} [onStep] loss: over all members
 */

/** @param {unknown} group @param {string} where @returns {asserts group is Group} */
function checkGroup(group, where) {
  if (!(group instanceof Group)) throw new HeddleError('argument', `${where}: group must come from transport.join()`);
}

/** All begin with the first member's weights, and end with them. @param {Model} model @param {Group} group */
async function shareWeights(model, group) {
  const weights = await model.getWeights(), names = Object.keys(weights);
  const shared = await group.broadcast(names.map(name => weights[name]));
  await setAll(model, weights, names, shared);
}

/** @param {Model} model @param {NamedTensors} weights @param {string[]} names @param {Float64Array[]} values */
async function setAll(model, weights, names, values) {
  const wrong = names.findIndex((name, k) => values[k]?.length !== weights[name].data.length);
  if (wrong >= 0 || values.length !== names.length) {
    throw new HeddleError('shape', `the first member's model is another one: ${values.length} weights, here ${names.length}; "${names[Math.max(wrong, 0)]}" differs`);
  }
  await model.setWeights(Object.fromEntries(names.map((name, k) => [name, { data: new Float32Array(values[k]), shape: weights[name].shape }])));
}

/** Means weighted by `weight`. @param {Group} group @param {readonly ArrayLike<number>[]} arrays @param {number} weight @param {number[]} scalars
 * @param {'float32' | 'float64'} type @returns {Promise<{ means: Float64Array[], scalars: number[] }>} */
async function weightedMean(group, arrays, weight, scalars, type) {
  const own = [...arrays, scalars].map(array => new Float64Array(array).map(v => v * weight));
  const sums = await group.allReduceSum([...own, Float64Array.of(weight)], { type }), total = /** @type {Float64Array} */ (sums.pop())[0];
  const means = sums.map(sum => sum.map(v => v / total));
  return { scalars: [.../** @type {Float64Array} */ (means.pop())], means };
}

/**
 * Federated averaging (McMahan et al. 2017): in each round every member trains on its own rows, then all take the mean of their
 * weights, each counted by its number of rows.
 * @param {Model} model compiled, the same for all members; its initial weights are the first member's
 * @param {Arrays} x this member's own
 * @param {Arrays} y targets of these rows, as of `model.fit`
 * @param {FederatedOptions} options
 * @returns {Promise<{ history: History[] }>} of each round
 * @throws {HeddleError} as `model.fit` and `Group.allReduceSum`
 */
export async function federatedFit(model, x, y, options) {
  checkOptions(options, ['group', 'rounds', 'type', 'fit', 'onRound'], 'federatedFit');
  const { group, type = 'float32', fit = {}, onRound } = options, rounds = wholeNumber(options.rounds, 'federatedFit: rounds', 1, 10);
  checkGroup(group, 'federatedFit');
  const core = coreOf(model, 'federatedFit'), { rows } = readTable(x, core.inputSlots, 'input', 'x'), history = [];
  const [[total]] = await group.allReduceSum([Float64Array.of(rows)], { type: 'float64' });
  await shareWeights(model, group);
  for (let round = 1; round <= rounds; round++) {
    const seed = fit.seed === undefined ? {} : { seed: fit.seed + round - 1 };
    const own = await model.fit(x, y, { ...fit, ...seed }), weights = await model.getWeights(), names = Object.keys(weights);
    const { means } = await weightedMean(group, names.map(name => weights[name].data), rows / total, [], type);
    await setAll(model, weights, names, means);
    history.push(own);
    await onRound?.({ round, loss: own.history.loss.at(-1) ?? NaN, members: group.size });
  }
  return { history };
}

/** Endless rows of one member, each as often as the others. */
class Rows {
  #order;
  #next;
  #state;

  /** @param {Table} table @param {number} inputs @param {boolean} shuffle @param {number} seed */
  constructor(table, inputs, shuffle, seed) {
    this.table = table;
    this.inputs = inputs;
    this.shuffle = shuffle;
    this.#state = seed % 2147483646 + 1;
    this.#order = Uint32Array.from({ length: table.rows }, (_, i) => i);
    this.#next = table.rows;
  }

  /** Fisher and Yates, with a linear congruential generator (MINSTD). */
  #reorder() {
    this.#next = 0;
    if (!this.shuffle) return;
    for (let i = this.#order.length - 1; i > 0; i--) {
      this.#state = this.#state * 48271 % 2147483647;
      const j = Math.floor(this.#state / 2147483647 * (i + 1));
      [this.#order[i], this.#order[j]] = [this.#order[j], this.#order[i]];
    }
  }

  /** @param {number} count @returns {{ x: any, y: any, count: number }} at most as many as there are */
  take(count) {
    if (this.#next >= this.#order.length) this.#reorder();
    const picked = this.#order.subarray(this.#next, this.#next += count);
    const arrays = this.table.columns.map(({ data, size, scale, offset }) => {
      const part = new (data instanceof Uint8Array ? Uint8Array : Float32Array)(picked.length * size);
      picked.forEach((row, i) => part.set(data.subarray(row * size, (row + 1) * size), i * size));
      return { data: part, shape: [picked.length, size], scale, offset };
    });
    return { x: arrays.slice(0, this.inputs), y: arrays.slice(this.inputs), count: picked.length };
  }
}

/** Arrays with the slots' own shapes. @param {any[]} arrays @param {readonly { shape: number[] }[]} slots */
function shaped(arrays, slots) {
  const all = arrays.map((array, i) => ({ ...array, shape: [array.shape[0], ...slots[i].shape] }));
  return all.length === 1 ? all[0] : all;
}

/**
 * Synchronous gradient averaging: in each step every member computes the gradient of a batch of its own rows; the mean over all rows
 * of the step goes into everybody's optimiser. The same as training alone on the union of the batches.
 * @param {Model} model compiled, the same for all members; its initial weights are the first member's
 * @param {Arrays} x this member's own
 * @param {Arrays} y targets of these rows, as of `model.fit`
 * @param {SynchronousOptions} options
 * @returns {Promise<{ loss: number[] }>} mean over all members for each epoch
 * @throws {HeddleError} as `model.gradients`, `model.applyGradients` and `Group.allReduceSum`
 */
export async function synchronousFit(model, x, y, options) {
  checkOptions(options, ['group', 'epochs', 'batchSize', 'seed', 'shuffle', 'type', 'onStep'], 'synchronousFit');
  const { group, shuffle = true, type = 'float32', onStep } = options;
  checkGroup(group, 'synchronousFit');
  const epochs = wholeNumber(options.epochs, 'synchronousFit: epochs', 1, 1), batchSize = wholeNumber(options.batchSize, 'synchronousFit: batchSize', 1, 32);
  const seed = checkSeed(options.seed ?? group.seed, 'synchronousFit') % 2 ** 32, core = coreOf(model, 'synchronousFit'), { inputSlots, targetSlots } = core;
  const table = joinTables(readTable(x, inputSlots, 'input', 'x'), readTable(y, targetSlots, 'target', 'y'));
  const rows = new Rows(table, inputSlots.length, shuffle, seed + group.rank), [[total]] = await group.allReduceSum([Float64Array.of(table.rows)], { type: 'float64' });
  const steps = Math.ceil(total / (batchSize * group.size)), losses = [];
  await shareWeights(model, group);
  for (let epoch = 0; epoch < epochs; epoch++) {
    let sum = 0;
    for (let step = 0; step < steps; step++) {
      const { x: xs, y: ys, count } = rows.take(batchSize), number = (epoch * steps + step) * 64 + group.rank;
      const { loss, gradients } = await model.gradients(shaped(xs, inputSlots), shaped(ys, targetSlots), { training: true, seed: seed + number });
      const names = Object.keys(gradients), { means, scalars } = await weightedMean(group, names.map(name => gradients[name].data), count / batchSize, [loss], type);
      await model.applyGradients(Object.fromEntries(names.map((name, k) => [name, { data: new Float32Array(means[k]), shape: gradients[name].shape }])));
      sum += scalars[0];
      onStep?.({ epoch, step, steps, loss: scalars[0], members: group.size });
    }
    losses.push(sum / steps);
  }
  await shareWeights(model, group); // on different platforms the last bits may differ
  return { loss: losses };
}
