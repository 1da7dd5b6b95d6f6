/** The package for a script tag: everything as properties of the global `heddle`. The worker and the engines are fetched from where
 * this script came from. */
export * from '../../bindings/everything.js';
