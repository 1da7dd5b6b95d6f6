// One process: training loss on 10,000 digits by L-BFGS, and by Adam (batch 100) at the best of three rates, in the same time.
import { init, layers, optimizers, sequential } from '../../bindings/index.js';
import { mnist } from '../../examples/mnist-data.js';

const { engine, threads, seconds } = JSON.parse(process.argv[2]);
await init({ engine, threads });
const { x, y } = await mnist('train', 10000);
const losses = {};
const adam = (learningRate) => ['adam', optimizers.adam({ learningRate }), 100];
for (const [name, optimizer, batchSize] of [['lbfgs', optimizers.lbfgs({ history: 20 }), 1000], adam(0.001), adam(0.003), adam(0.01)]) {
  const net = await sequential([
    layers.input({ shape: [28, 28] }), layers.bilinear({ rows: 20, cols: 20, activation: 'sigmoid' }),
    layers.bilinear({ rows: 16, cols: 16, activation: 'sigmoid' }), layers.flatten(), layers.dense({ units: 10, activation: 'softmax' }),
  ], { seed: 3 });
  await net.compile({ optimizer, loss: 'sparseCategoricalCrossentropy' });
  const set = await net.dataset(x, y), stop = new AbortController(), timer = setTimeout(() => stop.abort(), seconds * 1000);
  await net.fit(set, { epochs: 100000, batchSize, seed: 1, signal: stop.signal }).catch((error) => { if (error.name !== 'AbortError') throw error; });
  clearTimeout(timer);
  losses[name] = Math.min(losses[name] ?? Infinity, (await net.evaluate(set)).loss);
  net.dispose();
}
console.log(JSON.stringify(losses));
