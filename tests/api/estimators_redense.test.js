// ReDense: starts without loss, stays in its ball, lowers the loss, and is an ordinary model in the end.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { ReDense, loadEstimator } from '../../bindings/estimators/index.js';
import { constraints, layers, load, sequential } from '../../bindings/index.js';
import { gemm, spdSolve, syrk } from '../../bindings/linalg.js';
import { close, fresh, labelled, mlp, numbers, refuses } from './modelkit.js';

await fresh();
const { x, y } = labelled(240, 6, 3), other = labelled(90, 6, 3, 9), names = ['red', 'green', 'blue'], colours = Array.from(y, k => names[k]);
/** Half-trained networks with a softmax, in the last layer or behind it, and with scores. */
const bases = {};

before(async () => {
  const hidden = () => [layers.input({ shape: [6] }), layers.dense({ units: 12, activation: 'tanh' }), layers.dropout({ rate: 0.2 })];
  bases.softmax = await sequential([...hidden(), layers.dense({ units: 3, activation: 'softmax' })], { seed: 3 });
  bases.after = await sequential([...hidden(), layers.dense({ units: 3 }), layers.activation({ activation: 'softmax' })], { seed: 3 });
  for (const net of [bases.softmax, bases.after]) {
    await net.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' });
    await net.fit(x, y, { epochs: 8, seed: 1 });
  }
  bases.scores = await mlp(6, 12, 3);
  await bases.scores.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
  await bases.scores.fit(x, rows, { epochs: 4, seed: 1 });
});
const rows = { data: Float32Array.from({ length: 720 }, (_, i) => Number(y[Math.floor(i / 3)] === i % 3)), shape: [240, 3] };

/** @param {Float64Array} oa [3, 13] */
const oaTransposed = oa => ({ data: Float64Array.from({ length: 39 }, (_, i) => oa[i % 3 * 13 + Math.floor(i / 3)]), shape: [13, 3] });
const norm = a => Math.sqrt(a.reduce((s, v) => s + v * v, 0));
/** Weights of the layers that ReDense has put in: R = [kernel, bias], O. */
async function parts({ model }) {
  const [random, output] = model.layers.filter(({ kind }) => kind === 'dense').slice(-2), weights = await model.getWeights();
  const { data, shape: [m, n] } = weights[`${random.name}/kernel`], bias = weights[`${random.name}/bias`].data, r = new Float64Array(m * (n + 1));
  for (let i = 0; i < m; i++) {
    r.set(data.subarray(i * n, (i + 1) * n), i * (n + 1));
    r[i * (n + 1) + n] = bias[i];
  }
  return { r: { data: r, shape: [m, n + 1] }, o: weights[`${output.name}/kernel`], random, output };
}

test('epoch 0 is the base network; epsilon is |O0| = sqrt 2 |Oa R^+|', async () => {
  for (const [name, base] of Object.entries(bases)) {
    for (const params of [{}, { nodes: 30 }, { matrix: 'orthogonal' }]) {
      const one = new ReDense({ ...params, epochs: 0, seed: 5, loss: 'meanSquaredError' });
      await one.fit(base, x, name === 'scores' ? rows : y);
      const [was, is] = [await base.predict(other.x), await one.model.predict(other.x)], { condition, epsilon, nodes } = one.report;
      const largest = Math.max(...was.data.map(Math.abs), 10); // of logits, which a softmax does not show
      close(is.data, was.data, 1e-6 * condition * largest + 1e-6, `${name} ${JSON.stringify(params)}`);
      const { r, o, random, output } = await parts(one), weights = Object.entries(await base.getWeights()).slice(-2).map(([, { data }]) => data);
      assert.deepEqual(o.shape, [3, 2 * nodes + 3]);
      assert.deepEqual([random.frozenParameters, output.frozenParameters], [(nodes + 1) * 13, 0]);
      const oa = Float64Array.from({ length: 39 }, (_, i) => (i % 13 < 12 ? weights[0][Math.floor(i / 13) * 12 + i % 13] : weights[1][Math.floor(i / 13)]));
      const { data: inverse, shape } = await spdSolve(await syrk(r, { transposed: true }), oaTransposed(oa)), expected = await gemm(r, { data: inverse, shape }); // (Oa R^+)^T
      const size = Math.SQRT2 * norm(expected.data);
      assert.ok(Math.abs(epsilon - size) <= 1e-6 * size && Math.abs(norm(o.data) - size) <= 1e-6 * size, `${epsilon}, ${size}, ${norm(o.data)}`);
      if (params.matrix) assert.ok(Math.abs(condition - 1) < 1e-5 && Math.abs(size - Math.SQRT2 * norm(oa)) < 1e-5 * size, 'orthonormal: the smallest ball');
      for (let k = 1; k <= 3; k++) assert.equal(o.data[k * o.shape[1] - 1], 0, 'the constant starts at weight 0');
      one.dispose();
    }
  }
});

test('every loss falls, within the ball after every step', async () => {
  for (const [base, target, loss] of [
    ['softmax', y, 'categoricalCrossentropy'], ['after', y, 'categoricalCrossentropy'], ['softmax', rows, 'categoricalCrossentropy'], ['softmax', y, 'meanSquaredError'],
    ['softmax', y, 'poisson'], ['after', y, 'huber'], ['scores', rows, 'meanSquaredError'], ['scores', rows, 'huber'],
  ]) {
    for (const epochs of [1, 2, 40]) {
      const one = await new ReDense({ loss, epochs, seed: 5, learningRate: 1e-3, chunk: 50 }).fit(bases[base], x, target, { validationData: [x, target] });
      const { epsilon, history } = one.report, { o } = await parts(one);
      assert.ok(norm(o.data) <= epsilon * (1 + 1e-6), `${base} ${loss} ${epochs}: ${norm(o.data)} > ${epsilon}`);
      assert.equal(history.loss.length, epochs + 1);
      if (epochs === 40) assert.ok(history.loss[40] < history.loss[0], `${base} ${loss}: ${history.loss[0]} to ${history.loss[40]}`);
      close(history.val_loss, history.loss.slice(1), 1e-5 * history.loss[0], 'validation on the same rows is the loss after the step');
      one.dispose();
    }
  }
});

test('a full batch in chunks is one step: the size of the chunks does not matter', async () => {
  const [a, b] = await Promise.all([240, 37].map(chunk => new ReDense({ epochs: 5, seed: 5, learningRate: 1e-3, chunk }).fit(bases.softmax, x, y)));
  close((await parts(b)).o.data, (await parts(a)).o.data, 1e-4 * a.report.epsilon);
  assert.notDeepEqual((await parts(a)).o.data, (await parts(await new ReDense({ epochs: 0, seed: 5 }).fit(bases.softmax, x, y))).o.data);
});

test('gradients of every loss agree with differences; that of the constant is the mean of p - t', async () => {
  for (const loss of ['categoricalCrossentropy', 'meanSquaredError', 'poisson', 'huber']) {
    const one = await new ReDense({ epochs: 0, seed: 5, loss, matrix: 'orthogonal' }).fit(bases.softmax, x, y), { model } = one, { o, output } = await parts(one);
    await model.compile({ optimizer: 'sgd', loss });
    const name = `${output.name}/kernel`, { gradients: { [name]: gradient } } = await model.gradients(x, rows), step = 0.05, width = o.shape[1];
    for (const at of [0, 7, width - 1, width + 13, 3 * width - 1]) {
      const [above, below] = await [step, -step].reduce(async (list, h) => {
        const done = await list;
        await model.setWeights({ [name]: { data: o.data.map((v, i) => v + (i === at ? h : 0)), shape: o.shape } }, { partial: true });
        return [...done, (await model.evaluate(x, rows)).loss];
      }, Promise.resolve([]));
      const expected = (above - below) / (2 * step);
      assert.ok(Math.abs(gradient.data[at] - expected) <= 2e-2 * Math.abs(expected) + 2e-5, `${loss} ${at}: ${gradient.data[at]}, ${expected}`);
    }
    if (loss === 'categoricalCrossentropy') {
      const { data: p } = await bases.softmax.predict(x), mean = [0, 1, 2].map(k => p.reduce((s, v, i) => s + (i % 3 === k ? v - rows.data[i] : 0), 0) / 240);
      close(mean.map((_, k) => gradient.data[(k + 1) * width - 1]), mean, 1e-5);
    }
    one.dispose();
  }
});

test('c R in place of R: 1 / c of the ball, and the same course with 1 / c^2 of the learning rate', async () => {
  const z = numbers(40 * 5).map(v => v - 0.5), o = numbers(30, 3), t = { data: rows.data.slice(0, 120), shape: [40, 3] }, radius = 0.9 * norm(o);
  const course = async c => {
    const net = await sequential([
      layers.input({ shape: [5] }), layers.crelu(),
      layers.dense({ units: 3, useBias: false, activation: 'softmax', name: 'o', kernelConstraint: constraints.maxNorm({ max: radius / c, axis: 'frobenius' }) }),
    ]);
    await net.setWeights({ 'o/kernel': o.map(v => v / c) });
    await net.compile({ optimizer: { optimizer: 'sgd', options: { learningRate: 0.5 / c ** 2 } }, loss: 'categoricalCrossentropy' });
    const { history } = await net.fit(z.map(v => v * c), t, { epochs: 20, batchSize: 40, shuffle: false });
    const { data } = await net.predict(z.map(v => v * c));
    net.dispose();
    return [...history.loss, ...data];
  };
  close(await course(4), await course(1), 1e-5);
});

test('a second one on top starts without loss too; a file keeps every bit; the seed decides', async () => {
  const params = { epochs: 10, seed: 8, learningRate: 1e-3 }, one = await new ReDense(params).fit(bases.softmax, x, colours, { classes: names });
  const two = await new ReDense({ ...params, epochs: 0, seed: 9 }).fit(one.model, x, y), was = await one.model.predict(other.x);
  close((await two.model.predict(other.x)).data, was.data, 1e-5 * two.report.condition + 1e-6);
  assert.deepEqual(await one.predictProba(other.x), was);
  assert.ok((await one.predict(other.x)).every(label => names.includes(label)));
  assert.equal(await one.score(other.x, Array.from(other.y, k => names[k])), await new ReDense(params).fit(bases.softmax, x, y).then(same => same.score(other.x, other.y)));
  const bytes = await one.save('bytes'), back = await loadEstimator(bytes), plain = await load(bytes);
  assert.deepEqual([await back.predictProba(other.x), await plain.predict(other.x)], [was, was]);
  assert.deepEqual([back.classes, back.report, back.getParams()], [names, one.report, one.getParams()]);
  for (const [seed, equal] of [[8, true], [10, false]]) {
    const again = await new ReDense({ ...params, seed }).fit(bases.softmax, x, colours, { classes: names });
    assert.equal(Buffer.compare(await again.save('bytes'), bytes) === 0, equal);
    again.dispose();
  }
  for (const each of [one, two, back, plain]) each.dispose();
});

test('features and a head do what the whole network does', async () => {
  const { softmax } = bases, weights = await softmax.getWeights(), features = await softmax.predict(x, { output: 'dropout' });
  const head = { kernel: weights['dense_1/kernel'], bias: weights['dense_1/bias'] }, params = { epochs: 6, seed: 2 };
  const [a, b] = [await new ReDense(params).fit({ features, head }, y), await new ReDense(params).fit(softmax, x, y)];
  close((await a.model.predict(features)).data, (await b.model.predict(x)).data, 1e-5);
  const none = await new ReDense({ ...params, loss: 'huber' }).fit({ features, head: { kernel: head.kernel, activation: 'linear' } }, rows);
  assert.deepEqual((await none.predict(features)).shape, [240, 3]);
  await refuses(() => new ReDense().fit({ features, head: { kernal: 1 } }, y), 'argument', /did you mean "kernel"/);
  await refuses(() => new ReDense().fit({ features }, y), 'argument', /expected a model or \{ features, head \}/);
  for (const one of [a, b, none]) one.dispose();
});

test('inside the ball the projection does nothing; a smaller ball holds', async () => {
  const ends = [];
  for (const kappa of [10, 1000, 0.5]) {
    const one = await new ReDense({ epochs: 5, seed: 3, kappa }).fit(bases.softmax, x, y);
    ends.push((await parts(one)).o.data);
    if (kappa < 1) assert.ok(norm(ends[2]) <= one.report.epsilon * (1 + 1e-6));
    one.dispose();
  }
  assert.deepEqual(ends[0], ends[1]);
});

test('an abort keeps what has been learned', async () => {
  const abort = new AbortController(), one = new ReDense({ epochs: 50, seed: 5, learningRate: 1e-3 }), losses = [];
  await assert.rejects(one.fit(bases.softmax, x, y, { signal: abort.signal, onProgress: ({ done, total, loss }) => {
    assert.equal(total, 50);
    losses.push(loss);
    if (done === 7) abort.abort();
  } }), { name: 'AbortError' });
  assert.ok(one.isFitted && losses.length === 7);
  const { loss } = one.report.history;
  assert.deepEqual(loss.slice(0, 7), losses);
  const { data } = await one.predictProba(x), expected = data.reduce((s, p, i) => s - rows.data[i] * Math.log(p), 0) / 240;
  assert.ok(Math.abs(loss[7] - expected) < 1e-5, `${loss}, ${expected}`);
  one.dispose();
});

test('what can not be is refused', async () => {
  const { softmax, scores } = bases, sigmoid = await mlp(6, 4, 2, { activation: 'sigmoid' }), flat = await sequential([layers.input({ shape: [2, 3] }), layers.flatten()]);
  const matrix = await sequential([layers.input({ shape: [2, 3] }), layers.dense({ units: 2 })]);
  for (const [run, code, message] of [
    [() => new ReDense({ nodes: 11 }).fit(softmax, x, y), 'argument', /nodes = 11, expected at least 12/],
    [() => new ReDense({ maxCondition: 1.5, epochs: 0 }).fit(softmax, x, y), 'argument', /20 random matrices of 13 x 13 had condition numbers above maxCondition = 1\.5/],
    [() => new ReDense().fit(sigmoid, x, y), 'unsupported', /activation sigmoid, expected linear or softmax/], [() => new ReDense().fit(flat, x, y), 'unsupported', /ends in a flatten layer/],
    [() => new ReDense().fit(matrix, x, y), 'unsupported', /takes \[2, 3\], expected a vector/], [() => new ReDense().fit(scores, x, rows), 'argument', /categoricalCrossentropy needs a softmax/],
    [() => new ReDense().fit(softmax, x, names.concat(Array(237).fill('pink')), { classes: names }), 'argument', /y\[3\]: "pink" is no class/],
    [() => new ReDense().fit(softmax, x, y, { classes: ['a', 'b'] }), 'argument', /is no class/], [() => new ReDense().fit(softmax, x, y.subarray(1)), 'shape', /x has 240 rows, y has 239/],
    [() => new ReDense().fit(softmax, x.map((v, i) => (i === 8 ? NaN : v)), y), 'argument', /row 1, element 2/], [() => new ReDense().fit(softmax, [[1, 2]], [1]), 'shape', /expected \[rows, 6\]/],
    [() => new ReDense().fit(softmax, x, { data: rows.data.slice(0, 480), shape: [240, 2] }), 'argument', /2 numbers a row, the model has 3 outputs/],
    [() => new ReDense().fit(x, y), 'argument', /expected a model or \{ features, head \}, got Float32Array/], [() => new ReDense({ kappa: 0 }), 'argument', /kappa = 0/],
    [() => new ReDense().fit(softmax, x, y, { validationData: [x] }), 'argument', /validationData must be \[x, y\]/], [() => new ReDense({ loss: 'mse' }), 'argument', /loss = "mse"/],
  ]) await refuses(run, code, message);
  for (const net of [sigmoid, flat, matrix]) net.dispose();
});
