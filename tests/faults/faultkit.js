/** Shared by the tests that inject faults. */
import { info } from '../../bindings/index.js';
import { classifier, fresh, labelled } from '../api/modelkit.js';

/** URL of the worker whose fault the query describes; imported, since a Node worker's own URL loses its query. @param {Record<string, string>} query */
export const faulty = query => {
  const { href } = new URL(`./worker_faulty.mjs?${new URLSearchParams(query)}`, import.meta.url);
  return new URL(`data:text/javascript,${encodeURIComponent(`import ${JSON.stringify(href)};`)}`);
};

export const { x, y } = labelled(64, 4, 3);
export const sleep = ms => new Promise(resolve => { setTimeout(resolve, ms); });

/** What a model gives, to the bit. */
export const outcome = async (net, rows = x) => ({ p: (await net.predict(rows)).data, weights: await net.getWeights() });

/** A fitted classifier in a fresh engine, and what it gives. */
export async function trained(options) {
  await fresh(options);
  const net = await classifier();
  await net.fit(x, y, { epochs: 2, batchSize: 8 });
  return { net, before: await outcome(net) };
}

/** Bytes that the engine holds for models, data and fits. */
export const used = () => info().memory.used;

/** Rejections that nobody handled, while `work` runs. */
export async function unhandled(work) {
  const seen = [], listen = reason => seen.push(reason);
  process.on('unhandledRejection', listen);
  try {
    await work();
    await sleep(5); // they are told when the queue of promises is empty
  } finally {
    process.off('unhandledRejection', listen);
  }
  return seen;
}
