// The store in Redis: `chat:pods` (instance -> end of its lease) and `chat:pod:{instance}:users` (user id -> name). Scripts, because
// "was nobody else's before" and "is nobody else's now" must each be true for one replica only. All times are those of Redis.
import type { RedisClient } from '@parley/kit';
import { LEASE_MS, type Beat, type Names, type PresenceStore } from './store.ts';

const PODS = 'chat:pods';
/** A list lives longer than a lease, so that whoever claims it still finds the users. */
const USERS_TTL_MS = 4 * LEASE_MS;
const SEEN_TTL_SECONDS = 30 * 86_400;
/** Arguments of one script call; Lua's unpack takes a few thousand. */
const CHUNK = 2000;

const NOW = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function users(pod) return 'chat:pod:' .. pod .. ':users' end
`;

/** ARGV: instance, lease, TTL of the list. Answers: known, then id and name of each lost user. */
const BEAT = `${NOW}
local known = redis.call('ZSCORE', KEYS[1], ARGV[1]) and 1 or 0
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', users(ARGV[1]), ARGV[3])
local answer = { known }
for _, pod in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now)) do
  redis.call('ZREM', KEYS[1], pod)
  for _, part in ipairs(redis.call('HGETALL', users(pod))) do answer[#answer + 1] = part end
  redis.call('DEL', users(pod))
end
return answer
`;

const ONLINE = `
local live = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')
local found = {}
for index = first, #ARGV, step do
  for _, pod in ipairs(live) do
    if redis.call('HEXISTS', users(pod), ARGV[index]) == 1 then found[ARGV[index]] = true break end
  end
end
`;

/** ARGV: instance, TTL of the list, then id and name of each user. Answers the ids of those who were online nowhere. */
const ADD = `${NOW}
local first, step = 3, 2
${ONLINE}
local fresh = {}
for index = 3, #ARGV, 2 do
  if not found[ARGV[index]] then fresh[#fresh + 1] = ARGV[index] end
  redis.call('HSET', users(ARGV[1]), ARGV[index], ARGV[index + 1])
end
redis.call('PEXPIRE', users(ARGV[1]), ARGV[2])
return fresh
`;

/** ARGV: instance, seen at, TTL of that, then the ids. Answers the ids of those who are online nowhere now. */
const REMOVE = `${NOW}
for index = 4, #ARGV do redis.call('HDEL', users(ARGV[1]), ARGV[index]) end
local first, step = 4, 1
${ONLINE}
local gone = {}
for index = 4, #ARGV do
  if not found[ARGV[index]] then
    gone[#gone + 1] = ARGV[index]
    redis.call('SET', 'chat:seen:' .. ARGV[index], ARGV[2], 'EX', ARGV[3])
  end
end
return gone
`;

/** ARGV: the ids. Answers those who are online. */
const CHECK = `${NOW}
local first, step = 1, 1
${ONLINE}
local online = {}
for id in pairs(found) do online[#online + 1] = id end
return online
`;

/** ARGV: instance, grace. */
const LEAVE = `${NOW}
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
`;

type Arguments = (string | number)[];
type Script = (key: string, ...values: Arguments) => Promise<(string | number)[]>;

const scripts = {
  parleyPresenceBeat: BEAT,
  parleyPresenceAdd: ADD,
  parleyPresenceRemove: REMOVE,
  parleyPresenceCheck: CHECK,
  parleyPresenceLeave: LEAVE,
} as const;

export function redisPresence(redis: RedisClient, instance: string): PresenceStore {
  for (const [name, lua] of Object.entries(scripts)) redis.defineCommand(name, { numberOfKeys: 1, lua });
  const run = redis as unknown as Record<keyof typeof scripts, Script>;
  const inChunks = async (ids: Arguments, size: number, call: (part: Arguments) => Promise<(string | number)[]>): Promise<Set<number>> => {
    const found = new Set<number>();
    for (let start = 0; start < ids.length; start += size) {
      for (const id of await call(ids.slice(start, start + size))) found.add(Number(id));
    }
    return found;
  };
  return {
    async beat(): Promise<Beat> {
      const [known, ...lost] = await run.parleyPresenceBeat(PODS, instance, LEASE_MS, USERS_TTL_MS);
      return { known: known === 1, lost: namesOf(lost) };
    },
    add: (users: Names) => inChunks([...users].flat(), CHUNK, (part) => run.parleyPresenceAdd(PODS, instance, USERS_TTL_MS, ...part)),
    remove: (userIds, seenAtMs) =>
      inChunks([...userIds], CHUNK, (part) => run.parleyPresenceRemove(PODS, instance, seenAtMs, SEEN_TTL_SECONDS, ...part)),
    online: (userIds) => inChunks([...userIds], CHUNK, (part) => run.parleyPresenceCheck(PODS, ...part)),
    async lastSeen(userIds) {
      if (userIds.length === 0) return new Map();
      const seen = await redis.mget(userIds.map((userId) => `chat:seen:${userId}`));
      return new Map(userIds.flatMap((userId, index) => (seen[index] ? [[userId, Number(seen[index])] as const] : [])));
    },
    async leave(graceMs) {
      await run.parleyPresenceLeave(PODS, instance, graceMs);
    },
  };
}

function namesOf(parts: readonly (string | number)[]): Map<number, string> {
  const names = new Map<number, string>();
  for (let index = 0; index + 1 < parts.length; index += 2) names.set(Number(parts[index]), String(parts[index + 1]));
  return names;
}
