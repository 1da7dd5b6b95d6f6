/** `heddle score`: a folder of pictures through a model file. */
import { createHash } from 'node:crypto';
import { appendFile, readFile, rename, writeFile } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import { HeddleError } from '../errors.js';
import { records } from '../files/csv.js';
import { init } from '../index.js';
import { loadQualityModel } from '../quality/index.js';
import { loadFrom } from '../stores/index.js';
import { checkDecoder, listPictures } from './pictures.js';
import { complain, count, duration, progress } from './terminal.js';
import { UsageError, neededOption, numberOption, parse } from './usage.js';

/** @import { QualityModel } from '../quality/index.js' */
/** @import { Command, Flag } from './usage.js' */
/** Where scores go. @typedef {{ done: Set<string>, write: (lines: string) => Promise<void>, finish: () => Promise<void> }} Sink */

/** @type {{ [name: string]: Flag }} */
const flags = {
  model: { type: 'string', short: 'm' }, csv: { type: 'string', short: 'o' }, resume: { type: 'boolean' },
  strict: { type: 'boolean' }, threads: { type: 'string' },
};

const help = `heddle score PLACE ... --model FILE [--csv FILE]

Scores pictures with a judge that \`heddle train-quality\` (or the API's save) has written. A PLACE is a folder, looked through with
all folders in it, or a picture. Higher scores are better if they were in the ratings that the judge learned from.

  --model, -m FILE   the judge
  --csv, -o FILE     write a table (image,score) there when all is done, instead of to stdout. Names are relative to the folder
  --resume           with --csv: go on where an interrupted run of the same judge has stopped
  --strict           a picture that can't be read is an error (exit code 1); else it is named on stderr, left out, and the others count
  --threads N        processor threads; all unless told

Examples:
  heddle score photos --model judge.safetensors --csv scores.csv
  heddle score photos -m judge.safetensors | sort -t, -k2 -n | head     # the worst ones
  heddle score a.jpg b.jpg -m judge.safetensors

Progress goes to stderr. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
Pictures are decoded by the package sharp (npm install heddle sharp).
`;

const header = 'image,score\n';
const field = (/** @type {string} */ text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Names of whole lines of an interrupted run. @param {string} path @returns {Promise<{ text: string, done: Set<string> }>} */
async function readPart(path) {
  const all = await readFile(path, 'utf8').catch(() => ''), text = all.slice(0, all.lastIndexOf('\n') + 1);
  return { text, done: new Set([...records(text, ',')].slice(1).map(({ fields }) => fields[0])) };
}

/** Rows collect in a file beside the wanted one, named after the judge's digest, and take its name when all are there.
 * @param {string} path @param {string} digest @param {boolean} isResumed @returns {Promise<Sink>} */
async function fileSink(path, digest, isResumed) {
  const part = `${path}.${digest}.part`, { text, done } = isResumed ? await readPart(part) : { text: '', done: new Set() };
  const attempt = async (/** @type {() => Promise<void>} */ work) => work().catch(cause => {
    throw new HeddleError('storage', `can't write "${path}": ${cause.message}`, { cause });
  });
  await attempt(() => writeFile(part, text || header));
  return {
    done,
    write: lines => attempt(() => appendFile(part, lines)),
    finish: () => attempt(() => rename(part, path)),
  };
}

/** @returns {Sink} */
function stdoutSink() {
  process.stdout.write(header);
  return { done: new Set(), write: async lines => void process.stdout.write(lines), finish: async () => {} };
}

/** @param {QualityModel} judge @param {{ name: string, source: string }[]} pictures @param {Sink} sink @param {AbortSignal} signal */
async function scoreAll(judge, pictures, sink, signal) {
  const bar = progress('scored', pictures.length), begin = performance.now();
  let scored = 0, unread = 0, lines = '', written = begin;
  const flush = async () => {
    if (lines) await sink.write(lines);
    [lines, written] = ['', performance.now()];
  };
  try {
    for await (const { index, name, score: value, reason } of judge.scores(pictures, { signal })) {
      if (reason === undefined) {
        lines += `${field(name)},${value}\n`;
        scored++;
      } else {
        bar.clear();
        complain(`can't read ${name}: ${reason}`);
        unread++;
      }
      bar.at(index + 1);
      if (performance.now() - written > 1000) await flush();
    }
  } finally { // also what an interrupted run has done
    bar.clear();
    await flush();
  }
  return { scored, unread, seconds: (performance.now() - begin) / 1000 };
}

/** @param {string[]} args @param {AbortSignal} signal @returns {Promise<number>} */
async function run(args, signal) {
  const { values, positionals } = parse(args, flags), threads = numberOption(values, 'threads', { min: 1, max: 64, whole: true });
  if (!positionals.length) throw new UsageError('which pictures? Name a folder');
  const model = neededOption(values, 'model', 'the file of a judge, as `heddle train-quality` writes it');
  if (values.resume && !values.csv) throw new UsageError('--resume goes on with a table, so it needs --csv');
  await checkDecoder();
  await init({ worker: true, ...threads && { threads } });
  const bytes = await loadFrom(model), judge = await loadQualityModel(bytes), digest = createHash('sha256').update(bytes).digest('hex').slice(0, 8);
  const files = await listPictures(positionals), base = positionals.length === 1 && !files.includes(positionals[0]) ? positionals[0] : '';
  const named = files.map(source => ({ name: base ? relative(base, source).replaceAll(sep, '/') : source, source }));
  const sink = values.csv ? await fileSink(values.csv, digest, Boolean(values.resume)) : stdoutSink();
  const pictures = named.filter(({ name }) => !sink.done.has(name));
  if (sink.done.size) complain(`${count(sink.done.size, 'picture')} scored before, ${pictures.length} to go`);
  const { scored, unread, seconds } = await scoreAll(judge, pictures, sink, signal);
  await sink.finish();
  judge.dispose();
  const note = unread ? `; ${unread} could not be read` : '', where = values.csv ? `: ${values.csv}` : '';
  complain(`scored ${count(scored, 'picture')} in ${duration(seconds)}${note}${where}`);
  if (scored + sink.done.size === 0) throw new HeddleError('file', 'none of the pictures could be read');
  return unread && values.strict ? 1 : 0;
}

/** @type {Command} */
export const score = {
  usage: 'score FOLDER --model FILE [--csv FILE]', about: 'scores all pictures of a folder', help, run,
  onInterrupt: 'with --csv, the same command with --resume goes on from here',
};
