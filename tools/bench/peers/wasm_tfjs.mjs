/** TensorFlow.js on its WASM backend. In Node it has one thread; in pages too, whatever is asked for: its binary with threads starts eight workers and uses none (tensorflow/tfjs, issue 8513). */
import * as tf from '@tensorflow/tfjs';
import { getThreadsCount, setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { folderOf } from './place.mjs';

export { tf };

/** @param {{ threads?: number }} given */
export async function start({ threads = 1 }) {
  setWasmPaths(folderOf('@tensorflow/tfjs-backend-wasm/dist'));
  setThreadsCount(threads);
  if (!await tf.setBackend('wasm')) throw new Error('TensorFlow.js: no WASM backend');
  if (globalThis.document && getThreadsCount() !== threads) throw new Error(`TensorFlow.js has ${getThreadsCount()} threads, ${threads} were asked for`);
}
