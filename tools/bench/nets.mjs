// The networks and data of the training benchmarks; the same for heddle and its peers.
export const rows = 12800, batchSize = 128;

/** Seeded bytes and labels: what is in them does not matter for speed, only that no pixel is special. */
export function pictures() {
  const data = new Uint8Array(rows * 784), labels = new Uint8Array(rows);
  let state = 1;
  for (let i = 0; i < data.length; i++) data[i] = (state = (state * 1664525 + 1013904223) >>> 0) >>> 24;
  for (let i = 0; i < rows; i++) labels[i] = i % 10;
  return { data, labels };
}

/** heddle's specs by name. */
export function specs({ layers, constraints }) {
  const kernelConstraint = constraints.unitNorm({ axis: 'row' });
  const matrix = (size) => layers.bilinear({ rows: size, cols: size, activation: 'sigmoid', kernelConstraint });
  const relu = () => layers.dense({ units: 512, activation: 'relu' }), softmax = () => layers.dense({ units: 10, activation: 'softmax' });
  return {
    matnet: { shape: [28, 28], layers: [layers.input({ shape: [28, 28] }), matrix(20), matrix(16), layers.flatten(), softmax()] },
    mlp: { shape: [784], layers: [layers.input({ shape: [784] }), relu(), relu(), softmax()] },
  };
}
