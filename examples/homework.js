// Identities of convolutional networks, as a tour: convolutions that difference, average and take the gray out of colours, max
// pooling and activations that change places, and logistic regression with squared errors. Each line says what is equal.
import { init, layers, sequential } from 'heddle';

await init({ deterministic: true, threads: 1 }); // the same bits everywhere
const show = (values) => `[${Array.from(values, (v) => +v.toFixed(4)).join(', ')}]`;
let wrong = 0;

/** @param {string} text @param {ArrayLike<number>} a @param {ArrayLike<number>} b @param {number} [tolerance] 0: the same bits */
function same(text, a, b, tolerance = 0) {
  const error = Math.max(...Array.from(a, (v, i) => Math.abs(v - b[i])));
  const right = a.length === b.length && error <= tolerance;
  wrong += right ? 0 : 1;
  console.log(`${right ? 'equal' : 'WRONG'}  ${text}${tolerance ? ` (difference ${error.toExponential(1)})` : ' (bit for bit)'}`);
}

/** What layers make of one image. @param {any[]} stack @param {number[]} shape @param {number[]} x @param {Record<string, any>} [weights] */
async function run(stack, shape, x, weights) {
  const net = await sequential([layers.input({ shape }), ...stack]);
  if (weights) await net.setWeights(weights);
  const { data } = await net.predict({ data: Float32Array.from(x), shape: [1, ...shape] });
  net.dispose();
  return data;
}
const kernel = (shape, data) => ({ 'conv2d/kernel': { data: Float32Array.from(data), shape } });
const wave = (n, scale) => Array.from({ length: n }, (_, i) => scale * Math.sin(3 * i + 1)); // a picture of numbers

// 1. Finite differences: w = -1 in the middle and 1 below it (or to the right). Outside the image there are zeros.
{
  const X = [1, 2, 3, 4];
  const w = kernel([2, 3, 3, 1], [0, 0, 0, 0, -1, 0, 0, 1, 0, /**/ 0, 0, 0, 0, -1, 1, 0, 0, 0]);
  const y = await run([layers.conv2d({ filters: 2, kernelSize: 3, padding: 'same', useBias: false })], [2, 2, 1], X, w);
  const down = y.filter((_, i) => i % 2 === 0), right = y.filter((_, i) => i % 2 === 1);
  console.log(`1. finite differences of ${show(X)} as a 2 x 2 image: down ${show(down)}, right ${show(right)}`);
  same('convolution with [-1; 1] is X[i+1, j] - X[i, j]', down, [2, 2, -3, -4]);
  same('convolution with [-1, 1] is X[i, j+1] - X[i, j]', right, [1, -2, 1, -4]);
}

// 2. Average pooling k x k is a convolution of each channel with 1 / k^2, with stride k. The rest of 7 x 5 is dropped by both.
{
  const C = 3, x = wave(7 * 5 * C, 2), w = kernel([C, 2, 2, 1], Array(4 * C).fill(1 / 4));
  const pooled = await run([layers.avgPool2d({ poolSize: 2 })], [7, 5, C], x);
  const convolved = await run([layers.conv2d({ filters: C, kernelSize: 2, strides: 2, groups: C, useBias: false })], [7, 5, C], x, w);
  console.log(`2. average pooling: ${show(pooled.subarray(0, 3))} .., as a depthwise convolution ${show(convolved.subarray(0, 3))} ..`);
  same('average pooling is a depthwise convolution', pooled, convolved, 1e-6);
}

// 3. RGB to gray is a 1 x 1 convolution with the weights of ITU-R BT.601, which sum to 1.
{
  const w = kernel([1, 1, 1, 3], [0.299, 0.587, 0.114]);
  const gray = await run([layers.conv2d({ filters: 1, kernelSize: 1, useBias: false })], [1, 2, 3], [255, 0, 0, 100, 100, 100], w);
  console.log(`3. gray of red (255, 0, 0) and of (100, 100, 100): ${show(gray)}`);
  same('gray of red is 0.299 * 255 = 76.245, gray stays gray', gray, [76.245, 100], 1e-4);
}

// 4. Max pooling changes places with every activation that does not decrease (heddle pools first: fewer values to activate).
// Averages do not. Each function runs by itself here.
{
  const pool = layers.maxPool2d({ poolSize: 2 }), x = wave(6 * 6 * 2, 12).map((v) => v - 5);
  const pooled = await run([pool], [6, 6, 2], x);
  console.log(`4. max pooling of 6 x 6 x 2 numbers: ${show(pooled.subarray(0, 5))} ..`);
  for (const activation of ['relu', 'leakyRelu', 'relu6', 'sigmoid', 'tanh', 'elu', 'softplus']) {
    const act = layers.activation({ activation });
    const first = await run([act], [3, 3, 2], pooled), last = await run([pool], [6, 6, 2], await run([act], [6, 6, 2], x));
    same(`${activation}(maxPool(X)) is maxPool(${activation}(X)): ${show(first.subarray(0, 5))} ..`, first, last);
  }
  const four = [-1, 3, -5, 2], relu = layers.activation({ activation: 'relu' }), average = layers.avgPool2d();
  const [first] = await run([average, relu], [2, 2, 1], four), [last] = await run([relu, average], [2, 2, 1], four);
  console.log(`but relu(avgPool(X)) = ${first}, avgPool(relu(X)) = ${last} for X = ${show(four)}`);
  wrong += first === 0 && last === 1.25 ? 0 : 1;
}

// 5. Logistic regression with squared errors: sum of (p - t)^2 over both classes is 2 sigmoid(-y z)^2 for labels y = -1, 1.
{
  const net = await sequential([layers.input({ shape: [1] }), layers.dense({ units: 1 })]);
  await net.compile({ optimizer: 'sgd', loss: 'logisticMse' });
  console.log('5. logistic regression: z = a x + b, loss 2 sigmoid(-y z)^2, dl/dz = -4 y sigmoid(-y z)^2 sigmoid(y z)');
  const sigmoid = (t) => 1 / (1 + Math.exp(-t));
  for (const [z, y] of [[0, 1], [2, 1], [-2, 1], [2, -1], [10000, -1]]) {
    await net.setWeights({ 'dense/kernel': { data: Float32Array.of(0), shape: [1, 1] }, 'dense/bias': { data: Float32Array.of(z), shape: [1] } });
    const { loss, gradients } = await net.gradients([[0]], [[y]]), s = sigmoid(-y * z), [slope] = gradients['dense/bias'].data;
    same(`z = ${z}, y = ${y}: loss ${+loss.toFixed(7)}, dl/dz ${+slope.toFixed(7)}`, [loss, slope], [2 * s * s, -4 * y * s * s * sigmoid(y * z)], 1e-6);
  }
  net.dispose();
}
console.log(wrong ? `${wrong} identities do not hold` : 'all identities hold');
process.exitCode = wrong ? 1 : 0;
