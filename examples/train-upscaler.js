// Trains the networks that ship as SuperResolver.pretrained() from nine public-domain photographs, and writes their files:
//   node examples/train-upscaler.js [--network conv | denoise | residual] [--out FOLDER] [--epochs 48] [--threads 1]
// The same engine gives the same weights, bit for bit, with any number of threads.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { HeddleError, init } from 'heddle';
import { packages, photographs, sizes } from './upscaler-data.js';
import { trainConv, trainMatnet } from './upscaler-recipe.js';

const { values } = parseArgs({
  options: {
    network: { type: 'string' }, out: { type: 'string', default: fileURLToPath(new URL('../bindings/super_resolution', import.meta.url)) },
    epochs: { type: 'string' }, threads: { type: 'string', default: '1' },
  },
});
const networks = {
  conv: { file: 'pretrained-x2.safetensors', train: trainConv },
  denoise: { file: 'pretrained-x2-denoise.safetensors', train: (training, heldOut, options) => trainMatnet(training, heldOut, { mode: 'denoise', targets: 'all', ...options }) },
  residual: { file: 'pretrained-x2-residual.safetensors', train: (training, heldOut, options) => trainMatnet(training, heldOut, { mode: 'residual', ...options }) },
};
const names = values.network === undefined ? Object.keys(networks) : [values.network], unknown = names.find((name) => !Object.hasOwn(networks, name));
if (unknown) throw new HeddleError('argument', `--network ${unknown}: expected one of ${Object.keys(networks).join(', ')}`);
await init({ threads: Number(values.threads) });
const { training, heldOut } = await photographs(), asked = values.epochs ? { epochs: Number(values.epochs) } : {};
for (const name of names) {
  const { file, train } = networks[name], { resolver, ...result } = await train(training, heldOut, asked), path = join(values.out, file);
  await resolver.save(path, { about: {
    data: `${packages.join(', ')} (npm; public domain, CC0 1.0), shrunk by the bicubic filter to ${sizes.join(' and ')} of their size, the left 85 %`,
    script: 'examples/train-upscaler.js', heldOut: { of: 'the right 15 % of each at half its size', ...result },
  } });
  console.log(`${path}: ${resolver.model.parameters.toLocaleString('en')} parameters`);
  resolver.dispose();
}
