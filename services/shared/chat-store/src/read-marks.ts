// Read markers: how far a user has read a room. unread = rooms.message_count - last_read_count, so nothing is ever counted (spec 04 §4.1).
import type { RowDataPacket } from 'mysql2';
import { fromBinary, toBinary } from './ids.ts';
import type { MembershipKey } from './memberships.ts';
import { mysqlFailure, type MysqlPool } from './connection/index.ts';

/** How far a user has read in a room. */
export interface ReadMark extends MembershipKey {
  /** seq of the newest entry that the user has seen */
  seq: number;
}

/** A marker that has moved, and what is unread behind it. */
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
  const ahead = [...before.values()].filter((mark) => mark.entry !== undefined && mark.entry.seq > mark.lastReadSeq);
  if (ahead.length > 0) await moveMarks(pool, ahead);
  const after = ahead.length > 0 ? await readMarks(pool, sorted) : before;
  return [...after.values()].map(({ roomId, userId, lastReadSeq, unreadCount }) => ({
    ...{ roomId, userId, lastReadSeq, unreadCount },
    moved: lastReadSeq > (before.get(keyOf({ roomId, userId }))?.lastReadSeq ?? 0),
  }));
}

const keyOf = ({ roomId, userId }: MembershipKey): string => `${roomId}/${userId}`;

interface KnownMark extends MembershipKey {
  lastReadSeq: number;
  unreadCount: number;
  /** the entry at the mark, or the room's last one when the mark is past the end; undefined in an empty room */
  entry: { seq: number; messageNo: number } | undefined;
}

/** A plain read: it locks nothing, so that marks never hold up the writer of a busy room. Entries never change. */
async function readMarks(pool: MysqlPool, marks: readonly ReadMark[]): Promise<Map<string, KnownMark>> {
  const table = marks
    .map((_, index) => (index === 0 ? 'SELECT ? AS room_id, ? AS user_id, ? AS seq' : 'SELECT ?, ?, ?'))
    .join(' UNION ALL ');
  const [rows] = await pool.query<RowDataPacket[]>(
    `SELECT m.room_id, m.user_id, m.last_read_seq, m.last_read_count, r.message_count, x.seq, x.message_no
       FROM (${table}) AS asked
       STRAIGHT_JOIN room_members m ON m.room_id = asked.room_id AND m.user_id = asked.user_id
       STRAIGHT_JOIN rooms r ON r.id = m.room_id
       LEFT JOIN messages x ON x.room_id = r.id AND x.seq = LEAST(asked.seq, r.last_seq)
      WHERE m.state = 'active' AND r.deleted_at IS NULL`,
    marks.flatMap((mark) => [toBinary(mark.roomId), mark.userId, mark.seq]),
  );
  const found = rows.map((row) => ({
    roomId: fromBinary(row['room_id'] as Buffer),
    userId: row['user_id'] as number,
    lastReadSeq: row['last_read_seq'] as number,
    unreadCount: Math.max(0, (row['message_count'] as number) - (row['last_read_count'] as number)),
    entry: row['seq'] === null ? undefined : { seq: row['seq'] as number, messageNo: row['message_no'] as number },
  }));
  return new Map(found.map((mark) => [keyOf(mark), mark]));
}

/** Touches the members' own rows and nothing else, by their primary keys. */
async function moveMarks(pool: MysqlPool, marks: readonly KnownMark[]): Promise<void> {
  const table = marks
    .map((_, index) => (index === 0 ? 'SELECT ? AS room_id, ? AS user_id, ? AS read_seq, ? AS read_count' : 'SELECT ?, ?, ?, ?'))
    .join(' UNION ALL ');
  const sql = `UPDATE (${table}) AS moved
      STRAIGHT_JOIN room_members m ON m.room_id = moved.room_id AND m.user_id = moved.user_id
        SET m.last_read_seq = moved.read_seq, m.last_read_count = moved.read_count
      WHERE m.state = 'active' AND m.last_read_seq < moved.read_seq`;
  const values = [...marks]
    .sort((a, b) => a.roomId.localeCompare(b.roomId) || a.userId - b.userId)
    .flatMap(({ roomId, userId, entry }) => [toBinary(roomId), userId, entry?.seq ?? 0, entry?.messageNo ?? 0]);
  for (let attempt = 1; ; attempt++) {
    try {
      await pool.query(sql, values);
      return;
    } catch (error) {
      if (mysqlFailure(error) !== 'conflict' || attempt === TRIES_MAX) throw error;
    }
  }
}
