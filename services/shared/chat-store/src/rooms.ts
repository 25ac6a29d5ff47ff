// Small reads about rooms that chat and core share.
import type { RowDataPacket } from 'mysql2';
import { fromBinary, toBinary } from './ids.ts';
import type { MysqlPool } from './connection/index.ts';

/** An active member's view of a room: its head, its number of messages, and the member's own marks. */
export interface Membership {
  lastSeq: number;
  messageCount: number;
  memberVersion: number;
  lastReadSeq: number;
  lastReadCount: number;
}

/** The room's head and the user's marks; undefined when the room is unknown or deleted, or the user is not an active member. */
export async function readMembership(pool: MysqlPool, roomId: string, userId: number): Promise<Membership | undefined> {
  const [rows] = await pool.query<RowDataPacket[]>(
    `SELECT r.last_seq AS lastSeq, r.message_count AS messageCount, r.member_version AS memberVersion,
            m.last_read_seq AS lastReadSeq, m.last_read_count AS lastReadCount
       FROM rooms r JOIN room_members m ON m.room_id = r.id
      WHERE r.id = ? AND m.user_id = ? AND m.state = 'active' AND r.deleted_at IS NULL`,
    [toBinary(roomId), userId],
  );
  return rows[0] as Membership | undefined;
}

/** Head of each room that exists: roomId -> last_seq. Used in batches to find out what a replica has missed. */
export async function readHeads(pool: MysqlPool, roomIds: readonly string[]): Promise<Map<string, number>> {
  if (roomIds.length === 0) return new Map();
  const [rows] = await pool.query<RowDataPacket[]>('SELECT id, last_seq FROM rooms WHERE id IN (?)', [roomIds.map(toBinary)]);
  return new Map(rows.map((row) => [fromBinary(row['id'] as Buffer), row['last_seq'] as number]));
}

/** Lineage of the database (spec 02 §2.4). */
export async function readEpoch(pool: MysqlPool): Promise<string> {
  const [rows] = await pool.query<RowDataPacket[]>('SELECT epoch FROM lineage WHERE id = 1');
  const epoch = rows[0]?.['epoch'] as string | undefined;
  if (!epoch) throw new Error('the chat database has no epoch: run the migrations');
  return epoch;
}
