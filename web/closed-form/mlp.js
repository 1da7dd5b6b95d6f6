// What the others are compared with: a multilayer perceptron, trained by backpropagation.
import { layers, optimizers, schedules, sequential, trainingControl } from 'heddle';

/** @import { Model } from 'heddle' */
/** @import { Job } from './models.js' */

/**
 * One hidden layer of rectifiers and a softmax, by Adam with a rate that falls to 0.
 * @param {Job} job
 * @param {(log: import('heddle').TrainingLog) => void} onEpoch
 * @returns {Promise<Model>}
 */
export async function trainNetwork({ parts: { train, test }, outputs, settings, signal, onControl }, onEpoch) {
  const { units, epochs, batchSize, rate, seed } = settings, control = trainingControl();
  const net = await sequential([
    layers.input({ shape: train.x.shape.slice(1) }), layers.dense({ units, activation: 'relu', name: 'hidden' }),
    layers.dense({ units: outputs, activation: 'softmax', name: 'output' }),
  ], { seed, name: 'mlp' });
  try {
    await net.compile({
      optimizer: optimizers.adam({ learningRate: schedules.cosine({ initialLearningRate: rate }) }), loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'],
    });
    onControl(control);
    await net.fit(train.x, train.y, {
      epochs, batchSize: Math.min(batchSize, train.rows), signal, control, validationData: [test.x, test.y], onEpochEnd: (_, log) => onEpoch(log),
    });
  } catch (error) {
    net.dispose();
    throw error;
  } finally {
    onControl(null);
  }
  return net;
}

/** @param {Job} job */
export async function trainMlp(job) {
  const { settings: { units, epochs }, outputs, parts: { train }, onPoint, onProgress, onFitted } = job;
  let point = null;
  const net = await trainNetwork(job, (log) => {
    // The time of training steps alone, as that of the others is without tests.
    const seconds = (log.epoch + 1) * train.rows / log.samplesPerSecond;
    point = { x: log.epoch + 1, accuracy: log.val_accuracy, seconds, setting: `epoch ${log.epoch + 1}, ${units} units` };
    onPoint(point);
    onProgress(`epoch ${log.epoch + 1} of ${epochs}`, (log.epoch + 1) / epochs);
  });
  onFitted(fittedNetwork(net, outputs), point);
}

/** @param {Model} net @param {number} outputs @returns {import('./models.js').Fitted} */
const fittedNetwork = (net, outputs) => ({ model: net, classes: Array.from({ length: outputs }, (_, k) => k), estimator: null, dispose: () => net.dispose() });
