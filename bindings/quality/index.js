/** Image quality: `heddle/quality`. */
export { krocc, mae, metrics, outlierRatio, plcc, rmse, srocc, statistics } from './statistics.js';

/** @typedef {import('./statistics.js').Statistics} Statistics */
/** @typedef {import('./statistics.js').StatisticsOptions} StatisticsOptions */
