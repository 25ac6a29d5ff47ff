// What Redis and Sentinel are told, with the password in it: for Secrets only. What differs from pod to pod the start scripts add.
import { PRIMARY_NAME } from './charts/redis-scripts.ts';
import { sentinelHosts } from './connections.ts';
import { ports, type Plan } from './plan.ts';

/** Nothing is durable in it, but a Redis that comes back with its data spares everybody a cold start. */
const KEEP = ['appendonly yes', 'appendfsync everysec', 'save ""'];
/**
 * A slow subscriber is cut silently at the default of 32 MB; the replicas repair from the database, but need not be made to (research:
 * 148,000 of 600,000 messages arrived).
 */
const SUBSCRIBERS = 'client-output-buffer-limit pubsub 256mb 64mb 60';

const lines = (list: readonly string[]): string => `${list.join('\n')}\n`;

/** One server. */
export const redisConf = (secret: string): string =>
  lines(['dir /data', ...KEEP, 'protected-mode no', `requirepass ${secret}`, SUBSCRIBERS]);

/** One of three. */
export const nodeConf = (secret: string): string =>
  lines([
    ...KEEP,
    'protected-mode no',
    `requirepass ${secret}`,
    `masterauth ${secret}`,
    // A primary that nobody follows any more, because it is cut off, takes no writes: they would be lost with it.
    'min-replicas-to-write 1',
    'min-replicas-max-lag 10',
    // Two replicas at most: waiting for more of them to come gives nothing.
    'repl-diskless-sync-delay 0',
    SUBSCRIBERS,
  ]);

/** Names instead of addresses, because a pod comes back with another address. */
export const sentinelConf = (secret: string): string =>
  lines([
    'protected-mode no',
    `requirepass ${secret}`,
    `sentinel sentinel-pass ${secret}`,
    'sentinel resolve-hostnames yes',
    'sentinel announce-hostnames yes',
    `sentinel auth-pass ${PRIMARY_NAME} ${secret}`,
    `sentinel down-after-milliseconds ${PRIMARY_NAME} 5000`,
    `sentinel failover-timeout ${PRIMARY_NAME} 15000`,
    `sentinel parallel-syncs ${PRIMARY_NAME} 1`,
  ]);

export const sentinelUrl = (plan: Plan, secret: string): string => {
  const hosts = sentinelHosts(plan).map((host) => `${host}:${ports.sentinel}`);
  return `redis+sentinel://:${secret}@${hosts.join(',')}/${PRIMARY_NAME}`;
};
