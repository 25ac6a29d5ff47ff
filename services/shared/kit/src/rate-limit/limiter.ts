// The port of rate limits, and its twin in memory, which is also what holds while Redis is away.
import { LocalBucket, type BucketLimit } from './bucket.ts';

/** Whose bucket of which event, its size, and how many tokens. */
export interface RateLimitTake {
  /** What is limited: `message`, `connect`, `rest` …; a label of metrics and a part of the key, so only ever a few different ones. */
  event: string;
  /** Who: a user, an address. */
  key: string;
  limit: BucketLimit;
  /** Tokens, 1 unless told. */
  cost?: number;
}

/** Allowed or not, what is left, when to come back in milliseconds, and who decided. */
export interface Decision {
  allowed: boolean;
  /** Tokens of a full bucket. */
  limit: number;
  /** Whole tokens left. */
  remaining: number;
  /** Milliseconds after which the same call would be allowed if nobody else took tokens meanwhile; 0 when allowed. */
  retryAfterMs: number;
  /** Who decided: the bucket that all replicas share, or the one of this process. */
  source: 'redis' | 'local';
}

/** Takes tokens. Never rejects: while Redis is away each process decides alone. */
export interface RateLimiter {
  /** Never throws and is never held up by a server that is away. */
  take(take: RateLimitTake): Promise<Decision>;
}

export interface LocalLimiterOptions {
  /** Milliseconds of a clock that does not jump. */
  now?: () => number;
  /** About 200 bytes each. */
  bucketsMax?: number;
}

/** Buckets of this process by event and key; the least recently used go when there are too many. */
export class LocalRateLimiter implements RateLimiter {
  /** Least recently used first. */
  readonly #buckets = new Map<string, LocalBucket>();
  readonly #now: () => number;
  readonly #bucketsMax: number;

  constructor({ now = () => performance.now(), bucketsMax = 10_000 }: LocalLimiterOptions = {}) {
    this.#now = now;
    this.#bucketsMax = bucketsMax;
  }

  take(take: RateLimitTake): Promise<Decision> {
    return Promise.resolve(this.takeNow(take));
  }

  takeNow({ event, key, limit, cost = 1 }: RateLimitTake): Decision {
    const bucket = this.#bucketOf(`${event}:${key}`);
    const retryAfterMs = bucket.take(limit, this.#now(), cost);
    return { allowed: retryAfterMs === 0, limit: limit.burst, remaining: bucket.remaining, retryAfterMs, source: 'local' };
  }

  get size(): number {
    return this.#buckets.size;
  }

  #bucketOf(name: string): LocalBucket {
    const known = this.#buckets.get(name);
    const bucket = known ?? new LocalBucket();
    if (known) this.#buckets.delete(name);
    this.#buckets.set(name, bucket);
    if (this.#buckets.size > this.#bucketsMax) {
      const oldest = this.#buckets.keys().next();
      if (!oldest.done) this.#buckets.delete(oldest.value);
    }
    return bucket;
  }
}
