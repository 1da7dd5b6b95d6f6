// heddle/images in Chromium: whatever a page can have as a picture gives the same bytes. Functions given to page.evaluate run in the page.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { withPage } from './pagekit.js';

const path = 'tests/browser/blank.html';

/** 2 rows of 3 pixels, RGBA: red, green, blue; white, half transparent black, transparent. */
const rgba = [255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 255, 255, 255, 255, 0, 0, 0, 128, 9, 9, 9, 0];
const onWhite = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 127, 127, 127, 255, 255, 255];
const opaque = rgba.map((value, i) => (i % 4 === 3 ? 255 : value));
const encoded = [...await sharp(Uint8Array.from(rgba), { raw: { width: 3, height: 2, channels: 4 } }).png().toBuffer()];

/** @param {number[]} got @param {number[]} wanted @param {string} where @param {number} [tolerance] */
function near(got, wanted, where, tolerance = 1) {
  assert.equal(got.length, wanted.length, where);
  wanted.forEach((value, i) => assert.ok(Math.abs(got[i] - value) <= tolerance, `${where}, element ${i}: ${got[i]}, expected ${value}`));
}

test('Blob, File, <img>, ImageBitmap, ImageData, canvases, VideoFrame and raw pixels give the same RGB bytes, on white', async () => {
  await withPage({ path }, async (page) => {
    await page.route('**/slow.png', async (route) => {
      await new Promise((resolve) => { setTimeout(resolve, 300); });
      await route.fulfill({ body: Buffer.from(encoded), contentType: 'image/png' });
    });
    const found = await page.evaluate(async ({ bytes, pixels }) => {
      const { imageToTensor } = await import('/bindings/images/index.js');
      const blob = new Blob([Uint8Array.from(bytes)], { type: 'image/png' }), data = new ImageData(Uint8ClampedArray.from(pixels), 3, 2);
      const canvas = Object.assign(document.createElement('canvas'), { width: 3, height: 2 }), offscreen = new OffscreenCanvas(3, 2);
      for (const surface of [canvas, offscreen]) surface.getContext('2d').putImageData(data, 0, 0);
      const sources = {
        Blob: blob, File: new File([blob], 'a.png'), ImageBitmap: await createImageBitmap(blob), ImageData: data, canvas, offscreen,
        VideoFrame: new VideoFrame(offscreen, { timestamp: 0 }), raw: { data: Uint8Array.from(pixels), width: 3, height: 2 },
      };
      const results = {}, take = async (name, source) => {
        const { data: got, shape } = await imageToTensor(source);
        results[name] = { shape, data: [...got], kind: got.constructor.name };
      };
      for (const [name, source] of Object.entries(sources)) await take(name, source);
      results.alpha = { ...await imageToTensor(blob, { channels: 4 }) };
      results.alpha.data = [...results.alpha.data];
      await take('img', Object.assign(new Image(), { src: 'slow.png' })); // which is not loaded yet
      sources.VideoFrame.close();
      return results;
    }, { bytes: encoded, pixels: rgba });
    const { alpha, ...opaques } = found;
    assert.deepEqual(alpha.shape, [2, 3, 4]);
    near(alpha.data, rgba.map((value, i) => (i >= 20 && i < 23 ? 0 : value)), 'with alpha'); // browsers drop the colour under nothing
    assert.equal(Object.keys(opaques).length, 9);
    for (const [name, { shape, data, kind }] of Object.entries(opaques)) {
      assert.deepEqual([shape, kind], [[2, 3, 3], 'Uint8Array'], name);
      near(data, onWhite, name);
    }
  });
});

test('sizes, fits, background and grey, as in Node; shrinking averages; the orientation mark of cameras is respected', async () => {
  const turned = [...await sharp(Uint8Array.from(opaque), { raw: { width: 3, height: 2, channels: 4 } }).removeAlpha().withMetadata({ orientation: 6 }).png().toBuffer()];
  await withPage({ path }, async (page) => {
    const found = await page.evaluate(async ({ pixels, oriented }) => {
      const { imageToTensor, imagesToTensor } = await import('/bindings/images/index.js');
      const fits = [], raw = (width, height, value) => ({ data: new Uint8Array(3 * width * height).map(value), width, height });
      for (const fit of ['fill', 'cover', 'contain']) {
        const { data, shape } = await imageToTensor(raw(40, 20, () => 100), { width: 10, height: 10, fit, background: [7, 8, 9] });
        fits.push({ fit, shape, corner: [...data.subarray(0, 3)], middle: data[(5 * 10 + 5) * 3] });
      }
      const small = await imageToTensor(raw(64, 64, (_, i) => (Math.floor(i / 3) % 2) * 255), { width: 8, height: 8 });
      const grey = await imageToTensor({ data: Uint8Array.from(pixels), width: 3, height: 2 }, { channels: 1 });
      const black = await imageToTensor({ data: Uint8Array.from([0, 0, 0, 0]), width: 1, height: 1 }, { background: [0, 0, 0] });
      const turnedBack = await imageToTensor(new Blob([Uint8Array.from(oriented)]));
      const done = [], batch = await imagesToTensor([raw(2, 2, () => 5), raw(3, 1, () => 6)], { width: 2, height: 2, onProgress: (n) => done.push(n) });
      return { fits, small: [...small.data], grey: [...grey.data], black: [...black.data], turned: { shape: turnedBack.shape, data: [...turnedBack.data] },
        batch: { shape: batch.shape, data: [...batch.data], done } };
    }, { pixels: rgba, oriented: turned });
    for (const { fit, shape, corner, middle } of found.fits) {
      assert.deepEqual([shape, corner, middle], [[10, 10, 3], fit === 'contain' ? [7, 8, 9] : [100, 100, 100], 100], fit);
    }
    near(found.small, Array(192).fill(127.5), 'columns of black and white, shrunk', 8); // points sampled would be 0 or 255
    near(found.grey, [76, 150, 29, 255, 127, 255], 'grey');
    near(found.black, [0, 0, 0], 'background');
    assert.deepEqual(found.turned.shape, [3, 2, 3]);
    near(found.turned.data.slice(3, 6), [255, 0, 0], 'turned clockwise by 90 degrees');
    assert.deepEqual(found.batch, { shape: [2, 2, 2, 3], data: [...Array(12).fill(5), ...Array(12).fill(6)], done: [1, 2] });
  });
});

test('a video gives its present picture; in a worker it works without a document', async () => {
  await withPage({ path }, async (page) => {
    const { early, video, worker } = await page.evaluate(async (bytes) => {
      const { imageToTensor } = await import('/bindings/images/index.js');
      const canvas = Object.assign(document.createElement('canvas'), { width: 32, height: 32 }), context = canvas.getContext('2d');
      context.fillStyle = 'rgb(200 100 50)';
      context.fillRect(0, 0, 32, 32);
      const element = Object.assign(document.createElement('video'), { muted: true });
      const refused = await imageToTensor(element).then(() => null, ({ code, message }) => ({ code, message }));
      element.srcObject = canvas.captureStream(30);
      const redraw = setInterval(() => context.fillRect(0, 0, 32, 32), 20);
      await element.play();
      const { data, shape } = await imageToTensor(element, { width: 4, height: 4 });
      clearInterval(redraw);
      const code = `self.onmessage = async ({ data }) => {
        const { imageToTensor } = await import(data.module);
        postMessage((await imageToTensor(data.blob)).data);
      };`;
      const thread = new Worker(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })), { type: 'module' });
      const answer = new Promise((resolve, reject) => { thread.onmessage = (event) => resolve([...event.data]); thread.onerror = reject; });
      thread.postMessage({ module: new URL('/bindings/images/index.js', location.href).href, blob: new Blob([Uint8Array.from(bytes)]) });
      return { early: refused, video: { shape, data: [...data] }, worker: await answer };
    }, encoded);
    assert.deepEqual([early?.code, /the video has no picture yet/.test(early?.message ?? '')], ['state', true]);
    assert.deepEqual(video.shape, [4, 4, 3]);
    near(video.data, Array.from({ length: 48 }, (_, i) => [200, 100, 50][i % 3]), 'video', 6); // by way of YUV, perhaps
    near(worker, onWhite, 'worker');
  });
});

test('what is no picture is refused by name: a cause each', async () => {
  const noise = Uint8Array.from({ length: 3 * 64 * 64 }, (_, i) => (i * i * 7) % 251);
  const jpeg = [...await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } }).jpeg().toBuffer()];
  await withPage({ path }, async (page) => {
    const errors = await page.evaluate(async ({ bytes, cut }) => {
      const { imageToTensor, imagesToTensor, folderOfImages } = await import('/bindings/images/index.js');
      const good = new Blob([Uint8Array.from(bytes)]), closed = await createImageBitmap(good), text = new File(['no picture'], 'text.png');
      closed.close();
      const attempts = {
        text: () => imageToTensor(text), empty: () => imageToTensor(new File([], 'empty.png')), cut: () => imageToTensor(new File([Uint8Array.from(cut)], 'cut.jpg')),
        closed: () => imageToTensor(closed), canvas: () => imageToTensor(Object.assign(document.createElement('canvas'), { width: 0, height: 5 })),
        second: () => imagesToTensor([good, text], { width: 2, height: 2 }), path: () => imageToTensor('a.png'),
        image: () => imageToTensor(Object.assign(new Image(), { src: 'data:image/png;base64,AAAA' })), folder: () => folderOfImages('/tmp'),
      };
      const told = {};
      for (const [name, attempt] of Object.entries(attempts)) told[name] = await attempt().then(() => 'no error', (error) => `${error.name} ${error.code}: ${error.message}`);
      return told;
    }, { bytes: encoded, cut: jpeg.slice(0, jpeg.length / 2) });
    const wanted = {
      text: /^HeddleError file: imageToTensor: picture "text\.png": the browser can't decode it/, empty: /^HeddleError file: .*"empty\.png"/,
      cut: /^HeddleError file: .*"cut\.jpg"/, closed: /^HeddleError file: .*it is empty \(0 x 0 pixels\)/, canvas: /^HeddleError file: .*it is empty \(0 x 5 pixels\)/,
      second: /^HeddleError file: imagesToTensor: picture 1 "text\.png"/, path: /^HeddleError argument: .*expected a Blob or File.*got string/,
      image: /^HeddleError file: /, folder: /^HeddleError unsupported: folderOfImages: only in Node/,
    };
    for (const [name, pattern] of Object.entries(wanted)) assert.match(errors[name], pattern, name);
    assert.deepEqual(Object.keys(errors), Object.keys(wanted));
  });
});
