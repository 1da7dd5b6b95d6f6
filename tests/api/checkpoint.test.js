// A fit that is interrupted after any batch goes on, with another model or engine, to the same bits: weights, history, logs.
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { checkpointInfo } from '../../bindings/checkpoints/index.js';
import { layers, optimizers, schedules, sequential, trainingControl } from '../../bindings/index.js';
import { bits, fresh, labelled } from './modelkit.js';

const folder = mkdtempSync(join(tmpdir(), 'heddle-'));
after(() => rmSync(folder, { recursive: true }));
let count = 0;
const newStore = () => join(folder, `run${count++}`);

const rows = 40, { x, y } = labelled(rows, 4, 3), cosine = schedules.cosine({ initialLearningRate: 0.02 });
const arrays = () => [x, y];

/** Dropout, batch normalisation, an activity regulariser, a confusion matrix. */
async function network(optimizer = optimizers.adam({ learningRate: cosine }), isFull = false) {
  const net = await sequential([
    layers.input({ shape: [4] }), layers.dense({ units: 6, activation: 'sigmoid', activityRegularizer: 'klSparsity' }),
    ...isFull ? [] : [layers.batchNorm(), layers.dropout({ rate: 0.3 })], layers.dense({ units: 3, activation: 'softmax' }),
  ], { seed: 3 });
  await net.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy', 'confusionMatrix'] });
  return net;
}

const plain = ({ samplesPerSecond: _, secondsLeft: __, ...log }) => log; // without what depends on the clock
const figures = ({ history, epoch, stopped }) => ({ history, epoch, stopped });

/** @param {object} net @param {() => unknown[]} data @param {object} options @param {(log: object) => void} onLog of batches and epochs */
const fit = (net, data, options, onLog) => net.fit(...data(), {
  ...options, onBatchEnd: (_, log) => onLog(plain(log)),
  onEpochEnd: async (epoch, log) => {
    onLog(plain(log));
    await options.onEpochEnd?.(epoch, log);
  },
});

/** A whole fit, written after every batch; then from each of these checkpoints another one. */
async function fromEveryCheckpoint({ data = arrays, options, model = network, checkpoints, every = { everyBatches: 1 } }) {
  const logs = [], seen = [], saved = [], whole = await model(), store = newStore();
  const history = await fit(whole, data, options(), log => logs.push(log)), expected = await bits(whole);
  const watched = await model();
  await fit(watched, data, {
    ...options(), checkpoint: { store, ...every }, onEvent: ({ type }) => {
      assert.equal(type, 'checkpoint');
      const copy = newStore();
      for (const end of ['.a', '.b']) if (existsSync(store + end)) copyFileSync(store + end, copy + end);
      saved.push(copy);
    },
  }, log => seen.push(log));
  assert.deepEqual(seen, logs); // to be written changes nothing
  assert.deepEqual(await bits(watched), expected);
  assert.equal(saved.length, checkpoints);
  assert.deepEqual(readdirSync(folder).filter(name => name.startsWith(`${store.slice(folder.length + 1)}.`)), []);
  for (const copy of saved) {
    const { epoch, batch, history: { seconds } } = await checkpointInfo(copy), left = [], net = await model();
    const rest = await fit(net, data, { ...options(), checkpoint: copy }, log => left.push(log));
    const first = logs.findIndex(log => log.epoch === epoch && (log.type === 'epoch' || log.batch >= batch));
    assert.deepEqual(left, logs.slice(first), `from epoch ${epoch}, batch ${batch}`);
    assert.deepEqual(figures(rest), figures(history));
    assert.deepEqual(await bits(net), expected);
    assert.ok(rest.seconds >= seconds && (seconds > 0 || epoch + batch === 0));
    assert.deepEqual(rest.events.map(({ type }) => type), ['resumed']);
    assert.equal(await checkpointInfo(copy), null);
    net.dispose();
  }
  whole.dispose();
  watched.dispose();
}

/** A whole fit; then one that is aborted at each of its logs, and gone on with. */
async function afterEveryAbort({ data = arrays, options, model = network }) {
  const logs = [], whole = await model(), history = await fit(whole, data, options(), log => logs.push(log)), expected = await bits(whole);
  for (let stop = 1; stop <= logs.length; stop++) {
    const checkpoint = newStore(), controller = new AbortController(), seen = [], first = await model(), second = await model();
    await assert.rejects(fit(first, data, { ...options(), checkpoint, signal: controller.signal }, log => {
      seen.push(log);
      if (seen.length === stop) controller.abort();
    }), { name: 'AbortError' });
    const rest = await fit(second, data, { ...options(), checkpoint }, log => seen.push(log));
    assert.deepEqual(seen, logs, `aborted at log ${stop}`);
    assert.deepEqual([figures(rest), await bits(second)], [figures(history), expected]);
    first.dispose();
    second.dispose();
  }
  whole.dispose();
  return [logs.length, history.stopped];
}

const early = { monitor: 'val_loss', patience: 2, restoreBestWeights: true, minDelta: 0.02 };

test('from every batch: shuffled, a last partial batch, dropout, batch norm, schedule, validation, confusion matrix', async () => {
  await fresh();
  await fromEveryCheckpoint({ options: () => ({ epochs: 3, batchSize: 7, validationSplit: 0.2 }), checkpoints: 15 });
});

test('from every batch: accumulated gradients in the middle of a group, momentum', async () => {
  await fresh();
  const model = () => network(optimizers.sgd({ learningRate: 0.1, momentum: 0.9 }));
  await fromEveryCheckpoint({ model, options: () => ({ epochs: 2, batchSize: 7, gradientAccumulationSteps: 4, seed: 9 }), checkpoints: 12 });
});

test('from every batch: early stopping with the best weights, a learning rate that control changes', async () => {
  await fresh();
  const options = () => {
    const control = trainingControl();
    return { control, epochs: 12, batchSize: 16, validationData: [x, y], earlyStopping: early, onEpochEnd: epoch => (epoch % 2 ? control.setLearningRate(0.1 / epoch) : undefined) };
  };
  const model = () => network(optimizers.adam({ learningRate: 0.2 })), net = await model(), { epoch, stopped } = await net.fit(x, y, options());
  assert.equal(stopped, 'earlyStopping');
  assert.ok(epoch.length > 4);
  await fromEveryCheckpoint({ model, options, checkpoints: epoch.length * 3 });
});

test('from the end of every iteration: L-BFGS', async () => {
  await fresh();
  const model = () => network('lbfgs', true);
  await fromEveryCheckpoint({ model, options: () => ({ epochs: 6, batchSize: 16 }), checkpoints: 6, every: { everyEpochs: 1 } });
});

/** Batches of 9 rows, others in each pass. @param {number} pass */
function* generator(pass) {
  for (let at = pass % 3; at + 9 <= rows; at += 9) yield { x: { data: x.slice(at * 4, (at + 9) * 4), shape: [9, 4] }, y: y.slice(at, at + 9) };
}

test('from every batch: a generator that begins anew, with and without steps of an epoch', async () => {
  await fresh();
  await fromEveryCheckpoint({ data: () => [generator, undefined], options: () => ({ epochs: 3 }), checkpoints: 15 });
  await fromEveryCheckpoint({ data: () => [generator, undefined], options: () => ({ epochs: 3, stepsPerEpoch: 6, gradientAccumulationSteps: 5 }), checkpoints: 18 });
});

test('after an abort at every log: arrays with validation, and a generator', async () => {
  await fresh();
  assert.deepEqual(await afterEveryAbort({ options: () => ({ epochs: 2, batchSize: 12 }) }), [10, 'epochs']);
  const model = () => network(optimizers.adam({ learningRate: 0.2 }));
  const [logs, stopped] = await afterEveryAbort({ model, options: () => ({ epochs: 12, batchSize: 16, validationSplit: 0.2, earlyStopping: early }) });
  assert.ok(stopped === 'earlyStopping' && logs < 36 && logs % 3 === 0, `${logs}`);
  const data = () => [generator, undefined];
  assert.deepEqual(await afterEveryAbort({ data, options: () => ({ epochs: 2, stepsPerEpoch: 5, validationData: [x, y] }) }), [12, 'epochs']);
  assert.deepEqual(await afterEveryAbort({ data, options: () => ({ epochs: 2 }) }), [10, 'epochs']);
});
