// Every class and every option of the tables, through the JavaScript API: it builds, trains, is saved, comes back as the same
// model bit for bit, and trains on alike. A new class is tested without a line here.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { apply, constraints, initializers, input, layers, load, losses, metrics, model, optimizers, regularizers, schedules } from '../../bindings/index.js';
import { tables } from '../../bindings/tables.js';
import { bits, fresh, numbers } from './modelkit.js';

const rows = 12, classes = 6;
const factories = { layer: layers, loss: losses, metric: metrics, optimizer: optimizers, schedule: schedules, initializer: initializers,
  regularizer: regularizers, constraint: constraints, activity: regularizers };
const labels = Uint8Array.from({ length: rows }, (_, i) => i % classes);
const oneHot = { shape: [rows, classes], data: Float32Array.from({ length: rows * classes }, (_, i) => Number(labels[Math.floor(i / classes)] === i % classes)) };

/** Options that an option of a layer needs to make sense. */
const needs = { alpha: { activation: 'leakyRelu' }, pads: { padding: 'explicit' }, outputPadding: { strides: 2 } };
/** Values where the range alone says too little: shapes are of the matrix [4, 3], or the image [6, 6, 4]. */
const given = { 'layer reshape.shape': [3, -1], 'layer transpose.axes': [1, 0], 'layer concat.axis': 0, 'schedule piecewise.at': [50],
  'layer maxPool2d.poolSize': 3, 'layer avgPool2d.poolSize': [3, 2], 'layer upsample2d.size': [1, 3], 'layer maxPool2d.pads': 1,
  'layer avgPool2d.pads': 1, 'layer conv2dTranspose.outputPadding': 1, 'layer subsamplePad.channels': 8, 'loss normInNorm.p': 1.5, 'loss normInNorm.alpha': [1, 0.5] };
/** Layers that take images alone. */
const onImages = (name) => /2d|^depthToSpace$|^subsamplePad$/.test(name);

/** Losses that compare the scores of a batch: one element a sample. */
const ofScores = (name) => ['normInNorm', 'plcc', 'monotonicity'].includes(name);
const scores = numbers(rows, 77);

/** A value that is not the default. @param {string} where @param {any} option */
function otherValue(where, option) {
  const { type, names, min = option.above, max = option.below, default: usual } = option;
  if (where in given) return given[where];
  if (type === 'bool') return !usual;
  if (type === 'enum') return names.find((name) => name !== usual);
  if (type === 'int') return Math.min(Math.max(usual === 2 ? 3 : 2, min), max);
  if (type === 'ints') return 2;
  if (type === 'numbers') return 0.25;
  assert.equal(type, 'number', `${where}: say a value in this test`);
  return Math.min(usual ? usual * 0.75 : 0.25, max);
}

/** Sets of options: the required ones, and these with each of the others. @param {string} kind @param {string} name */
function variants(kind, name) {
  const { options } = tables[kind][name], value = (key) => otherValue(`${kind} ${name}.${key}`, options[key]);
  const keys = Object.keys(options), required = Object.fromEntries(keys.filter((key) => options[key].required).map((key) => [key, value(key)]));
  const optional = keys.filter((key) => !options[key].required && !(kind === 'schedule' && key === 'learningRate'));
  return [required, ...optional.map((key) => ({ ...required, ...kind === 'layer' && needs[key], [key]: value(key) }))];
}

/** A model with this class in it, and what it is compiled with. @param {string} kind @param {string} name @param {object} options */
async function build(kind, name, options) {
  const spec = factories[kind][name](kind === 'schedule' ? { initialLearningRate: 0.05, ...options } : options);
  const count = kind === 'layer' ? tables.layer[name].inputs[0] : 1, shape = onImages(name) ? [6, 6, 4] : [4, 3];
  const inputs = Array.from({ length: count }, () => input({ shape })), size = shape.reduce((product, n) => product * n);
  const on = { initializer: 'kernelInitializer', regularizer: 'kernelRegularizer', constraint: 'kernelConstraint', activity: 'activityRegularizer' }[kind];
  const tested = kind === 'layer' ? spec : layers.bilinear({ rows: 4, cols: 4, activation: 'sigmoid', ...on && { [on]: spec } });
  const hidden = apply(layers.flatten(), apply(tested, count > 1 ? inputs : inputs[0]));
  const output = apply(layers.dense(ofScores(name) ? { units: 1 } : { units: classes, activation: name.startsWith('binary') ? 'sigmoid' : name === 'poisson' ? 'softplus' : 'softmax' }), hidden);
  const net = await model({ inputs, outputs: output, seed: 5 });
  const config = { optimizer: kind === 'optimizer' ? spec : kind === 'schedule' ? optimizers.sgd({ learningRate: spec }) : 'adam',
    loss: kind === 'loss' ? spec : 'categoricalCrossentropy', metrics: kind === 'metric' ? [spec] : [] };
  const x = inputs.map((_, i) => ({ shape: [rows, ...shape], data: numbers(rows * size, i + 1) }));
  return { net, config, x: count > 1 ? x : x[0] };
}

before(() => fresh());

for (const kind of Object.keys(factories)) {
  test(`every ${kind} trains, and comes back from a file as it was`, { timeout: 60_000 }, async (t) => {
    for (const name of Object.keys(tables[kind])) {
      for (const options of variants(kind, name)) {
        await t.test(`${name} ${JSON.stringify(options)}`, async () => {
          const { net, config, x } = await build(kind, name, options), y = name.startsWith('sparse') ? labels : ofScores(name) ? scores : oneHot;
          await net.compile(config);
          const start = await bits(net), course = { epochs: 2, batchSize: 5, seed: 1 };
          await net.fit(x, y, course);
          assert.notDeepEqual(await bits(net), start, 'it trains');
          const file = await net.save('bytes'), back = await load(file);
          assert.deepEqual(back.description, net.description);
          assert.deepEqual(await bits(back), await bits(net));
          assert.deepEqual(await back.predict(x), await net.predict(x));
          assert.deepEqual(await back.evaluate(x, y), await net.evaluate(x, y));
          assert.deepEqual(await back.save('bytes'), file);
          await net.compile(config); // forgets the optimiser's state, which files do not keep
          assert.deepEqual((await back.fit(x, y, course)).history, (await net.fit(x, y, course)).history);
          assert.deepEqual(await bits(back), await bits(net));
          net.dispose();
          back.dispose();
        });
      }
    }
  });
}
