import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError, abortError, checkOptions, errorCodes, nearest } from '../../bindings/errors.js';
import { refuses } from './filekit.js';

test('HeddleError carries name, code, message and cause', () => {
  const cause = new Error('why');
  const error = new HeddleError('shape', 'x is wrong', { cause });
  assert.deepEqual([error.name, error.code, error.message, error.cause], ['HeddleError', 'shape', 'x is wrong', cause]);
  assert.ok(error instanceof Error);
  assert.ok(Object.isFrozen(errorCodes) && errorCodes.includes('diverged') && errorCodes.length === 10);
});

test('nearest finds the likely name, and none when all are far', () => {
  const names = ['units', 'activation', 'kernelInitializer', 'useBias'];
  assert.equal(nearest('unit', names), 'units');
  assert.equal(nearest('Activation', names), 'activation');
  assert.equal(nearest('kernelInitialiser', names), 'kernelInitializer');
  assert.equal(nearest('bias', ['relu', 'tanh']), undefined);
  assert.equal(nearest('x', []), undefined);
  assert.equal(nearest('ab', ['aa', 'bb']), 'aa', 'the earlier one on a tie');
});

test('checkOptions names the unknown option and the nearest known one', async () => {
  checkOptions(undefined, ['units'], 'layers.dense');
  checkOptions({ units: 3 }, ['units'], 'layers.dense');
  await refuses(() => checkOptions({ unit: 3 }, ['units', 'name'], 'layers.dense'), 'argument',
    /^layers\.dense: unknown option "unit", did you mean "units"\?$/);
  await refuses(() => checkOptions({ zzz: 3 }, ['units', 'name'], 'layers.dense'), 'argument', /"zzz", expected one of units, name$/);
  await refuses(() => checkOptions({ zzz: 3 }, [], 'layers.flatten'), 'argument', /"zzz", it takes none$/);
  for (const [bad, kind] of /** @type {const} */ ([[null, 'null'], [[1], 'array'], [7, 'number'], ['a', 'string'], [new Uint8Array(1), 'Uint8Array']])) {
    await refuses(() => checkOptions(bad, ['units'], 'f'), 'argument', new RegExp(`^f: expected an object of options, got ${kind}$`));
  }
});

test('abortError is the standard one, or the reason that abort was given', () => {
  const plain = new AbortController(), own = new AbortController(), reason = new Error('mine');
  plain.abort();
  own.abort(reason);
  for (const error of [abortError(), abortError(plain.signal)]) {
    assert.ok(error instanceof DOMException && error.name === 'AbortError');
  }
  assert.equal(abortError(own.signal), reason);
});
