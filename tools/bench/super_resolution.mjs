// One process: ms of super-resolution through the public API: enlarging a picture of 256 x 256 in colour, or training on 10,000 windows.
//   node super_resolution.mjs '{"work": "matnet", "engine": "heddle-mt-relaxed", "threads": 1, "rounds": 5}'
import { info, init } from '../../bindings/index.js';
import { SuperResolver } from '../../bindings/super_resolution/index.js';
import { numbers, time } from './conv_nets.mjs';

const { work, engine, threads, rounds } = JSON.parse(process.argv[2]);
await init({ engine, threads });

/** Waves with noise. */
const picture = (side, channels, seed) => ({ data: Uint8Array.from(numbers(side * side * channels, 20), (v, i) => 128 + 80 * Math.sin((i + seed) / (7 + seed)) + v), shape: [side, side, channels] });
const pictures = Array.from({ length: 8 }, (_, i) => picture(200, 1, i)), matnet = { network: 'matnet', targets: 'all', validationSplit: 0, seed: 1 };

/** A network with the weights it begins with. */
async function untrained() {
  const resolver = new SuperResolver();
  await resolver.fit(pictures, { ...matnet, patches: 100, epochs: 1 });
  return resolver;
}

let ms;
if (work === 'training') {
  ms = await time(rounds, () => new SuperResolver().fit(pictures, matnet));
} else {
  const resolver = work === 'matnet' ? await untrained() : await SuperResolver.pretrained({ scale: 2 }), small = picture(256, 3, 1);
  ms = await time(rounds, async () => {
    const { data } = await resolver.upscale(small);
    if (data.length !== 512 * 512 * 3) throw new Error(`${data.length} bytes`);
  });
}
if (info().threads !== threads) throw new Error(`${info().threads} threads run, ${threads} were asked for`);
console.log(JSON.stringify({ ms, memory: info().memory }));
