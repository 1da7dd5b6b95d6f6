// The network: how it is made from the settings, and how a loaded one is read back into settings.
import { HeddleError, constraints, layers, optimizers, schedules, sequential } from 'heddle';
import { side } from '../mnist.js';

/** @import { Model } from 'heddle' */
/** @import { Settings } from './controls.js' */

/** Case 3 of the MatNet paper: bilinear layers, then softmax over the last matrix as a vector. @param {Settings} settings */
export function makeNetwork({ sizes, activation, unitNorm, seed }) {
  const constraint = unitNorm ? { kernelConstraint: constraints.unitNorm({ axis: 'row' }) } : {};
  return sequential([
    layers.input({ shape: [side, side], name: 'digit' }),
    ...sizes.map(([rows, cols], i) => layers.bilinear({ rows, cols, activation, name: `hidden${i + 1}`, ...constraint })),
    layers.flatten({ name: 'flatten' }),
    layers.dense({ units: 10, activation: 'softmax', name: 'classes' }),
  ], { seed, name: 'digits' });
}

/** @param {Model} net @param {Settings} settings */
export function compileNetwork(net, { optimizer, rate, schedule }) {
  const learningRate = schedule === 'cosine' ? schedules.cosine({ initialLearningRate: rate }) : rate;
  const make = {
    sgd: () => optimizers.sgd({ learningRate, momentum: 0.9 }),
    adam: () => optimizers.adam({ learningRate }),
    rmsprop: () => optimizers.rmsprop({ learningRate }),
    lbfgs: () => optimizers.lbfgs(),
  };
  return net.compile({ optimizer: make[optimizer](), loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
}

/**
 * The matrix layers of a network, and its last one; both checked, as the file may hold any model.
 * @param {Model} net
 * @returns {{ hidden: LayerInfo[], last: LayerInfo }}
 * @throws {HeddleError} `unsupported`
 */
export function parts(net) {
  const { layers: nodes } = net, [input, ...rest] = nodes, hidden = rest.filter(({ kind }) => kind === 'bilinear'), last = nodes.at(-1);
  const kinds = [input.kind, ...rest.map(({ kind }) => kind)].join(' ');
  const isChain = rest.every(({ inputs }, i) => inputs.join() === nodes[i].name);
  const hasShapes = input.outputShape.join() === `${side},${side}` && last.outputShape.join() === '10';
  if (!isChain || !hasShapes || !/^input( bilinear){1,3} flatten dense$/.test(kinds)) {
    throw new HeddleError('unsupported', 'This model is not one for this page: '
      + 'expected one to three bilinear layers on 28 × 28, then flatten and dense 10.');
  }
  return { hidden, last };
}

/** @param {Model} net @returns {Partial<Settings>} */
export function settingsOf(net) {
  const { hidden } = parts(net), { nodes } = net.description, first = nodes.find(({ layer }) => layer === 'bilinear');
  return {
    ...net.metadata?.settings,
    sizes: hidden.map(({ outputShape: [rows, cols] }) => [rows, cols]),
    activation: first.options.activation ?? 'linear', seed: net.seed,
    unitNorm: first.weights?.kernel?.constraint?.constraint === 'unitNorm',
  };
}

/** The range of values that an activation's picture spans; null: as the values are. @param {string} activation */
export const activationRange = (activation) => ({ sigmoid: [0, 1], tanh: [-1, 1] })[activation] ?? null;
