// Files of less usual formats, made by sharp, and what a reader must find in them: for the tests in Node and in the browser.
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';

/** 4 rows of 6 pixels: four colours in quarters. */
const quarters = Uint8Array.from({ length: 72 }, (_, e) => [[220, 20, 20], [20, 200, 40], [30, 40, 210], [240, 230, 20]][(e >= 36 ? 2 : 0) + (Math.floor(e / 3) % 6 >= 3 ? 1 : 0)][e % 3]);
const raw = { raw: { width: 6, height: 4, channels: /** @type {3} */ (3) } };

/** A PNG of one colour with sides that nobody can hold. @param {number} width @param {number} height */
export function hugePng(width, height) {
  const table = Int32Array.from({ length: 256 }, (_, n) => { let c = n; for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1; return c; });
  const chunk = (/** @type {string} */ name, /** @type {Uint8Array} */ body) => {
    const out = Buffer.alloc(12 + body.length);
    out.writeUInt32BE(body.length, 0);
    out.write(name, 4, 'latin1');
    out.set(body, 8);
    let crc = -1;
    for (const byte of out.subarray(4, 8 + body.length)) crc = table[(crc ^ byte) & 255] ^ (crc >>> 8);
    out.writeInt32BE(~crc, 8 + body.length);
    return out;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([1, 0, 0, 0, 0], 8); // one bit, grey
  const rows = deflateSync(Buffer.alloc((Math.ceil(width / 8) + 1) * height, 0));
  return new Uint8Array(Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk('IHDR', head), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))]));
}

/** Readable ones: file, the shape and the pixels wanted, and how far they may be off. */
export async function readable() {
  const deep = (/** @type {number[]} */ values) => Uint16Array.from(values);
  const grey = [0, 21845, 43690, 65535], frames = Buffer.concat([quarters, quarters.map(v => 255 - v)]);
  const animated = () => sharp(frames, { raw: { width: 6, height: 8, channels: 3, pageHeight: 4 } });
  const files = {
    'palette PNG': { file: await sharp(quarters, raw).png({ palette: true, colours: 4 }).toBuffer(), pixels: quarters, tolerance: 3 },
    'PNG of 16 bits': { file: await sharp(deep([...quarters].map(v => v * 257)), raw).toColourspace('rgb16').png().toBuffer(), pixels: quarters, tolerance: 1 },
    'grey PNG of 16 bits': { file: await sharp(deep(grey), { raw: { width: 2, height: 2, channels: 1 } }).toColourspace('grey16').png().toBuffer(),
      shape: [2, 2, 3], pixels: grey.flatMap(v => Array(3).fill(v / 257)), tolerance: 1 },
    'animated GIF, its first frame': { file: await animated().gif().toBuffer(), pixels: quarters, tolerance: 12 },
    'animated WebP, its first frame': { file: await animated().webp({ lossless: true }).toBuffer(), pixels: quarters, tolerance: 1 },
    'progressive JPEG': { file: await sharp(Uint8Array.from({ length: 48 * 32 * 3 }, (_, e) => [200, 60, 90][e % 3]), { raw: { width: 48, height: 32, channels: 3 } })
      .jpeg({ progressive: true, quality: 95 }).toBuffer(), shape: [32, 48, 3], pixels: Array.from({ length: 48 * 32 * 3 }, (_, e) => [200, 60, 90][e % 3]), tolerance: 3 },
    'CMYK JPEG': { file: await sharp(Buffer.alloc(16 * 16 * 3, 128), { raw: { width: 16, height: 16, channels: 3 } }).toColourspace('cmyk').jpeg({ quality: 95 }).toBuffer(),
      shape: [16, 16, 3], pixels: Array(16 * 16 * 3).fill(128), tolerance: 30 }, // profiles of inks are coarse
  };
  return Object.entries(files).map(([name, file]) => ({ name, shape: [4, 6, 3], ...file }));
}

/** A JPEG without its second half. */
export async function truncatedJpeg() {
  const noise = Uint8Array.from({ length: 3 * 64 * 64 }, (_, i) => (i * i * 7) % 251), whole = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } }).jpeg().toBuffer();
  return new Uint8Array(whole.subarray(0, whole.length / 2));
}

export { quarters };
