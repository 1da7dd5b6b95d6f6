/** Digests, by the platform's SHA-256. */
import { HeddleError } from '../errors.js';

/** @param {Uint8Array} bytes @returns {Promise<string>} 64 hexadecimal digits */
export async function digest(bytes) {
  const { subtle } = globalThis.crypto;
  if (!subtle) throw new HeddleError('unsupported', 'featureCache: this page has no crypto.subtle for digests; serve it over https or from localhost');
  const hash = new Uint8Array(await subtle.digest('SHA-256', /** @type {Uint8Array<ArrayBuffer>} */ (bytes)));
  return [...hash].map(byte => byte.toString(16).padStart(2, '0')).join('');
}

/** @param {string} text */
export const digestText = text => digest(new TextEncoder().encode(text));
