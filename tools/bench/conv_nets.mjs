// The convolutional networks of the benchmarks, drawn with whatever draws them: heddle or a peer.
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

/** Seeded numbers in [-1, 1). */
export function numbers(count, scale = 1) {
  const data = new Float32Array(count);
  let state = 1;
  for (let i = 0; i < count; i++) data[i] = scale * ((state = (state * 1664525 + 1013904223) >>> 0) / 2 ** 31 - 1);
  return data;
}

/** Times `rounds` calls after one to warm up: ms each. */
export async function time(rounds, work) {
  const ms = [];
  for (let round = 0; round <= rounds; round++) {
    const start = performance.now();
    await work();
    if (round > 0) ms.push(performance.now() - start);
  }
  return ms;
}
