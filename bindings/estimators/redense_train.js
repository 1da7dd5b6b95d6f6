/** Training of ReDense's output: projected Adam on all rows, from inner values that are computed once. */
import { HeddleError } from '../errors.js';
import { constraints, input, layers, optimizers } from '../factories.js';
import { sequential } from '../model.js';
import { oneHot } from './labels.js';

/** @import { Dataset } from '../dataset.js' */
/** @import { LearnOptions } from './predictor.js' */
/** @import { Targets } from './samples.js' */
/** @typedef {{ rows: number, outputs: number, activation: string, radius: number, o: Float32Array, isSparse: boolean }} Start
 *   rows: of R; o: [outputs, 2 rows + 1] */
/** @typedef {{ loss: number[], val_loss?: number[] }} Losses loss: before the step of each epoch, and after the last; val_loss: after each */
/** error: what ended the training early, after the last whole step. @typedef {{ o: Float32Array, losses: Losses, error: unknown }} Trained */
/** @typedef {{ data: Float32Array | Uint8Array, size: number, isSparse: boolean }} Column isSparse: class numbers */

/**
 * What the loss takes: class numbers if it can, else a number for each output.
 * @param {Targets} targets
 * @param {string} loss
 * @returns {Column}
 */
export function targetColumn({ y, outputs }, loss) {
  const isNumbered = y.shape.length === 1, isSparse = isNumbered && loss === 'categoricalCrossentropy';
  return { data: isNumbered && !isSparse ? oneHot(y.data, outputs).data : y.data, size: isSparse ? 1 : outputs, isSparse };
}

/**
 * The data sets hold z = R x, as many numbers a row as R has rows; its two rectified halves exist for one chunk at a time.
 * @param {Start} start
 * @param {Dataset} data
 * @param {Dataset | null} validation
 * @param {Record<string, any>} params of ReDense
 * @param {LearnOptions} options
 * @returns {Promise<Trained>}
 */
export async function trainOutput({ rows, outputs, activation, radius, o, isSparse }, data, validation, { loss, learningRate, epochs, chunk }, { signal, onProgress }) {
  const model = await sequential([
    input({ shape: [rows] }), layers.crelu(), layers.appendConstant(),
    layers.dense({
      units: outputs, useBias: false, activation: /** @type {'softmax'} */ (activation), name: 'output',
      kernelConstraint: constraints.maxNorm({ max: radius, axis: 'frobenius' }),
    }),
  ]);
  try {
    await model.setWeights({ 'output/kernel': o });
    await model.compile({ optimizer: optimizers.adam({ learningRate }), loss: isSparse ? 'sparseCategoricalCrossentropy' : loss });
    /** @type {Losses} */
    const losses = { loss: [] };
    let error = null;
    try {
      await model.fit(data, undefined, {
        epochs, batchSize: chunk, shuffle: false, gradientAccumulationSteps: 'epoch', signal, ...validation && { validationData: validation },
        onEpochEnd: (epoch, log) => {
          losses.loss.push(log.loss);
          if (validation) (losses.val_loss ??= []).push(log.val_loss);
          onProgress?.({ phase: 'epochs', done: epoch + 1, total: epochs, loss: log.loss, ...validation && { val_loss: log.val_loss } });
        },
      });
    } catch (reason) { // an abort, or what a callback threw: the steps so far stand
      if (reason instanceof HeddleError) throw reason;
      error = reason;
    }
    losses.loss.push((await model.evaluate(data, undefined, { batchSize: chunk })).loss);
    return { o: (await model.getWeights())['output/kernel'].data, losses, error };
  } finally {
    model.dispose();
  }
}
