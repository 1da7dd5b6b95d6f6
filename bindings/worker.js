/** The worker: an engine behind messages, in browsers and in Node. */
import { createHost } from './host.js';
import { importNode } from './platform.js';

if (typeof globalThis.postMessage === 'function') {
  const { receive } = createHost((reply, transfer) => globalThis.postMessage(reply, { transfer }), true);
  globalThis.onmessage = ({ data }) => receive(data); // at once: a browser delivers as soon as this module has run
} else {
  const { parentPort } = await importNode('node:worker_threads');
  if (parentPort) {
    const { receive } = createHost((reply, transfer) => parentPort.postMessage(reply, transfer), true);
    parentPort.on('message', receive);
  }
}
