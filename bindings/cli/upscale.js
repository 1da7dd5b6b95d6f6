/** `heddle upscale`: a picture, or all pictures of a folder, enlarged by a network. */
import { existsSync, realpathSync, statSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, extname, join, relative } from 'node:path';
import { HeddleError } from '../errors.js';
import { init } from '../index.js';
import { importNode } from '../platform.js';
import { SuperResolver } from '../super_resolution/index.js';
import { checkDecoder, listPictures } from './pictures.js';
import { complain, count, duration, progress, some } from './terminal.js';
import { UsageError, choiceOption, numberOption, parse } from './usage.js';

/** @import { Command, Flag } from './usage.js' */
/** A picture and where its enlargement goes. @typedef {{ name: string, source: string, target: string }} Task */
/** @typedef {{ resolver: SuperResolver, selfEnsemble: boolean, quality: number, signal: AbortSignal }} Work */

/** @type {{ [name: string]: Flag }} */
const flags = {
  scale: { type: 'string', short: 's' }, model: { type: 'string', short: 'm' }, 'self-ensemble': { type: 'boolean' }, format: { type: 'string' }, quality: { type: 'string' },
  force: { type: 'boolean', short: 'f' }, resume: { type: 'boolean' }, strict: { type: 'boolean' }, threads: { type: 'string' },
};
/** How sharp writes what a name ends in. @type {{ [extension: string]: 'png' | 'jpeg' | 'webp' | 'avif' | 'tiff' }} */
const formats = { png: 'png', jpg: 'jpeg', jpeg: 'jpeg', webp: 'webp', avif: 'avif', tif: 'tiff', tiff: 'tiff' };
const lossy = ['jpeg', 'webp', 'avif'];

const help = `heddle upscale PICTURE OUT [--scale N] [--model FILE]
heddle upscale FOLDER OUTFOLDER [--scale N] [--model FILE]

Enlarges pictures: brightness by a network, colours and transparency by the bicubic filter. Pictures of any size work: they are enlarged in
blocks. Of a FOLDER all pictures in it and in the folders below are enlarged, to the same places in OUTFOLDER, which is made if need be.

  --scale, -s N      times the sides: 2 unless told (3 and 4 need a --model)
  --model, -m FILE   a network that SuperResolver.save or the page web/super-resolution has written; else the one that comes with heddle
  --self-ensemble    the mean over the picture's eight orientations: a little better, eight times the work
  --format F         of a folder's enlargements: ${[...new Set(Object.values(formats))].join(', ')}; png unless told. A single OUT says it by its name
  --quality Q        of lossy formats, 1..100; 95 unless told
  --force, -f        write over files that are there; else they are an error
  --resume           of a folder: leave out pictures whose enlargements are there
  --strict           of a folder: a picture that can't be read is an error (exit code 1); else it is named on stderr, left out, and the others count
  --threads N        processor threads; all unless told

Examples:
  heddle upscale in.jpg out.png
  heddle upscale photos large --format jpeg --resume
  heddle upscale in.jpg out.png --scale 3 --model mine.safetensors --self-ensemble

Progress goes to stderr. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
Pictures are read and written by the package sharp (npm install heddle sharp).
`;

/** @param {string} path @returns {typeof formats[string]} */
function formatOf(path) {
  const format = formats[extname(path).slice(1).toLowerCase()];
  if (!format) throw new UsageError(`${path}: expected a name that ends in ${Object.keys(formats).map(one => `.${one}`).join(', ')}`);
  return format;
}

/** @param {string} place */
function isFolder(place) {
  try {
    return statSync(place).isDirectory();
  } catch (cause) {
    throw new HeddleError('file', `there is no file or folder "${place}"`, { cause });
  }
}

/** @param {string} source @param {string} target @param {boolean} force @returns {Task[]} */
function oneTask(source, target, force) {
  formatOf(target);
  if (existsSync(target)) {
    if (statSync(target).isDirectory()) throw new UsageError(`${target} is a folder, ${source} is a picture: name a file`);
    if (realpathSync(target) === realpathSync(source)) throw new UsageError(`${target} is the picture itself: name another file`);
    if (!force) throw new HeddleError('storage', `"${target}" is there already: --force writes over it`);
  }
  if (!existsSync(dirname(target))) throw new HeddleError('storage', `there is no folder "${dirname(target)}"`);
  return [{ name: source, source, target }];
}

/** @param {string} folder @param {string} out @param {{ [name: string]: any }} values @param {string} format @returns {Promise<Task[]>} */
async function folderTasks(folder, out, values, format) {
  if (existsSync(out) && !statSync(out).isDirectory()) throw new UsageError(`${out} is a file, ${folder} is a folder: name a folder`);
  const inside = relative(folder, out);
  if (inside === '' || !(inside.startsWith('..') || inside === out)) throw new UsageError(`${out} lies in ${folder}: its pictures would be enlarged, too`);
  const extension = format === 'jpeg' ? 'jpg' : format, tasks = (await listPictures([folder])).map(source => {
    const name = relative(folder, source);
    return { name, source, target: join(out, `${name.slice(0, -extname(name).length)}.${extension}`) };
  });
  const targets = new Map();
  for (const { name, target } of tasks) {
    if (targets.has(target)) throw new HeddleError('file', `"${targets.get(target)}" and "${name}" would both become "${target}": rename one of them`);
    targets.set(target, name);
  }
  const there = tasks.filter(({ target }) => existsSync(target));
  if (there.length && values.resume) {
    complain(`${count(there.length, 'picture')} enlarged before, ${tasks.length - there.length} to go`);
    return tasks.filter(task => !there.includes(task));
  }
  if (there.length && !values.force) {
    throw new HeddleError('storage', `in "${out}" there are already ${some(there.map(({ target }) => relative(out, target)))}: --force writes over them, --resume leaves them as they are`);
  }
  return tasks;
}

/** Enlarges one picture; the file appears when it is whole. @param {Task} task @param {Work} work @param {(blocks: { done: number, total: number }) => void} onProgress */
async function enlarge({ source, target }, { resolver, selfEnsemble, quality, signal }, onProgress) {
  const { data, shape: [height, width, channels] } = await resolver.upscale(source, { selfEnsemble, signal, onProgress });
  const format = formatOf(target), part = `${target}.part`, { default: sharp } = await importNode('sharp');
  try {
    const picture = sharp(data, { raw: { width, height, channels } });
    const bytes = await picture.toFormat(format, lossy.includes(format) ? { quality } : {}).toBuffer();
    signal.throwIfAborted();
    await mkdir(dirname(target), { recursive: true });
    await writeFile(part, bytes);
    await rename(part, target);
  } catch (cause) {
    await rm(part, { force: true }).catch(() => {});
    if (signal.aborted) throw cause;
    throw new HeddleError('storage', `can't write "${target}": ${/** @type {Error} */ (cause).message}`, { cause });
  }
  return { height, width };
}

/** @param {Task} task @param {Work} work */
async function enlargeOne(task, work) {
  const begin = performance.now();
  /** @type {ReturnType<typeof progress> | undefined} */
  let bar;
  try {
    const { height, width } = await enlarge(task, work, ({ done, total }) => (bar ??= progress('enlarged: block', total)).at(done));
    bar?.clear();
    complain(`enlarged to ${width} x ${height} pixels in ${duration((performance.now() - begin) / 1000)}: ${task.target}`);
  } finally {
    bar?.clear();
  }
  return 0;
}

/** @param {Task[]} tasks @param {Work} work @param {boolean} isStrict */
async function enlargeAll(tasks, work, isStrict) {
  const bar = progress('enlarged', tasks.length), begin = performance.now();
  let unread = 0;
  try {
    for (const [i, task] of tasks.entries()) {
      await enlarge(task, work, ({ done, total }) => bar.at(Math.floor(10 * (i + done / total)) / 10)).catch(error => {
        if (!(error instanceof HeddleError) || error.code !== 'file') throw error;
        bar.clear();
        complain(`can't read ${task.name}: ${error.message}`);
        unread++;
      });
      bar.at(i + 1);
    }
  } finally {
    bar.clear();
  }
  const note = unread ? `; ${unread} could not be read` : '';
  complain(`enlarged ${count(tasks.length - unread, 'picture')} in ${duration((performance.now() - begin) / 1000)}${note}`);
  if (tasks.length && unread === tasks.length) throw new HeddleError('file', 'none of the pictures could be read');
  return unread && isStrict ? 1 : 0;
}

/** @param {string | undefined} model @param {number | undefined} scale */
async function open(model, scale) {
  const resolver = model ? await SuperResolver.load(model) : await SuperResolver.pretrained({ scale: /** @type {2 | 3 | 4 | undefined} */ (scale) });
  if (scale && resolver.scale !== scale) throw new UsageError(`--scale ${scale}: the network in "${model}" enlarges by ${resolver.scale}`);
  return resolver;
}

/** @param {string[]} args @param {AbortSignal} signal @returns {Promise<number>} */
async function run(args, signal) {
  const { values, positionals } = parse(args, flags), whole = { min: 1, whole: true };
  if (positionals.length !== 2) throw new UsageError(positionals.length < 2 ? 'which picture, and where does it go? Name a picture and a file, or two folders' : `one picture or folder at a time, got ${positionals.length - 1}`);
  const scale = numberOption(values, 'scale', { min: 2, max: 4, whole: true });
  const [source, out] = positionals, threads = numberOption(values, 'threads', { ...whole, max: 64 }), quality = numberOption(values, 'quality', { ...whole, max: 100 }) ?? 95;
  const format = choiceOption(values, 'format', [...new Set(Object.values(formats))]) ?? 'png';
  if (values.force && values.resume) throw new UsageError('--force writes over what is there, --resume leaves it: choose one');
  const isMany = isFolder(source);
  for (const name of ['resume', 'strict', 'format']) if (!isMany && values[name]) throw new UsageError(`--${name} is for folders`);
  await checkDecoder();
  const tasks = isMany ? await folderTasks(source, out, values, format) : oneTask(source, out, Boolean(values.force));
  await init({ worker: true, ...threads && { threads } });
  const resolver = await open(values.model, scale), work = { resolver, selfEnsemble: Boolean(values['self-ensemble']), quality, signal };
  try {
    return await (isMany ? enlargeAll(tasks, work, Boolean(values.strict)) : enlargeOne(tasks[0], work));
  } finally {
    resolver.dispose();
  }
}

/** @type {Command} */
export const upscale = {
  usage: 'upscale PICTURE OUT [--scale 2] [--model FILE]', about: 'enlarges a picture, or with two folders all pictures of the first', help, run,
  onInterrupt: 'what was written before is whole; of a folder, the same command with --resume does the rest',
};
