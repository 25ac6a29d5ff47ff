// The limiter that replicas share passes the same suite with a real Redis; and what happens when Redis is away, frozen or empty.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createLog, createMetrics } from '@parley/kit/process';
import {
  createRateLimiter,
  createRateLimitMetrics,
  type BucketAnswer,
  type BucketLimit,
  type Decision,
  type RateLimiter,
} from '@parley/kit/rate-limit';
import { createRedis, type RedisClient } from '@parley/kit/redis';
import { fc } from '../../../helpers/seed.ts';
import { burstParts, costParts, partsPerMs, TOKEN_PARTS } from '../../../../services/shared/kit/src/rate-limit/bucket.ts';
import { bucketKey, bucketScript } from '../../../../services/shared/kit/src/rate-limit/lua.ts';
import { startServers } from '../../../helpers/servers.ts';
import { histories, limitOf, ReferenceBucket } from '../../../unit/kit/rate-limit/rate-limit-model.ts';
import { limiterSuite } from './limiter-suite.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { freeze } from '../../../helpers/freeze.ts';

const quiet = createLog({ service: 'test', instance: 'test', level: 'fatal' });
/** Here the machine may be busy; that Redis is given up in time is a test of its own. */
const PATIENT = 5000;
const SLOW: BucketLimit = { burst: 5, perSecond: 0.001 };

let servers: Awaited<ReturnType<typeof startServers<'redis'>>>;
const clients: RedisClient[] = [];
let limiter: RateLimiter;

async function connected(): Promise<RedisClient> {
  const redis = createRedis(servers.redis.url, 'test', quiet);
  clients.push(redis);
  await new Promise((resolve) => redis.once('ready', resolve));
  return redis;
}

/** One replica: a connection, local buckets and counters of its own. */
async function replica(options: { waitMs?: number; pauseMs?: number } = {}) {
  const redis = await connected();
  const { registry } = createMetrics({ service: 'test', instance: 'test' });
  const metrics = createRateLimitMetrics(registry);
  return { redis, metrics, limiter: createRateLimiter({ redis, log: quiet, metrics, waitMs: PATIENT, ...options }) };
}

before(async () => {
  servers = await startServers(['redis']);
  ({ limiter } = await replica());
});
after(async () => {
  for (const redis of clients) redis.disconnect();
  await servers.stop();
});

describe('rate limiter: shared in Redis', () => {
  limiterSuite(() => limiter);

  test('replicas share one bucket, whatever they ask at once', async () => {
    const replicas = await Promise.all([replica(), replica(), replica()]);
    const take = { event: 'shared', key: 'one', limit: { burst: 30, perSecond: 0.001 } };
    const decisions = await Promise.all(
      Array.from({ length: 90 }, (_, index) => (replicas[index % 3] as (typeof replicas)[number]).limiter.take(take)),
    );
    assert.equal(decisions.filter(({ allowed }) => allowed).length, 30);
    assert.ok(decisions.every(({ source }) => source === 'redis'));
    const refused = await Promise.all(
      replicas.map(async ({ metrics }) => (await metrics.exceeded.get()).values.reduce((sum, { value }) => sum + value, 0)),
    );
    assert.equal(
      refused.reduce((sum, value) => sum + value),
      60,
    );
  });

  test('a key lives until its bucket is full again, and not much longer; a refusal writes nothing', async () => {
    const redis = clients[0] as RedisClient;
    const take = { event: 'life', key: 'ttl', limit: { burst: 10, perSecond: 1 } };
    await limiter.take({ ...take, cost: 4 });
    const ttl = await redis.pttl('rl:life:ttl');
    assert.ok(ttl > 3000 && ttl <= 5000, String(ttl));
    const stored = await redis.get('rl:life:ttl');
    assert.match(stored ?? '', /^6000000000 \d{13}$/);
    assert.equal((await limiter.take({ ...take, cost: 10 })).allowed, false);
    assert.equal(await redis.get('rl:life:ttl'), stored);
    for (const key of await redis.keys('rl:*')) assert.ok((await redis.pttl(key)) > 0, key);
  });

  test('a server that forgot the script is given it again', async () => {
    const redis = clients[0] as RedisClient;
    const take = { event: 'flush', key: 'script', limit: SLOW };
    assert.equal((await limiter.take(take)).remaining, 4);
    await redis.script('FLUSH');
    const both = await Promise.all([limiter.take(take), limiter.take(take)]);
    assert.deepEqual(both.map(({ remaining, source }) => [remaining, source]).sort(), [
      [2, 'redis'],
      [3, 'redis'],
    ]);
  });

  test('a value that is no bucket counts as a full one and is replaced', async () => {
    const redis = clients[0] as RedisClient;
    await redis.set('rl:wrong:text', 'nonsense');
    assert.equal((await limiter.take({ event: 'wrong', key: 'text', limit: SLOW })).remaining, 4);
    assert.match((await redis.get('rl:wrong:text')) ?? '', /^4000000000 \d{13}$/);
  });
});

describe('the script', () => {
  test('answers as the reference does, whatever is taken and however long the pauses are', { timeout: 120_000 }, async () => {
    // The same script on a clock that the test moves. Keys expire by the server's own clock, so each history has a new key.
    const take = await onClock();
    let keys = 0;
    await fc.assert(
      fc.asyncProperty(histories(40), fc.integer({ min: 0, max: 2e12 }), async (history, startMs) => {
        const reference = new ReferenceBucket(history.burst, history.perMillion);
        const key = `model-${++keys}`;
        let nowMs = startMs;
        const answers: Promise<BucketAnswer>[] = [];
        const expected = history.steps.map(({ afterMs, cost }) => {
          nowMs += afterMs;
          // Sent at once: one connection keeps the order.
          answers.push(take({ key, limit: limitOf(history), cost }, nowMs));
          return reference.take(nowMs, cost);
        });
        assert.deepEqual(await Promise.all(answers), expected);
      }),
      { numRuns: 500 },
    );
  });

  test('a clock that jumps back lets nobody in early and makes nobody wait for it', async () => {
    const take = await onClock();
    const HOUR = 3_600_000;
    const at = async (nowMs: number) => (await take({ key: 'jump', limit: { burst: 2, perSecond: 1 }, cost: 1 }, nowMs)).retryAfterMs;
    assert.deepEqual([await at(HOUR), await at(HOUR), await at(0), await at(999), await at(1000)], [0, 0, 1000, 1, 0]);
  });
});

/** The script with the time as its last argument. */
async function onClock() {
  const redis = await connected();
  const script = bucketScript('local now = tonumber(ARGV[5])');
  return async ({ key, limit, cost }: { key: string; limit: BucketLimit; cost: number }, nowMs: number): Promise<BucketAnswer> => {
    const figures = [burstParts(limit), partsPerMs(limit), costParts(limit, cost), TOKEN_PARTS, nowMs];
    const [allowed, remaining, retryAfterMs] = (await redis.eval(script, 1, bucketKey('clock', key), ...figures)) as [
      number,
      number,
      number,
    ];
    return { allowed: allowed === 1, remaining, retryAfterMs };
  };
}

describe('Redis away', () => {
  test('killed: this process decides alone from what it knows, then the limit is shared again', { timeout: 60_000 }, async () => {
    const { limiter: one, metrics } = await replica({ pauseMs: 100 });
    const take = { event: 'killed', key: 'k', limit: SLOW };
    assert.deepEqual((await one.take({ ...take, cost: 3 })).source, 'redis');
    servers.redis.kill('SIGKILL');
    await servers.redis.exited;
    const decisions: Decision[] = [];
    for (let calls = 0; calls < 5; calls++) decisions.push(await one.take(take));
    assert.deepEqual(
      decisions.map(({ allowed, source }) => [allowed, source]),
      [true, true, false, false, false].map((allowed) => [allowed, 'local']),
    );
    assert.deepEqual(
      (await metrics.local.get()).values.map(({ labels, value }) => [labels.event, value]),
      [['killed', 5]],
    );
    assert.deepEqual(
      (await metrics.exceeded.get()).values.map(({ labels, value }) => [labels.event, value]),
      [['killed', 3]],
    );
    await servers.start('redis');
    await eventually('shared again', async () => (await one.take({ ...take, key: 'other', cost: 0 })).source === 'redis');
  });

  test('frozen: one call waits its time, the others none; it is asked again later', { timeout: 60_000 }, async () => {
    const { limiter: one } = await replica({ waitMs: 50, pauseMs: 300 });
    const take = { event: 'frozen', key: 'k', limit: { burst: 1000, perSecond: 1 } };
    await eventually('redis decides', async () => (await one.take({ ...take, cost: 0 })).source === 'redis');
    await freeze(servers.redis.pid);
    try {
      const started = performance.now();
      const decisions = [await one.take(take)];
      for (let calls = 0; calls < 100; calls++) decisions.push(await one.take(take));
      const took = performance.now() - started;
      assert.ok(decisions.every(({ source, allowed }) => source === 'local' && allowed));
      assert.ok(took >= 45, `${took} ms`);
      // A hundred calls that each waited would take five seconds.
      assert.ok(took < 2500, `${took} ms`);
    } finally {
      servers.redis.kill('SIGCONT');
    }
    await eventually('shared again', async () => (await one.take({ ...take, cost: 0 })).source === 'redis');
  });
});
