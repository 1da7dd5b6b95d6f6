// Where matrix networks for pictures begin: at a low-pass filter, whatever hidden matrices lie between, and so they learn fast.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { imageToTensor, resize } from '../../bindings/images/index.js';
import { build } from '../../bindings/model.js';
import { SuperResolver } from '../../bindings/super_resolution/index.js';
import { describeMatnet } from '../../bindings/super_resolution/matnet.js';
import { cosineStart } from '../../bindings/super_resolution/start.js';
import { tree } from '../../tools/common.mjs';
import { fresh, refuses } from './modelkit.js';

before(() => fresh());

const config = { network: /** @type {const} */ ('matnet'), scale: 2, patch: 9, targets: /** @type {const} */ ('luma'), outputActivation: /** @type {const} */ ('linear') };
const pixels = Array.from({ length: 81 }, (_, i) => [Math.floor(i / 9) + 0.5, i % 9 + 0.5]);
/** A window made of the frequency k down and l across. @param {number} k @param {number} l */
const wave = (k, l) => pixels.map(([y, x]) => 0.5 + 0.3 * Math.cos(Math.PI * k * y / 9) * Math.cos(Math.PI * l * x / 9));

test('a cosine start lets through the frequencies that the hidden matrix holds, and no others', async () => {
  for (const [modalities, hidden] of /** @type {[any, any][]} */ ([[['luma'], [[5, 6]]], [['luma', 'x', 'yy'], [[5, 6]]], [['luma'], [[5, 6], [7, 8], [5, 6]]]])) {
    const asked = { ...config, hidden, modalities, mode: /** @type {const} */ ('denoise') };
    const { model } = await build(await describeMatnet(asked, { weightDecay: 0, sparsity: { rho: 0.05, beta: 0 } }, 1));
    await model.setWeights(cosineStart(await model.getWeights(), asked));
    for (const [k, l, passes] of /** @type {[number, number, boolean][]} */ ([[0, 0, true], [4, 5, true], [3, 0, true], [5, 0, false], [0, 6, false], [8, 8, false]])) {
      const window = { data: Float32Array.from(wave(k, l)), shape: [1, 9, 9] }, none = { data: new Float32Array(81), shape: [1, 9, 9] };
      const { data } = await model.predict(modalities.length > 1 ? modalities.map((/** @type {string} */ name) => (name === 'luma' ? window : none)) : window);
      const wanted = passes ? wave(k, l) : wave(0, 0).fill(0.5), error = Math.max(...wanted.map((v, i) => Math.abs(v - data[i])));
      assert.ok(error < 0.01, `${k} ${l} of ${modalities} through ${JSON.stringify(hidden)}: ${error}`);
    }
    model.dispose();
  }
});

test('from it a few epochs of Adam beat the bicubic filter, where random weights are far below', async () => {
  const [train, unseen] = await Promise.all(['allium-oreophilum', 'airplane-from-above'].map(async name =>
    resize(await imageToTensor(join(tree, 'node_modules', '@stdlib', `datasets-img-${name}`, 'data', 'image.jpg')), { scale: 0.25, method: 'bicubic' })));
  const gain = { cosine: 0, random: 0 };
  for (const start of /** @type {const} */ (['cosine', 'random'])) {
    const resolver = new SuperResolver();
    await resolver.fit([train], { network: 'matnet', patches: 3000, epochs: 6, batchSize: 50, start, validationSplit: 0, seed: 5 });
    const { psnr, bicubic } = await resolver.evaluate([unseen]);
    gain[start] = psnr - bicubic.psnr;
    resolver.dispose();
  }
  assert.ok(gain.cosine > 0.5, `${gain.cosine} dB over the bicubic filter`);
  assert.ok(gain.random < gain.cosine - 2, `${gain.random} dB from random weights`);
});

test('a start is one of two', () => refuses(() => new SuperResolver().fit([{ data: new Uint8Array(1024), shape: [32, 32, 1] }], /** @type {any} */ ({ network: 'matnet', start: 'zero' })), 'argument', /start = "zero"/));
