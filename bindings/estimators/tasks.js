/** Networks that learn further tasks without the old data, and forget nothing (after Javid et al., "Adaptive learning without forgetting
 * via low-complexity convex networks", 2020). */
import { Gram } from '../gram.js';
import { SymbolicTensor } from '../graph.js';
import { defaultSeed } from '../session.js';
import { Flow } from './flow.js';
import { hidden, lossless, rows } from './hidden.js';
import { accuracyOf, residual } from './residuals.js';
import { assemble, drawMatrix, layerSeed, linear } from './stages.js';

/** @import { Coefficients } from '../admm.js' */
/** @import { Model } from '../model.js' */
/** @import { LearnOptions } from './predictor.js' */
/** @import { TrainingData } from './samples.js' */
/** @import { SsfnParams } from './ssfn.js' */
/** @import { Stage } from './stages.js' */
/**
 * @typedef {object} TaskOptions
 * @property {number} [ridge] penalty on the new outputs' coefficients; the estimator's unless told
 * @property {number} [distillation] 0: the old outputs stay as they are; m above 0: their coefficients become those that repeat them on the new
 *   rows, sum |O y - O_old y|^2 + m ||O||^2, as small as can be; 0 unless told
 * @property {number} [layers] more layers for the new task, through which the old outputs pass unchanged; 0 unless told
 */

const MiB = 2 ** 20;

/** A network up to what its output reads, as a stage; name: of the output. @param {Model} model @returns {Promise<{ stage: Stage, name: string, coef: Coefficients }>} */
async function trunk(model) {
  const { nodes, outputs: [name] } = model.description, weights = await model.getWeights(), { data, shape } = weights[`${name}/kernel`];
  const [end] = nodes.find(node => node.name === name)?.inputs ?? [], kept = nodes.filter(node => node.name !== name);
  const own = Object.fromEntries(Object.entries(weights).filter(([weight]) => !weight.startsWith(`${name}/`)));
  return {
    name, coef: { data: Float64Array.from(data), shape: [shape[0], shape[1]] },
    stage: {
      weights: own, size: shape[1],
      draw(x) {
        /** @type {Map<string, SymbolicTensor>} */
        const tensors = new Map();
        for (const { inputs = [], ...spec } of kept) {
          tensors.set(spec.name, spec.layer === 'input' ? x : new SymbolicTensor(spec, inputs.map(one => /** @type {SymbolicTensor} */ (tensors.get(one)))));
        }
        return /** @type {SymbolicTensor} */ (tensors.get(end));
      },
    },
  };
}

/** Coefficients that repeat old outputs on the new rows: O_old G (G + m I)^-1. @param {Gram} gram @param {Coefficients} old @param {number} m */
async function distilled(gram, old, m) {
  if (m === 0) return old;
  const { g, samples } = await gram.values(), [q, n] = old.shape, c = new Float64Array(q * n), teacher = new Gram({ features: n, targets: q });
  for (let k = 0; k < q; k++) {
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) c[k * n + j] += old.data[k * n + i] * g[Math.max(i, j) * n + Math.min(i, j)];
    }
  }
  try {
    await teacher.set({ g, c, samples, targetSquares: 0 });
    return (await teacher.ridge(m)).coef;
  } finally {
    teacher.dispose();
  }
}

/** @param {Coefficients} top @param {Coefficients} bottom @returns {Coefficients} one above the other */
function stacked(top, bottom) {
  const data = new Float64Array(top.data.length + bottom.data.length);
  data.set(top.data);
  data.set(bottom.data, top.data.length);
  return { data, shape: [top.shape[0] + bottom.shape[0], top.shape[1]] };
}

/** @param {Coefficients} all @param {number} count @returns {Coefficients} */
const firstRows = ({ data, shape: [, n] }, count) => ({ data: data.slice(0, count * n), shape: [count, n] });

/** The last columns of each row. @param {Float32Array} scores @param {number} q of them @param {number} begin @returns {Float32Array} */
function columnsOf(scores, q, begin) {
  const last = q - begin;
  return Float32Array.from({ length: scores.length / q * last }, (_, i) => scores[Math.floor(i / last) * q + begin + i % last]);
}

/**
 * A network with the old outputs, then those of the new task.
 * @param {Model} old
 * @param {TrainingData} data of the new task
 * @param {Required<TaskOptions>} how
 * @param {SsfnParams} params
 * @param {LearnOptions} options
 * @returns {Promise<{ net: Model, cost: number, trainAccuracy: number }>} of the new task
 */
export async function withTask(old, data, { ridge, distillation, layers }, params, { signal, onProgress }) {
  const { stage, name, coef: known } = await trunk(old), [q1] = known.shape, q = q1 + data.outputs, first = Number(name.slice('output_'.length));
  const stages = [stage], seed = params.seed ?? defaultSeed();
  let flow = await Flow.open([data], stage, params.cacheLimit * MiB);
  /** @param {(gram: Gram) => Promise<Coefficients>} solve */
  const solved = async solve => {
    const gram = new Gram({ features: stages[stages.length - 1].size, targets: data.outputs });
    try {
      await flow.addTo(gram, { signal });
      return await outcome(await solve(gram));
    } finally {
      gram.dispose();
    }
  };
  /** @param {Coefficients} coef */
  const outcome = async coef => {
    const layer = first + stages.length - 1, head = linear(`output_${layer}`, coef), own = columnsOf((await flow.outputs(head, { signal }))[0], q, q1);
    const cost = residual(own, data), trainAccuracy = accuracyOf(own, data);
    onProgress?.({ phase: 'task', done: stages.length - 1, total: layers, layer, cost, trainAccuracy });
    signal?.throwIfAborted();
    return { coef, head, cost, trainAccuracy };
  };
  try {
    let last = await solved(async gram => stacked(await distilled(gram, known, distillation), (await gram.ridge(ridge)).coef));
    while (stages.length <= layers) {
      const { size } = stages[stages.length - 1], level = first + stages.length, n = 2 * q + params.nodes;
      const random = { data: await drawMatrix(rows, params.nodes, size, layerSeed(seed, level)), shape: [params.nodes, size] };
      stages.push(hidden(level, last.head, random));
      const next = await flow.through(stages[stages.length - 1], { signal });
      flow.dispose();
      flow = next;
      const same = { data: lossless(q, n), shape: /** @type {[number, number]} */ ([q, n]) };
      const found = await solved(async gram => stacked(firstRows(same, q1), (await gram.secular(params.alpha * Math.sqrt(2 * data.outputs))).coef));
      last = found.cost <= last.cost ? found : await outcome(same);
    }
    const net = await assemble(data.shape, [...stages, last.head], { name: old.name, seed: old.seed });
    return { net, cost: last.cost, trainAccuracy: last.trainAccuracy };
  } finally {
    flow.dispose();
  }
}
