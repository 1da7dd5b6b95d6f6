// Several members, each with digits of its own, fit one network without showing them to each other (heddle/consensus).
//   node examples/together.js                                        four members in this process
//   node examples/together.js --server nats://127.0.0.1:4222 --id anna --member 0      one of four processes, with --member 0 .. 3;
//                                                                    ws:// and wss:// servers too; --user, --password
// Options: --members 4, --rows 3000 (of each), --hidden 300, --method admm (gossip, gram), --radius 1, --rounds 100, --tolerance 1e-4,
// --deadline 10, --onLoss stop (continue), --room digits, --save FILE; --layers 2: an SSFN of so many layers.
import { parseArgs } from 'node:util';
import { localTransport } from 'heddle/consensus';
import { natsTransport } from 'heddle/nats';
import { mnist } from './mnist-data.js';
import { fitTogether, growTogether } from './together-slfn.js';

const names = ['server', 'id', 'user', 'password', 'save'], defaults = {
  members: '4', member: '0', rows: '3000', hidden: '300', method: 'admm', radius: '1', rounds: '100', tolerance: '1e-4',
  deadline: '10', onLoss: 'stop', room: 'digits', layers: '0',
};
const { values } = parseArgs({ options: {
  ...Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
  ...Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, { type: 'string', default: value }])),
} });
const { server, user, password, room, method, onLoss } = values, [members, rows] = [Number(values.members), Number(values.rows)];
const all = await mnist('train', members * rows), test = await mnist('test');

/** The rows of member `m`. @param {number} m */
const shard = (m) => ({
  x: { ...all.x, data: all.x.data.subarray(m * rows * 784, (m + 1) * rows * 784), shape: [rows, 28, 28] }, y: all.y.subarray(m * rows, (m + 1) * rows),
});

/** @param {any} transport @param {number} m @param {boolean} isLoud */
async function member(transport, m, isLoud) {
  const group = await transport.join({ members, deadline: Number(values.deadline), onLoss, task: `slfn ${values.hidden}` });
  if (isLoud) console.log(`run ${group.run}, seed ${group.seed}: ${group.members.join(', ')}`);
  const settings = {
    hidden: Number(values.hidden), method, rounds: Number(values.rounds), relativeTolerance: Number(values.tolerance),
    absoluteTolerance: Number(values.tolerance) / 100,
    onRound: ({ round, primal, dual }) => { if (isLoud && round % 10 === 0) console.log(`round ${round}: residuals ${primal.toExponential(1)}, ${dual.toExponential(1)}`); },
  };
  const { net, result } = Number(values.layers) ? await growTogether(group, shard(m), { ...settings, layers: Number(values.layers) })
    : await fitTogether(group, shard(m), { ...settings, radius: Number(values.radius) });
  const { data } = await net.predict(test.x, { batchSize: 500 });
  const right = test.y.filter((label, i) => data.subarray(10 * i, 10 * i + 10).indexOf(Math.max(...data.subarray(10 * i, 10 * i + 10))) === label).length;
  if (isLoud) {
    const { sent, received } = result.bytes;
    console.log(`${result.rounds} ${Number(values.layers) ? 'solutions' : 'rounds'}, ${result.members.length} members: test accuracy ${(right / test.y.length * 100).toFixed(2)} %`);
    console.log(`numbers sent ${sent.payload} bytes, received ${received.payload} bytes; headers ${sent.header + received.header} bytes; own rows ${rows * 784} bytes`);
    if (values.save) await net.save(values.save, { metadata: { rounds: result.rounds, members: [...result.members], bytes: result.bytes } });
  }
  net.dispose();
  await transport.close();
}

if (server) {
  const connect = { servers: server, ...user && { user, pass: password } };
  await member(await natsTransport({ room, ...values.id && { id: values.id }, connect }), Number(values.member), true);
} else {
  await Promise.all(Array.from({ length: members }, (_, m) => member(localTransport({ room, id: `m${m}` }), m, m === members - 1)));
}
