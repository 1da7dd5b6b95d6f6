#!/usr/bin/env node
// npm run bench [-- NAME...] [--peers] [--rounds 9] [--json FILE]: speed and size of what users get, beside what heddle must reach.
// NAME: square, step, conv, images, linalg, solve, quality, super-resolution, memory, first, size, lbfgs; all of them without one. --peers: others on the same work in the same run.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { ENGINES, buildPreset, ensureTools, writeGenerated } from '../build.mjs';
import { fail, node24, npmCi, tree } from '../common.mjs';
import { ensureEmcc } from '../toolchain.mjs';

const here = join(tree, 'tools', 'bench'), built = join(tree, 'build', 'bench');
const engines = join(tree, 'bindings', 'engines');
const GROUPS = ['square', 'step', 'conv', 'images', 'linalg', 'solve', 'quality', 'super-resolution', 'memory', 'first', 'size', 'lbfgs'];

function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: tree, encoding: 'utf8', timeout: 300_000, maxBuffer: 1 << 26 });
  if (status !== 0) fail(`${command} ${args.join(' ')}\n${error?.message ?? ''}${stdout ?? ''}${stderr ?? ''}`);
  return stdout;
}

const child = (script, given) => JSON.parse(run(node24, [join(here, script), JSON.stringify(given)]).trim().split('\n').at(-1));

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

/** A line of the table. most / least: what must be reached. */
const line = (what, value, unit, { most, least, note = '' } = {}) => ({ what, value, unit, most, least, note });

/** tools/bench/kern.c compiled for one engine's instruction set; its text output for one group. */
function kernel(relaxed, group) {
  const out = join(built, `kern${relaxed ? '-relaxed' : ''}.cjs`);
  const sources = [join(here, 'kern.c'), ...['pool', 'context', 'format'].map((name) => join(tree, 'src', 'base', `${name}.c`)),
    ...readdirSync(join(tree, 'src', 'kern')).filter((name) => name.endsWith('.c')).map((name) => join(tree, 'src', 'kern', name))];
  mkdirSync(built, { recursive: true });
  run(ensureEmcc().emcc, ['-std=c11', '-O3', '-msimd128', ...(relaxed ? ['-mrelaxed-simd'] : []), '-ffp-contract=off', '-Isrc', ...sources, '-o', out]);
  return run(node24, [out, '1', group]);
}

function square() {
  const lines = [true, false].flatMap((relaxed) => kernel(relaxed, 'square').split('\n').flatMap((text) => {
    const found = /^square\s+(\d+ [NT]{2})\s+[\d.]+ us\s+([\d.]+) GFLOP\/s\s+best\s+[\d.]+ us\s+([\d.]+)/.exec(text);
    return found ? [line(`SGEMM ${found[1]}, ${relaxed ? 'relaxed' : 'baseline'}`, Number(found[2]), 'GFLOP/s',
      { least: relaxed ? 45 : 34, note: `best ${found[3]}` })] : [];
  }));
  return lines.length === 16 ? lines : fail(`kern.c printed ${lines.length} lines that can be read, expected 16`);
}

function step({ rounds, peers }) {
  const lines = [];
  for (const [net, title, most, speedup] of [['matnet', 'MatNet', 1.0, 1.5], ['mlp', 'MLP 784-512-512-10', 10, 1.7]]) {
    const at = (engine, threads) => child('steps.mjs', { net, engine, threads, rounds });
    const one = at('heddle-mt-relaxed', 1), two = at('heddle-mt-relaxed', 2), baseline = at('heddle-mt', 1), single = at('heddle-st-relaxed', 1);
    const ms = median(one.ms);
    lines.push(line(`${title} step`, ms, 'ms', { most, note: `best ${Math.min(...one.ms).toFixed(3)}; work memory at most ${(one.peak / 1e6).toFixed(1)} MB` }),
      line(`${title} step, 2 threads`, median(two.ms), 'ms', { note: `best ${Math.min(...two.ms).toFixed(3)}` }),
      line(`${title}, speed-up by 2 threads`, ms / median(two.ms), 'x', { least: speedup }),
      line(`${title} step, heddle-mt (baseline)`, median(baseline.ms), 'ms'), line(`${title} step, heddle-st-relaxed`, median(single.ms), 'ms'),
      line(`${title}, memory grown since epoch 2`, one.growth, 'bytes', { most: 0 }));
    for (const [peer, script] of peers ? [['TensorFlow.js wasm', 'tfjs.mjs'], ['jax-js wasm', 'jax.mjs']] : []) {
      const theirs = median(child(script, { net, rounds: 3 }).ms);
      lines.push(line(`${title} step, ${peer}`, theirs, 'ms', { note: `${(theirs / ms).toFixed(1)} times heddle's` }));
    }
  }
  return lines;
}

/** What convolutional networks must reach, and who else does the work. */
const CONV = [
  { net: 'cifar', train: true, title: 'CIFAR net, training step of 128', most: 260, peers: ['tfjs'] },
  { net: 'cifar', train: false, title: 'CIFAR net, forward of 128', most: 80, peers: ['tfjs', 'ort'] },
  { net: 'resnet18', train: false, title: 'ResNet-18, one picture of 224', most: 75, peers: ['tfjs', 'ort'] },
  { net: 'mnist', train: true, title: 'MNIST ConvNet, training step of 128', most: 128 / 2000 * 1000, peers: ['convnetjs'] },
];
const PEERS = { tfjs: 'TensorFlow.js wasm', ort: 'ONNX Runtime Web wasm', convnetjs: 'ConvNetJS' };

function conv({ rounds, peers }) {
  return CONV.flatMap(({ net, train, title, most, peers: others }) => {
    const at = (engine, threads) => child('conv.mjs', { net, train, engine, threads, rounds });
    const one = at('heddle-mt-relaxed', 1), two = at('heddle-mt-relaxed', 2), baseline = at('heddle-mt', 1), ms = median(one.ms);
    return [line(title, ms, 'ms', { most, note: `best ${Math.min(...one.ms).toFixed(1)}; engine memory at most ${(one.memory.peak / 1e6).toFixed(0)} MB` }),
      line(`${title}, 2 threads`, median(two.ms), 'ms', { note: `best ${Math.min(...two.ms).toFixed(1)}` }),
      line(`${title}, speed-up`, ms / median(two.ms), 'x', { least: 1.7 }),
      line(`${title}, heddle-mt (baseline)`, median(baseline.ms), 'ms'),
      ...(peers ? others : []).map((peer) => {
        const theirs = median(child(`conv_${peer}.mjs`, { net, train, rounds: 3 }).ms);
        return line(`${title}, ${PEERS[peer]}`, theirs, 'ms', { note: `${(theirs / ms).toFixed(1)} times heddle's` });
      })];
  });
}

/** What linear algebra must reach: milliseconds for some, GFLOP/s for others. */
const LINALG = [
  { work: 'gemm', title: 'gemm of 1,024, float64', least: 18 },
  { work: 'syrk', title: 'A^T A, 10,000 x 2,000, float32', most: 950 },
  { work: 'cholesky', title: 'Cholesky of 2,000, float64', most: 250 },
  { work: 'solve', title: 'Cholesky solve of 1,024, 10 right sides, float64', most: 40, peer: true },
  { work: 'qr', title: 'QR of 1,000, Q and R, float64' },
  { work: 'eigh', title: 'eigenvectors of 1,000, float64', most: 3000 },
  { work: 'svd', title: 'SVD of 1,000, float64' },
];

function linalg({ rounds, peers }) {
  return LINALG.flatMap(({ work, title, most, least, peer }) => {
    const at = (engine, threads) => child('linalg.mjs', { work, engine, threads, rounds });
    const one = at('heddle-mt-relaxed', 1), two = at('heddle-mt-relaxed', 2), baseline = at('heddle-mt', 1), ms = median(one.ms);
    const speed = (time) => one.flop / time / 1e6, note = (times) => `${speed(median(times)).toFixed(1)} GFLOP/s; best ${Math.min(...times).toFixed(1)} ms`;
    const value = (times) => (least ? [speed(median(times)), 'GFLOP/s'] : [median(times), 'ms']);
    const lines = [line(title, ...value(one.ms), { most, least, note: note(one.ms) }), line(`${title}, 2 threads`, ...value(two.ms), { note: note(two.ms) }),
      line(`${title}, heddle-mt (baseline)`, ...value(baseline.ms), { note: note(baseline.ms) })];
    if (!peer || !peers) return lines;
    const theirs = median(child('linalg_ml_matrix.mjs', { rounds: 3 }).ms);
    return [...lines, line(`${title}, ml-matrix`, theirs, 'ms', { note: `${(theirs / ms).toFixed(1)} times heddle's` })];
  });
}

/** Pictures; what preprocessing must reach. */
const IMAGES = [
  { work: 'bilinear', title: 'resize 500 x 500 to 664 x 498, bilinear', most: 5 },
  { work: 'bicubic', title: 'resize 512 x 512 twice, bicubic' },
  { work: 'ssim', title: 'ssim of 512 x 512' },
  { work: 'msSsim', title: 'msSsim of 512 x 512' },
  ...['gaussianBlur', 'motionBlur', 'whiteNoise', 'jpegBlocking', 'downscale'].map((work) => ({ work, title: `distort 512 x 512, ${work} 3` })),
];

function images({ rounds }) {
  return IMAGES.flatMap(({ work, title, most }) => {
    const at = (engine, threads) => child('images.mjs', { work, engine, threads, rounds }).ms, one = at('heddle-mt-relaxed', 1), two = at('heddle-mt-relaxed', 2);
    return [line(title, median(one), 'ms', { most, note: `best ${Math.min(...one).toFixed(2)}` }), line(`${title}, 2 threads`, median(two), 'ms', { note: `best ${Math.min(...two).toFixed(2)}` })];
  });
}

/** What closed-form training must reach. */
const SOLVE = [
  { work: 'ridge', title: 'ridge, 10,000 x 2,000, 10 outputs', most: 1200, peers: ['tfjs', 'jax'] },
  { work: 'slfn', title: 'SLFN, 60,000 x 1,570, 10 classes', most: 6000, peers: [] },
];
const SOLVE_PEERS = { tfjs: 'TensorFlow.js wasm, own Cholesky', jax: 'jax-js wasm' };

function redense() {
  const [one, two] = [1, 2].map((threads) => child('solve.mjs', { work: 'redense', engine: 'heddle-mt-relaxed', threads, rounds: 1 }));
  const title = 'ReDense, 60,000 x 501, 200 epochs', note = `engine memory at most ${(one.memory.peak / 1e6).toFixed(0)} MB: the features twice, never rectified as a whole`;
  return [line(title, one.ms[0], 'ms', { most: 60_000, note }), line(`${title}, 2 threads`, two.ms[0], 'ms')];
}

function solve({ rounds, peers }) {
  const solutions = SOLVE.flatMap(({ work, title, most, peers: others }) => {
    const at = (engine, threads) => child('solve.mjs', { work, engine, threads, rounds: Math.min(rounds, 5) });
    const one = at('heddle-mt-relaxed', 1), two = at('heddle-mt-relaxed', 2), baseline = at('heddle-mt', 1), ms = median(one.ms);
    const [sums, solution] = [0, 1].map((part) => median(one.parts.map((times) => times[part])).toFixed(0));
    return [line(title, ms, 'ms', { most, note: `best ${Math.min(...one.ms).toFixed(0)}; sums ${sums}, solution ${solution}; engine memory at most ${(one.memory.peak / 1e6).toFixed(0)} MB` }),
      line(`${title}, 2 threads`, median(two.ms), 'ms', { note: `best ${Math.min(...two.ms).toFixed(0)}` }),
      line(`${title}, heddle-mt (baseline)`, median(baseline.ms), 'ms'),
      ...(peers ? others : []).map((peer) => {
        const theirs = median(child(`solve_${peer}.mjs`, { rounds: 1 }).ms);
        return line(`${title}, ${SOLVE_PEERS[peer]}`, theirs, 'ms', { note: `${(theirs / ms).toFixed(1)} times heddle's` });
      })];
  });
  return [...solutions, ...redense()];
}

/** What training a judge of image quality must reach. */
const QUALITY = [
  { work: 'heads', batchSize: 8, title: 'encoders and heads, 7,058 rows, batch 8', unit: 's', most: 12 },
  { work: 'heads', batchSize: 64, title: 'encoders and heads, 7,058 rows, batch 64', unit: 's', most: 5 },
];

/** A picture of 664 x 498 through a whole ResNet. */
const PICTURES = [{ net: 'resnet18', title: 'ResNet-18, one picture of 664 x 498', most: 480 }, { net: 'resnet50', title: 'ResNet-50, one picture of 664 x 498', most: 1300 }];

function pictures({ rounds }) {
  return PICTURES.flatMap(({ net, title, most }) => {
    const [one, two] = [1, 2].map((threads) => child('quality_picture.mjs', { net, engine: 'heddle-mt-relaxed', threads, rounds: Math.min(rounds, 5) })), ms = median(one.ms);
    return [line(title, ms, 'ms', { most, note: `best ${Math.min(...one.ms).toFixed(0)}; engine memory at most ${(one.memory.peak / 1e6).toFixed(0)} MB` }),
      line(`${title}, 2 threads`, median(two.ms), 'ms', { note: `best ${Math.min(...two.ms).toFixed(0)}` }),
      line(`${title}, speed-up`, ms / median(two.ms), 'x', { least: 1.7 })];
  });
}

/** Million scores a second through a monotonic transformer. */
function transformer({ rounds }) {
  return ['elu', 'mixed'].flatMap((activation) => [1, 2].map((threads) => {
    const { rates } = child('transformer.mjs', { activation, engine: 'heddle-mt-relaxed', threads, rounds });
    return line(`monotonic transformer, ${activation}${threads > 1 ? ', 2 threads' : ''}`, median(rates), 'M/s', {
      ...threads === 1 && { least: 5 }, note: `best ${Math.max(...rates).toFixed(2)}` });
  }));
}

function quality({ rounds }) {
  const [normed, squared] = ['normInNorm', 'meanSquaredError'].map((loss) => median(child('quality.mjs', { work: 'loss', loss, engine: 'heddle-mt-relaxed', threads: 1, rounds }).ms));
  const loss = line('Norm-in-Norm on 10,000 scores, more than MSE', normed - squared, 'ms', { most: 0.5, note: `a whole step ${normed.toFixed(3)}, with MSE ${squared.toFixed(3)}` });
  const lines = QUALITY.flatMap(({ work, batchSize, title, unit, most }) => {
    const at = (engine, threads) => child('quality.mjs', { work, batchSize, engine, threads, rounds: Math.min(rounds, 3) });
    const value = ({ ms }) => median(ms) / 1000, best = ({ ms }) => `best ${(Math.min(...ms) / 1000).toFixed(2)}`;
    const one = at('heddle-mt-relaxed', 1), two = at('heddle-mt-relaxed', 2);
    return [line(title, value(one), unit, { most, note: best(one) }), line(`${title}, 2 threads`, value(two), unit, { note: best(two) })];
  });
  return [loss, ...lines, ...pictures({ rounds }), ...transformer({ rounds })];
}

/** What enlarging pictures must reach. */
const UPSCALERS = [
  { work: 'matnet', title: '256 to 512 pixels, MatNet of 15 x 15, stride 1', most: 150, rounds: 5 },
  { work: 'default', title: '256 to 512 pixels, the network that ships', most: 100, rounds: 9 },
  { work: 'training', title: 'training, 10,000 patches of 5 modalities', most: 60_000, rounds: 1 },
];

function superResolution({ rounds }) {
  return UPSCALERS.flatMap(({ work, title, most, rounds: enough }) => {
    const [one, two] = [1, 2].map((threads) => child('super_resolution.mjs', { work, engine: 'heddle-mt-relaxed', threads, rounds: Math.min(rounds, enough) }));
    return [line(title, median(one.ms), 'ms', { most, note: `best ${Math.min(...one.ms).toFixed(0)}; engine memory at most ${(one.memory.peak / 1e6).toFixed(0)} MB` }),
      line(`${title}, 2 threads`, median(two.ms), 'ms', { note: `best ${Math.min(...two.ms).toFixed(0)}` })];
  });
}

function memory() {
  const engine = 'heddle-mt-relaxed', rounds = 2;
  const resnet = child('resnet50.mjs', { engine, threads: 2, rounds }), cifar = child('conv.mjs', { net: 'cifar', train: true, engine, threads: 2, rounds });
  return [line('ResNet-50 at 224, WebAssembly memory', resnet.memory.heap / 1e6, 'MB', { most: 250, note: `${median(resnet.ms).toFixed(0)} ms a picture, 2 threads` }),
    line('CIFAR net training, WebAssembly memory', cifar.memory.heap / 1e6, 'MB', { most: 200, note: `batch 128` })];
}

function first() {
  const ms = Array.from({ length: 11 }, () => child('first.mjs', {}).ms[0]);
  return [line('import to first result', median(ms), 'ms', { most: 40, note: `best ${Math.min(...ms).toFixed(1)}` })];
}

const packed = (bytes) => gzipSync(bytes, { level: 9 }).length / 1024;

/** All JS as a bundler ships it (minified), with the largest engine. */
function size() {
  const esbuild = join(tree, 'node_modules', '.bin', 'esbuild');
  const sources = readdirSync(join(tree, 'bindings'), { recursive: true }).map(String)
    .filter((name) => name.endsWith('.js') && !name.startsWith('engines') && !name.startsWith('types'));
  const minified = sources.map((name) => run(esbuild, [join(tree, 'bindings', name), '--minify', '--format=esm']));
  const js = packed(Buffer.from(minified.join('\n'))), engine = 'heddle-mt-relaxed';
  const binary = packed(readFileSync(join(engines, `${engine}.wasm`))), glue = packed(readFileSync(join(engines, `${engine}.mjs`)));
  return [line('all JS + one engine, minified, gzip', js + glue + binary, 'KiB',
    { most: 180, note: `JS ${js.toFixed(1)}, glue ${glue.toFixed(1)}, wasm ${binary.toFixed(1)}` })];
}

function lbfgs() {
  const losses = child('lbfgs.mjs', { engine: 'heddle-mt-relaxed', threads: 1, seconds: 10 });
  return [line('training loss after 10 s, L-BFGS', losses.lbfgs, '', { most: losses.adam }), line('training loss after 10 s, Adam', losses.adam, '')];
}

function show({ what, value, unit, most, least, note }) {
  const missed = value > (most ?? Infinity) || !(value >= (least ?? -Infinity));
  const must = most !== undefined ? `<= ${Number(most.toPrecision(3))}` : least !== undefined ? `>= ${least}` : '';
  const verdict = must === '' ? '' : missed ? 'MISSED' : 'ok';
  console.log([what.padEnd(40), `${Number(value.toPrecision(4))} ${unit}`.padStart(16), must.padStart(9), verdict.padEnd(7), note].join('  '));
}

function prepare(peers) {
  ensureTools();
  writeGenerated();
  ensureEmcc();
  for (const preset of ENGINES) buildPreset(preset, 'engine');
  if (peers) {
    npmCi(here);
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { peers: { type: 'boolean', default: false }, rounds: { type: 'string', default: '9' }, json: { type: 'string' } },
});
const groups = positionals.length ? positionals : GROUPS, rounds = Number(values.rounds);
const unknown = groups.find((name) => !GROUPS.includes(name));
if (unknown || !(rounds >= 1)) fail(`${unknown ? `unknown benchmark ${unknown}` : `rounds = ${values.rounds}`}; usage: npm run bench -- [${GROUPS.join('|')}] [--peers] [--rounds 9] [--json FILE]`);
prepare(values.peers);
console.log(`Node 24, one thread unless said, medians; load average at the start ${loadavg()[0].toFixed(1)}`);
const results = groups.flatMap((name) => {
  const lines = { square, step, conv, images, linalg, solve, quality, 'super-resolution': superResolution, memory, first, size, lbfgs }[name]({ rounds, peers: values.peers });
  lines.forEach(show);
  return lines;
});
if (values.json) writeFileSync(values.json, JSON.stringify(results, null, 2));
