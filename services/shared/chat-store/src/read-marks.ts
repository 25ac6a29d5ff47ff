// Read markers: how far a user has read a room. unread = rooms.message_count - last_read_count, so nothing is ever counted (spec 04 §4.1).
import type { RowDataPacket } from 'mysql2';
import { fromBinary, toBinary } from './ids.ts';
import type { MembershipKey } from './memberships.ts';
import type { MysqlPool } from './mysql.ts';
import { classify } from './writer-failure.ts';

export interface ReadMark extends MembershipKey {
  /** seq of the newest entry that the user has seen */
  seq: number;
}

export interface MarkResult extends MembershipKey {
  lastReadSeq: number;
  unreadCount: number;
  /** false: the marker was as far or further already */
  moved: boolean;
}

const TRIES_MAX = 3;

/**
 * Moves markers forward, never back and never past the room's last entry, at most one mark for each user and room. Marks of users who
 * are no active members are left out of the result. Throws when the database is away.
 */
export async function markRead(pool: MysqlPool, marks: readonly ReadMark[]): Promise<MarkResult[]> {
  if (marks.length === 0) return [];
  // Sorted, so that two writers lock the rows in one order.
  const sorted = [...marks].sort((a, b) => a.roomId.localeCompare(b.roomId) || a.userId - b.userId);
  const before = await readMarks(pool, sorted);
  const ahead = sorted.filter((mark) => mark.seq > (before.get(keyOf(mark))?.lastReadSeq ?? Infinity));
  if (ahead.length > 0) await moveMarks(pool, ahead);
  const after = ahead.length > 0 ? await readMarks(pool, sorted) : before;
  return [...after.values()].map((mark) => ({ ...mark, moved: mark.lastReadSeq > (before.get(keyOf(mark))?.lastReadSeq ?? 0) }));
}

const keyOf = ({ roomId, userId }: MembershipKey): string => `${roomId}/${userId}`;

async function readMarks(pool: MysqlPool, marks: readonly MembershipKey[]): Promise<Map<string, Omit<MarkResult, 'moved'>>> {
  const table = marks.map((_, index) => (index === 0 ? 'SELECT ? AS room_id, ? AS user_id' : 'SELECT ?, ?')).join(' UNION ALL ');
  const [rows] = await pool.query<RowDataPacket[]>(
    `SELECT m.room_id, m.user_id, m.last_read_seq, m.last_read_count, r.message_count
       FROM (${table}) AS asked
       STRAIGHT_JOIN room_members m ON m.room_id = asked.room_id AND m.user_id = asked.user_id
       STRAIGHT_JOIN rooms r ON r.id = m.room_id
      WHERE m.state = 'active' AND r.deleted_at IS NULL`,
    marks.flatMap((mark) => [toBinary(mark.roomId), mark.userId]),
  );
  const found = rows.map((row) => ({
    roomId: fromBinary(row['room_id'] as Buffer),
    userId: row['user_id'] as number,
    lastReadSeq: row['last_read_seq'] as number,
    unreadCount: Math.max(0, (row['message_count'] as number) - (row['last_read_count'] as number)),
  }));
  return new Map(found.map((mark) => [keyOf(mark), mark]));
}

/** The entry at the mark says how many messages there are up to it; a mark past the end counts as the end. */
async function moveMarks(pool: MysqlPool, marks: readonly ReadMark[]): Promise<void> {
  const table = marks
    .map((_, index) => (index === 0 ? 'SELECT ? AS room_id, ? AS user_id, ? AS seq' : 'SELECT ?, ?, ?'))
    .join(' UNION ALL ');
  const sql = `UPDATE (${table}) AS asked
      STRAIGHT_JOIN rooms r ON r.id = asked.room_id
      STRAIGHT_JOIN messages x ON x.room_id = asked.room_id AND x.seq = LEAST(asked.seq, r.last_seq)
      STRAIGHT_JOIN room_members m ON m.room_id = asked.room_id AND m.user_id = asked.user_id
        SET m.last_read_seq = x.seq, m.last_read_count = x.message_no
      WHERE m.state = 'active' AND m.last_read_seq < x.seq`;
  const values = marks.flatMap((mark) => [toBinary(mark.roomId), mark.userId, mark.seq]);
  for (let attempt = 1; ; attempt++) {
    try {
      await pool.query(sql, values);
      return;
    } catch (error) {
      if (classify(error) !== 'conflict' || attempt === TRIES_MAX) throw error;
    }
  }
}
