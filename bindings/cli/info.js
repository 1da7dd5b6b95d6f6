/** `heddle info`: what runs here. */
import { info as facts, init } from '../index.js';
import { say } from './terminal.js';
import { UsageError, numberOption, parse } from './usage.js';

/** @import { Command, Flag } from './usage.js' */

/** @type {{ [name: string]: Flag }} */
const flags = { threads: { type: 'string' }, deterministic: { type: 'boolean' }, json: { type: 'boolean' } };

const help = `heddle info [--threads N] [--deterministic] [--json]

Starts the engine and says which one runs here, with how many threads, and which optional packages are installed. For reports of errors:
their first lines.

  --threads N       processor threads that are asked for; all, at most 8, unless told
  --deterministic   without relaxed SIMD, for the same bits on every machine
  --json            as JSON

Examples:
  heddle info
  heddle info --json | jq .engine

Exit codes: 0 done, 1 failed, 2 wrong usage.
`;

/** What each optional package is for. */
const packages = { sharp: 'pictures', 'onnx-buf': 'ONNX files', '@bufbuild/protobuf': 'ONNX files', '@nats-io/nats-core': 'training together' };

/** Whether a package can be imported, and with it what it needs itself. @param {string} name */
const works = name => import(name).then(() => true, () => false);

/** @param {string[]} args @returns {Promise<number>} */
async function run(args) {
  const { values, positionals } = parse(args, flags), threads = numberOption(values, 'threads', { min: 1, max: 64, whole: true });
  if (positionals.length) throw new UsageError(`unexpected ${positionals[0]}`);
  await init({ ...threads && { threads }, ...values.deterministic && { deterministic: true } });
  const { version, engine, threadsAsked, relaxed, isolated, memory: { heap } } = facts();
  const there = Object.fromEntries(await Promise.all(Object.keys(packages).map(async name => /** @type {const} */ ([name, await works(name)]))));
  const all = { heddle: version, engine, threads: threadsAsked, relaxedSimd: relaxed, sharedMemory: isolated, heap, node: process.versions.node, platform: `${process.platform} ${process.arch}`, packages: there };
  if (values.json) {
    say(JSON.stringify(all, null, 2));
    return 0;
  }
  const optional = Object.entries(packages).map(([name, use]) => `${name} (${use}): ${there[name] ? 'yes' : 'no'}`);
  say(`heddle ${version}, Node ${all.node}, ${all.platform}
engine: ${engine}${relaxed ? ' (relaxed SIMD: last bits differ from other machines\'; --deterministic declines it)' : ''}
threads: ${threadsAsked}${isolated ? '' : ' (memory can\'t be shared)'}
memory of the engine: ${(heap / 2 ** 20).toFixed(0)} MiB
optional packages: ${optional.join(', ')}`);
  return 0;
}

/** @type {Command} */
export const info = { usage: 'info [--json]', about: 'says which engine runs here, with how many threads', help, run, onInterrupt: 'nothing is lost' };
