// What is measured: the same for heddle and its peers. Convolutional networks are drawn with whatever draws them.
// A drawer has conv, maxPool, add, globalAverage, flatten, dropout, dense; shapes are NHWC or NCHW as it likes.

/** The CIFAR network of the ReDense thesis, with `same` padding and 3x3 pooling of stride 3. */
function cifar(d, x) {
  const conv = (from, filters) => d.conv(from, { filters, size: 3, pad: 1, relu: true });
  const pool = (from) => d.dropout(d.maxPool(from, { size: 3, stride: 3 }), 0.25);
  x = pool(conv(conv(x, 32), 32));
  x = pool(conv(conv(x, 64), 32));
  return d.dense(d.dropout(d.dense(d.flatten(x), { units: 512, relu: true }), 0.5), { units: 10 });
}

/** ConvNetJS's MNIST demo. */
function mnist(d, x) {
  x = d.maxPool(d.conv(x, { filters: 8, size: 5, pad: 2, relu: true }), { size: 2, stride: 2 });
  x = d.maxPool(d.conv(x, { filters: 16, size: 5, pad: 2, relu: true }), { size: 3, stride: 3 });
  return d.dense(d.flatten(x), { units: 10 });
}

/** ResNet-18 (He et al. 2016) as it runs: batch normalisation folded into the convolutions. */
function resnet18(d, x) {
  x = d.maxPool(d.conv(x, { filters: 64, size: 7, stride: 2, pad: 3, relu: true }), { size: 3, stride: 2, pad: 1 });
  for (const [stage, filters] of [64, 128, 256, 512].entries()) {
    for (const stride of [stage ? 2 : 1, 1]) {
      const inner = d.conv(x, { filters, size: 3, stride, pad: 1, relu: true }), outer = d.conv(inner, { filters, size: 3, pad: 1 });
      x = d.add(outer, stride === 2 ? d.conv(x, { filters, size: 1, stride }) : x);
    }
  }
  return d.dense(d.globalAverage(x), { units: 1000 });
}

export const convNets = {
  cifar: { shape: [32, 32, 3], classes: 10, batch: 128, draw: cifar },
  mnist: { shape: [28, 28, 1], classes: 10, batch: 128, draw: mnist },
  resnet18: { shape: [224, 224, 3], classes: 1000, batch: 1, draw: resnet18 },
};

/** Of the small networks' training data: an epoch takes a tenth to a quarter of a second. */
export const rows = { matnet: 12800, mlp: 3200 }, batchSize = 128;

/** Seeded bytes and labels: what is in them does not matter for speed, only that no pixel is special. */
export function pictures(count) {
  const data = new Uint8Array(count * 784), labels = new Uint8Array(count);
  let state = 1;
  for (let i = 0; i < data.length; i++) data[i] = (state = (state * 1664525 + 1013904223) >>> 0) >>> 24;
  for (let i = 0; i < count; i++) labels[i] = i % 10;
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

/** The ridge regression that heddle and others are timed with. */
export const ridgeSize = { samples: 10_000, features: 2000, outputs: 10 };

/** Sizes of linear algebra: n, and rows (syrk) or right sides (solve). @type {Record<string, [number, number?]>} */
export const linalgSizes = { gemm: [1024], syrk: [2000, 10_000], cholesky: [2000], solve: [1024, 10], qr: [1000], eigh: [1000], svd: [1000] };
