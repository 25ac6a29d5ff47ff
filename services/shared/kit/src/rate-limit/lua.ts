// The token bucket as one script in Redis: read, decide and write are one step for all replicas, on the clock of Redis.
import type { Redis } from 'ioredis';
import { burstParts, costParts, partsPerMs, TOKEN_PARTS } from './bucket.ts';
import type { Decision, RateLimitTake } from './limiter.ts';

/** Milliseconds of the server's clock: those of the replicas differ. */
const SERVER_CLOCK = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

/**
 * KEYS[1] bucket; ARGV: parts of a full bucket, parts a millisecond, parts wanted, parts of a token. Answers allowed, remaining, wait.
 * The value is "<parts left> <at ms>"; no key is a full bucket. The key lives until the bucket is full again, and a second for good measure.
 * A refusal writes nothing, so that a flood costs Redis only reads; what it would write follows from what is there. Only a clock that jumped
 * back (another server took over) must be written down.
 * %.0f: Lua writes large numbers as 1e+15 otherwise and would lose their last digits.
 */
export function bucketScript(clock = SERVER_CLOCK): string {
  return `${clock}
local burst, rate, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local tokens, at = burst, now
local stored = redis.call('GET', KEYS[1])
if stored then
  local left, since = string.match(stored, '^(%d+) (%d+)$')
  if left then
    tokens, at = tonumber(left), tonumber(since)
  end
end
tokens = math.min(burst, tokens + math.max(0, now - at) * rate)
local allowed = tokens >= wanted
local wait = 0
if allowed then
  tokens = tokens - wanted
else
  wait = math.ceil((wanted - tokens) / rate)
end
if allowed or now < at then
  local ttl = math.ceil((burst - tokens) / rate) + 1000
  redis.call('SET', KEYS[1], string.format('%.0f %.0f', tokens, now), 'PX', string.format('%.0f', ttl))
end
return { allowed and 1 or 0, math.floor(tokens / tonumber(ARGV[4])), wait }`;
}

/**
 * No braces: the script touches this one key only, so in a Redis Cluster any slot will do, and a hash tag around the event would
 * put all users into one slot.
 */
export const bucketKey = (event: string, key: string): string => `rl:${event}:${key}`;

const COMMAND = 'parleyTakeTokens';

type TakeTokens = (key: string, ...figures: number[]) => Promise<[number, number, number]>;

/** Throws what the driver throws. The script is sent once for each connection, then only its hash; a server that forgot it gets it again. */
export function redisBuckets(redis: Redis): (take: RateLimitTake) => Promise<Decision> {
  if (!(COMMAND in redis)) redis.defineCommand(COMMAND, { numberOfKeys: 1, lua: bucketScript() });
  const client = redis as unknown as Record<typeof COMMAND, TakeTokens>;
  return async ({ event, key, limit, cost = 1 }) => {
    const [allowed, remaining, retryAfterMs] = await client[COMMAND](
      bucketKey(event, key),
      burstParts(limit),
      partsPerMs(limit),
      costParts(limit, cost),
      TOKEN_PARTS,
    );
    return { allowed: allowed === 1, limit: limit.burst, remaining, retryAfterMs, source: 'redis' };
  };
}
