/** Rated pictures for examples/mixed-datasets.js: synthetic distortions of public-domain photographs, and the features of all. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { distort, distortions, imageToTensor, resize, ssim } from 'heddle/images';
import { first, size } from './clive-data.js';

/** A square part of a picture, as large as CLIVE's. @param {{ data: Uint8Array, shape: number[] }} picture */
function crop({ data, shape: [, width] }, left, top, pixels) {
  const part = new Uint8Array(pixels * pixels * 3);
  for (let y = 0; y < pixels; y++) part.set(data.subarray(3 * ((top + y) * width + left), 3 * ((top + y) * width + left + pixels)), 3 * y * pixels);
  return resize({ data: part, shape: [pixels, pixels, 3] }, { width: first, height: first });
}

/**
 * Five scenes of a photograph and, of each, every kind of distortion at three of its five levels.
 * @param {string} name of a package with a photograph
 * @param {'level' | 'ssim'} rating
 * @returns {Promise<{ name: string, raters: string, groups: string[], scores: number[], picture: (i: number) => Promise<any> }>} groups: the scene
 */
export async function synthetic(name, rating) {
  const photograph = await imageToTensor(join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'data', 'image.jpg'));
  const [height, width] = photograph.shape, least = Math.min(height, width), scenes = [];
  for (const [i, [x, y]] of [[0, 0], [1, 0], [0, 1], [1, 1], [0.5, 0.5]].entries()) { // from the corners and the middle, each of another size
    const pixels = Math.floor(least * (0.45 + 0.1 * i));
    scenes.push(await crop(photograph, Math.floor(x * (width - pixels)), Math.floor(y * (height - pixels)), pixels));
  }
  const items = scenes.flatMap((scene, i) => [{ scene, i, level: 0, kind: '' }, ...distortions.flatMap((kind, k) =>
    [1, 2, 3, 4, 5].filter((level) => (level + i + k) % 5 < 3).map((level) => ({ scene, i, level, kind })))]);
  const make = ({ scene, kind, level, i }) => (level ? distort(scene, { kind, level, seed: i }) : scene), scores = [];
  for (const item of items) scores.push(rating === 'level' ? 5 - item.level : 10 * await ssim(await make(item), item.scene));
  return {
    name: name.replace(/.*-img-/, ''), raters: rating === 'level' ? '5 - level of the distortion' : '10 SSIM with the undistorted scene',
    groups: items.map(({ i }) => `scene ${i}`), scores, picture: async (k) => resize(await make(items[k]), { width: size[1], height: size[0] }),
  };
}

/** @param {any} trunk @param {Awaited<ReturnType<typeof synthetic>>} set */
export async function featuresOf(trunk, { name, scores, picture }) {
  const rows = [], start = performance.now();
  for (const i of scores.keys()) {
    const { data, shape } = await picture(i);
    rows.push(...(await trunk.predict({ data, shape: [1, ...shape] }, { batchSize: 1 })).data);
  }
  console.log(`${name}: features of ${scores.length} pictures, ${((performance.now() - start) / 1000).toFixed(0)} s`);
  return { data: Float32Array.from(rows), shape: [scores.length, rows.length / scores.length] };
}
