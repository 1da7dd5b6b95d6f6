/** One run on a store at a time: by Web Locks where there are any, and by a lock file beside paths. */
import { HeddleError } from '../errors.js';
import { importNode, isNode } from '../platform.js';
import { isPath } from './store.js';

/** Held by this thread: Node 20 and 22 have no Web Locks, nor have pages without https. @type {Set<string>} */
const held = new Set();

/** @param {string} store @param {string} who @returns {never} */
function refuse(store, who) {
  throw new HeddleError('state', `checkpoint: "${store}" is in use by ${who}: a store serves one run at a time`);
}

/** How long to wait for a page that is just being left, which gives its lock back a moment later; ms. */
const patience = 2000;

/** @param {string} name @returns {Promise<(() => void) | null>} releases it; null: somebody else has it */
function webLock(name) {
  const stop = new AbortController(), timer = setTimeout(() => stop.abort(), patience); // AbortSignal.timeout would let a thread of Node's end meanwhile
  return new Promise((resolve, reject) => {
    navigator.locks.request(name, { signal: stop.signal }, () => new Promise(release => {
      clearTimeout(timer);
      resolve(() => release(undefined));
    })).catch(error => (error?.name === 'AbortError' ? resolve(null) : reject(error)));
  });
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/**
 * A file `<store>.lock` with the process and machine of its maker, which may be another thread of this process. One whose process has ended is taken over.
 * @param {string} path
 * @param {string} store
 * @returns {Promise<() => Promise<void>>}
 */
async function lockFile(path, store) {
  /** @type {typeof import('node:fs/promises')} */
  const fs = await importNode('node:fs/promises');
  /** @type {typeof import('node:os')} */
  const os = await importNode('node:os');
  const own = JSON.stringify({ pid: process.pid, born: performance.timeOrigin, host: os.hostname(), id: globalThis.crypto.randomUUID() });
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await fs.writeFile(path, own, { flag: 'wx' });
      return async () => {
        if (await fs.readFile(path, 'utf8').catch(() => '') === own) await fs.rm(path, { force: true });
      };
    } catch (cause) {
      const { code } = /** @type {NodeJS.ErrnoException} */ (cause);
      if (code === 'ENOENT') return async () => {}; // no such folder: the first checkpoint says so
      if (code !== 'EEXIST') throw new HeddleError('storage', `checkpoint: cannot lock "${store}": ${/** @type {Error} */ (cause).message}`, { cause });
    }
    const text = await fs.readFile(path, 'utf8').catch(() => '');
    const { pid = 0, born, host = '' } = /** @type {{ pid?: number, born?: number, host?: string }} */ (parsed(text));
    const isGone = pid === process.pid ? born !== performance.timeOrigin : !isAlive(pid); // the next process of a container may have the same number
    const isStale = host === os.hostname() ? isGone : host === '' && text !== '';
    if (!isStale) refuse(store, `process ${pid}${host && host !== os.hostname() ? ` on ${host}` : ''} (if that is no run of heddle, remove ${path})`);
    const old = `${path}.${process.pid}`; // only one of several that take over can rename it
    await fs.rename(path, old).catch(() => {});
    if (await fs.readFile(old, 'utf8').catch(() => text) !== text) await fs.link(old, path).catch(() => {}); // it was somebody's new one
    await fs.rm(old, { force: true });
  }
  return refuse(store, 'another process');
}

/** @param {string} text @returns {object} */
function parsed(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

/** @param {string} store */
async function absolute(store) {
  if (!isPath(store) || !isNode()) return store;
  const { resolve } = await importNode('node:path'), { fileURLToPath } = await importNode('node:url');
  return /^file:/i.test(store) ? fileURLToPath(store) : resolve(store);
}

/**
 * @param {string} store
 * @returns {Promise<() => Promise<void>>} releases it
 * @throws {HeddleError} `state` if another run has it
 */
export async function lockStore(store) {
  if (store === 'memory') return async () => {};
  const place = await absolute(store), name = `heddle checkpoint ${place}`;
  if (held.has(name)) refuse(store, 'another fit of this program');
  held.add(name);
  /** @type {(() => unknown)[]} */
  const release = [() => held.delete(name)];
  const releaseAll = async () => {
    for (const one of release.reverse()) await one();
  };
  try {
    if (typeof navigator !== 'undefined' && navigator.locks) release.push(await webLock(name) ?? refuse(store, 'another fit, in another tab or thread'));
    if (isPath(store)) release.push(await lockFile(`${place}.lock`, store));
    return releaseAll;
  } catch (error) {
    await releaseAll();
    throw error;
  }
}
