// Trains the networks that ship as SuperResolver.pretrained() from nine public-domain photographs, and writes their files:
//   node examples/train-upscaler.js [--network conv | denoise | residual] [--out FOLDER] [--epochs N of each stage] [--threads 1]
// The same engine gives the same weights, bit for bit, with any number of threads.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { HeddleError, init } from 'heddle';
import { deadLeaves } from './dead-leaves.js';
import { mixed, packages, photographs } from './upscaler-data.js';
import { trainConv, trainMatnet } from './upscaler-recipe.js';

const { values } = parseArgs({
  options: {
    network: { type: 'string' }, out: { type: 'string', default: fileURLToPath(new URL('../bindings/super_resolution', import.meta.url)) },
    epochs: { type: 'string' }, threads: { type: 'string', default: '1' },
  },
});
await init({ threads: Number(values.threads) });
const { training, heldOut } = await photographs(), asked = values.epochs ? { epochs: Number(values.epochs) } : {};

/** Sharp photographs first, then photographs shrunk in many ways, then drawings with them, more and more; at last one convolution more. */
async function conv() {
  const more = (await photographs(mixed)).training, drawings = [], again = { learningRate: 5e-4, loss: 'meanSquaredError' };
  for (let seed = 1; seed <= 48; seed++) drawings.push(await deadLeaves(seed));
  return trainConv([
    { training, options: asked }, { training: more, options: { ...again, epochs: 32, seed: 2, ...asked } },
    { training: [...more, ...drawings.slice(0, 16)], options: { ...again, epochs: 24, seed: 3, ...asked } },
    { training: [...more, ...drawings], options: { ...again, epochs: 26, seed: 4, ...asked } },
    { training: [...more, ...drawings], options: { ...again, filters: Array(6).fill(32), epochs: 200, seed: 5, ...asked } },
  ], heldOut);
}

const networks = {
  conv: { file: 'pretrained-x2.safetensors', train: conv },
  denoise: { file: 'pretrained-x2-denoise.safetensors', train: () => trainMatnet(training, heldOut, { mode: 'denoise', targets: 'all', ...asked }) },
  residual: { file: 'pretrained-x2-residual.safetensors', train: () => trainMatnet(training, heldOut, { mode: 'residual', ...asked }) },
};
const names = values.network === undefined ? Object.keys(networks) : [values.network], unknown = names.find((name) => !Object.hasOwn(networks, name));
if (unknown) throw new HeddleError('argument', `--network ${unknown}: expected one of ${Object.keys(networks).join(', ')}`);
for (const name of names) {
  const { file, train } = networks[name], { resolver, ...result } = await train(), path = join(values.out, file);
  await resolver.save(path, { about: {
    data: `the left 85 % of ${packages.join(', ')} (npm; public domain, CC0 1.0), shrunk to half at most${name === 'conv' ? '; drawings of examples/dead-leaves.js' : ''}`,
    script: 'examples/train-upscaler.js', heldOut: { of: 'the right 15 % of each at half its size', ...result },
  } });
  console.log(`${path}: ${resolver.model.parameters.toLocaleString('en')} parameters`);
  resolver.dispose();
}
