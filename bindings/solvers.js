/** Closed-form solvers: `heddle/solvers`. */
export { Gram } from './gram.js';
