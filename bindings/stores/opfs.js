/** The origin private file system; entries are named by a path such as `runs/digits.safetensors`. */
import { HeddleError } from '../errors.js';
import { unshared } from '../files/bytes.js';
import { missing, storageError } from './failure.js';

/** @returns {Promise<FileSystemDirectoryHandle>} */
async function root() {
  if (typeof navigator === 'undefined' || typeof navigator.storage?.getDirectory !== 'function') {
    throw new HeddleError('unsupported', 'opfs://: this platform has no origin private file system (in a browser it needs '
      + 'https or localhost; in Node save to a path)');
  }
  return navigator.storage.getDirectory();
}

/** @param {string} name */
function split(name) {
  const parts = name.split('/');
  if (parts.some(part => part === '' || part === '.' || part === '..')) {
    throw new HeddleError('argument', `opfs://${name}: every part of the path must be a name, not "", "." or ".."`);
  }
  return { folders: parts.slice(0, -1), file: parts[parts.length - 1] };
}

/** @param {string[]} folders @param {boolean} create */
async function folder(folders, create) {
  let directory = await root();
  for (const part of folders) directory = await directory.getDirectoryHandle(part, { create });
  return directory;
}

/** @param {string} operation @param {string} name @param {unknown} cause */
function failed(operation, name, cause) {
  if (cause instanceof DOMException && cause.name === 'NotFoundError') return missing(`opfs://${name}`);
  return storageError(`cannot ${operation} opfs://${name}`, cause);
}

/** @param {FileSystemFileHandle} handle @param {Uint8Array} bytes */
async function commit(handle, bytes) {
  if (typeof handle.createWritable !== 'function') {
    throw new HeddleError('unsupported', 'opfs://: this browser cannot write files atomically (no createWritable); '
      + 'use indexeddb://name');
  }
  const stream = await handle.createWritable();
  try {
    await stream.write(unshared(bytes)); // into a hidden copy
    await stream.close(); // which replaces the file here, at once
  } catch (error) {
    await stream.abort().catch(() => {}); // a stream that failed by itself is closed already
    throw error;
  }
}

/** @param {string} name @param {Uint8Array} bytes @returns {Promise<void>} */
export async function saveOpfs(name, bytes) {
  const { folders, file } = split(name);
  try {
    const directory = await folder(folders, true);
    const old = await directory.getFileHandle(file).catch(error => {
      if (error.name === 'NotFoundError') return undefined;
      throw error;
    });
    try {
      await commit(old ?? await directory.getFileHandle(file, { create: true }), bytes);
    } catch (error) { // leave no empty file where there was none
      if (!old) await directory.removeEntry(file).catch(() => {});
      throw error;
    }
  } catch (cause) {
    throw failed('save to', name, cause);
  }
}

/** @param {string} name @returns {Promise<Uint8Array>} */
export async function loadOpfs(name) {
  const { folders, file } = split(name);
  try {
    const handle = await (await folder(folders, false)).getFileHandle(file);
    return new Uint8Array(await (await handle.getFile()).arrayBuffer());
  } catch (cause) {
    throw failed('load', name, cause);
  }
}

/** @param {string} name @returns {Promise<void>} */
export async function removeOpfs(name) {
  const { folders, file } = split(name);
  try {
    await (await folder(folders, false)).removeEntry(file);
  } catch (cause) {
    throw failed('remove', name, cause);
  }
}

/**
 * @param {FileSystemDirectoryHandle} directory
 * @param {string} prefix
 * @returns {Promise<import('./index.js').StoredEntry[]>}
 */
async function walk(directory, prefix) {
  const entries = [];
  for await (const [key, handle] of directory.entries()) {
    const name = prefix + key;
    if (handle.kind === 'directory') {
      entries.push(...await walk(/** @type {FileSystemDirectoryHandle} */ (handle), `${name}/`));
    } else {
      const { size, lastModified } = await /** @type {FileSystemFileHandle} */ (handle).getFile();
      entries.push({ url: `opfs://${name}`, name, size, modified: new Date(lastModified) });
    }
  }
  return entries;
}

/** @returns {Promise<import('./index.js').StoredEntry[]>} sorted by name */
export async function listOpfs() {
  try {
    return (await walk(await root(), '')).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (cause) {
    throw storageError('cannot list opfs://', cause);
  }
}
