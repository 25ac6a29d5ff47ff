// Redis connections. Nothing durable lives in Redis: commands fail fast when it is away, subscriptions come back by themselves. With Sentinels
// a connection goes to whom they call the primary, and moves when they call another one so.
import { Redis, SentinelConnector, type RedisOptions, type SentinelConnectionOptions } from 'ioredis';
import type { Log } from '../process/log.ts';
import { Outage } from '../process/outage.ts';
import { messageOf } from '../process/errors.ts';
import { sentinelTarget } from './redis-url.ts';

/** A client of ioredis for one server, or for the primary that Sentinels name. */
export type RedisClient = Redis;

/** For commands and publishing: no offline queue, so that a dead Redis costs no memory and no waiting. */
export function createRedis(url: string, name: string, log: Log): Redis {
  return observed(
    connect(url, {
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
    connect(url, { connectionName: name, maxRetriesPerRequest: null, retryStrategy: reconnectDelay, autoResubscribe: true }),
    name,
    log,
  );
}

/** A primary whose node is gone answers nothing at all: it is given up before the Sentinels have named the next one. */
const SENTINEL_TIMEOUT_MS = 2000;
/** A Sentinel that was away is listened to again after this time; until then the others tell. */
const SENTINEL_AGAIN_MS = 10_000;

function connect(url: string, options: Omit<RedisOptions, 'replyMapping'>): Redis {
  const target = sentinelTarget(url);
  if (!target) return new Redis(url, options);
  const { tls, ...where } = target;
  return new Redis({
    ...options,
    ...where,
    ...(tls ? { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true } : {}),
    Connector: QuietSentinels,
    // Only those of the URL: what they call each other may be an address that is reached from their own network alone.
    updateSentinels: false,
    // A connection to a node that is gone stays open without a sound.
    failoverDetector: true,
    connectTimeout: SENTINEL_TIMEOUT_MS,
    sentinelCommandTimeout: SENTINEL_TIMEOUT_MS,
    sentinelReconnectStrategy: () => SENTINEL_AGAIN_MS,
    // Of a primary that has become a replica: the Sentinels know whom to ask.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  });
}

type ConnectToSentinel = (...of: unknown[]) => Redis;

/** The client writes the errors of its own connections to Sentinels to stderr when nobody listens to them. */
class QuietSentinels extends SentinelConnector {
  constructor(options: unknown) {
    super(options as SentinelConnectionOptions);
    const inner = this as unknown as { connectToSentinel: ConnectToSentinel };
    const loud = inner.connectToSentinel.bind(this);
    inner.connectToSentinel = (...of) => loud(...of).on('error', () => {});
  }
}

function reconnectDelay(times: number): number {
  return Math.min(2000, 50 * 2 ** Math.min(times, 6));
}

function observed(redis: Redis, name: string, log: Log): Redis {
  const outage = new Outage(log, { away: 'redis is away', back: 'redis is back', fields: { redis: name } });
  redis.on('error', (error) => outage.began(messageOf(error)));
  redis.on('ready', () => outage.ended());
  return redis;
}
