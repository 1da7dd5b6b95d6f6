// Networks with random hidden layers, fitted with others: the random weights are the same for all, the other weights solve least squares
// problems of everybody's rows. No row leaves its member. Runs in pages as in Node.
import { layers, sequential } from 'heddle';
import { consensusSolve, consensusSolver } from 'heddle/consensus';
import { Ssfn } from 'heddle/estimators';
import { Gram } from 'heddle/solvers';

const classes = 10;

/** @param {number} seed of the hidden weights @param {number} hidden @param {number[]} shape of a row */
export const slfn = (seed, hidden, shape) => sequential([
  layers.input({ shape }), layers.flatten(),
  layers.dense({ units: hidden, useBias: false, kernelInitializer: 'glorot', trainable: false, name: 'random' }),
  layers.crelu({ name: 'features' }), // [relu(z); relu(-z)]: nothing is lost
  layers.dense({ units: classes, useBias: false, name: 'output' }),
], { seed });

/**
 * Sums over rows of features and their one-hot labels: all that least squares needs to know of them.
 * @param {any} net @param {{ x: any, y: any }} rows
 */
export async function sums(net, { x, y }) {
  const gram = new Gram({ features: net.layers.find(({ name }) => name === 'features').outputShape[0], targets: classes });
  await gram.add(x, y, { model: net, node: 'features' });
  return gram;
}

/**
 * One hidden layer.
 * @param {any} group from transport.join()
 * @param {{ x: any, y: any }} rows this member's own
 * @param {{ hidden?: number, [option: string]: any }} options for consensusSolve
 */
export async function fitTogether(group, rows, { hidden = 300, ...options }) {
  const net = await slfn(group.seed, hidden, rows.x.shape.slice(1)), gram = await sums(net, rows);
  const result = await consensusSolve({ group, gram, ...options });
  gram.dispose();
  await net.setWeights({ 'output/kernel': result.coef }, { partial: true });
  return { net, result };
}

/**
 * A network that grows layer by layer (SSFN).
 * @param {any} group from transport.join()
 * @param {{ x: any, y: any }} rows this member's own
 * @param {{ hidden?: number, layers?: number, alpha?: number, ridge?: number, [option: string]: any }} options for consensusSolver
 */
export async function growTogether(group, rows, { hidden: nodes = 300, layers: maxLayers = 2, alpha = 2, ridge = 100, ...options }) {
  const ssfn = new Ssfn({ nodes, maxLayers, alpha, ridge, layerThreshold: 0 });
  await ssfn.fit(rows.x, rows.y, { together: consensusSolver({ group, ...options }) });
  return { net: ssfn.model, result: { rounds: maxLayers + 1, members: [...group.members], bytes: structuredClone(group.bytes), report: ssfn.report } };
}
