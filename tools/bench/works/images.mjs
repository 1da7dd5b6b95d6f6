// ms of work on pictures through the public API, from bytes to bytes.
import { info, init } from '../../../bindings/index.js';
import { distort, distortions, msSsim, resize, ssim } from '../../../bindings/images/index.js';
import { ended, engineOf, time } from '../kit.mjs';

const picture = (height, width) => ({ data: Uint8Array.from({ length: height * width * 3 }, (_, i) => (i * 7 + (i >> 9) * 13) % 251), shape: [height, width, 3] });

export async function run(given) {
  await init(engineOf(given));
  const camera = picture(500, 500), square = picture(512, 512), noisy = await distort(square, { kind: 'whiteNoise', level: 2 });
  const works = {
    bilinear: () => resize(camera, { width: 664, height: 498 }),
    bicubic: () => resize(square, { scale: 2, method: 'bicubic' }),
    ssim: () => ssim(noisy, square),
    msSsim: () => msSsim(noisy, square),
    ...Object.fromEntries(distortions.map((kind) => [kind, () => distort(square, { kind, level: 3, seed: 1 })])),
  };
  const ms = await time(given, async () => {
    const result = await works[given.work]();
    if (!(typeof result === 'number' ? result > 0 && result < 1 : result.data.length >= 500 * 500 * 3)) throw new Error(`no result: ${result}`);
  });
  return { ms, ...ended(info(), given, false) };
}
