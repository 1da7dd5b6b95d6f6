// Losses of a batch as a whole through JavaScript: in models of one or several outputs, how fast they learn, and what is refused.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { apply, init, input, layers, losses, model, optimizers, sequential } from '../../bindings/index.js';
import { mapping, plcc, rmse } from '../../bindings/quality/index.js';
import { fresh, numbers } from './modelkit.js';

const refused = (code, message) => ({ name: 'HeddleError', code, message });
const rows = 256, size = 20;
const x = { shape: [rows, size], data: numbers(rows * size, 1) }, direction = numbers(size, 2);
/** Labels of a linear truth, from about 0 to 40. */
const y = Float32Array.from({ length: rows }, (_, i) => 20 + 100 / size * direction.reduce((sum, w, k) => sum + w * x.data[i * size + k], 0));

before(() => fresh());

/** Epochs until the correlation of scores and labels passes 0.99, at most 60. @param {any} loss @param {object} [options] */
async function epochsToLearn(loss, options = {}) {
  const net = await sequential([layers.input({ shape: [size] }), layers.dense({ units: 1 })], { seed: 3 });
  await net.compile({ optimizer: optimizers.adam({ learningRate: 0.01 }), loss });
  let epochs = 0, agreement = 0;
  while (epochs < 60 && !(agreement > 0.99)) {
    await net.fit(x, y, { initialEpoch: epochs, epochs: ++epochs, batchSize: 16, seed: 1, ...options });
    agreement = await plcc(await net.predict(x), y);
  }
  net.dispose();
  return epochs;
}

test('Norm-in-Norm learns a linear truth in fewer steps than the squared error, and so does the correlation itself', async () => {
  const squared = await epochsToLearn('meanSquaredError'), normed = await epochsToLearn(losses.normInNorm()), correlation = await epochsToLearn('plcc');
  assert.ok(normed < 60 && correlation < 60 && 3 * normed <= squared && 3 * correlation <= squared, `${normed}, ${correlation}, ${squared}`);
});

test('a line brings the scores onto the scale of the labels', async () => {
  const net = await sequential([layers.input({ shape: [size] }), layers.dense({ units: 1 })], { seed: 3 });
  await net.compile({ optimizer: optimizers.adam({ learningRate: 0.01 }), loss: losses.normInNorm({ p: 2, alpha: [1, 0.1] }) });
  const { history } = await net.fit(x, y, { epochs: 40, batchSize: 32, seed: 1 });
  assert.ok(history.loss.every((value) => value >= 0 && value <= 1) && history.loss.at(-1) < 1e-3);
  const q = await net.predict(x), line = await mapping.linear(q, y), stored = mapping.from(JSON.parse(JSON.stringify(line)));
  assert.deepEqual(stored, line);
  const mapped = stored.apply(q), errors = mapped.map((value, i) => value - y[i]), sum = (list) => list.reduce((total, value) => total + value, 0);
  assert.ok(await rmse(mapped, y) < 0.1 * await rmse(new Float32Array(rows).fill(20), y));
  assert.ok(Math.abs(sum(errors)) < 1e-8 && Math.abs(sum(errors.map((e, i) => e * q.data[i]))) < 1e-6, 'errors are orthogonal to 1 and to the scores');
  const { loss } = await net.evaluate(x, y, { batchSize: rows }), rho = await plcc(q, y);
  assert.ok(Math.abs(loss - ((1 - rho) / 2 + 0.1 * (1 - rho ** 2) / 4) / 1.1) < 1e-6);
});

test('with auxiliary outputs, weights of the losses, and other losses beside it', async () => {
  const given = input({ shape: [size] }), hidden = apply(layers.dense({ units: 8, activation: 'tanh', name: 'hidden' }), given);
  const outputs = ['auxiliary', 'main', 'error'].map((name) => apply(layers.dense({ units: 1, name }), hidden));
  const net = await model({ inputs: given, outputs, seed: 2 });
  await net.compile({ optimizer: 'adam', loss: { auxiliary: losses.normInNorm({ p: 1, q: 1 }), main: losses.normInNorm(), error: losses.smoothL1({ beta: 2 }) },
    lossWeights: { auxiliary: 0.1, main: 1, error: 0.01 } });
  const targets = { auxiliary: y, main: y, error: y }, first = await net.evaluate(x, targets);
  await net.fit(x, targets, { epochs: 10, batchSize: 16, seed: 1 });
  const last = await net.evaluate(x, targets);
  for (const name of ['loss', 'auxiliary_loss', 'main_loss', 'error_loss']) assert.ok(last[name] < first[name], name);
  assert.ok(Math.abs(last.loss - (0.1 * last.auxiliary_loss + last.main_loss + 0.01 * last.error_loss)) < 1e-6);
});

test('what they cannot be trained with is refused, and scores that are no numbers are said', async () => {
  const two = await sequential([layers.input({ shape: [size] }), layers.dense({ units: 2 })]), one = await sequential([layers.input({ shape: [size] }), layers.dense({ units: 1 })]);
  await assert.rejects(two.compile({ optimizer: 'adam', loss: 'normInNorm' }), refused('shape', /2 elements a sample, expected 1/));
  await assert.rejects(one.compile({ optimizer: 'adam', loss: losses.normInNorm({ alpha: [1] }) }), refused('argument', /alpha: expected two numbers/));
  assert.throws(() => losses.normInNorm({ p: 0.5 }), refused('argument', /p = 0.5/));
  await one.compile({ optimizer: optimizers.sgd({ learningRate: 1 }), loss: 'normInNorm' });
  await assert.rejects(one.fit(x, y, { sampleWeight: new Float32Array(rows).fill(1) }), refused('unsupported', /sample weights.*normInNorm/));
  await one.setWeights({ 'dense/kernel': { shape: [1, size], data: new Float32Array(size).fill(1) } }, { partial: true });
  const huge = { shape: [rows, size], data: new Float32Array(rows * size).fill(3e38) };
  await assert.rejects(one.fit(huge, y), refused('diverged', /loss is not finite/));
});

test('a last batch of one score, equal labels, and equal scores leave the weights as they are', async () => {
  const net = await sequential([layers.input({ shape: [size] }), layers.dense({ units: 1 })], { seed: 1 });
  await net.compile({ optimizer: optimizers.sgd({ learningRate: 1 }), loss: losses.normInNorm({ alpha: [1, 1] }) });
  const weights = await net.getWeights(), one = { shape: [1, size], data: x.data.slice(0, size) };
  const { history: { loss: [alone] } } = await net.fit(one, [3], { epochs: 1 });
  assert.equal(alone, 0);
  await net.fit(x, new Float32Array(rows).fill(62.1), { epochs: 1 });
  await net.fit({ shape: [4, size], data: new Float32Array(4 * size) }, [1, 2, 3, 4], { epochs: 1 });
  assert.deepEqual(await net.getWeights(), weights);
});

test('gradients do not depend on the number of threads', { timeout: 60_000 }, async () => {
  const results = [];
  for (const threads of [1, 3]) {
    await init({ threads, worker: false, deterministic: true });
    const net = await sequential([layers.input({ shape: [size] }), layers.dense({ units: 1 })], { seed: 3 });
    await net.compile({ optimizer: 'adam', loss: losses.normInNorm({ p: 1.5, q: 3, alpha: [1, 1] }) });
    await net.fit(x, y, { epochs: 3, batchSize: 100, seed: 1 });
    results.push((await net.predict(x)).data);
  }
  assert.deepEqual(results[1], results[0]);
});
