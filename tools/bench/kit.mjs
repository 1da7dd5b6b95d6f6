// What the measured programs share: numbers, clocks, starting an engine. Runs in Node and in pages.

/** Seeded numbers in [-1, 1). */
export function numbers(count, scale = 1) {
  const data = new Float32Array(count);
  let state = 1;
  for (let i = 0; i < count; i++) data[i] = scale * ((state = (state * 1664525 + 1013904223) >>> 0) / 2 ** 31 - 1);
  return data;
}

/** A symmetric matrix of small numbers with a heavy diagonal, row by row. @param {number} n */
export function definite(n) {
  const values = numbers(n * n), a = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) a[i * n + j] = a[j * n + i] = values[i * n + j];
    a[i * (n + 1)] += n;
  }
  return a;
}

/** @typedef {{ rounds: number, seconds: number }} Budget at least one round, at most so many, none begun after so many seconds */

/** Times calls after one to warm up: ms each. @param {Budget} budget @param {() => any} work */
export async function time({ rounds, seconds }, work) {
  await work();
  const ms = [], begin = performance.now();
  while (ms.length < rounds && (ms.length === 0 || performance.now() - begin < seconds * 1000)) {
    const start = performance.now();
    await work();
    ms.push(performance.now() - start);
  }
  return ms;
}

/** Times epochs of one fit after one to warm up: ms each.
 * @param {Budget} budget @param {any} net compiled @param {any} set @param {object} options of fit @param {() => void} [each] after each epoch */
export async function timeEpochs({ rounds, seconds }, net, set, options, each = () => {}) {
  const ms = [], enough = new AbortController();
  let start, begin;
  await net.fit(set, { ...options, epochs: rounds + 1, signal: enough.signal, onEpochEnd(epoch) {
    const now = performance.now();
    if (epoch > 0) ms.push(now - start);
    else begin = now;
    each();
    if (ms.length && now - begin >= seconds * 1000) enough.abort();
    start = performance.now();
  } }).catch((error) => { if (error.name !== 'AbortError') throw error; });
  return ms;
}

/** What `init` is told. @param {{ engine: string, threads: number }} given */
export const engineOf = ({ engine, threads }) => ({ engine, threads });

/** What ran: that it was not more than the asked threads, exactly as many if they were needed, and its memory.
 * @param {any} info of heddle @param {{ threads: number }} given @param {boolean} [all] every thread has had work */
export function ended({ threads: running, memory }, { threads }, all = true) {
  if (running > threads || (all && running < threads)) throw new Error(`${running} threads run, ${threads} were asked for`);
  return { memory };
}
