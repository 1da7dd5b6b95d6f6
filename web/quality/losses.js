// The losses that race, and a judge trained with one of them.
import { HeddleError, losses } from 'heddle';
import { readSafetensors } from 'heddle/files';
import { mapping, qualityModel, split, statistics } from 'heddle/quality';

/** @import { RatedSet } from './example.js' */
/** @typedef {{ id: string, name: string, make: () => object, normalizeEnd: boolean }} Contestant */

/** bnMSE: the squared error of scores after a batch normalisation. @type {Contestant[]} */
export const contestants = [
  { id: 'normInNorm', name: 'Norm-in-Norm', make: () => losses.normInNorm(), normalizeEnd: false },
  { id: 'bnMse', name: 'bnMSE', make: () => losses.meanSquaredError(), normalizeEnd: true },
  { id: 'mse', name: 'MSE', make: () => losses.meanSquaredError(), normalizeEnd: false },
  { id: 'mae', name: 'MAE', make: () => losses.meanAbsoluteError(), normalizeEnd: false },
];

/** Networks that a judge can see with. `small` learns all its weights from the ratings; the others need a file. */
export const backbones = {
  small: 'small, learns from the ratings alone', resnet18: 'ResNet-18 from a file', resnet34: 'ResNet-34 from a file', resnet50: 'ResNet-50 from a file',
  resnext101_32x8d: 'ResNeXt-101 from a file', alexnetFeatures: 'AlexNet from a file', vgg16Features: 'VGG-16 from a file',
};

/** Row numbers to learn from and to hold back: as the file says, else all pictures of one original on one side.
 * @param {RatedSet} set @param {{ held: number, seed: number }} settings held: part */
export function partsOf({ images, references, splits }, { held, seed }) {
  if (splits) {
    const { train, validation, test } = split({ images, splits }, { by: 'column' }), rest = validation.length ? validation : test;
    if (rest.length >= 2 && train.length >= 2) return { learnt: train, held: rest };
  }
  const by = references && new Set(references).size > 2 ? 'reference' : 'random';
  const { train, validation } = split({ images, references }, { by, train: 1 - held, validation: held, seed });
  if (validation.length < 2 || train.length < 2) {
    throw new HeddleError('argument', `${images.length} rated pictures make ${train.length} to learn from and ${validation.length} to hold back: two at least of each are needed.`);
  }
  return { learnt: train, held: validation };
}

/** Of a ResNet's file that ends before its last stage, the last two stages it has. @param {string} backbone @param {File} file */
async function trunkOptions(backbone, file) {
  const bytes = new Uint8Array(await file.arrayBuffer()), isWhole = !backbone.startsWith('res') || [...readSafetensors(bytes).tensors.keys()].some((name) => name.includes('layer4.'));
  return { weights: bytes, ...!isWhole && { levels: ['layer2', 'layer3'] } };
}

/** A judge that has learnt nothing yet, but for a backbone from a file. @param {import('./controls.js').Settings} settings @param {object} [options] */
export const newJudge = async ({ backbone, size, trunk, seed }, options = {}) => qualityModel({
  backbone, preprocessing: { size }, seed, ...options, ...backbone === 'small' ? { encoder: [256, 128, 64] } : await trunkOptions(backbone, trunk),
});

/**
 * Trains a judge.
 * @param {Contestant} contestant
 * @param {{ set: RatedSet, parts: { learnt: Int32Array, held: Int32Array }, settings: import('./controls.js').Settings, signal: AbortSignal,
 *   onPrepared: (part: number) => void, onStopped: (model: import('./judge.js').QualityModel) => void,
 *   onEpoch: (log: { epoch: number, loss: number, srocc: number, plcc: number }, points: () => Promise<Points>) => void | Promise<void> }} task
 *   onPrepared: 0..1 of the pictures are read; onStopped takes what had been learnt until then; onEpoch: epoch from 1, and how it judges what is held back
 * @returns {Promise<import('./judge.js').QualityModel>}
 */
export async function trainJudge(contestant, { set, parts, settings, signal, onPrepared, onEpoch, onStopped }) {
  const { backbone, epochs, batchSize, rate, seed } = settings, isOwn = backbone === 'small';
  const of = (rows) => [Array.from(rows, (row) => set.pictures[row]), Float64Array.from(rows, (row) => set.scores[row])];
  const model = await newJudge(settings, { normalizeEnd: contestant.normalizeEnd });
  try {
    const [images, scores] = of(parts.learnt);
    await model.fit(images, scores, {
      epochs, batchSize, learningRate: rate, loss: contestant.make(), validationData: of(parts.held), seed, signal, ...!isOwn && { fineTunedRate: 0 },
      onProgress: ({ phase, done, total }) => { if (phase !== 'training') onPrepared(done / total); },
      onEpochEnd: (epoch, log, held) => onEpoch({ ...log, epoch: epoch + 1 }, () => heldPoints(held)),
    });
    return model;
  } catch (error) {
    if (error.name === 'AbortError' && model.report.epochs.length > 0) onStopped(model);
    else model.dispose();
    throw error;
  }
}

/** Predictions and ratings, and the curve that maps the ones to the others.
 * @typedef {{ learnt: [number, number][], held: [number, number][], map: import('heddle/quality').Mapping }} Points */

/** @param {[number, number][]} learnt @param {[number, number][]} held @returns {Promise<Points>} */
async function withCurve(learnt, held) {
  const all = [...learnt, ...held], column = (k) => Float64Array.from(all, (point) => point[k]);
  return { learnt, held, map: await mapping.logistic4(column(0), column(1)) };
}

/** After an epoch: on the scale of the ratings, by the line that fits the pictures held back best.
 * @param {{ scores: Float64Array, ratings: Float64Array }} held */
async function heldPoints({ scores, ratings }) {
  const line = await mapping.linear(scores, ratings);
  return withCurve([], Array.from(line.apply(scores), (prediction, i) => [prediction, ratings[i]]));
}

/** What a judge says of all pictures, and how well. @param {import('./judge.js').QualityModel} model @param {RatedSet} set
 * @param {{ learnt: Int32Array, held: Int32Array }} parts @param {AbortSignal} signal */
export async function examine(model, set, parts, signal) {
  const scores = await model.score(set.pictures, { signal }), isRead = (row) => !Number.isNaN(scores[row]);
  const points = (rows) => Array.from(rows).filter(isRead).map((row) => [scores[row], set.scores[row]]);
  const learnt = points(parts.learnt), held = points(parts.held), column = (k) => Float64Array.from(held, (point) => point[k]);
  return { ...await statistics(column(0), column(1), { resamples: 500 }), ...await withCurve(learnt, held) };
}
