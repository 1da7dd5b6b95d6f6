// Ridge regression: its equations, primal against dual, streams, the choice of the penalty, and data that go wrong.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ridge, RidgeClassifier, loadEstimator } from '../../bindings/estimators/index.js';
import { close, fresh, numbers, refuses } from './modelkit.js';

await fresh();

/** A noisy linear map of features with means far from 0. */
function linear(rows, n, q, { seed = 1, noise = 0.1, mean = 5 } = {}) {
  const u = numbers(rows * n, seed), e = numbers(rows * q, seed + 1), w = numbers(n * q, 17);
  const x = { data: u.map((value, i) => value + mean * (i % n)), shape: [rows, n] };
  const y = { data: new Float32Array(rows * q), shape: [rows, q] };
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < q; k++) {
      y.data[i * q + k] = 3 + noise * (e[i * q + k] - 0.5) + w.subarray(k * n, (k + 1) * n).reduce((sum, value, j) => sum + value * x.data[i * n + j], 0);
    }
  }
  return { x, y };
}
const rowsOf = ({ data, shape: [rows, n] }) => Array.from({ length: rows }, (_, i) => Array.from(data.subarray(i * n, (i + 1) * n)));

/** Solves A X = B by elimination with pivots, in float64. */
function solve(a, b) {
  const n = a.length, m = a.map((row, i) => [...row, ...b[i]]);
  for (let j = 0; j < n; j++) {
    const p = m.findIndex((row, i) => i >= j && Math.abs(row[j]) === Math.max(...m.slice(j).map(other => Math.abs(other[j]))));
    [m[j], m[p]] = [m[p], m[j]];
    for (let i = 0; i < n; i++) {
      const f = i === j ? 0 : m[i][j] / m[j][j];
      if (f) for (let k = j; k < m[i].length; k++) m[i][k] -= f * m[j][k];
    }
  }
  return m.map((row, j) => row.slice(n).map(value => value / row[j]));
}

/** O [q][n] and b [q] of the penalised normal equations. */
function reference(x, y, alpha, fitIntercept) {
  const xs = rowsOf(x), ys = rowsOf(y), mean = rows => rows[0].map((_, j) => (fitIntercept ? rows.reduce((s, r) => s + r[j], 0) / rows.length : 0));
  const [mx, my] = [mean(xs), mean(ys)], cx = xs.map(r => r.map((v, j) => v - mx[j])), cy = ys.map(r => r.map((v, j) => v - my[j]));
  const dot = (a, i, b, j) => a.reduce((s, r, k) => s + r[i] * b[k][j], 0);
  const g = mx.map((_, i) => mx.map((_, j) => dot(cx, i, cx, j) + (i === j ? alpha : 0))), c = mx.map((_, i) => my.map((_, k) => dot(cx, i, cy, k)));
  const o = solve(g, c), coef = my.map((_, k) => mx.map((_, i) => o[i][k]));
  return { coef, intercept: my.map((m, k) => m - coef[k].reduce((s, v, i) => s + v * mx[i], 0)) };
}

test('weights solve the normal equations, with and without an intercept, primal and dual', async () => {
  for (const [rows, n, q] of [[60, 5, 1], [40, 8, 3], [6, 9, 2]]) {
    for (const fitIntercept of [true, false]) {
      const { x, y } = linear(rows, n, q, { mean: fitIntercept ? 5 : 0 });
      for (const [alpha, solver] of [[0.5, 'primal'], [0.5, 'dual'], [40, 'primal'], [40, 'dual'], [1, 'auto']]) {
        const ridge = await new Ridge({ alpha, fitIntercept, solver }).fit(x, y), { coef, intercept } = await ridge.weights();
        const expected = reference(x, y, alpha, fitIntercept), where = `${[rows, n, q]} ${fitIntercept} ${alpha} ${solver}`;
        const scale = Math.max(...expected.coef.flat().map(Math.abs));
        close(coef.data, expected.coef.flat(), 1e-4 * scale, where);
        if (fitIntercept) close(intercept, expected.intercept, 1e-4 * scale * 5 * n * n, where);
        assert.equal(ridge.report.solver, solver === 'auto' ? (rows < n ? 'dual' : 'primal') : solver);
        assert.deepEqual((await ridge.predict(x)).shape, [rows, q]);
        ridge.dispose();
      }
    }
  }
});

test('means a thousand deviations away, of features and targets, cost no accuracy', async () => {
  const { x, y } = linear(300, 4, 1, { noise: 0, mean: 0 }), far = { data: x.data.map((v, i) => Math.fround(Math.round(v * 1024) / 1024) + 1024 * (i % 4 + 1)), shape: x.shape };
  const w = [0.5, -1, 2, 0.25], t = Float32Array.from({ length: 300 }, (_, i) => 4096 + w.reduce((s, v, j) => s + v * (far.data[i * 4 + j] - 1024 * (j + 1)), 0));
  const ridge = await new Ridge({ alpha: 1e-9 }).fit(far, t), { coef } = await ridge.weights();
  close(coef.data, w, 1e-4);
  assert.ok(y.data.length && 1 - await ridge.score(far, t) < 1e-6, `${await ridge.score(far, t)}`);
  ridge.dispose();
});

test('streams: rows in pieces, by partialFit, as all at once; labels too', async () => {
  const { x, y } = linear(90, 6, 2), whole = await new Ridge({ seed: 1 }).fit(x, y), stream = new Ridge({ seed: 1 });
  const part = ({ data, shape: [, n] }, begin, end) => ({ data: data.subarray(begin * n, end * n), shape: [end - begin, n] });
  for (const [begin, end, solve] of [[0, 7, false], [7, 8, false], [8, 60, true], [60, 90, undefined]]) {
    assert.equal(await stream.partialFit(part(x, begin, end), part(y, begin, end), { solve }), stream);
    assert.equal(stream.isFitted, end > 8);
  }
  const scale = Math.max(...(await whole.weights()).coef.data.map(Math.abs));
  close((await stream.weights()).coef.data, (await whole.weights()).coef.data, 1e-5 * scale);
  assert.deepEqual([stream.report.rows, whole.report.rows], [90, 90]);
  await whole.partialFit(x, y); // every row twice is half the penalty
  const half = await new Ridge({ alpha: 0.5 }).fit(x, y);
  close((await half.weights()).coef.data, (await whole.weights()).coef.data, 1e-5 * scale);
  const labels = Array.from({ length: 90 }, (_, i) => (y.data[2 * i] > y.data[2 * i + 1] + 1 ? 'first' : 'second'));
  const classifier = new RidgeClassifier();
  await classifier.partialFit(part(x, 0, 1), ['first'], { classes: ['second', 'first'], solve: false });
  await classifier.partialFit(part(x, 1, 90), labels.slice(1));
  assert.deepEqual(classifier.classes, ['second', 'first']);
  assert.ok(await classifier.score(x, labels) > 0.8);
  for (const one of [whole, stream, half, classifier]) one.dispose();
});

test('larger penalties: smaller weights, larger errors; the limits of both ends', async () => {
  const { x, y } = linear(50, 6, 2), norm = a => Math.hypot(...a), few = linear(5, 6, 2);
  const errorOf = async (ridge, x, y) => norm((await ridge.predict(x)).data.map((v, i) => v - y.data[i]));
  let [lastNorm, lastError] = [Infinity, 0];
  for (const alpha of [0, 0.3, 3, 30, 300, 1e4]) {
    const ridge = await new Ridge({ alpha }).fit(x, y), size = norm((await ridge.weights()).coef.data), error = await errorOf(ridge, x, y);
    assert.ok(size < lastNorm && error > lastError, `${alpha}: ${size} ${error}`);
    [lastNorm, lastError] = [size, error];
    ridge.dispose();
  }
  const huge = await new Ridge({ alpha: 1e7, fitIntercept: false }).fit(x, y), { coef } = await huge.weights();
  const c = reference(x, y, 1e7, false).coef.flat();
  close(coef.data, c, 1e-3 * Math.max(...c), 'T Y^T / alpha');
  const tiny = await new Ridge({ alpha: 1e-7, fitIntercept: false, solver: 'dual' }).fit(few.x, few.y);
  assert.ok(await errorOf(tiny, few.x, few.y) < 1e-3, 'fewer rows than features: met exactly');
  huge.dispose();
  tiny.dispose();
});

test('the penalty is chosen by rows held out or by GCV, primal as dual', async () => {
  const { x, y } = linear(40, 12, 1, { noise: 20, mean: 1 }), other = linear(200, 12, 1, { seed: 7, noise: 0, mean: 1 });
  const alphas = [1e-6, 1e-2, 1, 30, 1e3, 1e6];
  for (const selection of ['gcv', 'holdout']) {
    const options = { validationData: [other.x, other.y] }, reports = [];
    for (const solver of ['primal', 'dual']) {
      const ridge = await new Ridge({ alphas, selection, solver, seed: 5 }).fit(x, y, options), { alpha, path } = ridge.report;
      assert.deepEqual(path.alphas, alphas);
      assert.equal(path.errors[alphas.indexOf(alpha)], Math.min(...path.errors));
      reports.push(path.errors);
      ridge.dispose();
    }
    for (const [i, error] of reports[0].entries()) assert.ok(Math.abs(error - reports[1][i]) <= 1e-3 * error, `${selection} ${alphas[i]}: ${reports.map(r => r[i])}`);
  }
  const scores = [];
  for (const params of [{ alpha: 1e-6 }, { alphas: 'auto', selection: 'gcv' }, { alphas: 'auto', validationFraction: 0.3 }]) {
    const ridge = await new Ridge({ ...params, seed: 3 }).fit(x, y);
    scores.push(await ridge.score(other.x, other.y));
    if (params.alphas) assert.equal(ridge.report.path.alphas.length, 11);
    ridge.dispose();
  }
  assert.ok(scores[1] > scores[0], `${scores}`);
});

test('held-out rows are the same however a stream is cut', async () => {
  const { x, y } = linear(80, 5, 1, { noise: 3 }), params = { alphas: [1e-3, 1, 10], seed: 11, validationFraction: 0.25, solver: 'primal' };
  const whole = await new Ridge(params).fit(x, y), stream = new Ridge(params);
  const part = (a, n, begin, end) => ({ data: a.subarray(begin * n, end * n), shape: [end - begin, n] });
  for (const [begin, end] of [[0, 3], [3, 50], [50, 80]]) await stream.partialFit(part(x.data, 5, begin, end), part(y.data, 1, begin, end), { solve: end === 80 });
  close(stream.report.path.errors, whole.report.path.errors, 1e-3 * whole.report.path.errors[0]);
  assert.equal(stream.report.alpha, whole.report.alpha);
  whole.dispose();
  stream.dispose();
});

test('constant columns, equal columns, a single sample', async () => {
  const { x, y } = linear(30, 4, 1), data = x.data.map((v, i) => (i % 4 === 1 ? 7 : i % 4 === 3 ? x.data[i - 1] : v));
  const ridge = await new Ridge({ alpha: 1e-3 }).fit({ data, shape: x.shape }, y), { coef } = await ridge.weights();
  assert.ok(Math.abs(coef.data[1]) < 1e-6, 'what never changes explains nothing');
  assert.ok(Math.abs(coef.data[2] - coef.data[3]) < 1e-3 * Math.abs(coef.data[2]), `equal columns share: ${coef.data}`);
  const zero = await new Ridge({ alpha: 0 }).fit({ data, shape: x.shape }, y);
  assert.ok(zero.report.alpha >= 0 && Number.isFinite(await zero.score({ data, shape: x.shape }, y)), 'singular: the penalty that worked is told');
  const single = await new Ridge().fit([[1, 2]], [5]);
  assert.deepEqual([...(await single.predict([[9, 9]])).data], [5], 'one sample: its target is the best constant');
  for (const one of [ridge, zero, single]) one.dispose();
});

test('what can not be is refused, and leaves the estimator as it was', async () => {
  const { x, y } = linear(30, 4, 1), ridge = await new Ridge({ alpha: 2 }).fit(x, y), before = await ridge.weights();
  const bent = { data: x.data.map((v, i) => (i === 77 ? NaN : v)), shape: x.shape };
  for (const [run, code, message] of [
    [() => ridge.fit(bent, y), 'argument', /x: row 19, element 1 = NaN/], [() => ridge.partialFit(bent, y), 'argument', /row 19/],
    [() => ridge.partialFit([[1, 2]], [1]), 'shape', /x has shape \[1, 2\], expected \[rows, 4\] as before/],
    [() => ridge.partialFit(x, [...y.data]), 'shape', /y has shape \[30\], expected \[rows, 1\] as before/],
    [() => new Ridge({ solver: 'dual' }).partialFit(x, y), 'argument', /solver = "dual" keeps no sums/],
    [() => new Ridge({ alphas: [1, 2], validationFraction: 0.01, seed: 1 }).fit([[1], [2], [4]], [1, 2, 3]), 'argument', /0 of 3 rows are held out.*validationData/],
    [() => new Ridge({ alphas: [1, 2], selection: 'gcv' }).fit([[1]], [1]), 'argument', /too few rows to choose between 2 alphas/],
    [() => new RidgeClassifier().partialFit(x, Array(30).fill(1)), 'argument', /one class only \(1\)/],
    [() => new Ridge({ alphas: 'automatic' }), 'argument', /"auto"/], [() => new Ridge({ lambda: 1 }), 'argument', /unknown option "lambda"/],
  ]) await refuses(run, code, message);
  const classifier = new RidgeClassifier();
  await classifier.partialFit([[1], [2]], ['a', 'b']);
  await refuses(() => classifier.partialFit([[1]], ['c']), 'argument', /"c" is no class/);
  await refuses(() => classifier.partialFit([[1]], ['a'], { classes: ['a', 'c'] }), 'argument', /they were a,b before/);
  const abort = new AbortController();
  await assert.rejects(ridge.fit(x, y, { signal: abort.signal, onProgress: () => abort.abort() }), { name: 'AbortError' });
  assert.deepEqual(await ridge.weights(), before);
  const back = await loadEstimator(await ridge.save('bytes'));
  assert.ok(back instanceof Ridge);
  assert.deepEqual([await back.weights(), back.getParams()], [before, ridge.getParams()]);
  await refuses(() => back.partialFit(x, y), 'state', /left no sums/);
  for (const one of [ridge, back, classifier]) one.dispose();
});
