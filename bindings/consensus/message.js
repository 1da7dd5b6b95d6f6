/**
 * Messages between members. All numbers little-endian:
 *   "HDLC", version u8, kind u8, number of parts u16, run id u64, round u32,
 *   sender: length u8 and that many letters; then for each part its type u8, number of axes u8, axes u32 ...;
 *   then the elements of all parts, without gaps.
 */

/** @typedef {'float32' | 'float64' | 'bytes'} PartType */
/** @typedef {{ type: PartType, shape: readonly number[], data: Float32Array | Float64Array | Uint8Array }} Part */
/**
 * @typedef {object} Message
 * @property {keyof typeof kinds} kind
 * @property {bigint} run id; 0 before a run
 * @property {number} round counts the collective calls of a run, from 1; 0 outside them
 * @property {string} from member
 * @property {Part[]} parts
 */
/** Why a message is refused.
 * - `foreign`: not of this protocol, or not from whom it says
 * - `malformed`: cut short, too long, unknown kinds or types, numbers that are not finite
 * - `version`: of another version of the protocol
 * - `run`: of another run, or of nobody who takes part in this one
 * @typedef {'foreign' | 'malformed' | 'version' | 'run'} Refusal */

export const version = 1;
const magic = 0x434c4448; // "HDLC" as it lies in memory
const fixed = 21; // bytes before the sender's name

export const kinds = Object.freeze({
  hello: 1, start: 2, accept: 3, go: 4, abandon: 5, // before a run
  contribute: 6, result: 7, need: 8, share: 9, exchange: 10, stop: 11, leave: 12, meet: 13,
});
const kindNames = /** @type {Map<number, keyof typeof kinds>} */ (new Map(Object.entries(kinds).map(([name, code]) => [code, name])));

/** @type {readonly { type: PartType, code: number, size: number, array: new (n: number) => Part['data'] }[]} */
const types = [
  { type: 'float32', code: 1, size: 4, array: Float32Array },
  { type: 'float64', code: 2, size: 8, array: Float64Array },
  { type: 'bytes', code: 3, size: 1, array: Uint8Array },
];
export const byteSize = (/** @type {PartType} */ type) => types.find(t => t.type === type)?.size ?? 0;

export const isName = (/** @type {unknown} */ name) => typeof name === 'string' && /^[\w-]{1,64}$/.test(name);

/** A part of text. @param {unknown} value JSON @returns {Part} */
export function jsonPart(value) {
  const data = new TextEncoder().encode(JSON.stringify(value));
  return { type: 'bytes', shape: [data.length], data };
}

/** @param {Part | undefined} part @returns {any} undefined if it is no JSON */
export function readJson(part) {
  if (part?.type !== 'bytes') return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(part.data));
  } catch {
    return undefined;
  }
}

const count = (/** @type {readonly number[]} */ shape) => shape.reduce((product, n) => product * n, 1);

/** Bytes of numbers in a message; everything else counts as header. @param {readonly Part[]} parts */
export const payloadBytes = parts => parts.reduce((sum, { type, data }) => sum + (type === 'bytes' ? 0 : byteSize(type) * data.length), 0);

/** @param {Message} message @returns {Uint8Array<ArrayBuffer>} */
export function encode({ kind, run, round, from, parts }) {
  const head = fixed + from.length + parts.reduce((sum, { shape }) => sum + 2 + 4 * shape.length, 0);
  const bytes = new Uint8Array(head + parts.reduce((sum, { type, data }) => sum + byteSize(type) * data.length, 0));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic, true);
  bytes[4] = version;
  bytes[5] = kinds[kind];
  view.setUint16(6, parts.length, true);
  view.setBigUint64(8, run, true);
  view.setUint32(16, round, true);
  bytes[20] = from.length;
  bytes.set(new TextEncoder().encode(from), fixed);
  let at = fixed + from.length;
  for (const { type, shape } of parts) {
    view.setUint8(at, types.find(t => t.type === type)?.code ?? 0);
    view.setUint8(at + 1, shape.length);
    shape.forEach((n, i) => view.setUint32(at + 2 + 4 * i, n, true));
    at += 2 + 4 * shape.length;
  }
  for (const { type, data } of parts) {
    if (type === 'bytes') bytes.set(data, at);
    else if (type === 'float32') for (let i = 0; i < data.length; i++) view.setFloat32(at + 4 * i, data[i], true);
    else for (let i = 0; i < data.length; i++) view.setFloat64(at + 8 * i, data[i], true);
    at += byteSize(type) * data.length;
  }
  return bytes;
}

/** Numbers as the other side will read them. @param {Part} part @returns {Part} */
export const rounded = part => (part.type === 'float32' ? { ...part, data: new Float32Array(part.data) } : part);

/** @param {DataView} view @param {number} at @param {Part} part @returns {boolean} all finite */
function readNumbers(view, at, { type, data }) {
  let isFinite = true;
  for (let i = 0; i < data.length; i++) {
    data[i] = type === 'float32' ? view.getFloat32(at + 4 * i, true) : view.getFloat64(at + 8 * i, true);
    isFinite &&= Number.isFinite(data[i]);
  }
  return isFinite;
}

/**
 * @param {Uint8Array} bytes
 * @returns {Message | Refusal}
 */
export function decode(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length), { length } = bytes;
  if (length < 4 || view.getUint32(0, true) !== magic) return 'foreign';
  if (length < fixed) return 'malformed';
  if (bytes[4] !== version) return 'version';
  const kind = kindNames.get(bytes[5]), parts = view.getUint16(6, true);
  const from = length < fixed + bytes[20] ? '' : String.fromCharCode(...bytes.subarray(fixed, fixed + bytes[20]));
  if (!kind || !isName(from)) return 'malformed';
  /** @type {{ type: PartType, size: number, array: new (n: number) => Part['data'], shape: number[] }[]} */
  const heads = [];
  let at = fixed + from.length, total = 0;
  for (let i = 0; i < parts; i++) {
    const found = types.find(({ code }) => code === bytes[at]), axes = bytes[at + 1];
    if (!found || at + 2 + 4 * axes > length) return 'malformed';
    const { type, size, array } = found, start = at + 2, shape = Array.from({ length: axes }, (_, k) => view.getUint32(start + 4 * k, true));
    heads.push({ type, size, array, shape });
    total += size * count(shape);
    at += 2 + 4 * axes;
  }
  if (at + total !== length) return 'malformed'; // before anything is allocated
  const made = [];
  for (const { type, size, array, shape } of heads) {
    const part = { type, shape, data: new array(count(shape)) };
    if (type === 'bytes') part.data.set(bytes.subarray(at, at + part.data.length));
    else if (!readNumbers(view, at, part)) return 'malformed';
    at += size * part.data.length;
    made.push(part);
  }
  return { kind, run: view.getBigUint64(8, true), round: view.getUint32(16, true), from, parts: made };
}
