// Membership changes as core makes them: the row, the version and the system entry in one transaction, then the entry on Redis.
import { appendSystemEntry, encodeEntryFrame, toBinary, type MysqlPool, type RoomHead } from '@parley/chat-store';
import type { RowDataPacket } from 'mysql2';
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
    const [rows] = await connection.query<RowDataPacket[]>(
      `SELECT last_seq AS lastSeq, message_count AS messageCount, member_version AS memberVersion, last_message_at AS lastMessageAt
         FROM rooms WHERE id = ? FOR UPDATE`,
      [room],
    );
    const head = { id: roomId, ...rows[0] } as RoomHead;
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
    const actor = { id: userId, name };
    const { entry } = await appendSystemEntry(connection, head, { actor, content: event, event: told, now, ofMembers: true });
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
