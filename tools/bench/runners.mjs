// How a column of the benchmark is measured: in a process of Node, in a page of Chromium, natively, in Python. Each gives { ms, ... } or throws.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { buildPreset } from '../build.mjs';
import { node24, tree } from '../common.mjs';
import { serve } from '../serve.mjs';
import { ensureEmcc } from '../toolchain.mjs';
import { KERNEL } from './catalog.mjs';

const here = join(tree, 'tools', 'bench');
export const built = join(tree, 'build', 'bench');
const chromiumPath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const PATIENCE = 240_000; // ms for one column
const exec = promisify(execFile);

/** Output of a command; throws with its last words. @param {string} command @param {string[]} args @param {number} [timeout] */
async function run(command, args, timeout = PATIENCE) {
  try {
    return (await exec(command, args, { cwd: tree, timeout, killSignal: 'SIGKILL', maxBuffer: 1 << 26 })).stdout;
  } catch (error) {
    const lines = `${error.stdout ?? ''}\n${error.stderr ?? ''}`.trim().split('\n');
    throw new Error(error.killed ? `no result after ${timeout / 1000} s` : lines.find((line) => /^\w*Error\b.*: /.test(line)) ?? (lines.at(-1) || `exit code ${error.code}`));
  }
}

const lastLine = (text) => JSON.parse(text.trim().split('\n').at(-1));
const isPeer = (module = '') => module.startsWith('peers/');
const budgetOf = ({ rounds, seconds }) => ({ rounds, seconds });

/** A work's module in a process of Node of its own. @param {{ module: string, given: object, rounds: number, seconds: number }} column */
export const measureInNode = async ({ module, given, ...column }) => lastLine(await run(node24, [join(here, 'child.mjs'), join(here, module), JSON.stringify({ ...given, ...budgetOf(column) })]));

// --- native ---------------------------------------------------------------------------------------------------

const isFresh = (made, sources) => existsSync(made) && sources.every((path) => statSync(path).mtimeMs <= statSync(made).mtimeMs);

/** gcc's build of the same sources for this machine, in build/bench/native; for a smoke run the tests' library. @param {boolean} quick @returns {Promise<string>} the library */
async function nativeLibrary(quick) {
  if (quick) {
    buildPreset('native-gcc', 'heddle');
    return join(tree, 'build', 'native-gcc', 'libheddle.a');
  }
  const folder = join(built, 'native');
  await run('cmake', ['-S', tree, '-B', folder, '-DCMAKE_BUILD_TYPE=Release', '-DCMAKE_C_COMPILER=gcc', '-DCMAKE_C_FLAGS=-march=native', '-DCMAKE_C_FLAGS_RELEASE=-O3']);
  await run('cmake', ['--build', folder, '--target', 'heddle', '--parallel', '2'], 900_000);
  return join(folder, 'libheddle.a');
}

/** Builds the native programs, for a smoke run without this machine's own instructions. @param {boolean} quick */
async function buildNative(quick) {
  const library = await nativeLibrary(quick);
  for (const name of ['kern', 'works']) {
    const source = join(here, 'native', `${name}.c`), program = nativeProgram(name, quick);
    if (isFresh(program, [source, join(here, 'native', 'kit.h'), library])) continue;
    await run('gcc', ['-std=c11', '-O3', ...(quick ? [] : ['-march=native']), '-ffp-contract=off', '-Isrc', source, library, '-lpthread', '-lm', '-o', program]);
  }
}

const nativeProgram = (name, quick) => join(built, quick ? `${name}-quick` : name);

/** kern.c for an engine's instruction set, for Node and pages; its main program has a thread of its own, for pages let none wait on theirs. */
async function buildKernels() {
  const folders = ['base', 'kern'].map((name) => join(tree, 'src', name));
  const sources = [join(here, 'native', 'kern.c'), ...folders.flatMap((folder) => readdirSync(folder).filter((name) => name.endsWith('.c')).map((name) => join(folder, name)))];
  const link = ['-pthread', '-sPTHREAD_POOL_SIZE=2', '-sPROXY_TO_PTHREAD', '-sEXIT_RUNTIME', '-sEXPORT_ES6', '-sENVIRONMENT=web,worker,node', '-sINITIAL_MEMORY=64MB'];
  for (const [name, flags] of [['kern-relaxed', ['-mrelaxed-simd']], ['kern-baseline', []]]) {
    const out = join(built, `${name}.mjs`);
    if (!isFresh(out, sources)) await run(ensureEmcc().emcc, ['-std=c11', '-O3', '-msimd128', ...flags, ...link, '-ffp-contract=off', '-Isrc', ...sources, '-o', out], 600_000);
  }
}

// --- Python ---------------------------------------------------------------------------------------------------

/** The first Python that has NumPy or PyTorch, and their versions. */
async function findPython() {
  const probe = "import json\nfound = {}\nfor name in ('numpy', 'torch'):\n    try:\n        found[name] = __import__(name).__version__\n    except ImportError:\n        pass\nprint(json.dumps(found))";
  for (const program of [process.env.PYTHON, 'python3', '/usr/bin/python3'].filter(Boolean)) {
    const versions = await run(program, ['-c', probe], 60_000).then(lastLine, () => ({}));
    if (Object.keys(versions).length) return { program, versions };
  }
  return { program: '', versions: {} };
}

// --- pages ----------------------------------------------------------------------------------------------------

const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** Others' programs for pages, as a bundler makes them. ONNX Runtime without what is for GPUs, its engine beside the bundle: for bundlers, its documentation says.
 * @param {string[]} modules in this folder */
const bundlePeers = (modules) => build({
  absWorkingDir: here, entryPoints: modules, outdir: join(built, 'peers'), outExtension: { '.js': '.mjs' }, bundle: true, splitting: true, minify: true, format: 'esm', platform: 'browser', target: 'esnext',
  alias: { 'onnxruntime-web': 'onnxruntime-web/wasm' }, conditions: ['onnxruntime-web-use-extern-wasm', 'module'], logLevel: 'silent',
});

async function pages() {
  const browser = await chromium.launch({ executablePath: chromiumPath, headless: true, args }), server = await serve({ folder: tree, headers: { 'Cache-Control': 'max-age=3600' } });
  const url = `${server.url}tools/bench/page.html`;
  return {
    version: browser.version(),
    /** A work's module in a page of its own. */
    async work({ module, given, ...column }) {
      const page = await browser.newPage();
      try {
        await page.goto(url);
        if (isPeer(module)) await page.evaluate((value) => Object.defineProperty(navigator, 'hardwareConcurrency', { value }), given.threads); // jax-js takes them all
        const result = page.evaluate(async ([path, options]) => (await import(path)).run(options), [isPeer(module) ? `/build/bench/${module}` : `./${module}`, { ...given, ...budgetOf(column) }]);
        return await Promise.race([result, new Promise((_, reject) => { setTimeout(() => reject(new Error(`no result after ${PATIENCE / 1000} s`)), PATIENCE).unref(); })]);
      } finally {
        await page.close();
      }
    },
    /** ms from opening a page to its first result: each time with an empty cache, or again in the same one. */
    async start({ given: { kind }, rounds }) {
      const visit = async (context) => {
        const page = await context.newPage();
        await page.goto(`${url}?first`);
        const ms = await (await page.waitForFunction(() => globalThis.firstResult, undefined, { timeout: 60_000 })).jsonValue();
        await page.close();
        return ms;
      };
      const ms = [];
      let context = await browser.newContext();
      for (let round = 0; round < 2 && kind === 'warm'; round++) await visit(context); // the compiled engine is kept from the second visit on
      for (let round = 0; round < rounds; round++) {
        ms.push(await visit(context));
        if (kind === 'cold') {
          await context.close();
          context = await browser.newContext();
        }
      }
      await context.close();
      return { ms };
    },
    async close() {
      await browser.close();
      await server.close();
    },
  };
}

/**
 * All that the given columns need, built or found. What is not there is said in `skipped` and by `isThere`; what could not be built fails when it is measured.
 * @param {import('./catalog.mjs').Column[]} columns @param {{ quick: boolean, peers: boolean }} options
 */
export async function prepare(columns, { quick, peers }) {
  mkdirSync(built, { recursive: true });
  const needs = (where) => columns.some((column) => column.where === where), isKernel = ({ module }) => module === KERNEL, skipped = [], broken = {};
  const attempt = (where, work) => work().catch((error) => { broken[where] = `could not be prepared: ${error.errors?.[0]?.text ?? error.message}`; });
  if (columns.some(isKernel)) await attempt('kernel', buildKernels);
  if (needs('native')) await attempt('native', () => buildNative(quick));
  const python = needs('python') ? await findPython() : { program: '', versions: {} };
  if (needs('python')) for (const [name, title] of [['numpy', 'NumPy'], ['torch', 'PyTorch']]) if (!python.versions[name]) skipped.push(`${title}: not installed (apt install python3-${name})`);
  const needsPages = needs('chromium') || needs('page');
  const isInstalled = existsSync(chromiumPath), browser = needsPages && isInstalled ? await attempt('chromium', pages) : undefined;
  if (needsPages && !isInstalled) skipped.push(`Chromium: not at ${chromiumPath} (environment variable CHROMIUM)`);
  if (!peers) skipped.push('peers in JavaScript: left out');
  const inPages = [...new Set(columns.filter(({ where, module }) => where === 'chromium' && isPeer(module)).map(({ module }) => module))];
  if (browser && peers && inPages.length) await attempt('peers', () => bundlePeers(inPages));
  const runners = {
    node: measureInNode,
    native: async ({ args: [program, ...more], rounds, seconds }) => lastLine(await run(nativeProgram(program, quick), [...more, String(rounds), ...(program === 'works' ? [String(seconds)] : [])])),
    python: async ({ args: more, rounds, seconds }) => lastLine(await run(python.program, [join(here, 'native', 'works.py'), ...more, String(rounds), String(seconds)])),
    chromium: (column) => browser.work(column),
    page: (column) => browser.start(column),
  };
  if (broken.chromium) broken.page = broken.chromium;
  const isThere = ({ where, args: [, library] = [], module = '' }) => (where === 'python' ? Boolean(python.versions[library]) : (peers || !isPeer(module)) && (isInstalled || !['chromium', 'page'].includes(where)));
  const measure = async (column) => {
    const reason = broken[column.where] ?? (isKernel(column) ? broken.kernel : column.where === 'chromium' && isPeer(column.module) ? broken.peers : undefined);
    if (reason) throw new Error(reason);
    return runners[column.where](column);
  };
  return { measure, skipped, versions: { ...browser && { chromium: browser.version }, ...python.versions }, isThere, close: () => browser?.close() };
}
