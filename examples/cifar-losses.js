// The CIFAR-10 network of the ReDense thesis trained with four losses: conv 32, conv 32, pool, conv 64, conv 32, pool, dense 512.
//   npm run reproduce -- cifar-losses --data PATH    Options: --epochs 15, --seed 7, --losses a,b, --set official|jpeg|clean,
//   --threads 2, --samples N (train on fewer).
import { parseArgs } from 'node:util';
import { HeddleError, info, init, optimizers } from 'heddle';
import { recipes } from 'heddle/recipes';
import { cifar10, rows } from './cifar-data.js';

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: process.env.HEDDLE_DATA }, epochs: { type: 'string', default: '15' }, seed: { type: 'string', default: '7' },
    losses: { type: 'string', default: 'categoricalCrossentropy,meanSquaredError,poisson,huber' }, set: { type: 'string' },
    threads: { type: 'string' }, samples: { type: 'string' },
  },
});
const epochs = Number(values.epochs), seed = Number(values.seed), percent = (/** @type {number} */ v) => `${(100 * v).toFixed(2)} %`;

/** @param {Uint8Array} labels */
function oneHot(labels) {
  const data = new Float32Array(labels.length * 10);
  labels.forEach((label, i) => { data[i * 10 + label] = 1; });
  return { data, shape: [labels.length, 10] };
}

/** @param {any} log @param {string} loss */
function showProgress(log, loss) {
  const line = `${loss}: epoch ${log.epoch + 1}/${epochs}  loss ${log.loss.toFixed(4)}  accuracy ${percent(log.accuracy)}  `
    + `${Math.round(log.samplesPerSecond).toLocaleString('en')} samples/s  ${Math.ceil(log.secondsLeft ?? 0)} s left`;
  if (process.stdout.isTTY) process.stdout.write(`\r${line}\x1b[K`);
  else if (log.type === 'epoch') console.log(`${line}  validation ${percent(log.val_accuracy)}`);
}

/** Trains and tests with one loss. @param {string} loss */
async function run(loss, train, test) {
  const net = await recipes.cifarCnn({ seed });
  await net.compile({ optimizer: optimizers.adam({ learningRate: 1e-3 }), loss, metrics: ['accuracy'] });
  const start = performance.now();
  let last;
  for await (const log of net.train(train.x, oneHot(train.y), { epochs, batchSize: 128, validationSplit: 0.1, seed })) {
    showProgress(log, loss);
    last = log;
  }
  const seconds = (performance.now() - start) / 1000, { accuracy } = await net.evaluate(test.x, oneHot(test.y), { batchSize: 100 });
  net.dispose();
  console.log(`\n${loss}: test accuracy ${percent(accuracy)} after ${seconds.toFixed(0)} s`);
  return { loss, accuracy, trained: last.loss, validation: last.val_accuracy, seconds };
}

try {
  await init(values.threads ? { threads: Number(values.threads) } : {});
  const { set, train: all, test } = await cifar10(values.data, values.set), train = rows(all, 0, Number(values.samples ?? all.y.length));
  console.log(`CIFAR-10 (${set}): ${train.y.length} to train, the last 10 % of them for validation, ${test.y.length} to test`);
  const results = [];
  for (const loss of values.losses.split(',')) results.push(await run(loss, train, test));
  console.log(`\n${epochs} epochs, batch 128, Adam 0.001, seed ${seed}, ${info().engine}, ${info().threads} thread(s)\n`);
  console.log('| loss | test accuracy | validation | training loss | s |\n| --- | --- | --- | --- | --- |');
  for (const { loss, accuracy, validation, trained, seconds } of results) {
    console.log(`| ${loss} | ${percent(accuracy)} | ${percent(validation)} | ${trained.toFixed(4)} | ${seconds.toFixed(0)} |`);
  }
  console.log('\nThe thesis trains these as the bases of ReDense, on the clean set; it gives curves, no table, and gains of 1 to 2 % by ReDense.');
} catch (error) {
  if (!(error instanceof HeddleError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
