import { HeddleError, checkOptions } from '../errors.js';
import { allocate, toBytes, unshared } from './bytes.js';

/** @param {Uint8Array} bytes */
export const isGzip = bytes => bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;

/**
 * Collects a stream into one array.
 * @param {ReadableStream<Uint8Array>} stream
 * @param {(total: number, chunks: Uint8Array[]) => void} check called with the length and the chunks so far
 */
async function collect(stream, check) {
  const chunks = [], reader = stream.getReader();
  let total = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    total += value.length;
    chunks.push(value);
    try {
      check(total, chunks);
    } catch (error) {
      await reader.cancel(error).catch(() => {}); // what matters is why we stopped
      throw error;
    }
  }
  return joined(chunks);
}

/** @param {Uint8Array[]} chunks */
function joined(chunks) {
  const out = allocate(chunks.reduce((sum, { length }) => sum + length, 0), 'gzip');
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}

/** @param {Uint8Array} bytes @param {CompressionStream | DecompressionStream} codec @returns {ReadableStream<Uint8Array>} */
const pipe = (bytes, codec) => new Blob([unshared(bytes)]).stream().pipeThrough(codec);

/**
 * Unpacks what one of the platform's codecs packs.
 * @param {Uint8Array} bytes
 * @param {'gzip' | 'deflate'} format deflate: as zlib wraps it (RFC 1950)
 * @param {number} maxBytes refuse to unpack to more
 * @param {(total: number, chunks: Uint8Array[]) => void} [check] called with what there is so far
 */
export async function unpack(bytes, format, maxBytes, check) {
  if (typeof DecompressionStream === 'undefined') {
    throw new HeddleError('unsupported', `${format}: this platform has no DecompressionStream; unpack the file first`);
  }
  try {
    return await collect(pipe(bytes, new DecompressionStream(format)), (total, chunks) => {
      check?.(total, chunks);
      if (total > maxBytes) throw new HeddleError('file', `${format}: the file unpacks to more than maxBytes = ${maxBytes}`);
    });
  } catch (cause) {
    if (cause instanceof HeddleError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HeddleError('file', `${format}: the file is damaged or cut short: ${reason}`, { cause });
  }
}

/**
 * Unpacks a gzip file (RFC 1952) of one member.
 * @param {Uint8Array | ArrayBuffer} input the whole file
 * @param {{ maxBytes?: number }} [options] maxBytes: refuse to unpack to more than this, 2 GiB unless told
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 * @throws {HeddleError} `file` if it is damaged, cut short, followed by other bytes or unpacks to more than maxBytes;
 *   `unsupported` where the platform has no DecompressionStream
 */
export function gunzip(input, options) {
  return gunzipAs(input, options);
}

/**
 * The same for a file that says at its beginning how long it is: unpacking ends where it turns out to be longer.
 * @param {Uint8Array | ArrayBuffer} input
 * @param {{ maxBytes?: number } | undefined} options
 * @param {(head: Uint8Array) => number} [lengthOf] the length, from the first bytes: 2 KiB or all there are
 */
export async function gunzipAs(input, options, lengthOf) {
  checkOptions(options, ['maxBytes'], 'gunzip');
  const maxBytes = options?.maxBytes ?? 2 ** 31;
  if (!(maxBytes >= 0)) throw new HeddleError('argument', `gunzip: maxBytes = ${maxBytes}, expected a number >= 0`);
  const bytes = toBytes(input, 'gunzip');
  if (!isGzip(bytes)) throw new HeddleError('file', 'gzip: the file does not begin with the bytes 1f 8b');
  if (bytes.length < 18) throw new HeddleError('file', `gzip: ${bytes.length} bytes are too few for a gzip file`);
  // Some platforms ignore bytes after the member, others refuse them: the size field at the very end tells for all.
  const size = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4, 4).getUint32(0, true);
  let expected = Infinity;
  const out = await unpack(bytes, 'gzip', maxBytes, (total, chunks) => {
    if (lengthOf && expected === Infinity && total >= 2048) expected = lengthOf(joined(chunks).subarray(0, 2048));
    if (total > expected) throw new HeddleError('file', `gzip: what is packed goes on after the ${expected} bytes that it says it has`);
  });
  if (size !== out.length % 2 ** 32) {
    throw new HeddleError('file', `gzip: unpacked ${out.length} bytes, but the file ends in the size ${size}; `
      + 'it is damaged, or has bytes or a second member after the first');
  }
  return out;
}

/**
 * Packs bytes as gzip.
 * @param {Uint8Array | ArrayBuffer} input what is to be packed
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 * @throws {HeddleError} `unsupported` where the platform has no CompressionStream
 */
export async function gzip(input) {
  if (typeof CompressionStream === 'undefined') {
    throw new HeddleError('unsupported', 'gzip: this platform has no CompressionStream');
  }
  return collect(pipe(toBytes(input, 'gzip'), new CompressionStream('gzip')), () => {});
}
