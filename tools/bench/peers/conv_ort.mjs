// ms of a prediction in ONNX Runtime Web on its WASM backend.
import * as ort from 'onnxruntime-web';
import { numbers, time } from '../kit.mjs';
import { convNets } from '../networks.mjs';
import { writeOnnx } from './onnx.mjs';
import { folderOf } from './place.mjs';

export async function run(given) {
  const net = convNets[given.net], [h, w, c] = net.shape;
  const { threads = 1 } = given;
  ort.env.wasm.numThreads = threads;
  if (globalThis.document) ort.env.wasm.wasmPaths = folderOf('onnxruntime-web/dist');
  const session = await ort.InferenceSession.create(writeOnnx(net), { executionProviders: ['wasm'] });
  if (ort.env.wasm.numThreads !== threads) throw new Error(`ONNX Runtime Web has ${ort.env.wasm.numThreads} threads, ${threads} were asked for`);
  const x = new ort.Tensor('float32', numbers(net.batch * h * w * c), [net.batch, c, h, w]);
  return { ms: await time(given, () => session.run({ x })) };
}
