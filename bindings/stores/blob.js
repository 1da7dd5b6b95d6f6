import { HeddleError, abortError } from '../errors.js';
import { unshared } from '../files/bytes.js';
import { storageError } from './failure.js';

/**
 * @param {Uint8Array} bytes
 * @param {string} [type] MIME type
 */
export const toBlob = (bytes, type = 'application/octet-stream') => new Blob([unshared(bytes)], { type });

/**
 * The bytes of a Blob, a File or a Response.
 * @param {Blob | Response} source
 * @param {string} what the source, for messages
 * @returns {Promise<Uint8Array>}
 * @throws {HeddleError} `storage` if it cannot be read or the server did not answer with success
 */
export async function loadBody(source, what) {
  if ('ok' in source && !source.ok) {
    throw new HeddleError('storage', `${what}: the server answered ${source.status} ${source.statusText}`.trimEnd());
  }
  if ('bodyUsed' in source && source.bodyUsed) {
    throw new HeddleError('argument', `${what}: the body of this Response was read before; pass response.clone()`);
  }
  try {
    return new Uint8Array(await source.arrayBuffer());
  } catch (cause) {
    const isAborted = cause instanceof Error && cause.name === 'AbortError'; // by the signal of the caller's own fetch
    throw isAborted ? cause : storageError(`cannot read ${what}`, cause);
  }
}

/**
 * Fetches a URL.
 * @param {string} url http:, https:, blob: or data:
 * @param {{ signal?: AbortSignal }} [options]
 */
export async function loadUrl(url, { signal } = {}) {
  const what = url.length > 200 ? `${url.slice(0, 200)}...` : url;
  try {
    return await loadBody(await fetch(url, { signal }), what);
  } catch (cause) {
    if (signal?.aborted) throw abortError(signal);
    throw storageError(`cannot fetch ${what}`, cause);
  }
}
