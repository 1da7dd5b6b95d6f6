// What estimators share: parameters, labels, saving, refusals. The estimators here answer with the mean of what they saw.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Dkn, ElmClassifier, Estimator, Hnf, RidgeClassifier, SlfnClassifier, Ssfn } from '../../bindings/estimators/index.js';
import { bool, list, number, oneOf, orNull, seed, whole } from '../../bindings/estimators/params.js';
import { readSafetensors, writeSafetensors } from '../../bindings/files/index.js';
import { layers, sequential } from '../../bindings/index.js';
import { fresh, labelled, numbers, refuses } from './modelkit.js';

await fresh();

/** Always the mean target. */
class Mean extends Estimator {
  static kind = 'Mean';
  static params = {
    alpha: number(1, { min: 0 }), nodes: whole(3, 1, 10), mode: oneOf('auto', 'primal'), verbose: bool(false), seed,
    alphas: orNull(list([], number(1, { above: 0 })), 'alpha is taken'),
  };

  async learn({ rows, x, shape, y, outputs, classes, targetShape }, { signal, onProgress }) {
    onProgress?.({ phase: 'mean', done: 0, total: rows });
    await new Promise(done => setTimeout(done, 5));
    signal?.throwIfAborted();
    const bias = new Float32Array(outputs);
    for (let i = 0; i < y.data.length; i++) bias[classes ? y.data[i] : i % outputs] += y.data[i] / rows;
    if (classes) bias.fill(0).set([1], 1);
    const net = await sequential([layers.input({ shape }), layers.flatten(), layers.dense({ units: outputs, name: 'out' })]);
    await net.setWeights({ 'out/kernel': new Float32Array(outputs * (x.data.length / rows)), 'out/bias': bias });
    this.adopt(net, { classes, targetShape, report: { rows } });
  }
}
class MeanClassifier extends Mean {
  static kind = 'MeanClassifier';
  static isClassifier = true;
}

test('parameters: defaults, copies, all or none, near names', () => {
  const one = new Mean({ alpha: 2, alphas: [1, 2], seed: undefined });
  const all = { alpha: 2, nodes: 3, mode: 'auto', verbose: false, seed: null, alphas: [1, 2] };
  assert.deepEqual(one.getParams(), all);
  one.getParams().alphas.push(3);
  assert.deepEqual(one.getParams(), all);
  assert.equal(one.setParams({ alphas: null, seed: 5 }), one);
  assert.throws(() => one.setParams({ nodes: 4, mode: 'dual' }), /Mean\.setParams: mode = "dual", expected one of auto, primal/);
  assert.deepEqual(one.getParams(), { ...all, alphas: null, seed: 5 });
});

test('wrong parameters are refused with what is expected', async () => {
  for (const [params, message] of [
    [{ alpa: 1 }, /Mean: unknown option "alpa", did you mean "alpha"/], [{ alpha: -1 }, /alpha = -1, expected a finite number >= 0/],
    [{ alpha: NaN }, /alpha = null|NaN/], [{ nodes: 0 }, /nodes = 0, expected a whole number from 1 to 10/], [{ nodes: 2.5 }, /nodes = 2.5/],
    [{ mode: 'primale' }, /did you mean "primal"/], [{ verbose: 1 }, /expected true or false/], [{ alphas: [] }, /non-empty array, each a finite number > 0, or null/],
    [{ alphas: [1, 0] }, /alphas = \[1,0\]/], [{ seed: -1 }, /seed = -1/], [7, /expected an object of options, got number/],
  ]) await refuses(() => new Mean(params), 'argument', message);
});

test('labels of every kind come back as they were given', async () => {
  const x = [[1, 2], [3, 4], [5, 6]];
  for (const [y, classes] of [
    [['b', 'a', 'b'], ['a', 'b']], [[7, -1, 10], [-1, 7, 10]], [Uint8Array.of(3, 3, 9), [3, 9]], [[true, false, true], [false, true]],
    [{ data: Float32Array.of(1, 2, 2), shape: [3, 1] }, [1, 2]],
  ]) {
    const one = await new MeanClassifier().fit(x, y), back = await MeanClassifier.load(await one.save('bytes'));
    for (const each of [one, back]) {
      assert.deepEqual(each.classes, classes);
      assert.deepEqual(await each.predict(x), Array(3).fill(classes[1]));
      assert.equal(await each.score(x, y), Array.from(y.data ?? y).filter(label => label === classes[1]).length / 3);
      each.dispose();
    }
  }
});

test('numbers: shapes of y come back, R^2 as scikit-learn defines it', async () => {
  const x = { data: numbers(24), shape: [4, 3, 2] };
  for (const [y, shape] of [[[1, 2, 3, 6], [4]], [[[1, 5], [2, 5], [3, 5], [6, 5]], [4, 2]], [Float32Array.of(1, 2, 3, 6), [4]]]) {
    const one = await new Mean().fit(x, y), predicted = await one.predict(x);
    assert.deepEqual(predicted.shape, shape);
    assert.equal(predicted.data[0], 3);
    assert.equal(await one.score(x, y), shape.length === 1 ? 0 : 0.5, 'the mean has R^2 = 0; a constant column that is met counts 1');
    one.dispose();
  }
});

test('a file keeps parameters, report and model; others are refused', async () => {
  const one = await new Mean({ alpha: 3, seed: 9 }).fit([[1], [2]], [1, 3]), bytes = await one.save('bytes'), back = await Mean.load(bytes);
  assert.deepEqual([back.getParams(), back.report, back.classes, back.isFitted], [one.getParams(), { rows: 2 }, null, true]);
  assert.deepEqual(await back.predict([[1]]), await one.predict([[1]]));
  assert.deepEqual(await back.save('bytes'), bytes);
  const noted = await Mean.load(await one.save('bytes', { metadata: { classNames: ['a', 'b'] } }));
  assert.deepEqual(/** @type {any} */ (noted.model.metadata).classNames, ['a', 'b']);
  assert.deepEqual([noted.getParams(), noted.report], [one.getParams(), one.report]);
  await refuses(() => one.save('bytes', { metadata: { report: 1 } }), 'argument', /Mean\.save: metadata: the name "report" is taken/);
  // @ts-expect-error no object
  await refuses(() => one.save('bytes', { metadata: ['a'] }), 'argument', /metadata must be an object, got array/);
  await refuses(() => MeanClassifier.load(bytes), 'file', /MeanClassifier\.load: the file holds Mean; loadEstimator reads any/);
  const net = await sequential([layers.input({ shape: [1] }), layers.dense({ units: 1 })]);
  await refuses(async () => Mean.load(await net.save('bytes')), 'file', /no estimator/);
  const { tensors, metadata } = readSafetensors(bytes), content = JSON.parse(metadata.heddle);
  for (const [change, message] of /** @type {[any, RegExp][]} */ ([
    [{ params: { ...content.metadata.params, alpha: -3 } }, /damaged.*alpha = -3/], [{ targetShape: [999] }, /damaged.*targetShape = \[999\], expected the sizes of 1 outputs/],
    [{ targetShape: ['1'] }, /targetShape = \["1"\]/], [{ classes: ['a', 'b'] }, /damaged.*classes: expected 1 texts/], [{ classes: [{}] }, /damaged.*classes/],
  ])) {
    const changed = JSON.stringify({ ...content, metadata: { ...content.metadata, ...change } });
    await refuses(() => Mean.load(writeSafetensors(tensors, { heddle: changed })), 'file', message);
  }
  one.dispose();
  back.dispose();
  net.dispose();
});

test('wrong data are refused with the row', async () => {
  const x = [[1, 2], [3, 4]], y = [1, 2], mean = new Mean(), classifier = new MeanClassifier();
  for (const [run, code, message] of [
    [() => mean.fit(x, [1]), 'shape', /Mean\.fit: x has 2 rows, y has 1/], [() => mean.fit([[1, 2], [3, NaN]], y), 'argument', /x: row 1, element 1 = NaN/],
    [() => mean.fit(x, [1, Infinity]), 'argument', /y: row 1, element 0 = Infinity/], [() => mean.fit([], []), 'shape', /length 0/],
    [() => mean.fit(numbers(5), y), 'shape', /flat array of length 5/], [() => mean.fit(null, y), 'argument', /got null/],
    [() => mean.fit(x, ['a', 'b']), 'argument', /expected a number, got string/], [() => classifier.fit(x, ['a', 1]), 'argument', /y\[1\]: expected a string as before, got number/],
    [() => classifier.fit(x, [[1, 0], [0, 1]]), 'argument', /y\[0\]: expected a number, a string or a boolean: one label a row/],
    [() => classifier.fit(x, [1, NaN]), 'argument', /y\[1\]: .* got NaN/], [() => classifier.fit(x, ['a', 'a']), 'argument', /one class only \("a"\), expected at least 2/],
    [() => classifier.fit([[1, 2]], [1]), 'argument', /one class only/], [() => classifier.fit(x, { data: [1, 0, 0, 1], shape: [2, 2] }), 'shape', /one label a row/],
    [() => mean.fit(x, y, { validationData: x[0] && [x] }), 'argument', /validationData must be \[x, y\]/],
    [() => mean.fit(x, y, { validationData: [[[1]], [1]] }), 'shape', /validationData: x has shape \[1, 1\], expected \[rows, 2\] as before/],
    [() => classifier.fit(x, y, { validationData: [x, [1, 3]] }), 'argument', /validationData: y\[1\]: 3 is no class/],
    [() => mean.fit(x, y, { onProgres: 1 }), 'argument', /did you mean "onProgress"/], [() => mean.fit(x, y, { signal: 1 }), 'argument', /AbortSignal/],
    [() => mean.predict(x), 'state', /Mean\.predict: nothing has been fitted: call fit first/], [() => mean.model, 'state', /call fit first/],
  ]) await refuses(run, code, message);
  assert.equal(mean.isFitted, false);
});

test('a class without rows, constant columns, one row of each class: every classifier learns, and finds nothing where there is nothing', async () => {
  const x = [[1, 5, 0], [2, 5, 0], [-1, 5, 0], [-2, 5, 0]], y = ['up', 'up', 'down', 'down'], small = { maxLayers: 2 };
  for (const one of [
    new RidgeClassifier({ alpha: 0.1 }), new ElmClassifier({ nodes: 20, alpha: 0.1, seed: 1 }), new SlfnClassifier({ nodes: 20, alpha: 0.1, seed: 1 }),
    new Ssfn({ ...small, nodes: 10, seed: 1 }), new Hnf({ ...small, seed: 1 }), new Dkn({ ...small, normalize: false }),
  ]) {
    if ('partialFit' in one) {
      await one.partialFit(x, y, { classes: ['sideways', 'up', 'down'] }); // none of which is sideways
      assert.deepEqual([one.classes, await one.predict(x)], [['sideways', 'up', 'down'], y]);
      const { data } = await one.model.predict(x);
      for (let row = 0; row < 4; row++) assert.ok(Math.abs(data[3 * row]) < 1e-6);
      one.dispose();
      continue;
    }
    await one.fit(x, y);
    assert.deepEqual(await one.predict(x), y, one.type.kind);
    await one.fit([x[0], x[2]], ['up', 'down']);
    assert.deepEqual(await one.predict([x[0], x[2]]), ['up', 'down'], one.type.kind);
    await refuses(() => one.fit([x[0]], ['up']), 'argument', /one class only/);
    await refuses(() => one.fit([[1, NaN, 2], [1, 1, 1]], ['up', 'down']), 'argument', /row 0, element 1 = NaN/);
    one.dispose();
  }
});

test('one fit at a time; an aborted one leaves the old model; nothing works after dispose', async () => {
  const mean = await new Mean().fit([[1], [2]], [1, 3]), abort = new AbortController();
  const running = mean.fit([[1], [2]], [5, 5], { signal: abort.signal, onProgress: () => abort.abort() });
  await refuses(() => mean.fit([[1], [2]], [5, 5]), 'state', /being fitted/);
  await assert.rejects(running, { name: 'AbortError' });
  await assert.rejects(mean.fit([[1]], [1], { signal: abort.signal }), { name: 'AbortError' });
  assert.equal((await mean.predict([[1]])).data[0], 2);
  await refuses(() => mean.predictProba([[1]]), 'unsupported', /scores of least squares/);
  await refuses(() => mean.predict([[1]], { batchsize: 1 }), 'argument', /did you mean "batchSize"/);
  const late = mean.fit([[1], [2]], [5, 5]);
  mean.dispose();
  await refuses(() => late, 'state', /disposed/);
  await refuses(() => mean.fit([[1]], [1]), 'state', /disposed/);
  await refuses(() => mean.predict([[1]]), 'state', /disposed/);
});
