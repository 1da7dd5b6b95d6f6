import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  constraints, initializers, layers, losses, metrics, optimizers, regularizers, schedules,
} from '../../bindings/factories.js';
import { asSpec, decodeOptions, encodeOptions, factories } from '../../bindings/options.js';
import { tables } from '../../bindings/tables.js';
import { refuses } from './filekit.js';

const spaces = {
  layer: layers, loss: losses, metric: metrics, optimizer: optimizers, schedule: schedules, initializer: initializers,
  regularizer: regularizers, constraint: constraints, activity: regularizers, recipe: factories('recipe'),
};

/** Every class: { kind, name, table, make }. */
const classes = Object.entries(tables).flatMap(([kind, list]) => Object.entries(list)
  .map(([name, table]) => ({ kind, name, table, make: spaces[kind][name] })));

/** A value that the table allows, not the default where there is another. */
function sample({ type, names, min, above, max, below, default: value }) {
  if (type === 'bool') return !value;
  if (type === 'enum') return names.at(-1);
  const middle = Math.min(1e6, ((min ?? above) + (max ?? below)) / 2);
  const one = type.startsWith('number') ? middle : Math.ceil(middle) + 0; // no -0: JSON has none
  return type.endsWith('s') ? [one, one] : one;
}

const samples = ({ options }) => Object.fromEntries(Object.entries(options).map(([key, option]) => [key, sample(option)]));
const requiredOnly = ({ options }) => Object.fromEntries(Object.entries(options).filter(([, option]) => option.required)
  .map(([key, option]) => [key, sample(option)]));

function assertFrozen(value) {
  if (typeof value !== 'object') return;
  assert.ok(Object.isFrozen(value));
  for (const part of Object.values(value)) assertFrozen(part);
}

test('every factory makes a frozen spec that survives JSON and asSpec, and holds only what was given', () => {
  assert.ok(classes.length >= 40);
  for (const { kind, name, table, make } of classes) {
    for (const options of [requiredOnly(table), samples(table)]) {
      const spec = make(options);
      assert.deepEqual(spec, { [kind]: name, options });
      assertFrozen(spec);
      assert.deepEqual(asSpec(kind, JSON.parse(JSON.stringify(spec))), spec);
    }
  }
});

test('options are encoded in table order: lists with their length, enums as index, defaults filled in', () => {
  for (const { kind, name, table } of classes) {
    const given = samples(table);
    const expected = Object.entries(table.options).flatMap(([key, { type, names }]) => ({
      enum: () => [names.indexOf(given[key])], ints: () => [2, ...given[key]], numbers: () => [2, ...given[key]], bool: () => [given[key] ? 1 : 0],
    }[type] ?? (() => [given[key]]))());
    assert.deepEqual(encodeOptions(kind, name, given), expected, `${kind} ${name}`);
    assert.deepEqual(encodeOptions(kind, name, decodeOptions(kind, name, expected)), expected, `${kind} ${name}`);
    const least = requiredOnly(table);
    assert.deepEqual(decodeOptions(kind, name, encodeOptions(kind, name, least)), least, `${kind} ${name}`);
  }
  assert.deepEqual(encodeOptions('layer', 'bilinear', { rows: 20, cols: 16, activation: 'sigmoid' }), [20, 16, 1, 0, 1, 0]);
  assert.deepEqual(encodeOptions('layer', 'reshape', { shape: [4, -1] }), [2, 4, -1]);
  assert.deepEqual(encodeOptions('layer', 'transpose'), [0]);
  assert.deepEqual(encodeOptions('layer', 'dense', { units: 3, activation: undefined, useBias: false }), [3, 0, 0, 0]);
});

/** Values that a type or a range forbids. */
function wrongValues({ type, min, above, max, below }) {
  if (type === 'bool') return [0, 'true', null];
  if (type === 'enum') return ['nonsense', 0, null, 'constructor'];
  const numbers = [min === undefined ? above : min - 1e-3 - Math.abs(min) * 1e-3, max === undefined ? below : max * 1.001 + 1e-3, NaN, Infinity,
    '1', null, true, [1], {}];
  if (type === 'int' || type === 'ints') numbers.push(0.5 + (min ?? 0));
  return type.endsWith('s') ? [...numbers.filter(number => !Array.isArray(number)).map(number => [number]), numbers[0], 'a', new Int32Array(2)] : numbers;
}

test('every value out of type or range is refused by name, and so are missing and unknown options', async () => {
  for (const { kind, name, table, make } of classes) {
    const where = `${kind === 'activity' ? 'regularizers' : `${kind.replace(/s$/, 'se').replace(/y$/, 'ie')}s`}\\.${name}: `;
    for (const [key, option] of Object.entries(table.options)) {
      for (const value of wrongValues(option)) {
        // an object as a learning rate is meant as a schedule
        const pattern = key === 'learningRate' && typeof value === 'object' && value ? /learningRate: expected one of the schedule specs/
          : new RegExp(`^${where}${key}(\\[0\\])? = .*(, expected |, did you mean )`);
        await refuses(() => make({ ...requiredOnly(table), [key]: value }), 'argument', pattern);
      }
      const rest = { ...requiredOnly(table), [key]: undefined };
      if (option.required) await refuses(() => make(rest), 'argument', new RegExp(`^${where}\\w+ is missing, expected `));
      else make(rest);
    }
    await refuses(() => make({ ...requiredOnly(table), qqq: 1 }), 'argument', new RegExp(`^${where}unknown option "qqq"`));
    for (const value of [null, 5, 'a', [], new Float32Array(1)]) {
      await refuses(() => make(value), 'argument', new RegExp(`^${where}expected an object of options, got `));
    }
  }
});

test('messages name the culprit, the range and the nearest name', async () => {
  /** @type {[() => unknown, string][]} */
  const cases = [
    [() => layers.dense({ unit: 10 }), 'layers.dense: unknown option "unit", did you mean "units"?'],
    [() => layers.dense({ units: 0 }), 'layers.dense: units = 0, expected an integer 1..65536'],
    [() => layers.dense({}), 'layers.dense: units is missing, expected an integer 1..65536'],
    [() => layers.dense({ units: 1, activation: 'Relu' }), 'layers.dense: activation = "Relu", did you mean "relu"?'],
    [() => layers.dropout({ rate: 1 }), 'layers.dropout: rate = 1, expected a number >= 0 and < 1'],
    [() => layers.reshape({ shape: [2, 0.5] }), 'layers.reshape: shape[1] = 0.5, expected an integer -1..2147483647'],
    [() => layers.reshape({ shape: [] }), 'layers.reshape: shape = [], expected an integer or a non-empty array of integers -1..2147483647'],
    [() => layers.reshape({ shape: [2, , 2] }), 'layers.reshape: shape[1] = undefined, expected an integer -1..2147483647'],
    [() => layers.dense({ units: 1, kernelInitializer: 'glorotUniform' }),
      'layers.dense: kernelInitializer: unknown initializer "glorotUniform", did you mean "glorot"?'],
    [() => layers.dense({ units: 1, kernelInitializer: { initializer: 'uniform', options: { min: 'a' } } }),
      'layers.dense: kernelInitializer: uniform: min = "a", expected a number >= -1e+30 and <= 1e+30'],
    [() => layers.dense({ units: 1, kernelRegularizer: regularizers.klSparsity() }),
      'layers.dense: kernelRegularizer: expected one of the regularizer specs l1, l1l2, l2, positiveL2, got the activity "klSparsity"'],
    [() => layers.dense({ units: 1, activityRegularizer: 'l2' }), 'layers.dense: activityRegularizer: unknown activity "l2", expected one of klSparsity'],
    [() => layers.dense({ units: 1, useBias: false, biasInitializer: 'ones' }), 'layers.dense: biasInitializer needs useBias: true'],
    [() => layers.dense({ units: 1, trainable: 0 }), 'layers.dense: trainable = 0, expected true or false'],
    [() => layers.dense({ units: 1, learningRateFactor: -1 }), 'layers.dense: learningRateFactor = -1, expected a number >= 0 and <= 1000000'],
    [() => layers.dense({ units: 1, name: 'a/b' }), 'layers.dense: name = "a/b", expected a string of 1..63 bytes without "/"'],
    [() => layers.dense({ units: 1, inputShape: [0] }), 'layers.dense: inputShape[0] = 0, expected an integer 1..2147483647'],
    [() => layers.flatten({ kernelInitializer: 'ones' }),
      'layers.flatten: unknown option "kernelInitializer", expected one of name, inputShape, activityRegularizer'],
    [() => layers.input({ shape: [28, -1] }), 'layers.input: shape[1] = -1, expected an integer 1..2147483647'],
    [() => layers.input({ shape: '28' }), 'layers.input: shape = "28", expected an integer or an array of integers 1..2147483647'],
    [() => layers.input({}), 'layers.input: shape is missing, expected an integer or an array of integers 1..2147483647'],
    [() => layers.input({ shape: [1, 1, 1, 1, 1, 1, 1] }), 'layers.input: shape has 7 dimensions, expected at most 6'],
    [() => asSpec('loss', 'mse2'), 'losses: unknown loss "mse2", did you mean "meanSquaredError"?'],
    [() => asSpec('loss', 'mse'), 'losses: unknown loss "mse", did you mean "meanSquaredError"?'],
    [() => asSpec('loss', 'mean_squared_error'), 'losses: unknown loss "mean_squared_error", did you mean "meanSquaredError"?'],
    [() => asSpec('metric', 'acc'), 'metrics: unknown metric "acc", did you mean "accuracy"?'],
    [() => asSpec('optimizer', 'Adam', 'compile: optimizer'), 'compile: optimizer: unknown optimizer "Adam", did you mean "adam"?'],
    [() => asSpec('loss', { loss: 'huber', options: { delta: 0 } }, 'compile: loss of y'),
      'compile: loss of y: huber: delta = 0, expected a number > 0 and <= 1e+30'],
    [() => asSpec('loss', { loss: 'poisson', weight: 1 }), 'losses.poisson: unknown option "weight", expected one of loss, options'],
    [() => asSpec('constraint', layers.flatten), 'constraints: expected one of the constraint specs maxNorm, nonNeg, range, unitNorm, got function'],
    [() => asSpec('constraint', undefined), 'constraints: expected one of the constraint specs maxNorm, nonNeg, range, unitNorm, got undefined'],
    [() => encodeOptions('layer', 'dence', {}), 'layers: unknown layer "dence", did you mean "dense"?'],
    [() => encodeOptions('layer', 'dense', { units: 1e9 }, 'layer "a"'), 'layer "a": dense: units = 1000000000, expected an integer 1..65536'],
  ];
  for (const [work, message] of cases) {
    await refuses(work, 'argument', new RegExp(`^${message.replace(/[^\w\s]/g, '\\$&')}$`));
  }
});

test('names of Object.prototype are no classes, options or enum values', async () => {
  for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
    for (const kind of Object.keys(tables)) await refuses(() => asSpec(kind, name), 'argument', /: unknown \w+ "/);
    await refuses(() => layers.dense(JSON.parse(`{ "units": 1, "${name}": 1 }`)), 'argument', /unknown option/);
    await refuses(() => layers.dense({ units: 1, activation: name }), 'argument', /activation = "/);
  }
  assert.equal({}.units, undefined);
});

test('what hangs on weights is sorted by kernel and bias, as the layer has them', () => {
  const spec = layers.bilinear({
    rows: 2, cols: 2, name: 'h', inputShape: [3, 3], trainable: false, learningRateFactor: 0.5,
    kernelInitializer: initializers.he({ gain: 2 }), kernelRegularizer: ['l1', regularizers.l2({ amount: 1e-4 })],
    kernelConstraint: constraints.unitNorm({ axis: 'row' }), biasInitializer: 'ones', activityRegularizer: regularizers.klSparsity({ rho: 0.1 }),
  });
  assert.deepEqual(spec, {
    layer: 'bilinear',
    options: { rows: 2, cols: 2 },
    name: 'h',
    weights: {
      kernel: {
        initializer: { initializer: 'he', options: { gain: 2 } },
        regularizer: [{ regularizer: 'l1', options: {} }, { regularizer: 'l2', options: { amount: 1e-4 } }],
        constraint: { constraint: 'unitNorm', options: { axis: 'row' } },
        learningRateFactor: 0.5,
        frozen: true,
      },
      bias: { initializer: { initializer: 'ones', options: {} }, learningRateFactor: 0.5, frozen: true },
    },
    activity: { activity: 'klSparsity', options: { rho: 0.1 } },
    inputShape: [3, 3],
  });
  assertFrozen(spec);
  assert.deepEqual(asSpec('layer', JSON.parse(JSON.stringify(spec))), spec);
  assert.deepEqual(layers.dense({ units: 1, useBias: false, trainable: false }).weights, { kernel: { frozen: true } });
  assert.deepEqual(layers.dense({ units: 1, trainable: true }), layers.dense({ units: 1 }));
  assert.deepEqual(layers.input({ shape: [28, 28], name: 'x' }), { layer: 'input', name: 'x', shape: [28, 28] });
  assert.deepEqual(asSpec('layer', layers.input({ shape: [] })), { layer: 'input', shape: [] });
});

test('specs from elsewhere are checked as strictly', async () => {
  const dense = (/** @type {object} */ more) => () => asSpec('layer', { layer: 'dense', options: { units: 1 }, ...more });
  await refuses(dense({ units: 1 }), 'argument', /unknown option "units"/);
  await refuses(dense({ weights: { kernal: {} } }), 'argument', /weights: unknown option "kernal", did you mean "kernel"\?$/);
  await refuses(dense({ weights: { kernel: 1 } }), 'argument', /weights.kernel: expected an object of options, got number$/);
  await refuses(dense({ weights: { kernel: { frozen: 1 } } }), 'argument', /frozen = 1, expected true or false$/);
  await refuses(dense({ options: { units: 1, useBias: false }, weights: { bias: {} } }), 'argument', /weights: unknown option "bias"/);
  await refuses(dense({ activity: { activity: 'klSparsity', options: { rho: 2 } } }), 'argument', /activityRegularizer: klSparsity: rho = 2/);
  await refuses(() => asSpec('layer', { layer: 'flatten', weights: { kernel: {} } }), 'argument', /weights: unknown option "kernel", it takes none$/);
});

test('a schedule in place of a learning rate brings its own start', async () => {
  const schedule = schedules.cosine({ initialLearningRate: 0.1, warmUp: 2 });
  assert.deepEqual(schedule, { schedule: 'cosine', options: { warmUp: 2 }, initialLearningRate: 0.1 });
  const adam = optimizers.adam({ learningRate: schedule, beta1: 0.8 });
  assert.deepEqual(adam, { optimizer: 'adam', options: { learningRate: 0.1, beta1: 0.8 }, schedule: { schedule: 'cosine', options: { warmUp: 2 } } });
  assert.deepEqual(asSpec('optimizer', adam), adam);
  assert.equal(encodeOptions('optimizer', 'adam', adam.options)[0], 0.1);
  const plain = optimizers.sgd({ learningRate: schedules.step() });
  assert.deepEqual(plain, { optimizer: 'sgd', options: {}, schedule: { schedule: 'step', options: {} } });
  await refuses(() => schedules.cosine({ initialLearningRate: -1 }), 'argument', /^schedules\.cosine: initialLearningRate = -1, expected a number >= 0/);
  await refuses(() => optimizers.adam({ learningRate: 'cosine' }), 'argument', /learningRate = "cosine", expected a number/);
  await refuses(() => asSpec('optimizer', { optimizer: 'adam', schedule }), 'argument', /schedule: an initialLearningRate here would be ignored$/);
});
