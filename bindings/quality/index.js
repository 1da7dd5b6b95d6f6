/** Image quality, as `heddle/quality`: judges that learn from ratings of pictures, tables of ratings, scores from choices between two pictures, and how well scores
 * agree with ratings. */
export { FeatureCache, featureCache } from './cache.js';
export { matchImages } from './matching.js';
export { QualityModel, loadQualityModel, qualityModel } from './model.js';
export { MixedDatasetModel, loadMixedDatasetModel, mixedDatasetModel } from './mixed.js';
export { certificate, invert, monotonicTransformer } from './monotone.js';
export { nextPair, pairwiseScores } from './pairwise.js';
export { readRatings } from './ratings.js';
export { split } from './split.js';
export { Mapping, mapping } from './mapping.js';
export { krocc, mae, metrics, outlierRatio, plcc, rmse, srocc, statistics } from './statistics.js';

/** @typedef {import('./mapping.js').MappingKind} MappingKind */
/** @typedef {import('./statistics.js').Statistics} Statistics */
/** @typedef {import('./statistics.js').StatisticsOptions} StatisticsOptions */
/** @typedef {import('./mixed.js').MixedDatasetOptions} MixedDatasetOptions */
/** @typedef {import('./mixed.js').MixedFitOptions} MixedFitOptions */
/** @typedef {import('./mixed.js').MixedEpoch} MixedEpoch */
/** @typedef {import('./mixed.js').MixedReport} MixedReport */
/** @typedef {import('./monotone.js').Certificate} Certificate */
/** @typedef {import('./tuples.js').RatedSet} RatedSet */
/** @typedef {import('./pairwise.js').Choice} Choice */
/** @typedef {import('./pairwise.js').PairwiseOptions} PairwiseOptions */
/** @typedef {import('./pairwise.js').PairwiseScores} PairwiseScores */
/** @typedef {import('./ratings.js').Ratings} Ratings */
/** @typedef {import('./ratings.js').RatingsOptions} RatingsOptions */
/** @typedef {import('./split.js').SplitOptions} SplitOptions */
/** @typedef {import('./split.js').Parts} Parts */
/** @typedef {import('./model.js').QualityModelOptions} QualityModelOptions */
/** @typedef {import('./model.js').QualityReport} QualityReport */
/** @typedef {import('./fit.js').QualityFitOptions} QualityFitOptions */
/** @typedef {import('./fit.js').QualityProgress} QualityProgress */
/** @typedef {import('./pictures.js').Picture} Picture */
/** @typedef {import('./pictures.js').Preprocessing} Preprocessing */
