// Sockets of a user over all replicas: a sorted set of socket ids by the time of their opening, so that the oldest can be found.
import type { RedisClient } from '@parley/kit/redis';

/** Sockets of replicas that are gone leave the set when the user opens the next one, at the latest after this time. */
const KEY_TTL_MS = 24 * 3_600_000;

/**
 * KEYS: the user's set. ARGV: socket id, most sockets, TTL. Adds the socket on the clock of Redis, which is one for all replicas,
 * and takes the oldest ones out that are too many. Returns them.
 */
const ADD = `
local time = redis.call('TIME')
redis.call('ZADD', KEYS[1], time[1] * 1000000 + time[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
local excess = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[2])
if excess <= 0 then return {} end
local oldest = redis.call('ZRANGE', KEYS[1], 0, excess - 1)
redis.call('ZREM', KEYS[1], unpack(oldest))
return oldest
`;

interface Commands {
  parleyAddConnection(key: string, socketId: string, max: number, ttlMs: number): Promise<string[]>;
}

const keyOf = (userId: number): string => `chat:connections:${userId}`;

export interface Connections {
  /** Adds a socket; resolves with the ids of those that are too many now, oldest first. Rejects when Redis is away. */
  add(userId: number, socketId: string): Promise<string[]>;
  remove(userId: number, socketId: string): void;
}

export function redisConnections(redis: RedisClient, maxPerUser: number): Connections {
  redis.defineCommand('parleyAddConnection', { numberOfKeys: 1, lua: ADD });
  const commands = redis as unknown as Commands;
  return {
    add: (userId, socketId) => commands.parleyAddConnection(keyOf(userId), socketId, maxPerUser, KEY_TTL_MS),
    remove: (userId, socketId) => {
      redis.zrem(keyOf(userId), socketId).catch(() => {});
    },
  };
}
