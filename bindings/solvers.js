/** Closed-form solvers, as `heddle/solvers`: sums over samples, ridge regression from them, and least squares in a ball. */
export { Admm } from './admm.js';
export { admm, secular } from './ball.js';
export { Gram } from './gram.js';

/** @typedef {import('./admm.js').Coefficients} Coefficients */
/** @typedef {import('./ball.js').AdmmOptions} AdmmOptions */
/** @typedef {import('./ball.js').SecularOptions} SecularOptions */
/** @typedef {import('./gram.js').GramAddOptions} GramAddOptions */
/** @typedef {import('./solver.js').AdmmStats} AdmmStats */
/** @typedef {import('./solver.js').GramValues} GramValues */
/** @typedef {import('./solver.js').RidgePath} RidgePath */
