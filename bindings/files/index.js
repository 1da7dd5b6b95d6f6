/** File formats, as `heddle/files`: apart from the rest, since whoever only runs models needs none of them. */
export { cifar100Classes, cifar100CoarseClasses, cifar10Classes, readCifar10, readCifar100 } from './cifar.js';
export { readCsv } from './csv.js';
export { gunzip, gzip } from './gzip.js';
export { readIdx, writeIdx } from './idx.js';
export { readMat } from './mat.js';
export { readNpy, writeNpy } from './npy.js';
export { readSafetensors, toFloat32, writeSafetensors } from './safetensors.js';
