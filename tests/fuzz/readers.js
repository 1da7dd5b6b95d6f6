/** Every reader of files, with good files for it and what it may answer to others. */
import sharp from 'sharp';
import { loadEstimator, Ridge, SlfnClassifier } from '../../bindings/estimators/index.js';
import { gunzip, gzip, readCifar10, readCifar100, readCsv, readIdx, readMat, readNpy, readSafetensors, writeIdx, writeNpy, writeSafetensors } from '../../bindings/files/index.js';
import { imageToTensor } from '../../bindings/images/index.js';
import { layers, load, sequential } from '../../bindings/index.js';
import { importKeras } from '../../bindings/keras/index.js';
import { exportOnnx, importOnnx } from '../../bindings/onnx/index.js';
import { loadQualityModel, qualityModel, readRatings } from '../../bindings/quality/index.js';
import { decode, encode } from '../../bindings/consensus/message.js';
import { HeddleError } from '../../bindings/errors.js';
import { SuperResolver } from '../../bindings/super_resolution/index.js';
import { matFile, matVariable } from '../api/matkit.js';
import { classifier, labelled, numbers } from '../api/modelkit.js';

/**
 * @typedef {object} Reader
 * @property {Uint8Array[]} files good ones, small
 * @property {(bytes: Uint8Array) => unknown} read
 * @property {string[]} codes of the errors that it may answer with
 * @property {number} cost elements of arrays that it may make, a byte of the file; a constant is free
 * @property {boolean} [text] the files are texts
 * @property {boolean} [isEngine] of a file whose model must be run
 */

const utf8 = (/** @type {string} */ text) => new TextEncoder().encode(text);

/** What a reader made is used once, and let go of. @param {any} made @param {() => unknown} [use] */
async function used(made, use) {
  try {
    await use?.();
  } finally {
    made.dispose();
  }
}

/** @param {any} net of small inputs */
function predicts(net) {
  const given = net.inputs.map((/** @type {any} */ { shape }) => ({ data: new Float32Array(shape.reduce((/** @type {number} */ a, /** @type {number} */ b) => a * b, 1)), shape: [1, ...shape] }));
  return net.predict(given.length === 1 ? given[0] : given);
}

const file = ['file'], model = ['file', 'unsupported', 'memory'];

/** Formats of numbers and tables. @returns {Promise<{ [name: string]: Reader }>} */
async function tables() {
  const idx = [writeIdx({ data: Uint8Array.from({ length: 24 }, (_, i) => i), shape: [2, 3, 4] }), writeIdx({ data: Float64Array.of(1, -2, 3), shape: [3] })];
  const cifar = new Uint8Array(2 * 3073).fill(3), both = new Uint8Array(3074).fill(7);
  const mats = [matFile([matVariable('x', { shape: [2, 3], numbers: [1, 2, 3, 4, 5, 6] }), matVariable('t', { shape: [2, 3], text: 'abcdef' })]),
    matFile([matVariable('c', { shape: [1, 2], cells: [{ shape: [1, 2], text: 'ab' }, { shape: [1, 1], numbers: [3] }] })], { packed: true }),
    matFile([matVariable('y', { shape: [3, 1], numbers: [1, 2, 3], storage: 4 }, { little: false })], { little: false })];
  const csv = ['a,b,c\n1,2.5,x\n-3,,"y ""z"", w"\n', '1;2\n3;4\n', '"a"\t"c\nd"\n1\t2\n'].map(utf8);
  const ratings = ['image,mos,std\na.jpg,3.5,0.2\nb.jpg,4,0.1\n', '[{"image":"a.jpg","mos":3.5,"std":0.1},{"image":"b.jpg","mos":4e0,"std":0}]',
    '{"image":["a.jpg","b.jpg"],"mos":[1,2.5]}', '{"a.jpg":3.5,"b.jpg":1}', 'name\tmos\tset\na.jpg\t1\ttest\nb.jpg\t2\ttraining\n'].map(utf8);
  return {
    safetensors: { files: [writeSafetensors({ a: { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] }, b: { data: Uint8Array.of(7), shape: [] } }, { k: 'v' })], read: readSafetensors, codes: file, cost: 64 },
    idx: { files: idx, read: readIdx, codes: file, cost: 16 },
    'idx, packed': { files: await Promise.all(idx.map(gzip)), read: readIdx, codes: file, cost: 4096 },
    npy: { files: [writeNpy({ data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [2, 3] }), writeNpy({ data: BigInt64Array.of(1n, -1n), shape: [2] })], read: readNpy, codes: model, cost: 64 },
    cifar10: { files: [cifar], read: readCifar10, codes: file, cost: 16 },
    cifar100: { files: [both, await gzip(both)], read: readCifar100, codes: file, cost: 4096 },
    gzip: { files: [await gzip(utf8('heddle '.repeat(20)))], read: bytes => gunzip(bytes), codes: file, cost: 4096 },
    csv: { files: csv, read: bytes => readCsv(bytes), codes: file, cost: 256, text: true },
    mat: { files: mats, read: readMat, codes: model, cost: 4096 },
    ratings: { files: ratings, read: bytes => readRatings(bytes), codes: [...file, 'argument'], cost: 512, text: true },
  };
}

/** Models of all kinds. @returns {Promise<{ [name: string]: Reader }>} */
async function models() {
  const net = await classifier(), { x, y } = labelled(24, 4, 3);
  await net.fit(x, y, { epochs: 1 });
  const conv = await sequential([layers.input({ shape: [6, 6, 2] }), layers.conv2d({ filters: 3, kernelSize: 3, padding: 'same' }), layers.batchNorm(),
    layers.maxPool2d(), layers.flatten(), layers.dense({ units: 2 })]);
  const files = [await net.save('bytes', { includeOptimizer: true, metadata: { note: [1, { a: 'b' }] } }), await conv.save('bytes')];
  const rows = Array.from({ length: 24 }, (_, i) => [...x.subarray(4 * i, 4 * i + 4)]);
  const ridge = await new Ridge().fit(rows, rows.map(row => row[0] + row[1])), slfn = await new SlfnClassifier({ ratio: 2, seed: 3 }).fit(rows, [...y]);
  const judge = await qualityModel({ backbone: 'features', levels: [6, 10], encoder: [4], seed: 5 });
  const data = numbers(8 * 16), upscaler = await SuperResolver.pretrained({ mode: 'denoise' });
  await judge.fit({ data, shape: [8, 16] }, Float64Array.from({ length: 8 }, (_, i) => data[16 * i]), { epochs: 1 });
  const made = {
    model: { files, read: async bytes => { const net = await load(bytes); await used(net, () => Math.max(...net.inputs.flatMap(({ shape }) => shape)) < 100 && predicts(net)); }, codes: model, cost: 64, isEngine: true },
    estimator: { files: [await ridge.save('bytes'), await slfn.save('bytes')], read: async bytes => { const one = await loadEstimator(bytes); await used(one, () => one.predict(rows)); }, codes: [...model, 'shape'], cost: 64, isEngine: true },
    'quality model': { files: [await judge.save('bytes')], read: async bytes => { const one = await loadQualityModel(bytes); await used(one, () => one.score({ data, shape: [8, 16] })); }, codes: [...model, 'shape', 'argument'], cost: 64, isEngine: true },
    'super-resolver': { files: [await upscaler.save('bytes')], read: async bytes => { const one = await SuperResolver.load(bytes); await used(one, () => one.upscale({ data: new Uint8Array(60), shape: [6, 10, 1] })); }, codes: model, cost: 64, isEngine: true },
    onnx: { files: [await exportOnnx(net), await exportOnnx(conv)], read: async bytes => used(await importOnnx(bytes)), codes: model, cost: 256 },
  };
  for (const one of [net, conv, ridge, slfn, judge, upscaler]) one.dispose();
  return made;
}

/** A Keras model in two files; what is mutated is model.json. @returns {Reader} */
function keras() {
  const weights = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), dense = (name, units) => ({ class_name: 'Dense', config: { name, units, activation: 'relu', use_bias: true } });
  const json = { format: 'layers-model', modelTopology: { class_name: 'Sequential', config: { layers: [
    { class_name: 'InputLayer', config: { name: 'in', batch_input_shape: [null, 3] } }, dense('d', 2), { class_name: 'Dropout', config: { name: 'o', rate: 0.5 } }] } },
  weightsManifest: [{ paths: ['w.bin'], weights: [{ name: 'd/kernel', shape: [3, 2], dtype: 'float32' }, { name: 'd/bias', shape: [2], dtype: 'float32' }] }] };
  return {
    files: [utf8(JSON.stringify(json))], codes: [...model, 'argument'], cost: 256, text: true, // argument: a file that was not given
    read: async bytes => used(await importKeras([new File([bytes], 'model.json'), new File([weights], 'w.bin')])),
  };
}

/** The reader of messages answers with the reason. @param {Uint8Array} bytes */
function heard(bytes) {
  const message = decode(bytes);
  if (typeof message === 'string') throw new HeddleError('file', `the message is refused: ${message}`);
}

/** @returns {Promise<{ [name: string]: Reader }>} */
async function others() {
  const picture = () => sharp({ create: { width: 5, height: 4, channels: 3, background: { r: 200, g: 10, b: 60 } } });
  const message = encode({ kind: 'contribute', run: 7n, round: 3, from: 'a-1', parts: [
    { type: 'float64', shape: [2], data: Float64Array.of(1, 2) }, { type: 'bytes', shape: [3], data: Uint8Array.of(1, 2, 3) }, { type: 'float32', shape: [1, 1], data: Float32Array.of(4) }] });
  const pictures = await Promise.all([picture().png(), picture().jpeg(), picture().webp(), picture().gif(), picture().tiff()].map(one => one.toBuffer()));
  return {
    keras: keras(),
    message: { files: [message], read: heard, codes: file, cost: 16 },
    image: { files: pictures.map(one => new Uint8Array(one)), read: bytes => imageToTensor(Buffer.from(bytes), { width: 4, height: 4, channels: 3 }), codes: [...file, 'memory'], cost: 64 },
  };
}

/** @returns {Promise<{ [name: string]: Reader }>} */
export const makeReaders = async () => ({ ...await tables(), ...await models(), ...await others() });
