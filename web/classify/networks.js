// Which recipe a file of weights is for, and the network made from both.
import { HeddleError, loadFrom } from 'heddle';
import { readSafetensors } from 'heddle/files';
import { loadWeights, recipes } from 'heddle/recipes';

/** Recipes offered: side of the input, usual preprocessing, tensor that tells the number of classes. */
export const networks = {
  mobilenetV2: { label: 'MobileNetV2', side: 224, preprocessing: 'tensorflow', head: 'classifier.1.weight' },
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

/**
 * @param {File | string} source a file, or a URL
 * @param {{ kind: string, preprocessing: string }} wanted both may be "auto"
 * @param {AbortSignal} signal
 */
export async function openNetwork(source, wanted, signal) {
  const bytes = await loadFrom(source, { signal }), tensors = withoutPrefix(readSafetensors(bytes).tensors);
  const kind = wanted.kind === 'auto' ? guess(tensors) : wanted.kind;
  if (kind === undefined) {
    throw new HeddleError('file', `These tensors (${[...tensors.keys()].slice(0, 3).join(', ')}, ...) look like none of the networks here; if they are, choose it above.`);
  }
  const { label, side, head, preprocessing } = networks[kind], classes = (tensors.get(head) ?? tensors.get('fc.weight'))?.shape[0];
  if (classes === undefined) {
    throw new HeddleError('file', `The file has no classifier (${head}): it is only the trunk of a ${label}, which gives features, not classes.`);
  }
  const net = await recipes[kind]({
    inputShape: [side, side, 3], classes, preprocessing: wanted.preprocessing === 'auto' ? preprocessing : wanted.preprocessing,
    ...kind === 'mobilenetV2' && { padding: wanted.preprocessing === 'torchvision' ? 'torchvision' : 'tensorflow' },
  });
  try {
    signal.throwIfAborted();
    await loadWeights(net, bytes, { signal });
    return { net, label, side, classes };
  } catch (error) {
    net.dispose();
    throw error;
  }
}
