/** Charts and pictures of what networks learn, for pages: `heddle/vis`. Charts of curves and points need the package uplot; the others need nothing. */
export { colourTable, extent } from './colours.js';
export { ConfusionMatrix, confusionCounts, confusionMatrix } from './confusion.js';
export { LossChart, lossChart } from './loss.js';
export { LineChart, lineChart } from './plot.js';
export { ScatterChart, scatterChart } from './scatter.js';
export { ValueMap, featureMaps, weightMap } from './weights.js';

/** @typedef {import('./colours.js').Colours} Colours */
/** @typedef {import('./confusion.js').ConfusionOptions} ConfusionOptions */
/** @typedef {import('./confusion.js').Counts} Counts */
/** @typedef {import('./loss.js').LossOptions} LossOptions */
/** @typedef {import('./plot.js').Axis} Axis */
/** @typedef {import('./plot.js').ChartOptions} ChartOptions */
/** @typedef {import('./plot.js').LineOptions} LineOptions */
/** @typedef {import('./plot.js').Point} Point */
/** @typedef {import('./plot.js').Series} Series */
/** @typedef {import('./scatter.js').ScatterOptions} ScatterOptions */
/** @typedef {import('./weights.js').MapOptions} MapOptions */
/** @typedef {import('./theme.js').Theme} Theme */
