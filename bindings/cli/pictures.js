/** Pictures of folders. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HeddleError } from '../errors.js';
import { imageToTensor } from '../images/index.js';
import { isPicture } from '../images/node.js';

/** Throws now if the package that decodes pictures is missing, instead of calling every picture unreadable later. */
export async function checkDecoder() {
  await imageToTensor({ data: new Uint8Array(3), width: 1, height: 1 });
}

/** @param {string} path */
async function look(path) {
  try {
    return await stat(path); // not lstat: links are followed
  } catch (cause) {
    throw new HeddleError('file', `there is no file or folder "${path}"`, { cause });
  }
}

/** @param {string} folder @param {string[]} into @param {string[]} above folders it lies in, by device and inode: links may go round */
async function walk(folder, into, above) {
  const { dev, ino } = await stat(folder), id = `${dev} ${ino}`;
  if (above.includes(id)) return;
  const names = await readdir(folder).catch(cause => {
    throw new HeddleError('file', `can't read the folder "${folder}": ${cause.message}`, { cause });
  });
  for (const name of names.filter(one => !one.startsWith('.')).sort()) {
    const path = join(folder, name), found = await stat(path).catch(() => undefined); // a link that leads nowhere
    if (found?.isDirectory()) await walk(path, into, [...above, id]);
    else if (found?.isFile() && isPicture(name)) into.push(path);
  }
}

/**
 * Pictures in folders and the folders below, sorted; names that begin with a dot are not looked at. Pictures may be given themselves.
 * @param {string[]} places
 * @returns {Promise<string[]>} paths, each once
 */
export async function listPictures(places) {
  const files = /** @type {string[]} */ ([]);
  for (const place of places) {
    if (!(await look(place)).isDirectory()) files.push(place);
    else await walk(place, files, []);
  }
  if (!files.length) {
    const where = places.map(place => `"${place}"`).join(', ');
    throw new HeddleError('file', `no pictures in ${where} (looked for png, jpg, webp, gif, avif, tiff and bmp)`);
  }
  return [...new Set(files)];
}
