/** The recipes of upscalers, for train-upscaler.js and matnet-sr.js. */
import { SuperResolver } from 'heddle/super-resolution';

/** Of the convolutional network, found on held-out parts of the photographs. */
const convolutions = Object.freeze({
  network: 'conv', scale: 2, filters: [32, 32, 32, 32, 32], patch: 28, patches: 2000, batchSize: 8, epochs: 48, learningRate: 1e-3, validationSplit: 0, seed: 1,
});

const db = (value) => `${value.toFixed(2)} dB`;

/** @param {any[]} training @param {any[]} heldOut @param {any} options of fit @returns {Promise<{ resolver: SuperResolver, psnr: number, bicubic: number, seconds: number }>} */
async function train(training, heldOut, options) {
  const resolver = new SuperResolver();
  const { seconds } = await resolver.fit(training, { ...options, onEpochEnd: (epoch, { loss }) => console.log(`epoch ${epoch + 1}  loss ${loss.toExponential(3)}`) });
  const { psnr, bicubic } = await resolver.evaluate(heldOut);
  console.log(`held out: bicubic ${db(bicubic.psnr)}, the network ${db(psnr)}; ${seconds.toFixed(0)} s of training`);
  return { resolver, psnr, bicubic: bicubic.psnr, seconds };
}

/**
 * Trains a convolutional network, with a line for each epoch.
 * @param {any[]} training pictures
 * @param {any[]} heldOut
 * @param {Partial<typeof convolutions>} [options]
 */
export const trainConv = (training, heldOut, options) => train(training, heldOut, { ...convolutions, ...options });

/** The same of a matrix network, by the defaults. @param {any[]} training @param {any[]} heldOut @param {any} [options] */
export const trainMatnet = (training, heldOut, options) => train(training, heldOut, { network: 'matnet', validationSplit: 0, seed: 1, ...options });
