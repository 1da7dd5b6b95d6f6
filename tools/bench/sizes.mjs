#!/usr/bin/env node
// node tools/bench/sizes.mjs: what a page has to fetch, part by part, beside what it may at most; as a Markdown table. tests/rules/bundle.test.js holds it to that.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { writeBundles } from '../bundles.mjs';
import { tree } from '../common.mjs';

const bindings = join(tree, 'bindings');
const { exports: entries, peerDependencies } = JSON.parse(readFileSync(join(tree, 'package.json'), 'utf8'));

const SCRIPT = 'script tag: everything but the engines', SINGLE = 'single file: everything and one engine';
const PAGE = '`heddle`, its worker and the largest engine', ALL = 'the same with all that `heddle` loads on demand';

/** Limits in KiB of gzip. */
export const LIMITS = {
  entries: {
    heddle: 20, 'heddle/files': 10, 'heddle/recipes': 6, 'heddle/estimators': 24, 'heddle/images': 5, 'heddle/quality': 35, 'heddle/super-resolution': 16, 'heddle/linalg': 3,
    'heddle/solvers': 3, 'heddle/consensus': 13, 'heddle/nats': 7, 'heddle/keras': 5, 'heddle/onnx': 13, 'heddle/vis': 9, 'heddle/checkpoints': 10,
  },
  uses: { 'a network: sequential, dense, fit': 18, 'ridge regression': 30, 'pictures enlarged': 33, 'pictures scored': 34 },
  files: { worker: 10.5, 'heddle-st': 205, 'heddle-st-relaxed': 205, 'heddle-mt': 218, 'heddle-mt-relaxed': 218, [SCRIPT]: 132, [SINGLE]: 415 },
  total: { [PAGE]: 250, [ALL]: 271 },
};

/** Programs as users write them. */
const USES = {
  'a network: sequential, dense, fit': `import { layers, sequential } from './index.js';
    const net = await sequential([layers.input({ shape: [4] }), layers.dense({ units: 1 })]);
    await net.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
    await net.fit(x, y);`,
  'ridge regression': 'import { Ridge } from "./estimators/index.js"; console.log(await new Ridge().fit(x, y));',
  'pictures enlarged': 'import { SuperResolver } from "./super_resolution/index.js"; console.log(await (await SuperResolver.pretrained({ scale: 2 })).upscale(x));',
  'pictures scored': 'import { loadQualityModel } from "./quality/index.js"; console.log(await (await loadQualityModel(x)).score(y));',
};

const kib = (/** @type {Uint8Array[]} */ files, /** @type {(bytes: Uint8Array) => Uint8Array} */ pack) => files.reduce((sum, bytes) => sum + pack(bytes).length, 0) / 1024;
const gzip = (/** @type {Uint8Array} */ bytes) => gzipSync(bytes, { level: 9 });
/** @typedef {{ first: Uint8Array[], all?: Uint8Array[] }} Part all: with what is fetched when it is first needed */

/** An import() stays one: what it names is fetched when it is needed. Nothing is known of what it shares with the rest. */
const onDemand = {
  name: 'on-demand',
  setup(build) {
    build.onResolve({ filter: /./ }, ({ kind, path }) => (kind === 'dynamic-import' ? { path, external: true } : undefined));
  },
};

/** A program minified for browsers, what it does not use left out. Packages that a user adds and the engines do not count.
 * @param {{ text: string } | { path: string }} program its text, as if it lay in bindings/; or a file there @returns {Promise<Part>} */
async function bundled(program) {
  const source = 'text' in program ? { stdin: { contents: program.text, resolveDir: bindings, sourcefile: 'main.js' } } : { entryPoints: [join(bindings, program.path)] };
  const bytes = async (plugins) => (await build({
    ...source, plugins, bundle: true, minify: true, format: 'esm', platform: 'browser', write: false, external: ['./engines/*', ...Object.keys(peerDependencies).flatMap((name) => [name, `${name}/*`])],
  })).outputFiles.map(({ contents }) => contents);
  return { first: await bytes([onDemand]), all: await bytes([]) };
}

/** Modules of the entries that are programs of a page, from bindings/. @type {Record<string, string>} */
const modules = Object.fromEntries(Object.entries(entries).filter(([, entry]) => entry.types && !entry.default.includes('/bundles/'))
  .map(([name, entry]) => [`heddle${name.slice(1)}`, entry.default.replace('./bindings/', './')]));

/** @returns {Promise<Record<string, Record<string, Part>>>} in the groups of LIMITS; an entry beside `heddle` comes with it */
async function parts() {
  const found = { entries: {}, uses: {} };
  for (const [name, path] of Object.entries(modules)) {
    found.entries[name] = await bundled({ text: [...new Set([modules.heddle, path])].map((one, i) => `export * as part${i} from '${one}';`).join('\n') });
  }
  for (const [name, text] of Object.entries(USES)) found.uses[name] = await bundled({ text });
  const worker = await bundled({ path: 'worker.js' }), bundles = await writeBundles(false), { first, all } = await bundled({ path: 'index.js' });
  const engine = (/** @type {string} */ name) => ['mjs', 'wasm'].map((ending) => readFileSync(join(bindings, 'engines', `${name}.${ending}`)));
  const engines = Object.fromEntries(['heddle-st', 'heddle-st-relaxed', 'heddle-mt', 'heddle-mt-relaxed'].map((name) => [name, { first: engine(name) }]));
  const largest = engine('heddle-mt-relaxed');
  return {
    ...found, files: { worker, ...engines, [SCRIPT]: { first: [bundles['heddle.js']] }, [SINGLE]: { first: [bundles['single.js']] } },
    total: { [PAGE]: { first: [...first, ...worker.first, ...largest] }, [ALL]: { first: [...all, ...worker.all, ...largest] } },
  };
}

/** All parts' sizes in KiB of gzip, in the groups of LIMITS. @param {(bytes: Uint8Array) => Uint8Array} [pack] something else than gzip
 * @returns {Promise<Record<string, Record<string, { size: number, later: number }>>>} */
export async function sizes(pack = gzip) {
  const found = await parts(), main = found.entries.heddle;
  const weigh = (/** @type {Part} */ { first, all = first }) => ({ size: kib(first, pack), later: kib(all, pack) - kib(first, pack) });
  const beyond = (/** @type {Part} */ part) => {
    const [own, base] = [part, part === main ? { first: [] } : main].map(weigh);
    return { size: own.size - base.size, later: own.later - base.later };
  };
  return Object.fromEntries(Object.entries(found).map(([group, list]) => [group, Object.fromEntries(Object.entries(list).map(([name, part]) => [name, (group === 'entries' ? beyond : weigh)(part)]))]));
}

const TITLES = { entries: 'entry (beyond `heddle`)', uses: 'program, page side', files: 'file', total: 'a first page in all' };

/** @param {Awaited<ReturnType<typeof sizes>>} found @param {Awaited<ReturnType<typeof sizes>>} dense by brotli @returns {string} Markdown */
export const sizeTable = (found, dense) => Object.entries(found).map(([group, list]) => [
  `| ${TITLES[group]} | gzip, KiB | brotli | on demand, gzip | at most |`, '| --- | --- | --- | --- | --- |',
  ...Object.entries(list).map(([name, { size, later }]) => `| ${name} | ${size.toFixed(1)} | ${dense[group][name].size.toFixed(1)} | ${later > 0.05 ? later.toFixed(1) : '-'} | ${LIMITS[group][name]} |`),
].join('\n')).join('\n\n');

if (import.meta.url === pathToFileURL(process.argv[1]).href) console.log(sizeTable(await sizes(), await sizes(brotliCompressSync)));
