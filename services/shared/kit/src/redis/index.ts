// Connections to Redis, by one URL for a server or for Sentinels.
export { redisUrl, type SentinelTarget, sentinelTarget } from './redis-url.ts';
export { createRedis, createSubscriber, type RedisClient } from './redis.ts';
