// ms of super-resolution through the public API: enlarging a picture of 256 x 256 in colour, or training on 10,000 windows.
import { info, init } from '../../../bindings/index.js';
import { SuperResolver } from '../../../bindings/super_resolution/index.js';
import { ended, engineOf, numbers, time } from '../kit.mjs';

/** Waves with noise. */
const picture = (side, channels, seed) => ({ data: Uint8Array.from(numbers(side * side * channels, 20), (v, i) => 128 + 80 * Math.sin((i + seed) / (7 + seed)) + v), shape: [side, side, channels] });
const matnet = { network: 'matnet', targets: 'all', validationSplit: 0, seed: 1 };

/** A network with the weights it begins with. */
async function untrained(pictures) {
  const resolver = new SuperResolver();
  await resolver.fit(pictures, { ...matnet, patches: 100, epochs: 1 });
  return resolver;
}

async function enlarging(given, pictures) {
  const resolver = given.work === 'matnet' ? await untrained(pictures) : await SuperResolver.pretrained({ scale: 2 }), side = given.quick ? 32 : 256, small = picture(side, 3, 1);
  return time(given, async () => {
    const { data } = await resolver.upscale(small);
    if (data.length !== 4 * side * side * 3) throw new Error(`${data.length} bytes`);
  });
}

export async function run(given) {
  await init(engineOf(given));
  const pictures = Array.from({ length: given.quick ? 2 : 8 }, (_, i) => picture(given.quick ? 64 : 200, 1, i));
  const ms = given.work === 'training' ? await time(given, () => new SuperResolver().fit(pictures, { ...matnet, ...given.quick && { patches: 100, epochs: 1 } })) : await enlarging(given, pictures);
  return { ms, ...ended(info(), given, !given.quick) };
}
