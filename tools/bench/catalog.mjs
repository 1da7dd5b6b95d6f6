// Every work that is measured: where, beside whom, and what is asked of it. Limits are those of the issues that the parts were made for.

/** Where heddle runs. @type {Record<string, { title: string, where: 'node' | 'chromium', engine: string, threads: number }>} */
export const PLACES = {
  node1: { title: 'Node, 1 thread', where: 'node', engine: 'heddle-mt-relaxed', threads: 1 },
  node2: { title: 'Node, 2 threads', where: 'node', engine: 'heddle-mt-relaxed', threads: 2 },
  baseline: { title: 'Node, 1 thread, no relaxed SIMD', where: 'node', engine: 'heddle-mt', threads: 1 },
  single: { title: 'Node, heddle-st-relaxed', where: 'node', engine: 'heddle-st-relaxed', threads: 1 },
  chromium1: { title: 'Chromium, 1 thread', where: 'chromium', engine: 'heddle-mt-relaxed', threads: 1 },
  chromium2: { title: 'Chromium, 2 threads', where: 'chromium', engine: 'heddle-mt-relaxed', threads: 2 },
};
/** Others. */
export const OTHERS = {
  gcc: 'heddle natively, gcc -O3 -march=native', numpy: 'NumPy', torch: 'PyTorch',
  tfjs: 'TensorFlow.js wasm', jax: 'jax-js wasm', ort: 'ONNX Runtime Web wasm', convnetjs: 'ConvNetJS', ml_matrix: 'ml-matrix',
};
/** Programs in JavaScript, and how many threads each may have in a page (see peers/wasm_tfjs.mjs); in Node all of them have one. @type {Record<string, number>} */
export const SCRIPTS = { tfjs: 1, jax: 2, ort: 2, convnetjs: 1, ml_matrix: 1 };
/** A script's column in a page. @param {string} key @param {string} place */
export const inPage = (key, place) => `${key}@${place}`;

/** Kernels alone: their programs are compiled when they are measured. */
export const KERNEL = 'works/kernel.mjs';

const ALL = ['node1', 'node2', 'baseline', 'chromium1', 'chromium2'], NODE = ['node1', 'node2', 'baseline'], TWO = ['node1', 'node2'];

/** @typedef {{ key: string, title: string, where: string, beside?: string, given?: any, module?: string, args?: string[], rounds: number, seconds: number, cost: number, once?: boolean }} Column
 *   beside: key of the column whose time its own is divided by, the first by default; once: in the first pass alone
 * @typedef {{ of: string, most?: number | string, least?: number, unit?: string }} Asked of: a column, or `speedup` (two threads over one), `growth` or `memory` of the first column;
 *   most: a number, or the column that must not be less
 * @typedef {{ id: string, group: string, title: string, unit: string, isRate: boolean, columns: Column[], passes: number, sample: (result: any) => number[], asked: Asked[], readme: boolean,
 *   cannot?: Record<string, string> }} Work cannot: of others, why not */

/** A native column for each number of threads, beside our own of as many; the second's key ends in a 2. @param {string} key @param {(threads: string) => any} column @returns {Column[]} */
const onThreads = (key, column) => ['1', '2'].map((threads) => ({ key: threads === '1' ? key : `${key}2`, title: `${OTHERS[key]}, ${threads} thread${threads === '1' ? '' : 's'}`, beside: `node${threads}`, ...column(threads) }));

/** A script in Node, and in Chromium with one thread and with as many as it can. @param {string} key @param {any} column @returns {Column[]} */
function script(key, { title = OTHERS[key], given, ...column }) {
  const pages = ['chromium1', 'chromium2'].slice(0, SCRIPTS[key]).map((place) => ({ key: inPage(key, place), title: `${title} in ${PLACES[place].title}`, where: 'chromium', beside: place, given: { ...given, threads: PLACES[place].threads }, ...column }));
  return [{ key, title: `${title} in Node`, where: 'node', given, ...column }, ...pages];
}

/** A work in heddle and others.
 * @param {{ id: string, title: string, module: string, given?: object, places?: string[], peers?: Record<string, [string, object?]>, gcc?: string, numpy?: string, torch?: string, unit?: string,
 *   isRate?: boolean, passes?: number, rounds?: number, seconds?: number, cost?: number, sample?: (result: any) => number[], asked?: Asked[], readme?: boolean, cannot?: Record<string, string> }} options
 *   peers: module of each, and its own rounds and costs; gcc, numpy, torch: the work's name there; cost: seconds of a run of our own, about
 * @returns {Omit<Work, 'group'>} */
function work({ id, title, module, given = {}, places = NODE, peers = {}, gcc, numpy, torch, unit = 'ms', isRate = false, passes = 2, rounds = 5, seconds = 1, cost = 1 + seconds, sample = ({ ms }) => ms, asked = [], readme = false, cannot }) {
  const common = { rounds, seconds, cost };
  const own = places.map((key) => ({ key, ...PLACES[key], module: `works/${module}.mjs`, given: { ...given, engine: PLACES[key].engine, threads: PLACES[key].threads }, ...common }));
  const scripts = Object.entries(peers).flatMap(([key, [peer, more = {}]]) => script(key, { module: `peers/${peer}.mjs`, given, ...common, cost: 2 * cost, ...more }));
  const python = Object.entries({ numpy, torch }).filter(([, name]) => name).flatMap(([key, name]) => onThreads(key, (threads) => ({ where: 'python', args: [name, key, threads], ...common, cost: cost + 1 })));
  const native = gcc ? onThreads('gcc', (threads) => ({ where: 'native', args: ['works', threads, gcc], ...common })) : [];
  return { id, title, unit, isRate, passes, columns: [...own, ...native, ...scripts, ...python], sample, asked, readme, cannot };
}

/** Why others have no column, or one of something else. */
const PREDICTS = { ort: 'predicts only' }, PATCHES = { tfjs: 'its conv2d has no gradient on wasm (no kernel Conv2DBackpropFilter); measured is a product of patches' }, NO_BILINEAR = { convnetjs: 'no such layer' }, SOLVES = { ort: 'predicts only', convnetjs: 'networks only' };

/** Of a peer that takes many seconds: one round, once. */
const slow = (cost) => ({ rounds: 1, seconds: 0, once: true, cost });
const gflops = (flop) => ({ isRate: true, unit: 'GFLOP/s', sample: ({ ms }) => ms.map((one) => flop / one / 1e6) });
const inSeconds = { unit: 's', sample: ({ ms }) => ms.map((one) => one / 1000) };

/** A float32 product in the kernel alone, without the way from JavaScript and back. */
function square(n, transposed) {
  const name = `${n} ${transposed}`, common = { rounds: 15, seconds: 1.5, cost: n === 512 ? 0.7 : 1.5 };
  const kernel = (key) => ({ key, ...PLACES[key], module: KERNEL, given: { program: key === 'baseline' ? 'kern-baseline' : 'kern-relaxed', threads: PLACES[key].threads, name }, ...common });
  const peer = (key) => script(key, { module: 'peers/gemm.mjs', given: { n, transposed, library: key }, ...common, cost: 3 });
  const python = (key) => onThreads(key, (threads) => ({ where: 'python', args: [name, key, threads], ...common, cost: 1.5 }));
  return {
    id: `sgemm-${n}-${transposed}`, title: `SGEMM ${name}`, passes: 1, ...gflops(2 * n ** 3), readme: name === '1024 NN' || name === '1024 TN',
    columns: [...ALL.map(kernel), ...onThreads('gcc', (threads) => ({ where: 'native', args: ['kern', threads, 'square', name], ...common })), ...peer('tfjs'), ...peer('jax'), ...python('numpy'), ...python('torch')],
    asked: [{ of: 'node1', least: 45 }, { of: 'baseline', least: 34 }],
  };
}

function step(net, title, most, speedup) {
  return work({ id: `${net}-step`, title: `${title}, training step of 128`, module: 'steps', given: { net }, places: [...ALL, 'single'], peers: { tfjs: ['steps_tfjs'], jax: ['steps_jax'] },
    gcc: `${net} step`, torch: `${net} step`, cannot: { ...PREDICTS, ...net === 'matnet' && NO_BILINEAR }, rounds: 9, readme: true, asked: [{ of: 'node1', most }, { of: 'speedup', least: speedup }, { of: 'growth', most: 0, unit: 'bytes' }] });
}

function conv(net, train, title, most, peers) {
  const name = `${net} ${train ? 'step' : 'forward'}`;
  return work({ id: name.replace(' ', '-'), title, module: 'conv', given: { net, train }, places: ALL, peers, gcc: name, torch: name, cannot: train ? { ...PREDICTS, ...peers.tfjs && PATCHES } : undefined, seconds: 1.5, readme: true,
    asked: [{ of: 'node1', most }, { of: 'speedup', least: 1.7 }] });
}

function algebra(name, title, more = {}) {
  return work({ id: `linalg-${name}`, title, module: 'linalg', given: { work: name }, gcc: name, numpy: name, passes: 1, seconds: 2, ...more });
}

const image = (name, title, more = {}) => work({ id: `image-${name}`, title, module: 'images', given: { work: name }, places: TWO, passes: 1, rounds: 9, seconds: 0.5, ...more });

const closed = (name, title, more) => work({ id: name, title, module: 'solve', given: { work: name }, passes: 1, readme: true, ...more });

const judge = (net, title, most, places = TWO) => work({ id: `${net}-664`, title: `${title}, one picture of 664 x 498 to its score`, module: 'quality_picture',
  given: { net }, places, passes: 1, seconds: 2.5, cost: 5, readme: true, asked: [{ of: 'node1', most }, { of: 'speedup', least: 1.7 }] });

const heads = (batchSize, most, cost) => work({ id: `heads-${batchSize}`, title: `quality heads, 3.8 million parameters, 7,058 rows, batch ${batchSize}`, module: 'quality',
  given: { work: 'heads', batchSize }, places: TWO, passes: 1, rounds: 1, cost, ...inSeconds, readme: batchSize === 8, asked: [{ of: 'node1', most }] });

const enlarge = (name, title, most, more = {}) => work({ id: `enlarge-${name}`, title, module: 'super_resolution', given: { work: name },
  places: ['node1', 'node2', 'chromium1', 'chromium2'], seconds: 1.5, readme: true, asked: [{ of: 'node1', most }], ...more });

const scores = (activation) => work({ id: `transformer-${activation}`, title: `monotonic transformer, ${activation}`, module: 'transformer', given: { activation }, places: ['node1', 'node2', 'chromium1'], isRate: true,
  unit: 'million scores/s', sample: ({ ms, scores: count }) => ms.map((one) => count / 1000 / one), readme: activation === 'elu', asked: [{ of: 'node1', least: 5 }] });

const heap = (id, title, module, given, most) => work({ id, title, module, given, places: ['node2'], passes: 1, rounds: 2, seconds: 0.1, unit: 'MB',
  sample: ({ memory }) => [memory.heap / 1e6], asked: [{ of: 'node2', most }] });

/** @type {(kind: 'cold' | 'warm') => any} */
const pageStart = (kind) => ({ key: `page-${kind}`, title: `a page in Chromium, ${kind === 'cold' ? 'nothing in the cache' : 'from the cache'}`, where: 'page', given: { kind }, rounds: 7, seconds: 5, cost: 3 });

const lbfgs = (key, title, rate = 0) => ({ key, title, where: 'node', module: 'works/lbfgs.mjs', given: { engine: 'heddle-mt-relaxed', threads: 1, rate }, rounds: 1, seconds: 10, cost: 11 });

/** @type {Record<string, Omit<Work, 'group'>[]>} */
const GROUPS = {
  square: [512, 1024].flatMap((n) => ['NN', 'NT', 'TN', 'TT'].map((transposed) => square(n, transposed))),
  step: [step('matnet', 'MatNet 28x28, 20x20, 16x16, 10', 1, 1.5), step('mlp', 'MLP 784-512-512-10', 10, 1.7)],
  conv: [
    conv('cifar', true, 'CIFAR network, training step of 128', 260, { tfjs: ['conv_tfjs', slow(20)], convnetjs: ['conv_convnetjs', slow(30)], jax: ['conv_jax', { ...slow(25), title: 'jax-js wasm (eight steps of 16)' }] }),
    conv('cifar', false, 'CIFAR network, forward of 128', 80, { tfjs: ['conv_tfjs'], ort: ['conv_ort'] }),
    conv('resnet18', false, 'ResNet-18, one picture of 224 x 224', 75, { tfjs: ['conv_tfjs'], ort: ['conv_ort'] }),
    conv('mnist', true, 'MNIST network of two 5x5 convolutions, training step of 128', 64, { convnetjs: ['conv_convnetjs'] }),
  ],
  images: [
    image('bilinear', 'resize 500 x 500 to 664 x 498, bilinear', { places: ['node1', 'node2', 'chromium1'], asked: [{ of: 'node1', most: 5 }] }), image('bicubic', 'resize 512 x 512 twice, bicubic'),
    image('ssim', 'SSIM of 512 x 512'), image('msSsim', 'MS-SSIM of 512 x 512'),
    ...['gaussianBlur', 'motionBlur', 'whiteNoise', 'jpegBlocking', 'downscale'].map((kind) => image(kind, `distort 512 x 512, ${kind} 3`)),
  ],
  linalg: [
    algebra('gemm', 'product of 1,024, float64', { ...gflops(2 * 1024 ** 3), asked: [{ of: 'node1', least: 18 }] }),
    algebra('syrk', 'A^T A, 10,000 x 2,000, float32', { asked: [{ of: 'node1', most: 950 }] }),
    algebra('cholesky', 'Cholesky of 2,000, float64', { asked: [{ of: 'node1', most: 250 }] }),
    algebra('solve', 'Cholesky solution of 1,024, 10 right sides, float64', { places: ALL, peers: { ml_matrix: ['linalg_ml_matrix'] }, cannot: { ...SOLVES, tfjs: 'no float64, no Cholesky' }, passes: 2, seconds: 1, readme: true, asked: [{ of: 'node1', most: 40 }] }),
    algebra('qr', 'QR of 1,000, Q and R, float64'), algebra('eigh', 'eigenvectors of 1,000, float64', { rounds: 3, cost: 4, readme: true, asked: [{ of: 'node1', most: 3000 }] }),
    algebra('svd', 'SVD of 1,000, float64', { rounds: 3, cost: 5, readme: true }),
  ],
  solve: [
    closed('ridge', 'ridge, 10,000 x 2,000, 10 outputs', { places: ALL, peers: { tfjs: ['solve_tfjs', slow(18)], jax: ['solve_jax', slow(16)] }, gcc: 'ridge', numpy: 'ridge', torch: 'ridge', cannot: { ...SOLVES, tfjs: 'no Cholesky; measured is one in plain JavaScript after its products' }, rounds: 3, seconds: 3, asked: [{ of: 'node1', most: 1200 }] }),
    closed('slfn', 'SLFN, 60,000 x 784, 1,570 features', { ...inSeconds, rounds: 2, seconds: 10, cost: 16, asked: [{ of: 'node1', most: 6 }] }),
    closed('redense', 'ReDense, 60,000 x 501, 200 full-batch epochs', { ...inSeconds, places: TWO, rounds: 1, cost: 22, asked: [{ of: 'node1', most: 60 }] }),
  ],
  quality: [
    work({ id: 'norm-in-norm', title: 'Norm-in-Norm, whole step of 10,000 scores', module: 'quality', given: { work: 'loss', loss: 'normInNorm' }, places: ['node1'], asked: [{ of: 'node1', most: 0.5 }], readme: true }),
    work({ id: 'mse-step', title: 'the same with the squared error', module: 'quality', given: { work: 'loss', loss: 'meanSquaredError' }, places: ['node1'] }),
    heads(8, 12, 12), heads(64, 5, 5), judge('resnet18', 'ResNet-18', 480, ['node1', 'node2', 'chromium1', 'chromium2']), judge('resnet50', 'ResNet-50', 1300), scores('elu'), scores('mixed'),
  ],
  'super-resolution': [
    enlarge('matnet', '256 to 512 pixels, MatNet on all windows of five modalities', 150), enlarge('default', '256 to 512 pixels, the network that ships', 100),
    enlarge('training', 'training a MatNet, 10,000 windows of five modalities, 15 epochs', 60, { ...inSeconds, places: TWO, passes: 1, rounds: 1, cost: 8 }),
  ],
  memory: [heap('resnet50-memory', 'ResNet-50 at 224, WebAssembly memory', 'resnet50', {}, 250), heap('cifar-memory', 'CIFAR network training, WebAssembly memory', 'conv', { net: 'cifar', train: true }, 200)],
  first: [
    { ...work({ id: 'first', title: 'import to first result, 784-128-10', module: 'first', places: ['node1'], passes: 11, rounds: 1, cost: 0.3, readme: true, asked: [{ of: 'node1', most: 40 }] }) },
    { id: 'page', title: 'page opened to first result, 784-128-10, no bundler', unit: 'ms', isRate: false, passes: 1, columns: [pageStart('cold'), pageStart('warm')], sample: ({ ms }) => ms, asked: [], readme: true },
  ],
  lbfgs: [{ id: 'lbfgs', title: 'training loss on 10,000 digits after 10 s, last ten epochs', unit: '', isRate: false, passes: 1, sample: ({ losses }) => losses, readme: false,
    columns: [lbfgs('lbfgs', 'L-BFGS'), ...[0.001, 0.003, 0.01].map((rate) => lbfgs(`adam-${rate}`, `Adam, rate ${rate}`, rate))],
    asked: [0.001, 0.003, 0.01].map((rate) => ({ of: 'lbfgs', most: `adam-${rate}` })) }],
};

export const groups = Object.keys(GROUPS);
/** @type {Work[]} */
export const works = Object.entries(GROUPS).flatMap(([group, list]) => list.map((one) => ({ group, ...one })));

/** The same in seconds, to see that everything runs: small sizes, one round, one place for each work. @param {Work[]} list @returns {Work[]} */
export function quick(list) {
  const small = (column) => ({ ...column, rounds: 1, seconds: 0, cost: 0.5, given: { ...column.given, quick: true } });
  const chosen = ({ id, columns }) => columns.filter(({ key, where }, i) => (columns[0].module === KERNEL ? key === 'gcc' : i === 0 || (id === 'matnet-step' && key === 'chromium2') || where === 'page'));
  return list.map((one) => ({ ...one, passes: 1, columns: chosen(one).map(small) }));
}
