// Who is online, read from the lists that the chat replicas keep (ADR 0007), and which events were notified of.
import type { RedisClient } from '@parley/kit/redis';
import type { Notified, Presence } from './ports.ts';

/**
 * KEYS: instance -> end of its lease. ARGV: user ids. Answers those of them who are on the list of an instance whose lease runs, by the
 * clock of Redis, like the replicas do.
 */
const ONLINE = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local live = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')
local online = {}
for _, user in ipairs(ARGV) do
  for _, pod in ipairs(live) do
    if redis.call('HEXISTS', 'chat:pod:' .. pod .. ':users', user) == 1 then online[#online + 1] = user break end
  end
end
return online
`;
const CHUNK = 2000;
/** Longer than Kafka may deliver an event again in ordinary life. */
const REMEMBERED_SECONDS = 86_400;
const keyOf = (eventId: string): string => `notified:${eventId}`;

export function redisPresence(redis: RedisClient): Presence {
  redis.defineCommand('parleyOnlineOf', { numberOfKeys: 1, lua: ONLINE });
  const { parleyOnlineOf } = redis as unknown as { parleyOnlineOf: (key: string, ...userIds: number[]) => Promise<string[]> };
  const ask = parleyOnlineOf.bind(redis);
  return {
    async online(userIds) {
      const online = new Set<number>();
      for (let start = 0; start < userIds.length; start += CHUNK) {
        for (const id of await ask('chat:pods', ...userIds.slice(start, start + CHUNK))) online.add(Number(id));
      }
      return online;
    },
  };
}

export function redisNotified(redis: RedisClient): Notified {
  return {
    async known(eventIds) {
      if (eventIds.length === 0) return new Set();
      const found = await redis.mget(eventIds.map(keyOf));
      return new Set(eventIds.filter((_, index) => found[index] !== null));
    },
    async remember(eventId) {
      await redis.set(keyOf(eventId), '1', 'EX', REMEMBERED_SECONDS);
    },
  };
}
