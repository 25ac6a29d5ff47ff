// The Announcer port: publishes committed entries to the replicas that hold sockets of the room.
import { encodeEntryFrame } from '@parley/chat-store';
import { encodeFanout, messageOf, roomChannel, type Log, type RedisClient } from '@parley/kit';
import type { Announcer } from '../ports.ts';

export function redisAnnouncer({ redis, instance, log }: { redis: RedisClient; instance: string; log: Log }): Announcer {
  return {
    async entry(entry) {
      try {
        await redis.publish(
          roomChannel(entry.room_id),
          encodeFanout({ seq: entry.seq, from: instance, ...(entry.kind === 'system' ? { sys: true } : {}) }, [encodeEntryFrame(entry)]),
        );
      } catch (error) {
        // The entry is committed; replicas compare the room's head with the database and find it.
        log.warn({ room_id: entry.room_id, seq: entry.seq, reason: messageOf(error) }, 'committed entry was not announced');
      }
    },
  };
}
