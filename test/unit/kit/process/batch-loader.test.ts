// Look-ups by id: one at a time per id, batches while the source is busy, bounds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError, BatchLoader } from '@parley/kit/process';

/** A source whose answers come when the test says so. */
function source({ atOnce = 1, batchMax = 100, idsMax = 1000 } = {}) {
  const calls: { ids: number[]; answer: () => void; fail: (error: Error) => void }[] = [];
  const loader = new BatchLoader<string>({
    atOnce,
    batchMax,
    idsMax,
    load: (ids) =>
      new Promise((resolve, reject) => {
        const known = ids.filter((id) => id < 900);
        calls.push({ ids: [...ids], answer: () => resolve(new Map(known.map((id) => [id, `name ${id}`]))), fail: reject });
      }),
  });
  return { loader, calls };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('an id that is under way is not looked up again', async () => {
  const { loader, calls } = source();
  const all = Array.from({ length: 1000 }, () => loader.load([7, 7]));
  assert.deepEqual(
    calls.map((call) => call.ids),
    [[7]],
  );
  calls[0]?.answer();
  for (const names of await Promise.all(all)) assert.deepEqual([...names], [[7, 'name 7']]);
  assert.equal(calls.length, 1);
});

test('what comes while the source is busy is one batch, of a bounded size', async () => {
  const { loader, calls } = source({ batchMax: 3 });
  const first = loader.load([1]);
  const later = [2, 3, 4, 5].map((id) => loader.load([id, 1]));
  assert.deepEqual(
    calls.map((call) => call.ids),
    [[1]],
  );
  calls[0]?.answer();
  assert.deepEqual([...(await first)], [[1, 'name 1']]);
  await settled();
  calls[1]?.answer();
  await settled();
  calls[2]?.answer();
  assert.deepEqual(
    (await Promise.all(later)).map((names) => [...names.keys()].sort()),
    [
      [1, 2],
      [1, 3],
      [1, 4],
      [1, 5],
    ],
  );
  assert.deepEqual(
    calls.map((call) => call.ids),
    [[1], [2, 3, 4], [5]],
  );
});

test('so many batches as allowed are under way at once', async () => {
  const { loader, calls } = source({ atOnce: 2 });
  const all = [1, 2, 3].map((id) => loader.load([id]));
  assert.deepEqual(
    calls.map((call) => call.ids),
    [[1], [2]],
  );
  calls[1]?.answer();
  await settled();
  assert.deepEqual(
    calls.map((call) => call.ids),
    [[1], [2], [3]],
  );
  calls[0]?.answer();
  calls[2]?.answer();
  await Promise.all(all);
});

test('a failure reaches all who waited for that batch, and nobody else', async () => {
  const { loader, calls } = source();
  const failing = Promise.allSettled([loader.load([1]), loader.load([1])]);
  const next = loader.load([2]);
  calls[0]?.fail(new Error('away'));
  assert.deepEqual(
    (await failing).map((each) => each.status),
    ['rejected', 'rejected'],
  );
  calls[1]?.answer();
  assert.deepEqual([...(await next)], [[2, 'name 2']]);
  const again = loader.load([1]);
  calls[2]?.answer();
  assert.deepEqual([...(await again)], [[1, 'name 1']]);
});

test('an unknown id is absent, and no id needs no call', async () => {
  const { loader, calls } = source();
  assert.equal((await loader.load([])).size, 0);
  assert.equal(calls.length, 0);
  const names = loader.load([900]);
  calls[0]?.answer();
  assert.equal((await names).size, 0);
});

test('beyond the bound a look-up is refused at once and the others go on', async () => {
  const { loader, calls } = source({ idsMax: 3 });
  const held = loader.load([1, 2, 3]);
  await assert.rejects(
    loader.load([4]),
    (error) => error instanceof AppError && error.code === 'overloaded' && error.retryAfterMs === 1000,
  );
  const joined = loader.load([2]);
  calls[0]?.answer();
  assert.deepEqual([(await held).size, [...(await joined)]], [3, [[2, 'name 2']]]);
});
