/** Chooses an engine binary by what the platform can do, and loads it. */
import { HeddleError } from './errors.js';
import { Heap } from './heap.js';
import { importNode, isNode } from './platform.js';

/** @import { EngineModule } from './heap.js' */
/** @typedef {'heddle-st' | 'heddle-st-relaxed' | 'heddle-mt' | 'heddle-mt-relaxed'} EngineName binaries of the C core: with one thread (st) or many
 *   (mt), with relaxed SIMD, whose results differ in the last bits from platform to platform, or without */
/**
 * What WebAssembly can do here, from wasm-feature-detect.
 * @typedef {{ simd: boolean, relaxedSimd: boolean }} Features
 */
/**
 * What `init` takes, all optional; plain data, as it crosses to the worker.
 * @typedef {object} LoadOptions
 * @property {Features} features
 * @property {number} [threads] threads wanted, the engine's own included
 * @property {boolean} [deterministic] no relaxed SIMD: the same bits on every platform
 * @property {EngineName} [engine] this binary and no other
 * @property {string} [wasmUrl] the folder of the .wasm files, if not beside the .mjs files
 * @property {ArrayBuffer | Uint8Array<ArrayBuffer> | WebAssembly.Module} [wasmBinary] of `engine`: nothing is fetched
 * @property {number} [timeout] seconds to wait for the engine, 20 unless told
 * @property {number} [memoryLimit] bytes; none unless told
 * @property {number} [watchdog] seconds without a sign of life after which the caller ends the worker; 0: never
 */
/**
 * @typedef {object} EngineFacts
 * @property {EngineName} engine
 * @property {number} threadsAsked
 * @property {boolean} threadsWanted threadsAsked was given, not found out
 * @property {boolean} relaxed fused multiply-add is used: results differ in the last bits from other platforms'
 * @property {boolean} isolated shared memory may be used here, and with it threads
 */

/** @typedef {(options: object) => Promise<EngineModule>} Factory */

/** Both parts of each engine, spelt out so that bundlers find them (and behind the first the script of its threads).
 * @type {Record<EngineName, { glue: () => Promise<{ default: Factory }>, wasm: () => URL }>} */
const engines = {
  'heddle-st': {
    glue: () => import('./engines/heddle-st.mjs'), wasm: () => new URL('./engines/heddle-st.wasm', import.meta.url),
  },
  'heddle-st-relaxed': {
    glue: () => import('./engines/heddle-st-relaxed.mjs'), wasm: () => new URL('./engines/heddle-st-relaxed.wasm', import.meta.url),
  },
  'heddle-mt': {
    glue: () => import('./engines/heddle-mt.mjs'), wasm: () => new URL('./engines/heddle-mt.wasm', import.meta.url),
  },
  'heddle-mt-relaxed': {
    glue: () => import('./engines/heddle-mt-relaxed.mjs'), wasm: () => new URL('./engines/heddle-mt-relaxed.wasm', import.meta.url),
  },
};

/** @type {readonly EngineName[]} */
export const engineNames = Object.freeze(/** @type {EngineName[]} */ (Object.keys(engines)));

const hasSharedMemory = () => typeof SharedArrayBuffer === 'function' && globalThis.crossOriginIsolated !== false;

/** Logical processors, at most 8. */
async function defaultThreads() {
  const fromNode = isNode() && !globalThis.navigator?.hardwareConcurrency
    ? (await importNode('node:os')).availableParallelism() : 0;
  return Math.min(fromNode || globalThis.navigator?.hardwareConcurrency || 1, 8);
}

/** @param {EngineName} engine @param {Features} features @returns {string | null} why this engine can't run here */
function obstacle(engine, { simd, relaxedSimd }) {
  if (!simd) return 'this platform has no WebAssembly SIMD (browsers since 2021-2023 have it)';
  if (engine.includes('relaxed') && !relaxedSimd) return 'this platform has no relaxed SIMD';
  if (engine.includes('mt') && !hasSharedMemory()) return 'there is no shared memory without cross-origin isolation';
  return null;
}

/** @param {LoadOptions} options @returns {Promise<EngineFacts>} */
async function choose(options) {
  const isolated = hasSharedMemory(), threadsAsked = options.threads ?? await defaultThreads();
  if (threadsAsked > 1 && !isolated) {
    console.info('heddle: this page is not cross-origin isolated, so one thread is used. More need the response headers '
      + '"Cross-Origin-Opener-Policy: same-origin" and "Cross-Origin-Embedder-Policy: require-corp".');
  }
  const relaxed = options.features.relaxedSimd && !options.deterministic;
  const threads = isolated && threadsAsked > 1 ? 'mt' : 'st';
  const engine = options.engine ?? /** @type {EngineName} */ (`heddle-${threads}${relaxed ? '-relaxed' : ''}`);
  const reason = obstacle(engine, options.features);
  if (reason !== null) throw new HeddleError('unsupported', `the engine ${engine} can't run: ${reason}`);
  return { engine, threadsAsked, threadsWanted: options.threads !== undefined, relaxed: engine.includes('relaxed'), isolated };
}

/** @template T @param {Promise<T>} promise @param {number} seconds @param {string} what @returns {Promise<T>} */
async function within(promise, seconds, what) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new HeddleError('timeout', `${what} did not load within ${seconds} s`)), seconds * 1000);
  });
  try {
    return await Promise.race([promise, /** @type {Promise<never>} */ (late)]);
  } finally {
    clearTimeout(timer);
  }
}

/** @param {URL} url */
async function compile(url) {
  if (isNode() && url.protocol === 'file:') {
    const { readFile } = await importNode('node:fs/promises');
    return WebAssembly.compile(await readFile(url));
  }
  const response = await fetch(url, { credentials: 'same-origin' });
  if (!response.ok) throw new Error(`${url} answered ${response.status} ${response.statusText}`);
  const isWasm = response.headers.get('Content-Type')?.startsWith('application/wasm');
  return isWasm ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}

/** @param {EngineName} engine @param {LoadOptions} options @returns {Promise<WebAssembly.Module>} */
async function moduleOf(engine, { wasmUrl, wasmBinary }) {
  if (wasmBinary instanceof WebAssembly.Module) return wasmBinary;
  if (wasmBinary !== undefined) return WebAssembly.compile(wasmBinary);
  return compile(wasmUrl === undefined ? engines[engine].wasm() : new URL(`${engine}.wasm`, wasmUrl));
}

/** @param {EngineFacts} facts @param {LoadOptions} options @param {() => void} [onBeat] @returns {Promise<EngineModule>} */
async function instantiate({ engine, threadsAsked }, options, onBeat) {
  const [{ default: factory }, module] = await Promise.all([engines[engine].glue(), moduleOf(engine, options)]);
  return new Promise((resolve, reject) => {
    factory({
      /** @param {WebAssembly.Imports} imports @param {(instance: WebAssembly.Instance, module: WebAssembly.Module) => void} done */
      instantiateWasm(imports, done) {
        WebAssembly.instantiate(module, imports).then(instance => done(instance, module)).catch(reject);
        return {};
      },
      // Browsers can't start a worker while its maker waits for it, so there the threads' workers are made beforehand.
      ...!isNode() && { hdThreads: threadsAsked - 1 },
      ...onBeat && { hdBeat: onBeat },
      printErr: () => {}, // what Emscripten would print is in the error it throws, too
    }).then(resolve, reject);
  });
}

/**
 * @param {EngineFacts} facts @param {LoadOptions} options @param {() => void} [onBeat] @returns {Promise<{ heap: Heap, facts: EngineFacts }>}
 * @throws {HeddleError} `storage` if its files can't be loaded, `timeout`
 */
async function open(facts, options, onBeat) {
  try {
    return { heap: new Heap(await within(instantiate(facts, options, onBeat), options.timeout ?? 20, facts.engine)), facts };
  } catch (cause) {
    if (cause instanceof HeddleError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HeddleError('storage', `the engine ${facts.engine} can't be loaded: ${reason}`, { cause });
  }
}

/**
 * @param {LoadOptions} options checked already
 * @param {() => void} [onBeat] called often while C works
 * @returns {Promise<{ heap: Heap, facts: EngineFacts }>}
 * @throws {HeddleError} `unsupported` if the platform can't run the engine, `storage` if its files can't be loaded,
 *   `timeout`
 */
export async function loadEngine(options, onBeat) {
  const facts = await choose(options);
  try {
    return await open(facts, options, onBeat);
  } catch (error) {
    // Some phones have shared memory, but not as much as the threaded engines may grow to.
    if (options.engine !== undefined || !facts.engine.includes('mt')) throw error;
    const engine = /** @type {EngineName} */ (facts.engine.replace('mt', 'st'));
    const single = await open({ ...facts, engine }, options, onBeat);
    console.info(`heddle: ${/** @type {Error} */ (error).message}; one thread is used instead.`);
    return single;
  }
}
