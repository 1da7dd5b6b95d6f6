// The command line, as spawned from a shell: what it says, what it writes, what it returns, and that it goes on where it was stopped.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { init } from '../../bindings/index.js';
import { SuperResolver } from '../../bindings/super_resolution/index.js';
import { timeLeft } from '../../bindings/cli/terminal.js';
import { loadQualityModel, readRatings } from '../../bindings/quality/index.js';
import { tree } from '../../tools/common.mjs';
import { random } from './filekit.js';

const command = join(tree, 'bindings', 'cli', 'heddle.js'), { version } = JSON.parse(readFileSync(join(tree, 'package.json'), 'utf8'));
const fast = ['--size', '32x32', '--encoder', '16,8', '--batch-size', '6', '--learning-rate', '0.003'];
let folder = '';

/** @param {string[]} args */
function heddle(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], { cwd: folder, encoding: 'utf8', timeout: 120_000 });
  return { status, stdout, stderr };
}

/** Runs and interrupts as soon as what it has printed matches. @param {RegExp} when @param {string[]} args */
function interrupted(when, ...args) {
  const child = spawn(process.execPath, [command, ...args], { cwd: folder });
  let printed = '', sent = false;
  const listen = (chunk) => {
    printed += chunk;
    if (!sent && when.test(printed)) sent = child.kill('SIGINT');
  };
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, printed })));
}

/** No trace of where in our sources it happened. @param {{ status: number | null, stdout: string, stderr: string }} run @param {number} status @param {RegExp} message */
function fails(run, status, message) {
  assert.equal(run.status, status, run.stdout + run.stderr);
  assert.match(run.stderr, message);
  assert.doesNotMatch(run.stderr, /\n\s+at |node:internal/);
}

/** A picture of a slope under noise: the more noise, the worse. @param {string} path @param {number} noise @param {number} seed @param {number} [side] pixels */
function draw(path, noise, seed, side = 40) {
  const uniform = random(seed), data = new Uint8Array(side * side * 3);
  for (let i = 0; i < data.length; i++) data[i] = Math.max(0, Math.min(255, 60 + 3 * (Math.floor(i / 3) % side) + noise * (uniform() - 0.5)));
  return sharp(data, { raw: { width: side, height: side, channels: 3 } }).png().toFile(path);
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-cli-'));
  mkdirSync(join(folder, 'photos', 'more'), { recursive: true });
  const names = Array.from({ length: 40 }, (_, i) => (i % 4 ? `${i}.png` : `more/${i}.png`)), noise = names.map((_, i) => 5 * ((i * 7) % 40));
  await Promise.all(names.map((name, i) => draw(join(folder, 'photos', name), noise[i], i)));
  writeFileSync(join(folder, 'photos', 'broken.png'), 'no picture');
  writeFileSync(join(folder, 'photos', 'cut.png'), readFileSync(join(folder, 'photos', '1.png')).subarray(0, 900));
  writeFileSync(join(folder, 'photos', 'notes.txt'), 'not to be looked at');
  const rows = names.map((name, i) => `${name},${5 - noise[i] / 50},0.5`);
  writeFileSync(join(folder, 'ratings.csv'), ['image,mos,std', ...rows, 'broken.png,3,0.5', 'gone.png,2,0.5'].join('\n'));
});
after(() => rmSync(folder, { recursive: true }));

test('help teaches every option; wrong usage is told apart from failure', () => {
  const all = heddle('--help');
  assert.equal(all.status, 0);
  assert.match(all.stdout, /heddle train-quality RATINGS --images FOLDER.*\n.*\n.*heddle COMMAND --help/s);
  for (const name of ['score', 'train-quality', 'upscale']) {
    const { status, stdout } = heddle(name, '--help');
    assert.equal(status, 0);
    assert.equal(heddle('help', name).stdout, stdout);
    const source = readFileSync(join(tree, 'bindings', 'cli', `${name.replace('-', '_')}.js`), 'utf8'), flags = /const flags = \{(.*?)\n\};/s.exec(source)?.[1] ?? '';
    const options = [...flags.matchAll(/'?([\w-]+)'?: \{ type/g)].map(([, option]) => option);
    assert.ok(options.length > 4);
    for (const option of options) assert.match(stdout, new RegExp(`--${option}\\b`));
  }
  assert.equal(heddle('--version').stdout.trim(), version);
  fails(heddle(), 2, /heddle COMMAND/);
  fails(heddle('scor'), 2, /unknown command "scor", did you mean "score"/);
  fails(heddle('score'), 2, /which pictures/);
  fails(heddle('score', 'photos'), 2, /--model is missing/);
  fails(heddle('score', 'photos', '--modle', 'x'), 2, /unknown option --modle, did you mean "--model"/);
  fails(heddle('score', 'photos', '--model', 'x', '--resume'), 2, /needs --csv/);
  fails(heddle('upscale', 'photos/1.png'), 2, /which picture, and where does it go/);
  fails(heddle('upscale', 'photos/1.png', 'photos/2.png', 'out'), 2, /one picture or folder at a time, got 2/);
  fails(heddle('upscale', 'photos/1.png', 'out.gif'), 2, /out\.gif: expected a name that ends in \.png/);
  fails(heddle('upscale', 'photos/1.png', 'photos/1.png', '--force'), 2, /is the picture itself/);
  fails(heddle('upscale', 'photos/1.png', 'out.png', '--scale', '5'), 2, /--scale 5: expected a whole number, at least 2 and at most 4/);
  fails(heddle('upscale', 'photos/1.png', 'out.png', '--resume'), 2, /--resume is for folders/);
  fails(heddle('upscale', 'photos', 'photos/large'), 2, /photos\/large lies in photos/);
  fails(heddle('upscale', 'photos', 'ratings.csv'), 2, /ratings\.csv is a file, photos is a folder/);
  fails(heddle('train-quality', 'ratings.csv'), 2, /--images is missing/);
  fails(heddle('train-quality', 'ratings.csv', '--images', 'photos', '--epochs', 'many'), 2, /--epochs many: expected a whole number, at least 1/);
  fails(heddle('train-quality', 'ratings.csv', '--images', 'photos', '--loss', 'mae'), 2, /--loss mae, expected one of normInNorm/);
  fails(heddle('train-quality', 'ratings.csv', '--images', 'photos', '--backbone', 'resnet18'), 2, /--weights is missing/);
  fails(heddle('train-quality', 'ratings.csv', '--images', 'photos', '--size', '32'), 2, /--size 32: expected height x width/);
  fails(heddle('train-quality', 'ratings.csv', '--images', 'photos', '--crop', '32x32x3'), 2, /--crop 32x32x3: expected height x width/);
  fails(heddle('train-quality', 'ratings.csv', '--images', 'photos', '--crop', 'half'), 2, /--crop half: expected whole numbers such as 498x664/);
});

test('what is not there or not right is said in one line', () => {
  fails(heddle('score', 'nowhere', '--model', 'no.safetensors'), 1, /^heddle score: cannot load "no\.safetensors"/);
  fails(heddle('train-quality', 'no.csv', '--images', 'photos'), 1, /^heddle train-quality: cannot load "no\.csv"/);
  fails(heddle('train-quality', 'ratings.csv', '--images', 'nowhere'), 1, /there is no file or folder "nowhere"/);
  fails(heddle('train-quality', 'ratings.csv', '--images', 'photos', '--score', 'moss'), 1, /score = "moss": there is no such column/);
  fails(heddle('train-quality', 'ratings.csv', '--images', 'photos', '--split', 'reference'), 1, /no column of references/);
  fails(heddle('train-quality', 'ratings.csv', '--images', 'photos', '--train', '0.9', '--out', 'no/judge'), 1, /37 to train, 2 to validate, 2 held out\n.*--out no\/judge: there is no folder "no"/);
  fails(heddle('train-quality', 'ratings.csv', '--images', 'photos', '--out', 'photos'), 1, /--out photos is a folder/);
  fails(heddle('train-quality', 'ratings.csv', '--images', 'photos', '--strict'), 1, /1 rating without a picture in "photos": gone\.png/);
  for (const [flags, message] of [[['--crop', '999x999'], /crop: expected \[height, width\]/], [['--fine-tuned-from', 'stage9'], /fineTunedFrom: no node "stage9"/],
    [['--mirror', '--fine-tuned-rate', '0'], /mirror is for training the backbone/]]) {
    fails(heddle('train-quality', 'ratings.csv', '--images', 'photos', '--epochs', '1', ...fast, ...flags), 1, message);
  }
  fails(heddle('score', 'photos', '--model', 'ratings.csv'), 1, /^heddle score: /);
});

test('trains, tells how well, scores a folder; what cannot be read is named and left out', async () => {
  const trained = heddle('train-quality', 'ratings.csv', '--images', 'photos', '--out', 'judge.safetensors', '--epochs', '12', ...fast);
  assert.equal(trained.status, 0, trained.stderr);
  assert.match(trained.stderr, /42 ratings \(image: image, score: mos, std: std\), 41 with a picture; 1 picture without a rating/);
  assert.match(trained.stderr, /1 rating without a picture in "photos": gone\.png/);
  assert.match(trained.stderr, /can't read broken\.png: /);
  assert.match(trained.stderr, /parts by random: 29 to train, 4 to validate, 8 held out/);
  assert.match(trained.stdout, /epoch 12\/12 {2}loss [\d.]+ {2}validation SROCC [-\d.]+/);
  assert.ok(Number(/held out: [78] pictures, .*SROCC ([-\d.]+)/.exec(trained.stdout)?.[1]) > 0.8, trained.stdout);
  assert.doesNotMatch(trained.stdout + trained.stderr, /\r/);
  assert.deepEqual(readdirSync(folder).filter((name) => name.startsWith('judge')), ['judge.safetensors']);

  const scored = heddle('score', 'photos', '--model', 'judge.safetensors', '--csv', 'out.csv');
  assert.equal(scored.status, 0, scored.stderr);
  assert.equal(scored.stdout, '');
  assert.match(scored.stderr, /can't read broken\.png: .*\ncan't read cut\.png: .*\nscored 40 pictures in \d+ s; 2 could not be read: out\.csv/);
  const { images, scores } = await readRatings(join(folder, 'out.csv')), judge = await loadQualityModel(join(folder, 'judge.safetensors'));
  assert.equal(images.length, 40);
  assert.deepEqual(scores.slice(0, 3), await judge.score(images.slice(0, 3).map((name) => join(folder, 'photos', name))));
  judge.dispose();
  const bare = heddle('score', 'photos/1.png', 'photos/2.png', '-m', 'judge.safetensors');
  assert.match(bare.stdout, /^image,score\nphotos\/1\.png,[\d.]+\nphotos\/2\.png,[\d.]+\n$/);
  fails(heddle('score', 'photos', '-m', 'judge.safetensors', '--strict'), 1, /could not be read/);
  fails(heddle('score', 'photos/broken.png', '-m', 'judge.safetensors'), 1, /none of the pictures could be read/);
});

test('an interrupted training goes on with --resume to the same bytes', async () => {
  const args = ['train-quality', 'ratings.csv', '--images', 'photos', '--epochs', '6', ...fast];
  assert.equal(heddle(...args, '--out', 'whole.safetensors', '--threads', '1').status, 0); // the others run with all threads
  const { status, printed } = await interrupted(/epoch 2\/6/, ...args, '--out', 'parts.safetensors');
  assert.equal(status, 130, printed);
  assert.match(printed, /interrupted; the same command with --resume goes on/);
  assert.ok(existsSync(join(folder, 'parts.safetensors.checkpoint.a')) && !existsSync(join(folder, 'parts.safetensors')));
  const rest = heddle(...args, '--out', 'parts.safetensors', '--resume');
  assert.equal(rest.status, 0, rest.stderr);
  assert.doesNotMatch(rest.stdout, /epoch 1\/6/);
  assert.match(rest.stdout, /epoch 6\/6/);
  assert.deepEqual(readFileSync(join(folder, 'parts.safetensors')), readFileSync(join(folder, 'whole.safetensors')));
  assert.deepEqual(readdirSync(folder).filter(name => name.includes('.checkpoint')), []);
});

test('scoring goes on with --resume where it stopped, unless the judge is another one', async () => {
  mkdirSync(join(folder, 'many'));
  await draw(join(folder, 'large.png'), 90, 1, 1400);
  for (let i = 0; i < 60; i++) symlinkSync(join(folder, 'large.png'), join(folder, 'many', `${i},"x".png`));
  const args = ['score', 'many', '--model', 'whole.safetensors'];
  assert.equal(heddle(...args, '--csv', 'all.csv').status, 0);
  const child = spawn(process.execPath, [command, ...args, '--csv', 'parts.csv'], { cwd: folder, stdio: 'ignore' });
  const part = () => readdirSync(folder).find((name) => /^parts\.csv\.[0-9a-f]{8}\.part$/.test(name));
  const rows = () => (part() ? readFileSync(join(folder, part()), 'utf8').split('\n').length - 2 : 0);
  const status = new Promise((resolve) => child.on('close', resolve));
  while (child.exitCode === null && rows() < 1) await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill('SIGINT');
  assert.equal(await status, 130);
  const done = rows();
  assert.ok(done >= 1 && done < 60 && !existsSync(join(folder, 'parts.csv')), `${done} rows`);
  const rest = heddle(...args, '--csv', 'parts.csv', '--resume');
  assert.equal(rest.status, 0, rest.stderr);
  assert.match(rest.stderr, new RegExp(`${done} pictures? scored before, ${60 - done} to go`));
  const [parts, all] = [readFileSync(join(folder, 'parts.csv'), 'utf8'), readFileSync(join(folder, 'all.csv'), 'utf8')];
  assert.equal(parts, all);
  assert.equal(part(), undefined);
});

/** A small network that enlarges by two, in a file. */
async function network() {
  await init({ worker: false });
  const resolver = new SuperResolver(), images = ['1.png', '2.png'].map((name) => join(folder, 'photos', name));
  await resolver.fit(images, { filters: [4], patches: 8, patch: 4, epochs: 1, seed: 1 });
  await resolver.save(join(folder, 'network.safetensors'));
  return resolver;
}
const read = async (name) => {
  const { data, info } = await sharp(join(folder, name)).raw().toBuffer({ resolveWithObject: true });
  return { data: new Uint8Array(data), shape: [info.height, info.width, info.channels] };
};

test('enlarges a picture as the API does; what is there is not written over', async () => {
  const resolver = await network(), model = ['--model', 'network.safetensors', '--threads', '1'];
  const done = heddle('upscale', 'photos/1.png', 'twice.png', ...model);
  assert.equal(done.status, 0, done.stderr);
  assert.match(done.stderr, /^enlarged to 80 x 80 pixels in \d+ s: twice\.png$/m);
  assert.deepEqual(await read('twice.png'), await resolver.upscale(join(folder, 'photos', '1.png')));
  fails(heddle('upscale', 'photos/2.png', 'twice.png', ...model), 1, /"twice\.png" is there already: --force writes over it/);
  assert.equal(heddle('upscale', 'photos/2.png', 'twice.png', ...model, '--force', '--self-ensemble').status, 0);
  assert.deepEqual(await read('twice.png'), await resolver.upscale(join(folder, 'photos', '2.png'), { selfEnsemble: true }));
  assert.equal(heddle('upscale', 'photos/2.png', 'twice.jpg', ...model, '--quality', '50').status, 0);
  assert.equal((await sharp(join(folder, 'twice.jpg')).metadata()).format, 'jpeg');
  fails(heddle('upscale', 'photos/broken.png', 'no.png', ...model), 1, /broken\.png": it can't be decoded/);
  fails(heddle('upscale', 'photos/1.png', 'nowhere/no.png', ...model), 1, /there is no folder "nowhere"/);
  fails(heddle('upscale', 'gone.png', 'no.png', ...model), 1, /there is no file or folder "gone\.png"/);
  fails(heddle('upscale', 'photos/1.png', 'no.png', '--model', 'ratings.csv'), 1, /^heddle upscale: /);
  fails(heddle('upscale', 'photos/1.png', 'no.png', ...model, '--scale', '3'), 2, /--scale 3: the network in "network\.safetensors" enlarges by 2/);
  const own = await SuperResolver.pretrained();
  assert.equal(heddle('upscale', 'photos/1.png', 'usual.png').status, 0);
  assert.deepEqual(await read('usual.png'), await own.upscale(join(folder, 'photos', '1.png')), 'the network that comes with heddle');
  own.dispose();
  fails(heddle('upscale', 'photos/1.png', 'no.png', '--scale', '3'), 1, /no network \(scale 3\) comes with heddle/);
  assert.ok(!existsSync(join(folder, 'no.png')));
  resolver.dispose();
});

test('enlarges a folder: unreadable pictures are named, an interrupted run goes on', async () => {
  mkdirSync(join(folder, 'some', 'more'), { recursive: true });
  for (const name of ['1.png', 'more/4.png', 'broken.png', 'notes.txt']) symlinkSync(join(folder, 'photos', name), join(folder, 'some', name));
  const args = ['upscale', 'some', 'enlarged', '--model', 'network.safetensors'], done = heddle(...args);
  assert.equal(done.status, 0, done.stderr);
  assert.match(done.stderr, /can't read broken\.png: .*\nenlarged 2 pictures in \d+ s; 1 could not be read/);
  assert.deepEqual(readdirSync(join(folder, 'enlarged'), { recursive: true }).map(String).sort(), ['1.png', 'more', 'more/4.png']);
  assert.deepEqual((await read('enlarged/more/4.png')).shape, [80, 80, 3]);
  fails(heddle(...args), 1, /in "enlarged" there are already 1\.png, more\/4\.png: --force writes over them, --resume leaves/);
  fails(heddle(...args, '--resume', '--force'), 2, /choose one/);
  rmSync(join(folder, 'enlarged', '1.png'));
  const rest = heddle(...args, '--resume', '--strict');
  assert.equal(rest.status, 1, rest.stderr);
  assert.match(rest.stderr, /1 picture enlarged before, 2 to go\n.*\nenlarged 1 picture in/);
  symlinkSync(join(folder, 'photos', '2.png'), join(folder, 'some', '1.jpg'));
  fails(heddle(...args, '--force'), 1, /"1\.jpg" and "1\.png" would both become "enlarged\/1\.png"/);

  const large = random(5), side = 700;
  await sharp(Uint8Array.from({ length: side * side * 3 }, () => 255 * large()), { raw: { width: side, height: side, channels: 3 } }).png().toFile(join(folder, 'noise.png'));
  mkdirSync(join(folder, 'noises'));
  for (let i = 0; i < 30; i++) symlinkSync(join(folder, 'noise.png'), join(folder, 'noises', `${i}.png`));
  const child = spawn(process.execPath, [command, 'upscale', 'noises', 'slow', '--model', 'network.safetensors', '--self-ensemble'], { cwd: folder, stdio: 'ignore' });
  const status = new Promise((resolve) => child.on('close', resolve)), files = () => (existsSync(join(folder, 'slow')) ? readdirSync(join(folder, 'slow')) : []);
  while (child.exitCode === null && files().filter((name) => name.endsWith('.png')).length < 1) await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill('SIGINT');
  assert.equal(await status, 130);
  assert.ok(files().length < 30 && files().every((name) => name.endsWith('.png')), files().join());
  for (const name of files()) assert.deepEqual((await read(`slow/${name}`)).shape, [2 * side, 2 * side, 3]);
});

test('the time that is left follows from what this run does, not from what was done before or found in a cache', () => {
  const resumed = timeLeft(1000);
  assert.equal(resumed(601, 5), undefined);
  for (let i = 1; i <= 40; i++) assert.ok(Math.abs(resumed(601 + i, 5 + 2 * i) - 2 * (399 - i)) < 1e-9);
  const cached = timeLeft(1000); // 500 are there at once, then a second each
  for (let i = 1; i <= 500; i++) cached(i, i / 5000);
  assert.ok(cached(500, 0.1) < 0.2);
  for (let i = 1; i <= 300; i++) {
    const left = cached(500 + i, 0.1 + i);
    assert.ok(i < 8 ? left > 50 : Math.abs(left - (500 - i)) < 1, `${left} s, ${i} s after the cached ones`);
  }
  assert.equal(cached(1000, 9000), 0);
  const stuck = timeLeft(10);
  assert.deepEqual([stuck(3, 0), stuck(3, 8)], [undefined, undefined]);
});

const hasScript = spawnSync('script', ['--version']).status === 0;
test('on a terminal there is one line of progress', { skip: !hasScript && 'needs script of util-linux' }, () => {
  const line = [process.execPath, command, 'score', 'photos', '--model', 'judge.safetensors', '--csv', 'tty.csv'].join(' ');
  const { stdout } = spawnSync('script', ['-qec', line, '/dev/null'], { cwd: folder, encoding: 'utf8', timeout: 60_000 });
  assert.match(stdout, /\rscored \d+ of 42( {2}\d+ s left)?\x1b\[K/);
});
