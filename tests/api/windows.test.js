// A matrix network on all windows of a picture at once: the same as window by window through the model, in bands, with any engine and threads.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { init } from '../../bindings/index.js';
import { blendPatches, slidingPatches } from '../../bindings/images/index.js';
import { recipes } from '../../bindings/recipes.js';
import { windowWeights, windowsOf } from '../../bindings/super_resolution/windows.js';
import { fresh, numbers, refuses } from './modelkit.js';

const planes = (count, height, width) => Float32Array.from(numbers(count * height * width, 5));

async function byWindow(model, data, height, width) {
  const count = model.inputs.length, patch = model.inputs[0].shape, cut = [];
  for (let j = 0; j < count; j++) {
    cut.push(await slidingPatches({ data: data.subarray(j * height * width, (j + 1) * height * width), shape: [height, width, 1] }, { size: patch }));
  }
  const [{ positions, shape: [n] }] = cut, x = cut.map(one => ({ data: one.data, shape: [n, ...patch] }));
  const y = await model.predict(count > 1 ? x : x[0]);
  return (await blendPatches({ data: [y].flat()[0].data, shape: [n, ...patch, 1] }, { height, width, positions })).data;
}

const networks = [
  { options: { seed: 1 }, size: [33, 100] },
  { options: { seed: 2, outputs: [1], outputActivation: 'sigmoid' }, size: [15, 15] },
  { options: { seed: 3, modalities: [[3, 5]], hidden: [4, 2], activation: 'tanh' }, size: [3, 81] },
  { options: { seed: 4, modalities: [[6, 4], [6, 4]], hidden: [7, 9], activation: 'relu', outputActivation: 'sigmoid' }, size: [40, 4] },
];

for (const { options, size: [height, width] } of networks) {
  test(`${height} x ${width} pixels: as window by window; ${JSON.stringify(options)}`, async () => {
    await fresh();
    const model = await recipes.multimodalAutoencoder(options), data = planes(model.inputs.length, height, width);
    const net = await windowWeights(model), whole = await windowsOf(net, { planes: data, height, width }), slow = await byWindow(model, data, height, width);
    const worst = whole.reduce((max, v, i) => Math.max(max, Math.abs(v - slow[i])), 0);
    assert.ok(whole.length === height * width && worst <= 3e-6, `differs by ${worst}`);
    const [patch] = net.patch, tile = row => Math.floor(row / 4) * 4;
    for (const step of [1, 7, height - 1]) {
      for (let from = 0; from < height; from += step) {
        const to = Math.min(from + step, height), first = tile(Math.max(from - patch + 1, 0));
        const end = Math.min(tile(Math.min(to, height - patch + 1) - 1) + 4 * Math.ceil(patch / 4) + 3, height);
        const given = Float32Array.from({ length: net.modalities * (end - first) * width }, (_, i) =>
          data[Math.floor(i / ((end - first) * width)) * height * width + first * width + i % ((end - first) * width)]);
        assert.deepEqual(await windowsOf(net, { planes: given, height, width, first, from, to }), whole.slice(from * width, to * width), `rows ${from} to ${to}`);
      }
    }
  });
}

/** Knuth's MMIX generator, as in the native test. */
function fill(n, seed, scale) {
  let s = BigInt(seed) * 2654435761n + 1n;
  return Float32Array.from({ length: n }, () => {
    s = BigInt.asUintN(64, s * 6364136223846793005n + 1442695040888963407n);
    return scale * (Number(s >> 40n) / (1 << 23) - 1);
  });
}

test('the bits of the native build, whatever the threads', async () => {
  const golden = Number(/DIGEST 0x([0-9a-f]+)u/.exec(await readFile(new URL('../native/windows_test.c', import.meta.url), 'utf8'))?.[1].replace(/^/, '0x'));
  for (const engine of ['heddle-st', 'heddle-mt']) {
    for (const threads of engine === 'heddle-mt' ? [1, 3] : [1]) {
      await init({ engine, threads, worker: false });
      let digest = 0x811c9dc5;
      for (const outputActivation of [0, 1]) {
        const patch = [15, 15], hidden = [7, 9], weights = 2 * (7 * 15 + 9 * 15) + 63 + 15 * 7 + 15 * 9 + 225;
        const net = { modalities: 2, patch, hidden, activation: 1, outputActivation, values: fill(weights, 2, 0.3) };
        const y = await windowsOf(net, { planes: fill(2 * 141 * 150, 1, 1), height: 141, width: 150 });
        for (const byte of new Uint8Array(y.buffer)) digest = Math.imul(digest ^ byte, 0x01000193);
      }
      assert.equal(digest >>> 0, golden, `${engine}, ${threads} threads`);
    }
  }
});

test('what does not fit is refused', async () => {
  await fresh();
  const model = await recipes.multimodalAutoencoder({ seed: 1, modalities: [[5, 5], [5, 5]], hidden: [3, 3], outputs: [2] }), net = await windowWeights(model, { output: 2 });
  await refuses(() => windowWeights(model), 'unsupported', /expected a multimodalAutoencoder of equal modalities with one hidden matrix and the output decoder1/);
  const odd = await recipes.multimodalAutoencoder({ modalities: [[5, 5], [5, 4]] }), deep = await recipes.multimodalAutoencoder({ hidden: [[4, 4], [3, 3]] });
  for (const other of [odd, deep, await recipes.lenet()]) await refuses(() => windowWeights(other), 'unsupported', /expected a multimodalAutoencoder/);
  await refuses(() => windowsOf(net, { planes: planes(2, 4, 9), height: 4, width: 9 }), 'shape', /the picture has 9 x 4 pixels, less than a window: 5 x 5/);
  await refuses(() => windowsOf(net, { planes: planes(2, 9, 9), height: 9, width: 10 }), 'shape', /162 numbers, expected whole rows of 10 pixels for 2 planes/);
  await refuses(() => windowsOf(net, { planes: planes(2, 9, 9), height: 9, width: 9, from: 4, to: 4 }), 'argument', /rows 4\.\.3, expected at least one/);
  await refuses(() => windowsOf(net, { planes: planes(2, 9, 9), height: 30, width: 9, from: 4, to: 9 }), 'argument', /rows 0\.\.8 of the planes are given, expected 0\.\.18 at least/);
  const bad = planes(2, 9, 9);
  bad[80 + 1 + 9 + 2] = NaN;
  await refuses(() => windowsOf(net, { planes: bad, height: 9, width: 9 }), 'argument', /row 10, column 2, channel 0 = NaN, expected a finite number/);
});
