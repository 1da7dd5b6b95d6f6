// One process: ms from import to the first prediction of a 784-128-10 net.
const start = performance.now();
const { layers, sequential } = await import('../../bindings/index.js');
const net = await sequential([
  layers.input({ shape: [784] }), layers.dense({ units: 128, activation: 'relu' }), layers.dense({ units: 10, activation: 'softmax' }),
], { seed: 1 });
await net.predict(new Float32Array(784));
console.log(JSON.stringify({ ms: [performance.now() - start] }));
