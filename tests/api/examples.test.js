// The examples run and say what they promise. The main job trains on a part of the digits here; npm start does it whole.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
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

test('LeNet learns digits', () => {
  const printed = run(join(folder, 'lenet.js'), '--train', '3000', '--epochs', '2');
  assert.ok(Number(/test accuracy ([\d.]+) %/.exec(printed)?.[1]) > 85, printed);
  assert.match(printed, /61,706 parameters/);
});

test('reproduce lists its experiments, and cifar-losses trains on a file of its own format', () => {
  const path = mkdtempSync(join(tmpdir(), 'heddle-cifar-'));
  try {
    const bytes = new Uint8Array(60 * 3073); // the class is the brightness
    for (let n = 0; n < 60; n++) bytes.fill(25 * (n % 10), n * 3073 + 1, (n + 1) * 3073)[n * 3073] = n % 10;
    for (const name of [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`).concat('test_batch.bin')) writeFileSync(join(path, name), bytes);
    const printed = run(join(folder, 'cifar-losses.js'), '--data', path, '--epochs', '1', '--losses', 'poisson,huber');
    assert.match(printed, /CIFAR-10 \(official\): 300 to train, .* 60 to test/);
    assert.match(printed, /\| poisson \| [\d.]+ % \| [\d.]+ % \| [\d.]+ \| \d+ \|\n\| huber \| [\d.]+ %/);
  } finally {
    rmSync(path, { recursive: true });
  }
  assert.match(run(join(tree, 'tools', 'reproduce.mjs')), /cifar-losses/);
  const wrong = spawnSync(process.execPath, [join(tree, 'tools', 'reproduce.mjs'), 'cifar-loses'], { encoding: 'utf8' });
  assert.equal(wrong.status, 1);
  assert.match(wrong.stderr, /did you mean "cifar-losses"/);
});

test('regression finds the hidden matrices', () => {
  const error = Number(/([\d.e+-]+) after the last/.exec(run(join(folder, 'regression.js')))?.[1]);
  assert.ok(error < 1e-6, `error ${error}`);
});

test('the identities of the homework hold', () => {
  const printed = run(join(folder, 'homework.js'));
  assert.equal(printed.match(/^equal {2}/gm)?.length, 16, printed);
  assert.match(printed, /down \[2, 2, -3, -4\], right \[1, -2, 1, -4\]/);
  assert.match(printed, /\[76\.245, 100\]/);
  assert.match(printed, /z = -2, y = 1: loss 1\.55160\d+, /);
  assert.match(printed, /relu\(avgPool\(X\)\) = 0, avgPool\(relu\(X\)\) = 1\.25/);
  assert.match(printed, /all identities hold\s*$/);
});
