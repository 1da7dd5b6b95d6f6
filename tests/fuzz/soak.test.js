// A thousand models of many kinds, one after the other: built, trained, used, saved, loaded, disposed of. From the hundredth on, nothing grows: not what
// the engine holds, nor its heap, nor JavaScript's. HEDDLE_SOAK_MODELS: so many (npm run fuzz -- soak).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Hnf, Ridge, SlfnClassifier, Ssfn, loadEstimator } from '../../bindings/estimators/index.js';
import { info, layers, load, losses, optimizers, regularizers, sequential } from '../../bindings/index.js';
import { recipes } from '../../bindings/recipes.js';
import { connect } from '../../bindings/session.js';
import { SuperResolver } from '../../bindings/super_resolution/index.js';
import { fresh, labelled, mlp, numbers, threaded } from '../api/modelkit.js';

setFlagsFromString('--expose-gc');
const gc = /** @type {() => void} */ (runInNewContext('gc'));

const { x, y } = labelled(24, 4, 3), rows = Array.from({ length: 24 }, (_, i) => [...x.subarray(4 * i, 4 * i + 4)]);
const pictures = numbers(6 * 8 * 8 * 3).map(v => 255 * v), classes = Uint8Array.of(0, 1, 2, 0, 1, 2);
const picture = { data: Uint8Array.from(numbers(60), v => 255 * v), shape: [6, 10, 1] };

/** Trains, uses, saves, loads, and lets go of both. */
async function lives(net, data, targets, compile) {
  await net.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'], ...compile });
  await net.fit(data, targets, { epochs: 2, batchSize: 8, validationSplit: 0.25 });
  const p = await net.predict(data), again = await load(await net.save('bytes', { includeOptimizer: compile?.optimizer !== 'lbfgs' }));
  assert.deepEqual((await again.predict(data)).data, p.data);
  net.dispose();
  again.dispose();
}

async function estimates(one, targets) {
  await one.fit(rows, targets);
  const again = await loadEstimator(await one.save('bytes'));
  assert.deepEqual(await again.predict(rows), await one.predict(rows));
  one.dispose();
  again.dispose();
}

async function enlarges() {
  const one = await SuperResolver.pretrained({ mode: 'denoise' });
  await one.upscale(picture);
  one.dispose();
}

/** A fit that its caller gives up after the first batch. */
async function stops() {
  const net = await mlp(4, 8, 3, { activation: 'softmax' }), controller = new AbortController();
  await net.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy' });
  await assert.rejects(net.fit(x, y, { epochs: 50, batchSize: 4, signal: controller.signal, onBatchEnd: () => controller.abort() }));
  net.dispose();
}

const classify = (optimizer, options) => async () => lives(await mlp(4, 8, 3, { activation: 'softmax', ...options }), x, y, { optimizer });
const images = () => sequential([layers.input({ shape: [8, 8, 3] }), layers.conv2d({ filters: 4, kernelSize: 3, activation: 'relu' }), layers.batchNorm(), layers.maxPool2d(),
  layers.dropout({ rate: 0.5 }), layers.flatten(), layers.dense({ units: 3, activation: 'softmax', kernelRegularizer: regularizers.l2({ amount: 1e-3 }) })]);
const matrices = () => sequential([layers.input({ shape: [2, 2] }), layers.bilinear({ rows: 3, cols: 3, activation: 'sigmoid' }), layers.flatten(), layers.dense({ units: 3, activation: 'softmax' })]);
const given = { data: pictures, shape: [6, 8, 8, 3] };
const kinds = [classify('adam'), classify('lbfgs'), classify(optimizers.sgd({ learningRate: 0.1, momentum: 0.9 })), classify('rmsprop'), classify('adadelta'), stops,
  async () => lives(await images(), given, classes), async () => lives(await matrices(), { data: x, shape: [24, 2, 2] }, y),
  async () => lives(await recipes.cifarCnn({ inputShape: [8, 8, 3], padding: 'same', classes: 3, seed: 1 }), given, classes),
  async () => lives(await mlp(4, 5, 1), x, x.filter((_, i) => i % 4 === 0), { loss: losses.huber(), metrics: [] }),
  () => estimates(new Ridge(), rows.map(([a, b]) => a + b)), () => estimates(new SlfnClassifier({ ratio: 2, seed: 1 }), [...y]),
  () => estimates(new Ssfn({ seed: 1, maxLayers: 1, nodes: 20 }), [...y]), () => estimates(new Hnf({ seed: 1, maxLayers: 2 }), [...y]), enlarges];

const turn = () => new Promise(resolve => { setTimeout(resolve, 5); });

/** What is held after all that was begun is done, the least of three collections: V8 gives arrays back a little after the collection that found them. */
async function memory() {
  await (await connect()).call('status', []);
  let js = Infinity, buffers = Infinity;
  for (let i = 0; i < 3; i++) {
    gc();
    await turn();
    const now = process.memoryUsage();
    js = Math.min(js, now.heapUsed);
    buffers = Math.min(buffers, now.arrayBuffers);
  }
  return { ...info().memory, js, buffers };
}

const all = Number(process.env.HEDDLE_SOAK_MODELS ?? 1000);
for (const [place, share, options] of /** @type {[string, number, any][]} */ ([['one thread, in this one', 0.55, { worker: false, engine: 'heddle-st' }],
  ['one thread, in a worker', 0.15, { worker: true, engine: 'heddle-st' }], ['two threads, in this one', 0.15, { worker: false, engine: 'heddle-mt', threads: 2 }],
  ['two threads, in a worker', 0.15, { worker: true, engine: 'heddle-mt', threads: 2 }]])) {
  test(`${place}: ${Math.round(share * all)} models leave nothing behind`, { timeout: 3_600_000 }, async () => {
    await (options.threads ? threaded : fresh)(options);
    const begin = await memory(), count = Math.round(share * all), warm = Math.min(100, Math.round(count / 2));
    let early = begin;
    for (let i = 0; i < count; i++) {
      if (i === warm) early = await memory();
      await kinds[i % kinds.length]();
    }
    const late = await memory();
    assert.equal(late.used, begin.used, 'what the engine holds');
    assert.deepEqual([late.models, late.fits, late.data], [0, 0, 0]);
    assert.equal(late.heap, early.heap, "the engine's heap");
    assert.ok(late.js < early.js + 2 ** 22, `JavaScript's heap: ${early.js} bytes after ${warm} models, ${late.js} after ${count}`);
    assert.ok(late.buffers < early.buffers + 2 ** 22, `arrays: ${early.buffers} bytes after ${warm} models, ${late.buffers} after ${count}`);
  });
}

for (const worker of [false, true]) {
  test(`models that are dropped are freed in the end, ${worker ? 'in a worker' : 'in this thread'}`, { timeout: 120_000 }, async () => {
    await fresh({ worker });
    const before = (await memory()).used;
    await (async () => { for (let i = 0; i < 30; i++) await mlp(4, 64, 3); })();
    const held = info().memory.used;
    assert.ok(held > before + 20 * 64 * 4, 'they are there at first');
    for (let tries = 0; tries < 200 && (await memory()).used > before; tries++) await new Promise(resolve => { setTimeout(resolve, 20); });
    assert.equal((await memory()).used, before);
  });
}
