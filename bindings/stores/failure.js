import { HeddleError } from '../errors.js';

/**
 * The error for a failed store operation. A HeddleError and an AbortError pass unchanged.
 * @param {string} what the operation and the entry, such as `save to opfs://a`
 * @param {unknown} cause
 * @returns {unknown}
 */
export function storageError(what, cause) {
  if (cause instanceof HeddleError) return cause;
  const { name, message } = cause instanceof Error ? cause : { name: '', message: String(cause) };
  if (name === 'AbortError') return cause;
  const reason = name === 'QuotaExceededError'
    ? 'the storage quota of this origin is used up; remove saved entries or free disk space' : message || name;
  return new HeddleError('storage', `${what}: ${reason}`, { cause });
}

/**
 * The error for an entry that is not there.
 * @param {string} url
 */
export const missing = url => new HeddleError('storage', `${url}: no such entry`);
