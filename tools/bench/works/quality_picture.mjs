// ms of one picture of 664 x 498 through all of a ResNet to the score of a judge of image quality, decoding and resizing aside.
import { info, init } from '../../../bindings/index.js';
import { qualityModel } from '../../../bindings/quality/index.js';
import { ended, engineOf, numbers, time } from '../kit.mjs';

export async function run(given) {
  const shape = [498, 664, 3];
  await init(engineOf(given));
  const judge = await qualityModel({ backbone: given.net, seed: 1 }), pixels = Uint8Array.from(numbers(shape.reduce((a, b) => a * b), 127), (v) => v + 128);
  const ms = await time(given, () => judge.network.predict({ data: pixels, shape: [1, ...shape] }, { output: 'main' }));
  return { ms, ...ended(info(), given) };
}
