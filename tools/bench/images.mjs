// One process: ms of work on pictures through the public API, from bytes to bytes.
//   node images.mjs '{"work": "bilinear", "engine": "heddle-mt-relaxed", "threads": 1, "rounds": 9}'
import { info, init } from '../../bindings/index.js';
import { distort, distortions, msSsim, resize, ssim } from '../../bindings/images/index.js';

const { work, engine, threads, rounds } = JSON.parse(process.argv[2]);
await init({ engine, threads });

const picture = (height, width) => ({ data: Uint8Array.from({ length: height * width * 3 }, (_, i) => (i * 7 + (i >> 9) * 13) % 251), shape: [height, width, 3] });
const camera = picture(500, 500), square = picture(512, 512), noisy = await distort(square, { kind: 'whiteNoise', level: 2 });
const works = {
  bilinear: () => resize(camera, { width: 664, height: 498 }),
  bicubic: () => resize(square, { scale: 2, method: 'bicubic' }),
  ssim: () => ssim(noisy, square),
  msSsim: () => msSsim(noisy, square),
  ...Object.fromEntries(distortions.map((kind) => [kind, () => distort(square, { kind, level: 3, seed: 1 })])),
};

const run = works[work], ms = [];
await run(); // warms up
for (let i = 0; i < rounds; i++) {
  const begin = performance.now(), result = await run();
  ms.push(performance.now() - begin);
  if (!(typeof result === 'number' ? result > 0 && result < 1 : result.data.length >= 500 * 500 * 3)) throw new Error(`no result: ${result}`);
}
if (info().threads > threads) throw new Error(`${info().threads} threads run, ${threads} were asked for`);
console.log(JSON.stringify({ ms }));
