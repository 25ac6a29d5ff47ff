// The Announcer port: publishes what was committed to the replicas that hold sockets of the room or of the users.
import type { RoomUpdates } from '@parley/chat-store';
import { messageOf, type Log } from '@parley/kit/process';
import type { RedisClient } from '@parley/kit/redis';
import { traced } from '@parley/kit/tracing';
import { encodeEvents, roomChannel, userChannel } from '@parley/live';
import { newsOf } from '@parley/live/commit';
import type { Announcer } from '../ports.ts';

export interface RedisAnnouncerOptions {
  redis: RedisClient;
  updates: Pick<RoomUpdates, 'add'>;
  instance: string;
  log: Log;
}

export function redisAnnouncer({ redis, updates, instance, log }: RedisAnnouncerOptions): Announcer {
  const publish = async (channel: string, payload: Buffer) => {
    try {
      await traced('publish', { bytes: payload.length }, () => redis.publish(channel, payload), { kind: 'producer' });
    } catch (error) {
      log.warn({ channel, reason: messageOf(error) }, 'a committed change was not announced');
    }
  };
  return {
    async change({ entry, memberVersion }) {
      const { channel, payload, grown } = newsOf({ roomId: entry.room_id, fromSeq: entry.seq, entries: [entry], memberVersion }, instance);
      updates.add(grown);
      await publish(channel, payload);
    },
    async users(userIds, frames) {
      const payload = encodeEvents({ from: instance }, frames);
      await Promise.all([...new Set(userIds)].map((userId) => publish(userChannel(userId), payload)));
    },
    room: (roomId, frames, exceptUser) => publish(roomChannel(roomId), encodeEvents({ from: instance, except_user: exceptUser }, frames)),
  };
}
