import { HeddleError } from '../errors.js';
import { toBlob } from './blob.js';

/** The browser reads the object URL after the click, at a time it does not tell. */
const keepMs = 60_000;

/**
 * Hands bytes to the user as a file, through the browser's downloads.
 * @param {string} name file name
 * @param {Uint8Array} bytes
 * @param {string} [type] MIME type
 * @throws {HeddleError} `unsupported` outside a page's main thread
 */
export function saveDownload(name, bytes, type) {
  if (/[/\\]/.test(name)) {
    throw new HeddleError('argument', `download://${name}: expected a file name without folders`);
  }
  if (typeof document === 'undefined') {
    throw new HeddleError('unsupported', `download://${name}: downloads start on a page's main thread only; `
      + 'elsewhere save to "bytes", "blob" or a path');
  }
  const url = URL.createObjectURL(toBlob(bytes, type));
  const link = Object.assign(document.createElement('a'), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), keepMs);
}
