// Agreement of scores with ratings through JavaScript: values, intervals, and mistakes named.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { init } from '../../bindings/index.js';
import { krocc, mae, metrics, outlierRatio, plcc, rmse, srocc, statistics } from '../../bindings/quality/index.js';

const refused = (code, message) => ({ name: 'HeddleError', code, message });
const x = [1, 2, 2, 3], y = [1, 3, 2, 4];

test('values counted by hand', async () => {
  assert.ok(Math.abs(await srocc(x, y) - 0.9486832980505138) < 1e-15);
  assert.ok(Math.abs(await krocc(x, Float32Array.from(y)) - 5 / Math.sqrt(30)) < 1e-15);
  assert.ok(Math.abs(await plcc({ data: x, shape: [4, 1] }, y) - 3 / Math.sqrt(10)) < 1e-15);
  assert.equal(await mae(x, { data: y, shape: [4] }), 0.5);
  assert.ok(Math.abs(await rmse(x, y) - Math.sqrt(0.5)) < 1e-15);
  assert.equal(await outlierRatio(x, y, [0.4, 0.5, 1, 0.49]), 0.25);
  assert.equal(await metrics.plcc([1, 1], [0, 1]), NaN);
});

test('all at once, with intervals that depend on nothing but the seed', async () => {
  const ratings = Array.from({ length: 60 }, (_, i) => i + 0.5), scores = ratings.map((value, i) => value + 9 * Math.sin(7 * i));
  const all = await statistics(scores, ratings, { seed: 3, resamples: 300 });
  assert.deepEqual(Object.keys(all), ['plcc', 'srocc', 'krocc', 'rmse', 'mae', 'intervals']);
  assert.equal(all.krocc, await krocc(scores, ratings));
  for (const [name, [low, high]] of Object.entries(all.intervals)) assert.ok(low < all[name] && all[name] < high, name);
  await init({ threads: 3, worker: true });
  const same = await statistics(scores, ratings, { seed: 3, resamples: 300, std: new Float64Array(60).fill(4) });
  assert.deepEqual(Object.fromEntries(Object.entries(same.intervals).slice(0, 5)), all.intervals);
  assert.ok(same.outlierRatio > 0 && same.intervals.outlierRatio[0] <= same.outlierRatio);
  assert.notDeepEqual((await statistics(scores, ratings, { seed: 4, resamples: 300 })).intervals, all.intervals);
  assert.deepEqual(Object.keys(await statistics(scores, ratings, { resamples: 0 })), ['plcc', 'srocc', 'krocc', 'rmse', 'mae']);
});

test('mistakes are named', async () => {
  await assert.rejects(plcc([1, 2], [1, 2, 3]), refused('shape', 'plcc: y: has 3 numbers, expected 2 as there are scores'));
  await assert.rejects(srocc([[1, 2], [3, 4]], [1, 2]), refused('shape', 'srocc: q: is 2 x 2, expected one number a row'));
  await assert.rejects(krocc([1], [1]), refused('argument', /1 pairs of score and rating, expected 2/));
  await assert.rejects(rmse([1, NaN], [1, 2]), refused('argument', /q\[1\] = nan/i));
  await assert.rejects(outlierRatio([1, 2], [1, 2]), refused('argument', /std is missing/));
  await assert.rejects(statistics([1, 2], [1, 2], { confidence: 95 }), refused('argument', /confidence = 95/));
  await assert.rejects(statistics([1, 2], [1, 2], { resample: 5 }), refused('argument', /did you mean "resamples"/));
});
