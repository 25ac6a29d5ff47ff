// The Announcer port: publishes what was committed to the replicas that hold sockets of the room or of the users.
import { encodeEntryFrame, type RoomUpdates } from '@parley/chat-store';
import { messageOf, type Log } from '@parley/kit/process';
import type { RedisClient } from '@parley/kit/redis';
import { traced } from '@parley/kit/tracing';
import { encodeEvents, encodeFanout, roomChannel, userChannel } from '@parley/live';
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
      const header = { seq: entry.seq, from: instance, ...(entry.kind === 'system' ? { sys: true as const } : {}) };
      updates.add({ roomId: entry.room_id, lastSeq: entry.seq, lastMessageAt: entry.created_at, memberVersion });
      await publish(roomChannel(entry.room_id), encodeFanout(header, [encodeEntryFrame(entry)]));
    },
    async users(userIds, frames) {
      const payload = encodeEvents({ from: instance }, frames);
      await Promise.all([...new Set(userIds)].map((userId) => publish(userChannel(userId), payload)));
    },
    room: (roomId, frames, exceptUser) => publish(roomChannel(roomId), encodeEvents({ from: instance, except_user: exceptUser }, frames)),
  };
}
