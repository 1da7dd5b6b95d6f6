/** The package in one module, but for what needs other packages (NATS, ONNX): what the bundles for pages without a bundler hold. */
export * from './index.js';
export * from './recipes.js';
export * as checkpoints from './checkpoints/index.js';
export * as consensus from './consensus/index.js';
export * as estimators from './estimators/index.js';
export * as files from './files/index.js';
export * as images from './images/index.js';
export * as keras from './keras/index.js';
export * as linalg from './linalg.js';
export * as quality from './quality/index.js';
export * as solvers from './solvers.js';
export * as superResolution from './super_resolution/index.js';
