// HNF on MNIST, layer by layer: y = [relu(R y'); relu(-R y'); 1] with a random R of 1,000 rows in layer 1, or a fast transform.
// Options: --solver compat (or secular, admm), --transform random (or orthogonal, dct, haar, walshHadamard), --mu 1e-7, --nodes 1000, --layers 2,
// --train 60000, --seed 1, --threads 2, --svg FILE.
import { parseArgs } from 'node:util';
import { Hnf } from 'heddle/estimators';
import { grow } from './growth.js';

const { values } = parseArgs({
  options: {
    solver: { type: 'string', default: 'compat' }, transform: { type: 'string', default: 'random' }, mu: { type: 'string', default: '1e-7' },
    nodes: { type: 'string', default: '1000' }, layers: { type: 'string', default: '2' }, train: { type: 'string', default: '60000' },
    seed: { type: 'string', default: '1' }, threads: { type: 'string' }, svg: { type: 'string' },
  },
});
const { solver, transform } = values;
await grow({
  title: `HNF on MNIST, ${transform}, ${solver}${solver === 'compat' ? `, mu = ${values.mu}` : ''}`,
  make: () => new Hnf({
    solver: /** @type {any} */ (solver), transform: /** @type {any} */ (transform), mu: Number(values.mu), nodes: Number(values.nodes),
    maxLayers: Number(values.layers), seed: Number(values.seed),
  }),
  reference: transform !== 'random' ? [] : solver === 'compat' ? [, 94.4, 96.5] : [, 94.9, 96.5], trainRows: Number(values.train),
  threads: values.threads && Number(values.threads), svg: values.svg,
});
