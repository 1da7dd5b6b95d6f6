// The commands for models and tables, as spawned from a shell: train, predict, summary, convert, info.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { init, input, layers, load, model, apply, sequential } from '../../bindings/index.js';
import { readNpy, writeNpy, writeSafetensors } from '../../bindings/files/index.js';
import { tree } from '../../tools/common.mjs';
import { random } from './filekit.js';

const command = join(tree, 'bindings', 'cli', 'heddle.js'), kinds = ['setosa', 'versicolor', 'virginica'];
let folder = '';

/** @param {string[]} args @param {string | Uint8Array} [stdin] @returns stdout as text */
function heddle(args, stdin) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], { cwd: folder, input: stdin, timeout: 120_000, maxBuffer: 2 ** 26 });
  return { status, stdout: stdout.toString(), stderr: stderr.toString(), bytes: new Uint8Array(stdout) };
}

/** @param {string[]} args */
function works(args, stdin) {
  const run = heddle(args, stdin);
  assert.equal(run.status, 0, run.stdout + run.stderr);
  return run;
}

/** One sentence, no trace of where in our sources it happened. @param {string[]} args */
function fails(args, status, message, stdin) {
  const run = heddle(args, stdin);
  assert.equal(run.status, status, run.stdout + run.stderr);
  assert.match(run.stderr, message);
  assert.doesNotMatch(run.stderr, /\n\s+at |node:internal/);
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-cli-'));
  const uniform = random(3), noise = () => uniform() + uniform() + uniform() - 1.5, rows = [], houses = [];
  for (let i = 0; i < 240; i++) {
    const k = i % 3, area = 30 + 150 * uniform(), rooms = 1 + Math.floor(5 * uniform());
    rows.push(`${i},${(4 + 2 * k + noise()).toFixed(2)},${(2 + 2 * Number(k === 1) + noise()).toFixed(2)},${['red', '"light, blue"'][i % 2]},${kinds[k]}`);
    houses.push(`${area.toFixed(1)};${rooms};${Math.round(50000 + 3000 * area + 9000 * rooms + 5000 * noise())}`);
  }
  writeFileSync(join(folder, 'iris.csv'), ['id,length,width,colour,species', ...rows].join('\n'));
  writeFileSync(join(folder, 'holes.csv'), ['id,length,width,colour,species', ...rows, '240,,1,red,setosa'].join('\n'));
  writeFileSync(join(folder, 'houses.csv.gz'), gzipSync(['area;rooms;price', ...houses].join('\n')));
  await init({ engine: 'heddle-mt', threads: 1, worker: false });
  const picture = await sequential([layers.input({ shape: [6, 8, 3] }), layers.rescaling({ scale: [1 / 255] }), layers.globalAveragePool2d()], { seed: 1 });
  await picture.save(join(folder, 'mean.safetensors'));
  const a = input({ shape: [2], name: 'a' }), b = input({ shape: [2], name: 'b' }), sum = apply(layers.add({ name: 'sum' }), [a, b]);
  await (await model({ inputs: [a, b], outputs: [sum] })).save(join(folder, 'sum.safetensors'));
  for (const [name, colour] of Object.entries({ red: [255, 0, 0], grey: [51, 51, 51] })) {
    await sharp({ create: { width: 16, height: 9, channels: 3, background: { r: colour[0], g: colour[1], b: colour[2] } } }).png().toFile(join(folder, `${name}.png`));
  }
});
after(() => rmSync(folder, { recursive: true }));

test('help teaches every option', () => {
  for (const name of ['train', 'predict', 'summary', 'convert', 'info']) {
    const { stdout } = works([name, '--help']), source = readFileSync(join(tree, 'bindings', 'cli', `${name}.js`), 'utf8');
    const options = [.../const flags = \{(.*?)\};/s.exec(source)[1].matchAll(/'?([\w-]+)'?: \{ type/g)].map(([, option]) => option);
    assert.ok(options.length > 2);
    for (const option of options) assert.match(stdout, new RegExp(`--${option}\\b`));
    assert.match(stdout, /\nExamples:\n(?: {2}.*heddle .*\n)+/);
    assert.match(works(['--help']).stdout, new RegExp(`\n  heddle ${name} `));
  }
});

test('classes of a table: trained, told, predicted from the table by column names, the same from the seed', async () => {
  const args = ['train', 'holes.csv', '-t', 'species', '--ignore', 'id', '--epochs', '40'], { stdout, stderr } = works([...args, '-o', 'iris.safetensors']);
  assert.match(stderr, /^240 rows \(1 with an empty field left out\), 3 columns, 3 classes: 153 to train, 39 to validate, 48 held out\n/);
  assert.doesNotMatch(stderr, /\r|epoch \d/); // no progress where nobody looks
  const accuracy = Number(/^48 held-out rows: accuracy ([\d.]+) % \(always the most frequent class: 33\.3 %\)\n$/.exec(stdout)?.[1]);
  assert.ok(accuracy > 90, stdout);
  works([...args, '-o', 'again.safetensors', '-q', '--threads', '1']);
  assert.deepEqual(readFileSync(join(folder, 'again.safetensors')), readFileSync(join(folder, 'iris.safetensors')));

  const table = works(['predict', 'iris.safetensors', 'iris.csv']).stdout.trim().split('\n');
  assert.equal(table[0], `class,${kinds.join()}`);
  const right = table.slice(1).filter((line, i) => line.startsWith(kinds[i % 3])).length;
  assert.ok(table.length === 241 && right > 215, `${right} right`);
  const turned = readFileSync(join(folder, 'iris.csv'), 'utf8').split('\n').slice(0, 3).map((line) => line.replace(/^(\w+),([^,]+),(.*),(\w+)$/, '$4,$3,$2')).join('\n');
  assert.match(turned, /^species,width,colour,length\n/);
  assert.equal(works(['predict', 'iris.safetensors', '-'], turned).stdout, `${table.slice(0, 3).join('\n')}\n`);
  const net = await load(join(folder, 'iris.safetensors'));
  assert.deepEqual([net.metadata.classes, net.metadata.table.columns[2]], [kinds, { name: 'colour', values: ['light, blue', 'red'] }]);
  net.dispose();
});

test('values of a table: an error in its unit, gzip, other separators, JSON', () => {
  const { stdout, stderr } = works(['train', 'houses.csv.gz', '--target', 'price', '--out', 'price.safetensors', '--json', '--quiet', '--hidden', '16']), found = JSON.parse(stdout);
  assert.equal(stderr, '');
  assert.ok(found.task === 'regression' && found.rows === 48 && found.r2 > 0.98 && found.rmse < 20000 && found.mae <= found.rmse, stdout);
  const { shape, outputs } = JSON.parse(works(['predict', 'price.safetensors', '-', '--format', 'json'], 'rooms,area\n3,100\n1,40').stdout);
  assert.deepEqual(shape, [2, 1]);
  assert.ok(Math.abs(outputs[0][0] - 377000) < 30000 && Math.abs(outputs[1][0] - 179000) < 30000, String(outputs));
});

test('arrays and pictures: npy in and out, the largest outputs, several inputs', async () => {
  const x = { data: Float64Array.of(1, 2, 3, 4), shape: [2, 2] };
  writeFileSync(join(folder, 'a.npy'), writeNpy(x));
  writeFileSync(join(folder, 'b.csv'), '10,20\n30,40\n');
  assert.match(works(['predict', 'sum.safetensors', 'a.npy', 'b.csv', '--out', 'y.npy']).stderr, /^2 rows: y\.npy\n$/);
  const y = readNpy(readFileSync(join(folder, 'y.npy')));
  assert.deepEqual([[...y.data], y.shape], [[11, 22, 33, 44], [2, 2]]);
  assert.equal(works(['predict', 'sum.safetensors', 'a.npy', '-', '--top', '1'], '1,0\n0,5\n').stdout, 'row,class,value\n1,0,2\n2,1,9\n'.replace('1,0,2', '1,0,2'));
  assert.equal(works(['predict', 'sum.safetensors', 'a.npy', 'b.csv', '--output', 'a']).stdout, 'output 1,output 2\n1,2\n3,4\n');
  const [head, red, grey] = works(['predict', 'mean.safetensors', 'red.png', 'grey.png']).stdout.split('\n');
  assert.equal(head, 'file,output 1,output 2,output 3');
  assert.match(red, /^red\.png,1(\.0+\d*)?,0,0$|^red\.png,0\.99999\d*,0,0$/);
  assert.ok(grey.split(',').slice(1).every((v) => Math.abs(Number(v) - 0.2) < 1e-6), grey);
  const scaled = works(['predict', 'mean.safetensors', 'grey.png', '--scale', '1/51']).stdout.split('\n')[1];
  assert.ok(scaled.split(',').slice(1).every((v) => Math.abs(Number(v) - 1 / 255) < 1e-7), scaled);
});

test('summary and convert: heddle, ONNX, weights of others, by pipe', () => {
  assert.match(works(['summary', 'iris.safetensors']).stdout, /^Predicts "species" from 3 columns of a table .*: length, width, colour\.\n\nModel: "table"\n_+\nLayer \(type\)[^]*\nhidden1 \(dense\) +\(None, 64\) +320\n/);
  assert.match(works(['summary', 'iris.safetensors', '--weights', '--width', '60']).stdout, /\n {2}kernel +\(64, 4\) +256\n/);
  assert.equal(JSON.parse(works(['summary', 'iris.safetensors', '--metadata']).stdout).table.target, 'species');
  assert.match(works(['convert', 'iris.safetensors', 'iris.onnx']).stderr, /^table: 5 nodes, \d+ parameters, \d+ bytes: iris\.onnx\n$/);
  const rows = '1,2,1,0\n6,4,0,1\n', outputs = (file) => works(['predict', file, '-', '--format', 'json'], rows).stdout;
  const [ours, theirs] = ['iris.safetensors', 'iris.onnx'].map((file) => JSON.parse(works(['predict', file, '-', '--format', 'json', '--columns', 'a,b,c,d'], `a,b,c,d\n${rows}`).stdout).outputs.flat());
  ours.forEach((v, i) => assert.ok(Math.abs(v - theirs[i]) <= 1e-5, `${v} ${theirs[i]}`));
  assert.ok(outputs('iris.onnx').includes('"shape":[2,3]'));
  const back = works(['convert', 'iris.onnx', '-', '--to', 'heddle', '-q']);
  const { kind, outputs: [{ shape }], layers: nodes } = JSON.parse(works(['summary', '-', '--json'], back.bytes).stdout);
  assert.deepEqual([kind, shape, nodes.length > 5], ['heddle', [3], true]);
  writeFileSync(join(folder, 'others.safetensors'), writeSafetensors(new Map([['conv.weight', { dtype: 'F32', shape: [1, 2], data: Float32Array.of(1, 2) }]])));
  assert.match(works(['summary', 'others.safetensors']).stdout, /^others\.safetensors: weights without a model, 1 tensor\nconv\.weight {2}F32 {3}\[1, 2\]\n$/);
});

test('info', () => {
  const { engine, threads, node, packages } = JSON.parse(works(['info', '--threads', '2', '--deterministic', '--json']).stdout);
  assert.deepEqual([engine, threads, node, packages.sharp], ['heddle-mt', 2, process.versions.node, true]);
  assert.match(works(['info']).stdout, /^heddle [\d.]+, Node [\d.]+, .*\nengine: heddle-mt/);
});

test('what is not right is said in one sentence; wrong usage has its own exit code', () => {
  fails(['train', 'iris.csv', '-o', 'x'], 2, /--target is missing/);
  fails(['train', 'iris.csv', '-t', 'species'], 2, /--out is missing/);
  fails(['train', 'iris.csv', '-t', 'species', '-o', '-'], 2, /the model needs a file/);
  fails(['train', 'iris.csv', '-t', 'specie', '-o', 'x'], 1, /the table has no column "specie", did you mean "species"/);
  fails(['train', 'iris.csv', '-t', 'species', '-o', 'iris.csv'], 1, /"iris\.csv" is already there: --force writes over it/);
  fails(['train', 'iris.csv', '-t', 'species', '-o', 'x', '--task', 'regression'], 1, /column "species" is not all numbers/);
  fails(['train', 'iris.csv', '-t', 'species', '-o', 'x', '--hidden', '3,0'], 2, /--hidden 3,0: expected whole numbers/);
  fails(['train', '-', '-t', 'y', '-o', 'x'], 1, /column "y" is "1" in every row/, `x,y\n${'2,1\n'.repeat(20)}`);
  fails(['train', '-', '-t', 'y', '-o', 'x'], 1, /column "x" has 60 different texts/, `x,y\n${Array.from({ length: 60 }, (_, i) => `t${i},${i % 2}\n`).join('')}`);
  fails(['train', '-', '-t', 'y', '-o', 'x'], 1, /3 whole rows, expected at least 10/, 'x,y\n1,2\n2,3\n3,4\n');
  fails(['predict', 'sum.safetensors'], 2, /which input/);
  fails(['predict', '-', '-'], 2, /stdin can be read once/);
  fails(['predict', 'sum.safetensors', 'a.npy'], 2, /the model has 2 inputs \(a, b\), got 1 array or table/);
  fails(['predict', 'sum.safetensors', 'red.png', 'grey.png'], 1, /pictures are for a model with one input/);
  fails(['predict', 'sum.safetensors', 'a.npy', 'a.npy', '--output', 'summ'], 2, /--output summ: there is no such node, did you mean "sum"/);
  fails(['predict', 'sum.safetensors', 'a.npy', 'a.npy', '-o', 'out.txt'], 2, /expected a name that ends in \.csv, \.json or \.npy/);
  fails(['predict', 'mean.safetensors', 'a.npy'], 1, /"a\.npy" is \[2, 2\], expected \[rows, 6, 8, 3\] for the input "input"/);
  fails(['predict', 'iris.safetensors', 'holes.csv'], 1, /row 241, column "length": nothing, expected a number/);
  fails(['predict', 'iris.safetensors', '-'], 1, /row 1, column "colour": "green", expected one of light, blue, red/, 'length,width,colour\n1,2,green\n');
  fails(['predict', 'iris.safetensors', '-'], 1, /stdin: .*the file is empty/, '');
  fails(['summary', 'iris.csv'], 1, /"iris\.csv" is no model that heddle knows/);
  fails(['summary', 'none.safetensors'], 1, /^heddle summary: cannot load "none\.safetensors"/);
  fails(['convert', 'iris.safetensors', 'iris.txt'], 2, /expected a name that ends in \.onnx or \.safetensors/);
  fails(['convert', 'iris.safetensors', 'no/iris.onnx'], 1, /can't write "no\/iris\.onnx"/);
  fails(['convert', 'others.safetensors', 'x.onnx'], 1, /"others\.safetensors" holds weights alone/);
  fails(['summry', 'x'], 2, /unknown command "summry", did you mean "summary"/);
  assert.ok(!existsSync(join(folder, 'x')) && !readdirSync(folder).some((name) => name.endsWith('.part')));
});

test('a closed pipe ends it quietly, an interrupt with 130 and no file', async () => {
  const closed = spawn('sh', ['-c', `"${process.execPath}" "${command}" predict iris.safetensors - --top 3 | head -n 1`], { cwd: folder });
  closed.stdin.end(`length,width,colour\n${'1,2,red\n'.repeat(50_000)}`);
  let [out, complaints] = ['', ''];
  closed.stdout.on('data', (chunk) => { out += chunk; });
  closed.stderr.on('data', (chunk) => { complaints += chunk; });
  await new Promise((resolve) => closed.on('close', resolve));
  assert.deepEqual([out, complaints], ['row,class,value\n', '']);

  const child = spawn(process.execPath, [command, 'train', 'houses.csv.gz', '-t', 'price', '-o', 'never.safetensors', '--epochs', '1000000', '--hidden', '512,512', '--batch-size', '1'], { cwd: folder });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
    if (/held out/.test(said)) setTimeout(() => child.kill('SIGINT'), 1500);
  });
  assert.equal(await new Promise((resolve) => child.on('close', resolve)), 130, said);
  assert.match(said, /interrupted; nothing was written/);
  assert.ok(!existsSync(join(folder, 'never.safetensors')));
});
