/** Which file is which rated picture. */
import { HeddleError } from '../errors.js';

/**
 * @template T
 * @typedef {object} Matched
 * @property {Int32Array<ArrayBuffer>} rows of the ratings that have a picture, rising
 * @property {T[]} files the picture of each of them
 * @property {string[]} missing names that are rated, but have no picture
 * @property {T[]} unrated files that no rating names
 */

/** @param {string} path with slashes, in one way of writing accents */
const tidy = path => path.normalize().replaceAll('\\', '/').replace(/^(\.\/)+/, '');
const baseName = (/** @type {string} */ path) => path.slice(path.lastIndexOf('/') + 1);

/** @param {unknown} file @returns {string} */
function nameOf(file) {
  if (typeof file === 'string') return tidy(file);
  const { webkitRelativePath, name } = /** @type {{ webkitRelativePath?: unknown, name?: unknown }} */ (file ?? {});
  const found = typeof webkitRelativePath === 'string' && webkitRelativePath !== '' ? webkitRelativePath : name;
  if (typeof found !== 'string' || found === '') throw new HeddleError('argument', 'matchImages: expected paths, Files, or objects with a name');
  return tidy(found);
}

/** Ever looser ways in which a file can be the picture of a name: the same path; one path is the end of the other; that, letter case aside.
 * @type {((name: string, path: string) => boolean)[]} */
const fits = [
  (name, path) => name === path,
  (name, path) => path.endsWith(`/${name}`) || name.endsWith(`/${path}`),
  (name, path) => `/${path}`.toLowerCase().endsWith(`/${name}`.toLowerCase()) || `/${name}`.toLowerCase().endsWith(`/${path}`.toLowerCase()),
];

/** Indices by lower-case file name. @param {string[]} paths */
function indexOf(paths) {
  /** @type {Map<string, number[]>} */
  const index = new Map();
  paths.forEach((path, i) => {
    const key = baseName(path).toLowerCase(), list = index.get(key);
    if (list) list.push(i);
    else index.set(key, [i]);
  });
  return index;
}

/**
 * Finds the picture of each rating among files: the same path, else one where the shorter path is the end of the other, letter case aside if
 * need be. A rating "a/1.jpg" is matched by "a/1.jpg", "photos/a/1.jpg", "1.jpg" or "1.JPG", not by "b/1.jpg".
 * @template {string | { name: string }} T
 * @param {{ images: string[] }} ratings as of `readRatings`; only the names of the pictures count
 * @param {Iterable<T>} files paths, Files of a page (with their webkitRelativePath, if any), or `{ name, source }`
 * @returns {Matched<T>}
 * @throws {HeddleError} `argument` if several files fit a name equally well, or one file two names
 */
export function matchImages({ images }, files) {
  const list = [...files], paths = list.map(nameOf), byBase = indexOf(paths);
  /** @type {Map<number, number>} file to row */
  const rowOf = new Map();
  /** @type {Map<number, number>} row to file */
  const fileOf = new Map();
  for (const isFit of fits) {
    const free = new Set(list.keys());
    for (const file of rowOf.keys()) free.delete(file);
    images.forEach((image, row) => {
      if (fileOf.has(row)) return;
      const name = tidy(image), found = (byBase.get(baseName(name).toLowerCase()) ?? []).filter(i => free.has(i) && isFit(name, paths[i]));
      if (found.length > 1) {
        const some = found.slice(0, 3).map(i => `"${paths[i]}"`).join(', ');
        throw new HeddleError('argument', `matchImages: ${found.length} files fit "${image}": ${some}`
          + `${found.length > 3 ? ' ...' : ''}; write their folders into the ratings`);
      }
      if (!found.length) return;
      const [file] = found, other = rowOf.get(file);
      if (other !== undefined) {
        throw new HeddleError('argument', `matchImages: the file "${paths[file]}" fits both "${images[other]}" and "${image}"`);
      }
      rowOf.set(file, row);
      fileOf.set(row, file);
    });
  }
  const rows = Int32Array.from(fileOf.keys()).sort();
  return {
    rows, files: Array.from(rows, row => list[/** @type {number} */ (fileOf.get(row))]),
    missing: images.filter((_, row) => !fileOf.has(row)), unrated: list.filter((_, i) => !rowOf.has(i)),
  };
}
