/** The training run of tests/native/bits_test.c through the JavaScript API; in Node and in pages. */
import { constraints, layers, optimizers, regularizers, schedules, sequential } from '../../bindings/index.js';

const rows = 1000, side = 28, classes = 10;

/** splitmix32. @param {number} seed @returns {() => number} */
function words(seed) {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
}

/** Noise, brighter in the two rows of the label. */
export function bitsData() {
  const next = words(1), x = new Uint8Array(rows * side * side), y = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    y[row] = next() % classes;
    for (let i = 0; i < side * side; i++) {
      const bright = Math.floor(i / side / 2) === y[row] ? 60 : 0;
      x[row * side * side + i] = bright + next() % 190;
    }
  }
  return { x: { data: x, shape: [rows, side, side], scale: 1 / 64, offset: -2 }, y: { data: y, shape: [rows] } };
}

/** The compiled model. */
export async function bitsModel() {
  const kernelConstraint = constraints.unitNorm();
  const net = await sequential([
    layers.input({ shape: [side, side], name: 'x' }),
    layers.bilinear({ rows: 20, cols: 20, activation: 'sigmoid', name: 'a', kernelConstraint,
      activityRegularizer: regularizers.klSparsity({ rho: 0.3, beta: 0.001 }) }),
    layers.bilinear({ rows: 16, cols: 16, activation: 'tanh', name: 'b' }),
    layers.flatten({ name: 'flat' }),
    layers.dropout({ rate: 0.2, name: 'drop' }),
    layers.dense({ units: classes, activation: 'softmax', name: 'y', kernelRegularizer: regularizers.l2({ amount: 0.0001 }) }),
  ], { seed: 7 });
  await net.compile({
    optimizer: optimizers.adam({ learningRate: schedules.cosine({ initialLearningRate: 0.02 }) }), loss: 'sparseCategoricalCrossentropy',
  });
  return net;
}

/** FNV-1a, 32 bits, of all weights in order. @param {import('../../bindings/index.js').NamedTensors} weights @returns {number} */
export function digestOf(weights) {
  let digest = 0x811c9dc5;
  for (const { data } of Object.values(weights)) {
    for (const byte of new Uint8Array(data.buffer, data.byteOffset, data.byteLength)) digest = Math.imul(digest ^ byte, 0x01000193);
  }
  return digest >>> 0;
}

/** Three epochs. @returns {Promise<{ digest: number, loss: number }>} loss: of the third epoch */
export async function bitsRun() {
  const net = await bitsModel(), { x, y } = bitsData();
  try {
    const { history } = await net.fit(x, y, { epochs: 3, batchSize: 256, seed: 5 });
    return { digest: digestOf(await net.getWeights()), loss: /** @type {number} */ (history.loss[2]) };
  } finally {
    net.dispose();
  }
}
