/** What a quality model looks at pictures with: named networks cut at their feature levels, with each level pooled to a vector. */
import { HeddleError, checkOptions, suggest } from '../errors.js';
import { layers } from '../factories.js';
import { SymbolicTensor, apply, describeGraph, input } from '../graph.js';
import { describe } from '../recipe_description.js';
import { tables } from '../tables.js';

/** @import { ModelDescription, NodeDescription } from '../graph.js' */
/** @typedef {'resnet18' | 'resnet34' | 'resnet50' | 'resnext101_32x8d' | 'alexnetFeatures' | 'vgg16Features' | 'small'} BackboneName networks of
 *   heddle/recipes without their heads; small: an own one of four strided convolutions */
/** @typedef {'average' | 'averageStd'} Pooling of a level over its positions: means, or means and then standard deviations */
/**
 * @typedef {object} TrunkOptions
 * @property {BackboneName} backbone
 * @property {readonly string[]} levels names of nodes
 * @property {Pooling} pooling
 * @property {readonly number[]} size [height, width] of the pictures it takes
 * @property {string} normalization the recipe's option "preprocessing"
 * @property {{ [name: string]: unknown }} backboneOptions further options of the recipe
 * @property {number} seed
 */

/** Levels as in the published model: of ResNets the last two stages; of AlexNet torchvision's features[9] and [12], of VGG-16 [23] and [30]
 * (here a ReLU is part of its convolution, which bears the number before). @type {Record<BackboneName, string[]>} */
export const standardLevels = {
  resnet18: ['layer3', 'layer4'], resnet34: ['layer3', 'layer4'], resnet50: ['layer3', 'layer4'], resnext101_32x8d: ['layer3', 'layer4'],
  alexnetFeatures: ['features.8', 'features.12'], vgg16Features: ['features.23', 'features.30'], small: ['stage3', 'stage4'],
};

/** Name of the i-th level's vector, here and in the recipe qualityHeads. @param {number} i from 0 */
export const levelName = i => `level${i + 1}`;

/** A network of 71,000 parameters, to be trained from the start: four stages of strided convolutions.
 * @param {TrunkOptions} options @returns {ModelDescription} */
function describeSmall({ size, normalization, seed, backboneOptions }) {
  checkOptions(backboneOptions, [], 'qualityModel: backboneOptions of small');
  if (normalization !== 'torchvision') throw new HeddleError('argument', `qualityModel: the backbone small has the normalization "torchvision", got "${normalization}"`);
  const mean = [0.485, 0.456, 0.406], deviation = [0.229, 0.224, 0.225];
  let x = input({ shape: [...size, 3], name: 'input' });
  const begin = x;
  x = apply(layers.rescaling({ scale: deviation.map(d => 1 / (255 * d)), offset: mean.map((m, i) => -m / deviation[i]), name: 'preprocessing' }), x);
  for (const [i, filters] of [16, 32, 64, 96].entries()) {
    const conv = layers.conv2d({ filters, kernelSize: i ? 3 : 5, strides: 2, padding: 'same', useBias: false, kernelInitializer: 'he', name: `stage${i + 1}.conv` });
    x = apply(layers.batchNorm({ convention: 'pytorch', activation: 'relu', name: `stage${i + 1}` }), apply(conv, x));
  }
  return describeGraph({ inputs: begin, outputs: x, name: 'small', seed });
}

/** The whole stage of a ResNet that a level is in: "layer3.0" is in layer3. @param {readonly string[]} levels */
const lastStage = levels => levels.map(level => level.split('.')[0]).sort().at(-1);

/** @param {TrunkOptions} options @returns {Promise<ModelDescription>} with all nodes up to the last level */
async function describeBackbone(options) {
  const { backbone, levels, size, normalization, backboneOptions, seed } = options;
  if (backbone === 'small') return describeSmall(options);
  const known = tables.recipe[backbone].options, own = Object.keys(known).filter(name => ['epsilon', 'strideIn'].includes(name));
  checkOptions(backboneOptions, own, `qualityModel: backboneOptions of ${backbone}`);
  const until = known.until && lastStage(levels), stages = known.until?.names ?? [];
  if (until && !stages.includes(until)) throw new HeddleError('argument', `qualityModel: levels: no stage "${until}" in ${backbone}${suggest(until, stages)}`);
  return describe(backbone, { inputShape: [...size, 3], preprocessing: normalization, seed, ...known.classes && { classes: 0 }, ...until && { until }, ...backboneOptions });
}

/** The output of a level as one vector. @param {SymbolicTensor} x @param {Pooling} pooling @param {string} name */
function pooled(x, pooling, name) {
  if (pooling === 'average') return apply(layers.globalAveragePool2d({ name }), x);
  return apply(layers.concat({ name }), [apply(layers.globalAveragePool2d({ name: `${name}.mean` }), x), apply(layers.globalStdPool2d({ name: `${name}.std` }), x)]);
}

/**
 * The part of a model from the picture to the vectors level1, level2 ..., its outputs.
 * @param {TrunkOptions} options
 * @returns {Promise<ModelDescription>}
 */
export async function describeTrunk(options) {
  const { nodes, name, seed } = await describeBackbone(options), names = nodes.map(node => node.name);
  /** @type {Map<string, SymbolicTensor>} */
  const tensors = new Map();
  for (const { inputs = [], ...spec } of nodes) tensors.set(spec.name, new SymbolicTensor(spec, inputs.map(one => /** @type {SymbolicTensor} */ (tensors.get(one)))));
  const outputs = options.levels.map((level, i) => {
    const tensor = tensors.get(level);
    if (!tensor) throw new HeddleError('argument', `qualityModel: levels: no node "${level}" in ${options.backbone}${suggest(level, names)}`);
    return pooled(tensor, options.pooling, levelName(i));
  });
  return describeGraph({ inputs: /** @type {SymbolicTensor} */ (tensors.get(nodes[0].name)), outputs, name, seed });
}

/** Layers that training changes in another way than the heads. @param {NodeDescription} node @param {number} rate factor on the learning rate, 0: they
 * are frozen, so that nothing is worked out for them @param {boolean} fixed batch normalisations run as at inference @returns {NodeDescription} */
export function tuned(node, rate, fixed) {
  const table = node.layer === 'input' ? { weights: [], options: {} } : tables.layer[node.layer];
  if (!table.weights?.length) return node;
  const groups = node.options?.useBias === false || !table.weights.some(name => /^b(ias|eta)?$/i.test(name)) ? ['kernel'] : ['kernel', 'bias'];
  const own = rate > 0 || (!fixed && table.options.frozen) ? { learningRateFactor: rate } : { frozen: true }; // frozen statistics would not move
  const weights = Object.fromEntries(groups.map(group => [group, { ...node.weights?.[/** @type {'kernel'} */ (group)], ...own }]));
  return { ...node, ...fixed && table.options.frozen && { options: { ...node.options, frozen: true } }, weights };
}
