// Rate limits that all replicas share, in Redis. While Redis is away, slow or wrong, each process decides by its own buckets: the
// limit then holds for each replica, which is more than none and costs no caller a wait.
import { messageOf } from '../process/errors.ts';
import type { Log } from '../process/log.ts';
import { Outage } from '../process/outage.ts';
import type { RedisClient } from '../redis/redis.ts';
import { LocalRateLimiter, type Decision, type RateLimiter, type RateLimitTake } from './limiter.ts';
import { redisBuckets } from './lua.ts';
import type { RateLimitMetrics } from './metrics.ts';

/** Redis, how long it is waited for, and for how long it is left alone after that, in milliseconds. */
export interface SharedLimiterOptions {
  /** For commands: without an offline queue. */
  redis: RedisClient;
  log: Log;
  /** `exceeded` only where a refused take is a refused request; who leases several tokens at once counts what it refuses itself. */
  metrics: Pick<RateLimitMetrics, 'local'> & Partial<RateLimitMetrics>;
  local?: LocalRateLimiter;
  /** Longest wait for Redis. */
  waitMs?: number;
  /** After a failure Redis is not asked for this long: a frozen server must not cost each call the whole wait. */
  pauseMs?: number;
}

/** One limit for all processes through Redis; each for itself while Redis is away or slow. */
export function createRateLimiter({
  redis,
  log,
  metrics,
  local = new LocalRateLimiter(),
  waitMs = 50,
  pauseMs = 500,
}: SharedLimiterOptions): RateLimiter {
  const askRedis = redisBuckets(redis);
  const words = { away: 'rate limits hold for this process alone: redis does not answer', back: 'rate limits are shared again' };
  const outage = new Outage(log, words);
  let failedAtMs: number | undefined;
  /** At most one call at a time finds out whether Redis is back. */
  let probing = false;

  const failed = (error: unknown) => {
    outage.began(messageOf(error));
    failedAtMs = performance.now();
  };
  const worked = () => {
    outage.ended();
    failedAtMs = undefined;
  };

  async function shared(take: RateLimitTake): Promise<Decision | undefined> {
    const isProbe = failedAtMs !== undefined;
    if (isProbe && (probing || performance.now() - (failedAtMs ?? 0) < pauseMs)) return undefined;
    probing = isProbe;
    try {
      const decision = await within(askRedis(take), waitMs);
      worked();
      return decision;
    } catch (error) {
      failed(error);
      return undefined;
    } finally {
      if (isProbe) probing = false;
    }
  }

  async function take(asked: RateLimitTake): Promise<Decision> {
    const decision = await shared(asked);
    // Also charged when Redis decides: the begin of an outage then does not hand out a second burst.
    if (decision?.allowed) local.takeNow(asked);
    if (!decision) metrics.local.inc({ event: asked.event });
    const result = decision ?? local.takeNow(asked);
    if (!result.allowed) metrics.exceeded?.inc({ event: asked.event });
    return result;
  }
  return { take };
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    // One turn of the event loop later: after a pause of this process an answer that is there already is read first.
    timer = setTimeout(() => setImmediate(() => reject(new Error(`no answer within ${ms} ms`))), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
