// A NATS server that dies, comes back, refuses, or drops who reads too slowly: typed errors in time, nothing hangs, the models go on.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect as dial } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { synchronousFit } from '../../bindings/consensus/index.js';
import { natsTransport } from '../../bindings/nats.js';
import { classifier, fresh, refuses } from '../api/modelkit.js';
import { outcome, sleep, unhandled, x, y } from './faultkit.js';

const folder = mkdtempSync(join(tmpdir(), 'heddle-faults-')), running = new Set();
let rooms = 0;
before(() => fresh());
after(() => {
  for (const server of running) server.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

const freePort = () => new Promise(resolve => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

/** A server that answers. @param {number} port @param {string} [settings] */
async function serve(port, settings = '') {
  const file = join(folder, `${port}.conf`);
  writeFileSync(file, `listen: "127.0.0.1:${port}"\n${settings}`);
  const child = spawn('nats-server', ['-c', file], { stdio: 'ignore' });
  running.add(child);
  for (let i = 0; i < 100; i++) {
    const isThere = await new Promise(resolve => {
      const socket = dial(port, '127.0.0.1', () => resolve(true));
      socket.on('error', () => resolve(false));
      socket.on('close', () => socket.destroy());
      setTimeout(() => socket.destroy(), 50);
    });
    if (isThere) {
      return { die: () => new Promise(resolve => {
        running.delete(child);
        child.once('exit', resolve);
        child.kill('SIGKILL');
      }) };
    }
    await sleep(50);
  }
  throw new Error('nats-server did not start');
}

/** Two members of a new room. @param {number} port @param {object} [options] of the connections */
async function pair(port, options = {}) {
  const room = `faults-${rooms++}`;
  const transports = await Promise.all(['anna', 'bert'].map(id => natsTransport({ room, id,
    connect: { servers: `127.0.0.1:${port}`, reconnectTimeWait: 100, maxReconnectAttempts: 20, ...options } })));
  return { transports, close: () => Promise.all(transports.map(t => t.close())), join: more => Promise.all(transports.map(t => t.join({ members: 2, ...more }))) };
}

/** What `work` took, in seconds. */
async function seconds(work) {
  const begin = performance.now();
  await work();
  return (performance.now() - begin) / 1000;
}

test('the server dies in the middle of a training: all members get a typed error in time, and keep their models', async () => {
  const port = await freePort(), server = await serve(port), nets = [await classifier(), await classifier()];
  assert.deepEqual(await unhandled(async () => {
    const { join: meet, close } = await pair(port, { maxReconnectAttempts: -1 }), groups = await meet({ deadline: 2 });
    let steps = 0, dead;
    const fits = nets.map((net, m) => synchronousFit(net, x, y, { group: groups[m], batchSize: 8, epochs: 1e6, onStep: () => { if (++steps === 20) dead = server.die(); } }));
    const took = await seconds(async () => {
      for (const { reason } of await Promise.allSettled(fits)) {
        assert.equal(reason?.name, 'HeddleError', reason?.stack);
        assert.ok(['timeout', 'storage'].includes(reason.code), reason.stack);
        assert.match(reason.message, /did not answer|connection was closed|went on without/);
      }
    });
    assert.ok(took < 15, `${took} s`);
    await dead;
    for (const group of groups) await assert.rejects(() => group.allReduceSum([[1]]), { name: 'HeddleError' });
    assert.ok(await seconds(close) < 8, 'leaving a dead server takes no longer');
  }), []);
  for (const net of nets) {
    await outcome(net);
    await net.fit(x, y);
    net.dispose();
  }
});

test('a server that comes back within the deadline costs nothing', async () => {
  const port = await freePort(), server = await serve(port);
  assert.deepEqual(await unhandled(async () => {
    const { join: meet, close } = await pair(port), groups = await meet({ deadline: 20 });
    const sum = values => Promise.all(groups.map((group, m) => group.allReduceSum([[values[m]]]))).then(([a, b]) => [a[0][0], b[0][0]]);
    assert.deepEqual(await sum([1, 2]), [3, 3]);
    await server.die();
    const waiting = sum([10, 20]);
    await sleep(300);
    const again = await serve(port);
    assert.deepEqual(await waiting, [30, 30]);
    assert.deepEqual(await sum([5, 6]), [11, 11]);
    await close();
    await again.die();
  }), []);
});

test('a server that stays away: those who wait for others, and those who join later, are told', async () => {
  const port = await freePort(), server = await serve(port);
  assert.deepEqual(await unhandled(async () => {
    const { transports: [anna, bert], close } = await pair(port, { maxReconnectAttempts: 3 });
    const waiting = refuses(() => anna.join({ members: 3, timeout: 30 }), 'storage', /connection was closed/);
    await server.die();
    await waiting;
    await refuses(() => bert.join({ members: 2, timeout: 30 }), 'storage', /connection was closed/);
    assert.ok(await seconds(close) < 8);
  }), []);
});

test('a server that refuses the password, or is not there', async () => {
  const port = await freePort(), server = await serve(port, 'authorization { user: anna, password: "s3cret" }');
  const open = connect => natsTransport({ room: 'r', id: 'anna', connect: { servers: `127.0.0.1:${port}`, reconnect: false, ...connect } });
  assert.deepEqual(await unhandled(async () => {
    await refuses(() => open({ user: 'anna', pass: 'wrong' }), 'storage', /can't connect to 127.0.0.1:\d+: .*(authorization|authentication)/i);
    await refuses(() => open({}), 'storage', /can't connect/);
    const transport = await open({ user: 'anna', pass: 's3cret' });
    await transport.close();
    await server.die();
    await refuses(() => open({ user: 'anna', pass: 's3cret' }), 'storage', /can't connect/);
  }), []);
});

test('a server that drops who is too slow: the member that is left goes on, or both are told', async () => {
  const port = await freePort(), server = await serve(port, 'max_pending: 40000\nmax_payload: 30000\nwrite_deadline: "1s"');
  assert.deepEqual(await unhandled(async () => {
    for (const onLoss of ['stop', 'continue']) {
      const { join: meet, close } = await pair(port), groups = await meet({ deadline: 2, onLoss });
      const big = new Float32Array(500000).fill(1); // two million bytes at once to a reader for whom 40,000 may wait
      const took = await seconds(async () => {
        const results = await Promise.allSettled(groups.map(group => group.allReduceSum([big])));
        for (const { status, reason, value } of results) {
          if (status === 'fulfilled') assert.ok(value[0][0] === 2 || (onLoss === 'continue' && value[0][0] === 1), String(value[0][0]));
          else assert.ok(reason.name === 'HeddleError' && ['timeout', 'storage'].includes(reason.code), reason.stack);
        }
        if (onLoss === 'continue') assert.ok(results.some(({ status }) => status === 'fulfilled'), 'somebody is left');
      });
      assert.ok(took < 20, `${took} s`);
      assert.ok(await seconds(close) < 8);
    }
  }), []);
  await server.die();
});
