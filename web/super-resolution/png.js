// PNG files written row by row: a picture that is enlarged in bands is never in memory as a whole.
import { HeddleError } from 'heddle';

const colourTypes = { 1: 0, 3: 2, 4: 6 };
/** Bytes that are handed to a Blob at a time, which the browser may keep on disk. */
const blobSize = 2 ** 22;

const crcTable = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** A chunk: length, type, data, CRC of type and data. @param {string} type @param {Uint8Array} data */
function chunk(type, data) {
  const out = new Uint8Array(12 + data.length), view = new DataView(out.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) out[4 + i] = type.charCodeAt(i);
  out.set(data, 8);
  let crc = 0xffffffff;
  for (let i = 4; i < 8 + data.length; i++) crc = crcTable[(crc ^ out[i]) & 255] ^ (crc >>> 8);
  view.setUint32(8 + data.length, crc ^ 0xffffffff);
  return out;
}

/** What is left of a row when each byte is predicted from those to its left, above, and both (filter 4, Paeth). @param {Uint8Array} rows
 * @param {number} at where the row begins @param {number} length @param {number} step bytes of a pixel @param {Uint8Array} above the row before
 * @param {Uint8Array} to @param {number} put */
function filterRow(rows, at, length, step, above, to, put) {
  for (let i = 0; i < length; i++) {
    const a = i < step ? 0 : rows[at + i - step], b = above[i], c = i < step ? 0 : above[i - step];
    const pa = Math.abs(b - c), pb = Math.abs(a - c), pc = Math.abs(a + b - 2 * c);
    to[put + i] = rows[at + i] - (pa <= pb && pa <= pc ? a : pb <= pc ? b : c);
  }
}

export class PngWriter {
  #deflate;
  #writer;
  #above;
  /** @type {Uint8Array[]} */
  #parts = [];
  #partBytes = 0;
  /** @type {Blob[]} */
  #blobs = [];
  #reading;

  /** @param {number} height @param {number} width @param {number} channels 1 grey, 3 RGB, 4 RGBA */
  constructor(height, width, channels) {
    if (!('CompressionStream' in globalThis)) throw new HeddleError('unsupported', 'This browser can\'t pack PNG files (it has no CompressionStream).');
    const header = new Uint8Array(13), view = new DataView(header.buffer);
    view.setUint32(0, width);
    view.setUint32(4, height);
    header.set([8, colourTypes[channels]], 8);
    Object.assign(this, { step: channels, length: width * channels });
    this.#above = new Uint8Array(this.length);
    this.#add(Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10));
    this.#add(chunk('IHDR', header));
    this.#deflate = new CompressionStream('deflate');
    this.#writer = this.#deflate.writable.getWriter();
    this.#reading = this.#read();
  }

  /** @param {Uint8Array} bytes */
  #add(bytes) {
    this.#parts.push(bytes);
    this.#partBytes += bytes.length;
    if (this.#partBytes < blobSize) return;
    this.#blobs.push(new Blob(this.#parts));
    this.#parts = [];
    this.#partBytes = 0;
  }

  async #read() {
    const reader = this.#deflate.readable.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      this.#add(chunk('IDAT', value));
    }
  }

  /** Whole rows, from the top. @param {Uint8Array} rows */
  async write(rows) {
    const { length, step } = this, count = rows.length / length, packed = new Uint8Array(count * (length + 1));
    for (let row = 0; row < count; row++) {
      const put = row * (length + 1);
      packed[put] = 4;
      filterRow(rows, row * length, length, step, this.#above, packed, put + 1);
      this.#above = rows.subarray(row * length, (row + 1) * length);
    }
    this.#above = this.#above.slice();
    await this.#writer.write(packed);
  }

  /** @returns {Promise<Blob>} */
  async finish() {
    await this.#writer.close();
    await this.#reading;
    this.#add(chunk('IEND', new Uint8Array(0)));
    return new Blob([...this.#blobs, ...this.#parts], { type: 'image/png' });
  }

  /** The file is not wanted any more. */
  async cancel() {
    await this.#writer.abort().catch(() => {});
    await this.#reading.catch(() => {});
  }
}
