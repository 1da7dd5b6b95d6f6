/** What commands read and write: model files of any kind, tables and arrays, stdin and stdout. */
import { existsSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { HeddleError } from '../errors.js';
import { readCsv, readNpy, readSafetensors } from '../files/index.js';
import { load } from '../model.js';
import { loadFrom } from '../stores/index.js';
import { say } from './terminal.js';

/** @import { CsvTable } from '../files/csv.js' */
/** @import { Model } from '../model.js' */
/** @typedef {'heddle' | 'onnx' | 'keras' | 'tensors'} Kind tensors: weights without a description */
/** @typedef {{ kind: 'tensors', model?: undefined, bytes: Uint8Array } | { kind: 'heddle' | 'onnx' | 'keras', model: Model, bytes?: Uint8Array }} Opened */

/** All of stdin. @param {AbortSignal} signal */
async function readStdin(signal) {
  const parts = [];
  for await (const part of process.stdin) {
    signal.throwIfAborted();
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts));
}

/** Bytes of a file, or of stdin for "-". @param {string} path @param {AbortSignal} signal @returns {Promise<Uint8Array>} */
export async function bytesOf(path, signal) {
  return path === '-' ? readStdin(signal) : loadFrom(path, { signal });
}

/** Length of the header of a safetensors file, then its JSON. @param {Uint8Array} bytes */
const isSafetensors = bytes => bytes.length > 9 && bytes[8] === 0x7b && new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true) < BigInt(bytes.length);

/**
 * A model from any file that heddle reads: its own, ONNX, a Keras model saved for TensorFlow.js (model.json).
 * @param {string} path "-" for stdin
 * @param {AbortSignal} signal
 * @param {{ inputLayout?: 'NCHW' | 'NHWC', name?: string }} [options] of ONNX files
 * @returns {Promise<Opened>}
 */
export async function openModel(path, signal, options = {}) {
  if (/\.json$/i.test(path)) {
    const { importKeras } = await import('../keras/index.js');
    return { kind: 'keras', model: await importKeras(path, { signal }) };
  }
  const bytes = await bytesOf(path, signal);
  if (isSafetensors(bytes)) {
    const isOurs = 'heddle' in readSafetensors(bytes).metadata;
    return isOurs ? { kind: 'heddle', model: await load(bytes, { signal }), bytes } : { kind: 'tensors', bytes };
  }
  if (!/\.onnx$/i.test(path) && path !== '-') {
    throw new HeddleError('file', `"${path}" is no model that heddle knows: expected a safetensors file, an ONNX file (.onnx) or Keras' model.json`);
  }
  const { importOnnx } = await import('../onnx/index.js');
  return { kind: 'onnx', model: await importOnnx(bytes, { signal, ...options }), bytes };
}

/** @param {string} path @param {AbortSignal} signal @param {{ inputLayout?: 'NCHW' | 'NHWC' }} [options] @returns {Promise<Model>} */
export async function openNetwork(path, signal, options) {
  const { model } = await openModel(path, signal, options);
  if (!model) throw new HeddleError('file', `"${path}" holds weights alone, no model: \`heddle summary\` lists them, loadWeights of heddle/recipes puts them into one`);
  return model;
}

/** @typedef {{ table: CsvTable } | { array: { data: any, shape: number[] } }} Data */

/** A .npy array, or a table of text. @param {string} path "-" for stdin @param {AbortSignal} signal @returns {Promise<Data>} */
export async function readData(path, signal) {
  const bytes = await bytesOf(path, signal), isNpy = bytes[0] === 0x93 && String.fromCharCode(...bytes.subarray(1, 6)) === 'NUMPY';
  try {
    return isNpy ? { array: readNpy(bytes) } : { table: await readCsv(bytes) };
  } catch (error) {
    if (error instanceof HeddleError) throw new HeddleError(error.code, `${path === '-' ? 'stdin' : `"${path}"`}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** The file is there when it is whole. @param {string} path @param {string | Uint8Array} content */
export async function writeWhole(path, content) {
  const part = `${path}.part`;
  try {
    await writeFile(part, content);
    await rename(part, path);
  } catch (cause) {
    await rm(part, { force: true }).catch(() => {});
    throw new HeddleError('storage', `can't write "${path}": ${/** @type {Error} */ (cause).message}`, { cause });
  }
}

/** Text or bytes to a file, or to stdout for "-" and for no name at all. @param {string | undefined} path @param {string | Uint8Array} content */
export async function deliver(path, content) {
  if (path !== undefined && path !== '-') await writeWhole(path, content);
  else if (typeof content === 'string') say(content.trimEnd());
  else await new Promise(done => { process.stdout.write(content, done); });
}

/** Before hours of work: whether the result may be written. @param {string} path @param {boolean} force */
export function checkTarget(path, force) {
  if (path !== '-' && existsSync(path) && !force) throw new HeddleError('storage', `"${path}" is already there: --force writes over it`);
}

/** A field of a CSV table. @param {string | number} value */
export function field(value) {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
