/** Features of pictures: what the backbone of a model gives for them, once per picture. */
import { digest, digestText } from './digest.js';
import { bytesOf, eachPicture, preprocess } from './pictures.js';

/** @import { Model } from '../model.js' */
/** @import { FeatureCache } from './cache.js' */
/** @import { Picture, Pixels, Preprocessing, Skipped } from './pictures.js' */

/** What the features depend on beside the picture: network, weights, preprocessing. @param {Model} net @param {readonly string[]} levels names of nodes
 * @param {Preprocessing} preprocessing @returns {Promise<string>} */
async function trunkDigest(net, levels, preprocessing) {
  const { nodes } = net.description, end = nodes.findIndex(node => node.name === levels[levels.length - 1]) + 1, weights = await net.getWeights();
  const front = nodes.slice(0, end), names = new Set(front.map(node => node.name)), parts = [];
  for (const [name, { data }] of Object.entries(weights)) {
    if (names.has(name.slice(0, name.indexOf('/')))) parts.push(name, await digest(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)));
  }
  return digestText(JSON.stringify([front.map(({ name, layer, inputs, options, shape }) => [name, layer, inputs, options, shape]), preprocessing, parts]));
}

/** @param {Float32Array[]} parts */
function joined(parts) {
  const out = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Features of one picture. @param {Model} net @param {readonly string[]} levels names of nodes @param {Pixels} pixels @param {AbortSignal} [signal] */
async function compute(net, levels, { data, shape }, signal) {
  const parts = await net.predict({ data, shape: [1, ...shape] }, { output: levels, batchSize: 1, signal });
  return joined(parts.map(part => part.data));
}

/**
 * Features of many pictures; those that the cache has are not computed.
 * @param {Model} net
 * @param {readonly string[]} levels names of nodes
 * @param {Preprocessing} preprocessing
 * @param {Iterable<Picture>} pictures
 * @param {{ cache?: FeatureCache, signal?: AbortSignal, onDone?: (done: number) => void }} options
 * @returns {Promise<{ rows: (Float32Array | null)[], skipped: Skipped[] }>} rows: null for pictures that could not be read
 */
export async function featuresOf(net, levels, preprocessing, pictures, { cache, signal, onDone }) {
  const trunk = cache ? await trunkDigest(net, levels, preprocessing) : '';
  /** @param {any} source @returns {Promise<{ key: string, row?: Float32Array, pixels?: Pixels }>} */
  const read = async source => {
    const bytes = cache ? await bytesOf(source) : null;
    if (!cache || (!bytes && !isPixels(source))) return { key: '', pixels: await preprocess(source, preprocessing) };
    const own = bytes ? await digest(bytes) : await digestText(`${source.width} ${source.height} ${await digest(asBytes(source.data))}`);
    const key = `${own}-${trunk}`, row = await cache.get(key);
    return row ? { key, row } : { key, pixels: await preprocess(bytes && !(source instanceof Blob) ? bytes : source, preprocessing) };
  };
  /** @param {Awaited<ReturnType<typeof read>>} given */
  const work = async ({ key, row, pixels }) => {
    if (row) return row;
    const made = await compute(net, levels, /** @type {Pixels} */ (pixels), signal);
    if (key) await cache?.put(key, made);
    return made;
  };
  /** @type {(Float32Array | null)[]} */
  const rows = [];
  /** @type {Skipped[]} */
  const skipped = [];
  try {
    for await (const one of eachPicture(pictures, read, work, signal)) {
      rows.push('value' in one ? one.value : null);
      if ('skipped' in one) skipped.push(one.skipped);
      onDone?.(rows.length);
    }
  } finally {
    await cache?.flush();
  }
  return { rows, skipped };
}

/** @param {any} source */
const isPixels = source => typeof source === 'object' && source !== null && ArrayBuffer.isView(source.data) && source.width > 0;
/** @param {Uint8Array | Uint8ClampedArray} data */
const asBytes = data => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
