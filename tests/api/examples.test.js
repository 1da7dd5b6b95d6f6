// The examples run and say what they promise. The main job trains on a part of the digits here; npm start does it whole.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { load } from '../../bindings/index.js';
import { imageToTensor } from '../../bindings/images/index.js';
import { recipes } from '../../bindings/recipes.js';
import { SuperResolver } from '../../bindings/super_resolution/index.js';
import { tree } from '../../tools/common.mjs';
import { without } from './datakit.js';

const folder = join(tree, 'examples');

/** @param {string[]} args @returns {string} what it printed */
function run(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: tree, encoding: 'utf8', timeout: 180_000 });
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
  assert.match(printed, /Total params: 4,986 /);
  assert.match(printed, /loaded again/);
  assert.equal(printed.match(/says \d \([\d.]+ %\), is \d/g)?.length, 4);
});

test('LeNet learns digits', () => {
  const printed = run(join(folder, 'lenet.js'), '--train', '3000', '--epochs', '2');
  assert.ok(Number(/test accuracy ([\d.]+) %/.exec(printed)?.[1]) > 85, printed);
  assert.match(printed, /Total params: 61,706 /);
});

test('SSFN grows on digits, a row of the table as each layer is done', () => {
  const printed = run(join(folder, 'ssfn-mnist.js'), '--train', '2000', '--layers', '2', '--nodes', '200');
  const rows = [...printed.matchAll(/^\| (\d) \| \d+ \| (\d+) \| (-[\d.]+) \| .* \| ([\d.]+) \| [-\d.]+ \| [\d.]+ \|$/gm)].map((row) => row.slice(1).map(Number));
  assert.deepEqual(rows.map(([layer]) => layer), [0, 1, 2], printed);
  rows.slice(1).forEach(([, cost], i) => assert.ok(cost < rows[i][1], printed));
  assert.equal(Number(/test accuracy ([\d.]+) %/.exec(printed)?.[1]), rows.at(-1)[3]);
  assert.ok(rows.at(-1)[3] > 82, printed);
});

test('reproduce lists its experiments, and those on CIFAR train on files of its format', () => {
  const path = mkdtempSync(join(tmpdir(), 'heddle-cifar-'));
  try {
    const bytes = new Uint8Array(60 * 3073); // the class is the brightness
    for (let n = 0; n < 60; n++) bytes.fill(25 * (n % 10), n * 3073 + 1, (n + 1) * 3073)[n * 3073] = n % 10;
    for (const name of [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`).concat('test_batch.bin')) writeFileSync(join(path, name), bytes);
    const printed = run(join(folder, 'cifar-losses.js'), '--data', path, '--epochs', '1', '--losses', 'poisson,huber');
    assert.match(printed, /CIFAR-10 \(official\): 300 to train, .* 60 to test/);
    assert.match(printed, /\| poisson \| [\d.]+ % \| [\d.]+ % \| [\d.]+ \| \d+ \|\n\| huber \| [\d.]+ %/);
    const redense = run(join(folder, 'redense-cifar.js'), '--data', path, '--epochs', '1', '--losses', 'huber', '--steps', '3');
    assert.match(redense, /^\| huber \| [\d.]+ % \| [\d.]+ % \| -?[\d.]+ \| [\d.]+ to [\d.]+ \| \d+ \| \d+ \|$/m);
  } finally {
    rmSync(path, { recursive: true });
  }
  assert.match(run(join(tree, 'tools', 'reproduce.mjs')), /cifar-losses/);
  const wrong = spawnSync(process.execPath, [join(tree, 'tools', 'reproduce.mjs'), 'cifar-loses'], { encoding: 'utf8' });
  assert.equal(wrong.status, 1);
  assert.match(wrong.stderr, /did you mean "cifar-losses"/);
});

test('closed-form experiments on a part of MNIST: tables beside the reference, curves as SVG', () => {
  const path = mkdtempSync(join(tmpdir(), 'heddle-curves-')), svg = join(path, 'curve.svg');
  try {
    const saturation = run(join(folder, 'slfn-saturation.js'), '--train', '3000', '--ratios', '0.25,0.5', '--svg', svg);
    const rows = [...saturation.matchAll(/^\| (0\.\d+) \| ([\d.]+) \| ([\d.]+) \| [\d.]+ \| ([\d.]+) \|/gm)].map((row) => row.slice(1).map(Number));
    assert.deepEqual(rows.map(([ratio, , reference]) => [ratio, reference]), [[0.25, 87.9], [0.5, 90.6]], saturation);
    assert.ok(rows.every(([, slfn, , elm]) => Math.min(slfn, elm) > 75 && Math.max(slfn, elm) < 92), saturation);
    assert.match(readFileSync(svg, 'utf8'), /^<svg .*<polyline points="[\d., ]+"[^]*SLFN, reference[^]*<\/svg>\s*$/s);
    const redense = run(join(folder, 'redense-mnist.js'), '--train', '2000', '--epochs', '3', '--stop', '60', '--svg', svg);
    const [base, better] = [/\| base \| ([\d.]+) /, /\| ReDense \| ([\d.]+) /].map((line) => Number(line.exec(redense)?.[1]));
    assert.ok(better < base, redense);
    assert.match(readFileSync(svg, 'utf8'), /ReDense on MNIST/);
  } finally {
    rmSync(path, { recursive: true });
  }
});

test('doubling pictures, on photographs from npm: the literal reading loses to the bicubic filter, the others win', () => {
  const printed = run(join(folder, 'matnet-sr.js'), '--smoke', '--patches', '1500', '--epochs', '8', '--networks', 'literal,denoise');
  const gains = [...printed.matchAll(/^\| (\w+)[:,].* \| ([\d,]+) \| (?:\d+ s|-) \| \d+ ms \| [\d.]+ \/ [\d.]+ \(([-+][\d.]+)\) \|$/gm)].map(([, name, size, gain]) => [name, size, Number(gain)]);
  assert.deepEqual(gains.map(([name, size]) => [name, size]), [['literal', '4,225'], ['denoise', '4,225'], ['shipped', '47,716']], printed);
  const [literal, denoise, shipped] = gains.map(([, , gain]) => Number(gain));
  assert.ok(literal < 0 && denoise > 0.5 && shipped > denoise + 1, printed);
  assert.match(printed, /bicubic 32\.795, MatNet 33\.966/);
});

test('a network that ships is made again by one command', async () => {
  const path = mkdtempSync(join(tmpdir(), 'heddle-upscaler-')), name = 'pretrained-x2-residual.safetensors';
  try {
    assert.match(run(join(folder, 'train-upscaler.js'), '--network', 'residual', '--out', path), /held out: bicubic 35\.34 dB, .*\n.*: 2,125 parameters/);
    const [made, ships] = await Promise.all([path, join(tree, 'bindings', 'super_resolution')].map((where) => SuperResolver.load(join(where, name))));
    assert.ok(Math.abs(made.training.about.heldOut.psnr - ships.training.about.heldOut.psnr) < 0.02, `${made.training.about.heldOut.psnr} dB`);
    assert.deepEqual(made.training.options, ships.training.options);
    assert.deepEqual(made.config, ships.config);
    [made, ships].forEach((one) => one.dispose());
  } finally {
    rmSync(path, { recursive: true });
  }
});

/** Pictures of shapes, each kind of a colour near one of its own. @param {string} path */
async function drawShapes(path) {
  const kinds = {
    circles: (x, y, r) => `<circle cx="${x}" cy="${y}" r="${r}"/>`, crosses: (x, y, r) => `<path d="M${x - r} ${y}h${2 * r}M${x} ${y - r}v${2 * r}" stroke-width="5"/>`,
    squares: (x, y, r) => `<rect x="${x - r}" y="${y - r}" width="${2 * r}" height="${2 * r}"/>`,
  };
  for (const [k, [name, draw]] of Object.entries(kinds).entries()) {
    mkdirSync(join(path, name));
    for (let i = 0; i < 12; i++) {
      const colour = `hsl(${120 * k + 3 * i} 80% 50%)`, shape = draw(16 + i % 7, 24 - i % 5, 10 + i % 5);
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40" fill="${colour}" stroke="${colour}"><path fill="#ddd" stroke="none" d="M0 0h40v40h-40"/>${shape}</svg>`;
      await sharp(Buffer.from(svg)).png().toFile(join(path, name, `${10 + i}.png`));
    }
  }
}

test('transfer learns the classes of a folder on a backbone from a file, and saves the whole network', async () => {
  const root = mkdtempSync(join(tmpdir(), 'heddle-transfer-')), [path, weights, saved] = ['shapes', 'weights.safetensors', 'net.safetensors'].map((name) => join(root, name));
  try {
    mkdirSync(path);
    await drawShapes(path);
    const net = await recipes.cifarResnet20({ seed: 3 });
    await net.save(weights);
    net.dispose();
    const transfer = (/** @type {string[]} */ ...args) => [join(folder, 'transfer.js'), path, '--side', '32', '--network', ...args];
    const printed = run(...transfer('cifarResnet20', '--weights', weights, '--save', saved, '--epochs', '400'));
    assert.match(printed, /3 classes \(circles, crosses, squares\): 27 pictures to train, 9 to test/);
    assert.match(printed, /cifarResnet20: 95 weights from .*\n64 features of 36 pictures/);
    assert.ok(Number(/test accuracy ([\d.]+) %/.exec(printed)?.[1]) > 60, printed);
    const [, file, name, part] = /(\S+\.png): (\w+) \(([\d.]+) %\)/.exec(printed) ?? [];
    assert.ok(file.includes(join('shapes', name)) && Number(part) > 60, `the whole network has the head that was trained: ${printed}`);
    const whole = await load(saved), { data, shape } = await imageToTensor(file, { width: 32, height: 32, fit: 'cover' });
    const probabilities = [...(await whole.predict({ data, shape: [1, ...shape] })).data], classes = /** @type {string[]} */ (whole.metadata.classes);
    assert.ok(Math.abs(100 * probabilities[classes.indexOf(name)] - Number(part)) < 0.1, `${probabilities}, ${printed}`);
    whole.dispose();
    assert.match(run(...transfer('cifarResnet20', '--epochs', '1')), /RANDOM weights/);
    const wrong = spawnSync(process.execPath, transfer('resnet18', '--weights', weights), { cwd: tree, encoding: 'utf8' });
    assert.equal(wrong.status, 1);
    assert.match(wrong.stderr, /HeddleError: loadWeights: .*conv1\/kernel is \[16, 3, 3, 3\]/);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('four members fit one network together, and the bytes of every method are those of its formula', () => {
  const printed = run(join(folder, 'together.js'), '--rows', '500', '--hidden', '50', '--rounds', '40');
  assert.match(printed, /run \d+, seed \d+: m0, m1, m2, m3\nround 10: residuals/);
  assert.ok(Number(/test accuracy ([\d.]+) %/.exec(printed)?.[1]) > 75, printed);
  const table = run(join(folder, 'consensus-bytes.js'), '--rows', '200', '--hidden', '20', '--steps', '4');
  const rows = [...table.matchAll(/^\| ([^|]+) \| (\d+) \| (\d+) \| (\d+) = /gm)];
  assert.deepEqual(rows.length, 6);
  for (const [line, , , counted, formula] of rows) assert.equal(counted, formula, line);
});

test('the losses of image quality race on the first pictures of CLIVE, whose features are kept', { skip: without('iqa/clive/clive_scores.csv', 'weights/resnet18_imagenet_conv1-layer3_bnfolded_f32.safetensors') }, () => {
  const cache = mkdtempSync(join(tmpdir(), 'heddle-clive-'));
  try {
    const [first, again] = [0, 1].map(() => run(join(folder, 'nin-convergence.js'), '--cache', cache, '--pictures', '10', '--epochs', '2', '--splits', '1', '--trials', '1', '--rates', '1e-3,1e-2', '--methods', 'MSE,Norm-in-Norm'));
    assert.match(first, /features of 10 of 10 pictures/);
    assert.doesNotMatch(again, /features of/);
    const total = /First pass over all 10 pictures .*: (\d+) s when it was made; one training with Norm-in-Norm: (\d+\.\d) s; together (\d+) s\./;
    for (const [, pass, training, sum] of [first.match(total), again.match(total)]) assert.ok(pass === first.match(total)[1] && Math.abs(Number(pass) + Number(training) - Number(sum)) <= 1.1);
    for (const [, name, low, high, rate] of first.matchAll(/^(.+): mean validation PLCC by rate 0\.001: (.+), 0\.01: (.+)\n\1: rate (.+), 1 splits/gm)) {
      assert.equal(rate, Number(low) >= Number(high) ? '0.001' : '0.01', name);
    }
    assert.equal(first.match(/^.+: rate 0\.01?0?1?, 1 splits/gm)?.length, 2);
    for (const printed of [first, again]) assert.equal(printed.match(/^\| [12] \|( -?[01]\.\d{3} \/ -?[01]\.\d{3} \(0\.\d{3}\) \|){2}$/gm)?.length, 2, printed);
  } finally {
    rmSync(cache, { recursive: true });
  }
});

test('variants of Norm-in-Norm, and what they come to for panels drawn from the votes of KonIQ-10k', { skip: without('iqa/clive/clive_scores.csv', 'iqa/koniq-10k/koniq10k_distributions_sets.csv', 'weights/resnet18_imagenet_conv1-layer3_bnfolded_f32.safetensors') }, () => {
  const cache = mkdtempSync(join(tmpdir(), 'heddle-clive-'));
  try {
    const printed = run(join(folder, 'nin-pq.js'), '--cache', cache, '--pictures', '10', '--epochs', '1', '--splits', '1'), rows = [...printed.matchAll(/^\| (\d+|all) \| (.*) \|$/gm)];
    assert.match(printed, /10073 pictures, 7058 \/ 1000 \/ 2015 by its column/);
    assert.deepEqual(rows.map(([, raters]) => raters), ['1', '2', '5', '10', '20', 'all']);
    let before = 0;
    for (const [, raters, cells] of rows) {
      const [, plcc, , , , , , square] = cells.split(' | ').map(Number);
      assert.ok(plcc > before && plcc < 1 && Math.abs(square - (1 - plcc) / 2) <= 2.6e-4 + 5e-3 * square, raters);
      before = plcc;
    }
    assert.equal(printed.match(/^\| l.*p = \d, q = \d \|/gm)?.length, 7);
  } finally {
    rmSync(cache, { recursive: true });
  }
});

test('a judge of the first pictures of CLIVE with its backbone trained, beside the one with frozen features', { skip: without('iqa/clive/clive_scores.csv', 'weights/resnet18_imagenet_conv1-layer3_bnfolded_f32.safetensors') }, () => {
  const cache = mkdtempSync(join(tmpdir(), 'heddle-clive-'));
  try {
    const printed = run(join(folder, 'clive-finetune.js'), '--cache', cache, '--pictures', '15', '--splits', '1', '--head-epochs', '3', '--epochs', '1', '--crop', '64,96', '--threads', '1');
    const rows = printed.match(/^\| (0|median) \| (frozen|tuned) \|( -?[01]\.\d{3} \|){3}$/gm);
    assert.deepEqual([rows?.length, rows?.[0].slice(4), rows?.[1].slice(4)], [4, rows?.[2].slice(9), rows?.[3].slice(9)], printed);
    assert.notEqual(rows[0].slice(13), rows[1].slice(12), 'training the backbone changes its scores');
  } finally {
    rmSync(cache, { recursive: true });
  }
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
