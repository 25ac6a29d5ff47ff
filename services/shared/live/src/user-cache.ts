// The cache of user names on Redis: which key, and how it is dropped. Core fills and reads it; auth, which owns users, drops entries.
import type { RedisClient } from '@parley/kit/redis';

/** Holds `{id, name}`; name null: there is no such user. Always with a TTL. */
export const userCacheKey = (userId: number): string => `user:${userId}`;

/** What the cache says of a user may no longer be true. Throws when Redis is away; then the entry's TTL bounds the error. */
export async function dropCachedUser(redis: RedisClient, userId: number): Promise<void> {
  await redis.unlink(userCacheKey(userId));
}
