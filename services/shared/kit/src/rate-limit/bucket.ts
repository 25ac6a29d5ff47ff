// The token bucket: `burst` tokens at once, then `perSecond` more. Pure: the time is an argument.
// All arithmetic is in whole billionths of a token and whole milliseconds, so that sums are exact: no drift, and a caller who
// waits exactly as long as told is let in. The script for Redis does the same arithmetic on the same figures.

/** A token bucket: its size, and tokens a second. */
export interface BucketLimit {
  /** Tokens of a full bucket, at most a million. */
  burst: number;
  /** Tokens that come back each second; a fraction down to a millionth. */
  perSecond: number;
}

/** Parts that one token is counted in. A million tokens stay below 2^53, where doubles are whole numbers. */
export const TOKEN_PARTS = 1e9;
const BURST_MAX = 1e6;

/** Parts of a full bucket. A bucket of no token at all would refuse for ever, and no wait could be told. */
export function burstParts(limit: BucketLimit): number {
  return Math.floor(Math.min(Math.max(limit.burst, 1), BURST_MAX) * TOKEN_PARTS);
}

/** Most decimal fractions lie a little beside their double; rounding down must not take a whole part for that. */
const DOUBLE_ERROR = 1 + 4 * Number.EPSILON;

/** Parts that come back in a millisecond; rounded down, so that never more is let in than the limit says. */
export function partsPerMs(limit: BucketLimit): number {
  return Math.max(1, Math.floor(((limit.perSecond * TOKEN_PARTS) / 1000) * DOUBLE_ERROR));
}

/** A cost above the burst takes the whole bucket: it could never be met otherwise. */
export function costParts(limit: BucketLimit, cost: number): number {
  return Math.min(burstParts(limit), Math.max(0, Math.ceil(cost * TOKEN_PARTS)));
}

/** Two numbers, so that a socket can have its own. Made full. */
export class LocalBucket {
  /** What was left at `atMs`, in parts of a token; above every burst while it was never used. */
  tokens = Number.MAX_SAFE_INTEGER;
  atMs = 0;

  /** Takes `cost` tokens and returns 0, or takes none and returns the milliseconds after which they are there. Allocates nothing. */
  take(limit: BucketLimit, nowMs: number, cost = 1): number {
    const now = Math.floor(nowMs);
    const rate = partsPerMs(limit);
    // After a clock jumped back, time counts from there on: nothing comes back for the jump, and nobody waits for it to be made up.
    const elapsed = Math.max(0, now - this.atMs);
    const wanted = costParts(limit, cost);
    this.tokens = Math.min(burstParts(limit), this.tokens + elapsed * rate);
    this.atMs = now;
    if (this.tokens < wanted) return Math.ceil((wanted - this.tokens) / rate);
    this.tokens -= wanted;
    return 0;
  }

  /** Whole tokens that were left after the last take. */
  get remaining(): number {
    return Math.floor(this.tokens / TOKEN_PARTS);
  }
}

/** What a bucket says to a wish for tokens. */
export interface BucketAnswer {
  allowed: boolean;
  remaining: number;
  /** 0 when allowed. */
  retryAfterMs: number;
}

/** The same as an object, for callers that want all of it. */
export function takeTokens(bucket: LocalBucket, limit: BucketLimit, nowMs: number, cost = 1): BucketAnswer {
  const retryAfterMs = bucket.take(limit, nowMs, cost);
  return { allowed: retryAfterMs === 0, remaining: bucket.remaining, retryAfterMs };
}
