// Million scores a second through the monotonic transformer of the default widths, public API, arrays to arrays.
import { info, init } from '../../../bindings/index.js';
import { monotonicTransformer } from '../../../bindings/quality/index.js';
import { ended, engineOf, time } from '../kit.mjs';

export async function run(given) {
  const scores = given.quick ? 1 << 12 : 1 << 20;
  await init(engineOf(given));
  const model = await monotonicTransformer({ activation: given.activation, seed: 1 }), set = await model.dataset(Float32Array.from({ length: scores }, (_, i) => 6 * i / scores - 3));
  const ms = await time(given, async () => {
    const { data } = await model.predict(set, { batchSize: 2048 });
    if (!(data[0] < data[scores - 1])) throw new Error(`no result: ${data[0]} and ${data[scores - 1]}`);
  });
  return { ms, scores, ...ended(info(), given, false) };
}
