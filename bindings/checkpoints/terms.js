/** What must be the same in a fit that goes on with another one's checkpoint. */
import { Dataset } from '../dataset.js';
import { crc32 } from './format.js';

/** @import { Json } from '../archive.js' */
/** @import { Core } from '../core.js' */
/** @import { Table } from '../engine.js' */
/** @import { FitOptions, Settings } from '../fit_options.js' */

/** At most so many parts of a column are looked at, each of so many bytes: enough to tell other data, quick for large ones. */
const parts = 64, partBytes = 1024;

/** @param {Float32Array | Uint8Array} data */
function digest(data) {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength), gap = (bytes.length - partBytes) / (parts - 1);
  if (bytes.length <= parts * partBytes) return crc32(bytes);
  let sum = 0;
  for (let i = 0; i < parts; i++) sum = crc32(bytes.subarray(Math.floor(i * gap), Math.floor(i * gap) + partBytes), sum);
  return sum;
}

/** @param {Table | Dataset | null} data */
function describe(data) {
  if (data === null) return null;
  if (data instanceof Dataset) return { rows: data.rows, columns: [...data.sizes] };
  return { rows: data.rows, columns: data.columns.map(({ role, index, size, scale, offset, data }) => ({ role, index, size, scale, offset, crc32: digest(data) })) };
}

/**
 * The number of epochs is none of them where no schedule depends on it, nor is the model's seed: its weights come from the checkpoint.
 * @param {Core} core
 * @param {FitOptions} options
 * @param {Settings} settings
 * @param {Table | Dataset | null} training null: a generator
 * @param {Table | Dataset | null} validation
 * @returns {Json}
 */
export function termsOf(core, options, { epochs, initialEpoch, split, shuffle, stepsPerEpoch, accumulation, batchSize }, training, validation) {
  const { nodes, outputs } = core.description, { config } = core;
  return JSON.parse(JSON.stringify({
    nodes, outputs, compile: config, initialEpoch, validationSplit: split, shuffle, stepsPerEpoch, gradientAccumulationSteps: accumulation || 'epoch',
    ...config?.optimizer.schedule && { epochs }, seed: options.seed, batchSize: training ? batchSize : options.batchSize,
    earlyStopping: options.earlyStopping, data: describe(training) ?? 'a generator', validationData: describe(validation),
  }));
}
