// The CIFAR-10 network of the ReDense thesis trained with four losses.
//   npm run reproduce -- cifar-losses --data PATH    Options: --epochs 15, --seed 7, --losses a,b, --set official|jpeg|clean,
//   --threads 2, --samples N (train on fewer).
import { parseArgs } from 'node:util';
import { HeddleError, info, init } from 'heddle';
import { cifar10, rows } from './cifar-data.js';
import { percent, trainCifar } from './cifar-network.js';

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: process.env.HEDDLE_DATA }, epochs: { type: 'string', default: '15' }, seed: { type: 'string', default: '7' },
    losses: { type: 'string', default: 'categoricalCrossentropy,meanSquaredError,poisson,huber' }, set: { type: 'string' },
    threads: { type: 'string' }, samples: { type: 'string' },
  },
});
const epochs = Number(values.epochs), seed = Number(values.seed);

try {
  await init(values.threads ? { threads: Number(values.threads) } : {});
  const { set, train: all, test } = await cifar10(values.data, values.set), train = rows(all, 0, Number(values.samples ?? all.y.length));
  console.log(`CIFAR-10 (${set}): ${train.y.length} to train, the last 10 % of them for validation, ${test.y.length} to test`);
  const results = [];
  for (const loss of values.losses.split(',')) {
    const { net, ...result } = await trainCifar({ loss, epochs, seed }, train, test);
    net.dispose();
    results.push(result);
  }
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
