// No memory left, at every allocation of every kind of call: an error that says so, and nothing else happens to anybody.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { RidgeClassifier } from '../../bindings/estimators/index.js';
import { resize } from '../../bindings/images/index.js';
import { info, init, layers, load, sequential } from '../../bindings/index.js';
import { svd } from '../../bindings/linalg.js';
import { qualityModel } from '../../bindings/quality/index.js';
import { connect } from '../../bindings/session.js';
import { Gram } from '../../bindings/solvers.js';
import { SuperResolver } from '../../bindings/super_resolution/index.js';
import { classifier, fresh, numbers, refuses } from '../api/modelkit.js';
import { outcome, unhandled, used, x, y } from './faultkit.js';

/** Another model, which nothing of all this may touch. */
let witness, seen;
before(async () => {
  await fresh();
  witness = await classifier();
  seen = await outcome(witness);
});
after(() => witness.dispose());

/** Calls that are over have freed what they held; some do so by a message that nobody waits for. */
async function settled() {
  await (await connect()).call('status', []);
  await (await connect()).call('status', []);
  return used();
}

/**
 * Fails each allocation of `work` in turn. `check` says what must hold after each failure.
 * @param {() => Promise<void>} work frees what it makes
 * @param {() => Promise<void>} [check]
 */
async function sweep(work, check = async () => {}) {
  await work(); // what is made once and kept is there from now on
  const client = await connect(), held = await settled();
  let failures = 0;
  for (let isOver = false; !isOver; ) {
    await client.call('failAllocation', [failures + 1]);
    const error = await work().then(() => null, reason => reason);
    await client.call('failAllocation', [0]);
    if (error) {
      assert.equal(error.name, 'HeddleError', `allocation ${failures + 1}: ${error.stack}`);
      assert.equal(error.code, 'memory', `allocation ${failures + 1}: ${error.stack}`);
      assert.match(error.message, /: out of memory: \d+ bytes wanted, \d+ bytes in use/);
      failures++;
      const now = await settled(); // the scores of an evaluation that fails are given up
      assert.ok(now <= held && now > held - 1000, `allocation ${failures}: ${now} bytes are held, ${held} were`);
      await check();
    }
    isOver = !error;
  }
  assert.equal(await settled(), held);
  assert.equal((await connect()), client, 'it is still the same engine');
  assert.deepEqual(await outcome(witness), seen);
  return failures;
}

const shapes = { data: numbers(12 * 12 * 3 * 6), shape: [6, 12, 12, 3] };
const convolutional = () => sequential([
  layers.input({ shape: [12, 12, 3] }), layers.conv2d({ filters: 4, kernelSize: 3, activation: 'relu' }), layers.maxPool2d({ poolSize: 2 }),
  layers.flatten(), layers.dense({ units: 3, activation: 'softmax' }),
], { seed: 3 });

test('building, and loading from bytes', async () => {
  const bytes = await witness.save('bytes');
  const built = await sweep(async () => (await convolutional()).dispose()), loaded = await sweep(async () => (await load(bytes)).dispose());
  assert.ok(built > 20 && loaded > 10, `${built}, ${loaded} allocations`);
});

test('compile, fit, predict, evaluate, gradients, save: the same model goes on after each failure', async () => {
  const net = await convolutional(), labels = Uint8Array.of(0, 1, 2, 0, 1, 2);
  const compile = optimizer => net.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy', 'confusionMatrix'] });
  await compile('sgd');
  const untouched = await outcome(net, shapes), same = async () => assert.deepEqual(await outcome(net, shapes), untouched);
  const counts = {
    compile: await sweep(() => compile('adam'), same),
    predict: await sweep(() => net.predict(shapes), same),
    evaluate: await sweep(() => net.evaluate(shapes, labels), same),
    gradients: await sweep(() => net.gradients(shapes, labels), same),
    save: await sweep(() => net.save('bytes'), same),
  };
  for (const [name, count] of Object.entries(counts)) assert.ok(count >= (name === 'save' ? 0 : 2), `${name}: ${count} allocations`);
  const start = await net.getWeights(), fits = await sweep(async () => {
    await net.fit(shapes, labels, { epochs: 2, batchSize: 4, seed: 1, validationData: [shapes, labels] });
  }, () => net.evaluate(shapes, labels));
  assert.ok(fits > 5, `${fits} allocations`);
  await net.setWeights(start);
  await net.fit(shapes, labels, { epochs: 2, batchSize: 4, seed: 1 });
  net.dispose();
});

test('closed form, linear algebra, pictures, enlarging, judging', async () => {
  const a = { data: numbers(40 * 6), shape: [40, 6] }, t = { data: numbers(40 * 2, 3), shape: [40, 2] }, classes = Uint8Array.from({ length: 40 }, (_, i) => i % 3);
  const grey = { data: Uint8Array.from(numbers(64 * 52), v => 255 * v), shape: [64, 52, 1] }, resolver = new SuperResolver();
  await resolver.fit([grey, grey], { filters: [4], patch: 10, patches: 20, epochs: 1, seed: 3, validationSplit: 0.5 });
  const judge = await qualityModel({ backbone: 'small', preprocessing: { size: [32, 40] }, encoder: [8], seed: 5 });
  const counts = {
    gram: await sweep(async () => {
      const gram = new Gram({ features: 6, targets: 2 });
      try {
        await gram.add(a, t);
        await gram.ridge(0.1);
        const admm = await gram.admm({ radius: 0.5 });
        try {
          await admm.step(3);
        } finally {
          admm.dispose();
        }
      } finally {
        gram.dispose();
      }
    }),
    ridge: await sweep(async () => {
      const ridge = new RidgeClassifier();
      try {
        await ridge.fit(a, classes);
        await ridge.predict(a);
      } finally {
        ridge.dispose?.();
      }
    }),
    svd: await sweep(() => svd({ data: Float64Array.from(numbers(48)), shape: [8, 6] })),
    upscale: await sweep(() => resolver.upscale(grey)), judge: await sweep(() => judge.score([{ data: Uint8Array.from(numbers(3600), v => 255 * v), width: 40, height: 30 }])),
    resize: await sweep(() => resize({ data: Uint8Array.from(numbers(300), v => 255 * v), shape: [10, 10, 3] }, { scale: 0.5 })),
  };
  for (const [name, count] of Object.entries(counts)) assert.ok(count >= 1, `${name}: ${count} allocations`);
  resolver.dispose();
  judge.dispose();
});

test('the limit of memory: refused above it, by name; raised, the same models go on; nothing is lost', async () => {
  const net = await sequential([layers.input({ shape: [1000] }), layers.dense({ units: 500 })], { seed: 1 }), row = numbers(1000);
  const p = await net.predict(row);
  await net.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
  const big = numbers(1e6);
  for (const worker of [false, true]) {
    await fresh({ memoryLimit: 6e6, worker });
    assert.deepEqual(await net.predict(row), p, 'two millions of bytes of weights fit');
    const held = await settled();
    await refuses(() => net.predict(big), 'memory', /out of memory: 4\d{6} bytes wanted, \d+ bytes in use of the 6000000 allowed/);
    await refuses(() => net.fit(row, numbers(500)), 'memory', /out of memory/);
    await refuses(() => sequential([layers.input({ shape: [1000] }), layers.dense({ units: 1000 })]), 'memory', /out of memory/);
    await refuses(() => net.dataset(big, numbers(5e5)), 'memory', /out of memory/);
    assert.equal(await settled(), held);
    assert.ok(info().memory.peak <= 6e6 && held <= 6e6);
    assert.deepEqual(await net.predict(row), p);
    await fresh({ memoryLimit: 60e6, worker });
    assert.equal((await net.predict(big)).data.length, 5e5);
    await net.fit(row, numbers(500), { seed: 1, epochs: 0 });
    assert.deepEqual(await net.predict(row), p);
  }
  net.dispose();
  await fresh();
  for (const wrong of [4e6, NaN, 1e7 + 0.5, '9000000', -1]) await refuses(() => init({ memoryLimit: wrong }), 'argument', /memoryLimit = .*, expected a whole number of bytes, at least 4194304/);
});

test('disposing of one model makes room for another', async () => {
  await fresh({ memoryLimit: 8e6 });
  const make = () => sequential([layers.input({ shape: [1000] }), layers.dense({ units: 900 })], { seed: 1 });
  const first = await make();
  await refuses(make, 'memory', /in use of the 8000000 allowed/);
  first.dispose();
  (await make()).dispose();
  await fresh();
});

test('memory that does not grow, and arrays that JavaScript does not give, are "memory", too, and the engine goes on', async () => {
  await fresh({ worker: false });
  const net = await sequential([layers.input({ shape: [1000] }), layers.dense({ units: 10 })], { seed: 1 }), row = numbers(1000), p = await net.predict(row);
  const held = await settled(), client = await connect(), { grow } = WebAssembly.Memory.prototype, { Float32Array: Floats } = globalThis;
  assert.deepEqual(await unhandled(async () => {
    WebAssembly.Memory.prototype.grow = () => { throw new RangeError('WebAssembly.Memory.grow(): Maximum memory size exceeded'); };
    try {
      await refuses(() => net.predict(new Float32Array(2e7)), 'memory', /out of memory: 8\d{7} bytes wanted/);
    } finally {
      WebAssembly.Memory.prototype.grow = grow;
    }
    globalThis.Float32Array = class extends Floats {
      constructor(first, ...rest) {
        if (first === 70) throw new RangeError('Array buffer allocation failed'); // what V8 says
        super(first, ...rest);
      }
    };
    try {
      await refuses(() => net.predict({ data: new Floats(7000), shape: [7, 1000] }), 'memory', /no memory for an array of JavaScript's: Array buffer allocation failed/);
    } finally {
      globalThis.Float32Array = Floats;
    }
  }), []);
  assert.equal(await settled(), held);
  assert.equal(await connect(), client, 'the same engine');
  assert.deepEqual(await net.predict(row), p);
  assert.equal((await net.predict(new Float32Array(2e7))).data.length, 2e5, 'it grows now');
  net.dispose();
});

test('arrays that cannot be copied to the worker', async () => {
  await fresh({ worker: true });
  const net = await classifier(), p = await net.predict(x), client = await connect(), { postMessage } = (await import('node:worker_threads')).Worker.prototype;
  const { Worker } = await import('node:worker_threads');
  Worker.prototype.postMessage = () => { throw new DOMException('Data cannot be cloned, out of memory.', 'DataCloneError'); };
  try {
    await refuses(() => net.predict(x), 'memory', /predict: the arguments can't be sent to the worker: Data cannot be cloned, out of memory/);
  } finally {
    Worker.prototype.postMessage = postMessage;
  }
  assert.deepEqual(await net.predict(x), p);
  await net.fit(x, y);
  assert.equal(await connect(), client);
  net.dispose();
  await fresh();
});
