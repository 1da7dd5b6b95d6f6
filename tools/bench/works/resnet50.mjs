// ms and memory of ResNet-50 predictions at 224 with random weights, one picture at a time.
import { info, init } from '../../../bindings/index.js';
import { recipes } from '../../../bindings/recipes.js';
import { ended, engineOf, numbers, time } from '../kit.mjs';

export async function run(given) {
  await init(engineOf(given));
  const net = await recipes.resnet50({ inputShape: [224, 224, 3], seed: 1 }), data = numbers(224 * 224 * 3);
  const ms = await time(given, () => net.predict({ data, shape: [1, 224, 224, 3] }));
  return { ms, ...ended(info(), given) };
}
