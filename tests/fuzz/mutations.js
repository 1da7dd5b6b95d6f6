/** Hostile files made from good ones, for fast-check: each mutation is plain data, so that it shrinks and can be shown. */
import fc from 'fast-check';

/** Lengths and counts that lie. */
const lies = [0, 1, 2, 3, 4, 7, 8, 127, 128, 255, 256, 65535, 65536, 2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 40, 2 ** 53, Infinity];

/** Anywhere in a file, all places alike (fc.double prefers the smallest). */
const place = fc.nat(9999).map(n => n / 1e4);

/** Changes of bytes. @typedef {{ at: number, kind: 'cut' | 'flip' | 'byte' | 'u16' | 'u32' | 'u64' | 'insert' | 'remove' | 'repeat', value: number, big: boolean }} Edit at: 0..1 */
export const edits = fc.array(fc.record({
  at: place, big: fc.boolean(), value: fc.oneof(fc.constantFrom(...lies), fc.nat(255)),
  kind: fc.constantFrom(/** @type {Edit['kind']} */ ('flip'), 'flip', 'byte', 'u16', 'u32', 'u64', 'insert', 'remove', 'repeat', 'cut'),
}), { minLength: 1, maxLength: 4 });

/** @param {Uint8Array} bytes @param {Edit} edit @returns {Uint8Array} */
function edited(bytes, { at, kind, value, big }) {
  const place = Math.min(Math.floor(at * bytes.length), Math.max(bytes.length - 1, 0)), out = bytes.slice(), few = value % 64;
  const view = new DataView(out.buffer), room = out.length - place, whole = Number.isFinite(value) ? value : 2 ** 32;
  if (kind === 'cut') return out.subarray(0, place);
  if (kind === 'remove') return Uint8Array.of(...out.subarray(0, place), ...out.subarray(place + few + 1));
  if (kind === 'insert') return Uint8Array.of(...out.subarray(0, place), ...new Uint8Array(few).fill(value), ...out.subarray(place));
  if (kind === 'repeat') return Uint8Array.of(...out.subarray(0, place), ...out.subarray(place, place + few), ...out.subarray(place));
  if (kind === 'u16' && room >= 2) view.setUint16(place, whole, !big);
  else if (kind === 'u32' && room >= 4) view.setUint32(place, whole, !big);
  else if (kind === 'u64' && room >= 8) view.setBigUint64(place, BigInt(whole), !big);
  else if (room > 0) out[place] = kind === 'flip' ? out[place] ^ (1 << (value % 8)) : value;
  return out;
}

/** @param {Uint8Array} bytes @param {Edit[]} list */
export const mutated = (bytes, list) => list.reduce(edited, bytes);

/** What stands in a text for a value, a number or a name. */
const values = ['1e400', '-1e400', '-0', '0', '-1', '0.5', '1e-400', '2147483648', '9007199254740993', '1e21', 'NaN', 'Infinity', 'null', 'true', '""', '[]', '{}', '[[1]]', '{"a":1}',
  '"__proto__"', '"constructor"', '"toString"', '"linear"', '"\\u0000"', '"\\ud800"', `${'['.repeat(200)}${']'.repeat(200)}`, `"${'x'.repeat(100)}"`, ''];
const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'length', 'name', '', 'then'];

/** Changes of a text of tokens, such as JSON. @typedef {{ at: number, kind: 'value' | 'name' | 'twice' | 'drop' | 'swap' | 'deep', with: number }} TextEdit */
export const textEdits = fc.array(fc.record({
  at: place, with: fc.nat(1000),
  kind: fc.constantFrom(/** @type {TextEdit['kind']} */ ('value'), 'value', 'value', 'name', 'twice', 'drop', 'swap', 'deep'),
}), { minLength: 1, maxLength: 3 });

const token = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|[^\s,;:{}[\]"]+/g;

/** @param {string} text @param {TextEdit} edit */
function retyped(text, { at, kind, with: which }) {
  const found = [...text.matchAll(token)];
  if (!found.length) return text + values[which % values.length];
  const [word] = found.splice(Math.min(Math.floor(at * found.length), found.length - 1), 1), begin = word.index, end = begin + word[0].length;
  const put = (/** @type {string} */ one) => text.slice(0, begin) + one + text.slice(end);
  if (kind === 'value') return put(values[which % values.length]);
  if (kind === 'name') return put(word[0].startsWith('"') ? JSON.stringify(names[which % names.length]) : names[which % names.length]);
  if (kind === 'twice') return put(`${word[0]},${word[0]}`);
  if (kind === 'drop') return text.slice(0, begin) + text.slice(end + 1);
  if (kind === 'deep') return put('['.repeat(which) + word[0] + ']'.repeat(which));
  return put(found.length ? found[which % found.length][0] : '');
}

/** @param {string} text @param {TextEdit[]} list */
export const rewritten = (text, list) => list.reduce(retyped, text);
