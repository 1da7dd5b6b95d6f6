#!/usr/bin/env node
/** `heddle`: models, tables and pictures from a terminal. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted. */
import { readFileSync } from 'node:fs';
import { HeddleError, suggest } from '../errors.js';
import { convert } from './convert.js';
import { info } from './info.js';
import { predict } from './predict.js';
import { score } from './score.js';
import { summary } from './summary.js';
import { complain, say } from './terminal.js';
import { train } from './train.js';
import { trainQuality } from './train_quality.js';
import { upscale } from './upscale.js';
import { UsageError } from './usage.js';

/** @import { Command } from './usage.js' */

/** @type {{ [name: string]: Command }} */
const commands = { train, predict, summary, convert, upscale, 'train-quality': trainQuality, score, info };
const names = Object.keys(commands);

const help = `heddle COMMAND ...: neural networks from a terminal. Nothing leaves this machine.

${names.map(name => `  heddle ${commands[name].usage}\n      ${commands[name].about}`).join('\n')}

  heddle COMMAND --help says more, with examples. heddle --version tells the version.

To begin, with a table whose last column is a class or a value, with pictures, or with ratings of pictures (image,mos: two columns are enough):
  npx heddle train table.csv --target COLUMN --out model.safetensors
  npx heddle upscale in.jpg out.png
  npx heddle train-quality ratings.csv --images photos --out judge.safetensors
`;

const version = () => JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;

/** The first interrupt asks the command to stop where it can go on later, the second ends it at once. */
function interruptible() {
  const controller = new AbortController();
  for (const name of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort();
    });
  }
  return controller.signal;
}

/** @param {unknown} error @param {string} name of the command @param {AbortSignal} signal @returns {number} */
function explain(error, name, signal) {
  if (signal.aborted) {
    complain(`heddle ${name}: interrupted; ${commands[name].onInterrupt}`);
    return 130;
  }
  if (error instanceof UsageError) {
    complain(`heddle ${name}: ${error.message}\n(heddle ${name} --help says what there is)`);
    return 2;
  }
  if (error instanceof HeddleError) complain(`heddle ${name}: ${error.message}`);
  else complain(`heddle ${name}: an error that should not happen, please report it:\n${/** @type {Error} */ (error)?.stack ?? error}`);
  return 1;
}

/** @param {string[]} args @returns {Promise<number>} exit code */
async function main([name, ...args]) {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const about = name === 'help' && Object.hasOwn(commands, args[0] ?? '') ? commands[args[0]].help : help;
    (name === undefined ? complain : say)(about.trimEnd());
    return name === undefined ? 2 : 0;
  }
  if (name === '--version' || name === '-v') {
    say(version());
    return 0;
  }
  if (!Object.hasOwn(commands, name)) {
    complain(`heddle: unknown command "${name}"${suggest(name, names)}\n(heddle --help says what there is)`);
    return 2;
  }
  if (args.includes('--help') || args.includes('-h')) {
    say(commands[name].help.trimEnd());
    return 0;
  }
  const signal = interruptible();
  try {
    return await commands[name].run(args, signal);
  } catch (error) {
    return explain(error, name, signal);
  }
}

process.stdout.on('error', error => { // `heddle score ... | head` closes the pipe
  if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EPIPE') process.exit(0);
  throw error;
});
process.exitCode = await main(process.argv.slice(2));
