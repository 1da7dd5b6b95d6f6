/** Where this runs. */
export const isNode = () => typeof process === 'object' && typeof process.versions?.node === 'string';

/**
 * Imports a module of Node's. Bundlers for browsers fail on a literal node: import, or on one they can trace.
 * @param {string} name
 * @returns {Promise<any>}
 */
export const importNode = name => import(/* webpackIgnore: true */ /* @vite-ignore */ name);

/** @type {MessageChannel | undefined} */
let channel;

/** One turn of the event loop; a timer would cost 4 ms in browsers. @returns {Promise<void>} */
export function turn() {
  if (typeof setImmediate === 'function') return new Promise(resolve => { setImmediate(resolve); });
  channel ??= new MessageChannel();
  const { port1, port2 } = channel;
  return new Promise(resolve => {
    port1.onmessage = () => resolve();
    port2.postMessage(null);
  });
}
