import assert from 'node:assert/strict';
import { test } from 'node:test';
import { info, layers, losses, optimizers, schedules, sequential, trainingControl } from '../../bindings/index.js';
import { bits, classifier, close, fresh, labelled, mlp, numbers, refuses, xor } from './modelkit.js';

await fresh();

test('learns XOR, and tells how it went', async () => {
  const net = await mlp(2, 8, 1, { activation: 'sigmoid' });
  await net.compile({ optimizer: optimizers.adam({ learningRate: 0.05 }), loss: 'binaryCrossentropy', metrics: ['accuracy'] });
  const { history, epoch, stopped, seconds } = await net.fit(xor.x, xor.y, { epochs: 300, batchSize: 4 });
  assert.equal(history.accuracy.at(-1), 1);
  assert.ok(history.loss.at(-1) < 0.01 && history.loss[0] > 0.5);
  assert.deepEqual(epoch, Array.from({ length: 300 }, (_, i) => i));
  assert.deepEqual(Object.keys(history), ['loss', 'accuracy']);
  assert.equal(stopped, 'epochs');
  assert.ok(seconds > 0);
  assert.deepEqual((await net.predict(xor.x)).data.map(Math.round), Float32Array.from(xor.y));
  net.dispose();
});

test('finds the line of a regression', async () => {
  const net = await sequential([layers.input({ shape: [2] }), layers.dense({ units: 1 })], { seed: 1 });
  await net.compile({ optimizer: optimizers.sgd({ learningRate: 0.3 }), loss: 'meanSquaredError', metrics: ['meanAbsoluteError'] });
  const x = numbers(400), y = Float32Array.from({ length: 200 }, (_, i) => 3 * x[2 * i] - 2 * x[2 * i + 1] + 0.5);
  const { history } = await net.fit(x, y, { epochs: 150, batchSize: 20 });
  const { 'dense/kernel': kernel, 'dense/bias': bias } = await net.getWeights();
  close(kernel.data, [3, -2], 1e-3);
  close(bias.data, [0.5], 1e-3);
  assert.ok(history.meanAbsoluteError.at(-1) < 1e-3);
  net.dispose();
});

test('the seed decides the course; the number of threads does not', async () => {
  const run = async (threads, seed) => {
    await fresh({ threads, engine: 'heddle-mt' });
    const net = await mlp(300, 256, 10, { activation: 'softmax', seed: 4 }), { x, y } = labelled(640, 300, 10);
    await net.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' });
    await net.fit(x, y, { epochs: 2, batchSize: 64, seed });
    const result = { bits: await bits(net), p: (await net.predict(x)).data };
    assert.equal(info().threads, threads);
    net.dispose();
    return result;
  };
  const one = await run(1, 5);
  assert.deepEqual(await run(2, 5), one);
  assert.deepEqual(await run(4, 5), one);
  assert.notDeepEqual((await run(1, 6)).bits, one.bits);
  await fresh();
});

test('by default the seed is the model\'s, and changes from fit to fit', async () => {
  const { x, y } = labelled(32, 4, 3), run = async (...seeds) => {
    const net = await classifier({ optimizer: 'sgd' });
    for (const seed of seeds) await net.fit(x, y, { batchSize: 4, seed });
    const result = await bits(net);
    net.dispose();
    return result;
  };
  assert.deepEqual(await run(undefined, undefined), await run(7, 8));
  assert.notDeepEqual(await run(7, 7), await run(7, 8));
  const still = await classifier(), before = await bits(still);
  await still.fit(x, y, { epochs: 3, initialEpoch: 3 });
  assert.deepEqual(await bits(still), before);
  still.dispose();
});

test('a second fit goes on with the optimiser\'s state, as one longer fit', async () => {
  const { x, y } = labelled(30, 4, 3), [whole, parts] = [await classifier(), await classifier()];
  await whole.fit(x, y, { epochs: 4, batchSize: 8, seed: 1 });
  await parts.fit(x, y, { epochs: 2, batchSize: 8, seed: 1 });
  await parts.fit(x, y, { initialEpoch: 2, epochs: 4, batchSize: 8, seed: 1 });
  assert.deepEqual(await bits(parts), await bits(whole));
  whole.dispose();
  parts.dispose();
});

test('an abort leaves the weights of the last whole step, and the model usable', async () => {
  const { x, y } = labelled(64, 4, 3), stop = new AbortController(), net = await classifier(), other = await classifier();
  let batches = 0;
  const options = { batchSize: 8, shuffle: false };
  const stopped = net.fit(x, y, { ...options, epochs: 50, signal: stop.signal, onBatchEnd: () => { if (++batches === 11) stop.abort(); } });
  await assert.rejects(stopped, { name: 'AbortError' });
  assert.equal(batches, 11);
  await other.fit(x, y, options); // 8 batches, and 3 more
  await other.fit(x.subarray(0, 24 * 4), y.subarray(0, 24), options);
  assert.deepEqual(await bits(net), await bits(other));
  await net.fit(x, y);
  for await (const log of other.train(x, y, { epochs: 1e6, batchSize: 8 })) if (log.epoch === 2) break;
  await other.fit(x, y);
  await assert.rejects(net.fit(x, y, { signal: AbortSignal.abort() }), { name: 'AbortError' });
  await assert.rejects(net.fit(x, y, { signal: AbortSignal.abort(new RangeError('mine')) }), { name: 'RangeError', message: 'mine' });
  net.dispose();
  other.dispose();
});

test('logs of batches and epochs come in order and tell progress', async () => {
  const net = await classifier({ optimizer: optimizers.sgd({ learningRate: schedules.exponential({ initialLearningRate: 0.5, rate: 0.5 }) }) });
  const { x, y } = labelled(20, 4, 3), logs = [], calls = [];
  const options = { epochs: 2, batchSize: 8, validationSplit: 0.2 };
  for await (const log of net.train(x, y, options)) logs.push(log);
  assert.deepEqual(logs.map(({ type, epoch, batch, batches }) => [type, epoch, batch, batches].join()),
    ['batch,0,0,2', 'batch,0,1,2', 'epoch,0,1,2', 'batch,1,0,2', 'batch,1,1,2', 'epoch,1,1,2']);
  for (const { samplesPerSecond, secondsLeft, loss, accuracy } of logs) {
    assert.ok(samplesPerSecond > 0 && secondsLeft >= 0 && loss > 0 && accuracy >= 0);
  }
  assert.ok(logs[0].secondsLeft > 0);
  assert.equal(logs.at(-1).secondsLeft, 0);
  assert.ok(logs[5].learningRate < logs[0].learningRate);
  assert.ok('val_loss' in logs[2] && 'val_accuracy' in logs[2] && !('val_loss' in logs[0]));
  await net.fit(x, y, {
    ...options, onTrainBegin: () => { calls.push('begin'); }, onBatchEnd: (batch, log) => { calls.push(`${log.epoch}.${batch}`); },
    onEpochEnd: async epoch => { await null; calls.push(`epoch ${epoch}`); }, onTrainEnd: log => { calls.push(`end ${log.epoch}`); },
  });
  assert.deepEqual(calls, ['begin', '0.0', '0.1', 'epoch 0', '1.0', '1.1', 'epoch 1', 'end 1']);
  net.dispose();
});

test('what a callback throws ends the fit', async () => {
  const net = await classifier(), { x, y } = labelled(32, 4, 3);
  let batches = 0;
  await assert.rejects(net.fit(x, y, { epochs: 9, batchSize: 4, onBatchEnd: () => { if (++batches === 3) throw new RangeError('stop here'); } }), /stop here/);
  assert.equal(batches, 3);
  await assert.rejects(net.fit(x, y, { onEpochEnd: async () => { throw new RangeError('and here'); } }), /and here/);
  await net.fit(x, y);
  net.dispose();
});

test('validation by split takes the last rows; by data gives the same', async () => {
  const { x, y } = labelled(25, 4, 3), cut = 20, [a, b] = [await classifier(), await classifier()];
  const split = await a.fit(x, y, { epochs: 3, batchSize: 8, validationSplit: 0.2 });
  const given = await b.fit(x.subarray(0, cut * 4), y.subarray(0, cut), { epochs: 3, batchSize: 8, validationData: [x.subarray(cut * 4), y.subarray(cut)] });
  assert.deepEqual(split.history, given.history);
  assert.deepEqual(Object.keys(split.history), ['loss', 'accuracy', 'val_loss', 'val_accuracy']);
  const { loss, accuracy } = await a.evaluate(x.subarray(cut * 4), y.subarray(cut), { batchSize: 8 });
  assert.deepEqual([split.history.val_loss.at(-1), split.history.val_accuracy.at(-1)], [loss, accuracy]);
  for (const validationSplit of [-0.1, 1, NaN, 0.99]) {
    await refuses(() => a.fit(x, y, { validationSplit }), 'argument', /validationSplit/);
  }
  await refuses(() => a.fit(x, y, { validationSplit: 0.1, validationData: [x, y] }), 'argument', /not both/);
  a.dispose();
  b.dispose();
});

test('early stopping waits for its patience and can bring the best weights back', async () => {
  const { x, y } = labelled(40, 4, 3), net = await classifier({ optimizer: optimizers.sgd({ learningRate: 1 }) }), best = [];
  const noise = Uint8Array.from(y, (_, i) => i * 7 % 3); // nothing to learn: validation gets worse
  let least = Infinity;
  const { history, stopped, epoch } = await net.fit(x, noise, {
    epochs: 500, batchSize: 4, validationSplit: 0.5, earlyStopping: { patience: 4, restoreBestWeights: true },
    onEpochEnd: async (_, { val_loss: loss }) => { if (loss < least) [least, best[0]] = [loss, await bits(net)]; },
  });
  assert.equal(stopped, 'earlyStopping');
  assert.equal(history.val_loss.indexOf(Math.min(...history.val_loss)), epoch.length - 1 - 4);
  assert.deepEqual(await bits(net), best[0]);
  const flat = await net.fit(x, y, { epochs: 9, earlyStopping: { monitor: 'accuracy', minDelta: 2, patience: 2 } });
  assert.equal(flat.epoch.length, 3);
  await refuses(() => net.fit(x, y, { earlyStopping: {} , validationSplit: 0.1, sampleWeights: [] }), 'argument', /did you mean "sampleWeight"/);
  await refuses(() => net.fit(x, y, { earlyStopping: { monitor: 'val_loss' } }), 'argument', /no log entry "val_loss"/);
  await refuses(() => net.fit(x, y, { earlyStopping: { patiens: 1 } }), 'argument', /did you mean "patience"/);
  net.dispose();
});

test('class weights are sample weights by class, for labels and one-hot rows, and not for validation', async () => {
  const { x, y } = labelled(30, 4, 3), classWeight = { 0: 2, 2: 0.5 }, factors = Array.from(y, label => classWeight[label] ?? 1);
  const oneHot = { data: Float32Array.from({ length: 90 }, (_, i) => Number(y[Math.floor(i / 3)] === i % 3)), shape: [30, 3] };
  const options = { epochs: 2, batchSize: 8 }, run = async (loss, targets, extra) => {
    const net = await classifier({ loss }), { history } = await net.fit(x, targets, { ...options, ...extra });
    const result = { history, bits: await bits(net) };
    net.dispose();
    return result;
  };
  const sparse = 'sparseCategoricalCrossentropy', plain = await run(sparse, y, {}), weighted = await run(sparse, y, { classWeight });
  assert.notDeepEqual(weighted.bits, plain.bits);
  assert.deepEqual(weighted, await run(sparse, y, { sampleWeight: factors }));
  assert.deepEqual((await run('categoricalCrossentropy', oneHot, { classWeight })).bits, weighted.bits);
  const both = await run(sparse, y, { classWeight, sampleWeight: factors });
  assert.deepEqual(both, await run(sparse, y, { sampleWeight: factors.map(w => w * w) }));
  const trained = factors.map((w, i) => (i < 24 ? w : 1));
  assert.deepEqual(await run(sparse, y, { classWeight, validationSplit: 0.2 }), await run(sparse, y, { sampleWeight: trained, validationSplit: 0.2 }));
  const net = await classifier();
  await refuses(() => net.fit(x, y, { classWeight: { 3: 1 } }), 'argument', /"3" is no class.*0 to 2/);
  await refuses(() => net.fit(x, y, { classWeight: { 0: -1 } }), 'argument', /weight of class 0 = -1/);
  await refuses(() => net.fit(x, y, { classWeight: [1, 2] }), 'argument', /got array/);
  net.dispose();
});

test('a generator trains as the same batches from arrays do', async () => {
  const { x, y } = labelled(24, 4, 3), [a, b, c, d] = [await classifier(), await classifier(), await classifier(), await classifier()];
  const batch = i => ({ x: x.subarray(i * 32, (i + 1) * 32), y: y.subarray(i * 8, (i + 1) * 8) });
  const whole = await a.fit(x, y, { epochs: 3, batchSize: 8, shuffle: false });
  const lists = await b.fit(function* pass() { for (let i = 0; i < 3; i++) yield batch(i); }, { epochs: 3 });
  const endless = (async function* forever() { for (let i = 0; ; i++) yield [batch(i % 3).x, batch(i % 3).y]; })();
  const logs = [];
  for await (const log of c.train(endless, { epochs: 3, stepsPerEpoch: 3 })) logs.push(log);
  await d.fit(new Set([batch(0), batch(1), batch(2)]), undefined, { epochs: 3, validationData: [x, y] });
  assert.deepEqual(lists.history, whole.history);
  for (const net of [b, c, d]) assert.deepEqual(await bits(net), await bits(a));
  assert.deepEqual(logs.map(({ type, epoch, batch, batches }) => [type, epoch, batch, batches].join()).slice(0, 4),
    ['batch,0,0,3', 'batch,0,1,3', 'batch,0,2,3', 'epoch,0,2,3']);
  assert.equal((await endless.next()).done, true, 'the generator was told to end');
  await refuses(() => b.fit((function* once() { yield batch(0); })(), { epochs: 2 }), 'argument', /generator has ended after 1 batches/);
  await refuses(() => b.fit(() => 7, {}), 'argument', /returned number/);
  await refuses(() => b.fit(() => [7], {}), 'argument', /batch 0: expected \{ x, y \}/);
  await refuses(() => b.fit(() => [{ x, y, z: 1 }], {}), 'argument', /batch 0: unknown option "z"/);
  await refuses(() => b.fit(() => [batch(0), { x, y }], {}), 'argument', /24 rows, expected at most 8/);
  await refuses(() => b.fit(() => [batch(0)], { validationSplit: 0.5 }), 'argument', /use validationData/);
  await refuses(() => b.fit(x, y, { stepsPerEpoch: 2 }), 'argument', /for generators/);
  for (const net of [a, b, c, d]) net.dispose();
});

test('a control pauses, resumes and changes the learning rate', async () => {
  const net = await classifier({ optimizer: optimizers.sgd({ learningRate: 0.1 }) }), { x, y } = labelled(32, 4, 3), control = trainingControl();
  await refuses(() => control.setLearningRate(1), 'state', /no fit is running/);
  await control.pause();
  let epochs = 0;
  const rates = [], fit = net.fit(x, y, { epochs: 4, control, onEpochEnd: async (epoch, { learningRate }) => {
    rates.push(learningRate);
    epochs++;
    if (epoch === 1) await control.setLearningRate(0.025);
  } });
  await new Promise(resolve => { setTimeout(resolve, 40); });
  assert.equal(epochs, 0);
  assert.equal(control.isPaused, true);
  await control.resume();
  await fit;
  assert.deepEqual(rates, [0.1, 0.1, 0.025, 0.025]);
  await control.pause();
  const stop = new AbortController(), held = net.fit(x, y, { control, signal: stop.signal });
  setTimeout(() => stop.abort(), 20);
  await assert.rejects(held, { name: 'AbortError' });
  net.dispose();
});

test('verbose prints a line per epoch', async t => {
  const net = await classifier(), { x, y } = labelled(32, 4, 3), log = t.mock.method(console, 'log', () => {});
  await net.fit(x, y, { epochs: 2, verbose: 1, validationSplit: 0.25 });
  const lines = log.mock.calls.map(call => call.arguments[0]);
  log.mock.restore();
  assert.equal(lines.length, 2);
  assert.match(lines[1], /^Epoch 2\/2: loss \d\S*, accuracy \d\S*, val_loss \d\S*, val_accuracy \d\S* \(\d+ samples\/s\)$/);
  net.dispose();
});

test('L-BFGS converges, and says so', async () => {
  const net = await sequential([layers.input({ shape: [3] }), layers.dense({ units: 1 })], { seed: 1 });
  await net.compile({ optimizer: 'lbfgs', loss: losses.meanSquaredError() });
  const x = numbers(60), y = Float32Array.from({ length: 20 }, (_, i) => x[3 * i] - x[3 * i + 1] + 2 * x[3 * i + 2]);
  const { stopped, history } = await net.fit(x, y, { epochs: 200, batchSize: 7 });
  assert.equal(stopped, 'converged');
  assert.ok(history.loss.at(-1) < 1e-9);
  for (let i = 1; i < history.loss.length; i++) assert.ok(history.loss[i] <= history.loss[i - 1]);
  close((await net.getWeights())['dense/kernel'].data, [1, -1, 2], 1e-3);
  await refuses(() => net.fit(() => [[x, y]], {}), 'unsupported', /lbfgs needs the whole data/);
  net.dispose();
});

test('a loss that is not finite is an error, with the weights before that step', async () => {
  const net = await sequential([layers.input({ shape: [1] }), layers.dense({ units: 1, kernelInitializer: 'ones' })]);
  await net.compile({ optimizer: optimizers.sgd({ learningRate: 1 }), loss: 'meanSquaredError' });
  await refuses(() => net.fit([[1e4]], [0], { epochs: 50 }), 'diverged', /not finite in epoch \d+/);
  assert.ok(Object.values(await net.getWeights()).every(({ data }) => data.every(Number.isFinite)));
  net.dispose();
});

test('one fit at a time; between steps the model can be looked at, and is fitted alike', async () => {
  const net = await classifier(), alone = await classifier(), { x, y } = labelled(3000, 4, 3), options = { epochs: 30, batchSize: 4 };
  const fit = net.fit(x, y, options);
  await refuses(() => net.fit(x, y), 'state', /being fitted already/);
  await refuses(() => net.train(x, y).next(), 'state', /being fitted already/);
  await refuses(() => net.compile({ optimizer: 'sgd', loss: 'meanSquaredError' }), 'state', /compile.*being fitted/);
  await refuses(() => net.setWeights({}), 'state', /setWeights.*being fitted/);
  await refuses(() => net.gradients(x, y), 'state', /gradients.*being fitted/);
  await refuses(() => fresh(), 'state', /engine is at work/);
  let looks = 0;
  const look = (async () => {
    for (let over = false; !over; looks++) {
      await Promise.all([net.predict(x.subarray(0, 40)), net.evaluate(x.subarray(0, 40), y.subarray(0, 10)), net.getWeights()]);
      over = await Promise.race([fit.then(() => true), new Promise(resolve => { setTimeout(() => resolve(false), 5); })]);
    }
  })();
  await Promise.all([fit, look]);
  await alone.fit(x, y, options);
  assert.ok(looks > 1);
  assert.deepEqual(await bits(net), await bits(alone));
  const last = net.fit(x, y, options);
  setTimeout(() => net.dispose(), 5);
  await refuses(() => last, 'state', /disposed of during its fit/);
  alone.dispose();
});
