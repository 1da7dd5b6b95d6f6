/** jax-js on its WASM backend. In a page it starts a worker for each core that the page sees; in Node none, for there is no global Worker. */
import { defaultDevice, init } from '@jax-js/jax';

/** @param {{ threads?: number }} given */
export async function start({ threads = 1 }) {
  const cores = globalThis.document ? navigator.hardwareConcurrency : 1;
  if (cores !== threads) throw new Error(`jax-js takes ${cores} threads, ${threads} were asked for`);
  await init('wasm');
  defaultDevice('wasm');
}
