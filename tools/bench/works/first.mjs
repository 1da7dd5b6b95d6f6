// ms from import to the first prediction of a 784-128-10 net.

/** @param {{ heddle?: string }} given where heddle lies, as this module's neighbour by default */
export async function run({ heddle = '../../../bindings/index.js' }) {
  const start = performance.now(), { layers, sequential } = await import(heddle);
  const net = await sequential([
    layers.input({ shape: [784] }), layers.dense({ units: 128, activation: 'relu' }), layers.dense({ units: 10, activation: 'softmax' }),
  ], { seed: 1 });
  await net.predict(new Float32Array(784));
  return { ms: [performance.now() - start] };
}
