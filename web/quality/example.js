// Rated pictures without any file: parts of two photographs in the public domain, made worse step by step. Their ratings follow from the step.
import { HeddleError } from 'heddle';
import { distort, imageToTensor, resize } from 'heddle/images';
import { photograph } from '../sample_files.js';

/** @import { Picture } from './pictures.js' */
/** Pictures with ratings. `references`: what a picture was made from; `splits`: what it is for, if a file says so.
 * @typedef {{ name: string, pictures: Picture[], images: string[], scores: Float64Array, references?: string[], splits?: string[] }} RatedSet */

const names = ['airplane-from-above', 'allium-oreophilum'];
const kinds = ['gaussianBlur', 'whiteNoise', 'jpegBlocking'];
/** Of each distortion; the picture as it was comes first. */
const levels = 5;
/** @type {Promise<{ data: Uint8Array, shape: number[] }[]> | null} */
let photographs = null;

async function fetchPhotographs() {
  return Promise.all(names.map(async (name) => {
    const response = await fetch(photograph(name));
    if (!response.ok) throw new HeddleError('file', `The example's photograph "${name}" is not served here (${response.status}): npm install brings it.`);
    return imageToTensor(await response.blob());
  }));
}

/** Numbers 0..1 without order, the same ones each time: mulberry32. @param {number} seed */
function chance(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A square part of a photograph, at random. @param {{ data: Uint8Array, shape: number[] }} photograph @param {number} size @param {() => number} random */
function cut({ data, shape: [height, width] }, size, random) {
  const [top, left] = [height, width].map((length) => Math.floor(random() * (length - size + 1))), out = new Uint8Array(size * size * 3);
  for (let row = 0; row < size; row++) {
    const from = ((top + row) * width + left) * 3;
    out.set(data.subarray(from, from + size * 3), row * size * 3);
  }
  return { data: out, shape: [size, size, 3] };
}

/** Of some parts at random the one with most detail: what is flat looks the same, however blurred. @param {{ data: Uint8Array, shape: number[] }} photograph
 * @param {number} size @param {() => number} random */
function cutDetail(photograph, size, random) {
  const detail = ({ data }) => data.reduce((sum, value, i) => (i < 3 ? 0 : sum + Math.abs(value - data[i - 3])), 0);
  const parts = Array.from({ length: 6 }, () => cut(photograph, size, random)).map((part) => ({ part, detail: detail(part) }));
  return parts.reduce((most, one) => (one.detail > most.detail ? one : most)).part;
}

/** As ImageData has them. @param {{ data: ArrayLike<number>, shape: number[] }} picture */
function rgba({ data, shape: [height, width] }) {
  const out = new Uint8ClampedArray(height * width * 4).fill(255);
  for (let i = 0; i < height * width; i++) for (let c = 0; c < 3; c++) out[4 * i + c] = data[3 * i + c];
  return { data: out, width, height };
}

/**
 * @param {{ count: number, side: number, seed: number, signal: AbortSignal, onProgress: (part: number) => void }} options side: pixels
 * @returns {Promise<RatedSet>} ratings 0..100: 100 is a part of a photograph as it is, and each step takes 20
 */
export async function examplePictures({ count, side, seed, signal, onProgress }) {
  photographs ??= fetchPhotographs().catch((error) => {
    photographs = null; // a later try may succeed
    throw error;
  });
  const sources = await photographs, random = chance(seed), step = levels + 1;
  const set = { name: 'distorted photographs', pictures: [], images: [], scores: new Float64Array(count), references: [] };
  let part = null, kind = '';
  for (let i = 0; i < count; i++) {
    signal.throwIfAborted();
    const group = Math.floor(i / step), level = i % step;
    if (level === 0) {
      const photograph = sources[group % sources.length], most = Math.min(photograph.shape[0], photograph.shape[1]);
      kind = kinds[Math.floor(random() * kinds.length)];
      part = await resize(cutDetail(photograph, Math.min(most, 3 * side), random), { width: side, height: side, method: 'area' });
    }
    const made = level === 0 ? part : await distort(part, { kind, level, seed: seed + group });
    const name = `part-${String(group + 1).padStart(3, '0')}-${level === 0 ? 'as-it-was' : `${kind}-${level}`}.png`;
    set.pictures.push({ name, source: rgba(made) });
    set.images.push(name);
    set.references.push(`part ${group}`);
    set.scores[i] = 100 - 20 * level;
    onProgress((i + 1) / count);
  }
  return set;
}
