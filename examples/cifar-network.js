// The CIFAR-10 network of the ReDense thesis, trained with one loss: conv 32, conv 32, pool, conv 64, conv 32, pool, dense 512.
import { optimizers } from 'heddle';
import { recipes } from 'heddle/recipes';

/** @param {number} v */
export const percent = (v) => `${(100 * v).toFixed(2)} %`;

/** @param {Uint8Array} labels */
export function oneHot(labels) {
  const data = new Float32Array(labels.length * 10);
  labels.forEach((label, i) => { data[i * 10 + label] = 1; });
  return { data, shape: [labels.length, 10] };
}

/** @param {any} log @param {string} loss @param {number} epochs */
function showProgress(log, loss, epochs) {
  const line = `${loss}: epoch ${log.epoch + 1}/${epochs}  loss ${log.loss.toFixed(4)}  accuracy ${percent(log.accuracy)}  `
    + `${Math.round(log.samplesPerSecond).toLocaleString('en')} samples/s  ${Math.ceil(log.secondsLeft ?? 0)} s left`;
  if (process.stdout.isTTY) process.stdout.write(`\r${line}\x1b[K`);
  else if (log.type === 'epoch') console.log(`${line}  validation ${percent(log.val_accuracy)}`);
}

/**
 * Trains on the first 90 % of the rows; tests.
 * @param {{ loss: string, epochs: number, seed: number }} how
 */
export async function trainCifar({ loss, epochs, seed }, train, test) {
  const net = await recipes.cifarCnn({ seed });
  await net.compile({ optimizer: optimizers.adam({ learningRate: 1e-3 }), loss, metrics: ['accuracy'] });
  const start = performance.now();
  let last;
  for await (const log of net.train(train.x, oneHot(train.y), { epochs, batchSize: 128, validationSplit: 0.1, seed })) {
    showProgress(log, loss, epochs);
    last = log;
  }
  const seconds = (performance.now() - start) / 1000, { accuracy } = await net.evaluate(test.x, oneHot(test.y), { batchSize: 100 });
  console.log(`\n${loss}: test accuracy ${percent(accuracy)} after ${seconds.toFixed(0)} s`);
  return { net, loss, accuracy, trained: last.loss, validation: last.val_accuracy, seconds };
}
