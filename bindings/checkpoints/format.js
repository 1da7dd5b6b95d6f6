/** A checkpoint as bytes: 32 of a header with a checksum, then a safetensors file with the model and all that its fit knows. */
import { readArchive, readState, writeArchive } from '../archive.js';
import { HeddleError } from '../errors.js';
import { readSafetensors, writeSafetensors } from '../files/safetensors.js';
import { turn } from '../platform.js';

/** @import { Core } from '../core.js' */
/** @import { ModelFacts } from '../engine.js' */
/** @import { Tensor } from '../files/safetensors.js' */
/** @import { Snapshot, Standing } from '../trainer.js' */
/**
 * What a fit knows on the caller's side; plain JSON but for the numbers in `history` and `early`, which may be NaN or infinite.
 * @typedef {object} RunState
 * @property {import('../archive.js').Json} terms what must be the same in a fit that goes on
 * @property {number} epochs the fit ends before this one
 * @property {number} seed
 * @property {number} batchSize
 * @property {number} batches in an epoch; 0: not known
 * @property {{ [name: string]: number[] }} history
 * @property {number[]} epoch numbers of the epochs in it
 * @property {string} stopped
 * @property {import('../fit_options.js').FitEvent[]} events
 * @property {number[]} early state of early stopping; empty: none
 * @property {number} rollbacks
 * @property {import('../batches.js').Position | null} source where a generator is
 * @property {boolean} isOver the optimiser has converged, early stopping has ended the fit, or its epochs are done
 * @property {boolean} isDone the fit has ended
 * @property {number} saved ms since 1970
 */
/** @typedef {{ run: RunState, at: Standing, tensors: Map<string, Tensor> }} Saved */

const magic = 'heddleCP', version = 1, headerBytes = 32, key = 'heddle-run';
/** The checksum is computed in pieces, between which a page can draw. */
const piece = 1 << 20;

const table = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** CRC-32 (IEEE 802.3), which finds every error of one or two bits, and every burst of up to 32. @param {Uint8Array} bytes @param {number} [begin] of all before */
export function crc32(bytes, begin = 0) {
  let c = ~begin;
  for (let i = 0; i < bytes.length; i++) c = table[(c ^ bytes[i]) & 255] ^ (c >>> 8);
  return ~c >>> 0;
}

/** @param {Uint8Array} bytes */
async function checksum(bytes) {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += piece) {
    if (at > 0) await turn();
    sum = crc32(bytes.subarray(at, at + piece), sum);
  }
  return sum;
}

/**
 * Bytes that can be told from damaged ones.
 * @param {number} serial the larger, the newer
 * @param {Uint8Array} payload
 * @returns {Promise<Uint8Array<ArrayBuffer>>} 8 bytes "heddleCP", version u32, CRC-32 u32 of all that follows, serial f64, length f64, payload
 */
export async function seal(serial, payload) {
  const bytes = new Uint8Array(headerBytes + payload.length), view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(magic));
  view.setUint32(8, version, true);
  view.setFloat64(16, serial, true);
  view.setFloat64(24, payload.length, true);
  bytes.set(payload, headerBytes);
  view.setUint32(12, await checksum(bytes.subarray(16)), true);
  return bytes;
}

/** @param {Uint8Array} bytes @returns {Promise<{ serial: number, payload: Uint8Array } | string>} or what is wrong */
export async function open(bytes) {
  if (bytes.length < headerBytes) return `it has ${bytes.length} bytes, expected at least ${headerBytes}`;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (String.fromCharCode(...bytes.subarray(0, 8)) !== magic) return 'it is no checkpoint of heddle';
  if (view.getUint32(8, true) !== version) return `it has version ${view.getUint32(8, true)}, this heddle reads version ${version}`;
  const length = view.getFloat64(24, true), payload = bytes.subarray(headerBytes);
  if (length !== payload.length) return `it holds ${payload.length} bytes of content, its header says ${length}`;
  if (await checksum(bytes.subarray(16)) !== view.getUint32(12, true)) return 'its checksum is wrong';
  return { serial: view.getFloat64(16, true), payload };
}

/** @param {Core} core @param {Snapshot} snapshot @param {RunState} run @returns {Uint8Array} */
export function encode(core, { model, numbers, values, kept, at }, { history, early, ...run }) {
  const { facts, description, config } = core, bytes = writeArchive({ description, config }, facts, model.weights, model);
  /** @type {Map<string, { shape: number[], data: Uint8Array | Float32Array | Float64Array }>} */
  const tensors = new Map();
  /** @param {string} name @param {Uint8Array | Float32Array | Float64Array} data */
  const add = (name, data) => tensors.set(name, { shape: [data.length], data });
  add('model', bytes);
  add('fit/numbers', numbers);
  if (values.length) add('fit/values', values);
  if (early.length) add('early', Float64Array.from(early));
  for (const [name, list] of Object.entries(history)) add(`history/${name}`, Float64Array.from(list));
  kept?.forEach((data, i) => tensors.set(`best/${facts.weights[i].name}`, { shape: facts.weights[i].shape, data }));
  return writeSafetensors(tensors, { [key]: JSON.stringify({ at, ...run }) });
}

/** @param {any} at @param {any} run */
function isPlausible(at, run) {
  const count = (/** @type {unknown} */ n) => Number.isSafeInteger(n) && Number(n) >= 0, { source } = run;
  return typeof at === 'object' && at !== null && [at.epoch, at.batch, at.steps, at.passedOver, run.epochs, run.seed, run.batchSize, run.batches, run.rollbacks].every(count)
    && [at.samples, at.seconds, run.saved].every(Number.isFinite) && [at.isEnding, run.isOver, run.isDone].every(flag => typeof flag === 'boolean')
    && Array.isArray(run.epoch) && run.epoch.every(count) && Array.isArray(run.events) && ['epochs', 'earlyStopping', 'converged'].includes(run.stopped)
    && typeof run.terms === 'object' && run.terms !== null && (source === null || (count(source.passes) && count(source.taken)));
}

/** @param {Uint8Array} payload @returns {Saved} @throws {HeddleError} `file` */
export function decode(payload) {
  const { tensors, metadata } = readSafetensors(payload);
  /** @type {any} */
  let at, run;
  try {
    ({ at, ...run } = JSON.parse(metadata[key]));
  } catch (cause) {
    throw new HeddleError('file', 'checkpoint: it holds no fit', { cause });
  }
  if (!isPlausible(at, run)) throw new HeddleError('file', 'checkpoint: what it says of its fit is damaged');
  const names = [...tensors.keys()].filter(name => name.startsWith('history/'));
  const history = Object.fromEntries(names.map(name => [name.slice('history/'.length), [...listOf(tensors, name, Float64Array)]]));
  return { run: { ...run, history, early: [...listOf(tensors, 'early', Float64Array)] }, at, tensors };
}

/** @template {Uint8Array | Float32Array | Float64Array} T @param {Saved['tensors']} tensors @param {string} name @param {new (length: number) => T} Type @returns {T} */
function listOf(tensors, name, Type) {
  const data = tensors.get(name)?.data ?? new Type(0);
  if (data instanceof Type) return data;
  throw new HeddleError('file', `checkpoint: "${name}" has elements of another type`);
}

/** The bytes of the model, as `save` writes them. @param {Saved} saved @returns {Uint8Array} */
export const modelOf = ({ tensors }) => listOf(tensors, 'model', Uint8Array);

/** What a fit of this model goes on from. @param {Saved} saved @param {ModelFacts} facts @returns {Snapshot} @throws {HeddleError} `file` */
export function snapshotOf(saved, facts) {
  const { tensors, at } = saved, { weights, optimizer } = readArchive(modelOf(saved));
  if (!optimizer) throw new HeddleError('file', 'checkpoint: it holds no state of the optimizer');
  /** @param {Map<string, { shape: readonly number[], data: any }>} map @param {string} [prefix] @returns {Float32Array[]} */
  const inOrder = (map, prefix = '') => facts.weights.map(({ name, shape }) => {
    const tensor = map.get(prefix + name);
    if (!(tensor?.data instanceof Float32Array) || tensor.shape.join() !== shape.join()) throw new HeddleError('file', `checkpoint: it has no weight "${prefix}${name}" of shape [${shape.join(', ')}]`);
    return tensor.data;
  });
  return {
    model: { weights: inOrder(weights), ...readState(facts, optimizer) },
    numbers: listOf(tensors, 'fit/numbers', Float64Array), values: listOf(tensors, 'fit/values', Float32Array),
    kept: [...tensors.keys()].some(name => name.startsWith('best/')) ? inOrder(tensors, 'best/') : null, at,
  };
}
