/** What a model is trained for: optimiser, losses and metrics, checked and named. */
import { HeddleError, checkOptions, kindOf } from './errors.js';
import { toItem } from './graph.js';
import { asSpec } from './options.js';

/** @import { CompilePlan, Score } from './engine.js' */
/** @import { LossSpec, MetricSpec, OptimizerSpec } from './options.js' */
/** @template T @typedef {T | readonly (T | null)[] | { readonly [output: string]: T }} PerOutput one for each output, in their order
 *   or by name; a single one stands for all */
/**
 * @typedef {object} CompileOptions
 * @property {OptimizerSpec | string} optimizer such as optimizers.adam({ learningRate: 1e-3 }) or 'adam'
 * @property {PerOutput<LossSpec | string>} loss outputs that are left out (or null in an array) are not trained and take no
 *   targets
 * @property {readonly number[] | { readonly [output: string]: number }} [lossWeights] factors of the losses in the total, 1
 *   unless told
 * @property {MetricSpec | string | readonly (MetricSpec | string)[] | readonly (readonly (MetricSpec | string)[])[]
 *   | { readonly [output: string]: MetricSpec | string | readonly (MetricSpec | string)[] }} [metrics] a list for a single
 *   output; for several a list for each, in their order or by name
 */
/**
 * The checked options, as they are saved; plain JSON.
 * @typedef {object} CompileConfig
 * @property {OptimizerSpec} optimizer
 * @property {{ output: string, weight: number, spec: LossSpec }[]} losses
 * @property {{ output: string, spec: MetricSpec }[]} metrics
 */
/** Values by their Keras names: loss, accuracy ...; with several outputs out1_loss, out1_accuracy ...; a confusion matrix is
 * a list, row by row. @typedef {{ loss: number } & { [name: string]: number | number[] }} Scores */

/** @param {unknown} value @returns {value is Record<string, unknown>} an object by output names, not a spec */
const isByName = value => typeof value === 'object' && value !== null && !Array.isArray(value)
  && !('loss' in value && typeof value.loss === 'string') && !('metric' in value && typeof value.metric === 'string');

/**
 * One value for each output; undefined where there is none.
 * @param {unknown} value
 * @param {readonly string[]} outputs
 * @param {string} where
 * @param {boolean} single a lone value stands for all outputs
 * @returns {unknown[]}
 */
function perOutput(value, outputs, where, single) {
  if (isByName(value)) {
    checkOptions(value, outputs, where);
    return outputs.map(name => value[name]);
  }
  if (Array.isArray(value)) {
    if (value.length !== outputs.length) {
      throw new HeddleError('argument', `${where}: ${value.length} entries for ${outputs.length} outputs (${outputs.join(', ')})`);
    }
    return value.map(one => one ?? undefined);
  }
  if (value === undefined || (!single && outputs.length > 1)) {
    throw new HeddleError('argument', `${where}: expected one for each of the outputs ${outputs.join(', ')}, got ${kindOf(value)}`);
  }
  return outputs.map(() => value);
}

/** @param {CompileOptions} options @param {readonly string[]} outputs @returns {CompileConfig['losses']} */
function readLosses({ loss, lossWeights }, outputs) {
  const given = perOutput(loss, outputs, 'compile: loss', true);
  const weights = lossWeights === undefined ? [] : perOutput(lossWeights, outputs, 'compile: lossWeights', false);
  const losses = outputs.flatMap((output, i) => {
    if (given[i] === undefined) return [];
    const weight = weights[i] ?? 1;
    if (typeof weight !== 'number' || !(weight >= 0 && weight < Infinity)) {
      throw new HeddleError('argument', `compile: lossWeights of ${output} = ${String(weight)}, expected a finite number >= 0`);
    }
    return [{ output, weight, spec: /** @type {LossSpec} */ (asSpec('loss', given[i], `compile: loss of ${output}`)) }];
  });
  if (losses.length === 0) throw new HeddleError('argument', 'compile: no output has a loss');
  return losses;
}

/** @param {unknown} metrics @param {readonly string[]} outputs @returns {CompileConfig['metrics']} */
function readMetrics(metrics, outputs) {
  if (metrics === undefined) return [];
  const single = outputs.length === 1 && !isByName(metrics) && !(Array.isArray(metrics) && Array.isArray(metrics[0]));
  const given = single ? [metrics] : perOutput(metrics, outputs, 'compile: metrics', false);
  return outputs.flatMap((output, i) => (given[i] === undefined ? [] : [given[i]].flat()).map(one => (
    { output, spec: /** @type {MetricSpec} */ (asSpec('metric', one, `compile: metrics of ${output}`)) })));
}

/**
 * @param {CompileOptions} options
 * @param {readonly string[]} outputs names
 * @returns {CompileConfig}
 */
export function readCompile(options, outputs) {
  checkOptions(options, ['optimizer', 'loss', 'lossWeights', 'metrics'], 'compile');
  for (const name of /** @type {const} */ (['optimizer', 'loss'])) {
    if (options?.[name] === undefined) throw new HeddleError('argument', `compile: "${name}" is missing`);
  }
  return {
    optimizer: /** @type {OptimizerSpec} */ (asSpec('optimizer', options.optimizer, 'compile: optimizer')),
    losses: readLosses(options, outputs),
    metrics: readMetrics(options.metrics, outputs),
  };
}

/** @param {CompileConfig} config @param {readonly string[]} outputs @returns {CompilePlan} */
export function planCompile({ optimizer, losses, metrics }, outputs) {
  /** @param {string} name */
  const number = name => {
    const i = outputs.indexOf(name);
    if (i < 0) throw new HeddleError('argument', `compile: no output "${name}", there are ${outputs.join(', ')}`);
    return i;
  };
  return {
    losses: losses.map(({ output, weight, spec }) => ({ output: number(output), weight, ...toItem('loss', spec, 'compile: loss') })),
    metrics: metrics.map(({ output, spec }) => ({ output: number(output), ...toItem('metric', spec, 'compile: metrics') })),
    optimizer: toItem('optimizer', optimizer, 'compile: optimizer'),
    ...optimizer.schedule && { schedule: toItem('schedule', optimizer.schedule, 'compile: schedule') },
  };
}

/**
 * Names of what a score holds.
 * @param {CompileConfig} config
 * @param {readonly string[]} outputs
 * @returns {{ losses: string[], metrics: string[] }} losses: empty for a single one, which is "loss" already
 */
export function scoreNames({ losses, metrics }, outputs) {
  const several = outputs.length > 1 || losses.length > 1, taken = new Set(['loss']);
  /** @param {string} output @param {string} name */
  const unique = (output, name) => {
    const base = outputs.length > 1 ? `${output}_${name}` : name;
    let free = base;
    for (let i = 1; taken.has(free); i++) free = `${base}_${i}`;
    taken.add(free);
    return free;
  };
  return {
    losses: several ? losses.map(({ output }) => unique(output, 'loss')) : [],
    metrics: metrics.map(({ output, spec }) => unique(output, spec.metric)),
  };
}

/**
 * @param {Score} score
 * @param {ReturnType<typeof scoreNames>} names
 * @param {string} [prefix] "val_"
 * @returns {Scores}
 */
export function namedScores(score, names, prefix = '') {
  /** @type {[string, number | number[]][]} */
  const pairs = [[`${prefix}loss`, score.loss]];
  for (const [i, name] of names.losses.entries()) pairs.push([prefix + name, score.losses[i]]);
  for (const [i, name] of names.metrics.entries()) pairs.push([prefix + name, score.metrics[i]]);
  return /** @type {Scores} */ (Object.fromEntries(pairs));
}
