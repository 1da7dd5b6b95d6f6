// ReDense on the CIFAR-10 network trained with four losses (Javid's thesis, section 6.2): its last layer, 512 to 10, becomes 513 rectified
// pairs of random features, trained by full-batch Adam in the ball. The thesis: 1 to 2 points of test accuracy for each loss.
//   npm run reproduce -- redense-cifar --data PATH    Options: --epochs 15, --seed 7, --losses a,b, --set official|jpeg|clean,
//   --threads 2, --samples N (train on fewer), --steps 100 (epochs of ReDense), --rate 1e-4.
import { parseArgs } from 'node:util';
import { HeddleError, info, init } from 'heddle';
import { ReDense } from 'heddle/estimators';
import { cifar10, rows } from './cifar-data.js';
import { percent, trainCifar } from './cifar-network.js';

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: process.env.HEDDLE_DATA }, epochs: { type: 'string', default: '15' }, seed: { type: 'string', default: '7' },
    losses: { type: 'string', default: 'categoricalCrossentropy,meanSquaredError,poisson,huber' }, set: { type: 'string' },
    threads: { type: 'string' }, samples: { type: 'string' }, steps: { type: 'string', default: '100' }, rate: { type: 'string', default: '1e-4' },
  },
});
const epochs = Number(values.epochs), seed = Number(values.seed), steps = Number(values.steps);

/** The rows that the base was trained on: the others chose nothing, but were not seen either. */
const trained = (set) => rows(set, 0, Math.floor(set.y.length * 0.9));

/** @param {string} loss of the base; that of ReDense is the cross-entropy */
async function improve(loss, train, test) {
  const base = await trainCifar({ loss, epochs, seed }, train, test), own = trained(train), start = performance.now();
  const redense = new ReDense({ epochs: steps, learningRate: Number(values.rate), seed });
  await redense.fit(base.net, own.x, own.y);
  const accuracy = await redense.score(test.x, test.y), { report } = redense;
  const line = { loss, base: base.accuracy, accuracy, condition: report.condition, from: report.history.loss[0], to: report.history.loss.at(-1),
    seconds: (performance.now() - start) / 1000 };
  console.log(`${loss}: ReDense ${percent(accuracy)} after ${line.seconds.toFixed(0)} s, condition of R ${report.condition.toFixed(0)}`);
  redense.dispose();
  base.net.dispose();
  return line;
}

try {
  await init(values.threads ? { threads: Number(values.threads) } : {});
  const { set, train: all, test } = await cifar10(values.data, values.set), train = rows(all, 0, Number(values.samples ?? all.y.length)), results = [];
  console.log(`CIFAR-10 (${set}): ${train.y.length} rows, the last 10 % of them for validation, ${test.y.length} to test`);
  for (const loss of values.losses.split(',')) results.push(await improve(loss, train, test));
  console.log(`\n${epochs} epochs, then ${steps} of ReDense at ${values.rate}, seed ${seed}, ${info().engine}, ${info().threads} thread(s)\n`);
  console.log('| loss of the base | base, test | ReDense, test | gain | its training loss | cond(R) | s |\n| --- | --- | --- | --- | --- | --- | --- |');
  for (const { loss, base, accuracy, from, to, condition, seconds } of results) {
    console.log(`| ${loss} | ${percent(base)} | ${percent(accuracy)} | ${(100 * (accuracy - base)).toFixed(2)} | ${from.toFixed(4)} to ${to.toFixed(4)} | ${condition.toFixed(0)} | ${seconds.toFixed(0)} |`);
  }
  console.log('\nThe thesis: 1 to 2 points for each of the four losses, on the clean set, with 512 features and rate 1e-4.');
} catch (error) {
  if (!(error instanceof HeddleError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
