// Consensus: the solution of all members' samples together, by ADMM, gossip and sums; graphs; bytes by the formulas. Members in this
// process; references are computed here by other means.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { circulant, consensusSolve, consensusSolver, localTransport, metropolisWeights, mixingFactor, mixingSteps } from '../../bindings/consensus/index.js';
import { Gram } from '../../bindings/solvers.js';
import { numbers } from './modelkit.js';

const heddleError = (code, message) => (error) => error.name === 'HeddleError' && error.code === code && message.test(error.message);
const [n, q] = [12, 3], radius = 0.8;
let rooms = 0;

/** Samples of features that lean to one side, and targets of them with noise: [rows of x, rows of t]. */
function samples(rows, seed) {
  const x = numbers(rows * n, seed).map((v) => v - 0.3), w = numbers(n * q, 77).map((v) => v - 0.5), noise = numbers(rows * q, seed + 1000);
  const t = noise.map((v, i) => {
    const [row, k] = [Math.floor(i / q), i % q];
    return 0.2 * (v - 0.5) + w.subarray(k * n, (k + 1) * n).reduce((sum, c, j) => sum + c * x[row * n + j], 0);
  });
  return [{ data: x, shape: [rows, n] }, { data: t, shape: [rows, q] }];
}
const whole = samples(400, 5);
/** Rows of the whole. */
const cut = (from, to) => whole.map(({ data, shape: [, width] }) => ({ data: data.slice(from * width, to * width), shape: [to - from, width] }));
const unequal = [[0, 20], [20, 75], [75, 190], [190, 400]].map(([from, to]) => cut(from, to));

/** Blocks of samples are summed in float32, then in float64: the same shards give the same sums, the whole others in the eighth digit. */
async function gramOf(...parts) {
  const gram = new Gram({ features: n, targets: q });
  for (const [x, t] of parts) await gram.add(x, t);
  return gram;
}
const difference = (a, b) => Math.sqrt(a.reduce((sum, v, i) => sum + (v - b[i]) ** 2, 0) / b.reduce((sum, v) => sum + v * v, 0));
const norm = (a) => Math.sqrt(a.reduce((sum, v) => sum + v * v, 0));

/** All members solve; their results in order. */
async function together(shards, options, join = {}) {
  const room = `consensus-${rooms++}`, transports = shards.map((_, m) => localTransport({ room, id: `m${String(m).padStart(2, '0')}` }));
  const grams = await Promise.all(shards.map((shard) => gramOf(shard)));
  try {
    const groups = await Promise.all(transports.map((t) => t.join({ members: shards.length, ...join })));
    return await Promise.all(groups.map((group, m) => consensusSolve({ group, gram: grams[m], ...options })));
  } finally {
    grams.forEach((gram) => gram.dispose());
    await Promise.all(transports.map((t) => t.close()));
  }
}

test('one member is centralised ADMM; members with equal samples are one of them', async () => {
  const gram = await gramOf(whole), [own] = await together([whole], { radius, rounds: 20, absoluteTolerance: 0, relativeTolerance: 0, type: 'float64' });
  const admm = await gram.admm({ radius });
  await admm.step(20);
  assert.ok(difference(own.coef.data, (await admm.values('Z')).data) < 1e-6);
  assert.ok(Math.abs(own.penalty / (await admm.stats()).penalty - 1) < 1e-12);
  const shard = unequal[1], options = { radius, rounds: 20, absoluteTolerance: 0, relativeTolerance: 0, penalty: 3 };
  const [one] = await together([shard], options), four = await together([shard, shard, shard, shard], options);
  for (const { coef } of four) assert.ok(difference(coef.data, one.coef.data) < 1e-6);
  admm.dispose();
  gram.dispose();
});

test('it comes to the exact solution in the ball, as fast as it should, whoever has which samples', async () => {
  const gram = await gramOf(...unequal), exact = await gram.secular(radius), cost = await gram.cost(exact.coef);
  assert.ok(exact.lambda > 0 && Math.abs(norm(exact.coef.data) / radius - 1) < 1e-9, 'the ball is active');
  for (const [rounds, error] of [[20, 1e-2], [50, 1e-4], [100, 1e-7], [200, 1e-12]]) {
    const all = await together(unequal, { radius, rounds, absoluteTolerance: 0, relativeTolerance: 0, type: 'float64' });
    for (const { coef } of all) assert.ok(difference(coef.data, exact.coef.data) < error, `${rounds} rounds: ${difference(coef.data, exact.coef.data)}`);
  }
  const halves = [cut(0, 200), cut(200, 400)], other = [cut(390, 400), cut(0, 200), cut(200, 390)];
  for (const shards of [halves, other, unequal]) {
    const all = await together(shards, { radius });
    for (const { coef, converged, rounds } of all) {
      assert.ok(converged && rounds < 100, `${rounds} rounds`);
      assert.deepEqual(coef, all[0].coef, 'the same bits for all');
      assert.ok(norm(coef.data) <= radius * (1 + 1e-6));
      assert.ok(difference(coef.data, exact.coef.data) < 1e-3);
      assert.ok(Math.abs(await gram.cost(coef) / cost - 1) < 1e-5);
    }
  }
  const [{ history }] = await together(unequal, { radius, rounds: 300, relativeTolerance: 1e-9, absoluteTolerance: 0, type: 'float64' });
  assert.ok(history.at(-1).primal < 1e-7 * history[0].primal && history.at(-1).dual < 1e-7 * history[0].dual, 'residuals vanish');
  gram.dispose();
});

test('in the ball after every round; without a bound the least squares or ridge solution', async () => {
  for (let rounds = 1; rounds < 8; rounds++) {
    const [{ coef }] = await together(unequal, { radius, rounds });
    assert.ok(norm(coef.data) <= radius * (1 + 1e-6));
  }
  const gram = await gramOf(...unequal);
  for (const lambda of [0, 5]) {
    const options = { lambda, rounds: 400, absoluteTolerance: 1e-9, relativeTolerance: 1e-9, type: 'float64' };
    const all = await together(unequal, options), { coef: ridge } = await gram.ridge(lambda);
    for (const { coef } of all) assert.ok(difference(coef.data, ridge.data) < 1e-6);
    if (lambda === 0) ridge.data.forEach((_, i) => assert.ok(Math.abs(all.reduce((sum, { dual }) => sum + dual[i], 0)) < 1e-5, 'duals sum to 0'));
  }
  const far = { radius, penalty: 1e4, absoluteTolerance: 1e-7, relativeTolerance: 1e-6, rounds: 300, type: 'float64' };
  const [slow] = await together(unequal, far), [fast] = await together(unequal, { ...far, balance: true });
  assert.ok(fast.converged && fast.rounds < slow.rounds && fast.penalty < 1e4, `${fast.rounds} rounds balanced, ${slow.rounds} not`);
  gram.dispose();
});

test('sums are exact, in the ball too, and one round', async () => {
  const gram = await gramOf(...unequal), { coef } = await gram.secular(radius), ridge = await gram.ridge(2);
  for (const result of await together(unequal, { method: 'gram', radius })) assert.ok(difference(result.coef.data, coef.data) < 1e-9 && result.rounds === 1);
  for (const result of await together(unequal, { method: 'gram', lambda: 2 })) assert.ok(difference(result.coef.data, ridge.coef.data) < 1e-12);
  const [both] = await together(unequal, { method: 'gram', lambda: 2, radius: 0.5 }), [iterated] = await together(unequal, { lambda: 2, radius: 0.5, rounds: 200, relativeTolerance: 1e-7 });
  assert.ok(difference(iterated.coef.data, both.coef.data) < 1e-4);
  gram.dispose();
});

test('weights of Metropolis are doubly stochastic; the mixing factor is the second eigenvalue, below 1 for connected graphs only', () => {
  const graphs = [1, 2, 3, 4, 9].map((degree) => Array.from({ length: 20 }, (_, i) => circulant(i, 20, degree)));
  const star = [[1, 2, 3, 4], [0], [0], [0], [0]], path = [[1], [0, 2], [1, 3], [2]];
  for (const graph of [...graphs, star, path]) {
    const h = metropolisWeights(graph);
    h.forEach((row, i) => {
      assert.ok(Math.abs(row.reduce((sum, v) => sum + v, 0) - 1) < 1e-12 && row.every((v) => v >= 0));
      row.forEach((v, j) => assert.ok(v === h[j][i] && (i === j || (v > 0) === graph[i].includes(j))));
    });
    assert.ok(mixingFactor(h) < 1);
  }
  // Eigenvalues of circulant matrices: (1 + 2 sum cos(2 pi j k / M)) / (2 d + 1).
  [1, 2, 3, 4, 9].forEach((degree, g) => {
    const eigen = Array.from({ length: 19 }, (_, k) => (1 + 2 * Array.from({ length: degree }, (_, j) => Math.cos(2 * Math.PI * (j + 1) * (k + 1) / 20)).reduce((a, b) => a + b)) / (2 * degree + 1));
    const factor = mixingFactor(metropolisWeights(graphs[g]));
    assert.ok(Math.abs(factor - Math.max(...eigen.map(Math.abs))) < 1e-9);
    assert.equal(mixingSteps(factor, 1e-6), [417, 137, 68, 39, 5][g]);
  });
  assert.ok(Math.abs(mixingFactor(metropolisWeights([[1], [0], [3], [2]])) - 1) < 1e-9, 'two islands');
  assert.ok(Math.abs(mixingFactor([[0, 1], [1, 0]]) - 1) < 1e-9, 'two that swap for ever');
  assert.throws(() => mixingSteps(1, 1e-6), heddleError('argument', /is the graph connected/));
  for (const precision of [0, -1, NaN]) assert.throws(() => mixingSteps(0.5, precision), heddleError('argument', /precision = (0|-1|NaN), expected a number above 0/));
  assert.ok(mixingFactor([[0.5, 0.5], [0.5, 0.5]]) < 1e-12);
});

test('gossip: on the complete graph the same as with a master; on a ring near it', async () => {
  const options = { radius, rounds: 30, absoluteTolerance: 0, relativeTolerance: 0, type: 'float64' };
  const [master] = await together(unequal, options), complete = await together(unequal, { ...options, method: 'gossip', degree: 2 });
  for (const { coef, mixings } of complete) assert.ok(mixings === 1 && difference(coef.data, master.coef.data) < 1e-12);
  const shards = [0, 1, 2, 3, 4, 5].map((m) => cut(60 * m, 60 * m + 60)), [six] = await together(shards, options);
  for (const { coef, mixings } of await together(shards, { ...options, method: 'gossip', precision: 1e-7 })) {
    assert.ok(mixings > 5 && difference(coef.data, six.coef.data) < 1e-5);
    assert.ok(norm(coef.data) <= radius * (1 + 1e-6));
  }
  const stopped = await together(shards, { radius, method: 'gossip' });
  assert.ok(stopped.every(({ converged, rounds }) => converged && rounds === stopped[0].rounds && rounds < 100), 'all stop in the same round');
});

test('bytes are those of the formulas', async () => {
  const still = { radius, absoluteTolerance: 0, relativeTolerance: 0 };
  for (const [type, size] of [['float32', 4], ['float64', 8]]) { // a round: Q n and 3 numbers each way; the penalty, before: 1 float64
    for (const { bytes } of (await together(unequal, { ...still, rounds: 10, type })).slice(1)) {
      assert.deepEqual([bytes.sent.payload, bytes.received.payload], [1, 1].map(() => 10 * size * (q * n + 3) + 8));
    }
  }
  for (const { bytes } of (await together(unequal, { ...still, rounds: 10, penalty: 1 })).slice(1)) assert.equal(bytes.sent.payload + bytes.received.payload, 10 * (8 * q * n + 24));
  for (const { bytes } of (await together(unequal, { method: 'gram', radius })).slice(1)) assert.equal(bytes.sent.payload, 8 * (n * (n + 1) / 2 + q * n + 2));
  const shards = [0, 1, 2, 3, 4, 5].map((m) => cut(60 * m, 60 * m + 60)), rounds = 4;
  for (const degree of [1, 2]) {
    for (const { bytes, mixings } of await together(shards, { ...still, method: 'gossip', degree, rounds, penalty: 1 })) {
      const diameter = Math.ceil(3 / degree), expected = rounds * 4 * (q * n + 3) * 2 * degree * mixings + (rounds - 1) * 8 * 2 * degree * diameter;
      assert.deepEqual([bytes.sent.payload, bytes.received.payload], [expected, expected]);
    }
  }
});

test('a member that dies in mid-solution: the others solve the problem of their own samples, or stop', async () => {
  const left = await gramOf(...unequal.slice(0, 3)), exact = await left.secular(radius), run = async (onLoss) => {
    const room = `consensus-${rooms++}`, transports = unequal.map((_, m) => localTransport({ room, id: `m${m}` }));
    const grams = await Promise.all(unequal.map((shard) => gramOf(shard)));
    const groups = await Promise.all(transports.map((t) => t.join({ members: 4, deadline: 0.5, onLoss })));
    const results = await Promise.allSettled(groups.map((group, m) => consensusSolve({
      group, gram: grams[m], radius, onRound: ({ round }) => { if (m === 3 && round === 5) transports[3].close(); },
    })));
    grams.forEach((gram) => gram.dispose());
    await Promise.all(transports.map((t) => t.close()));
    return results;
  };
  const [a, b, c, dead] = await run('continue');
  assert.ok(heddleError('state', /left the run/)(dead.reason));
  for (const { value } of [a, b, c]) {
    assert.deepEqual(value.members, ['m0', 'm1', 'm2']);
    assert.ok(value.converged && difference(value.coef.data, exact.coef.data) < 1e-3);
  }
  for (const { reason } of (await run('stop')).slice(0, 3)) assert.ok(heddleError('timeout', /"m3" left the run/)(reason), String(reason));
  left.dispose();
});

test('gossip goes on with those left, whoever is lost: one that leaves, the first, one that is silent, two of them', async () => {
  const shards = [0, 1, 2, 3, 4, 5].map((m) => cut(60 * m, 60 * m + 60)), options = { radius, method: 'gossip', degree: 1 };
  for (const [leave, silent] of [[[], []], [[3], []], [[0], []], [[], [2]], [[], [0]], [[1], [4]]]) {
    const room = `consensus-${rooms++}`, transports = shards.map((_, m) => localTransport({ room, id: `m${m}` })), lost = [...leave, ...silent];
    const grams = await Promise.all(shards.map((shard) => gramOf(shard))), groups = await Promise.all(transports.map((t) => t.join({ members: 6, deadline: 0.6, onLoss: 'continue' })));
    const working = groups.map((group, m) => ({ group, m })).filter(({ m }) => !silent.includes(m));
    const results = await Promise.allSettled(working.map(({ group, m }) => consensusSolve({
      group, gram: grams[m], ...options, onRound: ({ round }) => { if (leave.includes(m) && round === 4) void transports[m].close(); },
    })));
    const left = [0, 1, 2, 3, 4, 5].filter((m) => !lost.includes(m)), pooled = await gramOf(...left.map((m) => shards[m])), exact = await pooled.secular(radius);
    for (const [i, { m, group }] of working.entries()) {
      const { reason, value } = results[i], name = `lost ${lost}, member ${m}`;
      if (leave.includes(m)) {
        assert.equal(reason?.code, 'state', name);
        continue;
      }
      assert.equal(reason, undefined, name);
      assert.deepEqual(value.members, left.map((one) => `m${one}`), name);
      assert.ok(value.converged && difference(value.coef.data, exact.coef.data) < 2e-3, `${name}: ${difference(value.coef.data, exact.coef.data)}`);
      assert.deepEqual([...group.lost].sort(), lost.map((one) => `m${one}`).sort(), name);
    }
    // exchanges and sums are in step again
    const sums = await Promise.all(left.map((m) => groups[m].allReduceSum([Float64Array.of(m)], { type: 'float64' })));
    for (const [[sum]] of sums) assert.equal(sum, left.reduce((a, b) => a + b));
    await Promise.all(left.map((m, i) => groups[m].neighbourExchange([Float64Array.of(m)], [left[(i + 1) % left.length], left.at(i - 1)].map((one) => `m${one}`))));
    [...grams, pooled].forEach((gram) => gram.dispose());
    await Promise.all(transports.map((t) => t.close()));
  }
  const transports = shards.map((_, m) => localTransport({ room: 'gossip-stop', id: `m${m}` })), grams = await Promise.all(shards.map((shard) => gramOf(shard)));
  const groups = await Promise.all(transports.map((t) => t.join({ members: 6, deadline: 0.6 })));
  const results = await Promise.allSettled(groups.map((group, m) => consensusSolve({ group, gram: grams[m], ...options, onRound: ({ round }) => { if (m === 3 && round === 4) void transports[3].close(); } })));
  for (const [m, { reason }] of results.entries()) assert.ok(heddleError(m === 3 ? 'state' : 'timeout', /left the run/)(reason), `stop: ${reason}`);
  grams.forEach((gram) => gram.dispose());
  await Promise.all(transports.map((t) => t.close()));
});

test('for estimators: a solver of the pooled problem, with sums; wrong use is told', async () => {
  const room = `consensus-${rooms++}`, transports = [0, 1].map((m) => localTransport({ room, id: `m${m}` }));
  const groups = await Promise.all(transports.map((t) => t.join({ members: 2 }))), grams = await Promise.all(unequal.slice(0, 2).map((shard) => gramOf(shard)));
  const solvers = groups.map((group) => consensusSolver({ group, method: 'gram' })), pooled = await gramOf(...unequal.slice(0, 2));
  assert.equal(solvers[0].seed, solvers[1].seed);
  assert.deepEqual(await Promise.all(solvers.map((solver, m) => solver.sum([m, 0.1]))), [[1, 0.2], [1, 0.2]]);
  assert.deepEqual(await Promise.all(solvers.map((solver, m) => solver.union(m ? ['b', 'ä'] : ['c', 'b']))), [['b', 'c', 'ä'], ['b', 'c', 'ä']]);
  const { coef } = await pooled.ridge(1);
  for (const result of await Promise.all(solvers.map((solver, m) => solver.solve(grams[m], { lambda: 1 })))) assert.ok(difference(result.coef.data, coef.data) < 1e-12);
  await assert.rejects(consensusSolve({ group: groups[0], gram: grams[0], radius: 0 }), heddleError('argument', /radius = 0/));
  await assert.rejects(consensusSolve({ group: groups[0], gram: grams[0], method: 'adm' }), heddleError('argument', /method = "adm"/));
  await assert.rejects(consensusSolve({ group: groups[0], gram: {} }), heddleError('argument', /must be a Gram/));
  await assert.rejects(consensusSolve({ gram: grams[0] }), heddleError('argument', /transport\.join/));
  [...grams, pooled].forEach((gram) => gram.dispose());
  await Promise.all(transports.map((t) => t.close()));
});
