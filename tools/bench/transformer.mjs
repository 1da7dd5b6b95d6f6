// One process: million scores a second through the monotonic transformer of the default widths, public API, arrays to arrays.
//   node transformer.mjs '{"engine": "heddle-mt-relaxed", "threads": 1, "rounds": 5, "activation": "elu"}'
import { info, init } from '../../bindings/index.js';
import { monotonicTransformer } from '../../bindings/quality/index.js';

const { engine, threads, rounds, activation } = JSON.parse(process.argv[2]), scores = 1 << 20;
await init({ engine, threads });

const model = await monotonicTransformer({ activation, seed: 1 });
const set = await model.dataset(Float32Array.from({ length: scores }, (_, i) => 6 * i / scores - 3)), rates = [];
await model.predict(set, { batchSize: 2048 }); // warms up
for (let i = 0; i < rounds; i++) {
  const begin = performance.now(), { data } = await model.predict(set, { batchSize: 2048 });
  rates.push(scores / 1000 / (performance.now() - begin));
  if (!(data[0] < data[scores - 1])) throw new Error(`no result: ${data[0]} and ${data[scores - 1]}`);
}
if (info().threads > threads) throw new Error(`${info().threads} threads run, ${threads} were asked for`);
console.log(JSON.stringify({ rates }));
