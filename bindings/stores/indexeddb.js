/** Entries of one IndexedDB database: `files` holds bytes by name, `info` their size and date so that a list is cheap. */
import { HeddleError } from '../errors.js';
import { unshared } from '../files/bytes.js';
import { missing, storageError } from './failure.js';

const database = 'heddle';

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const settled = request => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/** @returns {Promise<IDBDatabase>} */
function open() {
  if (typeof indexedDB === 'undefined') {
    throw new HeddleError('unsupported', 'indexeddb://: this platform has no IndexedDB; in Node save to a path');
  }
  const request = indexedDB.open(database, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore('files');
    request.result.createObjectStore('info', { keyPath: 'name' });
  };
  return settled(request);
}

/**
 * Runs `work` in one transaction; resolves when that is on disk.
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {string} what for messages
 * @param {(files: IDBObjectStore, info: IDBObjectStore) => Promise<T>} work
 * @returns {Promise<T>}
 */
async function transact(mode, what, work) {
  /** @type {IDBDatabase | undefined} */
  let db;
  try {
    db = await open();
    const transaction = db.transaction(['files', 'info'], mode, { durability: 'strict' });
    const done = new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(undefined);
      transaction.onabort = () => reject(transaction.error ?? new Error('the transaction was aborted'));
    });
    const result = work(transaction.objectStore('files'), transaction.objectStore('info'));
    // A full disk may show up as late as the commit; and a failed request aborts the transaction with the same error.
    return (await Promise.all([result, done]))[0];
  } catch (cause) {
    throw storageError(what, cause);
  } finally {
    db?.close();
  }
}

/** @param {string} name @param {Uint8Array} bytes @returns {Promise<void>} */
export function saveIndexedDb(name, bytes) {
  return transact('readwrite', `cannot save to indexeddb://${name}`, async (files, info) => {
    const record = { name, size: bytes.length, modified: Date.now() };
    // Both requests must be made before the first await, which may let the transaction end. A view is stored with the
    // whole buffer behind it: copy when it is a part only.
    const isWhole = bytes.byteLength === bytes.buffer.byteLength;
    await Promise.all([settled(files.put(isWhole ? unshared(bytes) : bytes.slice(), name)), settled(info.put(record))]);
  });
}

/** @param {string} name @returns {Promise<Uint8Array>} */
export async function loadIndexedDb(name) {
  const bytes = await transact('readonly', `cannot load indexeddb://${name}`, files => settled(files.get(name)));
  if (bytes === undefined) throw missing(`indexeddb://${name}`);
  return bytes;
}

/** @param {string} name @returns {Promise<void>} */
export function removeIndexedDb(name) {
  return transact('readwrite', `cannot remove indexeddb://${name}`, async (files, info) => {
    const [key] = await Promise.all([settled(files.getKey(name)), settled(files.delete(name)), settled(info.delete(name))]);
    if (key === undefined) throw missing(`indexeddb://${name}`);
  });
}

/** @returns {Promise<import('./index.js').StoredEntry[]>} sorted by name */
export async function listIndexedDb() {
  const records = await transact('readonly', 'cannot list indexeddb://', (_, info) => settled(info.getAll()));
  return records.map(({ name, size, modified }) => ({ url: `indexeddb://${name}`, name, size, modified: new Date(modified) }));
}
