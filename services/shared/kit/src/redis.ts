// Redis connections. Nothing durable lives in Redis: commands fail fast when it is away, subscriptions come back by themselves.
import { Redis } from 'ioredis';
import type { Log } from './log.ts';
import { messageOf } from './errors.ts';

export type RedisClient = Redis;

/** For commands and publishing: no offline queue, so that a dead Redis costs no memory and no waiting. */
export function createRedis(url: string, name: string, log: Log): Redis {
  return observed(
    new Redis(url, {
      connectionName: name,
      enableOfflineQueue: false,
      commandTimeout: 2000,
      maxRetriesPerRequest: 0,
      retryStrategy: reconnectDelay,
      enableAutoPipelining: true,
    }),
    name,
    log,
  );
}

/** For subscriptions only: a connection in subscriber mode takes no other command. Subscriptions are restored after a reconnect. */
export function createSubscriber(url: string, name: string, log: Log): Redis {
  return observed(
    new Redis(url, { connectionName: name, maxRetriesPerRequest: null, retryStrategy: reconnectDelay, autoResubscribe: true }),
    name,
    log,
  );
}

function reconnectDelay(times: number): number {
  return Math.min(2000, 50 * 2 ** Math.min(times, 6));
}

function observed(redis: Redis, name: string, log: Log): Redis {
  let reported = false;
  redis.on('error', (error) => {
    // One line per outage, not one per attempt.
    if (!reported) log.warn({ redis: name, reason: messageOf(error) }, 'redis is away');
    reported = true;
  });
  redis.on('ready', () => {
    if (reported) log.info({ redis: name }, 'redis is back');
    reported = false;
  });
  return redis;
}
