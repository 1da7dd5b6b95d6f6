// The page that says what is in a picture, with a small network whose file is made here.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import sharp from 'sharp';
import { readSafetensors, toFloat32, writeSafetensors } from '../../bindings/files/index.js';
import { recipes } from '../../bindings/recipes.js';
import { openNetwork } from '../../web/classify/networks.js';
import { dataPath, without } from '../api/datakit.js';
import { withPage } from './pagekit.js';

const path = 'web/classify/';
const said = (page, pattern) => page.waitForFunction(
  (source) => new RegExp(source).test(document.getElementById('status').textContent), pattern.source, { polling: 50 });
const file = (name, buffer) => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(buffer) });

/** A fresh CIFAR ResNet-20 under PyTorch's names and layout. */
async function weights() {
  const net = await recipes.cifarResnet20({ seed: 3 }), bytes = await asPyTorch(net);
  net.dispose();
  return bytes;
}

/** @param {import('../../bindings/index.js').Model} net */
async function asPyTorch(net) {
  const tensors = new Map();
  const names = { kernel: 'weight', gamma: 'weight', beta: 'bias', bias: 'bias', runningMean: 'running_mean', runningVariance: 'running_var' };
  for (const [name, { data, shape }] of Object.entries(await net.getWeights())) {
    const [layer, weight] = name.split('/');
    tensors.set(`module.${layer}.${names[weight]}`, shape.length === 4 ? turned(data, shape) : { data, shape });
  }
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
    await said(page, /^CIFAR ResNet-20 with 10 classes \(10 labels\), .* as in torchvision$/);
    await page.setInputFiles('#labels', file('labels.txt', 'zero\none\n'));
    await said(page, /2 labels do not fit, and are not used/);
    await page.waitForFunction(() => /^class \d$/.test(document.querySelector('#bars .name').textContent));
    await page.click('#load');
    await page.waitForFunction(() => /address/.test(document.getElementById('errors').textContent));
  });
});

const firstBar = (page) => page.textContent('#bars .name');
const untilText = (page, id, pattern) => page.waitForFunction(
  ([place, wanted]) => new RegExp(wanted).test(document.getElementById(place).textContent), [id, pattern.source], { polling: 50 });

test('an address, by keyboard: waiting can be cancelled; what is dropped or chosen again counts; phones; without isolation', async () => {
  const bytes = Buffer.from(await weights());
  await withPage({ path, isolated: false, context: { viewport: { width: 360, height: 740 } } }, async (page) => {
    const answers = [null, bytes];
    let answer = () => {}, ask = () => {};
    const later = new Promise((resolve) => { answer = () => resolve(undefined); }), asked = new Promise((resolve) => { ask = () => resolve(undefined); });
    await page.route('**/net.safetensors', async (route) => {
      const body = answers.shift();
      ask();
      if (body === null) await later;
      await route.fulfill({ body: body ?? '' }).catch(() => {}); // by then the page has given it up
    });
    await said(page, /Choose a file/);
    await page.focus('#url');
    await page.keyboard.type('net.safetensors');
    await page.keyboard.press('Enter');
    await said(page, /^Reading net\.safetensors$/);
    await asked;
    await page.focus('#cancel');
    await page.keyboard.press('Enter');
    await said(page, /^Choose a file of weights$/);
    assert.equal(await page.isVisible('#cancel'), false);
    assert.equal(await page.evaluate(() => document.activeElement.id), 'load');
    assert.equal(await page.textContent('#errors'), '');
    answer();
    await page.keyboard.press('Enter');
    await said(page, /CIFAR ResNet-20 with 10 classes/);
    await page.evaluate(async (data) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([Uint8Array.from(data)], 'dropped.png', { type: 'image/png' }));
      document.getElementById('drop').dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
    }, [...await picture(10)]);
    await untilText(page, 'spoken', /^class \d, \d+ per cent$/);
    await untilText(page, 'engine', /^heddle-st.*, 1 thread$/);
    const before = await page.textContent('#bars');
    answers.push(bytes);
    await page.selectOption('[name="preprocessing"]', 'tensorflow');
    await said(page, /as in TensorFlow$/);
    await page.waitForFunction((old) => document.getElementById('bars').textContent !== old, before);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'it fits the phone');
  });
});

test('a network of this library, with its classes; the webcam, and another network while it runs', async () => {
  const net = await recipes.cifarResnet20({ seed: 3, classes: 3 }), own = await net.save('bytes', { metadata: { classes: ['ant', 'bee', 'cat'] } });
  net.dispose();
  const other = await weights();
  await withPage({ path, context: { permissions: ['camera'] } }, async (page) => {
    await said(page, /Choose a file/);
    assert.equal(await page.getAttribute('#webcam', 'aria-disabled'), 'true');
    await page.setInputFiles('#weights', file('own.safetensors', own));
    await said(page, /^cifarResnet20 with 3 classes, 2[\d,]+ parameters$/);
    await page.click('#webcam');
    await untilText(page, 'fps', /^\d+\.\d pictures a second$/);
    assert.match(await firstBar(page), /^(ant|bee|cat)$/);
    assert.equal(await page.locator('#bars li:visible').count(), 3);
    await page.setInputFiles('#weights', file('other.safetensors', other));
    await said(page, /CIFAR ResNet-20 with 10 classes/);
    await page.waitForFunction(() => /^class \d$/.test(document.querySelector('#bars .name').textContent));
    assert.match(await page.textContent('#fps'), /pictures a second/);
    await page.click('#webcam');
    assert.deepEqual([await page.textContent('#webcam'), await page.textContent('#fps'), await page.textContent('#errors')], ['Use the webcam', '', '']);
    await page.evaluate(() => { // two clicks before the user has answered: the camera is not left on
      const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (wanted) => {
        await new Promise((resolve) => { setTimeout(resolve, 200); });
        return globalThis.stream = await ask(wanted);
      };
    });
    await page.click('#webcam');
    await page.click('#webcam');
    await page.waitForFunction(() => globalThis.stream?.getTracks().every((track) => track.readyState === 'ended'));
    assert.deepEqual([await page.textContent('#webcam'), await page.textContent('#errors')], ['Use the webcam', '']);
  });
});

test('a camera that is refused, or goes away, is told', async () => {
  const bytes = await weights();
  await withPage({ path }, async (page) => {
    await said(page, /Choose a file/);
    await page.setInputFiles('#weights', file('net.safetensors', bytes));
    await said(page, /with 10 classes/);
    await page.click('#webcam');
    await untilText(page, 'errors', /The camera was not allowed/);
    await page.context().grantPermissions(['camera']);
    await page.evaluate(() => {
      const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (wanted) => globalThis.stream = await ask(wanted);
    });
    await page.click('#webcam');
    await untilText(page, 'fps', /pictures a second/);
    await page.evaluate(() => globalThis.stream.getVideoTracks()[0].dispatchEvent(new Event('ended')));
    await untilText(page, 'errors', /The camera is gone/);
    assert.equal(await page.textContent('#webcam'), 'Use the webcam');
  });
});

test('files of MobileNetV2: 1,000 classes are prepared as in torchvision, 1,001 as in TensorFlow', async () => {
  for (const [classes, how] of [[1000, 'torchvision'], [1001, 'tensorflow']]) {
    const net = await recipes.mobilenetV2({ classes, seed: 3, padding: how, preprocessing: how }), x = { data: Uint8Array.from({ length: 150528 }, (_, i) => i % 251), shape: [1, 224, 224, 3] };
    const wanted = { kind: 'auto', preprocessing: 'auto' }, opened = await openNetwork(new Blob([await asPyTorch(net)]), wanted, new AbortController().signal);
    assert.deepEqual([opened.label, opened.prepared, opened.classes], ['MobileNetV2', how, classes]);
    assert.deepEqual(await opened.net.predict(x), await net.predict(x));
    for (const one of [net, opened.net]) one.dispose();
  }
});

const mobilenet = 'weights/mobilenet_v2_1.0_224_imagenet_bnfolded_f16.safetensors', expectedFile = 'weights/check/expected.json', names = 'weights/imagenet_labels_1001.txt';
test('the real MobileNetV2 names the same five classes as PyTorch', { skip: without(mobilenet, expectedFile, names) }, async () => {
  const labels = readFileSync(dataPath(names), 'utf8').split('\n'), expected = Object.entries(JSON.parse(readFileSync(dataPath(expectedFile), 'utf8')));
  await withPage({ path }, async (page) => {
    await said(page, /Choose a file/);
    await page.setInputFiles('#labels', dataPath(names));
    await page.setInputFiles('#weights', dataPath(mobilenet));
    await said(page, /1,001 classes \(1,001 labels\)/);
    for (const [name, { mobilenet_v2: { top5 } }] of expected) {
      const first = labels[top5[0].index].trim();
      await page.setInputFiles('#image', dataPath('weights', 'check', `${name}.png`));
      await page.waitForFunction((wanted) => document.querySelector('#bars .name').textContent === wanted, first);
      assert.deepEqual(await page.locator('#bars .name').allTextContents(), top5.map(({ index }) => labels[index].trim()), name);
    }
    assert.equal(expected.length, 8);
  });
});
