// Membership changes as core makes them: the row, the version and the system entry in one transaction, then the entry on Redis.
import { appendSystemEntry, encodeEntryFrame, toBinary, type MysqlPool } from '@parley/chat-store';
import type { RedisClient } from '@parley/kit/redis';
import { encodeFanout, roomChannel } from '@parley/live';
import type { Entry, SystemEvent } from '@parley/protocol';

export interface MembershipChange {
  roomId: string;
  userId: number;
  event: 'member_joined' | 'member_left' | 'member_removed';
}

/** Commits the change; the caller announces it, or does not. */
export async function changeMembership(pool: MysqlPool, { roomId, userId, event }: MembershipChange): Promise<Entry> {
  const room = toBinary(roomId);
  const now = new Date();
  const name = `user ${userId}`;
  const told: SystemEvent = { event, user_id: userId, user_name: name };
  const connection = await pool.getConnection();
  try {
    await connection.beginTransaction();
    await connection.query('SELECT id FROM rooms WHERE id = ? FOR UPDATE', [room]);
    if (event === 'member_joined') {
      await connection.query(
        `INSERT INTO room_members (room_id, user_id, role, state, joined_at) VALUES (?, ?, 'member', 'active', ?)
           ON DUPLICATE KEY UPDATE state = 'active', left_at = NULL`,
        [room, userId, now],
      );
    } else {
      const state = event === 'member_left' ? 'left' : 'removed';
      await connection.query('UPDATE room_members SET state = ?, left_at = ? WHERE room_id = ? AND user_id = ?', [
        state,
        now,
        room,
        userId,
      ]);
    }
    await connection.query('UPDATE rooms SET member_version = member_version + 1 WHERE id = ?', [room]);
    const entry = await appendSystemEntry(connection, { roomId, actor: { id: userId, name }, content: event, event: told, now });
    await connection.commit();
    return entry;
  } catch (error) {
    await connection.rollback();
    throw error;
  } finally {
    connection.release();
  }
}

export async function announceEntry(redis: RedisClient, entry: Entry): Promise<void> {
  await redis.publish(
    roomChannel(entry.room_id),
    encodeFanout({ seq: entry.seq, from: 'core-test', sys: true }, [encodeEntryFrame(entry)]),
  );
}
