#!/usr/bin/env node
// npm run reproduce -- NAME [options]: experiments whose results stand in the README, printed beside the papers' numbers.
// Without NAME: what there is. They are programs in examples/; options go to them.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suggest } from '../bindings/errors.js';
import { fail, node24, tree } from './common.mjs';

/** What it shows, and about how long it takes on two cores. */
const experiments = {
  'cifar-losses': 'the CIFAR-10 network of the ReDense thesis with four losses, 15 epochs each (50 min on the full set)',
  'clive-finetune': 'a judge of CLIVE with its backbone trained from layer3 on, against frozen features, on the same splits (75 min for 3 splits)',
  'consensus-bytes': 'bytes that members send and receive: ADMM, sums and gossip against SGD and federated averaging (1 min)',
  'matnet-sr': 'pictures doubled by matrix and convolutional networks trained on T91, tested on Set5 and Set14 (20 min); --smoke: without data (1 min)',
  'mixed-datasets': 'one judge of CLIVE and two sets of synthetic distortions by monotonic transformers, against one for each (10 min, 8 of them for features)',
  'nin-convergence': 'MAE, MSE, bnMSE and Norm-in-Norm on CLIVE, epoch by epoch, each at its best rate, frozen ResNet-18 features (15 min, 6 of them once); --svg FILE',
  'nin-pq': 'exponents and variants of Norm-in-Norm on CLIVE, and on panels drawn from the votes of KonIQ-10k (5 min, and 6 once for the features)',
  'redense-cifar': 'ReDense on the CIFAR-10 network trained with four losses, 15 epochs each, then 100 of ReDense (60 min on the full set)',
  'redense-mnist': 'ReDense on a network of 93.1 % on MNIST, 200 epochs of projected Adam (2 min); --svg FILE',
  'slfn-saturation': 'accuracy of SLFN and ELM on MNIST for 0.25 to 4 random features an element (3 min); --svg FILE',
  'hnf-mnist': 'HNF of two layers on MNIST, with random or fast transforms; --svg FILE',
  'ssfn-mnist': 'SSFN on MNIST, layer by layer, as published (2 min) or, with --solver secular, exactly; --svg FILE',
};

const [name, ...options] = process.argv.slice(2), names = Object.keys(experiments);
const list = names.map((one) => `  ${one.padEnd(16)} ${experiments[one]}`).join('\n');
if (name === undefined) {
  console.log(`npm run reproduce -- NAME [options]\n${list}`);
} else {
  if (!Object.hasOwn(experiments, name)) fail(`unknown experiment "${name}"${suggest(name, names)}\n${list}`);
  if (!existsSync(join(tree, 'bindings', 'tables.js')) || !existsSync(node24)) fail('build first: npm start');
  const { status } = spawnSync(node24, [join(tree, 'examples', `${name}.js`), ...options], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
