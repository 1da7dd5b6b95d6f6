/** A matrix network with one hidden matrix on all windows of a picture at once, in C (`hd_image_matnet` of heddle.h says what windows share). */
import { HeddleError } from '../errors.js';
import { compute } from '../images/pixels.js';
import { tables } from '../tables.js';

/** @import { Model } from '../model.js' */
/**
 * What the windows are multiplied by.
 * @typedef {object} WindowNetwork
 * @property {number} modalities
 * @property {[number, number]} patch rows and columns of a window
 * @property {[number, number]} hidden rows and columns of the hidden matrix
 * @property {number} activation number among those of layers.activation
 * @property {number} outputActivation
 * @property {Float32Array} values U_1 .. U_D, V_1 .. V_D, B, R, S, C
 */
/**
 * @typedef {object} WindowPlanes
 * @property {Float32Array} planes [modalities, given rows, width]: rows `first` and on of each modality
 * @property {number} width
 * @property {number} height of the whole picture
 * @property {number} [first=0]
 * @property {number} [from=0] rows from..to-1 of the result are wanted; of the planes, the rows around them that `hd_image_matnet` of
 *   heddle.h names must be given, as far as the picture has them
 * @property {number} [to] the height unless told
 */

/** @param {string | number | boolean | readonly number[] | undefined} name */
const numberOf = (name = 'linear') => tables.layer.activation.options.activation.names?.indexOf(String(name)) ?? -1;

/** Whether all windows of a multimodalAutoencoder can be run at once. @param {Model} model */
export const hasOneHidden = ({ description: { nodes } }) => nodes.some(({ name }) => name === 'hidden1') && !nodes.some(({ name }) => name === 'hidden2');

/**
 * The weights of a trained `multimodalAutoencoder` with equal modalities and one hidden matrix.
 * @param {Model} model
 * @param {{ output?: number }} [options] output: which modality is decoded, 1 unless told
 * @returns {Promise<WindowNetwork>}
 * @throws {HeddleError} `unsupported` for other networks
 */
export async function windowWeights(model, { output = 1 } = {}) {
  const node = Object.fromEntries(model.description.nodes.map(one => [one.name, one])), weights = await model.getWeights(), inputs = model.inputs.map(({ shape }) => shape);
  const decoder = `decoder${output}`, [patch] = inputs;
  if (!hasOneHidden(model) || !node[decoder] || inputs.some(shape => String(shape) !== String(patch))) {
    throw new HeddleError('unsupported', `windows: expected a multimodalAutoencoder of equal modalities with one hidden matrix and the output ${decoder}, got ${model.name}`);
  }
  const of = (/** @type {string} */ kind) => inputs.map((_, j) => weights[`encoder${j + 1}/${kind}`]), all = [...of('U'), ...of('V'), weights['encoder1/B'],
    weights[`${decoder}/U`], weights[`${decoder}/V`], weights[`${decoder}/B`]].map(({ data }) => data), values = new Float32Array(all.reduce((sum, one) => sum + one.length, 0));
  let at = 0;
  for (const one of all) {
    values.set(one, at);
    at += one.length;
  }
  return {
    modalities: inputs.length, patch: [patch[0], patch[1]], hidden: [weights['encoder1/U'].shape[0], weights['encoder1/V'].shape[0]], values,
    activation: numberOf(node.hidden1.options?.activation), outputActivation: numberOf(node[decoder].options?.activation),
  };
}

/**
 * Output of the network on every window, the mean over the windows at each pixel. Bands of rows have the same bits as the whole.
 * @param {WindowNetwork} network
 * @param {WindowPlanes} picture
 * @returns {Promise<Float32Array<ArrayBuffer>>} [to - from, width]
 * @throws {HeddleError} `shape` for a picture smaller than a window, `argument` for rows that are not given and numbers that are not finite, `memory`
 */
export async function windowsOf(network, { planes, width, height, first = 0, from = 0, to = height }) {
  const { modalities, patch, hidden, activation, outputActivation, values } = network, rows = planes.length / (modalities * width);
  if (!Number.isInteger(rows)) throw new HeddleError('shape', `windows: ${planes.length} numbers, expected whole rows of ${width} pixels for ${modalities} planes`);
  if (!(to > from)) throw new HeddleError('argument', `windows: rows ${from}..${to - 1}, expected at least one`);
  const [y] = await compute('matnet', [modalities, height, width, first, rows, planes, ...patch, ...hidden, activation, outputActivation, values, from, to,
    { fill: 'Float32Array', length: (to - from) * width }]);
  return /** @type {Float32Array<ArrayBuffer>} */ (y);
}
