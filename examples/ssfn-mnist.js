// SSFN on MNIST, layer by layer: with --solver compat as the published program does it (ADMM of penalty 1 / mu that is hardly bounded), with
// secular the constrained problem solved exactly, where --alpha 2 is too tight and 10 as good.
// Options: --solver compat, --alpha 10, --mu 100000, --nodes 1000, --layers 8, --train 60000, --seed 1, --threads 2, --svg FILE.
import { parseArgs } from 'node:util';
import { Ssfn } from 'heddle/estimators';
import { grow } from './growth.js';

const { values } = parseArgs({
  options: {
    solver: { type: 'string', default: 'compat' }, alpha: { type: 'string', default: '10' }, mu: { type: 'string', default: '1e5' },
    nodes: { type: 'string', default: '1000' }, layers: { type: 'string', default: '8' }, train: { type: 'string', default: '60000' },
    seed: { type: 'string', default: '1' }, threads: { type: 'string' }, svg: { type: 'string' },
  },
});
const { solver } = values, alpha = Number(values.alpha);
/** Test accuracy in % by layer. */
const references = {
  compat: [85.3, 94.6, 95.8, 96.1, 96.4, 96.6, 96.7, 96.7, 96.7], 2: [85.3, 90.7, , 93.5, , 94.3, , , 94.7], 5: [85.3, 93.3, , 95.6, , 96.3],
  10: [85.3, 94.6, , 96.0, , 96.7],
};
await grow({
  title: `SSFN on MNIST, ${solver}${solver === 'compat' ? `, mu = ${values.mu}` : `, alpha = ${alpha}`}`,
  make: () => new Ssfn({
    solver: /** @type {any} */ (solver), alpha, mu: Number(values.mu), nodes: Number(values.nodes), maxLayers: Number(values.layers), layerThreshold: 0,
    seed: Number(values.seed),
  }),
  reference: references[solver === 'compat' ? 'compat' : alpha] ?? [], trainRows: Number(values.train),
  threads: values.threads && Number(values.threads), svg: values.svg,
});
