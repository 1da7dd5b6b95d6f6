// Judges of pictures: training on features and on pictures, what stays, what is refused, and going on after an interruption.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { removeCheckpoint } from '../../bindings/checkpoints/index.js';
import { writeNpy } from '../../bindings/files/index.js';
import { resize } from '../../bindings/images/index.js';
import { info, load, losses } from '../../bindings/index.js';
import { featureCache, loadQualityModel, mapping, qualityModel, srocc } from '../../bindings/quality/index.js';
import { tunedModel } from '../../bindings/quality/network.js';
import { preprocess } from '../../bindings/quality/pictures.js';
import { pictureRows } from '../../bindings/quality/rows.js';
import { connect } from '../../bindings/session.js';
import { bits, classifier, close, fresh, numbers, refuses } from './modelkit.js';
import { bytes, floats, golden, near } from './pixelkit.js';

before(() => fresh());
const folder = mkdtempSync(join(tmpdir(), 'heddle-quality-'));
after(() => rmSync(folder, { recursive: true }));

const levels = [6, 10], features = 16;

/** Features, and ratings around 60 that they say something about. */
function rated(rows, seed = 1) {
  const data = numbers(rows * features, seed).map(v => v - 0.5), w = numbers(features, 99).map(v => v - 0.5);
  const scores = Float64Array.from({ length: rows }, (_, i) => 60 + 15 * w.reduce((sum, v, k) => sum + v * data[i * features + k], 0));
  return { images: { data, shape: [rows, features] }, scores };
}

const heads = options => qualityModel({ backbone: 'features', levels, encoder: [12, 8], seed: 5, ...options });
const quick = { epochs: 4, learningRate: 1e-2 };

/** Pictures of grey noise: the more, the worse its rating. */
function pictures(count, seed = 1) {
  const sources = [], scores = [];
  for (let i = 0; i < count; i++) {
    const amount = (i * 7 % count) / count, noise = numbers(40 * 50 * 3, seed + i);
    sources.push({ name: `noise ${i}`, source: { data: Uint8Array.from(noise, v => 128 + amount * 200 * (v - 0.5)), width: 50, height: 40 } });
    scores.push(100 - 90 * amount);
  }
  return { sources, scores };
}

const small = options => qualityModel({ backbone: 'small', preprocessing: { size: [32, 40] }, encoder: [8], seed: 5, ...options });

test('trained on features: the best epoch by rank correlation stays, and the line on the training scores', async () => {
  const train = rated(83), valid = rated(40, 2), judge = await heads(), reports = [];
  assert.equal(judge.mapping, null);
  const report = await judge.fit(train.images, train.scores, { ...quick, validationData: [valid.images, valid.scores], onEpochEnd: (...told) => { reports.push(told); } });
  assert.deepEqual(report.epochs, reports.map(([, one]) => one));
  for (const [, one, { scores, ratings }] of reports) {
    assert.equal(await srocc(scores, ratings), one.srocc);
    assert.deepEqual(ratings, Float64Array.from(valid.scores));
  }
  assert.deepEqual(reports.map(([epoch]) => epoch), [0, 1, 2, 3]);
  const best = Math.max(...report.epochs.map(epoch => epoch.srocc));
  assert.equal(report.epochs[report.bestEpoch].srocc, best);
  assert.ok(best > 0.6, `${best}`);
  assert.equal(await srocc(await judge.score(valid.images), valid.scores), best, 'the weights are those of the best epoch');
  // least squares: what is left is orthogonal to the scores and to one
  const q = await judge.score(train.images), left = train.scores.map((y, i) => y - q[i]), mean = q.reduce((a, b) => a + b) / q.length;
  assert.ok(Math.abs(left.reduce((a, b) => a + b)) <= 1e-3 && Math.abs(left.reduce((sum, d, i) => sum + d * (q[i] - mean), 0)) <= 1e-2);
  const { plcc, rmse, scores } = await judge.evaluate(valid.images, valid.scores, { resamples: 0 });
  assert.ok(plcc > 0.6 && rmse > 0 && scores.length === 40);
  assert.deepEqual(await judge.score(writeNpy(valid.images)), scores, 'features from a file');
  judge.dispose();
});

test('the published initialisation: uniform within 1 / sqrt(inputs), kernels and biases', async () => {
  const judge = await qualityModel({ backbone: 'features', levels: [400], seed: 1 }), weights = await judge.network.getWeights();
  for (const [name, inputs] of [['level1.fc1', 400], ['level1.fc2', 1024], ['level1.fc3', 256], ['aux1', 64], ['main', 64]]) {
    for (const part of ['kernel', 'bias']) {
      const { data } = weights[`${name}/${part}`], most = data.reduce((most, v) => Math.max(most, Math.abs(v)), 0) * Math.sqrt(inputs);
      assert.ok(most <= 1.000001 && (data.length < 100 || most > 0.95), `${name}/${part}: ${most}`);
    }
  }
  assert.deepEqual(weights['level1.fc1/kernel'].shape, [1024, 400]);
  judge.dispose();
});

test('batch normalisation: the batch in training, running statistics with the unbiased variance at inference', async () => {
  const { images, scores } = rated(8), judge = await heads({ levels: [16], normalizeEnd: true }), old = await judge.network.getWeights();
  await judge.fit(images, scores, { epochs: 1, batchSize: 8, learningRate: 1e-30, loss: 'meanSquaredError' });
  const now = await judge.network.getWeights(), kernel = old['level1.fc1/kernel'].data, bias = old['level1.fc1/bias'].data;
  for (let unit = 0; unit < 12; unit++) {
    const values = Array.from({ length: 8 }, (_, i) => images.data.subarray(i * 16, i * 16 + 16).reduce((sum, v, k) => sum + v * kernel[unit * 16 + k], bias[unit]));
    const mean = values.reduce((a, b) => a + b) / 8, variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / 7;
    assert.ok(Math.abs(now['level1.bn1/runningMean'].data[unit] - 0.1 * mean) <= 1e-6);
    assert.ok(Math.abs(now['level1.bn1/runningVariance'].data[unit] - (0.9 + 0.1 * variance)) <= 1e-6);
  }
  assert.deepEqual(['gamma', 'beta', 'runningMean', 'runningVariance'].map(name => now[`main/${name}`].shape), [[1], [1], [1], [1]]);
  assert.notEqual(now['main/runningMean'].data[0], 0);
  // long training at a vanishing rate: the running statistics come to those of the only batch, and inference to training (but for n / (n - 1))
  const many = rated(200, 3);
  await judge.fit(many.images, many.scores, { epochs: 150, batchSize: 200, learningRate: 1e-30, loss: 'meanSquaredError', schedule: null });
  const { data } = await judge.network.predict(many.images, { output: 'main' }), m = data.reduce((a, b) => a + b) / 200;
  assert.ok(Math.abs(m) <= 1e-2 && Math.abs(data.reduce((sum, v) => sum + (v - m) ** 2, 0) / 200 - 1) <= 0.02, `${m}`);
  judge.dispose();
});

test('a file brings back the judge: scores, mapping, preprocessing', async () => {
  const { images, scores } = rated(50), judge = await heads({ reluEach: true });
  await judge.fit(images, scores, quick);
  const back = await loadQualityModel(await judge.save('bytes'));
  assert.deepEqual(await back.score(images), await judge.score(images));
  assert.deepEqual([back.mapping, back.report], [judge.mapping, judge.report]);
  const eye = await small({ preprocessing: { size: [32, 40], first: [36, 36] }, levels: ['stage2', 'stage4'], pooling: 'averageStd' }), again = await loadQualityModel(await eye.save('bytes'));
  assert.deepEqual(again.preprocessing, { size: [32, 40], first: [36, 36], normalization: 'torchvision' });
  const { sources } = pictures(3);
  assert.deepEqual(await again.score(sources), await eye.score(sources));
  await refuses(async () => loadQualityModel(await judge.network.save('bytes', { metadata: {} })), 'file', /no quality model/);
  const metadata = { ...judge.network.metadata, quality: (await load(await judge.save('bytes'))).metadata.quality, report: { epochs: 3, bestEpoch: 0 } };
  await refuses(async () => loadQualityModel(await judge.network.save('bytes', { metadata })), 'file', /report of the training is damaged/);
  for (const one of [judge, back, eye, again]) one.dispose();
});

test('an interrupted training goes on to the same bits', async () => {
  const train = rated(67), valid = rated(30, 2), checkpoint = join(folder, 'training.safetensors');
  const options = { ...quick, epochs: 6, validationData: [valid.images, valid.scores], seed: 11 };
  const whole = await heads(), expected = await whole.fit(train.images, train.scores, options);
  for (const stop of [0, 3]) {
    const controller = new AbortController(), first = await heads();
    const onEpochEnd = epoch => { if (epoch === stop) controller.abort(); };
    await assert.rejects(first.fit(train.images, train.scores, { ...options, checkpoint, signal: controller.signal, onEpochEnd }), { name: 'AbortError' });
    assert.equal(first.report.epochs.length, stop + 1);
    assert.equal(await srocc(await first.score(valid.images), valid.scores), Math.max(...first.report.epochs.map(one => one.srocc)), 'the best weights so far stay');
    assert.notEqual(first.mapping, null);
    const second = await heads({ seed: 77 });
    const report = await second.fit(train.images, train.scores, { ...options, checkpoint, resume: true });
    assert.deepEqual(report.epochs, expected.epochs);
    assert.deepEqual(await bits(second.network), await bits(whole.network));
    assert.deepEqual(second.mapping, whole.mapping);
    await removeCheckpoint(checkpoint);
    for (const judge of [first, second]) judge.dispose();
  }
  const other = await heads();
  await other.fit(train.images, train.scores, { ...options, checkpoint, resume: true, epochs: 1 }); // nothing to go on from
  await refuses(() => other.fit(train.images, train.scores, { ...options, checkpoint, resume: true }), 'argument', /made with epochs = 1, this training has 6/);
  await refuses(() => other.fit(train.images, train.scores, { ...options, resume: true }), 'argument', /resume needs a checkpoint/);
  for (const end of ['.a', '.b']) writeFileSync(checkpoint + end, readFileSync(await saved(other)));
  await refuses(() => other.fit(train.images, train.scores, { ...options, checkpoint, resume: true }), 'file', /no generation is whole.*it is no checkpoint of heddle/);
  const plain = await classifier(), stop = new AbortController();
  const run = plain.fit([[1, 2, 3, 4]], [0], { epochs: 2, checkpoint: { store: checkpoint, resume: false }, signal: stop.signal, onEpochEnd: () => stop.abort() });
  await assert.rejects(run, { name: 'AbortError' });
  await refuses(() => other.fit(train.images, train.scores, { ...options, checkpoint, resume: true }), 'file', /is no checkpoint of a quality model/);
});

test('so does one of the whole network, statistics of its batch normalisations included', async () => {
  const { sources, scores } = pictures(12), checkpoint = join(folder, 'whole.safetensors'), options = { epochs: 3, batchSize: 5, learningRate: 1e-3, fineTunedRate: 0.5, seed: 2 };
  const [whole, first, second] = [await small(), await small(), await small()], controller = new AbortController();
  await whole.fit(sources, scores, options);
  await assert.rejects(first.fit(sources, scores, { ...options, checkpoint, signal: controller.signal, onEpochEnd: epoch => { if (epoch === 1) controller.abort(); } }), { name: 'AbortError' });
  await second.fit(sources, scores, { ...options, checkpoint, resume: true });
  assert.deepEqual(await bits(second.network), await bits(whole.network));
  assert.deepEqual(await second.score(sources), await whole.score(sources));
  for (const judge of [whole, first, second]) judge.dispose();
});

/** @param {import('../../bindings/quality/model.js').QualityModel} judge */
async function saved(judge) {
  const path = join(folder, 'judge.safetensors');
  await judge.save(path);
  return path;
}

test('pictures: trained from the start, unreadable ones left out and listed', async () => {
  const { sources, scores } = pictures(17), judge = await small();
  sources[4] = { name: 'broken.jpg', source: Uint8Array.of(255, 216, 1, 2) };
  sources[9] = join(folder, 'nowhere.png');
  const phases = new Set(), report = await judge.fit(sources, scores, { epochs: 2, batchSize: 7, learningRate: 1e-3, onProgress: ({ phase }) => { phases.add(phase); } });
  assert.deepEqual([...phases], ['pictures', 'training']);
  assert.deepEqual(report.skipped.map(({ index, name }) => [index, name]), [[4, 'broken.jpg'], [9, sources[9]]]);
  assert.match(report.skipped[0].reason, /can't be decoded/);
  const seen = [], all = await judge.score(sources, { onScore: (index, score) => { seen[index] = score; } });
  assert.deepEqual([...all.keys()].filter(i => Number.isNaN(all[i])), [4, 9]);
  assert.deepEqual(seen, [...all]);
  assert.equal(judge.report.skipped.length, 2);
  let count = 0;
  for await (const { index, score, reason } of judge.scores((function* () { yield* sources; })())) {
    assert.ok(Object.is(score, all[index]) && (reason === undefined) === !Number.isNaN(score));
    count++;
  }
  assert.equal(count, 17);
  const { scores: kept, srocc: rank } = await judge.evaluate(sources, scores, { resamples: 0 });
  assert.ok(kept.length === 17 && rank >= -1 && rank <= 1);
  judge.dispose();
});

test('scoring many pictures takes no more memory than scoring a few', async () => {
  const judge = await small(), { sources } = pictures(4), heap = [], used = [];
  const folder = async function* () { for (let i = 0; i < 60; i++) yield sources[i % 4]; };
  for await (const { index, score } of judge.scores(folder())) {
    assert.ok(Number.isFinite(score));
    if (index % 20 === 19) {
      heap.push(info().memory.heap);
      used.push(info().memory.used);
    }
  }
  assert.deepEqual([heap, used], [[heap[0], heap[0], heap[0]], [used[0], used[0], used[0]]]);
  judge.dispose();
});

test('the rate of the backbone: 0 leaves its weights as they are, bit by bit, whether or not statistics move', async () => {
  const { sources, scores } = pictures(12), isFront = name => /^stage/.test(name);
  const changed = async options => {
    const judge = await small(), old = await bits(judge.network);
    await judge.fit(sources, scores, { epochs: 1, batchSize: 6, learningRate: 1e-3, ...options });
    const now = await bits(judge.network), names = now.filter((line, i) => line !== old[i]).map(line => line.split(' ')[0]);
    judge.dispose();
    return names;
  };
  const [frozen, published, tuned, both] = [await changed({ fineTunedRate: 0 }), await changed({ fineTunedRate: 0, freezeStatistics: false }),
    await changed({ fineTunedRate: 0.1 }), await changed({ fineTunedRate: 0.1, freezeStatistics: true })];
  assert.ok(frozen.length > 0 && !frozen.some(isFront));
  assert.deepEqual([...new Set(published.filter(isFront).map(name => name.split('/')[1]))].sort(), ['runningMean', 'runningVariance']);
  assert.equal(published.filter(isFront).length, 8);
  assert.equal(tuned.filter(isFront).length, 20);
  assert.ok(both.some(isFront) && !both.filter(isFront).some(name => /running/.test(name)));
});

test('a backbone that is trained from a stage on: what stands before it stays, its statistics too', async () => {
  const { sources, scores } = pictures(12), judge = await small(), old = await bits(judge.network);
  await judge.fit(sources, scores, { epochs: 2, batchSize: 6, learningRate: 1e-3, fineTunedRate: 0.5, fineTunedFrom: 'stage3' });
  const now = await bits(judge.network), changed = now.filter((line, i) => line !== old[i]).map(line => line.split(' ')[0]).filter(name => /^stage/.test(name));
  assert.deepEqual([...new Set(changed.map(name => name.split('/')[0]))].sort(), ['stage3', 'stage3.conv', 'stage4', 'stage4.conv']);
  assert.equal(changed.length, 10);
  const isFrozen = ({ weights }) => Object.values(weights ?? {}).every(({ frozen }) => frozen); // so that no gradients are worked out for them
  const front = tunedModel(judge.network.description, 2, { rate: 0.5, fixed: false, from: 'stage3' }).nodes.filter(({ name }) => /^stage/.test(name));
  assert.deepEqual(front.filter(isFrozen).map(({ name }) => name), ['stage1.conv', 'stage1', 'stage2.conv', 'stage2']);
  await refuses(() => judge.fit(sources, scores, { fineTunedFrom: 'stage5' }), 'argument', /fineTunedFrom: no node "stage5" in the backbone, did you mean "stage/);
  await refuses(() => judge.fit(sources, scores, { fineTunedFrom: 'main' }), 'argument', /fineTunedFrom: no node "main" in the backbone/);
  await refuses(() => judge.fit(sources, scores, { fineTunedRate: 0, fineTunedFrom: 'stage3' }), 'argument', /fineTunedFrom is for training the backbone, fineTunedRate is 0/);
  judge.dispose();
});

test('parts of pictures: at every place, mirrored or not, and no others', async () => {
  const pixels = start => ({ data: Uint8Array.from({ length: 3 * 4 * 3 }, (_, i) => start + i), shape: [3, 4, 3] }), rows = [pixels(0), pixels(100)];
  const part = ({ data }, top, left, flip) => [0, 1].flatMap(y => [0, 1, 2].flatMap(x => [...data.subarray(((top + y) * 4 + left + (flip ? 2 - x : x)) * 3).subarray(0, 3)]));
  const state = numbers(6000), seen = [new Map(), new Map()];
  let at = 0;
  const take = pictureRows(rows, { crop: [2, 3], mirror: true }).take;
  for (let i = 0; i < 1000; i++) {
    const { data, shape } = await take([1, 0], () => state[at++]);
    assert.deepEqual(shape, [2, 2, 3, 3]);
    [data.subarray(0, 18), data.subarray(18)].forEach((one, k) => seen[k].set(`${one}`, (seen[k].get(`${one}`) ?? 0) + 1));
  }
  assert.equal(at, 6000);
  for (const [k, row] of [[0, rows[1]], [1, rows[0]]]) {
    const wanted = [0, 1].flatMap(top => [0, 1].flatMap(left => [false, true].map(flip => `${part(row, top, left, flip)}`)));
    assert.deepEqual([...seen[k].keys()].sort(), wanted.sort());
    assert.ok([...seen[k].values()].every(count => count > 80 && count < 170), `${[...seen[k].values()]}`); // 125 +- 10
  }
  const whole = await take([1, 0]);
  assert.deepEqual([whole.shape, whole.data], [[2, 3, 4, 3], Uint8Array.from([...rows[1].data, ...rows[0].data])]);
  const flipped = await pictureRows(rows, { mirror: true }).take([0], () => 0.75), plain = await pictureRows(rows, { crop: [2, 3] }).take([0], () => 0.75);
  assert.deepEqual([...flipped.data].slice(0, 12), [9, 10, 11, 6, 7, 8, 3, 4, 5, 0, 1, 2]);
  assert.deepEqual([...plain.data], part(rows[0], 1, 1, false));
});

test('the last pass over the pictures, for the line, can be stopped: the weights stay, on a scale of their own', async () => {
  const { sources, scores } = pictures(100), [judge, plain] = [await small(), await small()], controller = new AbortController(), options = { epochs: 2, batchSize: 6, learningRate: 1e-3 };
  const fresh = await plain.network.getWeights();
  await plain.fit(sources, scores, options);
  await judge.fit(sources, scores, { ...options, epochs: 1 });
  await judge.network.setWeights(fresh);
  const client = await connect(), { call } = client, onEpochEnd = epoch => {
    if (epoch === 1) client.call = (method, ...rest) => { // the training is over by then, the pass begins
      const reply = call.call(client, method, ...rest);
      if (method === 'predict') controller.abort();
      return reply;
    };
  };
  await assert.rejects(judge.fit(sources, scores, { ...options, signal: controller.signal, onEpochEnd }), { name: 'AbortError' });
  client.call = call;
  assert.deepEqual(await bits(judge.network), await bits(plain.network));
  assert.deepEqual([judge.mapping, judge.report.epochs.length], [null, 2]);
  await judge.fit(sources, scores, options);
  assert.notEqual(judge.mapping, null);
  for (const one of [judge, plain]) one.dispose();
});

test('trained on parts of pictures, a judge is chosen by whole ones, and goes on to the same bits', async () => {
  const { sources, scores } = pictures(14), valid = pictures(9, 50), checkpoint = join(folder, 'parts.safetensors');
  const options = { epochs: 4, batchSize: 5, learningRate: 3e-3, crop: [16, 24], mirror: true, validationData: [valid.sources, valid.scores], seed: 3 };
  const [whole, first, second, plain] = [await small(), await small(), await small(), await small()], controller = new AbortController();
  const { epochs, bestEpoch } = await whole.fit(sources, scores, options), all = await whole.evaluate(valid.sources, valid.scores, { resamples: 0 });
  close([all.srocc, all.plcc], [epochs[bestEpoch].srocc, epochs[bestEpoch].plcc], 1e-6);
  assert.ok(epochs.every(one => all.srocc >= one.srocc));
  const expected = await mapping.linear((await whole.score(sources)), scores);
  close(expected.coefficients, [0, 1], 1e-3, 'the line is that of whole pictures');
  await assert.rejects(first.fit(sources, scores, { ...options, checkpoint, signal: controller.signal, onEpochEnd: epoch => { if (epoch === 1) controller.abort(); } }), { name: 'AbortError' });
  await refuses(() => second.fit(sources, scores, { ...options, checkpoint, resume: true, crop: [16, 16] }), 'argument', /made with crop = 16,24, this training has 16,16/);
  assert.deepEqual((await second.fit(sources, scores, { ...options, checkpoint, resume: true })).epochs, epochs);
  assert.deepEqual(await bits(second.network), await bits(whole.network));
  assert.notDeepEqual((await plain.fit(sources, scores, { ...options, mirror: false })).epochs, epochs);
  for (const crop of [[33, 24], [16, 41], [8, 16], [16], 16]) await refuses(() => plain.fit(sources, scores, { crop }), 'argument', /crop: expected \[height, width\], whole numbers from 16, at most \[32, 40\]/);
  for (const judge of [whole, first, second, plain]) judge.dispose();
});

test('features are kept: an interrupted pass goes on, and other weights have others', async () => {
  const { sources, scores } = pictures(9), where = join(folder, 'features'), controller = new AbortController(), judge = await small();
  const cache = featureCache(where), options = { epochs: 1, fineTunedRate: 0, learningRate: 1e-3, seed: 1 };
  const onProgress = ({ phase, done }) => { if (phase === 'features' && done === 4) controller.abort(); };
  await assert.rejects(judge.fit(sources, scores, { ...options, cache, onProgress, signal: controller.signal }), { name: 'AbortError' });
  assert.equal(cache.size, 4);
  const again = featureCache(where);
  await again.open();
  assert.equal(again.size, 4);
  await judge.fit(sources, scores, { ...options, cache: again });
  assert.equal(again.size, 9);
  const files = readdirSync(where).length, plain = await small();
  await plain.fit(sources, scores, options);
  assert.deepEqual(await bits(judge.network), await bits(plain.network), 'features from files are the same');
  const third = await small();
  await third.fit(sources, scores, { ...options, cache: where });
  assert.equal(readdirSync(where).length, files, 'nothing new was computed');
  assert.deepEqual(await bits(third.network), await bits(plain.network));
  const other = await small({ seed: 6 });
  await other.fit(sources, scores, { ...options, cache: again });
  assert.equal(again.size, 18);
  await again.clear();
  assert.deepEqual([again.size, readdirSync(where).length], [0, 0]);
  await refuses(() => judge.fit(sources, scores, { cache: where }), 'argument', /cache: features are only kept with fineTunedRate 0/);
  await refuses(() => featureCache('https://example.org/'), 'argument', /expected opfs/);
  for (const one of [judge, plain, third, other]) one.dispose();
});

test('features of pictures are what the heads would see, of those that could be read', async () => {
  const { sources } = pictures(6), judge = await small(), taken = [];
  sources[2] = { name: 'broken.jpg', source: Uint8Array.of(255, 216, 1, 2) };
  const { data, shape, rows } = await judge.features(sources, { onDone: (done) => { taken.push(done); } });
  assert.deepEqual([rows, taken, shape[0], data.length], [[0, 1, 3, 4, 5], [1, 2, 3, 4, 5, 6], 5, 5 * shape[1]]);
  assert.deepEqual(judge.report.skipped.map(({ name }) => name), ['broken.jpg']);
  const seen = await resize({ data: sources[3].source.data, shape: [40, 50, 3] }, { height: 32, width: 40, method: 'bilinear' });
  const pooled = await judge.network.predict({ data: seen.data, shape: [1, 32, 40, 3] }, { output: judge.levels.map((_, i) => `level${i + 1}`) });
  assert.deepEqual(data.slice(2 * shape[1], 3 * shape[1]), Float32Array.from(pooled.flatMap((level) => [...level.data])));
  const table = await heads();
  await refuses(() => table.features(sources), 'unsupported', /takes features, not pictures/);
  for (const one of [judge, table]) one.dispose();
});

test('local scores: patches over the whole picture; a patch of its size is the picture', async () => {
  const { sources, scores } = pictures(10), judge = await small();
  await judge.fit(sources, scores, { epochs: 1, learningRate: 1e-3, fineTunedRate: 0 });
  const map = await judge.localScores(sources[3], { patch: 16, stride: 8 });
  assert.deepEqual([map.shape, map.rows, map.columns, map.patch, map.size], [[3, 4], [0, 8, 16], [0, 8, 16, 24], [16, 16], [32, 40]]);
  assert.ok(map.data.length === 12 && map.data.every(Number.isFinite) && new Set(map.data).size > 1);
  const whole = await judge.localScores(sources[3], { patch: 40 });
  assert.deepEqual(whole.shape, [1, 1]);
  close(whole.data, await judge.score([sources[3]]), 1e-5);
  await refuses(() => judge.localScores(sources[3], { patch: 41 }), 'argument', /patch = 41, expected at most 40/);
  judge.dispose();
});

test('what is wrong with data and options is said', async () => {
  const { images, scores } = rated(12), judge = await heads(), eye = await small(), { sources } = pictures(3);
  const one = (list, i, value) => list.map((old, k) => (k === i ? value : old));
  await refuses(() => judge.fit(images, scores.subarray(1)), 'shape', /fit: scores: 11 numbers for 12 pictures/);
  await refuses(() => judge.fit(images, one(scores, 3, NaN)), 'argument', /fit: scores: number 3 is NaN/);
  await refuses(() => judge.fit(images, scores.map(() => 7)), 'argument', /all 12 ratings are 7: there is nothing to learn/);
  await refuses(() => judge.fit({ data: images.data.subarray(0, 16), shape: [1, 16] }, [3]), 'argument', /1 rated pictures that can be read, expected at least 2/);
  await refuses(() => judge.fit({ data: images.data.subarray(0, 30), shape: [2, 15] }, [1, 2]), 'shape', /rows have 15 features, expected 16 \(levels of 6 and 10\)/);
  await refuses(() => judge.fit({ data: images.data.map((v, i) => (i === 20 ? NaN : v)), shape: [12, 16] }, scores), 'argument', /row 1, feature 4 is NaN/);
  await refuses(() => judge.fit(images, scores, { batchSize: 1 }), 'argument', /batchSize = 1, expected a whole number from 2/);
  await refuses(() => judge.fit(images, scores, { fineTunedRate: 0 }), 'argument', /fineTunedRate is for models that see pictures/);
  await refuses(() => judge.fit(images, scores, { validationData: [images, scores.subarray(2)] }), 'shape', /validationData: scores: 10 numbers for 12/);
  await refuses(() => judge.fit(images, scores, { epoch: 3 }), 'argument', /did you mean "epochs"/);
  await refuses(() => eye.fit([sources[0], undefined, sources[2]], [1, 2, 3]), 'argument', /picture 1 is missing: got undefined/);
  await refuses(() => eye.fit('a.png', [1]), 'argument', /expected a list of pictures, got/);
  await refuses(() => eye.fit([Uint8Array.of(1), Uint8Array.of(2), sources[0]], [1, 2, 3], { fineTunedRate: 0 }), 'argument', /2 pictures could not be read, the first: picture 0/);
  await refuses(() => judge.localScores(sources[0]), 'unsupported', /takes features/);
  await refuses(() => qualityModel({ backbone: 'resnet19' }), 'argument', /did you mean "resnet18"/);
  await refuses(() => qualityModel({ backbone: 'features' }), 'argument', /the number of features of each level is needed/);
  await refuses(() => small({ levels: ['stage5'] }), 'argument', /no node "stage5" in small, did you mean/);
  await refuses(() => qualityModel({ backbone: 'resnet18', levels: ['layer5'] }), 'argument', /levels: no stage "layer5"/);
  await refuses(() => small({ preprocessing: { size: 224 } }), 'argument', /size: expected \[height, width\]/);
  const running = judge.fit(images, scores, quick);
  await refuses(() => judge.fit(images, scores, quick), 'state', /is being fitted/);
  await running;
  for (const each of [judge, eye]) each.dispose();
});

test('backbones have the published levels, and their first layer normalises with the mean and deviation of ImageNet', async () => {
  const wanted = { resnet18: [256, 512], resnet34: [256, 512], resnet50: [1024, 2048], alexnetFeatures: [256, 256], vgg16Features: [512, 512], small: [64, 96] };
  const pixels = Uint8Array.from({ length: 64 * 96 * 3 }, (_, i) => (i * 7919) % 256);
  for (const [backbone, sizes] of Object.entries(wanted)) {
    const judge = await qualityModel({ backbone, preprocessing: { size: [64, 96] }, encoder: [8], seed: 1 }), shapeOf = name => judge.network.layers.find(layer => layer.name === name).outputShape;
    assert.deepEqual([shapeOf('level1'), shapeOf('level2'), shapeOf('main')], [[sizes[0]], [sizes[1]], [1]], backbone);
    const { data } = await judge.network.predict({ data: pixels, shape: [1, 64, 96, 3] }, { output: 'preprocessing' });
    close(data, Float32Array.from(pixels, (v, i) => (v / 255 - [0.485, 0.456, 0.406][i % 3]) / [0.229, 0.224, 0.225][i % 3]), 1e-5, backbone);
    judge.dispose();
  }
  const wide = await small({ pooling: 'averageStd', levels: ['stage1', 'stage3'] }), { data } = await wide.network.predict(pixels.subarray(0, 32 * 40 * 3), { output: 'level1' });
  const [map] = await wide.network.predict(pixels.subarray(0, 32 * 40 * 3), { output: ['stage1'] });
  for (let c = 0; c < 16; c++) {
    const values = Array.from({ length: map.data.length / 16 }, (_, i) => map.data[16 * i + c]), mean = values.reduce((a, b) => a + b) / values.length;
    close([data[c], data[16 + c]], [mean, Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length)], 1e-5);
  }
  wide.dispose();
});

test('a picture becomes what PIL and torchvision make of it: decoded, 498 x 664, normalised', async () => {
  for (const { name, first, file, values } of golden('preprocess.json').cases) {
    const judge = await small({ preprocessing: { size: [498, 664], ...first && { first } } }), seen = await preprocess(bytes(file), judge.preprocessing);
    const { data } = await judge.network.predict({ data: seen.data, shape: [1, 498, 664, 3] }, { output: 'preprocessing', batchSize: 1 });
    assert.equal(data.length, 498 * 664 * 3);
    near(data.filter((_, i) => i % 997 === 0), floats(values), 2e-6, name);
    judge.dispose();
  }
});

test('the losses of the comparison all run, on any scale of ratings', async () => {
  const { images, scores } = rated(40);
  for (const [loss, normalizeEnd] of [[losses.normInNorm({ p: 1, q: 2 }), false], ['meanAbsoluteError', false], ['meanSquaredError', true]]) {
    const judge = await heads({ normalizeEnd }), { epochs } = await judge.fit(images, scores, { ...quick, loss });
    assert.ok(epochs.length === 4 && epochs.every(epoch => Number.isFinite(epoch.loss)));
    judge.dispose();
  }
  const [a, b] = [await heads(), await heads()]; // Norm-in-Norm does not see the scale
  await a.fit(images, scores, quick);
  await b.fit(images, scores.map(y => (y - 60) / 16), quick);
  close(await a.score(images), (await b.score(images)).map(q => 16 * q + 60), 0.05);
  for (const judge of [a, b]) judge.dispose();
});

const data = process.env.HEDDLE_DATA, weights = data && join(data, 'weights', 'resnet18_imagenet_conv1-layer3_bnfolded_f32.safetensors');
test('a real trunk: folded statistics, features that say something about quality', { skip: !weights || !existsSync(weights) ? 'HEDDLE_DATA does not name the folder with weights/ and iqa/' : false, timeout: 300_000 }, async () => {
  const clive = join(data, 'iqa', 'clive'), [head, ...lines] = readFileSync(join(clive, 'clive_scores.csv'), 'utf8').trim().split('\n').map(line => line.split(','));
  const rows = lines.filter((_, i) => i % 24 === 0), files = rows.map(row => join(clive, 'images', row[head.indexOf('file')].split('/').at(-1)));
  const scores = rows.map(row => Number(row[head.indexOf('mos')])), options = { backbone: 'resnet18', levels: ['layer2', 'layer3'], weights, preprocessing: { size: [224, 300] }, seed: 1 };
  const judge = await qualityModel(options);
  await refuses(() => judge.fit(files, scores, { freezeStatistics: false }), 'argument', /folded into its convolutions/);
  await judge.fit(files, scores, { fineTunedRate: 0, epochs: 6, learningRate: 1e-3 });
  const { plcc } = await judge.evaluate(files, scores, { resamples: 0 });
  assert.ok(plcc > 0.6, `training PLCC ${plcc}`);
  assert.deepEqual((await mapping.linear([1, 2], [3, 5])).coefficients.map(Math.round), [1, 2]);
  await refuses(() => qualityModel({ ...options, levels: ['layer3', 'layer4'] }), 'file', /lacks \d+ of the backbone's weights .*choose levels that it reaches/);
  judge.dispose();
});
