/** Where this runs. */
export const isNode = () => typeof process === 'object' && typeof process.versions?.node === 'string';

/**
 * Imports a module of Node's. Bundlers for browsers fail on a literal node: import, or on one they can trace.
 * @param {string} name
 * @returns {Promise<any>}
 */
export const importNode = name => import(/* webpackIgnore: true */ /* @vite-ignore */ name);
