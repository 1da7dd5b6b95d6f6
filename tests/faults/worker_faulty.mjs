// Worker script of the tests: the real one, with a fault of which the URL's query says where and what.
//   ?call=NAME&fault=loop|throw|silence[&after=N]    when C function NAME is called, for the Nth time: never returns; traps; returns, but the worker never speaks again
//   ?script=late|throw|loop                the script itself
import { isMainThread, parentPort } from 'node:worker_threads';
import { Heap } from '../../bindings/heap.js';

const query = new URL(import.meta.url).searchParams, name = query.get('call'), fault = query.get('fault'), { call } = Heap.prototype;
if (isMainThread) throw new Error('this is a worker');

/** Blocks without a system call in between: what an endless loop of C looks like from outside. */
const loop = () => { for (;;); };

if (name) {
  let left = Number(query.get('after') ?? 1);
  Heap.prototype.call = function (called, ...args) {
    if (called === name && --left === 0) {
      if (fault === 'loop') loop();
      if (fault === 'throw') throw new WebAssembly.RuntimeError('unreachable');
      parentPort.postMessage = () => {};
    }
    return call.call(this, called, ...args);
  };
}
if (query.get('script') === 'throw') throw new Error('broken on purpose');
if (query.get('script') === 'loop') loop();
if (query.get('script') === 'late') await new Promise(resolve => { setTimeout(resolve, 1e6); });
await import('../../bindings/worker.js');
