/** The public names of heddle. Importing this touches no window, document or process, and loads no engine. */
export { trainingControl } from './control.js';
export { HeddleError } from './errors.js';
export { constraints, initializers, layers, losses, metrics, optimizers, regularizers, schedules } from './factories.js';
export { apply, input } from './graph.js';
export { load, model, sequential } from './model.js';
export { info, init } from './session.js';
export { listStore, loadFrom, removeFrom, saveTo } from './stores/index.js';

/** @typedef {import('./archive.js').Json} Json */
/** @typedef {import('./batches.js').Batch} Batch */
/** @typedef {import('./batches.js').BatchSource} BatchSource */
/** @typedef {import('./compile.js').CompileOptions} CompileOptions */
/** @typedef {import('./compile.js').Scores} Scores */
/** @typedef {import('./control.js').TrainingControl} TrainingControl */
/** @typedef {import('./data.js').Arrays} Arrays */
/** @typedef {import('./data.js').ArrayWithShape} ArrayWithShape */
/** @typedef {import('./dataset.js').Dataset} Dataset */
/** @typedef {import('./errors.js').HeddleErrorCode} HeddleErrorCode */
/** @typedef {import('./fit_options.js').FitOptions} FitOptions */
/** @typedef {import('./fit_options.js').History} History */
/** @typedef {import('./fit_options.js').TrainingLog} TrainingLog */
/** @typedef {import('./graph.js').SymbolicTensor} SymbolicTensor */
/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('./model.js').LayerInfo} LayerInfo */
/** @typedef {import('./model.js').NamedTensors} NamedTensors */
/** @typedef {import('./model.js').Tensor} Tensor */
/** @typedef {import('./options.js').LayerSpec} LayerSpec */
/** @typedef {import('./session.js').Info} Info */
/** @typedef {import('./session.js').InitOptions} InitOptions */
