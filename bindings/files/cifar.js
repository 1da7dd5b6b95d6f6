/** The binary versions of CIFAR-10 and CIFAR-100 (Krizhevsky 2009): records of labels and three planes of 32 x 32 bytes. */
import { HeddleError } from '../errors.js';
import { allocate, toBytes } from './bytes.js';
import { gunzip, isGzip } from './gzip.js';

/** Names of CIFAR-10's classes, by label. */
export const cifar10Classes = Object.freeze(['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck']);

/** Names of CIFAR-100's classes, by label (the set's fine_label_names). */
export const cifar100Classes = Object.freeze(('apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly '
  + 'camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish forest '
  + 'fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom '
  + 'oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose '
  + 'sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger '
  + 'tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm').split(' '));

/** Names of CIFAR-100's superclasses of five classes each, by coarse label (the set's coarse_label_names). */
export const cifar100CoarseClasses = Object.freeze(['aquatic_mammals', 'fish', 'flowers', 'food_containers', 'fruit_and_vegetables',
  'household_electrical_devices', 'household_furniture', 'insects', 'large_carnivores', 'large_man-made_outdoor_things',
  'large_natural_outdoor_scenes', 'large_omnivores_and_herbivores', 'medium_mammals', 'non-insect_invertebrates', 'people', 'reptiles',
  'small_mammals', 'trees', 'vehicles_1', 'vehicles_2']);

const side = 32, plane = side * side, pixels = 3 * plane;

/** @typedef {object} Images ready for the models @property {Uint8Array<ArrayBuffer>} data RGB, 0..255, picture by picture, rows from the top
 * @property {number[]} shape [n, 32, 32, 3] */

/**
 * @param {Uint8Array | ArrayBuffer} input
 * @param {readonly { name: string, classes: number }[]} labels at the beginning of each record
 * @param {string} where
 * @param {{ maxBytes?: number } | undefined} options
 */
async function readRecords(input, labels, where, options) {
  let bytes = toBytes(input, where);
  if (isGzip(bytes)) bytes = await gunzip(bytes, options);
  const size = labels.length + pixels, count = Math.floor(bytes.length / size);
  if (count === 0 || bytes.length % size) {
    throw new HeddleError('file', `${where}: ${bytes.length} bytes, expected a multiple of ${size} (${labels.length} for labels, ${pixels} for pixels): `
      + (count ? `record ${count} has ${bytes.length % size}` : 'the file holds no whole record'));
  }
  const data = allocate(count * pixels, where), found = labels.map(() => new Uint8Array(count));
  for (let n = 0; n < count; n++) {
    const start = n * size;
    for (const [i, { name, classes }] of labels.entries()) {
      found[i][n] = bytes[start + i];
      if (bytes[start + i] >= classes) {
        throw new HeddleError('file', `${where}: record ${n} has the ${name} ${bytes[start + i]}, expected 0..${classes - 1}: is this another kind of file?`);
      }
    }
    const red = start + labels.length, to = n * pixels;
    for (let i = 0; i < plane; i++) {
      data[to + 3 * i] = bytes[red + i];
      data[to + 3 * i + 1] = bytes[red + plane + i];
      data[to + 3 * i + 2] = bytes[red + 2 * plane + i];
    }
  }
  return { images: { data, shape: [count, side, side, 3] }, found };
}

/**
 * Reads a file of CIFAR-10 such as data_batch_1.bin, packed with gzip or not; any number of records.
 * @param {Uint8Array | ArrayBuffer} input the whole file
 * @param {{ maxBytes?: number }} [options] of `gunzip`, for packed files
 * @returns {Promise<{ images: Images, labels: Uint8Array<ArrayBuffer> }>} labels 0..9, see cifar10Classes
 * @throws {HeddleError} `file` if it is no whole number of records, or a label is out of range
 */
export async function readCifar10(input, options) {
  const { images, found: [labels] } = await readRecords(input, [{ name: 'label', classes: 10 }], 'readCifar10', options);
  return { images, labels };
}

/**
 * Reads a file of CIFAR-100 such as train.bin, packed with gzip or not.
 * @param {Uint8Array | ArrayBuffer} input the whole file
 * @param {{ maxBytes?: number }} [options] of `gunzip`, for packed files
 * @returns {Promise<{ images: Images, labels: Uint8Array<ArrayBuffer>, coarseLabels: Uint8Array<ArrayBuffer> }>} labels 0..99, see
 *   cifar100Classes, coarseLabels 0..19, see cifar100CoarseClasses
 * @throws {HeddleError} `file` if it is no whole number of records, or a label is out of range
 */
export async function readCifar100(input, options) {
  const kinds = [{ name: 'coarse label', classes: 20 }, { name: 'label', classes: 100 }];
  const { images, found: [coarseLabels, labels] } = await readRecords(input, kinds, 'readCifar100', options);
  return { images, labels, coarseLabels };
}
