#!/usr/bin/env node
// npm start: sets up whatever is missing, builds, trains on MNIST in Node and says how to open the demos.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { node24, ownNode, tree } from './common.mjs';

const runNode = (node, script, ...args) => {
  const { status } = spawnSync(node, [join(tree, script), ...args], { cwd: tree, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
};

runNode(ownNode, 'tools/build.mjs');
runNode(node24, 'examples/mnist.js', ...process.argv.slice(2));
console.log('\nThe demos train in a browser tab: run `npm run demo` and open the address it prints.');
