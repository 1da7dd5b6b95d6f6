// CLIVE for the programs that reproduce: ratings, and what the layers of a pretrained ResNet-18 see in each picture, computed once.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HeddleError, apply, layers } from 'heddle';
import { readSafetensors, writeSafetensors } from 'heddle/files';
import { imageToTensor, resize } from 'heddle/images';
import { readRatings } from 'heddle/quality';
import { extend, loadWeights, recipes } from 'heddle/recipes';

/** Height and width that the Norm-in-Norm paper's program brings pictures to; CLIVE's that are not 500 x 500 become so first. */
export const size = [498, 664], first = 500;
const chunk = 50;
export const trunkFile = 'resnet18_imagenet_conv1-layer3_bnfolded_f32.safetensors';
/** The trunk has no layer4, so that levels are one stage lower than the paper's. */
export const levels = /** @type {const} */ (['layer2', 'layer3']);
/** Where the features of each level begin in a row, and the last one ends. */
const bounds = [0, 256, 768];

/** The trunk up to layer3, frozen, and means and deviations of the maps of each level: one row of 768 numbers a picture.
 * @param {string} data folder with weights */
export async function openTrunk(data) {
  const path = join(data, 'weights', trunkFile);
  const net = await recipes.resnet18({ until: 'layer3', inputShape: [...size, 3], preprocessing: 'torchvision', seed: 1 });
  const { missing } = await loadWeights(net, path, { partial: true });
  if (missing.length) throw new HeddleError('file', `${path} lacks ${missing.length} weights of ResNet-18: ${missing[0]} ...`);
  const pooled = await extend(net, (node) => apply(layers.concat(), levels.flatMap((name) =>
    [layers.globalAveragePool2d(), layers.globalStdPool2d()].map((pool) => apply(pool, node(name))))), { freeze: true });
  net.dispose();
  return pooled;
}

async function pixels(path) {
  let picture = await imageToTensor(path);
  if (picture.shape[0] !== first || picture.shape[1] !== first) picture = await resize(picture, { width: first, height: first });
  return resize(picture, { width: size[1], height: size[0] });
}

const rowOf = ({ data, shape: [, width] }, i) => data.subarray(i * width, (i + 1) * width);

/** Rows of features of each level, [mean and deviation of each channel]; written in pieces, so that an interrupted pass goes on where it was.
 * seconds: what all pieces took, decoding included; undefined if one does not say. */
async function featuresOf(folder, images, data, cache) {
  await mkdir(cache, { recursive: true });
  let trunk, seconds = 0;
  const rows = [];
  for (let begin = 0; begin < images.length; begin += chunk) {
    const path = join(cache, `${begin}.safetensors`), names = images.slice(begin, begin + chunk);
    try {
      const { tensors, metadata } = readSafetensors(await readFile(path));
      if (`${metadata.images},`.startsWith(`${names.join()},`)) {
        rows.push(...names.map((_, i) => levels.map((level) => rowOf(tensors.get(level), i))));
        seconds += Number(metadata.seconds);
        continue;
      }
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
    const made = [], start = performance.now();
    trunk ??= await openTrunk(data);
    for (const name of names) {
      const picture = await pixels(join(folder, name)), row = (await trunk.predict({ ...picture, shape: [1, ...picture.shape] })).data;
      made.push(levels.map((_, k) => row.subarray(bounds[k], bounds[k + 1])));
    }
    const tensors = Object.fromEntries(levels.map((level, k) => [level, { dtype: 'F32', shape: [made.length, made[0][k].length],
      data: Float32Array.from(made.flatMap((row) => [...row[k]])) }]));
    const took = (performance.now() - start) / 1000;
    seconds += took;
    await writeFile(`${path}.part`, writeSafetensors(tensors, { images: names.join(), seconds: `${took}` }));
    await rename(`${path}.part`, path);
    rows.push(...made);
    console.log(`features of ${rows.length} of ${images.length} pictures, ${took.toFixed(0)} s for these`);
  }
  trunk?.dispose();
  return { features: rows, seconds: Number.isNaN(seconds) ? undefined : seconds };
}

/**
 * @param {{ data?: string, cache?: string, pictures?: string }} options folders: of the data, and for the features (a temporary one unless told);
 *   pictures: how many, all unless told
 * @returns {Promise<{ images: string[], scores: Float64Array, features: Float32Array[][], seconds?: number }>} features: for each picture one list a level;
 *   seconds: that they took, now or when they were kept
 */
export async function clive({ data = process.env.HEDDLE_DATA, cache = join(tmpdir(), 'heddle-clive-resnet18'), pictures }) {
  if (!data) throw new HeddleError('argument', 'no CLIVE given: --data FOLDER or HEDDLE_DATA must be a folder with iqa/clive and weights');
  const folder = join(data, 'iqa', 'clive');
  const rated = await readRatings(join(folder, 'clive_scores.csv')), count = pictures ? Number(pictures) : rated.images.length;
  const images = rated.images.slice(0, count), scores = rated.scores.slice(0, count);
  return { images, scores, ...await featuresOf(join(folder, 'images'), images, data, cache) };
}
