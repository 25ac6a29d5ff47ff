// The store in Redis: `chat:pods` (instance -> end of its lease) and `chat:pod:{instance}:users` (user id -> name). Scripts, because
// "was nobody else's before" and "is nobody else's now" must each be true for one replica only. All times are those of Redis.
import type { RedisClient } from '@parley/kit/redis';
import { PRESENCE_CHUNK, PRESENCE_LUA, PRESENCE_PODS, presenceReader } from '@parley/live';
import { LEASE_MS, type Beat, type PresenceStore } from './store.ts';

/** A list lives longer than a lease, so that whoever claims it still finds the users. */
const USERS_TTL_MS = 4 * LEASE_MS;
const SEEN_TTL_SECONDS = 30 * 86_400;
/** How long an instance that was frozen can learn that its list was claimed. */
const CLAIMED_TTL_MS = 3_600_000;

const BEGIN = `${PRESENCE_LUA}local function claim(pod) return 'chat:pod:' .. pod .. ':claimed' end
`;

/** ARGV: instance, lease, TTL of the list. Answers: kind of list, whether the lease ran, then the instances that are gone. */
const BEAT = `${BEGIN}
local ends = redis.call('ZSCORE', KEYS[1], ARGV[1])
local in_time = ends and tonumber(ends) > now
local claimed = redis.call('DEL', claim(ARGV[1])) == 1
local list = claimed and 'claimed' or (ends and redis.call('EXISTS', users(ARGV[1])) == 1) and 'kept' or 'empty'
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', users(ARGV[1]), ARGV[3])
return { list, in_time and 1 or 0, unpack(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 100)) }
`;

/** ARGV: TTL of the mark that a list was claimed, then the instances. Answers id and name of each of their users. */
const CLAIM = `${BEGIN}
local answer = {}
for index = 2, #ARGV do
  local pod = ARGV[index]
  local ends = redis.call('ZSCORE', KEYS[1], pod)
  if ends and tonumber(ends) <= now then
    redis.call('ZREM', KEYS[1], pod)
    for _, part in ipairs(redis.call('HGETALL', users(pod))) do answer[#answer + 1] = part end
    redis.call('UNLINK', users(pod))
    redis.call('SET', claim(pod), 1, 'PX', ARGV[1])
  end
end
return answer
`;

/** Sets `absent` to those of `ids` who are on no other instance: one look-up for all of them in each list. */
const ABSENT = `
local absent = ids
for _, pod in ipairs(live()) do
  if #absent == 0 then break end
  local names = pod == ARGV[1] and {} or redis.call('HMGET', users(pod), unpack(absent))
  local left = {}
  for index, id in ipairs(absent) do
    if not names[index] then left[#left + 1] = id end
  end
  absent = left
end
`;

/** ARGV: instance, TTL of the list, then id and name of each user. Answers the ids of those who are online nowhere else. */
const ADD = `${BEGIN}
local ids = {}
for index = 3, #ARGV, 2 do ids[#ids + 1] = ARGV[index] end
${ABSENT}
redis.call('HSET', users(ARGV[1]), unpack(ARGV, 3))
redis.call('PEXPIRE', users(ARGV[1]), ARGV[2])
return absent
`;

/** ARGV: instance, seen at, TTL of that, then the ids. Answers the ids of those who are online nowhere now. */
const REMOVE = `${BEGIN}
local ids = { unpack(ARGV, 4) }
redis.call('HDEL', users(ARGV[1]), unpack(ids))
${ABSENT}
for _, id in ipairs(absent) do redis.call('SET', 'chat:seen:' .. id, ARGV[2], 'EX', ARGV[3]) end
return absent
`;

/** ARGV: instance, grace. */
const LEAVE = `${BEGIN}
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
`;

type Arguments = (string | number)[];
type Script = (key: string, ...values: Arguments) => Promise<(string | number)[]>;

const scripts = {
  parleyPresenceBeat: BEAT,
  parleyPresenceClaim: CLAIM,
  parleyPresenceAdd: ADD,
  parleyPresenceRemove: REMOVE,
  parleyPresenceLeave: LEAVE,
} as const;

export function redisPresence(redis: RedisClient, instance: string): PresenceStore {
  for (const [name, lua] of Object.entries(scripts)) redis.defineCommand(name, { numberOfKeys: 1, lua });
  const run = redis as unknown as Record<keyof typeof scripts, Script>;
  return {
    ...presenceReader(redis),
    async beat(): Promise<Beat> {
      const [list, inTime, ...gone] = await run.parleyPresenceBeat(PRESENCE_PODS, instance, LEASE_MS, USERS_TTL_MS);
      return { list: list as Beat['list'], inTime: inTime === 1, gone: gone.map(String) };
    },
    claim: async (instances) => namesOf(await run.parleyPresenceClaim(PRESENCE_PODS, CLAIMED_TTL_MS, ...instances)),
    add: (users) =>
      inChunks([...users], async (part) => numbersOf(await run.parleyPresenceAdd(PRESENCE_PODS, instance, USERS_TTL_MS, ...part.flat()))),
    remove: (userIds, seenAtMs) =>
      inChunks(userIds, async (part) =>
        numbersOf(await run.parleyPresenceRemove(PRESENCE_PODS, instance, seenAtMs, SEEN_TTL_SECONDS, ...part)),
      ),
    async leave(graceMs) {
      await run.parleyPresenceLeave(PRESENCE_PODS, instance, graceMs);
    },
  };
}

/** One chunk after the other, so that other commands get in between. */
async function inChunks<T>(all: readonly T[], call: (part: T[]) => Promise<number[]>): Promise<Set<number>> {
  const found = new Set<number>();
  for (let start = 0; start < all.length; start += PRESENCE_CHUNK) {
    for (const id of await call(all.slice(start, start + PRESENCE_CHUNK))) found.add(id);
  }
  return found;
}

const numbersOf = (parts: readonly (string | number)[]): number[] => parts.map(Number);

function namesOf(parts: readonly (string | number)[]): Map<number, string> {
  const names = new Map<number, string>();
  for (let index = 0; index + 1 < parts.length; index += 2) names.set(Number(parts[index]), String(parts[index + 1]));
  return names;
}
