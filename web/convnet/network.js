// The networks: made for a set of pictures, compiled, and checked when they come from a file.
import { HeddleError, optimizers, schedules } from 'heddle';
import { recipes } from 'heddle/recipes';

/** @import { Model } from 'heddle' */
/** @import { Settings } from './controls.js' */
/** @import { PictureSet } from './sets.js' */

/** @param {Settings} settings @param {PictureSet} set @returns {Promise<Model>} */
export const makeNetwork = ({ network, seed }, { shape, classes }) => recipes[network]({ inputShape: shape, classes: classes.length, seed });

/** A name of each part that makes another network. @param {Settings} settings @param {PictureSet} set */
export const networkKey = ({ network, seed }, { shape, classes }) => JSON.stringify([network, seed, shape, classes.length]);

/** @param {Model} net @param {Settings} settings */
export function compileNetwork(net, { optimizer, rate, schedule }) {
  const learningRate = schedule === 'cosine' ? schedules.cosine({ initialLearningRate: rate }) : rate;
  const make = { adam: () => optimizers.adam({ learningRate }), sgd: () => optimizers.sgd({ learningRate, momentum: 0.9 }) };
  return net.compile({ optimizer: make[optimizer](), loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
}

/** A network's file may hold any model. @param {Model} net @param {PictureSet} set */
export function fits(net, { shape, classes }) {
  const { inputs, outputs } = net;
  return inputs.length === 1 && outputs.length === 1 && inputs[0].shape.join() === shape.join() && outputs[0].shape.join() === String(classes.length);
}

/** @param {Model} net @param {PictureSet} set @returns {HeddleError} */
export function misfit({ inputs, outputs }, { name, shape, classes }) {
  const list = (nodes) => nodes.map((node) => node.shape.join(' × ')).join(' and ');
  return new HeddleError('shape', `This model makes ${list(outputs)} numbers of ${list(inputs)}; for ${name} it would have to make `
    + `${classes.length} classes of ${shape.join(' × ')}. Choose its pictures first.`);
}

/** What the page shows of a network, read from its layers. @param {Model} net */
export function partsOf(net) {
  const { layers } = net, hidden = new Set(['input', 'dropout', 'flatten', 'reshape']);
  const first = layers.find(({ kind }) => kind === 'conv2d');
  const activations = layers.filter(({ kind, outputShape }) => !hidden.has(kind) && (outputShape.length === 3 || outputShape.length === 1));
  return {
    filters: first?.weights.find(({ shape }) => shape.length === 4) ?? null, first,
    steps: activations.slice(0, -1), last: layers.at(-1),
  };
}
