// The examples run and say what they promise. The main job trains on a part of the digits here; npm start does it whole.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tree } from '../../tools/common.mjs';

const folder = join(tree, 'examples');

/** @param {string[]} args @returns {string} what it printed */
function run(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: tree, encoding: 'utf8', timeout: 60_000 });
  assert.equal(status, 0, stdout + stderr);
  return stdout;
}

test('every example is a program that parses', () => {
  const names = readdirSync(folder).filter((name) => name.endsWith('.js'));
  assert.ok(names.length >= 6);
  names.forEach((name) => run('--check', join(folder, name)));
});

test('the main job trains, tests, saves, loads and draws digits', () => {
  const printed = run(join(folder, 'mnist.js'), '--train', '6000', '--epochs', '4');
  const accuracy = Number(/test accuracy ([\d.]+) %/.exec(printed)?.[1]);
  assert.ok(accuracy > 85 && accuracy <= 100, printed);
  assert.match(printed, /epoch 4\/4 {2}loss [\d.]+ {2}accuracy [\d.]+ % {2}[\d,]+ samples\/s {2}0 s left/);
  assert.match(printed, /4,986 parameters/);
  assert.match(printed, /loaded again/);
  assert.equal(printed.match(/says \d \([\d.]+ %\), is \d/g)?.length, 4);
});

test('regression finds the hidden matrices', () => {
  const error = Number(/([\d.e+-]+) after the last/.exec(run(join(folder, 'regression.js')))?.[1]);
  assert.ok(error < 1e-6, `error ${error}`);
});
