/** Pictures in Node: the optional package sharp decodes and resizes. */
import { HeddleError, kindOf } from '../errors.js';
import { importNode } from '../platform.js';

/** @import { Decoder } from './index.js' */

/** @returns {Promise<any>} */
async function loadSharp() {
  try {
    return (await importNode('sharp')).default;
  } catch (cause) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (cause);
    const why = code === 'ERR_MODULE_NOT_FOUND' ? 'npm install sharp' : `it is there, but does not load: ${message}`;
    throw new HeddleError('unsupported', `pictures in Node need the package sharp: ${why}`, { cause });
  }
}

/** What sharp takes. @param {any} source @param {string} name @returns {Promise<unknown[]>} */
async function argumentsFor(source, name) {
  const strict = { failOn: 'error' };
  if (source instanceof URL) {
    const { fileURLToPath } = await importNode('node:url');
    if (source.protocol !== 'file:') throw new HeddleError('argument', `${name}: expected a file: URL; fetch others and give their bytes`);
    return [fileURLToPath(source), strict];
  }
  if (typeof source === 'string' || source instanceof Uint8Array) return [source, strict];
  if (source instanceof ArrayBuffer) return [new Uint8Array(source), strict];
  if (source instanceof Blob) return [new Uint8Array(await source.arrayBuffer()), strict];
  if (typeof source === 'object' && 'data' in source) {
    const { data, width, height } = source;
    return [data, { raw: { width, height, channels: data.length / (width * height) } }];
  }
  throw new HeddleError('argument', `${name}: expected a path, a file: URL, the bytes of a file, a Blob or { data, width, height }, got ${kindOf(source)}`);
}

/** Grey, perhaps with alpha, as RGB or RGBA. @param {Uint8Array} data @param {number} channels */
function coloured(data, channels) {
  const wide = channels + 2;
  return Uint8Array.from({ length: data.length / channels * wide }, (_, i) => data[Math.floor(i / wide) * channels + (i % wide > 2 ? 1 : 0)]);
}

/** @type {Decoder} */
export async function decode(source, { width, height, fit, channels, background: [r, g, b] }, name) {
  const sharp = await loadSharp(), given = await argumentsFor(source, name), background = { r, g, b };
  try {
    let picture = sharp(...given).rotate().toColourspace('srgb');
    picture = channels === 4 ? picture.ensureAlpha() : picture.flatten({ background });
    if (width) picture = picture.resize({ width, height, fit, background });
    const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
    return { data: info.channels < 3 ? coloured(data, info.channels) : data, width: info.width, height: info.height };
  } catch (cause) {
    throw new HeddleError('file', `${name}: it can't be decoded: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

export const isPicture = (/** @type {string} */ name) => /\.(png|jpe?g|webp|gif|avif|tiff?|bmp)$/i.test(name);

/** @param {string} path */
export async function listFolder(path) {
  const { readdir, stat } = await importNode('node:fs/promises'), { join } = await importNode('node:path');
  /** @param {string} folder @returns {Promise<string[]>} */
  const namesIn = async folder => {
    try {
      return (await readdir(folder)).filter((/** @type {string} */ name) => !name.startsWith('.')).sort();
    } catch (cause) {
      throw new HeddleError('file', `folderOfImages: can't read the folder "${folder}": ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
  };
  const files = [], labels = [], classes = [];
  for (const name of await namesIn(path)) {
    if (!(await stat(join(path, name))).isDirectory()) continue; // stat, for links to folders
    const pictures = (await namesIn(join(path, name))).filter(isPicture);
    for (const picture of pictures) {
      files.push(join(path, name, picture));
      labels.push(classes.length);
    }
    if (pictures.length) classes.push(name);
  }
  if (!classes.length) throw new HeddleError('file', `folderOfImages: "${path}" has no folders with pictures in them, one for each class`);
  return { files, labels: Uint16Array.from(labels), classes };
}
