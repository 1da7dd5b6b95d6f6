// ms of a prediction in ONNX Runtime Web on its WASM backend, one thread.
import * as ort from 'onnxruntime-web';
import { numbers, time } from '../kit.mjs';
import { convNets } from '../networks.mjs';
import { writeOnnx } from './onnx.mjs';

export async function run(given) {
  const net = convNets[given.net], [h, w, c] = net.shape;
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(writeOnnx(net), { executionProviders: ['wasm'] });
  const x = new ort.Tensor('float32', numbers(net.batch * h * w * c), [net.batch, c, h, w]);
  return { ms: await time(given, () => session.run({ x })) };
}
