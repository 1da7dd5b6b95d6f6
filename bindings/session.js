/** The engine that all models of this process or page share: started by the first call that computes, or by init. */
import { HeddleError, checkOptions, kindOf, suggest } from './errors.js';
import { relaxedSimd, simd } from './features.js';
import { engineNames } from './load.js';
import { isNode } from './platform.js';
import { Client, openLocal, openWorker } from './rpc.js';

/** @import { EngineFacts, EngineName } from './load.js' */
/**
 * @typedef {object} InitOptions
 * @property {number} [threads] 1 to 64; unless told, the number of processors, at most 8. One where memory can't be
 *   shared (a page without cross-origin isolation). They start with the first fit; unless told, when there is enough work.
 *   Results do not depend on them
 * @property {boolean} [worker] run in a worker: by default yes in browsers, no in Node
 * @property {boolean} [deterministic] decline relaxed SIMD, for the same bits on every platform; false unless told
 * @property {EngineName} [engine] take this binary instead of the best that the platform can run
 * @property {string | URL} [wasmUrl] the folder of the .wasm files (ending in a slash) if it is not that of the .mjs files
 * @property {ArrayBuffer | Uint8Array<ArrayBuffer> | WebAssembly.Module} [wasmBinary] the contents of the .wasm file, or what they were compiled
 *   to, so that it is not fetched; needs `engine`, which says whose they are
 * @property {string | URL} [workerUrl] of worker.js, if it is not beside the other modules: a copy of this package's folder `bindings`, say
 * @property {number} [seed] of models made without a seed; a random one unless told
 * @property {number} [timeout] seconds until loading is given up, 20 unless told
 * @property {number} [memoryLimit] bytes that the engine may hold (`info().memory.used`), arguments and results of running calls included; what would
 *   need more is refused with `memory`. At least 4 MiB; no limit unless told. `heap` starts at 16 MiB, and may pass the limit by a fifth
 * @property {number} [watchdog] seconds: when calls are pending and the engine's worker has given no sign of life for so long, it is ended, and they
 *   reject with `timeout`; the next call starts a new engine, in which models have their last remembered weights. Long work gives signs of
 *   life, too. 60 unless told, 0: never. An engine in the caller's own thread (`worker: false`) can't be interrupted: it has none
 */
/**
 * @typedef {object} MemoryInfo all in bytes
 * @property {number} heap the engine's whole memory; it grows and never shrinks
 * @property {number} used held by models, data and fits now
 * @property {number} peak the same, at most so far
 * @property {number} data held by data sets and by data of running calls
 * @property {number} models weights, gradients and optimiser state
 * @property {number} fits planned work memory of running fits
 */
/**
 * @typedef {object} Info
 * @property {string} version of heddle
 * @property {EngineName | null} engine the binary; null before the first call that computes
 * @property {number} threads that run now: 1 until the first work that is worth more
 * @property {number} threadsAsked wanted by init or by default
 * @property {boolean} relaxed fused multiply-add: last bits differ from other platforms'
 * @property {boolean} isolated memory can be shared, and with it threads can run
 * @property {boolean} worker the engine runs in a worker
 * @property {MemoryInfo} memory as of the last call
 */

/** As in package.json. */
const version = '0.1.0';

/** What holds unless init says otherwise: bundles of this package know where their parts are. @type {InitOptions} */
let standard = {};
/** @type {InitOptions} */
let settings = {};
/** @type {Promise<Client> | null} */
let starting = null;
/** @type {{ client: Client, facts: EngineFacts } | null} */
let current = null;

/** An engine without models holds 2.5 MiB a thread. */
const leastMemory = 4 * 2 ** 20;
/** In seconds. Measured on a desktop that was busy with other work: decompositions of 600 x 600 are silent for some 50 ms, a product of 1200 x 1200
 * for 0.8 s; statistics of two million ratings, which nobody has, for 13 s. */
const standardTimeout = 20, standardWatchdog = 60;

/** @param {unknown} value @param {string} name @param {string} type */
function checkType(value, name, type) {
  if (value !== undefined && typeof value !== type) {
    throw new HeddleError('argument', `init: ${name} must be a ${type}, got ${kindOf(value)}`);
  }
}

/** @param {InitOptions} options */
function checkPlaces({ engine, wasmUrl, wasmBinary, workerUrl }) {
  for (const [name, value] of Object.entries({ wasmUrl, workerUrl })) {
    if (value !== undefined && !URL.canParse(String(value), globalThis.location?.href)) {
      throw new HeddleError('argument', `init: ${name} = ${JSON.stringify(String(value))}, expected a URL`);
    }
  }
  if (wasmBinary === undefined) return;
  if (!(wasmBinary instanceof ArrayBuffer || wasmBinary instanceof Uint8Array || wasmBinary instanceof WebAssembly.Module)) {
    throw new HeddleError('argument', `init: wasmBinary must be an ArrayBuffer, a Uint8Array or a WebAssembly.Module, got ${kindOf(wasmBinary)}`);
  }
  if (engine === undefined) throw new HeddleError('argument', `init: wasmBinary needs engine, the one it is of: ${engineNames.join(', ')}`);
}

/** @param {InitOptions} options */
function checkSettings(options) {
  checkOptions(options, ['threads', 'worker', 'deterministic', 'engine', 'wasmUrl', 'wasmBinary', 'workerUrl', 'seed', 'timeout',
    'memoryLimit', 'watchdog'], 'init');
  const { threads, engine, seed, timeout, memoryLimit, watchdog } = options;
  checkType(options.worker, 'worker', 'boolean');
  checkType(options.deterministic, 'deterministic', 'boolean');
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= 64)) {
    throw new HeddleError('argument', `init: threads = ${threads}, expected a whole number from 1 to 64`);
  }
  if (engine !== undefined && !engineNames.includes(engine)) {
    throw new HeddleError('argument', `init: unknown engine "${engine}"${suggest(String(engine), engineNames)}`);
  }
  checkPlaces(options);
  if (seed !== undefined) checkSeed(seed, 'init');
  if (timeout !== undefined && !(timeout > 0 && timeout <= 3600)) {
    throw new HeddleError('argument', `init: timeout = ${timeout}, expected seconds above 0, at most 3600`);
  }
  if (memoryLimit !== undefined && !(Number.isSafeInteger(memoryLimit) && memoryLimit >= leastMemory)) {
    throw new HeddleError('argument', `init: memoryLimit = ${memoryLimit}, expected a whole number of bytes, at least ${leastMemory}`);
  }
  if (watchdog !== undefined && !(watchdog >= 0 && watchdog <= 86400)) {
    throw new HeddleError('argument', `init: watchdog = ${watchdog}, expected seconds up to 86400; 0: none`);
  }
  if (watchdog && !({ ...standard, ...options }.worker ?? !isNode())) {
    throw new HeddleError('argument', 'init: watchdog needs worker: true, for an engine in this thread can\'t be interrupted');
  }
}

/** @param {unknown} seed @param {string} where @returns {number} */
export function checkSeed(seed, where) {
  if (!Number.isSafeInteger(seed) || /** @type {number} */ (seed) < 0) {
    throw new HeddleError('argument', `${where}: seed = ${String(seed)}, expected a whole number from 0 to 2^53 - 1`);
  }
  return /** @type {number} */ (seed);
}

/** The seed of a model that was given none. */
export function defaultSeed() {
  return settings.seed ?? globalThis.crypto.getRandomValues(new Uint32Array(1))[0];
}

/** For bundles, before anything is computed. @param {InitOptions} options */
export function setStandard(options) {
  standard = options;
}

/** @param {string | URL | undefined} url @returns {string | undefined} as this page would follow it */
const absolute = url => url === undefined ? undefined : new URL(String(url), globalThis.location?.href).href;

async function start() {
  const own = settings.engine !== undefined && settings.engine !== standard.engine ? { wasmBinary: undefined } : {};
  const { worker = !isNode(), threads, deterministic, engine, wasmUrl, wasmBinary, workerUrl, timeout = standardTimeout, memoryLimit,
    watchdog = standardWatchdog } = { ...standard, ...own, ...settings };
  const open = worker ? /** @type {import('./rpc.js').LinkOpener} */ (listener => openWorker(listener, absolute(workerUrl))) : openLocal;
  const [client, hasSimd, hasRelaxedSimd] = await Promise.all([openClient(open, watchdog), simd(), relaxedSimd()]);
  const timer = setTimeout(() => { // what the worker loads it times itself
    if (!client.hasSpoken) client.fail(new HeddleError('timeout', `the worker's script did not load within ${timeout} s`));
  }, timeout * 1000);
  try {
    const facts = await client.call('start', [{
      features: { simd: hasSimd, relaxedSimd: hasRelaxedSimd }, threads, deterministic, engine, timeout, wasmBinary,
      wasmUrl: absolute(wasmUrl), memoryLimit, watchdog,
    }]);
    current = { client, facts };
    return client;
  } catch (error) {
    client.fail(new HeddleError('crashed', 'the engine did not start'));
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** @param {import('./rpc.js').LinkOpener} open @param {number} watchdog */
async function openClient(open, watchdog) {
  try {
    return await Client.open(open, watchdog);
  } catch (cause) { // the page's policy may forbid workers
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HeddleError('storage', `no worker can be started: ${reason}`, { cause });
  }
}

/**
 * The running engine; a new one if there is none, or if it died.
 * @returns {Promise<Client>}
 */
export async function connect() {
  if (current && !current.client.isDead) return current.client;
  starting ??= start().finally(() => { starting = null; });
  return starting;
}

/**
 * Chooses how heddle computes, and starts it. Without this call the first call that computes starts it with all
 * defaults. May be called again when nothing is running: models then move to the new engine with their weights; data
 * sets do not.
 * @param {InitOptions} [options]
 * @returns {Promise<Info>}
 * @throws {HeddleError} `argument`; `state` while calls are running; `unsupported`, `storage` or `timeout` if the engine
 *   does not start
 */
export async function init(options = {}) {
  checkSettings(options);
  if (starting || (current && !current.client.isDead && current.client.isBusy)) {
    throw new HeddleError('state', 'init: the engine is at work; wait for the running calls to end');
  }
  current?.client.fail(new HeddleError('state', 'init has replaced this engine'));
  current = null;
  settings = { ...options };
  await connect();
  return info();
}

/**
 * What runs, and the memory it takes, as of the last call.
 * @returns {Info}
 */
export function info() {
  if (!current) {
    const memory = { heap: 0, used: 0, peak: 0, data: 0, models: 0, fits: 0 };
    return { version, engine: null, threads: 1, threadsAsked: settings.threads ?? 1, relaxed: false, isolated: false, worker: false, memory };
  }
  const { client, facts: { threadsWanted: _, ...facts } } = current, status = /** @type {import('./host.js').Status} */ (client.status);
  return { version, ...facts, threads: status.threads, worker: client.inWorker, memory: { ...status.memory } };
}
