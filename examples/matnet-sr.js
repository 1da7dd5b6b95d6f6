// Doubling pictures as the MatNet paper does (Gao, Guo & Wang, "Matrix neural networks", 2016), and better: the multimodal matrix autoencoder read
// literally, as a denoiser and on residuals, and convolutional networks, trained on T91, tested on Set5 and Set14.
// Needs --data (or HEDDLE_DATA): a folder with super-resolution/T91, Set5 and Set14. With --smoke: photographs from npm and little training instead.
// Options: --network FILE (the convolutional network of T91: read if it is there, else trained and written), --patches 10000, --epochs 15,
// --conv-epochs 48, --networks literal,denoise,residual,wide,deep,convolutions (all but deep, whose windows share no work, unless told), --seed 1, --threads 1.
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { HeddleError, init } from 'heddle';
import { imageToTensor, resize } from 'heddle/images';
import { SuperResolver } from 'heddle/super-resolution';
import { filesOf, photographs, t91 } from './upscaler-data.js';
import { trainConv } from './upscaler-recipe.js';

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: process.env.HEDDLE_DATA }, smoke: { type: 'boolean', default: false }, network: { type: 'string' }, networks: { type: 'string' },
    patches: { type: 'string' }, epochs: { type: 'string', default: '15' }, 'conv-epochs': { type: 'string' }, seed: { type: 'string', default: '1' },
    threads: { type: 'string', default: '1' },
  },
});
const { smoke } = values, seed = Number(values.seed), epochs = Number(values.epochs), patches = Number(values.patches ?? (smoke ? 2000 : 10000));
if (!smoke && !values.data) throw new HeddleError('argument', 'no data: --data or HEDDLE_DATA must be a folder with super-resolution/T91, Set5, Set14; or take --smoke');
await init({ threads: Number(values.threads) });

const { training, heldOut } = smoke ? await photographs() : await t91(values.data);
/** Pictures to test with; PSNR is of luma rounded to bytes, over every pixel. */
const sets = smoke ? { 'held out': heldOut.slice(0, 3) }
  : { Lena: (await filesOf(values.data, 'Set14')).filter((file) => /^len+a\./i.test(basename(file))), Set5: await filesOf(values.data, 'Set5'), Set14: await filesOf(values.data, 'Set14') };
const sample = await resize(smoke ? training[0] : await imageToTensor(sets.Lena[0]), { width: 256, height: 256 });

/** Of a picture of 256 x 256 in colour, in ms: the best of five, or of those that begin within a second. @param {SuperResolver} resolver */
async function speed(resolver, options) {
  let best = Infinity;
  for (let i = 0, start = performance.now(); i < 5 && performance.now() - start < 1000; i++) {
    const begin = performance.now();
    await resolver.upscale(sample, options);
    best = Math.min(best, performance.now() - begin);
  }
  return best;
}

const row = (cells) => console.log(`| ${cells.join(' | ')} |`);
let isFirst = true;

/** One line of the table; before the first one the head, and the bicubic filter. */
async function show(name, resolver, seconds, options = {}) {
  const found = [];
  for (const files of Object.values(sets)) found.push(await resolver.evaluate(files, options));
  if (isFirst) {
    row(['network', 'parameters', 'training', '256 to 512', ...Object.keys(sets)]);
    row(Array.from({ length: 4 + found.length }, () => '---'));
    row(['bicubic', '-', '-', '-', ...found.map(({ bicubic }) => `${bicubic.psnr.toFixed(3)} / ${bicubic.ssim.toFixed(4)}`)]);
    isFirst = false;
  }
  row([name, resolver.model.parameters.toLocaleString('en'), seconds === undefined ? '-' : `${seconds.toFixed(0)} s`, `${(await speed(resolver, options)).toFixed(0)} ms`,
    ...found.map(({ psnr, ssim, bicubic }) => `${psnr.toFixed(3)} / ${ssim.toFixed(4)} (${psnr < bicubic.psnr ? '' : '+'}${(psnr - bicubic.psnr).toFixed(2)})`)]);
}

/** Trains a matrix network and shows it. */
async function matnet(name, options) {
  const resolver = new SuperResolver();
  const { seconds } = await resolver.fit(training, { network: 'matnet', patches, epochs, validationSplit: 0, seed, ...options });
  await show(name, resolver, seconds);
  resolver.dispose();
}

/** The convolutional network of the same pictures. @returns {Promise<{ resolver: SuperResolver, seconds?: number }>} */
async function convolutional() {
  if (values.network && existsSync(values.network)) return { resolver: await SuperResolver.load(values.network) };
  const few = smoke ? { epochs: 2, patches: 800 } : {}, asked = values['conv-epochs'] ? { epochs: Number(values['conv-epochs']) } : {};
  const trained = await trainConv([{ training, options: { seed, ...few, ...asked } }], heldOut);
  if (values.network) await trained.resolver.save(values.network);
  return trained;
}

/** What the table shows, in its order. */
const networks = {
  literal: () => matnet('literal: MatNet, input = target, sigmoid outputs, KL sparsity', { mode: 'literal', epochs: 4 * epochs, weightDecay: 1e-9, sparsity: { rho: 0.05, beta: 1e-6 } }),
  denoise: () => matnet('denoise: MatNet, bicubic in, original out', { mode: 'denoise', targets: 'all' }),
  residual: () => matnet('residual: MatNet, original - bicubic', { mode: 'residual' }),
  wide: () => matnet('wide: denoise, hidden 20 x 20', { hidden: [20, 20] }),
  deep: () => matnet('deep: denoise, three hidden of 15 x 15', { hidden: [[15, 15], [15, 15], [15, 15]] }),
  convolutions: async () => {
    const { resolver, seconds } = await convolutional();
    await show(`convolutions of ${smoke ? 'these pictures, little trained' : 'T91'}`, resolver, seconds);
    resolver.dispose();
  },
};
const names = values.networks?.split(',') ?? Object.keys(networks).filter((name) => name !== 'deep'), unknown = names.find((name) => !Object.hasOwn(networks, name));
if (unknown !== undefined) throw new HeddleError('argument', `--networks: "${unknown}", expected some of ${Object.keys(networks).join(',')}`);
console.log(`PSNR in dB / SSIM of luma, every pixel (and dB above the bicubic filter); networks of ${training.length} pictures`);
for (const name of names) await networks[name]();
const shipped = await SuperResolver.pretrained({ scale: 2 });
await show('shipped: convolutions of public-domain photographs', shipped);
if (!smoke) await show('shipped, mean over eight orientations', shipped, undefined, { selfEnsemble: true });
shipped.dispose();
console.log('\nThe paper, on a Lena of 256 x 256: bicubic 32.795, MatNet 33.966 (+1.17); on a kingfisher: 34.518, 36.056 (+1.54). Those two files are not public:'
  + '\nSet14 has Lena with 512 x 512 pixels, so that only gains compare. Its text (input = target) gives the literal autoencoder, which learns to copy and stays'
  + '\nbelow the bicubic filter; as a denoiser, bicubic window in and original out, the same network has the gain of the paper.');
