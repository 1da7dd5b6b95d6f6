/** Training of a quality model: epochs over batches in a seeded order, the best epoch by validation, checkpoints between epochs. */
import { abortError } from '../errors.js';
import { optimizers, schedules } from '../factories.js';
import { asSpec } from '../options.js';
import { mapping } from './mapping.js';
import { plcc, rmse, srocc } from './statistics.js';

/** @import { Model, NamedTensors } from '../model.js' */
/** @import { LossSpec, ScheduleSpec } from '../options.js' */
/** @import { Rows } from './rows.js' */
/**
 * @typedef {object} EpochReport
 * @property {number} epoch from 0
 * @property {number} loss mean over the epoch's batches, weighted sum of all heads
 * @property {number} [srocc] of the main head on the validation data
 * @property {number} [plcc] Pearson's correlation of the same, before any mapping
 * @property {number} [rmse] after the least-squares line of the validation data
 */
/** @typedef {{ rows: Rows, scores: Float64Array }} Labelled */
/**
 * What an epoch's network says of the validation data.
 * @typedef {object} ValidationScores
 * @property {Float64Array} scores of the main head, before any mapping, for the pictures that could be read, in order
 * @property {Float64Array} ratings of the same pictures, as they were given
 */
/**
 * What a training has come to; plain but for the weights.
 * @typedef {object} TrainingState
 * @property {EpochReport[]} epochs
 * @property {{ epoch: number, weights: NamedTensors, scores: Float64Array } | null} best by validation; scores: of the validation data
 */
/**
 * @typedef {object} TrainingSettings
 * @property {number} epochs
 * @property {number} batchSize
 * @property {number} learningRate
 * @property {number} auxiliary weight of the losses of the auxiliary heads
 * @property {LossSpec | string} loss
 * @property {ScheduleSpec | string | null} [schedule] in place of a drop to a tenth after each third of the epochs; null: no change
 * @property {number} seed of the order of the rows
 */
/**
 * @typedef {object} TrainingHooks
 * @property {AbortSignal} [signal]
 * @property {(progress: { phase: 'training', epoch: number, epochs: number, batch: number, batches: number, loss: number, secondsLeft?: number }) => void} [onProgress]
 * @property {(epoch: number, report: EpochReport, validation?: ValidationScores) => void | Promise<void>} [onEpochEnd]
 * @property {(state: TrainingState) => Promise<void>} [save] called before onEpochEnd
 * @property {(rows: Rows) => Promise<Float64Array>} predict the main head's scores as at inference
 */

/** Numbers 0..1 from a counter: splitmix32, a bijection of a Weyl sequence. @param {number} seed */
function uniform(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** Numbers of an epoch, others for each use. @param {number} seed @param {number} epoch @param {number} use */
function numbersOf(seed, epoch, use) {
  const first = uniform(seed % 2 ** 32), high = Math.floor(seed / 2 ** 32);
  return uniform(Math.floor(first() * 2 ** 32) + 0x632be5ab * (epoch + 1) + high + 0x1b873593 * use);
}

/** The order of an epoch, which depends on nothing but its arguments. @param {number} rows @param {number} seed @param {number} epoch */
export function orderOf(rows, seed, epoch) {
  const order = Array.from({ length: rows }, (_, i) => i), next = numbersOf(seed, epoch, 0);
  for (let i = rows - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** Batches of an epoch: the last may be smaller, but batch normalisation needs two rows. @param {number} rows @param {number} batchSize */
export const stepsOf = (rows, batchSize) => Math.floor(rows / batchSize) + (rows % batchSize >= 2 ? 1 : 0);

/** @param {TrainingSettings} settings */
function optimizerOf({ learningRate, epochs, schedule }) {
  if (schedule === null) return optimizers.adam({ learningRate });
  const given = schedule === undefined ? schedules.step({ every: Math.max(1, Math.floor(epochs / 3)), factor: 0.1 }) : asSpec('schedule', schedule, 'fit: schedule');
  return optimizers.adam({ learningRate: { ...given, initialLearningRate: given.initialLearningRate ?? learningRate } });
}

/** @param {Model} trainee @param {TrainingSettings} settings */
export async function compileTraining(trainee, settings) {
  const { loss, auxiliary } = settings, names = trainee.outputs.map(({ name }) => name);
  const lossWeights = Object.fromEntries(names.map(name => [name, name === 'main' ? 1 : auxiliary]));
  await trainee.compile({ optimizer: optimizerOf(settings), loss: Object.fromEntries(names.map(name => [name, loss])), lossWeights });
}

/** @param {Labelled} training @param {TrainingSettings} settings @param {number} begin epoch @param {number} outputs */
async function* batchesOf({ rows, scores }, { batchSize, epochs, seed }, begin, outputs) {
  const steps = stepsOf(rows.count, batchSize);
  for (let epoch = begin; epoch < epochs; epoch++) {
    const order = orderOf(rows.count, seed, epoch), random = numbersOf(seed, epoch, 1);
    for (let step = 0; step < steps; step++) {
      const indices = order.slice(step * batchSize, (step + 1) * batchSize);
      const y = { data: Float32Array.from(indices, i => scores[i]), shape: [indices.length, 1] };
      yield { x: await rows.take(indices, random), y: outputs === 1 ? y : Array.from({ length: outputs }, () => y) };
    }
  }
}

/** What is not a number - all scores alike - counts least. @param {number | undefined} srocc */
const ranked = (srocc = NaN) => (Number.isNaN(srocc) ? -Infinity : srocc);

/** @param {TrainingHooks['predict']} predict @param {Labelled} validation */
async function validate(predict, { rows, scores }) {
  const q = await predict(rows), line = await mapping.linear(q, scores);
  return { q, srocc: await srocc(q, scores), plcc: await plcc(q, scores), rmse: await rmse(line.apply(q), scores) };
}

/**
 * Goes on with a training from the epoch that its state has come to. Afterwards the trainee has the best weights (without validation
 * the last), also if the signal stopped it.
 * @param {Model} trainee compiled
 * @param {Labelled} training
 * @param {Labelled | null} validation
 * @param {TrainingSettings} settings
 * @param {TrainingState} state is brought up to date after each epoch
 * @param {TrainingHooks} hooks
 */
export async function train(trainee, training, validation, settings, state, { signal, onProgress, onEpochEnd, save, predict }) {
  const { epochs, batchSize, seed } = settings, begin = state.epochs.length, steps = stepsOf(training.rows.count, batchSize);
  if (signal?.aborted) throw abortError(signal);
  try {
    if (begin < epochs) {
      await trainee.fit(batchesOf(training, settings, begin, trainee.outputs.length), {
        epochs, initialEpoch: begin, batchSize: Math.min(batchSize, training.rows.count), stepsPerEpoch: steps, seed, signal,
        ...onProgress && { onBatchEnd: (batch, { epoch, loss, secondsLeft }) => onProgress({ phase: 'training', epoch, epochs, batch: batch + 1, batches: steps, loss, secondsLeft }) },
        onEpochEnd: async (epoch, { loss }) => {
          const found = validation && await validate(predict, validation);
          const report = { epoch, loss, ...found && { srocc: found.srocc, plcc: found.plcc, rmse: found.rmse } };
          state.epochs.push(report);
          if (found && (!state.best || ranked(found.srocc) > ranked(state.epochs[state.best.epoch].srocc))) state.best = { epoch, weights: await trainee.getWeights(), scores: found.q };
          await save?.(state);
          await onEpochEnd?.(epoch, report, found ? { scores: found.q, ratings: validation.scores } : undefined);
        },
      });
    }
  } finally {
    if (state.best) await trainee.setWeights(state.best.weights);
  }
}
