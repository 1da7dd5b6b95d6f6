/** What `fit` is told, checked and completed. */
import { HeddleError, checkOptions, kindOf, suggest, wholeNumber } from '../errors.js';
import { optimizers, schedules } from '../factories.js';
import { asSpec } from '../options.js';
import { checkSeed, defaultSeed } from '../session.js';
import { modalityNames } from './matnet.js';

/** @import { Model } from '../model.js' */
/** @import { LossSpec, OptimizerSpec, ScheduleSpec } from '../options.js' */
/** @import { ConvConfig } from './conv.js' */
/** @import { MatnetConfig, Modality } from './matnet.js' */
/** @import { EpochReport } from './training.js' */
/** What makes a network, beside its weights. @typedef {ConvConfig | MatnetConfig} NetworkConfig */
/**
 * Where a fit stands. pictures: `done` have been read; training: in epoch `epoch` (from 0) of `epochs`, `batch` of `batches` are done; loss: mean over the
 * epoch so far; secondsLeft: of training steps, missing while it is not known.
 * @typedef {{ phase: 'pictures', done: number } | { phase: 'training', epoch: number, epochs: number, batch: number, batches: number, loss: number,
 *   secondsLeft?: number }} FitProgress
 */
/**
 * @typedef {object} FitOptions
 * @property {2 | 3 | 4} [scale] times the sides of a picture; 2 unless told
 * @property {'conv' | 'matnet'} [network] conv (default): convolutions of the small picture, whose outputs are added to the bicubic enlargement;
 *   matnet: the multimodal matrix autoencoder over all windows of the bicubic enlargement
 * @property {readonly number[]} [filters] conv: of the hidden convolutions; [32, 32, 32, 32] unless told
 * @property {number | readonly number[]} [kernelSize] conv: odd, of each convolution, the last included, or of all; 3 unless told
 * @property {'relu' | 'leakyRelu' | 'tanh'} [activation] conv: relu unless told
 * @property {boolean} [augment] conv: patches in all eight orientations; true unless told
 * @property {'denoise' | 'residual' | 'literal'} [mode] matnet: denoise (default): from windows of the bicubic enlargement to those of the original;
 *   residual: to the difference of both; literal: from windows of the original to themselves, with sigmoid outputs and all modalities as
 *   targets, as the paper's text has it (which learns to copy)
 * @property {readonly number[] | readonly (readonly number[])[]} [hidden] matnet: rows and columns of the hidden matrix, or of several; [10, 10] unless told
 * @property {readonly Modality[]} [modalities] matnet: luma first; unless told all five: ['luma', 'x', 'y', 'xx', 'yy']
 * @property {'luma' | 'all'} [targets] matnet: modalities that are learnt; luma unless told, for `literal` all
 * @property {'cosine' | 'random'} [start] matnet: weights to begin with: cosine (unless told, but for `literal`): a low-pass filter of the luma, which learns
 *   in seconds what takes random weights minutes; random: drawn by the seed
 * @property {{ rho?: number, beta?: number }} [sparsity] matnet: KL divergence of the mean activations of the hidden matrices from rho (0.05), times beta
 *   (0, which is none)
 * @property {number} [weightDecay] times the sum of the squares of all weights but biases, added to the loss; 0 unless told
 * @property {number} [patch] conv: pixels of the small picture on a side of what a patch predicts, 24 unless told; matnet: side of the windows, 15 unless told
 * @property {number} [patches] drawn at random places, a picture counting by its area: for conv anew in each epoch, 4000 unless told; for matnet once, 10000
 * @property {number} [epochs] 20 for conv and 15 for matnet unless told; with L-BFGS of its iterations, 400 unless told
 * @property {number} [maxIterations] another name of epochs, for L-BFGS
 * @property {number} [batchSize] 8 for conv and 100 for matnet unless told; L-BFGS always sees all patches, computed 500 at a time unless told
 * @property {'adam' | 'lbfgs' | OptimizerSpec} [optimizer] adam unless told, lbfgs if `maxIterations` is given; lbfgs is for matnet only
 * @property {number} [learningRate] 1e-3 for conv and 3e-3 for matnet unless told
 * @property {ScheduleSpec | string | null} [schedule] of the learning rate; a cosine down to a hundredth unless told, null: none
 * @property {LossSpec | string} [loss] meanAbsoluteError for conv and meanSquaredError for matnet unless told
 * @property {number} [validationSplit] part of the pictures - with fewer than four: of each picture, its bottom - that is held out to choose the
 *   best epoch by, by PSNR; 0.1 unless told
 * @property {number} [validationFrequency] epochs from one such measurement to the next; 1 unless told, for L-BFGS 25
 * @property {boolean} [warmStart] go on from the present weights, of the same network and scale; false unless told
 * @property {number} [seed] of weights, patches and their order
 * @property {AbortSignal} [signal] stops the fit; the best weights of the epochs so far stay, or the network from before
 * @property {(progress: FitProgress) => void} [onProgress] called after each picture that is read, and each batch
 * @property {(epoch: number, report: EpochReport, now: { model: Model, bicubic: number | null }) => void | Promise<void>} [onEpochEnd] model: the network
 *   as it is now, not to be kept; bicubic: PSNR of the bicubic filter on what is held out
 */

const common = ['scale', 'network', 'weightDecay', 'patch', 'patches', 'epochs', 'maxIterations', 'batchSize', 'optimizer', 'learningRate', 'schedule', 'loss',
  'validationSplit', 'validationFrequency', 'warmStart', 'seed', 'signal', 'onProgress', 'onEpochEnd'];
const own = { conv: ['filters', 'kernelSize', 'activation', 'augment'], matnet: ['mode', 'hidden', 'modalities', 'targets', 'start', 'sparsity'] };
const modes = ['denoise', 'residual', 'literal'], activations = /** @type {const} */ (['relu', 'leakyRelu', 'tanh']);

/** @template {string | number} T @param {unknown} value @param {readonly T[]} names @param {string} where @returns {T} */
function oneOf(value, names, where) {
  if (!names.includes(/** @type {T} */ (value))) throw new HeddleError('argument', `fit: ${where} = ${JSON.stringify(value)}${suggest(String(value), names.map(String))}`);
  return /** @type {T} */ (value);
}

/** @param {unknown} value @param {string} where @param {number} min @param {number} max */
function number(value, where, min, max) {
  if (!(typeof value === 'number' && value >= min && value <= max)) throw new HeddleError('argument', `fit: ${where} = ${String(value)}, expected a number from ${min} to ${max}`);
  return value;
}

/** @param {unknown} value @param {string} where @returns {number[]} */
function wholeNumbers(value, where) {
  if (!Array.isArray(value) || !value.length) throw new HeddleError('argument', `fit: ${where}: expected a list of whole numbers, got ${kindOf(value)}`);
  return value.map((n, i) => (n === undefined ? NaN : wholeNumber(n, `fit: ${where}[${i}]`, 1, 1)));
}

/** @param {FitOptions} options @param {number} scale @returns {ConvConfig} */
function readConv({ filters = [32, 32, 32, 32], kernelSize = 3, activation = 'relu' }, scale) {
  const counts = wholeNumbers(filters, 'filters'), given = typeof kernelSize === 'number' ? Array.from({ length: counts.length + 1 }, () => kernelSize) : kernelSize;
  const sizes = wholeNumbers(given, 'kernelSize');
  if (sizes.length !== counts.length + 1 || !sizes.every(size => size % 2 === 1 && size <= 31)) {
    throw new HeddleError('argument', `fit: kernelSize = ${JSON.stringify(kernelSize)}, expected an odd number up to 31, or ${counts.length + 1} of them: one for each convolution`);
  }
  return { network: 'conv', scale, filters: counts, kernelSize: sizes, activation: oneOf(activation, activations, 'activation') };
}

/** @param {FitOptions} options @param {number} scale @returns {MatnetConfig} */
function readMatnet({ mode = 'denoise', hidden = [10, 10], modalities = modalityNames, targets = mode === 'literal' ? 'all' : 'luma', patch }, scale) {
  oneOf(mode, modes, 'mode');
  const list = Array.isArray(hidden) && Array.isArray(hidden[0]) ? hidden : [hidden], sizes = list.map((one, i) => wholeNumbers(one, list.length > 1 ? `hidden[${i}]` : 'hidden'));
  if (!sizes.every(one => one.length === 2)) throw new HeddleError('argument', `fit: hidden = ${JSON.stringify(hidden)}, expected [rows, columns] or a list of such`);
  if (!Array.isArray(modalities) || modalities[0] !== 'luma' || new Set(modalities).size !== modalities.length) {
    throw new HeddleError('argument', `fit: modalities = ${JSON.stringify(modalities)}, expected "luma" and after it any of ${modalityNames.slice(1).join(', ')}, each once`);
  }
  return {
    network: 'matnet', scale, mode, patch: wholeNumber(patch, 'fit: patch', 3, 15), hidden: /** @type {[number, number][]} */ (sizes),
    modalities: modalities.map((name, i) => oneOf(name, modalityNames, `modalities[${i}]`)), targets: oneOf(targets, /** @type {const} */ (['luma', 'all']), 'targets'),
    outputActivation: mode === 'literal' ? 'sigmoid' : 'linear',
  };
}

/** What a file says of its network. @param {any} stored @returns {NetworkConfig} @throws {HeddleError} `argument` */
export function readStored(stored) {
  const scale = oneOf(stored?.scale, [2, 3, 4], 'scale');
  return oneOf(stored.network, /** @type {const} */ (['conv', 'matnet']), 'network') === 'conv' ? readConv(stored, scale) : readMatnet(stored, scale);
}

/** @param {FitOptions} options @param {boolean} isConv @returns {OptimizerSpec} */
function readOptimizer({ optimizer: given, learningRate, schedule, maxIterations }, isConv) {
  const optimizer = given ?? (isConv || maxIterations === undefined ? 'adam' : 'lbfgs'), spec = asSpec('optimizer', optimizer, 'fit: optimizer'), isLbfgs = spec.optimizer === 'lbfgs';
  if (isLbfgs && isConv) throw new HeddleError('unsupported', 'fit: optimizer = "lbfgs" sees the same patches in every iteration, network "conv" gets new ones: take "adam"');
  if (isLbfgs) {
    if (learningRate !== undefined || schedule !== undefined) throw new HeddleError('argument', `fit: ${schedule === undefined ? 'learningRate' : 'schedule'} is not for lbfgs, which searches along lines`);
    return typeof optimizer === 'string' ? { ...spec, options: { history: 20, ...spec.options } } : spec;
  }
  if (typeof optimizer !== 'string') {
    if (learningRate !== undefined || schedule !== undefined) throw new HeddleError('argument', 'fit: learningRate and schedule belong to the optimizer that was given');
    return spec;
  }
  const rate = learningRate === undefined ? isConv ? 1e-3 : 3e-3 : number(learningRate, 'learningRate', 0, 1e6), make = /** @type {any} */ (optimizers)[spec.optimizer];
  if (schedule === null) return make({ learningRate: rate });
  const falls = asSpec('schedule', schedule ?? schedules.cosine({ minimum: 0.01 }), 'fit: schedule');
  return make({ learningRate: { ...falls, initialLearningRate: falls.initialLearningRate ?? rate } });
}

/** @param {FitOptions} options */
export function readFit(options) {
  const network = oneOf(options?.network ?? 'conv', /** @type {const} */ (['conv', 'matnet']), 'network'), isConv = network === 'conv';
  const other = own[isConv ? 'matnet' : 'conv'].find(name => options && name in options);
  if (other) throw new HeddleError('argument', `fit: ${other} is an option of network "${isConv ? 'matnet' : 'conv'}", this is "${network}"`);
  checkOptions(options, [...common, ...own[network]], 'fit');
  const { scale = 2, weightDecay = 0, sparsity = {}, validationSplit = 0.1, augment = true, warmStart = false, loss, maxIterations } = options;
  if (![2, 3, 4].includes(scale)) throw new HeddleError('argument', `fit: scale = ${String(scale)}, expected 2, 3 or 4`);
  checkOptions(sparsity, ['rho', 'beta'], 'fit: sparsity');
  const start = oneOf(options.start ?? (options.mode === 'literal' ? 'random' : 'cosine'), /** @type {const} */ (['cosine', 'random']), 'start');
  const optimizer = readOptimizer(options, isConv), isLbfgs = optimizer.optimizer === 'lbfgs';
  if (maxIterations !== undefined && !isLbfgs) throw new HeddleError('argument', 'fit: maxIterations is for optimizer "lbfgs"; else give epochs');
  return {
    config: isConv ? readConv(options, scale) : readMatnet(options, scale), optimizer, isLbfgs, augment: !!augment, warmStart: !!warmStart, start,
    patch: wholeNumber(options.patch, 'fit: patch', isConv ? 1 : 3, isConv ? 24 : 15), patches: wholeNumber(options.patches, 'fit: patches', 1, isConv ? 4000 : 10000),
    epochs: wholeNumber(maxIterations ?? options.epochs, `fit: ${maxIterations === undefined ? 'epochs' : 'maxIterations'}`, 1, isLbfgs ? 400 : isConv ? 20 : 15),
    batchSize: wholeNumber(options.batchSize, 'fit: batchSize', 1, isLbfgs ? 500 : isConv ? 8 : 100),
    loss: /** @type {LossSpec} */ (asSpec('loss', loss ?? (isConv ? 'meanAbsoluteError' : 'meanSquaredError'), 'fit: loss')),
    weightDecay: number(weightDecay, 'weightDecay', 0, 1e9),
    sparsity: { rho: number(sparsity.rho ?? 0.05, 'sparsity.rho', 1e-6, 1 - 1e-6), beta: number(sparsity.beta ?? 0, 'sparsity.beta', 0, 1e9) },
    validationSplit: number(validationSplit, 'validationSplit', 0, 0.9), validationFrequency: wholeNumber(options.validationFrequency, 'fit: validationFrequency', 1, isLbfgs ? 25 : 1),
    seed: options.seed === undefined ? defaultSeed() : checkSeed(options.seed, 'fit'),
  };
}

/** @typedef {ReturnType<typeof readFit>} Settings */
