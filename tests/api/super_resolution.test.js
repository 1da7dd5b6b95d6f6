// Enlarging pictures: training, tiles against the whole, colours and alpha, odd sizes, files, refusals.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import sharp from 'sharp';
import { derivatives, resize, rgbToYcbcr } from '../../bindings/images/index.js';
import { info, optimizers } from '../../bindings/index.js';
import { build } from '../../bindings/model.js';
import { SuperResolver } from '../../bindings/super_resolution/index.js';
import { mirrored, orientations, part, turned } from '../../bindings/super_resolution/planes.js';
import { spans } from '../../bindings/super_resolution/tiles.js';
import { bits, fresh, numbers, refuses, threaded } from './modelkit.js';

/** Edges and waves, so that there is something to learn: [height, width, channels] of bytes. */
function scene(height, width, channels, seed = 1) {
  const [a, b, c, d] = numbers(4, seed), data = new Uint8Array(height * width * channels);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const wave = Math.sin((0.1 + 0.3 * a) * i + (0.1 + 0.3 * b) * j), edge = 60 * Math.tanh(3 * Math.sin((c - 0.5) * i + (d - 0.4) * j));
      for (let k = 0; k < channels; k++) data[(i * width + j) * channels + k] = Math.round(128 + 50 * wave * (k === 1 ? -1 : 1) + edge);
    }
  }
  return { data, shape: [height, width, channels] };
}

const noise = (height, width, channels, seed = 1) => ({ data: Uint8Array.from(numbers(height * width * channels, seed), v => 256 * v), shape: [height, width, channels] });
const scenes = [1, 2, 3, 4, 5].map(seed => scene(60, 52, seed % 2 ? 1 : 3, seed));
const quick = { filters: [8, 8], patch: 10, patches: 400, epochs: 10, learningRate: 5e-3, seed: 3 };
const tiny = { network: 'matnet', patch: 7, hidden: [4, 4], patches: 300, maxIterations: 20, seed: 3 };

/** @type {SuperResolver} */ let conv;
/** @type {SuperResolver} */ let matnet;
before(async () => {
  await fresh();
  conv = new SuperResolver();
  await conv.fit(scenes, quick);
  matnet = new SuperResolver();
  await matnet.fit(scenes, tiny);
});

test('planes: parts beyond the border are mirrored, the eight orientations are different and come back', () => {
  assert.deepEqual([-4, -1, 0, 2, 3, 7].map(i => mirrored(i, 3)), [2, 0, 0, 2, 2, 1]);
  const plane = numbers(12), seen = new Set();
  assert.deepEqual([...part(plane, 3, 4, -1, 3, 2, 2)], [plane[3], plane[3], plane[3], plane[3]]);
  for (let k = 0; k < orientations; k++) {
    const one = turned(plane, 3, 4, k);
    seen.add(one.join());
    assert.deepEqual(turned(one, 3, 4, k, true), plane);
  }
  assert.equal(seen.size, 8);
  assert.deepEqual([...turned(Float32Array.of(1, 2, 3, 4, 5, 6), 2, 3, 4)], [1, 4, 2, 5, 3, 6]);
  for (const [length, most] of [[1, 8], [8, 8], [9, 8], [257, 128], [300, 128]]) {
    const { size, starts } = spans(length, most), covered = new Set(starts.flatMap(start => Array.from({ length: size }, (_, i) => start + i)));
    assert.ok(size <= most && covered.size === length && Math.max(...covered) === length - 1);
  }
});

test('a training reports loss, held-out PSNR and that of the bicubic filter; the best epoch stays; the same seed gives the same bits', async () => {
  const resolver = new SuperResolver(), seen = [], learning = [], phases = new Set();
  assert.deepEqual([resolver.scale, resolver.network, resolver.report, resolver.model], [null, null, null, null]);
  const report = await resolver.fit(scenes, { ...quick, onEpochEnd: async (epoch, one, now) => {
    seen.push([epoch, one]);
    learning.push([now.bicubic, now.model.parameters, Object.values(await now.model.getWeights())[0].data[0]]);
  }, onProgress: ({ phase }) => phases.add(phase) });
  assert.ok(learning.every(([bicubic, parameters]) => bicubic === report.bicubic && parameters === report.parameters) && new Set(learning.map(([, , w]) => w)).size === learning.length);
  assert.deepEqual(seen, report.epochs.map((one, i) => [i, one]));
  assert.deepEqual([...phases], ['pictures', 'training']);
  assert.deepEqual([report.pictures, report.heldOut, report.tooSmall, report.parameters], [5, 1, 0, 9 * 8 + 8 + 9 * 64 + 8 + 9 * 32 + 4]);
  const best = Math.max(...report.epochs.map(({ psnr: dB }) => dB));
  assert.ok(report.epochs[report.bestEpoch].psnr === best && best > report.bicubic + 0.5, `${best} against ${report.bicubic}`);
  assert.deepEqual([resolver.scale, resolver.network, resolver.config.filters], [2, 'conv', [8, 8]]);
  assert.deepEqual(await bits(resolver.model), await bits(conv.model));
  const { psnr: reached, ssim, bicubic, images } = await resolver.evaluate(scenes);
  assert.ok(reached > bicubic.psnr + 0.5 && ssim > bicubic.ssim && images.length === 5);
  resolver.dispose();
  assert.equal(resolver.network, null);
});

test('evaluate: PSNR of luma bytes over every pixel, as written out; crop; pictures that were shrunk elsewhere', async () => {
  const high = scene(41, 33, 1, 9), even = { data: Uint8Array.from({ length: 40 * 32 }, (_, i) => high.data[Math.floor(i / 32) * 33 + i % 32]), shape: [40, 32, 1] };
  const low = await resize(even, { height: 20, width: 16, method: 'bicubic' }), large = await conv.upscale(low), enlarged = await resize(low, { scale: 2, method: 'bicubic' });
  const dB = (a, crop = 0) => {
    let sum = 0, count = 0;
    for (let i = crop; i < 40 - crop; i++) for (let j = crop; j < 32 - crop; j++, count++) sum += (a.data[i * 32 + j] - even.data[i * 32 + j]) ** 2;
    return 10 * Math.log10(255 ** 2 * count / sum);
  };
  for (const [pairs, crop] of [[[high], 0], [[{ low, high: even }], 0], [[high], 3]]) {
    const { images: [one] } = await conv.evaluate(pairs, { crop });
    assert.ok(Math.abs(one.psnr - dB(large, crop)) < 1e-6 && Math.abs(one.bicubic.psnr - dB(enlarged, crop)) < 1e-6);
  }
  assert.ok(Number.isNaN((await conv.evaluate([scene(9, 9, 1)])).ssim));
  await refuses(() => conv.evaluate([{ low, high }]), 'shape', /low is 20 x 16, high 41 x 33: expected 2 times/);
  await refuses(() => conv.evaluate([high], { crop: 20 }), 'argument', /crop = 20 leaves nothing/);
});

test('blocks give what the network says of the whole picture; tiles of any size the same bits', async () => {
  const height = 150, width = 290, low = noise(height, width, 1), data = Float32Array.from(low.data, v => v / 255), pad = 3;
  const { nodes: [first, ...rest], ...other } = conv.model.description, { model: whole } = await build({ ...other, nodes: [{ ...first, shape: [height + 2 * pad, width + 2 * pad, 1] }, ...rest] });
  await whole.setWeights(await conv.model.getWeights());
  const x = part(data, height, width, -pad, -pad, height + 2 * pad, width + 2 * pad), { data: residual } = await whole.predict({ data: x, shape: [1, height + 2 * pad, width + 2 * pad, 1] });
  const base = (await resize({ data, shape: [height, width, 1] }, { scale: 2, method: 'bicubic' })).data, wanted = base.map((v, i) => v + residual[i]);
  const { data: got, shape } = await conv.upscale(low);
  assert.deepEqual(shape, [300, 580, 1]);
  let different = 0;
  got.forEach((v, i) => { // a different Winograd grid may round a value on the border of two bytes the other way
    const exact = Math.min(Math.max(255 * wanted[i], 0), 255);
    assert.ok(Math.abs(v - exact) <= 0.5 + 1e-3, `${i}: ${v}, expected ${exact}`);
    different += Number(v !== Math.min(Math.max(Math.floor(exact + 0.5), 0), 255));
  });
  assert.ok(different <= 20, `${different} of ${got.length}`);
  for (const tile of [1, 150, 300, 1000]) assert.deepEqual((await conv.upscale(low, { tile })).data, got);
  whole.dispose();
});

/** The mean over all windows at each pixel, window by window. */
async function windowsOneByOne(model, low, size) {
  const [height, width] = low.shape, data = Float32Array.from(low.data, v => v / 255), [tall, wide] = [2 * height, 2 * width];
  const base = await resize({ data, shape: [height, width, 1] }, { scale: 2, method: 'bicubic' }), { x, y, xx, yy } = await derivatives(base);
  const sum = new Float64Array(tall * wide), count = new Float64Array(tall * wide), cut = ({ data: plane }, i, j) => part(plane, tall, wide, i, j, size, size);
  for (let i = 0; i <= tall - size; i++) {
    const rows = [base, x, y, xx, yy].map(plane => ({ data: Float32Array.from(Array.from({ length: wide - size + 1 }, (_, j) => [...cut(plane, i, j)]).flat()), shape: [wide - size + 1, size, size] }));
    const { data: out } = await model.predict(rows);
    for (let j = 0; j <= wide - size; j++) {
      for (let e = 0; e < size * size; e++) {
        const at = (i + Math.floor(e / size)) * wide + j + e % size;
        sum[at] += out[j * size * size + e];
        count[at]++;
      }
    }
  }
  assert.equal(count[3 * wide + 3], 16);
  return sum.map((v, i) => v / count[i]);
}

test('matrix networks: every window inside, the mean over those at a pixel, in blocks as in one piece; with one hidden matrix and with several', async () => {
  const low = noise(35, 20, 1, 5), chain = new SuperResolver();
  await chain.fit(scenes, { ...tiny, hidden: [[4, 4], [5, 3]], maxIterations: 5 });
  for (const resolver of [matnet, chain]) {
    const wanted = await windowsOneByOne(resolver.model, low, 7), { data: got } = await resolver.upscale(low);
    got.forEach((v, i) => assert.ok(Math.abs(v - Math.min(Math.max(255 * wanted[i], 0), 255)) <= 0.501, `${i}: ${v}`));
    assert.deepEqual((await resolver.upscale(low, { tile: 100 })).data, got);
  }
  chain.dispose();
});

test('colour: a grey picture in RGB is the grey one; luma by the network, Cb and Cr by the bicubic filter; transparent colours do not shine through', async () => {
  const grey = scene(24, 30, 1, 7), rgb = { data: Uint8Array.from({ length: 24 * 30 * 3 }, (_, i) => grey.data[Math.floor(i / 3)]), shape: [24, 30, 3] };
  const { data } = await conv.upscale(rgb);
  assert.ok(data.every((v, i) => v === data[i - i % 3]), 'no colour comes in');
  const flat = { data: Uint8Array.from({ length: 20 * 20 * 3 }, (_, i) => [200, 30, 90][i % 3]), shape: [20, 20, 3] }, one = await matnet.upscale(flat), two = await matnet.upscale({ ...flat, shape: [20, 20, 3] });
  assert.deepEqual(one, two);
  const photo = noise(20, 22, 3, 8), large = await conv.upscale(photo), [ycbcr, wanted] = await Promise.all([rgbToYcbcr(large), resize(await rgbToYcbcr(photo), { scale: 2, method: 'bicubic' })]);
  let inside = 0, near = 0;
  for (let i = 0; i < large.data.length; i += 3) {
    if ([0, 1, 2].some(k => large.data[i + k] === 0 || large.data[i + k] === 255)) continue;
    inside++;
    near += Number(Math.abs(ycbcr.data[i + 1] - wanted.data[i + 1]) <= 2 && Math.abs(ycbcr.data[i + 2] - wanted.data[i + 2]) <= 2);
  }
  assert.ok(inside > 200 && near === inside, `${near} of ${inside}`);
  // the luma is what the network makes of the luma as a grey picture, but for what rounding to bytes does
  const own = await rgbToYcbcr(photo), luma = await conv.upscale({ data: own.data.filter((_, i) => i % 3 === 0), shape: [20, 22, 1] });
  let error = 0;
  for (let i = 0; i < large.data.length; i += 3) {
    if ([0, 1, 2].every(k => large.data[i + k] > 0 && large.data[i + k] < 255)) error += Math.abs(ycbcr.data[i] - luma.data[i / 3]) / inside;
  }
  assert.ok(error < 0.6, `mean difference of the luma ${error}`);
  // half transparent: alpha by the bicubic filter, and whatever is under it makes no difference
  const rgba = (hidden) => ({ data: Uint8Array.from({ length: 20 * 22 * 4 }, (_, i) => {
    const pixel = i >> 2, isHidden = pixel % 22 > 10;
    return i % 4 === 3 ? (isHidden ? 0 : 255) : isHidden ? hidden : photo.data[3 * pixel + i % 4];
  }), shape: [20, 22, 4] });
  const [black, white] = [await conv.upscale(rgba(0)), await conv.upscale(rgba(255))], alpha = await resize({ data: rgba(0).data.filter((_, i) => i % 4 === 3), shape: [20, 22] }, { scale: 2, method: 'bicubic' });
  assert.deepEqual(black.data.filter((_, i) => i % 4 === 3), alpha.data);
  let seen = 0;
  for (let i = 0; i < 40 * 44; i++) {
    if (alpha.data[i] === 0) continue;
    seen++;
    for (let k = 0; k < 3; k++) assert.equal(black.data[4 * i + k], white.data[4 * i + k]);
  }
  assert.ok(seen > 40 * 20);
});

test('pictures smaller than a window or a block, 1 x 1 too; raw pixels; rows as they are ready', async () => {
  for (const resolver of [conv, matnet]) {
    for (const [height, width] of [[1, 1], [1, 9], [2, 3], [14, 14], [33, 1]]) {
      const { data, shape } = await resolver.upscale(noise(height, width, 3, height + width));
      assert.deepEqual([shape, data.length], [[2 * height, 2 * width, 3], 12 * height * width]);
    }
  }
  const image = noise(140, 30, 4, 2), file = await sharp(image.data, { raw: { width: 30, height: 140, channels: 4 } }).png().toBuffer(), whole = await conv.upscale(image), rows = [];
  assert.deepEqual(await conv.upscale({ data: new Uint8ClampedArray(image.data), width: 30, height: 140 }), whole);
  assert.deepEqual(await conv.upscale(file), whole, 'a file with transparent pixels');
  assert.deepEqual((await conv.upscale(await sharp(file).removeAlpha().png().toBuffer())).shape, [280, 60, 3]);
  for await (const band of conv.upscaleBands(image)) {
    assert.deepEqual(band.data, whole.data.subarray(band.row * 240, (band.row + band.shape[0]) * 240));
    rows.push(band.row, band.rows);
  }
  assert.deepEqual(rows, [0, 280, 140, 280]);
});

test('files of all kinds: 16 bits, palettes, inks, several frames; what is no whole picture is refused', async () => {
  const rgb = scene(24, 20, 3, 8), raw = () => sharp(rgb.data, { raw: { width: 20, height: 24, channels: 3 } }), plain = await conv.upscale(rgb);
  assert.deepEqual(await conv.upscale(await raw().toColourspace('rgb16').png().toBuffer()), plain);
  const frames = [await raw().png().toBuffer(), await raw().negate().png().toBuffer()], animated = await sharp(frames, { join: { animated: true } }).gif().toBuffer();
  assert.equal((await sharp(animated).metadata()).pages, 2);
  for (const file of [await raw().png({ palette: true }).toBuffer(), await raw().toColourspace('cmyk').jpeg().toBuffer(), animated]) {
    assert.deepEqual((await conv.upscale(file)).shape, [48, 40, 3]);
  }
  const jpeg = await raw().jpeg({ quality: 100 }).toBuffer();
  await refuses(() => conv.upscale(jpeg.subarray(0, jpeg.length / 2)), 'file', /upscale: .*can't be decoded/);
  await refuses(() => conv.upscale(new Uint8Array(0)), 'file', /upscale: .*can't be decoded/);
});

test('selfEnsemble: the mean over the eight orientations, so turning the picture turns the result', async () => {
  const image = scene(21, 17, 1, 6), turn = ({ data, shape: [h, w] }, k) => ({ data: Uint8Array.from(turned(Float32Array.from(data), h, w, k)), shape: k & 4 ? [w, h, 1] : [h, w, 1] });
  for (const resolver of [conv, matnet]) {
    const upright = await resolver.upscale(image, { selfEnsemble: true });
    let differ = 0;
    for (const k of [1, 2, 4, 7]) {
      const wanted = turn(upright, k).data, { data } = await resolver.upscale(turn(image, k), { selfEnsemble: true });
      data.forEach((v, i) => { // sums in another order
        assert.ok(Math.abs(v - wanted[i]) <= 1);
        differ += Number(v !== wanted[i]);
      });
    }
    assert.ok(differ <= 4, `${differ}`);
    assert.ok((await resolver.upscale(image)).data.some((v, i) => v !== upright.data[i]));
  }
});

test('scales 3 and 4, residual and literal matrix networks, several hidden matrices, sparsity: trained, used, loaded', async () => {
  const high = scenes[0], kinds = [{ ...quick, epochs: 1, scale: 3, patch: 6 }, { ...quick, epochs: 1, scale: 4, patch: 6, kernelSize: [5, 3, 1], activation: 'leakyRelu' },
    { ...tiny, maxIterations: 3, mode: 'residual', scale: 3, hidden: [[5, 4], [4, 4]], modalities: ['luma', 'xx'] },
    { ...tiny, maxIterations: 3, mode: 'literal', sparsity: { rho: 0.1, beta: 1e-4 }, weightDecay: 1e-7 }, { ...tiny, maxIterations: 3, modalities: ['luma'] },
    { ...tiny, maxIterations: undefined, optimizer: 'adam', epochs: 2 }];
  for (const kind of kinds) {
    const resolver = new SuperResolver(), { epochs } = await resolver.fit(scenes, kind), { shape } = await resolver.upscale(noise(15, 13, 3));
    assert.ok(epochs.length >= 1 && epochs.every(({ loss }) => Number.isFinite(loss)));
    assert.deepEqual(shape, [15 * resolver.scale, 13 * resolver.scale, 3]);
    const back = await SuperResolver.load(await resolver.save('bytes', { about: { pictures: 'scenes' } }));
    assert.deepEqual(await back.upscale(high), await resolver.upscale(high));
    const kept = JSON.parse(JSON.stringify(resolver.report), (_, value) => (typeof value === 'number' ? Number(value.toPrecision(6)) : value)); // six digits are stored
    assert.deepEqual([back.config, back.report, back.training.options.seed, back.training.about], [resolver.config, kept, 3, { pictures: 'scenes' }]);
    for (const one of [resolver, back]) one.dispose();
  }
});

/** The bicubic filter, rounded to bytes as enlargements are. @param {{ data: Uint8Array, shape: number[] }} image */
async function bicubic(image) {
  const { data } = await resize({ data: Float32Array.from(image.data, v => v / 255), shape: image.shape }, { scale: 2, method: 'bicubic' });
  return Uint8Array.from(data, v => Math.min(Math.max(255 * v + 0.5, 0), 255));
}

test('the residual network that predicts nothing is the bicubic filter, over blocks too; colours beside transparent pixels stay', async () => {
  const narrow = new SuperResolver(); // whose blocks need less around them than the filter
  await narrow.fit(scenes, { ...quick, filters: [2], kernelSize: 1, epochs: 1 });
  for (const [one, image] of [[await SuperResolver.load(await conv.save('bytes')), noise(30, 31, 1)], [narrow, noise(150, 140, 1)]]) {
    const weights = await one.model.getWeights();
    await one.model.setWeights(Object.fromEntries(Object.entries(weights).map(([name, { data, shape }]) => [name, { data: data.fill(0), shape }])));
    assert.deepEqual((await one.upscale(image)).data, await bicubic(image));
    const colour = [200, 30, 90], half = { data: Uint8Array.from({ length: 12 * 14 * 4 }, (_, i) => ((i >> 2) % 14 < 7 ? [...colour, 255][i % 4] : 0)), shape: [12, 14, 4] };
    const { data } = await one.upscale(half);
    assert.ok(data.every((v, i) => i % 4 === 3 || data[i - i % 4 + 3] === 0 || v === colour[i % 4]), 'nothing shines through at the edge');
    one.dispose();
  }
});

test('warm start goes on; a fit that is stopped leaves the best weights so far, or what was before', async () => {
  const resolver = new SuperResolver(), controller = new AbortController();
  await refuses(() => resolver.fit(scenes, { ...quick, warmStart: true }), 'argument', /warmStart: this resolver has no network yet/);
  await assert.rejects(resolver.fit(scenes, { ...quick, signal: AbortSignal.abort() }), { name: 'AbortError' });
  assert.equal(resolver.model, null);
  await assert.rejects(resolver.fit(scenes, { ...quick, epochs: 50, signal: controller.signal, onEpochEnd: (epoch) => { if (epoch === 1) controller.abort(); } }), { name: 'AbortError' });
  assert.equal(resolver.report.epochs.length, 2);
  const first = await resolver.evaluate(scenes), gone = resolver.model;
  await resolver.fit(scenes, { ...quick, warmStart: true, epochs: 3 });
  assert.ok((await resolver.evaluate(scenes)).psnr > first.psnr);
  await refuses(async () => gone.getWeights(), 'state', /disposed/);
  const kept = await bits(resolver.model), again = new AbortController();
  await assert.rejects(resolver.fit(scenes, { ...quick, signal: again.signal, onProgress: ({ phase }) => { if (phase === 'training') again.abort(); } }), { name: 'AbortError' });
  assert.deepEqual(await bits(resolver.model), kept);
  await refuses(() => resolver.fit(scenes, { ...quick, warmStart: true, filters: [9, 8] }), 'argument', /asked for is/);
  await refuses(() => resolver.fit(scenes, { ...quick, learningRate: undefined, loss: 'meanSquaredError', optimizer: optimizers.sgd({ learningRate: 1e6 }) }), 'diverged', /finite|infinit|NaN/i);
  const running = resolver.fit(scenes, quick);
  await refuses(() => resolver.fit(scenes, quick), 'state', /being fitted/);
  await running;
  resolver.dispose();
});

test('an enlargement that is stopped gives its memory back, and so does one that is done', async () => {
  await conv.upscale(noise(8, 8, 1));
  const before = info().memory.used, controller = new AbortController(), image = noise(300, 20, 3);
  await assert.rejects(conv.upscale(image, { signal: controller.signal, onProgress: ({ done, total }) => { if (done === 1 && total === 3) controller.abort(); } }), { name: 'AbortError' });
  await assert.rejects(conv.upscale(image, { signal: AbortSignal.abort() }), { name: 'AbortError' });
  for await (const band of conv.upscaleBands(image)) if (band.row === 0) break;
  await conv.upscale(noise(9, 8, 1));
  assert.equal(info().memory.used, before);
});

test('refusals say what was wrong', async () => {
  const fit = (images, options) => () => new SuperResolver().fit(images, { ...quick, ...options });
  await refuses(() => new SuperResolver().upscale(scenes[0]), 'state', /upscale: this resolver has no network yet: fit it, or load one/);
  await refuses(() => new SuperResolver().evaluate(scenes), 'state', /evaluate: this resolver has no network yet/);
  await refuses(() => new SuperResolver().save('bytes'), 'state', /save: this resolver has no network yet/);
  await refuses(fit([]), 'argument', /fit: no pictures/);
  await refuses(fit(scenes[0]), 'argument', /expected a list of pictures/);
  await refuses(fit(scenes, { scale: 5 }), 'argument', /scale = 5, expected 2, 3 or 4/);
  await refuses(fit(scenes, { netwrok: 'conv' }), 'argument', /unknown option "netwrok", did you mean "network"/);
  await refuses(fit(scenes, { network: 'unet' }), 'argument', /network = "unet", expected one of conv, matnet/);
  await refuses(fit(scenes, { hidden: [3, 3] }), 'argument', /hidden is an option of network "matnet", this is "conv"/);
  await refuses(fit(scenes, { kernelSize: [3, 4, 3] }), 'argument', /kernelSize = \[3,4,3\], expected an odd number/);
  await refuses(fit(scenes, { optimizer: 'lbfgs', learningRate: undefined }), 'unsupported', /network "conv" gets new ones: take "adam"/);
  await refuses(fit(scenes, { filters: [8, NaN] }), 'argument', /filters\[1\] = NaN/);
  await refuses(fit(scenes, { validationSplit: NaN }), 'argument', /validationSplit = NaN/);
  await refuses(fit([noise(18, 60, 1)], { patch: 10 }), 'shape', /no picture is as large as a patch, 20 x 20 pixels/);
  await refuses(fit([noise(1, 60, 1)]), 'shape', /picture 0: the picture has 1 x 60 pixels, too few to be shrunk by 2/);
  await refuses(fit([{ data: Float32Array.of(NaN), shape: [1, 1, 1] }]), 'argument', /picture 0: expected bytes 0..255/);
  await refuses(fit([scenes[0], new Blob(['no picture'])]), 'file', /fit: picture 1: .*can't be decoded/);
  await refuses(fit([null]), 'argument', /picture 0: expected a picture, got null/);
  await refuses(() => new SuperResolver().fit(scenes, { ...tiny, modalities: ['x', 'luma'] }), 'argument', /modalities = \["x","luma"\], expected "luma" and after it/);
  await refuses(() => new SuperResolver().fit(scenes, { ...tiny, hidden: [3] }), 'argument', /hidden = \[3\], expected \[rows, columns\]/);
  await refuses(() => conv.upscale({ data: new Uint8Array(8), shape: [2, 2, 2] }), 'shape', /2 channels, expected 1 \(grey\), 3 \(RGB\) or 4 \(RGBA\)/);
  await refuses(() => conv.upscale(scenes[0], { tiles: 5 }), 'argument', /unknown option "tiles", did you mean "tile"/);
  await refuses(async () => SuperResolver.load(await conv.model.save('bytes', { metadata: {} })), 'file', /a model, but no super-resolver/);
  await refuses(() => SuperResolver.load(new Uint8Array(20)), 'file', /./);
  await refuses(() => SuperResolver.pretrained({ scale: 5 }), 'unsupported', /no network \(scale 5\) comes with heddle/);
  await refuses(() => SuperResolver.pretrained({ scal: 2 }), 'argument', /did you mean "scale"/);
});

test('threads and a worker: the same bytes', async () => {
  const image = noise(140, 30, 3, 4), wanted = await Promise.all([conv, matnet].map(resolver => resolver.upscale(image)));
  for (const options of [{ threads: 2 }, { threads: 1, worker: true }]) {
    await threaded(options);
    assert.deepEqual(await Promise.all([conv, matnet].map(resolver => resolver.upscale(image))), wanted);
  }
  await fresh();
});
