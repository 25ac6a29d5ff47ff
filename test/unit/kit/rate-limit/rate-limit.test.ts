// The token bucket against a reference, over thousands of histories; and the bounded set of buckets of one process.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LocalBucket, LocalRateLimiter, takeTokens } from '@parley/kit/rate-limit';
import { fc } from '../../../helpers/seed.ts';
import { histories, limitOf, ReferenceBucket } from './rate-limit-model.ts';

describe('token bucket', () => {
  test('answers as the reference does, whatever is taken and however long the pauses are', () => {
    fc.assert(
      fc.property(histories(40), fc.integer({ min: 0, max: 2e12 }), (history, startMs) => {
        const bucket = new LocalBucket();
        const reference = new ReferenceBucket(history.burst, history.perMillion);
        let nowMs = startMs;
        for (const { afterMs, cost } of history.steps) {
          nowMs += afterMs;
          assert.deepEqual(takeTokens(bucket, limitOf(history), nowMs, cost), reference.take(nowMs, cost));
        }
      }),
      { numRuns: 5000 },
    );
  });

  test('in no window of time is more let in than the burst and what came back meanwhile', () => {
    fc.assert(
      fc.property(histories(60), (history) => {
        const bucket = new LocalBucket();
        const taken: { atMs: number; cost: number }[] = [];
        let nowMs = 0;
        for (const { afterMs, cost } of history.steps) {
          nowMs += afterMs;
          if (bucket.take(limitOf(history), nowMs, cost) === 0) taken.push({ atMs: nowMs, cost: Math.min(cost, history.burst) });
        }
        for (let first = 0; first < taken.length; first++) {
          let sum = 0n;
          for (const { atMs, cost } of taken.slice(first)) {
            sum += BigInt(cost);
            const windowMs = BigInt(atMs - (taken[first]?.atMs ?? 0));
            assert.ok(sum * 10n ** 9n <= BigInt(history.burst) * 10n ** 9n + windowMs * BigInt(history.perMillion));
          }
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('who is refused is let in after the wait it was told, and not a millisecond earlier', () => {
    fc.assert(
      fc.property(histories(40), (history) => {
        const bucket = new LocalBucket();
        const limit = limitOf(history);
        let nowMs = 0;
        for (const { afterMs, cost } of history.steps) {
          nowMs += afterMs;
          const retryAfterMs = bucket.take(limit, nowMs, cost);
          if (retryAfterMs === 0) continue;
          assert.ok(bucket.take(limit, nowMs + retryAfterMs - 1, cost) > 0);
          nowMs += retryAfterMs;
          assert.equal(bucket.take(limit, nowMs, cost), 0);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test('a caller that always waits as told gets the full rate, also beside one that never waits', () => {
    const limit = { burst: 5, perSecond: 2 };
    const bucket = new LocalBucket();
    let polite = 0;
    let [nowMs, politeAt] = [0, 0];
    while (nowMs < 100_000) {
      // The polite one comes first when both may come: a bucket has no queue.
      if (nowMs >= politeAt) {
        const retryAfterMs = bucket.take(limit, nowMs);
        if (retryAfterMs === 0) polite++;
        politeAt = nowMs + retryAfterMs;
      }
      bucket.take(limit, nowMs);
      nowMs += 10;
    }
    assert.ok(polite >= 200, `${polite} in 100 s`);
  });

  test('a clock that jumps back lets nobody in early and makes nobody wait for it', () => {
    const limit = { burst: 2, perSecond: 1 };
    const bucket = new LocalBucket();
    const HOUR = 3_600_000;
    assert.equal(bucket.take(limit, HOUR), 0);
    assert.equal(bucket.take(limit, HOUR), 0);
    assert.equal(bucket.take(limit, 0), 1000);
    assert.equal(bucket.take(limit, 999), 1);
    assert.equal(bucket.take(limit, 1000), 0);
  });

  test('a fraction of a millisecond neither is lost nor counts twice', () => {
    const limit = { burst: 1, perSecond: 1000 };
    const bucket = new LocalBucket();
    let taken = 0;
    for (let nowMs = 0; nowMs < 100; nowMs += 0.25) if (bucket.take(limit, nowMs) === 0) taken++;
    assert.equal(taken, 100);
  });

  test('a smaller limit holds from the next take on', () => {
    const bucket = new LocalBucket();
    assert.equal(bucket.take({ burst: 100, perSecond: 1 }, 0), 0);
    assert.deepEqual(takeTokens(bucket, { burst: 2, perSecond: 1 }, 0), { allowed: true, remaining: 1, retryAfterMs: 0 });
  });
});

describe('the buckets of one process', () => {
  const limit = { burst: 1, perSecond: 1 };
  test('are bounded in number; the least recently used goes first', () => {
    const limiter = new LocalRateLimiter({ now: () => 0, bucketsMax: 3 });
    const take = (key: string) => limiter.takeNow({ event: 'e', key, limit }).allowed;
    for (const key of ['a', 'b', 'c']) assert.equal(take(key), true);
    assert.equal(take('a'), false);
    assert.equal(take('d'), true);
    assert.equal(limiter.size, 3);
    assert.equal(take('a'), false);
    assert.equal(take('b'), true);
  });
});
