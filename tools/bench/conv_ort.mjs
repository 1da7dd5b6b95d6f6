// One process: ms of a prediction in ONNX Runtime Web on its WASM backend, one thread.
import * as ort from 'onnxruntime-web';
import { convNets, numbers, time } from './conv_nets.mjs';
import { writeOnnx } from './onnx.mjs';

const { net: name, rounds } = JSON.parse(process.argv[2]), net = convNets[name], [h, w, c] = net.shape;
ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(writeOnnx(net), { executionProviders: ['wasm'] });
const x = new ort.Tensor('float32', numbers(net.batch * h * w * c), [net.batch, c, h, w]);
const ms = await time(rounds, () => session.run({ x }));
console.log(JSON.stringify({ ms }));
process.exit(0); // its workers would keep the process alive
