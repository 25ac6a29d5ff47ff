// The queue of cluster keys: never the same key twice at once, repeats coalesce, failures wait.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ApiError } from '../../../../operator/src/kube/transport.ts';
import { WorkQueue } from '../../../../operator/src/kube/work-queue.ts';
import { ManualClock, settled } from '../manual-clock.ts';

/** A queue whose runs end when the test says so. */
function gated(options: { fail?: (key: string) => boolean; againAfterMs?: number; workers?: number } = {}) {
  const started: string[] = [];
  const errors: string[] = [];
  const gates: (() => void)[] = [];
  let concurrent = 0;
  let most = 0;
  const queue = new WorkQueue({
    run: async (key) => {
      started.push(key);
      most = Math.max(most, ++concurrent);
      await new Promise<void>((resolve) => gates.push(resolve));
      concurrent--;
      if (options.fail?.(key)) throw new Error('no');
      return options.againAfterMs === undefined ? {} : { againAfterMs: options.againAfterMs };
    },
    onError: (key) => errors.push(key),
    baseMs: 5,
    maxMs: 20,
    random: () => 1,
    workers: options.workers ?? 2,
  });
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  const until = async (count: number) => {
    while (started.length < count) await turn();
  };
  return { queue, started, errors, gates, until, turn, most: () => most };
}

test('the same key never runs twice at once, and what came meanwhile runs once more', async () => {
  const { queue, started, gates, until, turn, most } = gated();
  queue.add('a');
  await until(1);
  queue.add('a');
  queue.add('a');
  await turn();
  assert.deepEqual(started, ['a']);
  gates.shift()?.();
  await until(2);
  gates.shift()?.();
  await turn();
  assert.deepEqual(started, ['a', 'a']);
  assert.equal(most(), 1);
  await queue.close();
});

test('keys run side by side up to the number of workers', async () => {
  const { queue, started, gates, until, turn, most } = gated({ workers: 2 });
  for (const key of ['a', 'b', 'c']) queue.add(key);
  await until(2);
  await turn();
  assert.deepEqual(started, ['a', 'b']);
  assert.equal(queue.depth, 1);
  gates.shift()?.();
  await until(3);
  assert.equal(most(), 2);
  gates.splice(0).forEach((open) => open());
  await queue.close();
});

test('a failed key comes again, another key is not held up by it', async () => {
  let failures = 2;
  const { queue, started, errors, gates, until } = gated({ fail: (key) => key === 'bad' && failures-- > 0, workers: 1 });
  queue.add('bad');
  queue.add('good');
  for (let run = 1; run <= 4; run++) {
    await until(run);
    gates.shift()?.();
  }
  assert.deepEqual(started, ['bad', 'good', 'bad', 'bad']);
  assert.deepEqual(errors, ['bad', 'bad']);
  await queue.close();
});

test('a key that asks for it runs again', async () => {
  const { queue, started, gates, until } = gated({ againAfterMs: 1 });
  queue.add('a');
  await until(1);
  gates.shift()?.();
  await until(2);
  const closed = queue.close();
  gates.shift()?.();
  await closed;
  assert.deepEqual(started, ['a', 'a']);
});

test('close waits for what runs and takes nothing new', async () => {
  const { queue, started, gates, until, turn } = gated();
  queue.add('a');
  await until(1);
  let closed = false;
  const closing = queue.close().then(() => (closed = true));
  queue.add('b');
  await turn();
  assert.equal(closed, false);
  gates.shift()?.();
  await closing;
  assert.deepEqual(started, ['a']);
});

test('a failure that the API server answers with Retry-After waits that long, not longer than the limit', async () => {
  const clock = new ManualClock();
  const runsAt: number[] = [];
  const answers = [new ApiError(429, 'TooManyRequests', 'slow down', 7000), new ApiError(503, 'ServiceUnavailable', 'later', 3_600_000)];
  const queue = new WorkQueue({
    run: async () => {
      runsAt.push(clock.now);
      const error = answers.shift();
      if (error) throw error;
    },
    onError: () => {},
    maxMs: 60_000,
    random: () => 1,
    clock: clock.asClock(),
  });
  queue.add('a');
  await settled();
  await clock.advance(100_000, 500);
  assert.deepEqual(runsAt, [0, 7000, 67_000]);
  await queue.close();
});

test('tells how long a key waited for a worker', async () => {
  const clock = new ManualClock();
  const waits: number[] = [];
  const queue = new WorkQueue({
    run: () => clock.sleep(1000),
    onError: assert.fail,
    workers: 1,
    clock: clock.asClock(),
    onStart: (waitedMs) => waits.push(waitedMs),
  });
  queue.add('a');
  queue.add('b');
  await settled();
  await clock.advance(2000, 500);
  assert.deepEqual(waits, [0, 1000]);
  await queue.close();
});

describe('of several wishes to come later', () => {
  const wishes = async (...delays: number[]): Promise<number[]> => {
    const clock = new ManualClock();
    const runsAt: number[] = [];
    const queue = new WorkQueue({ run: async () => void runsAt.push(clock.now), onError: assert.fail, clock: clock.asClock() });
    for (const delay of delays) queue.addAfter('a', delay);
    await clock.advance(20_000, 100);
    await queue.close();
    return runsAt;
  };

  test('a sooner one that comes later wins, and takes the place of the other', async () =>
    assert.deepEqual(await wishes(10_000, 1000), [1000]));
  test('a later one that comes later changes nothing', async () => assert.deepEqual(await wishes(1000, 10_000), [1000]));
  test('the soonest of many holds, in whatever order', async () => assert.deepEqual(await wishes(9000, 3000, 5000, 2000, 4000), [2000]));

  test('a key that is ready already is not queued a second time', async () => {
    const clock = new ManualClock();
    const runs: string[] = [];
    const run = async (key: string) => {
      runs.push(key);
      await clock.sleep(500);
    };
    const queue = new WorkQueue({ run, onError: assert.fail, workers: 1, clock: clock.asClock() });
    queue.add('a');
    queue.add('b');
    queue.addAfter('b', 2000);
    await clock.advance(20_000, 100);
    assert.deepEqual(runs, ['a', 'b']);
    await queue.close();
  });

  test('a wish of a run is kept although a later one stands already', async () => {
    const clock = new ManualClock();
    const runsAt: number[] = [];
    const queue = new WorkQueue({
      run: async () => {
        runsAt.push(clock.now);
        queue.addAfter('a', 10_000);
        return runsAt.length === 1 ? { againAfterMs: 1000 } : {};
      },
      onError: assert.fail,
      clock: clock.asClock(),
    });
    queue.add('a');
    await settled();
    await clock.advance(11_000, 100);
    assert.deepEqual(runsAt, [0, 1000, 11_000]);
    await queue.close();
  });

  test('a key that runs at once takes its later wish along', async () => {
    const clock = new ManualClock();
    const runsAt: number[] = [];
    const queue = new WorkQueue({ run: async () => void runsAt.push(clock.now), onError: assert.fail, clock: clock.asClock() });
    queue.addAfter('a', 1000);
    queue.add('a');
    await settled();
    await clock.advance(20_000, 100);
    assert.deepEqual(runsAt, [0]);
    await queue.close();
  });
});
