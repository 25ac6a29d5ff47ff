// What every rate limiter does, whoever keeps its buckets.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import type { BucketLimit, RateLimiter } from '@parley/kit/rate-limit';

/** So slow that nothing comes back during a test. */
const SLOW: BucketLimit = { burst: 5, perSecond: 0.001 };
let keys = 0;
const newKey = (): string => `key-${process.pid}-${++keys}`;

export function limiterSuite(limiter: () => RateLimiter): void {
  test('lets the burst through and says what is left, then refuses and says how long', async () => {
    const take = { event: 'suite', key: newKey(), limit: SLOW };
    for (const remaining of [4, 3, 2, 1, 0]) {
      const { source: _, ...decision } = await limiter().take(take);
      assert.deepEqual(decision, { allowed: true, limit: 5, remaining, retryAfterMs: 0 });
    }
    const refused = await limiter().take(take);
    assert.equal(refused.allowed, false);
    assert.equal(refused.remaining, 0);
    assert.ok(refused.retryAfterMs > 900_000 && refused.retryAfterMs <= 1_000_000, String(refused.retryAfterMs));
  });

  test('a refused call costs nothing, and a smaller one may still go', async () => {
    const take = { event: 'suite', key: newKey(), limit: SLOW };
    assert.equal((await limiter().take({ ...take, cost: 3 })).allowed, true);
    for (let tries = 0; tries < 5; tries++) assert.equal((await limiter().take({ ...take, cost: 3 })).allowed, false);
    assert.deepEqual(await left(limiter(), take), { allowed: true, remaining: 0 });
  });

  test('a cost above the burst takes all of a full bucket', async () => {
    const take = { event: 'suite', key: newKey(), limit: SLOW };
    assert.equal((await limiter().take({ ...take, cost: 50 })).allowed, true);
    assert.equal((await limiter().take(take)).allowed, false);
  });

  test('keys and events have buckets of their own', async () => {
    const key = newKey();
    const all = { limit: SLOW, cost: 5 };
    assert.equal((await limiter().take({ event: 'suite', key, ...all })).allowed, true);
    assert.equal((await limiter().take({ event: 'suite', key, ...all })).allowed, false);
    assert.equal((await limiter().take({ event: 'other', key, ...all })).allowed, true);
    assert.equal((await limiter().take({ event: 'suite', key: newKey(), ...all })).allowed, true);
  });

  test('any text is a key', async () => {
    for (const key of ['', ' ', '{a}:*', 'zoë@example.org', '\u0000\n', 'x'.repeat(1000)]) {
      const take = { event: 'suite', key: `${newKey()}${key}`, limit: SLOW, cost: 5 };
      assert.equal((await limiter().take(take)).allowed, true);
      assert.equal((await limiter().take(take)).allowed, false);
    }
  });

  test('of many calls at once no more than the burst are let in', async () => {
    const take = { event: 'suite', key: newKey(), limit: { burst: 20, perSecond: 0.001 } };
    const decisions = await Promise.all(Array.from({ length: 100 }, () => limiter().take(take)));
    assert.equal(decisions.filter(({ allowed }) => allowed).length, 20);
    assert.deepEqual(new Set(decisions.filter(({ allowed }) => allowed).map(({ remaining }) => remaining)).size, 20);
  });

  test('who waits as long as told is let in', async () => {
    const take = { event: 'suite', key: newKey(), limit: { burst: 1, perSecond: 10 } };
    assert.equal((await limiter().take(take)).allowed, true);
    for (let round = 0; round < 3; round++) {
      const refused = await limiter().take(take);
      assert.equal(refused.allowed, false);
      // One more: a timer may fire a fraction of a millisecond early.
      await sleep(refused.retryAfterMs + 1);
      assert.equal((await limiter().take(take)).allowed, true);
    }
  });

  test('the largest bucket counts single tokens', async () => {
    const take = { event: 'suite', key: newKey(), limit: { burst: 1_000_000, perSecond: 0.001 } };
    assert.equal((await limiter().take(take)).remaining, 999_999);
    assert.equal((await limiter().take({ ...take, cost: 999_998 })).remaining, 1);
    assert.equal((await limiter().take(take)).remaining, 0);
    assert.equal((await limiter().take(take)).allowed, false);
  });
}

async function left(limiter: RateLimiter, take: Parameters<RateLimiter['take']>[0]) {
  const { allowed, remaining } = await limiter.take({ ...take, cost: 2 });
  return { allowed, remaining };
}
