// One process: memory and ms of ResNet-50 predictions at 224 with random weights, one picture at a time.
import { info, init } from '../../bindings/index.js';
import { recipes } from '../../bindings/recipes.js';
import { numbers, time } from './conv_nets.mjs';

const { engine, threads, rounds } = JSON.parse(process.argv[2]);
await init({ engine, threads });
const net = await recipes.resnet50({ inputShape: [224, 224, 3], seed: 1 });
const data = numbers(224 * 224 * 3);
const ms = await time(rounds, () => net.predict({ data, shape: [1, 224, 224, 3] }));
console.log(JSON.stringify({ ms, memory: info().memory }));
