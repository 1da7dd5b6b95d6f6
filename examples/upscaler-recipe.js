/** The recipes of upscalers, for train-upscaler.js and matnet-sr.js. */
import { SuperResolver } from 'heddle/super-resolution';

/** Of the convolutional network, found on held-out parts of the photographs. */
const convolutions = Object.freeze({
  network: 'conv', scale: 2, filters: [32, 32, 32, 32, 32], patch: 28, patches: 2000, batchSize: 8, epochs: 48, learningRate: 1e-3, validationSplit: 0, seed: 1,
});

const db = (value) => `${value.toFixed(2)} dB`;

/**
 * The network with one more hidden convolution, which at first passes on what it sees, so that the network is the same (Chen, Goodfellow & Shlens,
 * "Net2Net: accelerating learning via knowledge transfer", 2016).
 * @param {SuperResolver} resolver @param {any} picture as large as a patch @param {any} options with the new filters
 */
async function deepened(resolver, picture, options) {
  const deep = new SuperResolver(), { filters } = options, last = filters.length, count = filters[last - 1];
  await deep.fit([picture], { ...options, patches: options.batchSize, epochs: 1 });
  const old = await resolver.model.getWeights(), identity = new Float32Array(count * 9 * count), weights = {};
  for (let k = 0; k < count; k++) identity[(9 * k + 4) * count + k] = 1;
  for (const [name, { data }] of Object.entries(old)) weights[name.replace(`conv${last}/`, `conv${last + 1}/`)] = data;
  await deep.model.setWeights({ ...weights, [`conv${last}/kernel`]: identity, [`conv${last}/bias`]: new Float32Array(count) });
  resolver.dispose();
  return deep;
}

/** @param {{ training: any[], options: any }[]} stages @param {any[]} heldOut @returns {Promise<{ resolver: SuperResolver, psnr: number, bicubic: number, seconds: number }>} */
async function train(stages, heldOut) {
  let resolver = new SuperResolver(), seconds = 0;
  for (const [i, { training, options }] of stages.entries()) {
    if (resolver.config?.filters?.length < options.filters?.length) resolver = await deepened(resolver, training[0], options);
    const report = await resolver.fit(training, {
      ...options, ...i > 0 && { warmStart: true }, onEpochEnd: (epoch, { loss }) => console.log(`${stages.length > 1 ? `stage ${i + 1}  ` : ''}epoch ${epoch + 1}  loss ${loss.toExponential(3)}`),
    });
    seconds += report.seconds;
  }
  const { psnr, bicubic } = await resolver.evaluate(heldOut);
  console.log(`held out: bicubic ${db(bicubic.psnr)}, the network ${db(psnr)}; ${seconds.toFixed(0)} s of training`);
  return { resolver, psnr, bicubic: bicubic.psnr, seconds };
}

/**
 * Trains a convolutional network, with a line for each epoch.
 * @param {{ training: any[], options?: Partial<typeof convolutions> & { loss?: string } }[]} stages pictures and options, one after the other
 * @param {any[]} heldOut
 */
export const trainConv = (stages, heldOut) => train(stages.map(({ training, options }) => ({ training, options: { ...convolutions, ...options } })), heldOut);

/** The same of a matrix network, by the defaults. @param {any[]} training @param {any[]} heldOut @param {any} [options] */
export const trainMatnet = (training, heldOut, options) => train([{ training, options: { network: 'matnet', validationSplit: 0, seed: 1, ...options } }], heldOut);
