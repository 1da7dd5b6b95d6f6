// The user's files as a set of pictures: CIFAR's binary files, or pictures in folders, one folder for each class.
import { HeddleError } from 'heddle';
import { cifar100Classes, cifar10Classes, gunzip, readCifar10, readCifar100 } from 'heddle/files';
import { imageToTensor } from 'heddle/images';
import { isPicture } from '../dropped.js';
import { OwnSet } from './sets.js';

/** @import { Found } from '../dropped.js' */
/** @typedef {import('./sets.js').Part} Part */

const side = 32, size = side * side * 3, mostClasses = 256;
const bytesToUnit = { scale: 1 / 255, offset: 0 };
const isBinary = ({ path }) => /\.bin(\.gz)?$/i.test(path);
const inOrder = new Intl.Collator('en', { numeric: true }).compare;

/** @param {string} message */
const refuse = (message) => new HeddleError('file', message);

/** @param {{ images: Uint8Array, labels: Uint8Array }[]} parts @returns {Part} */
function joined(parts) {
  const rows = parts.reduce((sum, { labels }) => sum + labels.length, 0), images = new Uint8Array(rows * size), labels = new Uint8Array(rows);
  let at = 0;
  for (const one of parts) {
    images.set(one.images, at * size);
    labels.set(one.labels, at);
    at += one.labels.length;
  }
  return { images, labels, rows };
}

/** Rows by their numbers. @param {Part} part @param {number[]} rows @returns {Part} */
const chosen = ({ images, labels }, rows) => joined(rows.map((row) => (
  { images: images.subarray(row * size, (row + 1) * size), labels: labels.subarray(row, row + 1) })));

/** Every sixth picture is held back to test, if no others are for that. @param {Part} train @param {Part} test */
function split(train, test) {
  if (test.rows > 0 && train.rows > 0) return [train, test];
  const all = train.rows > 0 ? train : test, rows = Array.from(all.labels.keys());
  return [chosen(all, rows.filter((row) => row % 6 !== 5)), chosen(all, rows.filter((row) => row % 6 === 5))];
}

/** The same pictures in an order without order, the same one each time: folders come class by class. @param {Part} part */
function mixed(part) {
  const rows = Array.from(part.labels.keys());
  for (let i = rows.length - 1, state = 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0; // a linear congruence suffices
    const other = Math.floor(state / 2 ** 32 * (i + 1));
    [rows[i], rows[other]] = [rows[other], rows[i]];
  }
  return chosen(part, rows);
}

/** @param {Found} found */
async function readBinary({ path, file }) {
  try {
    let bytes = new Uint8Array(await file.arrayBuffer());
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = await gunzip(bytes);
    // Records are 1 label and 3,072 pixels, or 2 labels and the pixels.
    const classes = bytes.length % 3073 !== 0 && bytes.length % 3074 === 0 ? 100 : 10;
    const { images, labels } = await (classes === 100 ? readCifar100 : readCifar10)(bytes);
    return { path, classes, images: images.data, labels };
  } catch (cause) {
    throw new HeddleError(cause.code ?? 'file', `${path} can't be used. ${cause.message}`, { cause });
  }
}

/** @param {Found[]} files */
async function readCifar(files) {
  const parts = [];
  for (const found of files.sort((a, b) => inOrder(a.path, b.path))) parts.push(await readBinary(found));
  const [{ classes }] = parts, other = parts.find((one) => one.classes !== classes);
  if (other) throw refuse(`${parts[0].path} is of CIFAR-${classes}, but ${other.path} of CIFAR-${other.classes}.`);
  const isTest = ({ path }) => /test/i.test(path), [train, test] = split(joined(parts.filter((one) => !isTest(one))), joined(parts.filter(isTest)));
  const names = [...classes === 10 ? cifar10Classes : cifar100Classes];
  return new OwnSet({ name: `CIFAR-${classes}`, shape: [side, side, 3], classes: names, preprocessing: bytesToUnit }, train, test);
}

/** Class and use of a picture by its folders: pets/train/cats/1.png. @param {string} path */
function place(path) {
  const folders = path.split('/').slice(0, -1);
  return { name: folders.at(-1), isTest: folders.slice(0, -1).some((folder) => /^(test(ing)?|val(id|idation)?)$/i.test(folder)) };
}

/** @param {Found[]} files @returns {{ classes: string[], pictures: { file: File, path: string, label: number, isTest: boolean }[] }} */
function sorted(files) {
  const all = files.map(({ path, file }) => ({ path, file, ...place(path) })), loose = all.find(({ name }) => !name);
  if (loose) throw refuse(`${loose.path} is in no folder. Pictures have to be in folders, one for each class; please give the folder that they are in.`);
  const classes = [...new Set(all.map(({ name }) => name))].sort(inOrder);
  if (classes.length < 2) throw refuse(`All pictures are in the folder ${classes[0]}: expected a folder for each class, two at least.`);
  if (classes.length > mostClasses) throw refuse(`The pictures are in ${classes.length} folders, this page takes up to ${mostClasses} classes.`);
  all.sort((a, b) => inOrder(a.path, b.path));
  return { classes, pictures: all.map(({ path, file, name, isTest }) => ({ path, file, isTest, label: classes.indexOf(name) })) };
}

/** @param {Found[]} files @param {{ signal: AbortSignal, onProgress: (part: number) => void }} options */
async function readFolders(files, { signal, onProgress }) {
  const { classes, pictures } = sorted(files), parts = { train: [], test: [] }, unread = [];
  for (const [i, { path, file, label, isTest }] of pictures.entries()) {
    signal.throwIfAborted();
    try {
      const { data } = await imageToTensor(file, { width: side, height: side, fit: 'cover' });
      parts[isTest ? 'test' : 'train'].push({ images: data, labels: Uint8Array.of(label) });
    } catch (error) {
      if (error.code !== 'file') throw error;
      unread.push(path);
    }
    onProgress((i + 1) / pictures.length);
  }
  const [train, test] = split(joined(parts.train), joined(parts.test)).map(mixed);
  if (train.rows < 2 || test.rows < 1) throw refuse(`${train.rows + test.rows} of the ${pictures.length} pictures can be read: too few to train and test.`);
  const about = { name: `${classes.length} folders`, shape: [side, side, 3], classes, preprocessing: bytesToUnit };
  return { set: new OwnSet(about, train, test), unread };
}

/**
 * @param {Found[]} files
 * @param {{ signal: AbortSignal, onProgress: (part: number) => void }} options onProgress: 0..1 of the pictures are read
 * @returns {Promise<{ set: OwnSet, unread: string[] }>} unread: pictures that the browser can't decode
 * @throws {HeddleError} `file`, in words for the page
 */
export async function readOwn(files, options) {
  const binaries = files.filter(isBinary), pictures = files.filter(isPicture);
  if (binaries.length > 0 && pictures.length > 0) throw refuse(`Expected CIFAR's files or pictures, not both: ${binaries[0].path}, ${pictures[0].path}.`);
  if (pictures.length > 0) return readFolders(pictures, options);
  if (binaries.length > 0) return { set: await readCifar(binaries), unread: [] };
  throw refuse(`There is nothing to learn in ${files.length === 1 ? files[0].path : `these ${files.length} files`}: expected CIFAR's binary files `
    + '(data_batch_1.bin, .gz too) or folders of pictures.');
}
