// The Presence port on what chat writes to Redis. Without Redis nobody knows; a guess would show people as gone.
import { AppError } from '@parley/kit/process';
import type { RedisClient } from '@parley/kit/redis';
import { presenceReader } from '@parley/live';
import type { Presence } from '../ports.ts';

export function redisPresence(redis: RedisClient): Presence {
  const reader = presenceReader(redis);
  return {
    async of(userIds) {
      try {
        const [online, seen] = await Promise.all([reader.online(userIds), reader.lastSeen(userIds)]);
        return new Map(
          userIds.map((userId) => {
            const at = online.has(userId) ? undefined : seen.get(userId);
            return [userId, { online: online.has(userId), ...(at === undefined ? {} : { lastSeen: new Date(at) }) }];
          }),
        );
      } catch (error) {
        throw new AppError('unavailable', 'Who is online is not known while Redis is away', { retryAfterMs: 1000, cause: error });
      }
    },
  };
}
