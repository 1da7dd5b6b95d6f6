// Transports: the format of messages, what is refused, joining, sums, losses, byte counters. Here with members in this process.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { broadcastTransport, localTransport } from '../../bindings/consensus/index.js';
import { Assembler, split } from '../../bindings/consensus/fragments.js';
import { decode, encode, jsonPart } from '../../bindings/consensus/message.js';
import { Transport } from '../../bindings/consensus/transport.js';

/** @param {string} code @param {RegExp} message */
const heddleError = (code, message) => (error) => error.name === 'HeddleError' && error.code === code && message.test(error.message);
let rooms = 0;

/** Transports of one new room. @param {number} n */
const transportsOf = (n, make = localTransport) => {
  const room = `test-${rooms++}`;
  return Array.from({ length: n }, (_, m) => make({ room, id: `m${m}` }));
};
/** A run with n members; ends it after the work. */
async function withGroups(n, options, work, make = localTransport) {
  const transports = transportsOf(n, make);
  try {
    await work(await Promise.all(transports.map((t) => t.join({ members: n, ...options }))), transports);
  } finally {
    await Promise.all(transports.map((t) => t.close()));
  }
}
const message = { kind: 'result', run: 0x1234567890abcdefn, round: 7, from: 'anna', parts: [
  { type: 'float32', shape: [2, 2], data: Float32Array.of(1, -2, 0.5, 3e38) }, { type: 'float64', shape: [1], data: Float64Array.of(Math.PI) },
  { type: 'float64', shape: [0, 3], data: new Float64Array() }, jsonPart(['anna', 'bert'])] };

test('a message is the same after its way, and little-endian', () => {
  const bytes = encode(message);
  assert.deepEqual(decode(bytes), message);
  assert.equal(Buffer.from(bytes.subarray(0, 6)).toString('latin1'), 'HDLC\x01\x07');
  assert.deepEqual([...bytes.subarray(8, 16)], [0xef, 0xcd, 0xab, 0x90, 0x78, 0x56, 0x34, 0x12]);
  assert.ok(Buffer.from(bytes).includes(Buffer.from([0, 0, 128, 63, 0, 0, 0, 192])), '1 and -2 as little-endian float32');
});

test('what is foreign, malformed or of another version is refused, whatever the bytes', () => {
  const bytes = encode(message), changed = (at, value) => {
    const copy = bytes.slice();
    copy[at] = value;
    return decode(copy);
  };
  assert.equal(decode(new Uint8Array(3)), 'foreign');
  assert.equal(changed(0, 0), 'foreign');
  assert.equal(changed(4, 2), 'version');
  assert.equal(changed(5, 99), 'malformed');
  assert.equal(changed(21, 0), 'malformed', 'a name with a NUL');
  for (let length = 4; length < bytes.length; length++) assert.equal(decode(bytes.subarray(0, length)), 'malformed');
  assert.equal(decode(Uint8Array.of(...bytes, 0)), 'malformed');
  const nan = { ...message, parts: [{ type: 'float32', shape: [1], data: Float32Array.of(NaN) }] };
  assert.equal(decode(encode(nan)), 'malformed');
  let state = 1;
  for (let i = 0; i < 20_000; i++) { // any bytes at all give a message or a reason
    const copy = bytes.slice();
    for (let k = 0; k < 3; k++) copy[4 + (state = state * 48271 % 2147483647) % (copy.length - 4)] = state % 251;
    assert.ok(['object', 'string'].includes(typeof decode(copy)));
  }
});

test('long messages go in pieces; a lost, doubled or strange piece costs that message only', () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i), pieces = split(bytes, 200, 'anna', 5), assembler = new Assembler();
  assert.ok(pieces.length > 5 && pieces.every(({ length }) => length <= 200));
  const all = pieces.map((piece) => assembler.add(piece));
  assert.deepEqual(all.slice(0, -1), all.slice(1).map(() => null));
  assert.deepEqual(all.at(-1), { bytes, extra: pieces.reduce((sum, { length }) => sum + length, 0) - 1000 });
  assert.deepEqual([0, 1, 1].map((i) => assembler.add(pieces[i])), [null, null, 'malformed']);
  assert.deepEqual([0, 2].map((i) => assembler.add(pieces[i])), [null, 'malformed']);
  assert.equal(assembler.add(pieces[0].subarray(0, 20)), 'malformed');
  assert.deepEqual(split(bytes, 1000, 'anna', 6), [bytes]);
});

for (const make of [localTransport, broadcastTransport]) {
  test(`${make.name}: members meet, sum in order with the same bits for all, broadcast, exchange with neighbours`, async () => {
    await withGroups(4, { deadline: 5 }, async (groups) => {
      assert.equal(new Set(groups.map(({ seed }) => seed)).size, 1);
      assert.deepEqual(groups.map(({ rank, size }) => [rank, size]), [[0, 4], [1, 4], [2, 4], [3, 4]]);
      const values = [1e16, 1, -1e16, 1]; // (((1e16 + 1) - 1e16) + 1) in this order only
      for (const sums of await Promise.all(groups.map((g, m) => g.allReduceSum([Float64Array.of(values[m], m), Float32Array.of(m)], { type: 'float64' })))) {
        assert.deepEqual(sums, [Float64Array.of(((1e16 + 1) - 1e16) + 1, 6), Float64Array.of(6)]);
      }
      const shared = await Promise.all(groups.map((g, m) => g.broadcast([Float64Array.of(m + 0.1)], { from: 'm2' })));
      assert.deepEqual(shared.flat(), groups.map(() => Float64Array.of(Math.fround(2.1))));
      const around = await Promise.all(groups.map((g, m) => g.neighbourExchange([Float64Array.of(m)], [`m${(m + 1) % 4}`, `m${(m + 3) % 4}`])));
      assert.deepEqual(around.map((map) => [...map].map(([id, [v]]) => [id, v[0]])),
        [0, 1, 2, 3].map((m) => [(m + 1) % 4, (m + 3) % 4].map((k) => [`m${k}`, k])));
    }, make);
  });
}

test('bytes are those of the numbers; the rest is counted as header', async () => {
  await withGroups(3, {}, async (groups) => {
    const rounds = 5, n = 70;
    for (let k = 0; k < rounds; k++) await Promise.all(groups.map((g) => g.allReduceSum([new Float32Array(n)])));
    await Promise.all(groups.map((g, m) => g.neighbourExchange([new Float32Array(n)], [`m${(m + 1) % 3}`, `m${(m + 2) % 3}`], { type: 'float64' })));
    const workers = 4 * n * rounds + 2 * 8 * n;
    for (const { bytes } of groups.slice(1)) assert.deepEqual([bytes.sent.payload, bytes.received.payload, bytes.sent.messages], [workers, workers, rounds + 2]);
    assert.deepEqual([groups[0].bytes.sent.payload, groups[0].bytes.received.payload], [workers, 2 * 4 * n * rounds + 2 * 8 * n]);
    const header = (parts) => encode({ kind: 'contribute', run: 1n, round: 1, from: 'm1', parts }).length;
    const [contribute, exchange] = ['float32', 'float64'].map((type) => header([{ type, shape: [n], data: new Float32Array(n) }]) - n * (type === 'float32' ? 4 : 8));
    assert.equal(groups[1].bytes.sent.header, rounds * contribute + 2 * exchange);
  });
});

test('a member that dies: the others go on, or stop with its name', async () => {
  const timeout = heddleError('timeout', /round 1: "m2" did not answer "m0" within 0\.5 s/);
  await withGroups(3, { deadline: 0.5 }, async ([a, b]) => {
    await Promise.all([a, b].map((g) => assert.rejects(g.allReduceSum([Float64Array.of(1)]), timeout)));
    await assert.rejects(a.allReduceSum([Float64Array.of(1)]), timeout, 'the run is over');
  });
  await withGroups(3, { deadline: 0.5, onLoss: 'continue' }, async ([a, b, c]) => {
    for (let k = 0; k < 3; k++) assert.deepEqual(await Promise.all([a, b].map((g) => g.allReduceSum([Float64Array.of(1)]))), [[Float64Array.of(2)], [Float64Array.of(2)]]);
    assert.deepEqual([a.members, a.lost, b.members, b.lost], [['m0', 'm1'], ['m2'], ['m0', 'm1'], ['m2']]);
    await assert.rejects(c.allReduceSum([Float64Array.of(1)]), heddleError('timeout', /went on without this member/));
  });
});

test('the first member dies: the next adds up, even if only some have the last result', async () => {
  await withGroups(4, { deadline: 0.5, onLoss: 'continue' }, async (groups, transports) => {
    await Promise.all(groups.map((g) => g.allReduceSum([Float64Array.of(1)])));
    const first = groups.slice(1).map((g) => g.allReduceSum([Float64Array.of(1)]));
    assert.deepEqual(await Promise.all(first), [1, 2, 3].map(() => [Float64Array.of(3)]));
    assert.deepEqual(groups.map(({ members }) => members.length), [4, 3, 3, 3]);
    await assert.rejects(groups[0].allReduceSum([Float64Array.of(1)]), heddleError('timeout', /went on without this member/));
    await transports[1].close(); // leaves: noticed without waiting
    const start = performance.now();
    assert.deepEqual(await Promise.all(groups.slice(2).map((g) => g.allReduceSum([Float64Array.of(1)]))), [[Float64Array.of(2)], [Float64Array.of(2)]]);
    assert.ok(performance.now() - start < 400);
  });
});

/** A member by BroadcastChannel that hears nothing of `m0` while told so. */
function deafTransport(room, id, state) {
  return new Transport((receive) => {
    const channel = new BroadcastChannel(`heddle:${room}`);
    channel.onmessage = ({ data: { to, from, bytes } }) => {
      if ((to === null || to === id) && !(state.isDeaf && from === 'm0')) receive(bytes, from);
    };
    return { limit: 100, send: (to, bytes) => channel.postMessage({ to, from: id, bytes }), close: () => channel.close() };
  }, id);
}

test('a first member that dies after it has told some but not all: the next one asks the others for the result', async () => {
  const room = `test-${rooms++}`, state = { isDeaf: false };
  const transports = [broadcastTransport({ room, id: 'm0' }), deafTransport(room, 'm1', state), broadcastTransport({ room, id: 'm2' })];
  try {
    const groups = await Promise.all(transports.map((t) => t.join({ members: 3, deadline: 0.5, onLoss: 'continue' })));
    const sum = (m, values) => groups[m].allReduceSum([Float64Array.from(values)]);
    await Promise.all(groups.map((_, m) => sum(m, [1])));
    state.isDeaf = true;
    const [, late, done] = groups.map((_, m) => sum(m, new Array(100).fill(1))); // m1's go in pieces
    assert.equal((await done)[0][99], 3);
    await transports[0].close();
    const next = sum(2, [5]);
    assert.equal((await late)[0][99], 3, 'the sum of all three, which only m2 had');
    assert.deepEqual(await Promise.all([sum(1, [4]), next]), [[Float64Array.of(9)], [Float64Array.of(9)]]);
  } finally {
    await Promise.all(transports.map((t) => t.close()));
  }
});

test('messages of other runs, of strangers and of no sense are refused and counted', async () => {
  await withGroups(2, {}, async (groups, [transport]) => {
    const channel = new BroadcastChannel(`heddle:test-${rooms - 1}`), parts = [{ type: 'float32', shape: [1], data: Float32Array.of(1e6) }];
    const post = (from, bytes) => channel.postMessage({ to: 'm0', from, bytes });
    const bytes = encode({ kind: 'contribute', run: groups[0].run, round: 1, from: 'm1', parts });
    post('m2', bytes); // not from whom it says
    post('m1', encode({ kind: 'contribute', run: groups[0].run + 1n, round: 1, from: 'm1', parts }));
    post('m2', encode({ kind: 'contribute', run: groups[0].run, round: 1, from: 'm2', parts }));
    post('m1', bytes.subarray(0, bytes.length - 1));
    post('m1', bytes.with(4, 9));
    channel.postMessage('hello');
    await new Promise((resolve) => { setTimeout(resolve, 50); });
    channel.close();
    assert.deepEqual(transport.refused, { foreign: 2, malformed: 1, version: 1, run: 2 });
    assert.deepEqual(await Promise.all(groups.map((g) => g.allReduceSum([Float64Array.of(1)]))), [[Float64Array.of(2)], [Float64Array.of(2)]]);
  }, broadcastTransport);
});

test('a late joiner waits for the next run; other tasks and numbers of members do not meet', async () => {
  const [a, b, late, other] = transportsOf(4);
  try {
    const groups = await Promise.all([a, b].map((t) => t.join({ members: 2 })));
    let isIn = false;
    const waiting = late.join({ members: 3 }).then((group) => { isIn = true; return group; });
    const lost = assert.rejects(other.join({ members: 3, task: 'other', timeout: 0.5 }), heddleError('timeout', /1 of 3 members came within 0\.5 s: m3/));
    for (let k = 0; k < 5; k++) await Promise.all(groups.map((g) => g.allReduceSum([Float64Array.of(1)])));
    await lost;
    assert.equal(isIn, false);
    groups.forEach((g) => g.leave());
    await assert.rejects(groups[0].allReduceSum([]), heddleError('state', /has left/));
    const next = await Promise.all([a.join({ members: 3 }), b.join({ members: 3 }), waiting]);
    assert.deepEqual(next.map(({ members }) => members.length), [3, 3, 3]);
    assert.notEqual(next[0].run, groups[0].run);
  } finally {
    for (const t of [a, b, late, other]) await t.close();
  }
});

test('eight that come at once and want to be two each become four pairs', async () => {
  const transports = transportsOf(8);
  const groups = await Promise.all(transports.map((t) => t.join({ members: 2, timeout: 20 })));
  assert.equal(new Set(groups.map(({ run }) => run)).size, 4);
  for (const g of groups) assert.deepEqual(groups.filter(({ run }) => run === g.run).map(({ id }) => id), [...g.members]);
  await Promise.all(transports.map((t) => t.close()));
});

test('wrong use is told: shapes, options, states, aborting', async () => {
  await withGroups(2, {}, async (groups, [transport]) => {
    const shape = heddleError('shape', /"m1" sent float32 \[2\], "m0" has float32 \[3\]/);
    await Promise.all(groups.map((g, m) => assert.rejects(g.allReduceSum([new Float64Array(3 - m)]), shape)));
    await assert.rejects(transport.join({ members: 2, dedline: 1 }), heddleError('argument', /unknown option "dedline", did you mean "deadline"/));
    await assert.rejects(transport.join({ members: 0 }), heddleError('argument', /members = 0, expected 1\.\.64/));
    await assert.rejects(transport.join({ members: 2, onLoss: 'wait' }), heddleError('argument', /onLoss = "wait"/));
  });
  await withGroups(2, {}, async ([a], [transport]) => {
    await assert.rejects(a.allReduceSum([Float64Array.of(1e300)]), heddleError('diverged', /not finite as float32/));
    await assert.rejects(a.neighbourExchange([], ['m0']), heddleError('argument', /"m0" is not one of the others/));
    await assert.rejects(transport.join({ members: 2 }), heddleError('state', /in a run already/));
    const first = a.allReduceSum([]);
    await assert.rejects(a.allReduceSum([]), heddleError('state', /under way/));
    await transport.close();
    await assert.rejects(first, heddleError('state', /left the run/));
  });
  const abort = new AbortController(), [a, b] = transportsOf(2);
  const groups = await Promise.all([a.join({ members: 2, signal: abort.signal }), b.join({ members: 2 })]);
  const sums = groups.map((g) => g.allReduceSum([Float64Array.of(1)], { type: 'float64' }));
  abort.abort();
  await assert.rejects(sums[0], { name: 'AbortError' });
  await assert.rejects(sums[1], heddleError('timeout', /"m0" left the run/));
  await Promise.all([a, b].map((t) => t.close()));
  assert.throws(() => localTransport({ room: 'a b' }), heddleError('argument', /room = "a b"/));
});
