/**
 * Messages longer than a back end carries travel in pieces: "HDLF", version u8, sender (length u8, letters), number of the
 * message u32, piece u32, pieces u32; then bytes. Pieces of one message come in order, as from one connection.
 */
import { version } from './message.js';

const magic = 0x464c4448; // "HDLF" as it lies in memory
const room = 4 + 1 + 1 + 64 + 12;
/** Unfinished messages kept of each sender: older ones have lost a piece. */
const kept = 4;
const senders = 256;

/** @param {Uint8Array<ArrayBuffer>} bytes @param {number} limit the longest piece @param {string} from @param {number} number
 * @returns {Uint8Array<ArrayBuffer>[]} `bytes` itself if it is short enough */
export function split(bytes, limit, from, number) {
  if (bytes.length <= limit) return [bytes];
  const step = limit - room, pieces = Math.ceil(bytes.length / step), head = 6 + from.length + 12;
  return Array.from({ length: pieces }, (_, i) => {
    const data = bytes.subarray(i * step, (i + 1) * step), piece = new Uint8Array(head + data.length), view = new DataView(piece.buffer);
    view.setUint32(0, magic, true);
    piece[4] = version;
    piece[5] = from.length;
    piece.set(new TextEncoder().encode(from), 6);
    [number, i, pieces].forEach((value, k) => view.setUint32(head - 12 + 4 * k, value, true));
    piece.set(data, head);
    return piece;
  });
}

/** Puts pieces together again. */
export class Assembler {
  /** @type {Map<string, { number: number, pieces: Uint8Array[], total: number }[]>} by sender */
  #open = new Map();

  /** @param {Uint8Array} bytes @returns {{ bytes: Uint8Array, extra: number } | import('./message.js').Refusal | null} a whole message and the
   *   bytes that went into cutting it; null: more is to come */
  add(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (bytes.length < 6 || view.getUint32(0, true) !== magic) return { bytes, extra: 0 };
    if (bytes[4] !== version) return 'version';
    const head = 6 + bytes[5] + 12;
    if (bytes.length <= head) return 'malformed';
    const from = String.fromCharCode(...bytes.subarray(6, head - 12));
    const [number, index, total] = [12, 8, 4].map(back => view.getUint32(head - back, true));
    const list = this.#open.get(from) ?? [];
    this.#open.set(from, list);
    if (this.#open.size > senders) this.#open.delete(this.#open.keys().next().value ?? '');
    let message = list.find(m => m.number === number);
    if (!message) {
      list.push(message = { number, pieces: [], total });
      if (list.length > kept) list.shift();
    }
    if (index !== message.pieces.length || total !== message.total || index >= total) {
      list.splice(list.indexOf(message), 1);
      return 'malformed';
    }
    message.pieces.push(bytes.slice(head));
    if (message.pieces.length < total) return null;
    list.splice(list.indexOf(message), 1);
    const whole = new Uint8Array(message.pieces.reduce((sum, piece) => sum + piece.length, 0));
    let at = 0;
    for (const piece of message.pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return { bytes: whole, extra: head * total };
  }
}
