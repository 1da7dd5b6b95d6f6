/** The caller's end of the rpc: few coarse calls to an engine in a worker or in this thread, through one interface. */
import { HeddleError, abortError, kindOf, part } from './errors.js';
import { importNode, isNode } from './platform.js';

/** @import { PlainError, Reply, Request, Status } from './host.js' */
/**
 * A way to an engine.
 * @typedef {object} Link
 * @property {boolean} copies messages are copied to another thread
 * @property {(request: Request, transfer: ArrayBuffer[]) => void} post
 * @property {(isBusy: boolean) => void} hold keeps the process running while calls are pending (Node)
 * @property {() => void} close
 */
/** @typedef {{ onReply: (reply: Reply) => void, onCrash: (message: string) => void }} Listener */
/** @typedef {(listener: Listener) => Promise<Link>} LinkOpener */
/**
 * @typedef {object} CallOptions
 * @property {AbortSignal} [signal] makes the call reject with the signal's reason, once the engine has stopped
 * @property {ArrayBuffer[]} [transfer] buffers in the arguments that nobody else uses
 * @property {(event: any) => void} [onEvent]
 */
/** @typedef {{ resolve: (value: any) => void, reject: (error: unknown) => void, options: CallOptions, done: () => void }} Pending */

/** @type {LinkOpener} The engine in this thread. */
export async function openLocal({ onReply }) {
  const { createHost } = await part(import('./host.js')); // not needed where a worker does the work
  const { receive, end } = createHost(onReply, false);
  return { copies: false, post: receive, hold: () => {}, close: end };
}

/** Browsers start no worker from another origin, but one of this origin may import it from there. @param {string} url */
function start(url) {
  if (new URL(url).origin === globalThis.location?.origin || !url.startsWith('http')) return new Worker(/* @vite-ignore */ url, { type: 'module' });
  const script = URL.createObjectURL(new Blob([`import ${JSON.stringify(url)};`], { type: 'text/javascript' }));
  return new Worker(/* @vite-ignore */ script, { type: 'module' });
}

/**
 * The engine in a worker.
 * @param {Listener} listener
 * @param {string} [url] of its script, if it is not beside this one
 * @returns {Promise<Link>}
 */
export async function openWorker({ onReply, onCrash }, url) {
  if (isNode()) {
    /** @type {typeof import('node:worker_threads')} */
    const { Worker: NodeWorker } = await importNode('node:worker_threads');
    // Without the process's own flags: some, such as --input-type, are refused in a worker.
    const worker = new NodeWorker(url ? new URL(url) : new URL(/* webpackIgnore: true */ './worker.js', import.meta.url), { execArgv: [] });
    worker.on('message', onReply);
    worker.on('error', error => onCrash(`the worker failed: ${error.message}`));
    worker.on('exit', code => onCrash(`the worker exited with code ${code}`));
    worker.unref();
    return {
      copies: true,
      post: (request, transfer) => worker.postMessage(request, transfer),
      hold: isBusy => { worker[isBusy ? 'ref' : 'unref'](); },
      close: () => void worker.terminate(),
    };
  }
  const isElsewhere = url === undefined && /^https?:/.test(import.meta.url) && !import.meta.url.startsWith(globalThis.location.origin);
  const worker = url !== undefined || isElsewhere ? start(url ?? import.meta.url.replace(/[^/]*$/, 'worker.js'))
    : new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }); // spelt out, for bundlers
  worker.onmessage = ({ data }) => onReply(data);
  worker.onmessageerror = () => onCrash('a message from the worker could not be read');
  worker.onerror = event => onCrash(`the worker failed: ${event.message ?? 'its script could not be loaded'}`);
  return {
    copies: true, post: (request, transfer) => worker.postMessage(request, transfer),
    hold: () => {}, close: () => worker.terminate(),
  };
}

/** @param {PlainError} error @param {AbortSignal | undefined} signal @returns {unknown} */
function revive({ code, message, stack }, signal) {
  if (code === 'aborted') return abortError(signal);
  return new HeddleError(code, message, stack === undefined ? {} : { cause: stack });
}

/** A silence is measured in so many looks at the engine, not by the clock: a page or machine that slept itself blames nobody. */
const looks = 4;

/** One engine. After a crash it stays dead; what is pending then rejects with `crashed`, or with `timeout` if it was silent for too long. */
export class Client {
  #link;
  #watchdog;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #watch;
  /** Looks since the last sign of life. */
  #silence = 0;
  #hasSpoken = false;
  #lastId = 0;
  /** @type {Map<number, Pending>} */
  #pending = new Map();
  /** @type {HeddleError | null} */
  #dead = null;
  /** @type {Status | undefined} as of the last reply */
  status;
  /** Fits that are under way, between whose calls the engine may be idle. */
  fits = 0;

  /** @param {Link} link @param {number} watchdog seconds; 0: none */
  constructor(link, watchdog) {
    this.#link = link;
    this.#watchdog = link.copies ? watchdog : 0;
  }

  /** @param {LinkOpener} open @param {number} [watchdog] seconds without a sign of life after which a busy engine is given up; 0: never */
  static async open(open, watchdog = 0) {
    /** @type {Client | undefined} */
    let client;
    const link = await open({
      onReply: reply => client?.receive(reply),
      onCrash: message => client?.fail(client.#hasSpoken ? new HeddleError('crashed', message)
        : new HeddleError('storage', `the worker's script can't be loaded: ${message}`)),
    });
    client = new Client(link, watchdog);
    return client;
  }

  /** It has said something: its script is there. */
  get hasSpoken() {
    return this.#hasSpoken || !this.#link.copies;
  }

  get isDead() {
    return this.#dead !== null;
  }

  get isBusy() {
    return this.#pending.size > 0 || this.fits > 0;
  }

  get inWorker() {
    return this.#link.copies;
  }

  /**
   * @param {string} method of Engine or Trainer
   * @param {unknown[]} args
   * @param {CallOptions} [options]
   * @returns {Promise<any>}
   */
  async call(method, args, options = {}) {
    const { signal, transfer = [] } = options;
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw new HeddleError('argument', `${method}: signal must be an AbortSignal, got ${kindOf(signal)}`);
    }
    if (signal?.aborted) throw abortError(signal);
    if (this.#dead) throw this.#dead;
    const id = ++this.#lastId;
    // A flag in shared memory is seen within one batch; a message, when the engine next looks at its messages.
    const canShare = typeof SharedArrayBuffer === 'function' && globalThis.crossOriginIsolated !== false;
    const flag = signal && canShare ? new Int32Array(new SharedArrayBuffer(4)) : undefined;
    const onAbort = () => {
      if (flag) Atomics.store(flag, 0, 1);
      this.#link.post({ abort: id }, []);
    };
    return new Promise((resolve, reject) => {
      signal?.addEventListener('abort', onAbort);
      const done = () => signal?.removeEventListener('abort', onAbort);
      this.#pending.set(id, { resolve, reject, options, done });
      if (this.#pending.size === 1) this.#begin();
      try {
        this.#link.post({ id, method, args, flag }, this.#link.copies ? transfer : []);
      } catch (cause) { // arguments that can't be copied, or no memory to copy them
        this.#take(id);
        const reason = cause instanceof Error ? cause.message : String(cause);
        reject(new HeddleError('memory', `${method}: the arguments can't be sent to the worker: ${reason}`, { cause }));
      }
    });
  }

  /** A call whose end nobody waits for; it does not make the engine busy. @param {string} method @param {unknown[]} args */
  notify(method, args) {
    if (!this.#dead) this.#link.post({ id: ++this.#lastId, method, args }, []);
  }

  /** @param {number} id */
  #take(id) {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.done();
    if (this.#pending.size === 0) {
      this.#link.hold(false);
      clearInterval(this.#watch);
    }
    return pending;
  }

  /** Calls are pending from now on. */
  #begin() {
    this.#link.hold(true);
    if (!this.#watchdog) return;
    this.#silence = 0;
    this.#watch = setInterval(() => {
      if (++this.#silence <= looks) return;
      this.fail(new HeddleError('timeout', `the engine has given no sign of life for ${this.#watchdog} s; its worker has been ended`));
    }, this.#watchdog * 1000 / looks);
  }

  /** @param {Reply} reply */
  receive(reply) {
    [this.#silence, this.#hasSpoken] = [0, true];
    if ('alive' in reply) return;
    if ('events' in reply) {
      const onEvent = this.#pending.get(reply.id)?.options.onEvent;
      if (onEvent) for (const event of reply.events) onEvent(event);
      return;
    }
    this.status = reply.status ?? this.status;
    if ('error' in reply && reply.error.code === 'crashed') {
      this.fail(/** @type {HeddleError} */ (revive(reply.error, undefined)));
      return;
    }
    const pending = this.#take(reply.id);
    if ('error' in reply) pending?.reject(revive(reply.error, pending.options.signal));
    else pending?.resolve(reply.result);
  }

  /** Ends this client: its engine is gone. @param {HeddleError} error */
  fail(error) {
    if (this.#dead) return;
    this.#dead = error;
    this.#link.close();
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(error);
  }

  /** Tests only: ends the worker as the system may do, without a word to this side. */
  kill() {
    this.#link.close();
  }
}
