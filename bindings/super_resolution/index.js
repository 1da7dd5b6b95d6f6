/** Enlarging pictures: `heddle/super-resolution`. */
export { SuperResolver } from './resolver.js';

/** @typedef {import('./conv.js').ConvConfig} ConvConfig */
/** @typedef {import('./matnet.js').MatnetConfig} MatnetConfig */
/** @typedef {import('./matnet.js').Modality} Modality */
/** @typedef {import('./options.js').FitOptions} FitOptions */
/** @typedef {import('./options.js').FitProgress} FitProgress */
/** @typedef {import('./pictures.js').AnyImage} AnyImage */
/** @typedef {import('./pictures.js').TrainingImage} TrainingImage */
/** @typedef {import('./pretrained.js').PretrainedOptions} PretrainedOptions */
/** @typedef {import('./resolver.js').Comparison} Comparison */
/** @typedef {import('./resolver.js').EvaluateOptions} EvaluateOptions */
/** @typedef {import('./resolver.js').Quality} Quality */
/** @typedef {import('./resolver.js').UpscaleOptions} UpscaleOptions */
/** @typedef {import('./tiles.js').Band} Band */
/** @typedef {import('./training.js').EpochReport} EpochReport */
/** @typedef {import('./training.js').FitReport} FitReport */
