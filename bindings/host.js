/** The engine's end of the rpc: runs calls, one thread of control, and lets others in while a long one runs. */
import { Engine } from './engine.js';
import { HeddleError } from './errors.js';
import { loadEngine } from './load.js';
import { turn } from './platform.js';

/** @import { HeddleErrorCode } from './errors.js' */
/** @import { CallContext } from './engine.js' */
/**
 * @typedef {{ id: number, method: string, args: unknown[], flag?: Int32Array }} CallMessage flag: shared; not 0 once aborted
 * @typedef {CallMessage | { abort: number }} Request
 *
 * @typedef {ReturnType<Engine['status']>} Status
 * @typedef {{ code: HeddleErrorCode | 'aborted', message: string, stack?: string }} PlainError
 * @typedef {{ id: number, result: unknown, status?: Status } | { id: number, error: PlainError, status?: Status }
 *   | { id: number, events: unknown[] } | { alive: true }} Reply alive: the engine is at work, or waits for something
 */

/** Other calls get in at least this often, in ms; events that must be copied are collected for a frame. */
const breathEvery = 12, eventsEvery = 16;
const aborted = Symbol('aborted');

/** Signs of life go out so many times within the silence that the watchdog allows. */
const beatsPerWatch = 8;

/** The buffers of all typed arrays in a result: they are plain copies, so they can be given away.
 * @param {unknown} value @param {ArrayBuffer[]} found */
function buffers(value, found = []) {
  if (ArrayBuffer.isView(value)) found.push(/** @type {ArrayBuffer} */ (value.buffer));
  else if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) buffers(part, found);
  return found;
}

/** @param {unknown} error @returns {PlainError} */
function plainError(error) {
  if (error === aborted) return { code: 'aborted', message: '' };
  if (error instanceof HeddleError) return { code: error.code, message: error.message };
  if (error instanceof RangeError && /alloc|memory|array length/i.test(error.message)) {
    return { code: 'memory', message: `no memory for an array of JavaScript's: ${error.message}` };
  }
  // A trap of the WebAssembly, or a mistake in this library: in both cases the engine is not to be trusted any more.
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return { code: 'crashed', message: `the engine crashed: ${message}`, stack };
}

/** @returns {() => Promise<void>} lets others in, if they have waited long enough; one for all calls of an engine */
function createBreath() {
  let last = performance.now();
  /** @type {Promise<void> | undefined} */
  let running;
  return async () => {
    if (!running && performance.now() - last < breathEvery) return;
    running ??= turn().then(() => { [last, running] = [performance.now(), undefined]; });
    await running;
  };
}

/**
 * Tells the caller that this worker is alive: by a timer while it waits, and by C in the middle of its long calls.
 * @param {() => void} send
 */
function createLife(send) {
  let last = 0, every = Infinity;
  const beat = () => {
    const now = performance.now();
    if (now - last < every) return;
    last = now;
    send();
  };
  /** @param {number} seconds of silence that are allowed; 0: no end */
  const promise = seconds => {
    if (!seconds) return;
    every = seconds * 1000 / beatsPerWatch;
    const timer = setInterval(beat, every);
    if (typeof timer === 'object') timer.unref?.(); // Node
  };
  send(); // the script has come
  return { beat, promise };
}

/**
 * What a call is given to report, to breathe and to be aborted.
 * @param {CallMessage} call
 * @param {{ send: (reply: Reply, transfer: ArrayBuffer[]) => void, copies: boolean, aborts: Map<number, () => void>,
 *   breathe: () => Promise<void> }} host
 * @returns {CallContext & { flush: () => void }}
 */
function createContext({ id, flag }, { send, copies, aborts, breathe }) {
  let isAborted = false, lastEvents = 0;
  /** @type {unknown[]} */
  let events = [];
  const onAbort = new Promise(resolve => {
    aborts.set(id, () => {
      isAborted = true;
      resolve(undefined);
    });
  });
  const flush = () => {
    if (events.length) send({ id, events }, []);
    [events, lastEvents] = [[], performance.now()];
  };
  const check = () => {
    if (isAborted || (flag && Atomics.load(flag, 0))) throw aborted;
  };
  return {
    aborted: /** @type {Promise<void>} */ (onAbort), check, flush,
    emit(event) {
      events.push(event);
      if (!copies || performance.now() - lastEvents >= eventsEvery) flush();
    },
    async breathe() {
      await breathe();
      check();
    },
  };
}

/**
 * @param {(reply: Reply, transfer: ArrayBuffer[]) => void} send
 * @param {boolean} copies messages are copied and cost time: events are collected
 * @returns {{ receive: (request: Request) => void, end: () => void }} receive: to be called with each request; end: frees all
 */
export function createHost(send, copies) {
  /** @type {Promise<Engine> | undefined} */
  let loading;
  /** @type {Engine | undefined} */
  let engine;
  /** @type {Map<number, () => void>} */
  const aborts = new Map();
  const host = { send, copies, aborts, breathe: createBreath() };
  const life = copies ? createLife(() => send({ alive: true }, [])) : null;

  /** @param {CallMessage} call @param {CallContext} context @returns {Promise<unknown>} */
  async function perform({ method, args }, context) {
    if (method === 'start') {
      const options = /** @type {import('./load.js').LoadOptions} */ (args[0]);
      life?.promise(options.watchdog ?? 0);
      loading = loadEngine(options, life?.beat).then(({ heap, facts }) => new Engine(heap, facts, options.memoryLimit));
      engine = await loading;
      return engine.facts;
    }
    const ready = engine ?? await loading;
    if (!ready) throw new HeddleError('state', 'the engine has not been started');
    const owner = /** @type {Record<string, (...args: unknown[]) => unknown>} */ (
      /** @type {unknown} */ ([ready, ready.data, ready.trainer, ready.solver, ready.algebra].find(part => method in part)));
    context.check();
    return owner[method](...args, context);
  }

  /** @param {CallMessage} call */
  async function run(call) {
    const { id } = call, context = createContext(call, host);
    try {
      const result = await perform(call, context);
      context.flush();
      send({ id, result, status: engine?.status() }, copies ? buffers(result) : []);
    } catch (error) {
      context.flush();
      const plain = plainError(error);
      send({ id, error: plain, ...plain.code !== 'crashed' && { status: engine?.status() } }, []);
    } finally {
      aborts.delete(id);
    }
  }

  return {
    receive(request) {
      if ('abort' in request) aborts.get(request.abort)?.();
      else void run(request);
    },
    end() {
      for (const abort of aborts.values()) abort();
      engine?.heap.end();
      engine = undefined;
    },
  };
}
