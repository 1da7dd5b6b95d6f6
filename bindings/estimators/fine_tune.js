/** Backpropagation through networks that least squares has made. */
import { optimizers } from '../factories.js';
import { build } from '../model.js';
import { oneHot } from './labels.js';

/** @import { ModelDescription } from '../graph.js' */
/** @import { Model } from '../model.js' */
/** @import { LearnOptions } from './predictor.js' */
/** @import { TrainingData } from './samples.js' */
/**
 * @typedef {object} FineTuneOptions
 * @property {number} [epochs] 10 unless told
 * @property {number} [batchSize] 128 unless told
 * @property {number} [learningRate] of Adam; 1e-4 unless told
 * @property {boolean} [randomWeights] the random weights learn too; false unless told
 */

/** All weights learn. @param {ModelDescription} description @returns {ModelDescription} */
function thawed({ nodes, ...rest }) {
  return {
    ...rest, nodes: nodes.map(node => (node.weights?.kernel?.frozen ? { ...node, weights: { ...node.weights, kernel: { ...node.weights.kernel, frozen: false } } } : node)),
  };
}

/** @param {TrainingData} data */
const targetsOf = ({ y, classes, outputs }) => (classes ? oneHot(y.data, outputs) : y);

/**
 * A copy of a network after training with the mean squared error.
 * @param {Model} old
 * @param {TrainingData} data
 * @param {Required<FineTuneOptions>} how
 * @param {LearnOptions} options
 * @param {TrainingData | null} validation
 * @returns {Promise<{ net: Model, history: { [name: string]: number[] } }>}
 */
export async function trained(old, data, { epochs, batchSize, learningRate, randomWeights }, { signal, onProgress }, validation) {
  const { model: net } = await build(randomWeights ? thawed(old.description) : old.description);
  try {
    await net.setWeights(await old.getWeights());
    await net.compile({ optimizer: optimizers.adam({ learningRate }), loss: 'meanSquaredError', metrics: data.classes ? ['accuracy'] : [] });
    const { history } = await net.fit(data.x, targetsOf(data), {
      epochs, batchSize, signal, ...validation && { validationData: [validation.x, targetsOf(validation)] },
      onEpochEnd: (epoch, logs) => onProgress?.({ phase: 'fineTune', done: epoch + 1, total: epochs, ...logs }),
    });
    return { net, history };
  } catch (error) {
    net.dispose();
    throw error;
  }
}
