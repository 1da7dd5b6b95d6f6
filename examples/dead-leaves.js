/**
 * Pictures of sharp edges to learn from: "dead leaves" (Matheron 1968; Lee, Mumford & Huang, "Occlusion models for natural images", 2001), shapes of all
 * sizes that cover each other, as photographs have objects. Drawn large and shrunk, so that edges are smooth as a lens makes them.
 */
import { resize } from 'heddle/images';

/** @param {number} seed @returns {() => number} numbers in [0, 1) (mulberry32, T. Ettinger) */
function random(seed) {
  let state = Math.imul(seed, 0x9E3779B9);
  return () => {
    state = (state + 0x6D2B79F5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const drawn = 1200, smallest = 14, largest = 500;

/** An ellipse, a box or a stroke, shaded, perhaps striped. @param {Float32Array} canvas @param {() => number} next */
function drop(canvas, next) {
  // the law of objects at all distances: as many of radius r as of 1 / r^3
  const radius = 1 / Math.sqrt(1 / largest ** 2 + next() * (1 / smallest ** 2 - 1 / largest ** 2)), flat = next() < 0.2 ? 0.05 + 0.1 * next() : 0.4 + 0.6 * next();
  const [x0, y0, angle, isBox] = [next() * drawn, next() * drawn, next() * Math.PI, next() < 0.4], [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const grey = 16 + 220 * next(), slope = next() < 0.6 ? 120 * (next() - 0.5) : 0, stripes = next() < 0.2 ? 10 + 60 * next() : 0, wave = (0.1 + 0.5 * next()) * 2 * Math.PI / (8 + 0.2 * radius);
  for (let y = Math.max(0, Math.floor(y0 - radius * 1.5)); y < Math.min(drawn, y0 + radius * 1.5); y++) {
    for (let x = Math.max(0, Math.floor(x0 - radius * 1.5)); x < Math.min(drawn, x0 + radius * 1.5); x++) {
      const u = (cos * (x - x0) + sin * (y - y0)) / radius, v = (cos * (y - y0) - sin * (x - x0)) / (radius * flat);
      if (isBox ? Math.max(Math.abs(u), Math.abs(v)) > 1 : u * u + v * v > 1) continue;
      canvas[y * drawn + x] = grey + slope * u + (stripes && stripes * Math.sin(wave * radius * v));
    }
  }
}

/**
 * @param {number} seed
 * @param {{ leaves?: number, side?: number }} [options] side: pixels
 * @returns {Promise<{ data: any, shape: number[] }>} grey
 */
export async function deadLeaves(seed, { leaves = 2000, side = 400 } = {}) {
  const next = random(seed), canvas = new Float32Array(drawn * drawn).fill(128);
  for (let i = 0; i < leaves; i++) drop(canvas, next);
  return resize({ data: Uint8Array.from(canvas, (v) => Math.max(16, Math.min(235, v))), shape: [drawn, drawn, 1] }, { width: side, height: side, method: seed % 2 ? 'bicubic' : 'bilinear' });
}
