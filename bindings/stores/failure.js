import { HeddleError } from '../errors.js';

/**
 * The error for a failed store operation; a HeddleError passes unchanged. An AbortError that no signal of ours asked for is
 * a failure too: Chromium reports a full OPFS so.
 * @param {string} what the operation and the entry, such as `save to opfs://a`
 * @param {unknown} cause
 * @returns {unknown}
 */
export function storageError(what, cause) {
  if (cause instanceof HeddleError) return cause;
  const { name, message } = cause instanceof Error ? cause : { name: '', message: String(cause) };
  let reason = message || name;
  if (name === 'QuotaExceededError') {
    reason = 'the storage quota of this origin is used up; remove saved entries or free disk space';
  } else if (name === 'AbortError') {
    reason = `the browser gave up, most likely because the storage quota of this origin is used up (${message})`;
  }
  return new HeddleError('storage', `${what}: ${reason}`, { cause });
}

/**
 * The error for an entry that is not there.
 * @param {string} url
 */
export const missing = url => new HeddleError('storage', `${url}: no such entry`);
