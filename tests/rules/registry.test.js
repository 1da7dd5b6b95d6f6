// What is generated from the classes in src/ is fresh and complete, and the option tables make sense.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tables } from '../../bindings/tables.js';
import { buildPreset } from '../../tools/build.mjs';
import { tree } from '../../tools/common.mjs';
import { findClasses } from '../../tools/registry.mjs';

const camelCase = (text) => text.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());

/** Every option of every class: [where, option]. */
const allOptions = () => Object.entries(tables).flatMap(([kind, classes]) => Object.entries(classes)
  .flatMap(([name, { options }]) => Object.entries(options).map(([key, option]) => [`${kind} ${name}.${key}`, option])));

test('src/model/registry.c is fresh', () => {
  const run = spawnSync(process.execPath, [join(tree, 'tools', 'registry.mjs'), '--check'], { encoding: 'utf8' });
  assert.equal(run.status, 0, run.stderr);
});

test('bindings/tables.js is what tools/schema.c prints', () => {
  buildPreset('native-gcc', 'schema');
  const text = execFileSync(join(tree, 'build', 'native-gcc', 'schema'), { encoding: 'utf8' });
  assert.ok(text === readFileSync(join(tree, 'bindings', 'tables.js'), 'utf8'), 'bindings/tables.js is stale: npm run build');
});

test('the tables hold every class of src/, and its symbol says its name', () => {
  for (const [kind, symbols] of Object.entries(findClasses())) {
    assert.ok(symbols.length > 0, `no ${kind} found`);
    assert.deepEqual(Object.keys(tables[kind]), symbols.map((symbol) => camelCase(symbol.slice(`hd_${kind}_`.length))));
  }
});

test('every range is one, and every default lies in it', () => {
  const inRange = ({ min, above, max, below }, value) => (above === undefined ? value >= min : value > above)
    && (below === undefined ? value <= max : value < below);
  assert.ok(allOptions().length > 50);
  for (const [where, option] of allOptions()) {
    const { type, names, min, above, max, below, required, default: value } = option;
    if (type === 'enum') assert.ok(names.length > 1 && new Set(names).size === names.length, where);
    else if (type !== 'bool') assert.ok((min ?? above) < (max ?? below), `${where}: an empty range`);
    if (required) continue;
    const fits = { bool: () => typeof value === 'boolean', enum: () => names.includes(value), ints: () => value.length === 0, numbers: () => value.length === 0,
      int: () => Number.isInteger(value) && inRange(option, value), number: () => inRange(option, value) }[type];
    assert.ok(fits(), `${where}: the default ${value}`);
  }
});

test('what the seam relies on: the first option of an optimiser, names without "/" or a leading digit', () => {
  for (const [name, { options }] of Object.entries(tables.optimizer)) assert.equal(Object.keys(options)[0], 'learningRate', name);
  for (const [kind, classes] of Object.entries(tables)) {
    for (const [name, { options, weights = [] }] of Object.entries(classes)) {
      for (const one of [name, ...Object.keys(options), ...weights]) assert.match(one, kind === 'recipe' ? /^[A-Za-z]\w*$/ : /^[A-Za-z][A-Za-z0-9]*$/, `${kind} ${name}`);
    }
  }
});

test('options of the tables do not hide those that every layer takes', () => {
  const taken = ['name', 'inputShape', 'activityRegularizer', 'trainable', 'learningRateFactor', 'initialLearningRate'];
  const clash = allOptions().map(([where]) => where).filter((where) => !/^(optimizer|recipe) /.test(where) && taken.includes(where.split('.')[1]));
  assert.deepEqual(clash, []);
});
