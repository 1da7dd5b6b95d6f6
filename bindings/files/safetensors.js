/**
 * The safetensors format, https://huggingface.co/docs/safetensors: 8 bytes N (u64, little-endian), N bytes of JSON, data.
 */
import { HeddleError, kindOf, suggest } from '../errors.js';
import { allocate, elementCount, elements, halfToFloat32, toBytes, unshared } from './bytes.js';
import { parseStrictJson } from './json.js';

/** @import { NumberArray, NumberArrayType } from './bytes.js' */
/** @typedef {'BOOL' | 'U8' | 'I8' | 'I16' | 'U16' | 'F16' | 'BF16' | 'I32' | 'U32' | 'F32' | 'F64' | 'I64' | 'U64'} Dtype
 *   types of elements, as the format names them: unsigned (U) and signed (I) integers and floats of so many bits */
/**
 * @typedef {object} Tensor
 * @property {Dtype} dtype how the file stores an element
 * @property {number[]} shape its product is the length of data; []: a single number
 * @property {NumberArray} data the typed array of its dtype; F16 and BF16 have their bits in a Uint16Array, BOOL 0 or 1 in a Uint8Array
 */
/**
 * @typedef {object} TensorInput
 * @property {Dtype} [dtype] how it is stored; that of the array unless told. Needed for F16, BF16 and BOOL
 * @property {number[]} shape its product is the length of data; []: a single number
 * @property {NumberArray} data of its dtype: F16 and BF16 have their bits in a Uint16Array, BOOL 0 or 1 in a Uint8Array
 */
/** @typedef {{ name: string, dtype: Dtype, shape: number[], begin: number, end: number }} Entry */

const where = 'safetensors';
const maxHeader = 100_000_000;

/** In the reference's order of increasing alignment, which is also the reverse of the order in a file.
 * @type {readonly (readonly [Dtype, NumberArrayType])[]} */
const dtypeTable = [
  ['BOOL', Uint8Array], ['U8', Uint8Array], ['I8', Int8Array], ['I16', Int16Array], ['U16', Uint16Array],
  ['F16', Uint16Array], ['BF16', Uint16Array], ['I32', Int32Array], ['U32', Uint32Array], ['F32', Float32Array],
  ['F64', Float64Array], ['I64', BigInt64Array], ['U64', BigUint64Array],
];
/** @type {readonly Dtype[]} */
const dtypes = dtypeTable.map(([dtype]) => dtype);
const arrayTypes = new Map(dtypeTable);
/** The dtype of an array that comes without one. */
const defaultDtypes = new Map(dtypeTable.filter(([dtype]) => !/BOOL|F16/.test(dtype)).map(([d, Type]) => [Type.name, d]));

/** @param {Dtype} dtype @returns {NumberArrayType} */
const arrayType = dtype => /** @type {NumberArrayType} */ (arrayTypes.get(dtype));

/** @param {string} message @returns {never} */
function refuse(message) {
  throw new HeddleError('file', `${where}: ${message}`);
}

/** @param {Uint8Array} bytes */
function readHeader(bytes) {
  if (bytes.length < 8) refuse(`the file has ${bytes.length} bytes, expected at least the 8 of the header length`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > maxHeader) refuse(`header length ${length} is above the limit of ${maxHeader} bytes`);
  const end = 8 + Number(length);
  if (end > bytes.length) refuse(`header length ${length} runs past the end of the file (${bytes.length} bytes)`);
  let text;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(unshared(bytes.subarray(8, end)));
  } catch {
    return refuse('the header is not valid UTF-8');
  }
  if (text[0] !== '{') refuse(`the header must begin with "{", found ${JSON.stringify(text.slice(0, 1))}`);
  const header = parseStrictJson(text, `${where}: header`);
  return { header: /** @type {Map<string, unknown>} */ (header), dataStart: end };
}

/** @param {unknown} value @returns {Record<string, string>} */
function readMetadata(value) {
  /** @type {Record<string, string>} */
  const metadata = Object.create(null);
  if (value === undefined || value === null) return metadata;
  if (!(value instanceof Map)) return refuse(`__metadata__ must be an object of strings, found ${kindOf(value)}`);
  for (const [key, text] of value) {
    if (typeof text !== 'string') refuse(`__metadata__ ${JSON.stringify(key)} must be a string, found ${kindOf(text)}`);
    metadata[key] = text;
  }
  return metadata;
}

/** @param {unknown} value @param {string} what @returns {bigint[]} */
function readUnsigned(value, what) {
  if (!Array.isArray(value)) return refuse(`${what} must be an array, found ${kindOf(value)}`);
  for (const [i, n] of value.entries()) {
    if (typeof n !== 'bigint' || n < 0n || n >= 1n << 64n) {
      const found = typeof n === 'bigint' || typeof n === 'number' ? n : kindOf(n);
      refuse(`${what}[${i}] must be an integer from 0 to 2^64 - 1, found ${found}`);
    }
  }
  return value;
}

/** @param {string} name @param {unknown} info @param {number} dataLength @returns {Entry} */
function readEntry(name, info, dataLength) {
  const what = `tensor ${JSON.stringify(name)}`;
  if (!(info instanceof Map)) return refuse(`${what} must be an object, found ${kindOf(info)}`);
  for (const field of ['dtype', 'shape', 'data_offsets']) if (!info.has(field)) refuse(`${what} has no "${field}"`);
  const dtype = info.get('dtype');
  if (!arrayTypes.has(dtype)) {
    const found = typeof dtype === 'string' ? JSON.stringify(dtype) : kindOf(dtype);
    refuse(`${what}: unknown dtype ${found}, expected one of ${dtypes.join(', ')}`);
  }
  const shape = readUnsigned(info.get('shape'), `${what}: shape`);
  const offsets = readUnsigned(info.get('data_offsets'), `${what}: data_offsets`);
  if (offsets.length !== 2) refuse(`${what}: data_offsets must be [begin, end], found ${offsets.length} numbers`);
  const [begin, end] = offsets;
  if (begin > end) refuse(`${what}: data_offsets begin at ${begin}, after their end at ${end}`);
  if (end > dataLength) refuse(`${what}: data_offsets end at ${end}, past the ${dataLength} bytes of data`);
  let size = BigInt(arrayType(dtype).BYTES_PER_ELEMENT);
  for (const n of shape) {
    size *= n;
    if (size >= 1n << 64n) refuse(`${what}: the size of shape [${shape}] overflows 64 bits`);
  }
  if (size !== end - begin) {
    refuse(`${what}: ${dtype} [${shape}] takes ${size} bytes, but data_offsets span ${end - begin}`);
  }
  return { name, dtype, shape: shape.map(Number), begin: Number(begin), end: Number(end) };
}

/** Every byte of the data belongs to exactly one tensor. @param {Entry[]} entries @param {number} dataLength */
function checkLayout(entries, dataLength) {
  let end = 0, last = 'the header';
  for (const entry of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    const name = `tensor ${JSON.stringify(entry.name)}`;
    if (entry.begin < end) refuse(`${name} begins at ${entry.begin} and overlaps ${last}, which ends at ${end}`);
    if (entry.begin > end) refuse(`${entry.begin - end} bytes between ${last} and ${name} belong to no tensor`);
    [end, last] = [entry.end, name];
  }
  if (end !== dataLength) refuse(`${dataLength - end} bytes after ${last} belong to no tensor`);
}

/**
 * Reads a safetensors file, with every check of the format's reference implementation.
 * @param {Uint8Array | ArrayBuffer} input the whole file
 * @returns {{ tensors: Map<string, Tensor>, metadata: Record<string, string> }} tensors in the order of the header. Their
 *   data are views into `input` where its alignment allows that, else copies; a metadata object has no prototype
 * @throws {HeddleError} `file` if the file is malformed
 */
export function readSafetensors(input) {
  const bytes = toBytes(input, 'readSafetensors');
  const { header, dataStart } = readHeader(bytes);
  const metadata = readMetadata(header.get('__metadata__'));
  header.delete('__metadata__');
  const dataLength = bytes.length - dataStart;
  const entries = [...header].map(([name, info]) => readEntry(name, info, dataLength));
  checkLayout(entries, dataLength);
  /** @type {Map<string, Tensor>} */
  const tensors = new Map();
  for (const { name, dtype, shape, begin, end } of entries) {
    const Type = arrayType(dtype);
    const data = elements(Type, bytes, dataStart + begin, (end - begin) / Type.BYTES_PER_ELEMENT);
    tensors.set(name, { dtype, shape, data });
  }
  return { tensors, metadata };
}

/** Code-point order, as the reference sorts UTF-8; plain < compares UTF-16 units. @param {string} a @param {string} b */
function compareText(a, b) {
  const left = [...a], right = [...b];
  const i = left.findIndex((char, k) => char !== right[k]);
  if (i < 0) return left.length - right.length;
  return (left[i].codePointAt(0) ?? 0) - (right[i]?.codePointAt(0) ?? -1);
}

/** @param {string} text @param {string} what */
function checkText(text, what) {
  if (typeof text !== 'string') {
    throw new HeddleError('argument', `writeSafetensors: ${what} must be a string, got ${kindOf(text)}`);
  }
  if (/\p{Surrogate}/u.test(text)) {
    throw new HeddleError('argument', `writeSafetensors: ${what} is not valid Unicode`);
  }
}

/** @param {string} name @param {TensorInput} tensor @returns {Tensor & { name: string }} */
function checkTensor(name, tensor) {
  const what = `writeSafetensors: tensor ${JSON.stringify(name)}`;
  checkText(name, `the name ${JSON.stringify(name)}`);
  if (name === '__metadata__') throw new HeddleError('argument', `${what}: this name is reserved by the format`);
  if (!ArrayBuffer.isView(tensor?.data) || !defaultDtypes.has(tensor.data.constructor.name)) {
    throw new HeddleError('argument', `${what}: data must be a typed array, got ${kindOf(tensor?.data)}`);
  }
  const given = tensor.data.constructor.name;
  const dtype = tensor.dtype ?? /** @type {Dtype} */ (defaultDtypes.get(given));
  if (!arrayTypes.has(dtype)) {
    throw new HeddleError('argument', `${what}: unknown dtype "${dtype}"${suggest(String(dtype), dtypes)}`);
  }
  if (arrayType(dtype).name !== given) {
    throw new HeddleError('argument', `${what}: dtype ${dtype} needs a ${arrayType(dtype).name}, got ${given}`);
  }
  const count = elementCount(tensor.shape, what);
  if (count !== tensor.data.length) {
    throw new HeddleError('shape', `${what}: shape [${tensor.shape}] holds ${count} elements, data has ${tensor.data.length}`);
  }
  return { name, dtype, shape: tensor.shape, data: tensor.data };
}

/** @param {Record<string, string> | undefined} metadata @returns {string} with its comma, empty without entries */
function metadataText(metadata) {
  const pairs = Object.entries(metadata ?? {}).sort(([a], [b]) => compareText(a, b));
  for (const [key, value] of pairs) {
    checkText(key, `the metadata key ${JSON.stringify(key)}`);
    checkText(value, `metadata ${JSON.stringify(key)}`);
  }
  const fields = pairs.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  return fields.length ? `"__metadata__":{${fields.join(',')}}` : '';
}

/**
 * Writes a safetensors file. The same content always gives the same bytes: tensors by falling alignment of their dtype,
 * then by name, as the reference orders them; metadata by key. Data begin at a multiple of 8.
 * @param {Map<string, TensorInput> | Record<string, TensorInput>} tensors name to `{ data, shape, dtype }`; dtype may be
 *   left out except for F16, BF16 (bits in a Uint16Array) and BOOL (0 or 1 in a Uint8Array)
 * @param {Record<string, string>} [metadata] texts by name, for the header's `__metadata__`; none unless told
 * @returns {Uint8Array<ArrayBuffer>}
 * @throws {HeddleError} `argument` or `shape` with the name of the tensor, `memory` if the file does not fit
 */
export function writeSafetensors(tensors, metadata) {
  const pairs = tensors instanceof Map ? [...tensors] : Object.entries(tensors);
  const checked = pairs.map(([name, tensor]) => checkTensor(name, tensor)).sort((a, b) =>
    dtypes.indexOf(b.dtype) - dtypes.indexOf(a.dtype) || compareText(a.name, b.name));
  let end = 0;
  const fields = checked.map(({ name, dtype, shape, data }) => {
    const begin = end;
    end += data.byteLength;
    return `${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape}],"data_offsets":[${begin},${end}]}`;
  });
  const text = `{${[metadataText(metadata), ...fields].filter(Boolean).join(',')}}`;
  const json = new TextEncoder().encode(text);
  const length = Math.ceil(json.length / 8) * 8;
  if (length > maxHeader) {
    throw new HeddleError('argument', `writeSafetensors: names and metadata take ${length} bytes, `
      + `the format's limit is ${maxHeader}`);
  }
  const out = allocate(8 + length + end, 'writeSafetensors');
  new DataView(out.buffer).setBigUint64(0, BigInt(length), true);
  out.set(json, 8);
  out.fill(0x20, 8 + json.length, 8 + length);
  let at = 8 + length;
  for (const { data } of checked) {
    out.set(toBytes(data, where), at);
    at += data.byteLength;
  }
  return out;
}

/**
 * The values of a tensor as float32. F16, BF16, BOOL and 8- and 16-bit integers convert exactly; F64 and wider integers
 * round to nearest (F64 beyond the range of float32 becomes infinite).
 * @param {Tensor} tensor as `readSafetensors` gives it; it stays as it is
 * @returns {Float32Array} the tensor's own array if it is F32 already
 */
export function toFloat32({ dtype, data }) {
  if (data instanceof Float32Array) return data;
  if (dtype === 'F16') return halfToFloat32(/** @type {Uint16Array} */ (data));
  if (dtype === 'BF16') {
    return new Float32Array(Uint32Array.from(/** @type {Uint16Array} */ (data), bits => bits << 16).buffer);
  }
  if (dtype === 'BOOL') return Float32Array.from(/** @type {Uint8Array} */ (data), value => (value ? 1 : 0));
  return Float32Array.from(/** @type {ArrayLike<number | bigint>} */ (data), Number);
}
