// A program of somebody who installed heddle: imports by the package's name, trains twice, leaves what it saw in `result`.
import { info, layers, optimizers, sequential } from 'heddle';
import { Ridge } from 'heddle/estimators';

const net = await sequential([layers.input({ shape: [4] }), layers.dense({ units: 8, activation: 'relu' }), layers.dense({ units: 1 })], { seed: 1 });
await net.compile({ optimizer: optimizers.adam({ learningRate: 0.01 }), loss: 'meanSquaredError' });
const data = Float32Array.from({ length: 400 }, (_, i) => Math.sin(i * i)), y = Float32Array.from({ length: 100 }, (_, i) => data[4 * i] - data[4 * i + 1]);
const x = { data, shape: [100, 4] }, { loss } = (await net.fit(x, y, { epochs: 20, seed: 1 })).history;
const ridge = await new Ridge({ alpha: 1e-6 }).fit(x, y);
globalThis.result = { first: loss[0], last: loss.at(-1), r2: await ridge.score(x, y), ...info() };
net.dispose();
