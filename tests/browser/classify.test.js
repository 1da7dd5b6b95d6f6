// The page that says what is in a picture, with a small network whose file is made here.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { readSafetensors, toFloat32, writeSafetensors } from '../../bindings/files/index.js';
import { recipes } from '../../bindings/recipes.js';
import { withPage } from './pagekit.js';

const path = 'web/classify/';
const said = (page, pattern) => page.waitForFunction(
  (source) => new RegExp(source).test(document.getElementById('status').textContent), pattern.source, { polling: 50 });
const file = (name, buffer) => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(buffer) });

/** A fresh CIFAR ResNet-20 under PyTorch's names and layout. */
async function weights() {
  const net = await recipes.cifarResnet20({ seed: 3 }), tensors = new Map();
  const names = { kernel: 'weight', gamma: 'weight', beta: 'bias', bias: 'bias', runningMean: 'running_mean', runningVariance: 'running_var' };
  for (const [name, { data, shape }] of Object.entries(await net.getWeights())) {
    const [layer, weight] = name.split('/');
    tensors.set(`module.${layer}.${names[weight]}`, shape.length === 4 ? turned(data, shape) : { data, shape });
  }
  net.dispose();
  return writeSafetensors(tensors);
}

/** [O, H, W, I] -> [O, I, H, W] */
function turned(data, [o, h, w, i]) {
  const out = new Float32Array(data.length);
  for (let a = 0; a < o; a++) for (let p = 0; p < h * w; p++) for (let c = 0; c < i; c++) out[(a * i + c) * h * w + p] = data[(a * h * w + p) * i + c];
  return { data: out, shape: [o, i, h, w] };
}

const picture = (red) => sharp({ create: { width: 50, height: 40, channels: 3, background: { r: red, g: 80, b: 200 } } }).png().toBuffer();

test('a network from a file, labels, pictures: five classes with probabilities; wrong files are explained', async () => {
  const bytes = await weights();
  await withPage({ path }, async (page) => {
    await said(page, /Choose a file/);
    await page.setInputFiles('#image', file('red.png', await picture(250)));
    await said(page, /Now choose a network/);
    await page.setInputFiles('#weights', file('net.safetensors', bytes));
    await said(page, /CIFAR ResNet-20 with 10 classes/);
    await page.waitForFunction(() => /\d ms/.test(document.getElementById('time').textContent));
    await page.setInputFiles('#labels', file('labels.txt', 'zero\none\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n'));
    await said(page, /10 labels/);
    await page.waitForFunction(() => /^[a-z]+$/.test(document.querySelector('#bars .name').textContent));
    const parts = (await page.locator('#bars .value').allTextContents()).map(parseFloat);
    assert.equal(parts.length, 5);
    assert.ok(parts.every((part, i) => part >= 0 && part <= (parts[i - 1] ?? 100)), String(parts));
    const errors = () => page.textContent('#errors');
    await page.setInputFiles('#image', file('bad.png', 'no picture'));
    await page.waitForSelector('#errors .error');
    assert.match(await errors(), /bad\.png.* can't decode/);
    await page.setInputFiles('#weights', file('cut.safetensors', bytes.subarray(0, 5000)));
    await page.waitForFunction(() => /safetensors/.test(document.getElementById('errors').textContent));
    const { tensors } = readSafetensors(bytes), less = [...tensors].filter(([name]) => !name.includes('layer2.1'));
    await page.setInputFiles('#weights', file('less.safetensors', writeSafetensors(new Map(less.map(([name, tensor]) => [name, { shape: tensor.shape, data: toFloat32(tensor) }])))));
    await page.waitForFunction(() => /weights are missing: layer2\.1/.test(document.getElementById('errors').textContent));
    await said(page, /CIFAR ResNet-20 stays/);
    await page.click('#load');
    await page.waitForFunction(() => /address/.test(document.getElementById('errors').textContent));
  });
});
