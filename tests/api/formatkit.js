// Files of less usual formats, made by sharp, and what a reader must find in them: for the tests in Node and in the browser.
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';

/** 4 rows of 6 pixels: four colours in quarters. */
const quarters = Uint8Array.from({ length: 72 }, (_, e) => [[220, 20, 20], [20, 200, 40], [30, 40, 210], [240, 230, 20]][(e >= 36 ? 2 : 0) + (Math.floor(e / 3) % 6 >= 3 ? 1 : 0)][e % 3]);
const raw = { raw: { width: 6, height: 4, channels: /** @type {3} */ (3) } };

const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
const table = Int32Array.from({ length: 256 }, (_, n) => { let c = n; for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1; return c; });

/** A piece of a PNG. @param {string} name @param {Uint8Array} body */
function chunk(name, body) {
  const out = Buffer.alloc(12 + body.length);
  out.writeUInt32BE(body.length, 0);
  out.write(name, 4, 'latin1');
  out.set(body, 8);
  let crc = -1;
  for (const byte of out.subarray(4, 8 + body.length)) crc = table[(crc ^ byte) & 255] ^ (crc >>> 8);
  out.writeInt32BE(~crc, 8 + body.length);
  return out;
}

/** Big-endian numbers of 4 bytes. @param {number[]} values */
const words = (...values) => { const out = Buffer.alloc(4 * values.length); values.forEach((value, i) => out.writeUInt32BE(value, 4 * i)); return out; };

/** A PNG of one colour with sides that nobody can hold. @param {number} width @param {number} height @param {number} [given] rows that are really there */
export function hugePng(width, height, given = height) {
  const rows = deflateSync(Buffer.alloc((Math.ceil(width / 8) + 1) * given, 0)); // one bit, grey
  return new Uint8Array(Buffer.concat([signature, chunk('IHDR', Buffer.concat([words(width, height), Buffer.from([1, 0, 0, 0, 0])])), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))]));
}

/** An animated PNG of two frames. @param {Uint8Array} first RGB [4, 6, 3] @param {Uint8Array} second */
function animatedPng(first, second) {
  const rows = (/** @type {Uint8Array} */ rgb) => deflateSync(Buffer.concat([0, 18, 36, 54].map(at => Buffer.concat([Buffer.of(0), rgb.subarray(at, at + 18)]))));
  const frame = (/** @type {number} */ number) => chunk('fcTL', Buffer.concat([words(number, 6, 4, 0, 0), Buffer.from([0, 1, 0, 10, 0, 0])])); // a tenth of a second
  return Buffer.concat([signature, chunk('IHDR', Buffer.concat([words(6, 4), Buffer.from([8, 2, 0, 0, 0])])), chunk('acTL', words(2, 0)), frame(0), chunk('IDAT', rows(first)),
    frame(1), chunk('fdAT', Buffer.concat([words(2), rows(second)])), chunk('IEND', Buffer.alloc(0))]);
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
    'animated PNG, its first frame': { file: animatedPng(quarters, quarters.map(v => 255 - v)), pixels: quarters, tolerance: 0 },
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

/** A PNG without its second half. */
export function truncatedPng() {
  const noise = Buffer.from(Uint8Array.from({ length: 65 * 64 }, (_, i) => (i % 65 ? (i * i * 7) % 251 : 0)));
  const whole = Buffer.concat([signature, chunk('IHDR', Buffer.concat([words(64, 64), Buffer.from([8, 0, 0, 0, 0])])), chunk('IDAT', deflateSync(noise)), chunk('IEND', Buffer.alloc(0))]);
  return new Uint8Array(whole.subarray(0, whole.length / 2));
}

export { quarters };
