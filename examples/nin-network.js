// Encoders and heads of the Norm-in-Norm paper on features of two levels, trained with any of its losses: shared by nin-convergence and nin-pq.
import { apply, input, layers, losses, model, optimizers, schedules } from 'heddle';
import { mapping, plcc, split, srocc, statistics } from 'heddle/quality';

const auxiliary = 0.1;
const norm = (options) => layers.batchNorm({ convention: 'pytorch', momentum: 0.1, epsilon: 1e-5, ...options });

/** Dense and batch norm for each of the encoder's layers and each level, ReLU after the last, as in the paper's program; a head a level and one on both.
 * @param {number[]} sizes of the levels @param {{ normalizeEnd?: boolean, encoder: number[], seed: number }} options */
async function network(sizes, { normalizeEnd, encoder, seed }) {
  const uniform = { kernelInitializer: 'lecun' }, inputs = sizes.map((size) => input({ shape: [size] }));
  const encoded = inputs.map((x) => apply(layers.activation({ activation: 'relu' }), encoder.reduce((y, units) => apply(norm({}), apply(layers.dense({ units, ...uniform }), y)), x)));
  const heads = [...encoded, apply(layers.concat(), encoded)].map((x) => apply(layers.dense({ units: 1, ...uniform }), x));
  return model({ inputs, outputs: normalizeEnd ? heads.map((x) => apply(norm({}), x)) : heads, seed });
}

/** What is trained: the paper's names for its losses. */
export const methods = {
  'MAE': { loss: 'meanAbsoluteError' }, 'MSE': { loss: 'meanSquaredError' }, 'bnMSE': { loss: 'meanSquaredError', normalizeEnd: true },
  'Norm-in-Norm': { loss: losses.normInNorm() },
};

/** Chosen on validation parts, see nin-convergence: the paper has [1024, 256, 64], batch 8 and rate 1e-4, for ten times as many pictures. */
export const chosen = { encoder: '256,64', epochs: '60', batch: '32' };

const cut = (columns, rows) => columns.map(({ data, shape: [, width] }) => (
  { data: Float32Array.from({ length: rows.length * width }, (_, i) => data[rows[Math.floor(i / width)] * width + i % width]), shape: [rows.length, width] }));

/** One column of features a level. @param {Float32Array[][]} features of each picture */
export const columnsOf = (features) => features[0].map(({ length }, k) => (
  { data: Float32Array.from(features.flatMap((row) => [...row[k]])), shape: [features.length, length] }));

/** 80 % of the pictures to train, the rest to test; for validation the same of the training part, which leaves the test part alone.
 * @param {string[]} images @param {number} seed @param {boolean} [validation] @returns {{ train: number[], test: number[] }} */
export function parts(images, seed, validation) {
  const { train, test } = split({ images }, { train: 0.8, seed });
  if (!validation) return { train: [...train], test: [...test] };
  const inner = split({ images: Array.from(train, (i) => images[i]) }, { train: 0.8, seed: seed + 1000 });
  return { train: Array.from(inner.train, (i) => train[i]), test: Array.from(inner.test, (i) => train[i]) };
}

/**
 * Trains on one part of the pictures and tests on another.
 * @param {{ images: string[], scores: Float64Array, columns: ReturnType<typeof columnsOf> }} set
 * @param {{ loss: any, normalizeEnd?: boolean }} method
 * @param {{ epochs: number, batchSize: number, rate: number, encoder: number[], seed: number, everyEpoch?: boolean, validation?: boolean }} options
 * @returns statistics of the test part at the end, its scores mapped by the line that fits the training part; logistic: PLCC after the logistic of
 *   four parameters that fits the test part, which is this field's custom (VQEG); with everyEpoch, how well scores and ratings of the test part agreed
 *   after each epoch
 */
export async function trainHeads({ images, scores, columns }, { loss, normalizeEnd }, { epochs, batchSize, rate, encoder, seed, everyEpoch, validation }) {
  const { train, test } = parts(images, seed, validation), pick = (rows) => [cut(columns, rows), Float32Array.from(rows, (i) => scores[i])];
  const whole = train.length % batchSize === 1 ? train.slice(1) : train, [x, y] = pick(whole), [xTest, yTest] = pick(test); // batch norm of one row says nothing
  const net = await network(columns.map(({ shape }) => shape[1]), { normalizeEnd, encoder, seed });
  const learningRate = schedules.step({ initialLearningRate: rate, every: epochs / 3 });
  await net.compile({ optimizer: optimizers.adam({ learningRate, epsilon: 1e-8 }), loss: [loss, loss, loss], lossWeights: [auxiliary, auxiliary, 1] });
  const main = net.outputs[2].name, predict = (rows) => net.predict(rows, { output: main }), curve = [];
  await net.fit(x, [y, y, y], { epochs, batchSize, seed, async onEpochEnd() {
    if (!everyEpoch) return;
    const q = await predict(xTest);
    curve.push({ plcc: await plcc(q, yTest), srocc: await srocc(q, yTest) });
  } });
  const line = await mapping.linear(await predict(x), y), q = line.apply(await predict(xTest)), result = await statistics(q, yTest, { resamples: 0 });
  net.dispose();
  return { ...result, logistic: await plcc((await mapping.logistic4(q, yTest)).apply(q), yTest), curve };
}

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b), half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};
