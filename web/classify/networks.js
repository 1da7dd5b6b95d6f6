// Which recipe a file of weights is for, and the network made from both.
import { HeddleError, load, loadFrom } from 'heddle';
import { readSafetensors } from 'heddle/files';
import { loadWeights, recipes } from 'heddle/recipes';

/** Recipes offered: side of the input, usual preprocessing, tensor that tells the number of classes. */
export const networks = {
  mobilenetV2: { label: 'MobileNetV2', side: 224, preprocessing: 'torchvision', head: 'classifier.1.weight' },
  resnet18: { label: 'ResNet-18', side: 224, preprocessing: 'torchvision', head: 'fc.weight' },
  resnet34: { label: 'ResNet-34', side: 224, preprocessing: 'torchvision', head: 'fc.weight' },
  resnet50: { label: 'ResNet-50', side: 224, preprocessing: 'torchvision', head: 'fc.weight' },
  resnext101_32x8d: { label: 'ResNeXt-101 32x8d', side: 224, preprocessing: 'torchvision', head: 'fc.weight' },
  cifarResnet20: { label: 'CIFAR ResNet-20', side: 32, preprocessing: 'torchvision', head: 'linear.weight' },
  cifarResnet56: { label: 'CIFAR ResNet-56', side: 32, preprocessing: 'torchvision', head: 'linear.weight' },
};

/** @typedef {Map<string, { shape: number[] }>} Tensors by name, without a prefix that all of them share */

/** @param {Map<string, { shape: number[] }>} tensors @returns {Tensors} */
function withoutPrefix(tensors) {
  const prefix = /^(module|model)\./.exec(tensors.keys().next().value ?? '')?.[0];
  return prefix ? new Map([...tensors].map(([name, tensor]) => [name.startsWith(prefix) ? name.slice(prefix.length) : name, tensor])) : tensors;
}

/** The recipe whose tensors these look like; undefined if none. @param {Tensors} tensors */
function guess(tensors) {
  const first = tensors.get('conv1.weight')?.shape;
  if (tensors.has('features.0.0.weight') && tensors.has('features.17.conv.2.weight')) return 'mobilenetV2';
  if (first?.[2] === 3) return tensors.has('layer1.8.conv1.weight') ? 'cifarResnet56' : 'cifarResnet20';
  if (first?.[2] !== 7) return undefined;
  if (tensors.has('layer1.0.conv3.weight')) return tensors.has('layer3.22.conv1.weight') ? 'resnext101_32x8d' : 'resnet50';
  return tensors.has('layer1.2.conv1.weight') ? 'resnet34' : 'resnet18';
}

/** @typedef {{ net: any, label: string, prepared: string, side: number, classes: number, labels: string[] }} Network
 * prepared: by whose convention pictures are; labels: of the file, if it has them */

/** How pictures are prepared if the user leaves it open. TensorFlow's ImageNet networks have a class more: "background".
 * @param {string} kind @param {number} classes */
const usualPreprocessing = (kind, classes) => (kind === 'mobilenetV2' && classes === 1001 ? 'tensorflow' : networks[kind].preprocessing);

/** A network that this library saved, with all that it needs. @param {Uint8Array} bytes @param {AbortSignal} signal @returns {Promise<Network>} */
async function openOwn(bytes, signal) {
  const net = await load(bytes, { signal }), [{ shape: input }] = net.inputs, [{ shape: output }] = net.outputs;
  if (input.length !== 3 || input[0] !== input[1] || input[2] !== 3 || output.length !== 1) {
    net.dispose();
    throw new HeddleError('file', `The network takes [${input.join(', ')}] and gives [${output.join(', ')}]; needed is one from square RGB pictures to classes.`);
  }
  const names = net.metadata?.classes, labels = Array.isArray(names) ? names.map(String) : [];
  return { net, label: net.name, prepared: '', side: input[0], classes: output[0], labels };
}

/**
 * @param {File | string} source a file, or a URL
 * @param {{ kind: string, preprocessing: string }} wanted both may be "auto"
 * @param {AbortSignal} signal
 * @returns {Promise<Network>}
 */
export async function openNetwork(source, wanted, signal) {
  const bytes = await loadFrom(source, { signal }), file = readSafetensors(bytes);
  if (file.metadata.heddle !== undefined) return openOwn(bytes, signal);
  const tensors = withoutPrefix(file.tensors), kind = wanted.kind === 'auto' ? guess(tensors) : wanted.kind;
  if (kind === undefined) {
    throw new HeddleError('file', `These tensors (${[...tensors.keys()].slice(0, 3).join(', ')}, ...) look like none of the networks here; if they are, choose it above.`);
  }
  const { label, side, head } = networks[kind], classes = (tensors.get(head) ?? tensors.get('fc.weight'))?.shape[0];
  if (classes === undefined) {
    throw new HeddleError('file', `The file has no classifier (${head}): it is only the trunk of a ${label}, which gives features, not classes.`);
  }
  const preprocessing = wanted.preprocessing === 'auto' ? usualPreprocessing(kind, classes) : wanted.preprocessing;
  const isTensorflow = kind === 'mobilenetV2' && [preprocessing, usualPreprocessing(kind, classes)].includes('tensorflow');
  const net = await recipes[kind]({ inputShape: [side, side, 3], classes, preprocessing, ...isTensorflow && { padding: 'tensorflow' } });
  try {
    await loadWeights(net, bytes, { signal });
    signal.throwIfAborted();
    return { net, label, prepared: preprocessing === 'none' ? '' : preprocessing, side, classes, labels: [] };
  } catch (error) {
    net.dispose();
    throw error;
  }
}
