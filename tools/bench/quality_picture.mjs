// One process: ms of one picture of 664 x 498 through all of a ResNet to the score of a judge of image quality, decoding and resizing aside.
//   node quality_picture.mjs '{"net": "resnet18", "engine": "heddle-mt-relaxed", "threads": 1, "rounds": 5}'
import { info, init } from '../../bindings/index.js';
import { qualityModel } from '../../bindings/quality/index.js';
import { numbers, time } from './conv_nets.mjs';

const { net, engine, threads, rounds } = JSON.parse(process.argv[2]), shape = [498, 664, 3];
await init({ engine, threads });
const judge = await qualityModel({ backbone: net, seed: 1 }), pixels = Uint8Array.from(numbers(shape.reduce((a, b) => a * b), 127), (v) => v + 128);
const ms = await time(rounds, () => judge.network.predict({ data: pixels, shape: [1, ...shape] }, { output: 'main' }));
if (info().threads !== threads) throw new Error(`${info().threads} threads run, ${threads} were asked for`);
console.log(JSON.stringify({ ms, memory: info().memory }));
