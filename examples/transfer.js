// Transfer learning: a network that was trained on other pictures looks at yours once; a small head learns your classes from what
// it saw. Needs the package sharp.
//   node examples/transfer.js PICTURES --weights mobilenet_v2.safetensors    PICTURES: a folder with a folder for each class
// Options: --network mobilenetV2 (or resnet18, resnet34, resnet50, cifarResnet20 ...), --until layer3 (for files that stop there),
// --preprocessing torchvision|tensorflow|caffe (how the weights were trained), --side 224, --epochs 60, --seed 7, --threads 2,
// --save FILE. Every fourth picture of a class tests.
import { parseArgs } from 'node:util';
import { HeddleError, init, layers, optimizers, sequential } from 'heddle';
import { folderOfImages, imagesToTensor } from 'heddle/images';
import { extend, loadWeights, recipes } from 'heddle/recipes';

const { values, positionals: [path] } = parseArgs({
  allowPositionals: true,
  options: {
    weights: { type: 'string' }, network: { type: 'string', default: 'mobilenetV2' }, until: { type: 'string' }, save: { type: 'string' },
    preprocessing: { type: 'string', default: 'torchvision' }, side: { type: 'string', default: '224' },
    epochs: { type: 'string', default: '60' }, seed: { type: 'string', default: '7' }, threads: { type: 'string' },
  },
});
const seed = Number(values.seed), side = Number(values.side), percent = (/** @type {number} */ v) => `${(100 * v).toFixed(1)} %`;

/** The network up to its last maps, its weights from the file, and their means: one row of features for a picture. */
async function openBackbone() {
  const { network, preprocessing, until } = values, recipe = recipes[network];
  if (!recipe) throw new HeddleError('argument', `--network ${network}: expected one of ${Object.keys(recipes).join(', ')}`);
  const own = { ...until ? { until } : { classes: 0 }, ...network === 'mobilenetV2' && preprocessing === 'tensorflow' && { padding: 'tensorflow' } };
  const net = await recipe({ inputShape: [side, side, 3], preprocessing, seed, ...own });
  if (values.weights) {
    const { loaded, missing } = await loadWeights(net, values.weights, { partial: true }); // partial: without the old classifier
    if (missing.length) throw new HeddleError('file', `${values.weights} lacks ${missing.length} weights of ${network}: ${missing[0]} ... (--until?)`);
    console.log(`${network}: ${loaded.length} weights from ${values.weights}`);
  } else {
    console.log(`${network} with RANDOM weights, since --weights is not given: it has learned nothing, expect little`);
  }
  const features = await extend(net, [layers.globalAveragePool2d()], { freeze: true });
  net.dispose();
  return features;
}

/** Decodes pictures and runs them, 32 at a time. @param {any} net @param {string[]} files @returns rows of outputs */
async function outputsOf(net, files) {
  const rows = [];
  for (let begin = 0; begin < files.length; begin += 32) {
    const pictures = await imagesToTensor(files.slice(begin, begin + 32), { width: side, height: side, fit: 'cover' });
    const { data, shape: [count, width] } = await net.predict(pictures);
    for (let i = 0; i < count; i++) rows.push(data.subarray(i * width, (i + 1) * width));
    if (process.stdout.isTTY) process.stdout.write(`\r${rows.length} of ${files.length} pictures\x1b[K\r`);
  }
  return rows;
}

/** Those for training and those for testing. @param {Uint16Array} labels */
function split(labels, classes) {
  const seen = classes.map(() => 0), train = [], test = [];
  labels.forEach((label, i) => { (seen[label]++ % 4 === 1 ? test : train).push(i); });
  const small = seen.findIndex((count) => count < 2);
  if (classes.length < 2 || small >= 0) {
    throw new HeddleError('file', `${path}: ${classes.length < 2 ? `one class, "${classes[0]}"` : `one picture of "${classes[small]}"`}; two or more are needed`);
  }
  return { train, test };
}

if (!path) throw new HeddleError('argument', 'give a folder that has a folder of pictures for each class');
await init(values.threads ? { threads: Number(values.threads) } : {});
const { files, labels, classes } = await folderOfImages(path), { train, test } = split(labels, classes);
console.log(`${classes.length} classes (${classes.join(', ')}): ${train.length} pictures to train, ${test.length} to test`);

const backbone = await openBackbone(), start = performance.now();
const features = await outputsOf(backbone, files), width = features[0].length; // once, not in every epoch: the backbone is frozen
console.log(`${width} features of ${files.length} pictures in ${((performance.now() - start) / 1000).toFixed(1)} s`);

const of = (/** @type {number[]} */ rows) => [rows.map((i) => features[i]), rows.map((i) => labels[i])];
const head = [
  layers.layerNorm({ name: 'headNorm' }), layers.dropout({ name: 'headDropout', rate: 0.2 }),
  layers.dense({ name: 'head', units: classes.length, activation: 'softmax' }),
];
const net = await sequential([layers.input({ shape: [width] }), ...head], { seed });
await net.compile({ optimizer: optimizers.adam({ learningRate: 2e-3 }), loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
const { history } = await net.fit(...of(train), { epochs: Number(values.epochs), batchSize: 16, seed });
console.log(`loss ${history.loss[0].toFixed(3)} in the first epoch, ${history.loss.at(-1).toFixed(3)} in the last`);
console.log(`test accuracy ${percent((await net.evaluate(...of(test))).accuracy)}, chance ${percent(1 / classes.length)}`);

const whole = await extend(backbone, head); // pictures in, classes out
await whole.setWeights(await net.getWeights(), { partial: true });
const [answer] = await outputsOf(whole, [files[test[0]]]), best = answer.indexOf(Math.max(...answer));
console.log(`${files[test[0]]}: ${classes[best]} (${percent(answer[best])})`);
if (values.save) await whole.save(values.save, { metadata: { classes } });
for (const model of [backbone, net, whole]) model.dispose();
