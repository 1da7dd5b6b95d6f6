/** Where files go to and come from, by one string or object: bytes, Blobs, Node paths, URLs and the browser's stores. */
import { HeddleError, abortError, checkOptions, kindOf, part, suggest } from '../errors.js';
import { toBytes } from '../files/bytes.js';

/**
 * @typedef {object} StoredEntry
 * @property {string} url what loads and removes it: indexeddb://name or opfs://path/name
 * @property {string} name without the scheme
 * @property {number} size bytes
 * @property {Date} modified when it was saved last
 */
/**
 * @typedef {object} SaveOptions
 * @property {string} [type] MIME type of a Blob or download; application/octet-stream unless told
 * @property {AbortSignal} [signal] the call rejects with its reason if it is aborted before anything is stored: for a path until the new file takes the
 *   place of the old one, for others only at the beginning
 */
/**
 * @typedef {object} LoadOptions
 * @property {AbortSignal} [signal] stops the reading of a path or URL, and the call rejects with its reason; for other sources it counts at the beginning only
 */
/** @typedef {Uint8Array | ArrayBuffer | Blob | Response | URL | string} Source bytes; a Blob or File; a Response; or, as text or URL, a path (Node),
 *   file:, http:, https:, blob:, data:, indexeddb://name or opfs://path/name */

// Each store is loaded when it is first used: a program uses one or two of them, most often none.
const stores = {
  blob: () => part(import('./blob.js')), download: () => part(import('./download.js')), indexedDb: () => part(import('./indexeddb.js')),
  opfs: () => part(import('./opfs.js')), path: () => part(import('./path.js')),
};
const targets = '"bytes", "blob", a path, file:, indexeddb://name, opfs://path/name, download://name';
const sources = 'bytes, a Blob, a Response, a path, file:, http:, https:, blob:, data:, indexeddb://name, opfs://path/name';
const storeSchemes = ['indexeddb', 'opfs'];

/**
 * Splits `scheme://name`. One letter before a colon is a Windows drive.
 * @param {string} text
 */
function parse(text) {
  const match = /^([a-z][a-z0-9+.-]+):(\/\/)?/i.exec(text);
  return { scheme: match?.[1].toLowerCase(), name: match ? text.slice(match[0].length) : text, slashes: !!match?.[2] };
}

/** @param {string} text @param {string} where @param {string[]} schemes @param {string} accepted @returns {never} */
function refuseScheme(text, where, schemes, accepted) {
  const { scheme = '' } = parse(text);
  const hint = suggest(scheme, schemes).startsWith(', did') ? suggest(scheme, schemes) : '';
  throw new HeddleError('argument', `${where}: unknown scheme "${scheme}:" in "${text.slice(0, 100)}"${hint}${hint ? ' ' : '; '}`
    + `accepted are ${accepted} (for a file of this name write "./${text.slice(0, 100)}")`);
}

/** @param {string} text @param {string} where @returns {string} */
function entryName(text, where) {
  const { scheme, name, slashes } = parse(text);
  if (!slashes || name === '') {
    throw new HeddleError('argument', `${where}: "${text}" names no entry, expected ${scheme}://name`);
  }
  return name;
}

/** @param {unknown} target @param {string} where @returns {string} */
function targetText(target, where) {
  if (target instanceof URL) return target.href;
  if (typeof target === 'string' && target !== '') return target;
  const got = target === '' ? 'an empty string' : kindOf(target);
  throw new HeddleError('argument', `${where}: expected one of ${targets}; got ${got}`);
}

/**
 * Saves bytes. A path is replaced atomically, and so are entries of IndexedDB and OPFS: a failure leaves the old content.
 * @overload
 * @param {'bytes'} target nothing is stored
 * @param {Uint8Array | ArrayBuffer} bytes what comes back as a Uint8Array, not copied
 * @param {SaveOptions} [options]
 * @returns {Promise<Uint8Array>}
 */
/**
 * @overload
 * @param {'blob'} target nothing is stored
 * @param {Uint8Array | ArrayBuffer} bytes what the Blob holds
 * @param {SaveOptions} [options]
 * @returns {Promise<Blob>}
 */
/**
 * @overload
 * @param {string | URL} target a Node path, file: URL, `indexeddb://name`, `opfs://path/name` or `download://name`
 * @param {Uint8Array | ArrayBuffer} bytes all of the new content
 * @param {SaveOptions} [options]
 * @returns {Promise<Uint8Array | Blob | void>}
 * @throws {HeddleError} `argument` for an unknown target, `unsupported` for a store that this platform lacks, `storage`
 *   if saving failed (no such folder, no permission, quota used up ...)
 */
/**
 * @param {string | URL} target
 * @param {Uint8Array | ArrayBuffer} bytes
 * @param {SaveOptions} [options]
 * @returns {Promise<Uint8Array | Blob | void>}
 */
export async function saveTo(target, bytes, options) {
  checkOptions(options, ['type', 'signal'], 'saveTo');
  const data = toBytes(bytes, 'saveTo'), text = targetText(target, 'saveTo');
  if (options?.signal?.aborted) throw abortError(options.signal);
  if (text === 'bytes') return data;
  if (text === 'blob') return (await stores.blob()).toBlob(data, options?.type);
  const { scheme, name } = parse(text);
  switch (scheme) {
    case undefined:
    case 'file': return (await stores.path()).savePath(text, data, options);
    case 'indexeddb': return (await stores.indexedDb()).saveIndexedDb(entryName(text, 'saveTo'), data);
    case 'opfs': return (await stores.opfs()).saveOpfs(entryName(text, 'saveTo'), data);
    case 'download': return (await stores.download()).saveDownload(name || 'model.safetensors', data, options?.type);
    default: return refuseScheme(text, 'saveTo', ['file', ...storeSchemes, 'download'], targets);
  }
}

/**
 * Loads bytes.
 * @param {Source} source bytes, a Blob or File, a Response, a path (Node), an address, indexeddb://name or opfs://path/name
 * @param {LoadOptions} [options]
 * @returns {Promise<Uint8Array>}
 * @throws {HeddleError} `argument` for an unknown source, `unsupported` for a store that this platform lacks, `storage`
 *   if there is no such entry or it cannot be read
 */
export async function loadFrom(source, options) {
  checkOptions(options, ['signal'], 'loadFrom');
  if (options?.signal?.aborted) throw abortError(options.signal);
  if (source instanceof Blob) return (await stores.blob()).loadBody(source, 'the Blob');
  if (source instanceof Response) return (await stores.blob()).loadBody(source, source.url || 'the Response');
  if (typeof source !== 'string' && !(source instanceof URL)) {
    if (ArrayBuffer.isView(source) || /ArrayBuffer\]$/.test(Object.prototype.toString.call(source))) {
      return toBytes(source, 'loadFrom');
    }
    throw new HeddleError('argument', `loadFrom: expected one of ${sources}; got ${kindOf(source)}`);
  }
  const text = String(source);
  if (text === '') throw new HeddleError('argument', `loadFrom: expected one of ${sources}; got an empty string`);
  switch (parse(text).scheme) {
    case undefined:
    case 'file': return (await stores.path()).loadPath(text, options);
    case 'http':
    case 'https':
    case 'blob':
    case 'data': return (await stores.blob()).loadUrl(text, options);
    case 'indexeddb': return (await stores.indexedDb()).loadIndexedDb(entryName(text, 'loadFrom'));
    case 'opfs': return (await stores.opfs()).loadOpfs(entryName(text, 'loadFrom'));
    default: return refuseScheme(text, 'loadFrom', ['file', 'http', 'https', ...storeSchemes], sources);
  }
}

/**
 * Lists the entries of a browser store, sorted by name.
 * @param {'indexeddb://' | 'opfs://'} store which of the two
 * @returns {Promise<StoredEntry[]>}
 * @throws {HeddleError} `argument`, `unsupported` or `storage`
 */
export async function listStore(store) {
  if (store === 'indexeddb://') return (await stores.indexedDb()).listIndexedDb();
  if (store === 'opfs://') return (await stores.opfs()).listOpfs();
  throw new HeddleError('argument', `listStore: expected "indexeddb://" or "opfs://", got ${JSON.stringify(store)}`);
}

/**
 * Removes one entry of a browser store.
 * @param {string} url `indexeddb://name` or `opfs://path/name`
 * @returns {Promise<void>}
 * @throws {HeddleError} `argument`, `unsupported`, or `storage` if there is no such entry
 */
export async function removeFrom(url) {
  const text = targetText(url, 'removeFrom');
  switch (parse(text).scheme) {
    case 'indexeddb': return (await stores.indexedDb()).removeIndexedDb(entryName(text, 'removeFrom'));
    case 'opfs': return (await stores.opfs()).removeOpfs(entryName(text, 'removeFrom'));
    default: throw new HeddleError('argument', `removeFrom: expected indexeddb://name or opfs://path/name, got "${text}"`);
  }
}
