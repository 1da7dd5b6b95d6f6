/** Joint training on several data sets: the common scale, tuples, files, stopping, refusals. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { sequential, layers } from '../../bindings/index.js';
import { certificate, loadMixedDatasetModel, mixedDatasetModel, plcc, srocc } from '../../bindings/quality/index.js';
import { epochLength, packTuples, readSets, tupleBatches } from '../../bindings/quality/tuples.js';
import { close, fresh, numbers, refuses } from './modelkit.js';

before(() => fresh());

/** Images with 4 features that hold a latent quality of -1..1, rated by y = curve(quality). */
function rated(rows, seed, curve) {
  const u = numbers(rows * 4, seed), x = new Float32Array(rows * 4), y = new Float64Array(rows), latent = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    latent[i] = 2 * u[4 * i] - 1;
    for (let k = 0; k < 4; k++) x[4 * i + k] = [1, -0.5, 0.3, 0][k] * latent[i] + 0.3 * (k ? 2 * u[4 * i + k] - 1 : 0);
    y[i] = curve(latent[i]);
  }
  return { latent, set: { x: { data: x, shape: [rows, 4] }, y } };
}

const sets = () => [rated(300, 1, q => Math.exp(3 * q)), rated(200, 2, q => 10 * q + 3)];
const unknown = () => rated(250, 3, q => q);
const options = { hidden: [16], activation: 'mixed', seed: 4 };

test('two scales, one quality: joint training ranks unknown images, one shared linear head does not fit both', async () => {
  const [a, b] = sets(), test = unknown(), judge = mixedDatasetModel(options);
  assert.equal(await judge.fit([a.set, b.set], { epochs: 40, learningRate: 0.01 }), judge);
  const q = await judge.predict(test.set.x);
  assert.deepEqual(q.shape, [250, 1]);
  const rank = await srocc(q, test.latent);
  assert.ok(rank > 0.99, `SROCC ${rank}`);
  const both = [...(await judge.predict(a.set.x)).data, ...(await judge.predict(b.set.x)).data], mean = both.reduce((sum, v) => sum + v, 0) / both.length;
  assert.ok(Math.abs(mean) < 0.2, `mean ${mean} of the common scale`);
  for (const [i, { set, latent }] of [a, b].entries()) {
    const y = await judge.transform(set.x, i), spread = Math.max(...set.y) - Math.min(...set.y);
    const error = Math.sqrt(y.data.reduce((sum, v, k) => sum + (v - set.y[k]) ** 2, 0) / set.y.length);
    assert.ok(error < 0.05 * spread, `set ${i}: RMSE ${error} of ratings over ${spread}`);
    assert.ok(await srocc(y, latent) > 0.99);
    const transformer = await judge.transformer(i), { minimum, float32 } = await certificate(transformer, { min: -2, max: 2 });
    assert.ok(minimum > 0 && float32.drops === 0);
  }
  const linear = await sequential([layers.dense({ units: 16, activation: 'relu', inputShape: [4] }), layers.dense({ units: 1 })], { seed: 1 });
  await linear.compile({ optimizer: { optimizer: 'adam', options: { learningRate: 0.01 } }, loss: 'meanSquaredError' });
  await linear.fit({ data: Float32Array.of(...a.set.x.data, ...b.set.x.data), shape: [500, 4] }, Float32Array.of(...a.set.y, ...b.set.y), { epochs: 60 });
  const common = await linear.predict(b.set.x), error = Math.sqrt(common.data.reduce((sum, v, k) => sum + (v - b.set.y[k]) ** 2, 0) / 200);
  assert.ok(error > 1, `a single head fits the second set to ${error} of a range of 20`);
  judge.dispose();
});

test('a single set is a data set like any', async () => {
  const [, { set, latent }] = sets(), judge = mixedDatasetModel({ ...options, standardize: false });
  await judge.fit([set], { epochs: 20, learningRate: 0.01 });
  assert.ok(await srocc(await judge.predict(set.x), latent) > 0.98);
  assert.ok(await plcc(await judge.transform(set.x, 0), set.y) > 0.98);
  for (const { loss, losses } of judge.report.epochs) assert.ok(losses.length === 1 && losses[0] > 0 && losses[0] < loss, `${losses} of ${loss}`);
  await judge.fit([set], { epochs: 1, normInNorm: 0 });
  assert.deepEqual(judge.report.epochs[0].losses, [judge.report.epochs[0].loss]);
});

test('saved and loaded, it predicts the same bits; training goes on', async () => {
  const [a, b] = sets(), judge = mixedDatasetModel(options), { set: { x } } = unknown();
  await judge.fit([a.set, b.set], { epochs: 2, normInNorm: 0 });
  const again = await loadMixedDatasetModel(await judge.save('bytes'));
  assert.deepEqual(await again.predict(x), await judge.predict(x));
  assert.deepEqual(await again.transform(x, 1), await judge.transform(x, 1));
  assert.equal(again.sets, 2);
  await again.fit([a.set, b.set], { epochs: 1 });
  assert.notDeepEqual(await again.predict(x), await judge.predict(x));
  const other = await sequential([layers.dense({ units: 1, inputShape: [1] })]);
  await refuses(async () => loadMixedDatasetModel(await other.save('bytes')), 'file', /holds another model/);
});

test('the best epoch on validation gives the weights; progress, report', async () => {
  const [a, b] = sets(), judge = mixedDatasetModel(options), steps = [], epochs = [];
  const validation = [rated(80, 7, q => Math.exp(3 * q)), rated(60, 8, q => 10 * q + 3)];
  await judge.fit([a.set, b.set], {
    epochs: 4, batchSize: 64, learningRate: 0.01, validationData: validation.map(({ set }) => set),
    onProgress: progress => steps.push(progress), onEpochEnd: (epoch, log) => { epochs.push([epoch, log]); },
  });
  assert.equal(steps.length, 4 * 5);
  assert.ok(steps.every(({ epoch, batches, loss }, i) => epoch === Math.floor(i / 5) && batches === 5 && loss > 0));
  const { report } = judge;
  assert.deepEqual(report.epochs, epochs.map(([, log]) => log));
  const scores = report.epochs.map(({ validation: { weighted } }) => weighted);
  assert.equal(report.bestEpoch, scores.indexOf(Math.max(...scores)));
  const own = [];
  for (const { set } of validation) own.push(await srocc(await judge.predict(set.x), set.y));
  assert.equal(0.6 * own[0] + 0.4 * own[1], scores[report.bestEpoch], 'weights of the best epoch');
  assert.ok(report.epochs.every(({ losses }) => losses.length === 2 && losses.every(loss => loss > 0)));
});

test('the same seed gives the same bits; aborting rejects with AbortError', async () => {
  const [a, b] = sets(), { set: { x } } = unknown(), results = [];
  for (let i = 0; i < 2; i++) {
    const judge = mixedDatasetModel(options);
    await judge.fit([a.set, b.set], { epochs: 2 });
    results.push((await judge.predict(x)).data);
  }
  assert.deepEqual(results[0], results[1]);
  const judge = mixedDatasetModel(options), controller = new AbortController();
  const fit = judge.fit([a.set, b.set], { epochs: 1000, signal: controller.signal, onProgress: ({ batch }) => { if (batch === 2) controller.abort(); } });
  await assert.rejects(fit, { name: 'AbortError' });
  await judge.fit([a.set, b.set], { epochs: 1 });
});

test('tuples: every image of the largest set once an epoch, smaller sets begin again', () => {
  const read = readSets([{ x: [[0], [1], [2], [3], [4]], y: [0, 1, 2, 3, 4] }, { x: [[10], [11]], y: [5, 6] }], 0, 'sets');
  assert.equal(epochLength(read), 5);
  const labels = read.map(({ ratings }) => Float32Array.from(ratings)), orders = [];
  for (let epoch = 0; epoch < 4; epoch++) {
    const batches = [...tupleBatches(read, labels, { batchSize: 2, seed: 1, epoch })];
    assert.deepEqual(batches.map(({ x }) => x.shape), [[2, 2, 1], [2, 2, 1], [1, 2, 1]]);
    const values = batches.flatMap(({ x }) => [...x.data]), first = values.filter((_, i) => i % 2 === 0), second = values.filter((_, i) => i % 2);
    assert.deepEqual([...first].sort(), [0, 1, 2, 3, 4]);
    assert.deepEqual(second.map(v => second.indexOf(v)), [0, 1, 0, 1, 0]);
    assert.deepEqual(batches.flatMap(({ y }) => [...y[0].data]), first);
    assert.deepEqual(batches.flatMap(({ y }) => [...y[1].data]), second.map(v => v - 5));
    orders.push(first.join());
  }
  assert.ok(new Set(orders).size > 2, 'a new order in every epoch');
  assert.deepEqual(packTuples({ rows: 3, size: 1, data: Float32Array.of(1, 2, 3) }, 2), { data: Float32Array.of(1, 2, 3, 0), shape: [2, 2, 1] });
});

test('what does not fit is refused', async () => {
  const judge = mixedDatasetModel(options), [a, b] = sets(), x = [[1, 2], [3, 4]];
  await refuses(() => judge.predict(x), 'state', /predict: call fit first/);
  await refuses(() => judge.fit([]), 'argument', /fit: sets: expected a list of \{ x, y \}/);
  await refuses(() => judge.fit([{ x, y: [1] }]), 'shape', /sets\[0\]: 2 images in x, but 1 ratings/);
  await refuses(() => judge.fit([{ x, y: [1, NaN] }]), 'argument', /sets\[0\].*NaN/);
  await refuses(() => judge.fit([{ x, y: [2, 2] }]), 'argument', /sets\[0\]\.y: all ratings are 2/);
  await refuses(() => judge.fit([{ x, y: [1, 2] }, { x: [[1]], y: [1] }]), 'shape', /sets\[1\]\.x: 1 features an image, expected 2/);
  await refuses(() => judge.fit([{ x: [[1, Infinity], [1, 2]], y: [1, 2] }]), 'argument', /row 0, feature 1 = Infinity/);
  await refuses(() => judge.fit([a.set], { validationData: [a.set, b.set] }), 'argument', /2 validation sets for 1 sets/);
  await refuses(() => judge.fit([a.set, b.set], { normInNorm: -1 }), 'argument', /normInNorm = -1/);
  await refuses(() => judge.fit([a.set, b.set], { epoch: 1 }), 'argument', /epochs/);
  await refuses(() => mixedDatasetModel({ width: [3] }), 'argument', /widths/);
  await judge.fit([a.set, b.set], { epochs: 1 });
  await refuses(() => judge.predict([[1]]), 'shape', /1 features an image, expected 4/);
  await refuses(() => judge.transform(a.set.x, 2), 'argument', /set = 2, expected 0\.\.1/);
  assert.ok(await plcc(await judge.predict(a.set.x), a.latent) !== 0);
});
