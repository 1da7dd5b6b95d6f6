import { HeddleError, abortError } from '../errors.js';
import { importNode, isNode } from '../platform.js';
import { storageError } from './failure.js';

/** @typedef {typeof import('node:fs/promises')} Fs */

/** Node's modules, asked for only when a path is used, so that bundlers and browsers never meet them.
 * @param {string} path */
async function nodeModules(path) {
  if (!isNode()) { // a browser would print a network error for the imports
    throw new HeddleError('unsupported', `"${path}": file paths work in Node only; in a browser use a Blob or File, `
      + 'indexeddb://name, opfs://path/name, download://name or an http(s) URL');
  }
  /** @type {Fs} */
  const fs = await importNode('node:fs/promises');
  /** @type {typeof import('node:path')} */
  const { dirname, join } = await importNode('node:path');
  /** @type {typeof import('node:url')} */
  const { fileURLToPath } = await importNode('node:url');
  return { fs, dirname, join, fileURLToPath };
}

/** Makes a rename in `directory` last through a power cut. @param {Fs} fs @param {string} directory */
async function syncDirectory(fs, directory) {
  const handle = await fs.open(directory, 'r').catch(error => {
    if (error.code === 'EISDIR' || error.code === 'EPERM' || error.code === 'EACCES') return undefined;
    throw error;
  });
  try {
    await handle?.sync();
  } catch (error) { // Windows and some network file systems cannot sync a directory: the rename is done all the same
    if (!/EPERM|EINVAL|ENOTSUP|EISDIR/.test(/** @type {NodeJS.ErrnoException} */ (error).code ?? '')) throw error;
  } finally {
    await handle?.close();
  }
}

/** @param {Fs} fs @param {string} temporary @param {Uint8Array} bytes @param {number | undefined} mode */
async function writeSynced(fs, temporary, bytes, mode) {
  const handle = await fs.open(temporary, 'wx', mode);
  try {
    if (mode !== undefined) await handle.chmod(mode); // open() takes the umask off
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Writes a file so that at any moment the path holds either all of the old bytes or all of the new ones: to a temporary
 * file in the same directory, synced, then renamed. A link is followed; an existing file's permissions are kept.
 * @param {string} given a path or a file: URL
 * @param {Uint8Array} bytes
 * @param {{ signal?: AbortSignal }} [options]
 * @throws {HeddleError} `storage`, with the old file as it was and no temporary file left
 */
export async function savePath(given, bytes, { signal } = {}) {
  const { fs, dirname, join, fileURLToPath } = await nodeModules(given);
  let temporary;
  try {
    const path = /^file:/i.test(given) ? fileURLToPath(given) : given;
    const target = await fs.realpath(path).catch(error => {
      if (error.code === 'ENOENT') return path;
      throw error;
    });
    const old = await fs.stat(target).catch(() => undefined);
    if (old && !old.isFile()) throw new HeddleError('storage', `cannot save to "${given}": it is not a regular file`);
    temporary = join(dirname(target), `.heddle-${globalThis.crypto.randomUUID()}.tmp`);
    await writeSynced(fs, temporary, bytes, old && old.mode & 0o777);
    if (signal?.aborted) throw abortError(signal);
    await fs.rename(temporary, target);
    await syncDirectory(fs, dirname(target));
  } catch (cause) {
    if (temporary) await fs.rm(temporary, { force: true }).catch(() => {}); // the first error is the one to report
    throw signal?.aborted ? abortError(signal) : storageError(`cannot save to "${given}"`, cause);
  }
}

/**
 * @param {string} given a path or a file: URL
 * @param {{ signal?: AbortSignal }} [options]
 * @returns {Promise<Uint8Array>}
 * @throws {HeddleError} `storage` if there is no such file or it cannot be read
 */
export async function loadPath(given, { signal } = {}) {
  const { fs, fileURLToPath } = await nodeModules(given);
  try {
    const buffer = await fs.readFile(/^file:/i.test(given) ? fileURLToPath(given) : given, { signal });
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
  } catch (cause) {
    if (signal?.aborted) throw abortError(signal);
    throw storageError(`cannot load "${given}"`, cause);
  }
}

/** Removes a file, if there is one. @param {string} given a path or a file: URL @returns {Promise<void>} */
export async function removePath(given) {
  const { fs, fileURLToPath } = await nodeModules(given);
  await fs.rm(/^file:/i.test(given) ? fileURLToPath(given) : given, { force: true }).catch(cause => {
    throw storageError(`cannot remove "${given}"`, cause);
  });
}
