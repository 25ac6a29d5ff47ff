// Connections to Redis, by one URL for a server or for Sentinels.
export { redisUrl } from './config.ts';
export { isRedisUrl, REDIS_URL_FORMS, sentinelTarget, type SentinelTarget } from './redis-url.ts';
export { createRedis, createSubscriber, type RedisClient } from './redis.ts';
