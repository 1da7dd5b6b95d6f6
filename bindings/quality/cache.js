/** Features of pictures, kept between trainings: once computed, never again for the same picture, network and preprocessing. */
import { HeddleError, kindOf } from '../errors.js';
import { readSafetensors, writeSafetensors } from '../files/safetensors.js';
import { importNode, isNode } from '../platform.js';
import { listStore, loadFrom, removeFrom, saveTo } from '../stores/index.js';

/** A piece is written when this many features have come together. */
const pieceRows = 64;
const ending = '.features';

/** Names of the pieces that are there: addresses for loadFrom. @param {string} where @returns {Promise<string[]>} */
async function listPieces(where) {
  const scheme = /^(opfs|indexeddb):\/\//.exec(where)?.[0];
  if (scheme) {
    const entries = await listStore(/** @type {'opfs://'} */ (scheme));
    return entries.map(({ url }) => url).filter(url => url.startsWith(`${where}/`) && url.endsWith(ending));
  }
  const { mkdir, readdir } = await importNode('node:fs/promises'), { join } = await importNode('node:path');
  try {
    await mkdir(where, { recursive: true });
    return (await readdir(where)).filter((/** @type {string} */ name) => name.endsWith(ending)).map((/** @type {string} */ name) => join(where, name));
  } catch (cause) {
    throw new HeddleError('storage', `featureCache: "${where}": ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/**
 * A store of features by key, made by `featureCache`. Pieces of it are files of their own, each written at once or not at all, so that an interrupted pass over many
 * pictures goes on where it was. Two programs may write to the same store.
 */
export class FeatureCache {
  #where;
  /** @type {Map<string, Float32Array>} */
  #rows = new Map();
  /** @type {Map<string, Float32Array>} */
  #fresh = new Map();
  /** @type {Promise<void> | null} */
  #opening = null;

  /** @param {string} where as of `featureCache`, without a slash at the end */
  constructor(where) {
    this.#where = where;
  }

  async #open() {
    for (const piece of await listPieces(this.#where)) await this.#read(piece);
  }

  /** @param {string} piece */
  async #read(piece) {
    const { tensors } = readSafetensors(await loadFrom(piece));
    for (const [key, { data, shape, dtype }] of tensors) {
      if (dtype !== 'F32' || shape.length !== 1) throw new HeddleError('file', `featureCache: ${piece}: "${key}" is ${dtype} of shape [${shape}], expected a vector of F32; remove the file`);
      this.#rows.set(key, /** @type {Float32Array} */ (data));
    }
  }

  /** Reads what is there; once. @returns {Promise<void>} */
  open() {
    this.#opening ??= this.#open().catch(error => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  /** Number of features. */
  get size() {
    return this.#rows.size;
  }

  /** Features that are kept. @param {string} key of the picture and the network @returns {Promise<Float32Array | undefined>} not to be changed */
  async get(key) {
    await this.open();
    return this.#rows.get(key);
  }

  /**
   * Keeps features, which are written together with others, or by `flush`.
   * @param {string} key as of `get`
   * @param {Float32Array} features of one picture, not to be changed afterwards
   */
  async put(key, features) {
    await this.open();
    this.#rows.set(key, features);
    this.#fresh.set(key, features);
    if (this.#fresh.size >= pieceRows) await this.flush();
  }

  /** Writes what has not been written yet. @returns {Promise<void>} */
  async flush() {
    if (!this.#fresh.size) return;
    const rows = this.#fresh, name = `${globalThis.crypto.randomUUID()}${ending}`;
    this.#fresh = new Map();
    const bytes = writeSafetensors(new Map([...rows].map(([key, data]) => [key, { data, shape: [data.length] }])));
    try {
      await saveTo(await this.#address(name), bytes);
    } catch (error) {
      for (const [key, data] of rows) this.#fresh.set(key, data);
      throw error;
    }
  }

  /** @param {string} name */
  async #address(name) {
    return this.#where.includes('://') ? `${this.#where}/${name}` : (await importNode('node:path')).join(this.#where, name);
  }

  /** Removes all features. @returns {Promise<void>} */
  async clear() {
    const pieces = await listPieces(this.#where);
    for (const piece of pieces) {
      if (piece.includes('://')) await removeFrom(piece);
      else await (await importNode('node:fs/promises')).rm(piece, { force: true });
    }
    this.#rows.clear();
    this.#fresh.clear();
  }
}

/**
 * Where features of pictures are kept: `opfs://name`, `indexeddb://name`, or in Node a folder, which is made if need be.
 * @param {string} where one of these three, such as `opfs://features`
 * @returns {FeatureCache}
 * @throws {HeddleError} `argument`, `unsupported`
 */
export function featureCache(where) {
  if (typeof where !== 'string' || where === '') throw new HeddleError('argument', `featureCache: expected opfs://name, indexeddb://name or a folder, got ${kindOf(where)}`);
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(where)?.[1].toLowerCase();
  if (scheme && !/^(opfs|indexeddb):\/\/./.test(where)) throw new HeddleError('argument', `featureCache: "${where}": expected opfs://name, indexeddb://name or a folder`);
  if (!scheme && !isNode()) throw new HeddleError('unsupported', `featureCache: "${where}": folders work in Node only; in a browser use opfs://name or indexeddb://name`);
  return new FeatureCache(where.replace(/\/+$/, ''));
}
