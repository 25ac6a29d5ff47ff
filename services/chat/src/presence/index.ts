// Presence as the composition root makes it.
import { readActiveMembers, readMemberIds, readRoomsOf, type MysqlPool } from '@parley/chat-store';
import type { Log } from '@parley/kit/process';
import type { RedisClient } from '@parley/kit/redis';
import { PRESENCE_LIST_MAX } from '@parley/protocol';
import type { PublishToRoom } from '../ports.ts';
import { Presence } from './presence.ts';
import { redisPresence } from './redis-store.ts';
import { RoomPresence } from './room-presence.ts';

export { Presence } from './presence.ts';

export interface CreatePresence {
  redis: RedisClient;
  pool: MysqlPool;
  instance: string;
  publishToRoom: PublishToRoom;
  log: Log;
  onEvents: (outcome: 'sent' | 'suppressed', count: number) => void;
}

export function createPresence({ redis, pool, instance, publishToRoom, log, onEvents }: CreatePresence): Presence {
  const store = redisPresence(redis, instance);
  const now = () => Date.now();
  const rooms = new RoomPresence({
    members: async (roomId) => (await readActiveMembers(pool, [roomId], { max: PRESENCE_LIST_MAX })).get(roomId) ?? [],
    memberIds: (roomId) => readMemberIds(pool, roomId),
    // This replica's own users are known at once, and without Redis.
    online: async (userIds) => {
      const online = await store.online(userIds).catch(() => new Set<number>());
      for (const userId of userIds) if (presence.isHere(userId)) online.add(userId);
      return online;
    },
    now,
  });
  const presence: Presence = new Presence({
    ...{ store, rooms, publishToRoom, log, now, onEvents },
    roomsOf: (userIds) => readRoomsOf(pool, userIds),
  });
  return presence;
}
