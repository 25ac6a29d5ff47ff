// Which events were notified of.
import type { RedisClient } from '@parley/kit/redis';
import type { Notified } from './ports.ts';

/** Longer than Kafka may deliver an event again in ordinary life. */
const REMEMBERED_SECONDS = 86_400;
const keyOf = (eventId: string): string => `notified:${eventId}`;

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
