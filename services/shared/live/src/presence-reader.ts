// Who is online, as Redis has it (ADR 0007): chat writes it, everybody else only reads. `chat:pods` has the instances with the ends of
// their leases, `chat:pod:{instance}:users` the users of each, `chat:seen:{user}` when a user went offline.
import type { RedisClient } from '@parley/kit/redis';

/** Key of the instances and the ends of their leases. */
export const PRESENCE_PODS = 'chat:pods';
/** Key of the users of an instance. */
export const presenceUsersKey = (instance: string): string => `chat:pod:${instance}:users`;
/** Key of the time when a user went offline. */
export const lastSeenKey = (userId: number): string => `chat:seen:${userId}`;

/** Users of one call: a long one keeps Redis from passing on messages. */
export const PRESENCE_CHUNK = 250;

/**
 * Begin of every script about presence, with KEYS[1] = PRESENCE_PODS: `now` by the clock of Redis, which the leases are written with,
 * `live()` for the instances whose lease runs, `users(instance)` for the key of a list, as presenceUsersKey says it.
 */
export const PRESENCE_LUA = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function users(instance) return '${presenceUsersKey("' .. instance .. '")}' end
local function live() return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf') end
`;
const LIVE = `${PRESENCE_LUA}return live()`;

/** Both reject when Redis is away. */
export interface PresenceReader {
  /** Those of the users who are online anywhere. */
  online(userIds: readonly number[]): Promise<Set<number>>;
  /** When users went offline, milliseconds since 1970; unknown ones are absent. */
  lastSeen(userIds: readonly number[]): Promise<Map<number, number>>;
}

/** Reads who is online out of Redis. Its calls reject while Redis is away. */
export function presenceReader(redis: RedisClient): PresenceReader {
  redis.defineCommand('parleyPresenceLive', { numberOfKeys: 1, lua: LIVE });
  const live = (redis as unknown as { parleyPresenceLive: (key: string) => Promise<string[]> }).parleyPresenceLive.bind(redis);
  return {
    async online(userIds) {
      const found = new Set<number>();
      if (userIds.length === 0) return found;
      const instances = await live(PRESENCE_PODS);
      for (let start = 0; start < userIds.length; start += PRESENCE_CHUNK) {
        const part = userIds.slice(start, start + PRESENCE_CHUNK);
        const lists = await Promise.all(instances.map((instance) => redis.hmget(presenceUsersKey(instance), ...part.map(String))));
        part.forEach((userId, index) => {
          if (lists.some((names) => names[index] != null)) found.add(userId);
        });
      }
      return found;
    },
    async lastSeen(userIds) {
      if (userIds.length === 0) return new Map();
      const seen = await redis.mget(userIds.map(lastSeenKey));
      return new Map(userIds.flatMap((userId, index) => (seen[index] ? [[userId, Number(seen[index])] as const] : [])));
    },
  };
}
