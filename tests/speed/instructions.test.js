// No hot kernel takes more instructions than it did: counts, not times, so that noise can't hide a slowdown. After a change that is worth it:
// node tools/bench/instructions.mjs --record
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compiler, count, recorded, tolerance } from '../../tools/bench/instructions.mjs';

test('instructions of the hot kernels', (t) => {
  const { compiler: wanted, counts } = /** @type {NonNullable<ReturnType<typeof recorded>>} */ (recorded());
  if (wanted !== compiler()) return t.skip(`the record is of gcc ${wanted}, this is ${compiler()}`);
  const found = count();
  assert.deepEqual(Object.keys(found), Object.keys(counts), 'works: record anew');
  const slower = Object.entries(found).filter(([work, n]) => !(n <= counts[work] * (1 + tolerance)));
  assert.deepEqual(slower.map(([work, n]) => `${work}: ${n}, recorded ${counts[work]}`), []);
  assert.ok(Object.values(found).every((n) => n > 500_000), 'each work is worth counting');
});
